"""A plan: what each generator does, what it costs, what is not served, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.energy.grid.cases import Floats
from industry_apps.energy.grid.dispatch import Dispatch
from industry_apps.energy.grid.hours import Hours
from industry_apps.energy.grid.units import UnitState
from industry_apps.evaluation.sections import aligned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: MW below which nothing is shed, and nearer than which a limit binds.
_TINY = 1e-4
_RAD = 1e-6
_MOST_NAMED = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class DispatchPlan:
    """What generators do in some hours; prints as a report.

    Parameters
    ----------
    hours : Hours
        What was asked.
    found : Dispatch
        What was found.
    index : Index
        Names of the hours.
    state : UnitState, optional
        At the end of the last hour, from which the next plan goes on; with units alone.
    """

    hours: Hours
    found: Dispatch
    index: pd.Index
    state: UnitState | None = None

    def to_frame(self) -> pd.DataFrame:
        """Outputs in MW: a row for each hour, a column for each generator (``g3``)."""
        return self._table(self.found.output, self.hours.case.generator_names)

    def running(self) -> pd.DataFrame:
        """What runs: a row for each hour, a column for each generator."""
        return self._table(self.found.running, self.hours.case.generator_names)

    def flows(self) -> pd.DataFrame:
        """Flows in MW from the first bus of a branch to the second; no columns without lines."""
        names = self.hours.case.branch_names if self.hours.lines else []
        return self._table(self.found.flows, names)

    def prices(self) -> pd.DataFrame:
        """Locational prices in $/MWh: a row for each hour, a column for each bus number."""
        return self._table(self.found.prices, self.hours.case.buses.tolist())

    def costs(self) -> pd.DataFrame:
        """Costs in $ of each hour: generation, starts, shedding, surplus, reserve, total."""
        found, units, prices = self.found, self.hours.units, self.hours.prices
        runs = found.running.astype(float)
        starts = np.zeros(len(self.index))
        if units is not None:
            starts = found.starts @ units.start_cost
        parts = {
            "generation": self.hours.case.generators.costs.of(found.output, runs).sum(axis=1),
            "starts": starts,
            "shedding": found.shed.sum(axis=1) * prices.shedding,
            "surplus": found.surplus.sum(axis=1) * prices.surplus,
            "reserve": found.lacking.sum(axis=1) * prices.reserve,
        }
        table = pd.DataFrame(parts, index=self.index)
        return table.assign(total=table.sum(axis=1))

    def total_cost(self) -> float:
        """Cost in $ of all hours."""
        return float(self.costs()["total"].sum())

    def shedding(self) -> pd.DataFrame:
        """Load that is not served: what cannot be done, and what stands in the way.

        Returns
        -------
        DataFrame
            A row for each hour and bus: ``hour``, ``bus``, ``load``, ``shed`` in MW, ``price`` in
            $/MWh, ``lines`` that are full and ``generators`` at their most in that hour, and
            whether the bus is ``fed``: lies in an island with a generator.
        """
        return self._missed(self.found.shed, "shed")

    def surplus(self) -> pd.DataFrame:
        """Output that cannot be used, as where the least outputs lie above the load.

        Returns
        -------
        DataFrame
            As of :meth:`shedding`, with ``surplus`` in MW, and ``generators`` at their least.
        """
        return self._missed(self.found.surplus, "surplus")

    def binding(self) -> pd.DataFrame:
        """Lines that are full: ``hour``, ``line``, ``flow`` and ``limit`` in MW.

        A line is also full where the angle across it is at its limit, by which its flow is limited.
        """
        branches = self.hours.case.branches
        if not self.hours.lines:
            return pd.DataFrame(columns=["hour", "line", "flow", "limit"])
        flows = self.found.flows
        across = self.found.angles @ self.hours.network.incidence.T
        held = (across - branches.angle_low <= _RAD) | (branches.angle_high - across <= _RAD)
        full = branches.limit - np.abs(flows) <= _TINY
        limit = np.where(held & ~full, np.abs(flows), branches.limit)
        names = self.hours.case.branch_names
        rows = [
            (self.index[h], names[b], flows[h, b], limit[h, b])
            for h, b in np.argwhere(full | held).tolist()
        ]
        return pd.DataFrame(rows, columns=["hour", "line", "flow", "limit"])

    def plot(self) -> Figure:
        """Draw the outputs on top of each other, the load, and the prices."""
        from industry_apps.energy.grid.plots import plan_plot

        return plan_plot(self.hours, self.found)

    def __str__(self) -> str:
        costs = self.costs()
        load = float(self.hours.loads.sum())
        lines: list[list[str]] = [
            ["grid", self.hours.case.name],
            ["hours", str(len(self.index))],
            ["load", f"{load:,.1f} MWh"],
            *([str(name), f"{value:,.2f} $"] for name, value in costs.sum().items() if value),
            ["prices", self._price_words()],
            ["checked", str(self.found.optimality)],
        ]
        if self.hours.units is not None:
            lines.append(["what runs", f"within {self.found.gap:.2%} of the least possible cost"])
        return "\n".join([*aligned(lines), *self._warnings()])

    def _price_words(self) -> str:
        low, high = self.found.prices.min(), self.found.prices.max()
        if high - low <= 1e-6 * max(1.0, abs(high)):
            return f"{high:,.2f} $/MWh at all buses"
        return f"{low:,.2f} to {high:,.2f} $/MWh"

    def _warnings(self) -> list[str]:
        """What is not served, bus by bus, and what stands in the way."""
        words = []
        for name, table in (("is shed", self.shedding()), ("is left over", self.surplus())):
            column = "shed" if name == "is shed" else "surplus"
            for hour, rows in table.groupby("hour", sort=False):
                at = [f"{bus} ({mw:.1f})" for bus, mw in zip(rows.bus, rows[column], strict=True)]
                way = rows.iloc[0]
                words.append(
                    f"Hour {hour}: {rows[column].sum():.1f} MW {name}, at the buses (MW) "
                    f"{_some(at)}. Full lines: {_some(way.lines)}. Generators at their limit: "
                    f"{_some(way.generators)}."
                )
                if not rows.fed.all():
                    alone = _some(list(map(str, rows.bus[~rows.fed])))
                    words.append(f"No generator is in the islands of the buses {alone}.")
                elif not way.lines and not way.generators:
                    words.append(
                        "It is the cheapest by the prices of the plan, or ramps and minimum times "
                        "of units leave nothing else."
                    )
        lacking = self.found.lacking.sum(axis=1)
        for place in np.flatnonzero(lacking > _TINY).tolist():
            up, down = self.found.lacking[place]
            words.append(
                f"Hour {self.index[place]}: {up:.1f} MW of upward and {down:.1f} MW of downward "
                "reserve are lacking."
            )
        return words

    def _missed(self, missed: Floats, name: str) -> pd.DataFrame:
        case, most = self.hours.case, name == "shed"
        edge = case.generators.most if most else case.generators.least
        columns = ["hour", "bus", "load", name, "price", "lines", "generators", "fed"]
        full, islands = self.binding(), self.hours.network.islands
        fed = np.isin(islands, islands[case.generators.bus]) | (not self.hours.lines)
        rows = []
        for hour, bus in np.argwhere(missed > _TINY).tolist():
            at = np.abs(self.found.output[hour] - edge) <= _TINY
            at &= self.found.running[hour]
            rows.append(
                (
                    self.index[hour],
                    int(case.buses[bus]),
                    float(self.hours.loads[hour, bus]),
                    float(missed[hour, bus]),
                    float(self.found.prices[hour, bus]),
                    full.loc[full["hour"] == self.index[hour], "line"].tolist(),
                    [g for g, there in zip(case.generator_names, at, strict=True) if there],
                    bool(fed[bus]),
                )
            )
        return pd.DataFrame(rows, columns=columns)

    def _table(self, values: Floats | NDArray[np.bool_], names: Sequence[object]) -> pd.DataFrame:
        return pd.DataFrame(values, index=self.index, columns=list(names))


def _some(names: list[str]) -> str:
    """Names in words, cut where they are many, which is said."""
    if not names:
        return "none"
    shown = ", ".join(names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown} and {len(names) - _MOST_NAMED} more"
