"""What a learned stand-in for DC optimal power flow needs of a grid: safe outputs, and optima."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from industry_apps.energy.grid.cases import Branches, Case, Costs, Floats
from industry_apps.energy.grid.hours import Hours, Prices, problem_of
from industry_apps.energy.grid.network import Network
from industry_apps.energy.grid.programs import ProgramBuilder
from industry_apps.energy.grid.solving import Solution, resolved, solve
from industry_apps.errors import InfeasibleError, ParameterError, TrainingError
from industry_apps.runtime.progress import tracked

if TYPE_CHECKING:
    from industry_apps.backbones import GridArrays

_LEVELS = 9
#: Of the widest margin that all lines can have at once, the share that safe outputs keep: between
#: outputs that are cheap and outputs that are safe for loads that differ.
_SHARE = 0.5
#: Solutions whose limits that bind are tried before a problem is solved anew.
_REMEMBERED = 8
#: MW that no line carries.
_NEVER = 1e9
_PRICES = Prices(shedding=np.inf, surplus=np.inf, reserve=0.0)


def line_limits(case: Case) -> tuple[Floats, Floats]:
    """Least and largest flow in MW of each branch, by its rating and its limits of angles."""
    branches = case.branches
    across = [
        branches.susceptance * (limit - branches.shift)
        for limit in (branches.angle_low, branches.angle_high)
    ]
    turned = branches.susceptance < 0  # a series capacitor
    low = np.where(turned, across[1], across[0])
    high = np.where(turned, across[0], across[1])
    return np.maximum(-branches.limit, low), np.minimum(branches.limit, high)


def check_fit_for_it(case: Case, network: Network) -> None:
    """Refuse a grid of several islands, or with costs in segments.

    Raises
    ------
    ParameterError
    """
    if any(map(len, case.generators.costs.segments)):
        raise ParameterError(
            f"The grid {case.name!r} has costs in line segments, and a stand-in takes quadratic "
            "ones. Fit a quadratic function to them, or take GridDispatcher."
        )
    if len(network.references) > 1:
        raise ParameterError(
            f"The grid {case.name!r} has {len(network.references)} islands, and a stand-in "
            "balances all buses together. Learn one for each island, or close the branches "
            "between them."
        )


def grid_arrays(network: Network, loads: Floats) -> GridArrays:
    """What the repair of a network knows: flows, limits, and safe outputs for levels of the load.

    Parameters
    ----------
    network : Network
    loads : ndarray of shape [records, buses]
        In training.

    Raises
    ------
    TrainingError
        Some of these loads are more than generators can serve.
    """
    from industry_apps.backbones import GridArrays

    case, gens = network.case, network.case.generators
    low, high = line_limits(case)
    held = np.isfinite(low) & np.isfinite(high)
    if not held.any():  # a line that never binds stands for none
        held[:1], low[:1], high[:1] = True, -_NEVER, _NEVER
    factors = network.shifts()[held]
    # What the phase shifts send through each branch when nobody feeds in or takes out.
    still = network.flows(np.zeros(len(case.buses)))[held] - factors @ case.shunt
    totals = loads.sum(axis=1)
    room = np.array([gens.least.sum(), gens.most.sum()]) - case.shunt.sum()
    outside = (totals < room[0]) | (totals > room[1])
    if outside.any():
        row = int(outside.argmax())
        raise TrainingError(
            f"Column 'load_mw', row {row}: the loads sum to {totals[row]:.1f} MW, and generators "
            f"give {room[0]:.1f} to {room[1]:.1f} MW. Leave out records that cannot be served."
        )
    width = max(float(np.ptp(totals)), 1e-3 * float(np.abs(totals).max()), 1e-6)
    levels = np.linspace(
        max(room[0], totals.min() - 0.05 * width),
        min(room[1], totals.max() + 0.05 * width),
        _LEVELS,
    )
    usual = loads.mean(axis=0)
    limits = line_limits(case)
    safe = [_safe(network, *limits, usual * level / usual.sum()) for level in levels]
    return GridArrays(
        least=gens.least,
        most=gens.most,
        on_output=factors[:, gens.bus],
        on_load=factors,
        flow=still,
        low=low[held],
        high=high[held],
        further=float(case.shunt.sum()),
        levels=levels,
        safe=np.array(safe),
        square=gens.costs.quadratic,
        slope=gens.costs.linear,
        constant=float(gens.costs.constant.sum()),
    )


def _safe(network: Network, low: Floats, high: Floats, loads: Floats) -> Floats:
    """Outputs far from all limits of lines, the cheapest of those."""
    held = np.isfinite(low) & np.isfinite(high)
    free = replace(network.case, branches=_unlimited(network.case))
    hours = Hours(network=Network(free), loads=loads[None], prices=_PRICES)
    half = (high - low)[held] / 2
    shift = network.shift_flow[held]

    def problem(hours: Hours, least: float, reward: float) -> ProgramBuilder:
        builder = problem_of(hours, slack=False, tangents=False)
        builder.columns("margin", (1,), least=least, most=1.0, cost=-reward)
        for name, sign, edge in (("above", 1.0, low[held]), ("below", -1.0, -high[held])):
            blocks = {"angle": sign * network.flow[held], "margin": -half[:, None]}
            builder.rows(name, (len(half),), blocks, edge - sign * shift, np.inf)
        return builder

    first = problem(replace(hours, network=Network(_costless(free))), -np.inf, 1.0)
    widest = float(first.part("margin", solve(first.program()).x)[0])
    kept = widest * _SHARE if widest > 0 else widest - 1e-6
    second = problem(hours, kept, 0.0)
    return second.part("output", solve(second.program()).x)[0]


def _unlimited(case: Case) -> Branches:
    """The branches without limits, which the margin takes the place of."""
    none = np.full(len(case.branches), np.inf)
    return replace(case.branches, limit=none, angle_low=-none, angle_high=none)


def _costless(case: Case) -> Case:
    """The same grid, whose generators cost nothing."""
    nothing = np.zeros(len(case.generators))
    costs = Costs(
        quadratic=nothing,
        linear=nothing,
        constant=nothing,
        segments=(np.zeros((0, 2)),) * len(nothing),
    )
    return replace(case, generators=replace(case.generators, costs=costs))


def optima(network: Network, loads: Floats, words: str) -> Floats:
    """Optimal outputs for each record in MW, [records, generators]; NaN where there are none.

    Parameters
    ----------
    network : Network
    loads : ndarray of shape [records, buses]
    words : str
        What the progress bar says.
    """
    found = np.full((len(loads), len(network.case.generators)), np.nan)
    known: list[Solution] = []
    for row, record in enumerate(tracked(list(loads), words)):
        builder, solution = solved_once(network, record, known)
        if solution is not None:
            found[row] = builder.part("output", solution.x)[0]
            known = [solution, *known[: _REMEMBERED - 1]]
    return found


def solved_once(
    network: Network, record: Floats, known: list[Solution]
) -> tuple[ProgramBuilder, Solution | None]:
    """Solve one record; limits that bind in known solutions are tried first, and checked as all."""
    hours = Hours(network=network, loads=record[None], prices=_PRICES)
    builder = problem_of(hours, slack=False, tangents=False)
    program = builder.program()
    for near in known:
        found = resolved(program, near)
        if found is not None:
            return builder, found
    try:
        return builder, solve(program)
    except InfeasibleError:  # no outputs serve this record, and it is told apart
        return builder, None
