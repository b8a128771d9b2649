"""Solving: HiGHS for linear and mixed problems, tangents for squares, and a check of each answer.

A square cost is bounded from below by its tangents, which makes the problem linear; where the
answer costs more than they say, a tangent is added there and it is solved again (Kelley 1960,
doi:10.1137/0108053), until bound and cost meet. After each round the equations of the limits that
bind are solved for an answer to the last digit. Both answers are measured against the conditions of
optimality: often the first round or two have found the limits that bind, and all is proven.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, linprog, milp
from scipy.sparse.linalg import splu

from industry_apps.energy.grid.cases import Floats
from industry_apps.energy.grid.optimality import Optimality, check_optimality
from industry_apps.energy.grid.programs import Matrix, Program
from industry_apps.errors import InfeasibleError, SolverError

_TANGENTS, _ROUNDS, _ENOUGH = 10, 40, 1e-9
_INFEASIBLE, _TIME_LIMIT = 2, 1


@dataclass(frozen=True, eq=False, kw_only=True)
class Solution:
    """An answer that passed the check.

    Parameters
    ----------
    x : ndarray of shape [columns]
    prices : ndarray of shape [rows]
        What a unit more of the limit of a row adds to the cost.
    optimality : Optimality
    """

    x: Floats
    prices: Floats
    optimality: Optimality


def solve(program: Program) -> Solution:
    """Solve a convex problem; what has to be whole is not looked at.

    Raises
    ------
    InfeasibleError
    SolverError
        The answer does not pass the check of optimality.
    """
    best: Solution | None = None
    for x, prices in _by_tangents(program, np.flatnonzero(program.square > 0)):
        near = Solution(x=x, prices=prices, optimality=check_optimality(program, x, prices))
        exact = _at_the_limits(program, near) if program.square.any() else None
        for found in filter(None, (near, exact)):
            if best is None or _off(found.optimality) < _off(best.optimality):
                best = found
        if best is not None and _off(best.optimality) <= _ENOUGH:
            break
    assert best is not None  # there is one round at least
    if not best.optimality.holds:
        raise SolverError(
            f"The answer is not proven optimal: {best.optimality}. Scale costs and limits to "
            "similar sizes, or leave out limits that never bind."
        )
    return best


def _off(found: Optimality) -> float:
    return max(found.violation * 1e-2, found.imbalance, abs(found.gap))


def _by_tangents(program: Program, curved: NDArray[np.intp]) -> Iterator[tuple[Floats, Floats]]:
    """Answers and prices of the rows, squares replaced by more and more tangents."""
    square = program.square[curved]
    points = np.linspace(program.least[curved], program.most[curved], _TANGENTS, axis=1)
    owner = np.repeat(np.arange(len(curved)), _TANGENTS)
    at = points.ravel()
    for _ in range(_ROUNDS):
        found = _linear(_with_tangents(program, curved, owner, at))
        x = found.x[: len(program.cost)]
        yield x, found.prices[: len(program.low)]
        short = square * x[curved] ** 2 - found.x[len(program.cost) :]
        enough = _ENOUGH * max(1.0, abs(program.objective(x)))
        if short.sum() <= enough:
            return
        needed = np.flatnonzero(short > enough / (2 * len(curved)))
        owner = np.concatenate([owner, needed])
        at = np.concatenate([at, x[curved][needed]])


def _with_tangents(
    program: Program, curved: NDArray[np.intp], owner: NDArray[np.intp], at: Floats
) -> Program:
    """A linear problem with a column for each square, above all its tangents."""
    count = len(curved)
    if not count:
        return program
    square = program.square[curved][owner]
    number = np.arange(len(owner))
    shape = (len(owner), len(program.cost))
    on_x = sparse.csr_matrix((-2 * square * at, (number, curved[owner])), shape=shape)
    on_y = sparse.csr_matrix((np.ones(len(owner)), (number, owner)), shape=(len(owner), count))
    rows = sparse.bmat([[program.rows, None], [on_x, on_y]], format="csr")
    return Program(
        square=np.zeros(len(program.cost) + count),
        cost=np.concatenate([program.cost, np.ones(count)]),
        rows=rows,
        low=np.concatenate([program.low, -square * at**2]),
        high=np.concatenate([program.high, np.full(len(owner), np.inf)]),
        least=np.concatenate([program.least, np.zeros(count)]),
        most=np.concatenate([program.most, np.full(count, np.inf)]),
        whole=np.zeros(len(program.cost) + count, dtype=bool),
    )


@dataclass(frozen=True, eq=False)
class _Linear:
    x: Floats
    prices: Floats


def _linear(program: Program) -> _Linear:
    equal = program.low == program.high
    upper = np.isfinite(program.high) & ~equal
    lower = np.isfinite(program.low) & ~equal
    unequal = sparse.vstack([program.rows[upper], -program.rows[lower]], format="csr")
    found: OptimizeResult = linprog(
        program.cost,
        A_ub=unequal,
        b_ub=np.concatenate([program.high[upper], -program.low[lower]]),
        A_eq=program.rows[equal],
        b_eq=program.low[equal],
        bounds=np.column_stack([program.least, program.most]),
        method="highs",
    )
    if found.status == _INFEASIBLE:
        raise InfeasibleError("No output of the generators keeps all limits of the grid.")
    if found.status != 0:
        raise SolverError(f"HiGHS found no answer: {found.message}")
    prices = np.zeros(len(program.low))
    prices[equal] = found.eqlin.marginals
    prices[upper] += found.ineqlin.marginals[: int(upper.sum())]
    prices[lower] -= found.ineqlin.marginals[int(upper.sum()) :]
    return _Linear(np.clip(found.x, program.least, program.most), prices)


def resolved(program: Program, near: Solution) -> Solution | None:
    """Solve a problem by the limits that bind in a solution of one with other loads.

    Parameters
    ----------
    program : Program
    near : Solution
        Of a problem with the same columns and rows.

    Returns
    -------
    Solution or None
        None where other limits bind: what is answered has passed the check of optimality.
    """
    found = _at_the_limits(program, near)
    return found if found is not None and found.optimality.holds else None


def _at_the_limits(program: Program, near: Solution) -> Solution | None:
    """Solve for the answer that keeps the limits that bind near another one as equations."""
    x, prices = near.x, near.prices
    size = 1e-7 * (1 + np.abs(x))
    fixed = (x - program.least <= size) | (program.most - x <= size)
    scale = max(1.0, float(np.abs(prices).max(initial=0.0)))
    binding = (program.low == program.high) | (np.abs(prices) > 1e-9 * scale)
    rows = program.rows[binding]
    goal = np.where(prices > 0, program.low, program.high)[binding]
    goal = np.where(np.isfinite(goal), goal, (program.rows @ x)[binding])
    edge = np.where(x - program.least <= program.most - x, program.least, program.most)
    held = np.where(fixed, edge, 0.0)
    solved = _stationary(
        2 * program.square[~fixed],
        program.cost[~fixed],
        rows[:, ~fixed],
        goal - rows @ held,
    )
    if solved is None:
        return None
    answer, worth = held.copy(), np.zeros_like(prices)
    answer[~fixed], worth[binding] = solved
    return Solution(x=answer, prices=worth, optimality=check_optimality(program, answer, worth))


def _stationary(
    curvature: Floats, cost: Floats, rows: Matrix, goal: Floats
) -> tuple[Floats, Floats] | None:
    """Least cost with all rows as equations: answer and prices; None where they have none.

    The system may be singular (equal costs, lines in parallel): it is made regular and the rest
    is corrected by repetition, as in OSQP (Stellato et al. 2020, doi:10.1007/s12532-020-00179-2).
    """
    count = len(cost)
    exact = sparse.bmat([[sparse.diags(curvature), -rows.T], [rows, None]], format="csc")
    signs = np.concatenate([np.ones(count), np.ones(len(goal))])
    try:
        factors = splu((exact + 1e-8 * sparse.diags(signs)).tocsc())
    except RuntimeError:  # singular all the same
        return None
    wanted = np.concatenate([-cost, goal])
    found = np.zeros(len(wanted))
    for _ in range(30):
        found = found + factors.solve(wanted - exact @ found)
    return (found[:count], found[count:]) if np.isfinite(found).all() else None


def solve_mixed(program: Program, *, gap: float, seconds: float) -> tuple[Floats, float]:
    """Solve a linear problem some of whose columns have to be whole.

    Parameters
    ----------
    program : Program
        Without squares.
    gap : float
        Share of the cost at which to stop.
    seconds : float
        At most; the best answer until then is taken.

    Returns
    -------
    tuple
        The answer, whole where it has to be, and the proven lower bound of the cost.

    Raises
    ------
    InfeasibleError
    SolverError
        There is no answer within the time.
    """
    found = milp(
        program.cost,
        integrality=program.whole.astype(int),
        bounds=Bounds(program.least, program.most),
        constraints=LinearConstraint(program.rows, program.low, program.high),
        options={"mip_rel_gap": gap, "time_limit": seconds},
    )
    if found.status == _INFEASIBLE:
        raise InfeasibleError("No commitment keeps all limits of the units and of the grid.")
    if found.x is None:
        raise SolverError(
            f"No commitment was found within {seconds:g} s ({found.message}). Allow more time, or "
            "give a shorter horizon."
        )
    x = np.clip(found.x, program.least, program.most)
    return np.where(program.whole, np.round(x), x), float(found.mip_dual_bound)


def fixed_at(program: Program, x: Floats) -> Program:
    """The problem with what has to be whole held at an answer."""
    return replace(
        program,
        least=np.where(program.whole, x, program.least),
        most=np.where(program.whole, x, program.most),
    )
