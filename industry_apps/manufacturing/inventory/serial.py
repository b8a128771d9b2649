"""Base stocks of stages in a row, each of which supplies the next: Clark and Scarf on a grid.

References
----------
Clark, A. J. and Scarf, H. (1960). Optimal policies for a multi-echelon inventory problem.
Management Science 6, 475-490, doi:10.1287/mnsc.6.4.475. Chen, F. and Zheng, Y.-S. (1994). Lower
bounds for multi-echelon stochastic inventory systems. Management Science 40, 1426-1443,
doi:10.1287/mnsc.40.11.1426. Snyder and Shen (2019), section 6.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from industry_apps.errors import ParameterError
from industry_apps.limits import integer
from industry_apps.manufacturing.inventory.checks import check, check_positive, periods_of
from industry_apps.manufacturing.inventory.demand import NormalDemand, PoissonDemand

_Floats = NDArray[np.float64]
#: Probability on each side that a grid leaves out: that of four standard deviations.
_TAIL = float(stats.norm.sf(4))


class SerialPlan(NamedTuple):
    """Base stocks of a row of stages.

    Parameters
    ----------
    levels : tuple of float
        Echelon base stock of each stage, from that of the customers upwards: units at the stage,
        at all stages behind it, and on the way between them.
    cost : float
        Expected, currency a time.
    step : float
        Units between the points of the grid of stocks; 1 of Poisson demand, where it is exact.
    """

    levels: tuple[float, ...]
    cost: float
    step: float


def serial_base_stocks(
    demand: NormalDemand | PoissonDemand,
    *,
    echelon_holding_costs: Sequence[float],
    lead_times: Sequence[float],
    shortage_cost: float,
    points: int = 1000,
    demand_points: int = 100,
) -> SerialPlan:
    """Echelon base stocks of least cost for stages in a row, from the customers upwards.

    Parameters
    ----------
    demand : NormalDemand or PoissonDemand
        Of one time, at the first stage.
    echelon_holding_costs : sequence of float
        What holding a unit for a time costs more at a stage than at its supplier, > 0.
    lead_times : sequence of float
        From the supplier to the stage, >= 0, not all 0.
    shortage_cost : float
        Of a customer's unit that waits for a time, > 0.
    points, demand_points : int
        Of normal demand: steps of the grid of stocks, from the smallest to the largest demand
        over all lead times, and of that of the demand over one lead time; in [10, 100000].

    Returns
    -------
    SerialPlan

    Raises
    ------
    ParameterError

    Notes
    -----
    Demand is cut where four standard deviations of a normal distribution lie, and each point of
    its grid has the probability of half a step around it. A finer grid costs points x
    demand_points additions a stage.

    Examples
    --------
    >>> plan = serial_base_stocks(NormalDemand(mean=5, sd=1), echelon_holding_costs=[3, 2, 2],
    ...     lead_times=[1, 1, 2], shortage_cost=37.12)
    >>> [round(level, 2) for level in plan.levels], round(plan.cost, 2)
    ([6.48, 12.03, 22.72], 47.67)
    """
    owner = "serial_base_stocks"
    check_positive(owner, shortage_cost=shortage_cost, mean=demand.mean)
    holding = periods_of(owner, "echelon_holding_costs", echelon_holding_costs)
    times = periods_of(owner, "lead_times", lead_times, len(holding))
    for place, cost in enumerate(holding):
        check_positive(owner, **{f"echelon_holding_costs[{place}]": cost})
    check(owner, integer(10, 100_000), points=points, demand_points=demand_points)
    if not times.any():
        raise ParameterError(
            f"The 'lead_times' parameter of {owner} must not all be 0: then stock is never needed. "
            "Give the lead time of one stage at least."
        )
    grid, step = _grid(demand.over(float(times.sum())), points)
    whole = shortage_cost + holding.sum()
    beneath: _Floats = whole * np.maximum(-grid, 0)  # what lies below costs, at each echelon stock
    levels = []
    for stage, (cost, time) in enumerate(zip(holding, times, strict=True)):
        # Far below all stock the cost is a line (Snyder and Shen, problem 6.13).
        slope, offset = _line(holding[: stage + 1], times[:stage], whole, demand.mean)
        units, chances = _lead_time(demand.over(float(time)), demand_points)
        here = cost * grid + beneath
        expected = _expected(here, grid, step, units, chances, (slope, offset))
        best = int(expected.argmin())
        levels.append(float(grid[best]))
        beneath = expected[np.minimum(np.arange(len(grid)), best)]
        least = float(expected[best])
    return SerialPlan(tuple(levels), least, step)


def _line(holding: _Floats, times: _Floats, whole: float, mean: float) -> tuple[float, float]:
    """Slope and offset of the cost of an echelon stock far below zero."""
    slope = holding.sum() - whole
    offset = whole * mean * times.sum()
    offset -= sum(h * mean * times[place:].sum() for place, h in enumerate(holding))
    return float(slope), float(offset)


def _grid(demand: NormalDemand | PoissonDemand, points: int) -> tuple[_Floats, float]:
    """Stocks from the least to the largest that matter, evenly apart."""
    high = demand.quantile(1 - _TAIL)
    if isinstance(demand, PoissonDemand):
        return np.arange(-round(high), round(high) + 1, dtype=np.float64), 1.0
    low = demand.quantile(_TAIL) - high
    step = (high - low) / points
    return low + step * np.arange(points + 1, dtype=np.float64), step


def _lead_time(demand: NormalDemand | PoissonDemand, points: int) -> tuple[_Floats, _Floats]:
    """Demand over a lead time on a grid, and the probability of each point."""
    if isinstance(demand, PoissonDemand):
        units = np.arange(round(demand.quantile(1 - _TAIL)) + 1, dtype=np.float64)
        reached = stats.poisson.cdf(units, demand.mean)
    else:
        low, high = (max(demand.quantile(level), 0.0) for level in (_TAIL, 1 - _TAIL))
        if high <= low:
            return np.array([low]), np.ones(1)
        step = (high - low) / points
        units = low + step * np.arange(points + 1, dtype=np.float64)
        reached = stats.norm.cdf(units + step / 2, demand.mean, demand.sd)
    reached[-1] = 1.0
    return units, np.diff(reached, prepend=0.0)


def _expected(
    cost: _Floats,
    grid: _Floats,
    step: float,
    units: _Floats,
    chances: _Floats,
    line: tuple[float, float],
) -> _Floats:
    """The cost of each stock once the demand of a lead time has been taken from it."""
    slope, offset = line
    total = np.zeros(len(grid))
    for unit, chance in zip(units, chances, strict=True):
        places = np.rint((grid - unit - grid[0]) / step).astype(int)
        inside = places >= 0
        below = slope * (grid[0] + step * places[~inside]) + offset
        total[inside] += chance * cost[places[inside]]
        total[~inside] += chance * below
    return total
