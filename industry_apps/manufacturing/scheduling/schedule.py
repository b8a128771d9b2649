"""A schedule: what starts when and where, and how good it is at least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from industry_apps.manufacturing.scheduling.faults import rows_of
from industry_apps.manufacturing.scheduling.jobs import Key, Shop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Objective = Literal["makespan", "tardiness"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Schedule:
    """When each operation runs, and on which machine.

    Parameters
    ----------
    shop : Shop
        What it was made for.
    table : DataFrame
        A row for each operation, sorted by machine and start: ``job``, ``position``, ``machine``,
        ``start``, ``end``, ``duration`` (without breaks), ``family``.
    objective : {"makespan", "tardiness"}
    value : float
        Of the objective: the end of the last operation, or weighted time behind due dates.
    bound : float
        No schedule is better than this, as far as is proven.
    status : {"optimal", "feasible"}
        Whether it is proven that none is better.
    seconds : float
        That the search took.
    """

    shop: Shop
    table: pd.DataFrame
    objective: Objective
    value: float
    bound: float
    status: Literal["optimal", "feasible"]
    seconds: float

    @property
    def makespan(self) -> int:
        """The end of the last operation."""
        return int(self.table["end"].max())

    @property
    def gap(self) -> float:
        """How much better a schedule may be at most, as a share of this one's value."""
        return (self.value - self.bound) / self.value if self.value else 0.0

    def to_frame(self) -> pd.DataFrame:
        """A copy of the table."""
        return self.table.copy()

    def jobs(self) -> pd.DataFrame:
        """Start, end, due date and tardiness of each job, by its name."""
        ends = self.table.groupby("job").agg(start=("start", "min"), end=("end", "max"))
        ends = ends.loc[[job.name for job in self.shop.jobs]]
        due = pd.Series({job.name: job.due for job in self.shop.jobs}, dtype="Int64")
        late = (ends["end"] - due).clip(lower=0)
        return ends.assign(due=due, tardiness=late.astype("Int64"))

    def gantt(self, path: str | Path | None = None, *, title: str = "") -> Figure:
        """Draw machines from above to below and time from left to right, a colour for each job.

        Parameters
        ----------
        path : str or Path, optional
            File to write, .png, .svg or .pdf.
        title : str

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ParameterError
            The ending of ``path`` is no format of a chart.
        MissingExtraError
            matplotlib is not installed.
        """
        from industry_apps.manufacturing.scheduling.gantt import draw

        return draw(self.shop, rows_of(self.table), path, title or str(self))

    def __str__(self) -> str:
        proven = "proven best" if self.status == "optimal" else f"at best {self.bound:g}"
        return (
            f"{len(self.table)} operations of {len(self.shop.jobs)} jobs on "
            f"{self.table['machine'].nunique()} machines: {self.objective} {self.value:g} "
            f"({proven})"
        )


def table_of(shop: Shop, placed: Mapping[Key, tuple[str, int]]) -> pd.DataFrame:
    """The table of a schedule, sorted by machine and start.

    Parameters
    ----------
    shop : Shop
    placed : mapping of (job, position) to (machine, start)
    """
    operations, rows = shop.operations, []
    order = {name: place for place, name in enumerate(shop.machines)}
    for key, (machine, start) in placed.items():
        duration = operations[key].machines[machine]
        end = shop.machines[machine].calendar.end_of(start, duration)
        row = (*key, machine, start, end, duration, operations[key].family)
        rows.append(((order[machine], start, end), row))
    columns = ["job", "position", "machine", "start", "end", "duration", "family"]
    return pd.DataFrame([row for _, row in sorted(rows)], columns=columns)


def value_of(shop: Shop, table: pd.DataFrame, objective: Objective) -> float:
    """What a schedule is worth: its makespan, or its weighted tardiness.

    Parameters
    ----------
    shop : Shop
    table : DataFrame
    objective : {"makespan", "tardiness"}
    """
    ends = table.groupby("job")["end"].max()
    if objective == "makespan":
        return float(ends.max())
    late = (
        job.weight * max(int(ends[job.name]) - job.due, 0)
        for job in shop.jobs
        if job.due is not None
    )
    return float(sum(late))
