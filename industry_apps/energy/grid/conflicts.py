"""Limits that contradict each other: which ones no outputs keep, whatever is shed or left over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from scipy import sparse

from industry_apps.energy.grid.cases import Floats
from industry_apps.energy.grid.hours import Hours, problem_of
from industry_apps.energy.grid.programs import Program, ProgramBuilder
from industry_apps.energy.grid.solving import solve

__all__ = ["conflict"]

#: MW by which a limit is kept.
_KEPT = 1e-3


def conflict(hours: Hours, names: Sequence[object]) -> str:
    """What stands in the way of hours that have no answer, in words, and what helps.

    The limits of each hour are made soft: where they contradict each other, the outputs that pass
    them by the fewest MW in all say which.

    Parameters
    ----------
    hours : Hours
    names : sequence
        Of the hours.
    """
    for number in range(hours.count):
        one = replace(hours.of(number), units=None, state=None, reserve=None)
        passed = list(_passed(one))
        if passed:
            return (
                f"Hour {names[number]}: no outputs keep all limits of the grid, whatever is shed. "
                f"Those that come nearest leave {'; '.join(passed)}. Correct these values of the "
                "case, or the phase shifts (column 'angle') that drive flows."
            )
    return (
        "Each hour can be served by itself, and units cannot go from one to the next by their "
        "ramps and minimum times. Leave out the state, or give ramps of inf."
    )


def _passed(hours: Hours) -> Iterator[str]:
    """The limits that are passed at least, in words; angles by the MW that would flow."""
    builder = problem_of(hours, slack=True, tangents=False)
    case, branches = hours.case, hours.case.branches
    held = np.flatnonzero(np.isfinite(branches.angle_low) | np.isfinite(branches.angle_high))
    rated = np.flatnonzero(np.isfinite(branches.limit))
    by = _missing(builder, np.abs(branches.susceptance[held]))
    for place in np.flatnonzero(by["balance"] > _KEPT):
        bus = f"bus {case.buses[place]}" if hours.lines else "the grid"
        yield f"{bus} without {by['balance'][place]:.1f} MW of its shunt conductance (Gs)"
    for name, rows in (("flow", rated), ("across", held)):
        for place in np.flatnonzero(by.get(name, np.zeros(0)) > _KEPT):
            branch = rows[place]
            low, high = np.rad2deg([branches.angle_low[branch], branches.angle_high[branch]])
            limit = f"limits of angles (angmin {low:g}, angmax {high:g} degrees)"
            if name == "flow":
                limit = f"rating (rateA) of {branches.limit[branch]:g} MW"
            yield (
                f"the line {case.branch_names[branch]} (table 'branch', row "
                f"{branches.row[branch]}) {by[name][place]:.1f} MW beyond its {limit}"
            )


def _missing(builder: ProgramBuilder, stiffness: Floats) -> dict[str, Floats]:
    """MW by which the rows of each block have to be passed: block -> [rows]."""
    program = builder.program()
    count, price = len(program.cost), np.ones(len(program.low))
    if "across" in builder.row_names:  # its rows are in rad
        builder.row_part("across", price)[0] = stiffness
    one, free = sparse.eye(len(price)), np.zeros(2 * len(price))
    soft = Program(
        square=np.zeros(count + len(free)),
        cost=np.concatenate([np.zeros(count), price, price]),
        rows=sparse.hstack([program.rows, one, -one], format="csr"),
        low=program.low,
        high=program.high,
        least=np.concatenate([program.least, free]),
        most=np.concatenate([program.most, free + np.inf]),
        whole=np.zeros(count + len(free), dtype=bool),
    )
    found = solve(soft).x[count:].reshape(2, -1).sum(axis=0) * price
    return {name: builder.row_part(name, found).ravel() for name in builder.row_names}
