"""When to order and how much, period by period, until a season or a contract ends.

Each period one looks at the stock, may order what arrives at once, and then demand comes; what is
short waits. What is left in the end, or still waits, has a cost of its own. The best policy orders
up to S of the period where the stock is at s or below (Scarf 1960).

References
----------
Scarf, H. (1960). The optimality of (S, s) policies in the dynamic inventory problem. In:
Mathematical Methods in the Social Sciences, Stanford University Press. Snyder and Shen (2019),
Fundamentals of Supply Chain Theory, 2nd ed., section 4.4.3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError
from industry_apps.limits import SHARE
from industry_apps.manufacturing.inventory.checks import (
    check,
    check_not_negative,
    check_positive,
    periods_of,
)
from industry_apps.manufacturing.inventory.demand import (
    DiscreteDemand,
    NormalDemand,
    PoissonDemand,
    whole_units,
)
from industry_apps.manufacturing.inventory.newsvendor import stock_cost

_OWNER = "finite_horizon"
_Floats = NDArray[np.float64]


class HorizonPolicy(NamedTuple):
    """An (s, S) policy for each period.

    Parameters
    ----------
    reorder_points : tuple of int
        s of each period: at this stock, or below, one orders.
    order_up_to : tuple of int
        S of each period.
    cost : float
        Expected and discounted, of all periods together.
    """

    reorder_points: tuple[int, ...]
    order_up_to: tuple[int, ...]
    cost: float


def finite_horizon(
    demand: Sequence[NormalDemand | PoissonDemand | DiscreteDemand],
    *,
    holding_cost: float,
    shortage_cost: float,
    unit_cost: float | Sequence[float] = 0.0,
    fixed_cost: float = 0.0,
    end_costs: tuple[float, float] = (0.0, 0.0),
    discount: float = 1.0,
    stock: int = 0,
) -> HorizonPolicy:
    """The best policy over some periods, of stocks in whole units.

    Parameters
    ----------
    demand : sequence of NormalDemand, PoissonDemand or DiscreteDemand
        Of each period, whole units; a normal one is rounded to them for the stock that it leaves.
    holding_cost, shortage_cost : float
        Currency a unit and period, > 0.
    unit_cost : float or sequence of float
        Of a unit that is bought, of all periods or of each, >= 0.
    fixed_cost : float
        Of an order, >= 0.
    end_costs : (float, float)
        Of a unit that is left after the last period, and of one that still waits, >= 0.
    discount : float
        What the next period's costs are worth in this one, in (0, 1].
    stock : int
        Before the first period; negative where orders wait.

    Returns
    -------
    HorizonPolicy

    Raises
    ------
    ParameterError
        Also where it never pays to order in a period, however much waits.

    Examples
    --------
    >>> policy = finite_horizon(
    ...     [PoissonDemand(mean=6)] * 3, holding_cost=1, shortage_cost=4, fixed_cost=5,
    ...     end_costs=(1, 4),
    ... )
    >>> policy.reorder_points, policy.order_up_to, round(policy.cost, 4)
    ((4, 4, 5), (10, 9, 8), 28.3775)
    """
    if not demand:
        raise ParameterError("The demand of finite_horizon has no periods. Give one at least.")
    check_positive(_OWNER, holding_cost=holding_cost, shortage_cost=shortage_cost)
    check_not_negative(_OWNER, fixed_cost=fixed_cost, left=end_costs[0], waiting=end_costs[1])
    check(_OWNER, SHARE, discount=discount)
    prices = periods_of(_OWNER, "unit_cost", unit_cost, len(demand))
    season = _Season(
        demand=demand,
        costs={"holding_cost": holding_cost, "shortage_cost": shortage_cost},
        prices=prices.tolist(),
        fixed_cost=fixed_cost,
        end_costs=end_costs,
        discount=discount,
    )
    season.check_worth()
    low = min(stock, 0) - max(map(len, season.chances))
    while (found := season.solve(low, stock)) is None:
        low *= 2  # an order may be put off further
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Season:
    """The parameters of :func:`finite_horizon`, one of each for each period."""

    demand: Sequence[NormalDemand | PoissonDemand | DiscreteDemand]
    costs: Mapping[str, float]
    prices: list[float]
    fixed_cost: float
    end_costs: tuple[float, float]
    discount: float

    @cached_property
    def chances(self) -> list[_Floats]:
        """Of 0, 1, 2, ... units in each period."""
        return [whole_units(each) for each in self.demand]

    def check_worth(self) -> None:
        """Refuse periods in which a unit costs no less than to let it wait for ever."""
        later = self.end_costs[1]
        for period in reversed(range(len(self.prices))):
            saved = self.costs["shortage_cost"] + self.discount * later
            later = self.prices[period]
            if later >= saved:
                raise ParameterError(
                    f"In period {period} (counted from 0) a unit costs {later:g}, and to let it "
                    f"wait {saved:g}: no order is ever worth it. Give a higher shortage_cost or, "
                    "in the last period, a higher cost of what still waits (end_costs)."
                )

    def solve(self, low: int, stock: int) -> HorizonPolicy | None:
        """The policy by the stocks from ``low`` on; None where an order may be put off further."""
        high = max(stock, sum(len(each) - 1 for each in self.chances))
        grid = np.arange(low, high + 1)
        left, waiting = self.end_costs
        value, slope = np.where(grid > 0, left * grid, -waiting * grid).astype(np.float64), waiting
        levels: list[tuple[int, int]] = []
        for period in reversed(range(len(self.demand))):
            now = [stock_cost(self.demand[period], float(x), **self.costs) for x in grid]
            later = _expected(value, slope, self.chances[period])
            slope = self.prices[period]
            # What it costs to have so many, bought or kept.
            have = np.array(now) + self.discount * later + slope * grid
            place = int(have.argmin())
            orders = self.fixed_cost + have[place] < have[:place]
            if not orders[:1].all():
                return None
            reorder = int(orders.argmin()) - 1 if not orders.all() else place
            levels.insert(0, (int(grid[reorder]), int(grid[place])))
            value = have.copy()
            value[: reorder + 1] = np.minimum(have[place] + self.fixed_cost, have[: reorder + 1])
            value -= slope * grid
        points, up_to = zip(*levels, strict=True)
        return HorizonPolicy(points, up_to, float(value[stock - low]))


def _expected(value: _Floats, slope: float, chances: _Floats) -> _Floats:
    """What the stocks are expected to be worth after demand; below the lowest along a line."""
    below = value[0] + slope * np.arange(len(chances) - 1, 0, -1)
    return np.convolve(np.concatenate([below, value]), chances, mode="valid")
