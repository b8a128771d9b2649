"""When to order and how much, where demand is random and an order has a fixed cost.

(s, S): looked at each period; from s downwards, order up to S. (r, Q): looked at all the time;
at r, order Q. What is short waits.

References
----------
Zheng, Y.-S. and Federgruen, A. (1991). Finding optimal (s, S) policies is about as simple as
evaluating a single policy. Operations Research 39, 654-665, doi:10.1287/opre.39.4.654.
Federgruen, A. and Zheng, Y.-S. (1992). An efficient algorithm for computing an optimal (r, Q)
policy in continuous review stochastic inventory systems. Operations Research 40, 808-813,
doi:10.1287/opre.40.4.808. Zheng, Y.-S. (1992). On properties of stochastic inventory systems.
Management Science 38, 87-103, doi:10.1287/mnsc.38.1.87.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from industry_apps.errors import ParameterError
from industry_apps.manufacturing.inventory.checks import check_not_negative, check_positive
from industry_apps.manufacturing.inventory.demand import (
    DiscreteDemand,
    NormalDemand,
    PoissonDemand,
    whole_units,
)
from industry_apps.manufacturing.inventory.newsvendor import newsvendor, stock_cost


class OrderUpTo(NamedTuple):
    """An (s, S) policy.

    Parameters
    ----------
    reorder_point : float
        s: at this stock, or below, an order is placed.
    order_up_to : float
        S: up to which it fills the stock.
    cost : float
        Expected, currency a period; NaN where the method gives none.
    """

    reorder_point: float
    order_up_to: float
    cost: float


class ReorderPoint(NamedTuple):
    """An (r, Q) policy.

    Parameters
    ----------
    reorder_point : float
        r: when stock and orders on the way fall to it, an order is placed.
    order_quantity : float
        Q, units.
    cost : float
        Expected, currency a time.
    """

    reorder_point: float
    order_quantity: float
    cost: float


def s_s_policy(
    demand: PoissonDemand | DiscreteDemand,
    *,
    holding_cost: float,
    shortage_cost: float,
    fixed_cost: float,
) -> OrderUpTo:
    """The best (s, S) policy of demand in whole units, exactly.

    Parameters
    ----------
    demand : PoissonDemand or DiscreteDemand
        Units a period, whole; with a lead time, that of lead time and period together.
    holding_cost, shortage_cost : float
        Currency a unit and period, > 0.
    fixed_cost : float
        Of an order, > 0.

    Returns
    -------
    OrderUpTo

    Raises
    ------
    ParameterError

    Notes
    -----
    Algorithm of Zheng and Federgruen (1991).

    Examples
    --------
    >>> policy = s_s_policy(PoissonDemand(mean=6), holding_cost=1, shortage_cost=4, fixed_cost=5)
    >>> policy.reorder_point, policy.order_up_to, round(policy.cost, 6)
    (4, 10, 8.034112)
    """
    owner = "s_s_policy"
    costs = {"holding_cost": holding_cost, "shortage_cost": shortage_cost}
    check_positive(owner, **costs, fixed_cost=fixed_cost)
    chances = whole_units(demand)
    if len(chances) == 1:
        raise ParameterError("Demand is always 0: no order is ever placed. Leave the product out.")
    renewals = _Renewals(chances)

    def one(level: int) -> float:
        return stock_cost(demand, level, holding_cost=holding_cost, shortage_cost=shortage_cost)

    def both(low: int, high: int) -> float:
        visits = renewals.upto(high - low)
        spent = sum(visits[d] * one(high - d) for d in range(high - low))
        return float((fixed_cost + spent) / visits.sum())

    best = int(newsvendor(demand, **costs).level)
    low, high = best - 1, best
    while both(low, high) > one(low):
        low -= 1
    least = both(low, high)
    tried = high + 1
    while one(tried) <= least:
        if both(low, tried) < least:
            high = tried
            while both(low, high) <= one(low + 1):
                low += 1
            least = both(low, high)
        tried += 1
    return OrderUpTo(low, high, least)


class _Renewals:
    """m(j): how often a level is visited that lies j units below S, before the next order."""

    def __init__(self, chances: NDArray[np.float64]) -> None:
        self._chances = chances
        self._visits = [1 / (1 - chances[0])]

    def upto(self, count: int) -> NDArray[np.float64]:
        chances, visits = self._chances, self._visits
        while len(visits) < count:
            j = len(visits)
            reach = np.arange(1, min(j, len(chances) - 1) + 1)
            visits.append(visits[0] * sum(chances[d] * visits[j - d] for d in reach))
        return np.array(visits[:count])


def s_s_power_approximation(
    demand: NormalDemand, *, holding_cost: float, shortage_cost: float, fixed_cost: float
) -> OrderUpTo:
    """A good (s, S) policy of normal demand by a formula.

    Parameters
    ----------
    demand : NormalDemand
        Of a period; mean and standard deviation > 0.
    holding_cost, shortage_cost, fixed_cost : float
        As in :func:`s_s_policy`.

    Returns
    -------
    OrderUpTo
        Without a cost (NaN).

    Raises
    ------
    ParameterError

    References
    ----------
    Ehrhardt, R. and Mosier, C. (1984). A revision of the power approximation for computing (s, S)
    policies. Management Science 30, 618-622, doi:10.1287/mnsc.30.5.618.
    """
    check_positive(
        "s_s_power_approximation",
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
        fixed_cost=fixed_cost,
        mean=demand.mean,
        sd=demand.sd,
    )
    spread = (1 + (demand.sd / demand.mean) ** 2) ** 0.116
    quantity = 1.30 * demand.mean**0.494 * (fixed_cost / holding_cost) ** 0.506 * spread
    z = math.sqrt(quantity / demand.sd * holding_cost / shortage_cost)
    low = 0.973 * demand.mean + demand.sd * (0.183 / z + 1.063 - 2.192 * z)
    return OrderUpTo(low, low + quantity, math.nan)


def r_q_policy(
    demand: PoissonDemand | NormalDemand,
    *,
    holding_cost: float,
    shortage_cost: float,
    fixed_cost: float,
    lead_time: float,
) -> ReorderPoint:
    """The best (r, Q) policy, exactly.

    Parameters
    ----------
    demand : PoissonDemand or NormalDemand
        Of one time; mean > 0.
    holding_cost, shortage_cost : float
        Currency a unit and time, > 0.
    fixed_cost : float
        Of an order, > 0.
    lead_time : float
        Times from order to arrival, >= 0; at 0 nothing has to be held against chance, and an
        order may wait until customers do: r < 0.

    Returns
    -------
    ReorderPoint
        Whole units of Poisson demand.

    Raises
    ------
    ParameterError

    Notes
    -----
    Poisson: algorithm of Federgruen and Zheng (1992). Normal: r(Q) levels the costs at r and
    r + Q, and the best Q is where they equal the cost of the policy (Zheng 1992, lemma 5).

    Examples
    --------
    >>> policy = r_q_policy(PoissonDemand(mean=1.5), holding_cost=20, shortage_cost=150,
    ...     fixed_cost=100, lead_time=2)
    >>> policy.reorder_point, policy.order_quantity, round(policy.cost, 6)
    (3, 5, 107.923581)
    """
    owner = "r_q_policy"
    check_positive(
        owner,
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
        fixed_cost=fixed_cost,
        mean=demand.mean,
    )
    check_not_negative(owner, lead_time=lead_time)
    costs = {"holding_cost": holding_cost, "shortage_cost": shortage_cost}
    ordering = fixed_cost * demand.mean
    if isinstance(demand, PoissonDemand):
        return _r_q_poisson(demand.over(lead_time), costs, ordering)
    return _r_q_normal(demand.over(lead_time), costs, ordering)


def _r_q_poisson(waiting: PoissonDemand, costs: dict[str, float], ordering: float) -> ReorderPoint:
    """Take in one level after the other, the cheaper neighbour first, while it pays."""
    best = int(newsvendor(waiting, **costs).level)
    low, high = best - 1, best  # levels low + 1 to high are visited, each as often
    total = ordering + stock_cost(waiting, best, **costs)
    while True:
        below, above = stock_cost(waiting, low, **costs), stock_cost(waiting, high + 1, **costs)
        quantity = high - low
        if min(below, above) >= total / quantity:
            return ReorderPoint(low, quantity, total / quantity)
        total += min(below, above)
        low, high = (low - 1, high) if below < above else (low, high + 1)


def _r_q_normal(waiting: NormalDemand, costs: dict[str, float], ordering: float) -> ReorderPoint:
    holding, shortage = costs["holding_cost"], costs["shortage_cost"]
    best = newsvendor(waiting, **costs).level

    def cost(level: float) -> float:
        return stock_cost(waiting, level, **costs)

    def area(low: float, high: float) -> float:
        """The integral of the cost between two levels."""
        held = holding * ((high - waiting.mean) ** 2 - (low - waiting.mean) ** 2) / 2
        short = waiting.second_shortage(low) - waiting.second_shortage(high)
        return held + (holding + shortage) * short

    def point(quantity: float) -> float:
        """r(Q), where the levels at both ends cost the same."""
        return float(
            optimize.brentq(
                lambda low: cost(low) - cost(low + quantity), best - quantity, best, xtol=1e-12
            )
        )

    def slope(quantity: float) -> float:
        low = point(quantity)
        return quantity * cost(low) - area(low, low + quantity) - ordering

    # Without any chance the best quantity is that of steady demand with backorders, and never less.
    least = math.sqrt(2 * ordering * (holding + shortage) / (holding * shortage))
    most = 2 * least
    while slope(most) < 0:
        most *= 2
    quantity = float(optimize.brentq(slope, least * 0.5, most, xtol=1e-12))
    low = point(quantity)
    return ReorderPoint(low, quantity, (ordering + area(low, low + quantity)) / quantity)
