"""Orders and stocks where the supplier fails at times.

References
----------
Snyder and Shen (2019), sections 9.2 and 9.3. Parlar, M. and Berkin, D. (1991). Future supply
uncertainty in EOQ models. Naval Research Logistics 38, 107-121, with the correction by Berk and
Arreola-Risa (1994), Naval Research Logistics 41, 129-132.
"""

from __future__ import annotations

import math
from typing import cast

import numpy as np
from scipy import optimize, stats

from industry_apps.errors import ParameterError
from industry_apps.limits import OPEN_SHARE
from industry_apps.manufacturing.inventory.checks import check, check_positive
from industry_apps.manufacturing.inventory.eoq import OrderQuantity
from industry_apps.manufacturing.inventory.newsvendor import StockLevel

#: Probability of disruptions that are longer than those that are counted.
_TAIL = 1e-10


def order_quantity_with_disruptions(
    *,
    fixed_cost: float,
    holding_cost: float,
    shortage_cost: float,
    demand: float,
    disruption_rate: float,
    recovery_rate: float,
) -> OrderQuantity:
    """The order of least cost where the supplier fails at random and demand is then lost.

    Both the times until a failure and those until recovery are exponential.

    Parameters
    ----------
    fixed_cost, holding_cost, demand : float
        As in :func:`industry_apps.manufacturing.inventory.eoq.economic_order_quantity`; > 0.
    shortage_cost : float
        Of a unit that is lost, > 0.
    disruption_rate, recovery_rate : float
        Failures, and recoveries of a failed supplier, a time; > 0.

    Returns
    -------
    OrderQuantity

    Raises
    ------
    ParameterError
    """
    check_positive(
        "order_quantity_with_disruptions",
        fixed_cost=fixed_cost,
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
        demand=demand,
        disruption_rate=disruption_rate,
        recovery_rate=recovery_rate,
    )
    both = disruption_rate + recovery_rate

    def cost(quantity: float) -> float:
        failed = disruption_rate / both * -math.expm1(-both * quantity / demand)
        cycle = quantity / demand + failed / recovery_rate
        holding = holding_cost * quantity**2 / (2 * demand)
        return (fixed_cost + holding + shortage_cost * demand * failed / recovery_rate) / cycle

    # With the long-run share of failures in place of that of a cycle the least cost has a formula,
    # which lies near enough for bounds (Snyder and Shen, theorem 9.1).
    share = disruption_rate / both * demand
    root = (share * holding_cost) ** 2 + 2 * holding_cost * recovery_rate * demand * (
        fixed_cost * recovery_rate + share * shortage_cost
    )
    near = (math.sqrt(root) - share * holding_cost) / (holding_cost * recovery_rate)
    found = optimize.minimize_scalar(
        cost, bounds=(near / 10, near * 10), method="bounded", options={"xatol": near * 1e-9}
    )
    return OrderQuantity(float(found.x), float(found.fun))


def base_stock_with_disruptions(
    *,
    holding_cost: float,
    shortage_cost: float,
    demand: float,
    disruption_probability: float,
    recovery_probability: float,
) -> StockLevel:
    """The stock of least cost where demand is steady and the supplier fails at random.

    Parameters
    ----------
    holding_cost, shortage_cost : float
        Currency a unit and period, > 0; what is short waits.
    demand : float
        Units each period, > 0.
    disruption_probability, recovery_probability : float
        That the supplier fails in a period, and that one who failed recovers, in (0, 1).

    Returns
    -------
    StockLevel
        A whole number of periods of demand.

    Raises
    ------
    ParameterError
    """
    owner = "base_stock_with_disruptions"
    check_positive(owner, holding_cost=holding_cost, shortage_cost=shortage_cost, demand=demand)
    fails, recovers = disruption_probability, recovery_probability
    check(owner, OPEN_SHARE, disruption_probability=fails, recovery_probability=recovers)
    ratio = shortage_cost / (shortage_cost + holding_cost)
    up = recovers / (fails + recovers)
    tail = 1 - max(1 - _TAIL, ratio)
    longest = max(math.ceil(math.log(tail / (1 - up)) / math.log1p(-recovers)), 1)
    # chances[n]: the supplier has failed for n periods.
    lengths = np.arange(1, longest + 1)
    chances = np.concatenate([[up], up * fails * (1 - recovers) ** (lengths - 1)])
    covered = int(np.searchsorted(1 - (1 - up) * (1 - recovers) ** np.arange(longest + 1), ratio))
    level = demand * (1 + covered)
    left = level - demand * np.arange(1, longest + 2)
    cost = holding_cost * np.maximum(left, 0) + shortage_cost * np.maximum(-left, 0)
    return StockLevel(level, float(chances @ cost))


def newsvendor_with_yield(
    *,
    holding_cost: float,
    shortage_cost: float,
    demand: float,
    yield_low: float,
    yield_high: float,
) -> StockLevel:
    """The order of least cost where demand is known, and what arrives beside it is uniform.

    Parameters
    ----------
    holding_cost, shortage_cost : float
        Currency a unit, > 0.
    demand : float
        Units, > 0.
    yield_low, yield_high : float
        Units that arrive beside those ordered lie evenly between these; negative: fewer arrive.

    Returns
    -------
    StockLevel
        ``level`` is the order.

    Raises
    ------
    ParameterError
    """
    owner = "newsvendor_with_yield"
    check_positive(owner, holding_cost=holding_cost, shortage_cost=shortage_cost, demand=demand)
    if not -math.inf < yield_low < yield_high < math.inf:
        raise ParameterError(
            f"What arrives beside the order lies between {yield_low!r} and {yield_high!r} units; "
            "expected yield_low < yield_high, both finite. Exchange or correct them."
        )
    extra = stats.uniform(yield_low, yield_high - yield_low)
    rest = cast(float, extra.ppf(holding_cost / (holding_cost + shortage_cost)))
    width = yield_high - yield_low
    cost = holding_cost * (yield_high - rest) ** 2 + shortage_cost * (rest - yield_low) ** 2
    return StockLevel(float(demand - rest), float(cost / (2 * width)))
