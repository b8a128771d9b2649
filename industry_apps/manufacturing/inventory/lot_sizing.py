"""When to order, and how much, for demand that is known and changes from period to period.

References
----------
Wagner, H. M. and Whitin, T. M. (1958). Dynamic version of the economic lot size model. Management
Science 5, 89-96, doi:10.1287/mnsc.5.1.89.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.limits import Limit, is_number
from industry_apps.manufacturing.inventory.checks import check, periods_of

_FINITE = Limit(lambda v: is_number(v) and abs(v) < float("inf"), "a finite number")


class LotPlan(NamedTuple):
    """Orders of one product over some periods.

    Parameters
    ----------
    orders : ndarray of shape [periods]
        Units ordered at the start of each period.
    stock : ndarray of shape [periods]
        Units left at the end of each period.
    cost : float
        Of ordering, buying and holding, in currency over all periods.
    """

    orders: NDArray[np.float64]
    stock: NDArray[np.float64]
    cost: float


def net_demand(
    demand: NDArray[np.float64], opening_stock: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Demand less what the opening stock covers, and what is left of that stock each period.

    Parameters
    ----------
    demand : ndarray of shape [periods]
        Units, >= 0.
    opening_stock : float
        Units; negative are orders that wait, and are due in the first period.

    Returns
    -------
    net, left : ndarray of shape [periods]
        Units.
    """
    left = np.maximum(opening_stock - np.cumsum(demand), 0)
    before = np.concatenate([[max(opening_stock, 0.0)], left[:-1]])
    net = demand - (before - left)
    net[0] += max(-opening_stock, 0.0)
    return net, left


def wagner_whitin(
    demand: Sequence[float],
    *,
    holding_cost: float | Sequence[float],
    fixed_cost: float | Sequence[float],
    unit_cost: float | Sequence[float] = 0.0,
    opening_stock: float = 0.0,
) -> LotPlan:
    """The plan of least cost, exactly, where an order has no upper limit and arrives at once.

    Parameters
    ----------
    demand : sequence of float
        Units of each period, >= 0.
    holding_cost : float or sequence of float
        Of a unit left at the end of a period, >= 0; one for all periods or one for each.
    fixed_cost : float or sequence of float
        Of an order in a period, >= 0.
    unit_cost : float or sequence of float
        Of a unit ordered in a period, >= 0.
    opening_stock : float
        Units there at first, free; negative are orders that wait, and are due in the first
        period.

    Returns
    -------
    LotPlan

    Raises
    ------
    ParameterError
        Names the period and the value.

    Notes
    -----
    With one holding cost h_j a period, an order in t for period i costs h_t + ... + h_{i-1} a unit.

    Examples
    --------
    >>> plan = wagner_whitin([90, 120, 80, 70], holding_cost=2, fixed_cost=500)
    >>> plan.orders.tolist(), plan.cost
    ([210.0, 0.0, 150.0, 0.0], 1380.0)
    """
    owner = "wagner_whitin"
    needed = periods_of(owner, "demand", demand)
    count = len(needed)
    holding = periods_of(owner, "holding_cost", holding_cost, count)
    fixed = periods_of(owner, "fixed_cost", fixed_cost, count)
    price = periods_of(owner, "unit_cost", unit_cost, count)
    check(owner, _FINITE, opening_stock=opening_stock)
    net, left = net_demand(needed, float(opening_stock))
    least = np.zeros(count + 1)  # least[t]: of all periods from t on, with no stock at first
    until = np.zeros(count, dtype=int)
    for t in range(count - 1, -1, -1):
        held = np.concatenate([[0.0], np.cumsum(holding[t:-1])])  # a unit from t to t, t + 1, ...
        running = np.cumsum((price[t] + held) * net[t:])
        placed = np.where(np.cumsum(net[t:]) > 0, fixed[t], 0.0)
        total = placed + running + least[t + 1 :]
        best = int(total.argmin())
        least[t], until[t] = total[best], t + best + 1
    orders, t = np.zeros(count), 0
    while t < count:
        orders[t] = net[t : until[t]].sum()
        t = until[t]
    stock = left + np.cumsum(orders - net)
    return LotPlan(orders, np.maximum(stock, 0), float(least[0] + left @ holding))
