"""Dispatch and commitment: problems of hours solved, answers gathered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.grid.cases import Floats
from industry_apps.energy.grid.hours import Hours, problem_of
from industry_apps.energy.grid.optimality import Optimality
from industry_apps.energy.grid.programs import ProgramBuilder
from industry_apps.energy.grid.solving import Solution, fixed_at, solve, solve_mixed
from industry_apps.errors import InfeasibleError


@dataclass(frozen=True, eq=False, kw_only=True)
class Dispatch:
    """What generators do in some hours, and what that means for the grid.

    Parameters
    ----------
    output : ndarray of shape [hours, generators]
        In MW.
    running : ndarray of bool, shape [hours, generators]
    starts : ndarray of bool, shape [hours, generators]
    angles : ndarray of shape [hours, buses]
        In rad; zeros where the grid was not looked at.
    flows : ndarray of shape [hours, branches]
        In MW, from the first to the second bus; of no branches where the grid was not looked at.
    prices : ndarray of shape [hours, buses]
        Of a MWh more at a bus, in $.
    shed, surplus : ndarray of shape [hours, buses]
        Load that is not served, and output that cannot be used, in MW.
    reserve, lacking : ndarray of shape [hours, 2]
        Upward and downward reserve that is kept and that is lacking, in MW.
    optimality : Optimality
        Of the outputs, what runs being given.
    gap : float
        Of what runs: cost less the proven bound, as a share of the cost.
    """

    output: Floats
    running: NDArray[np.bool_]
    starts: NDArray[np.bool_]
    angles: Floats
    flows: Floats
    prices: Floats
    shed: Floats
    surplus: Floats
    reserve: Floats
    lacking: Floats
    optimality: Optimality
    gap: float = 0.0


def dispatch(hours: Hours, *, gap: float, seconds: float) -> Dispatch:
    """Find the cheapest outputs; with units, what runs too.

    Parameters
    ----------
    hours : Hours
    gap : float
        Share of the cost at which the search for what runs stops.
    seconds : float
        The search takes at most.

    Raises
    ------
    InfeasibleError, SolverError
    """
    if hours.units is None:  # nothing joins the hours
        return _joined([_single(hours.of(number)) for number in range(hours.count)])
    return _committed(hours, gap, seconds)


def _committed(hours: Hours, gap: float, seconds: float) -> Dispatch:
    """Choose what runs, then the outputs.

    What runs is chosen as if no line had a limit first: that costs no more than with lines, so that
    its bound holds for both. Where the outputs with lines cost more than the gap allows, it is
    chosen again with them.
    """
    builder = problem_of(hours, slack=True, tangents=False)
    program = builder.program()
    best, least, proven = None, np.inf, -np.inf
    for lines in (False, True) if hours.lines else (False,):
        mixed = problem_of(replace(hours, lines=lines), slack=True, tangents=True).program()
        answer, bound = solve_mixed(mixed, gap=gap / 2, seconds=seconds)
        held = np.zeros(len(program.cost))
        held[program.whole] = answer[mixed.whole]
        proven = max(proven, bound)
        try:
            found = solve(fixed_at(program, held))
        except InfeasibleError:
            if lines or not hours.lines:
                raise
            continue  # what runs does not do for the lines, which were not looked at
        cost = program.objective(found.x)
        if cost < least:
            best, least = found, cost
        if least - proven <= gap * max(1.0, abs(least)):
            break
    assert best is not None  # one is found, or an error is raised
    left = (least - proven) / max(1.0, abs(least))
    return replace(_gathered(hours, builder, best), gap=left)


def _single(hours: Hours) -> Dispatch:
    """One hour: without shedding where that is optimal, which the prices tell, and else with it."""
    try:
        builder = problem_of(hours, slack=False, tangents=False)
        found = solve(builder.program())
        price = builder.row_part("balance", found.prices)
        if -hours.prices.surplus <= price.min() and price.max() <= hours.prices.shedding:
            return _gathered(hours, builder, found)
    except InfeasibleError:
        pass  # load has to be shed, or output to be left over: what follows says where
    builder = problem_of(hours, slack=True, tangents=False)
    return _gathered(hours, builder, solve(builder.program()))


def _gathered(hours: Hours, builder: ProgramBuilder, found: Solution) -> Dispatch:
    case, net, x = hours.case, hours.network, found.x
    shape = (hours.count, len(case.generators))
    buses = (hours.count, len(case.buses))
    output = builder.part("output", x)
    running, starts = np.ones(shape, dtype=bool), np.zeros(shape, dtype=bool)
    if hours.units is not None:
        running = builder.part("running", x) > 0.5
        starts = builder.part("starts", x) > 0.5
    price = builder.row_part("balance", found.prices)
    angles, flows = np.zeros(buses), np.zeros((hours.count, 0))
    if hours.lines:
        angles = builder.part("angle", x)
        flows = angles @ net.flow.T + net.shift_flow
    else:
        price = np.repeat(price, len(case.buses), axis=1)
    shed, surplus = (_missed(hours, builder, x, name) for name in ("shed", "surplus"))
    kept, lacking = np.zeros((hours.count, 2)), np.zeros((hours.count, 2))
    if hours.reserve is not None:
        for place, name in enumerate(("up", "down")):
            kept[:, place] = builder.part(f"reserve {name}", x).sum(axis=1)
            lacking[:, place] = builder.part(f"lacking {name}", x)
    return Dispatch(
        output=output,
        running=running,
        starts=starts,
        angles=angles,
        flows=flows,
        prices=price,
        shed=shed,
        surplus=surplus,
        reserve=kept,
        lacking=lacking,
        optimality=found.optimality,
    )


def _missed(hours: Hours, builder: ProgramBuilder, x: Floats, name: str) -> Floats:
    """Load that is shed, or output that is left over, [hours, buses]."""
    if name not in builder:
        return np.zeros(hours.loads.shape)
    part = builder.part(name, x)
    return part if hours.lines else _spread(part, np.maximum(hours.loads, 0))


def _spread(missed: Floats, loads: Floats) -> Floats:
    """A total without a place, spread over the buses by their loads, [hours, buses]."""
    total = loads.sum(axis=1, keepdims=True)
    share = np.where(total > 0, loads / np.where(total > 0, total, 1), 1 / loads.shape[1])
    found: Floats = missed.sum(axis=1, keepdims=True) * share
    return found


def _joined(parts: Sequence[Dispatch]) -> Dispatch:
    """Hours one after the other."""
    names = [each.name for each in fields(Dispatch) if each.name not in ("optimality", "gap")]
    worst = parts[0].optimality
    for part in parts[1:]:
        worst = worst.worst(part.optimality)
    found: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in names
    }
    return Dispatch(**found, optimality=worst)
