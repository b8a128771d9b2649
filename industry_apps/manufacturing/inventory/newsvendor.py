"""One order, or one level for all times: the newsvendor and the base stock.

Notation: h holding cost of a unit left over for a period, p cost of a unit short, both in the
same currency; a stock x costs g(x) = h E[(x - D)+] + p E[(D - x)+] a period.

References
----------
Arrow, K., Harris, T. and Marschak, J. (1951). Optimal inventory policy. Econometrica 19,
250-272, doi:10.2307/1906813. Snyder and Shen (2019), sections 4.3 and 4.4.
"""

from __future__ import annotations

from typing import NamedTuple

from industry_apps.errors import ParameterError
from industry_apps.manufacturing.inventory.checks import check_not_negative, check_positive
from industry_apps.manufacturing.inventory.demand import Demand, NormalDemand, PoissonDemand


class StockLevel(NamedTuple):
    """A level and what it costs.

    Parameters
    ----------
    level : float
        Units in stock after the order.
    cost : float
        Expected, in currency a period; of :func:`newsvendor_of_prices` the expected profit.
    """

    level: float
    cost: float


def stock_cost(demand: Demand, stock: float, *, holding_cost: float, shortage_cost: float) -> float:
    """What a stock is expected to cost in a period: h E[(x - D)+] + p E[(D - x)+].

    Parameters
    ----------
    demand : Demand
        Of the period, or of the lead time and the period.
    stock : float
        Units, x; negative where orders wait for goods.
    holding_cost, shortage_cost : float
        Currency a unit and period, h and p.
    """
    short = demand.shortage(stock)
    return holding_cost * (stock - demand.mean + short) + shortage_cost * short


def newsvendor(demand: Demand, *, holding_cost: float, shortage_cost: float) -> StockLevel:
    """The stock of least expected cost: demand's quantile at p / (p + h).

    Parameters
    ----------
    demand : Demand
        Of the period that the order is for.
    holding_cost, shortage_cost : float
        Currency a unit and period, > 0.

    Returns
    -------
    StockLevel

    Raises
    ------
    ParameterError
        Also where demand is below zero so often that the best stock is.

    Examples
    --------
    >>> demand = NormalDemand(mean=50, sd=8)
    >>> level, cost = newsvendor(demand, holding_cost=0.18, shortage_cost=0.70)
    >>> round(level, 2), round(cost, 4)
    (56.6, 1.9976)
    """
    check_positive("newsvendor", holding_cost=holding_cost, shortage_cost=shortage_cost)
    ratio = shortage_cost / (shortage_cost + holding_cost)
    level = demand.quantile(ratio)
    if level < 0:
        raise ParameterError(
            f"The best stock of {demand!r} is its quantile at p / (p + h) = {ratio:.3g}, which is "
            f"{level:g} units; expected 0 or more, as no demand is below. Give a smaller 'sd', or "
            "demand that is never negative, such as PoissonDemand."
        )
    cost = stock_cost(demand, level, holding_cost=holding_cost, shortage_cost=shortage_cost)
    return StockLevel(level, cost)


def newsvendor_of_prices(
    demand: Demand, *, unit_cost: float, price: float, salvage: float = 0.0
) -> StockLevel:
    """The order of the largest expected profit, by price, cost and salvage value.

    Parameters
    ----------
    demand : Demand
        Of the selling season.
    unit_cost, price, salvage : float
        Currency a unit: paid, taken, and got back for one left over; ``0 <= salvage <
        unit_cost < price``.

    Returns
    -------
    StockLevel
        ``cost`` is the expected profit.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> demand = NormalDemand(mean=50, sd=8)
    >>> order = newsvendor_of_prices(demand, unit_cost=0.3, price=1, salvage=0.12)
    >>> round(order.level, 2), round(order.cost, 2)
    (56.6, 33.0)
    """
    check_not_negative("newsvendor_of_prices", unit_cost=unit_cost, price=price, salvage=salvage)
    if not salvage < unit_cost < price:
        raise ParameterError(
            f"A unit costs {unit_cost:g}, sells for {price:g} and brings {salvage:g} when left "
            "over; expected salvage < unit_cost < price. With no loss of a unit too many there is "
            "no best order: correct the amounts."
        )
    found = newsvendor(demand, holding_cost=unit_cost - salvage, shortage_cost=price - unit_cost)
    return StockLevel(found.level, (price - unit_cost) * demand.mean - found.cost)


def base_stock(
    demand: NormalDemand | PoissonDemand,
    *,
    holding_cost: float,
    shortage_cost: float,
    lead_time: float,
) -> StockLevel:
    """The level up to which stock and orders on the way are filled each period.

    An order placed at the start of a period arrives ``lead_time`` periods later, before the
    demand of that period; what is short waits. The level covers ``lead_time + 1`` periods.

    Parameters
    ----------
    demand : NormalDemand or PoissonDemand
        Of one period, independent from period to period.
    holding_cost, shortage_cost : float
        Currency a unit and period, > 0.
    lead_time : float
        Periods, >= 0; 0 is an order that arrives at once: the newsvendor.

    Returns
    -------
    StockLevel

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> demand = NormalDemand(mean=50, sd=8)
    >>> found = base_stock(demand, holding_cost=0.18, shortage_cost=0.7, lead_time=4)
    >>> round(found.level, 2)
    264.77
    """
    check_not_negative("base_stock", lead_time=lead_time)
    covered = demand.over(lead_time + 1)
    return newsvendor(covered, holding_cost=holding_cost, shortage_cost=shortage_cost)
