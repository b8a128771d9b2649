"""How much to order at once when demand is steady: economic order quantities.

Notation: K cost of an order (currency), h holding cost (currency a unit and time), d demand
(units a time). All functions take the same unit of time throughout, a year for instance.

References
----------
Harris, F. W. (1913). How many parts to make at once. Factory 10, 135-136, 152, reprinted in
Operations Research 38 (1990), 947-950, doi:10.1287/opre.38.6.947. Snyder and Shen (2019),
chapter 3.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from industry_apps.errors import ParameterError
from industry_apps.manufacturing.inventory.checks import (
    check_not_negative,
    check_positive,
    periods_of,
)


class OrderQuantity(NamedTuple):
    """An order quantity and what it costs.

    Parameters
    ----------
    quantity : float
        Units an order.
    cost : float
        Currency a time, of ordering and holding (and waiting, and buying where stated).
    """

    quantity: float
    cost: float


class JointOrder(NamedTuple):
    """Orders of several products that share a cost.

    Parameters
    ----------
    quantities : tuple of float
        Units of each product, when it is ordered.
    cycle : float
        Time between orders.
    multiples : tuple of int
        Each product is ordered in every so many of them.
    cost : float
        Currency a time.
    """

    quantities: tuple[float, ...]
    cycle: float
    multiples: tuple[int, ...]
    cost: float


def economic_order_quantity(
    *, fixed_cost: float, holding_cost: float, demand: float, production: float | None = None
) -> OrderQuantity:
    """The order of least cost of ordering and holding: sqrt(2 K d / h).

    Parameters
    ----------
    fixed_cost : float
        Of an order or set-up, > 0.
    holding_cost : float
        Of a unit and time, > 0.
    demand : float
        Units a time, > 0.
    production : float, optional
        Units a time, > ``demand``, where an order does not arrive at once but is produced at
        this rate (economic production quantity).

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> found = economic_order_quantity(fixed_cost=8, holding_cost=0.225, demand=1300)
    >>> round(found.quantity, 4), round(found.cost, 4)
    (304.0468, 68.4105)
    """
    owner = "economic_order_quantity"
    check_positive(owner, fixed_cost=fixed_cost, holding_cost=holding_cost, demand=demand)
    idle = 1.0
    if production is not None:
        check_positive(owner, production=production)
        if production <= demand:
            raise ParameterError(
                f"{production:g} units are produced in the time in which {demand:g} are asked for: "
                "the capacity binds. Give a production above the demand."
            )
        idle = 1 - demand / production
    quantity = math.sqrt(2 * fixed_cost * demand / (holding_cost * idle))
    return OrderQuantity(quantity, quantity * holding_cost * idle)


def order_quantity_with_backorders(
    *, fixed_cost: float, holding_cost: float, shortage_cost: float, demand: float
) -> tuple[OrderQuantity, float]:
    """The order of least cost where customers may wait, and the share of it that they wait for.

    Parameters
    ----------
    fixed_cost, holding_cost, demand : float
        As in :func:`economic_order_quantity`.
    shortage_cost : float
        Of a unit that waits, and time, > 0.

    Returns
    -------
    order : OrderQuantity
    share : float
        Of demand that waits, h / (h + p).

    Raises
    ------
    ParameterError
    """
    check_positive(
        "order_quantity_with_backorders",
        fixed_cost=fixed_cost,
        holding_cost=holding_cost,
        shortage_cost=shortage_cost,
        demand=demand,
    )
    both = holding_cost * shortage_cost / (holding_cost + shortage_cost)
    quantity = math.sqrt(2 * fixed_cost * demand / both)
    share = holding_cost / (holding_cost + shortage_cost)
    return OrderQuantity(quantity, quantity * both), share


def order_quantity_with_discounts(
    *,
    fixed_cost: float,
    holding_rate: float,
    demand: float,
    breakpoints: Sequence[float],
    unit_costs: Sequence[float],
) -> OrderQuantity:
    """The order of least cost where all units are cheaper in large orders.

    Parameters
    ----------
    fixed_cost, demand : float
        As in :func:`economic_order_quantity`.
    holding_rate : float
        Holding cost of a unit and time, as a share of what it costs, > 0.
    breakpoints : sequence of float
        Smallest order at each price, rising, the first 0.
    unit_costs : sequence of float
        Price of a unit in orders from each breakpoint on, > 0.

    Returns
    -------
    OrderQuantity
        Its cost includes buying.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> order_quantity_with_discounts(fixed_cost=200, holding_rate=0.2, demand=1000,
    ...     breakpoints=[0, 200, 500], unit_costs=[500, 475, 450])
    OrderQuantity(quantity=500, cost=472900.0)
    """
    owner = "order_quantity_with_discounts"
    check_positive(owner, fixed_cost=fixed_cost, holding_rate=holding_rate, demand=demand)
    check_positive(owner, **{f"unit_costs[{n}]": cost for n, cost in enumerate(unit_costs)})
    rising = all(a < b for a, b in pairwise(breakpoints))
    if len(breakpoints) != len(unit_costs) or not len(breakpoints) or breakpoints[0] or not rising:
        raise ParameterError(
            f"The 'breakpoints' parameter of {owner} must rise from 0, one for each of "
            f"{len(unit_costs)} unit_costs. Got {list(breakpoints)!r} instead."
        )
    offers = []
    for least, most, price in zip(
        breakpoints, [*breakpoints[1:], math.inf], unit_costs, strict=True
    ):
        free = math.sqrt(2 * fixed_cost * demand / (holding_rate * price))
        quantity = free if least <= free < most else least
        if quantity:
            ordering = fixed_cost * demand / quantity
            cost = price * demand + ordering + holding_rate * price * quantity / 2
            offers.append(OrderQuantity(quantity, cost))
    return min(offers, key=lambda offer: offer.cost)


def joint_replenishment(
    *,
    shared_cost: float,
    fixed_costs: Sequence[float],
    holding_costs: Sequence[float],
    demands: Sequence[float],
) -> JointOrder:
    """Orders of several products that share the cost of an order, by Silver's heuristic.

    Parameters
    ----------
    shared_cost : float
        Of an order of whatever products, > 0.
    fixed_costs, holding_costs, demands : sequence of float
        Of each product: to put it into an order, to hold a unit for a time, units a time; > 0.

    Returns
    -------
    JointOrder

    Raises
    ------
    ParameterError

    References
    ----------
    Silver, E. A. (1976). A simple method of determining order quantities in joint replenishments
    under deterministic demand. Management Science 22, 1351-1361, doi:10.1287/mnsc.22.12.1351.
    """
    owner = "joint_replenishment"
    check_positive(owner, shared_cost=shared_cost)
    fixed = periods_of(owner, "fixed_costs", fixed_costs)
    holding = periods_of(owner, "holding_costs", holding_costs, len(fixed))
    rates = periods_of(owner, "demands", demands, len(fixed))
    for name, values in (("fixed_costs", fixed), ("holding_costs", holding), ("demands", rates)):
        check_positive(owner, **{f"{name}[{n}]": value for n, value in enumerate(values)})
    ratio = fixed / (holding * rates)
    first = int(ratio.argmin())
    often = np.sqrt(ratio * holding[first] * rates[first] / (shared_cost + fixed[first]))
    multiples = np.maximum(np.round(often), 1)
    multiples[first] = 1
    ordering = shared_cost + float((fixed / multiples).sum())
    held = float((holding * multiples * rates).sum())
    cycle = math.sqrt(2 * ordering / held)
    return JointOrder(
        quantities=tuple((cycle * multiples * rates).tolist()),
        cycle=cycle,
        multiples=tuple(multiples.astype(int).tolist()),
        cost=ordering / cycle + cycle * held / 2,
    )


def order_quantity_with_yield(
    *,
    fixed_cost: float,
    holding_cost: float,
    demand: float,
    yield_mean: float,
    yield_sd: float,
    additive: bool,
) -> OrderQuantity:
    """The order of least cost where other than what was ordered arrives.

    Parameters
    ----------
    fixed_cost, holding_cost, demand : float
        As in :func:`economic_order_quantity`.
    yield_mean, yield_sd : float
        Additive: units that arrive beside those ordered (negative: fewer). Else the share of the
        order that arrives, its mean > 0. ``yield_sd`` >= 0.
    additive : bool

    Returns
    -------
    OrderQuantity

    Raises
    ------
    ParameterError

    References
    ----------
    Snyder and Shen (2019), section 9.3.
    """
    owner = "order_quantity_with_yield"
    check_positive(owner, fixed_cost=fixed_cost, holding_cost=holding_cost, demand=demand)
    check_not_negative(owner, yield_sd=yield_sd)
    if additive:
        arrives = math.sqrt(2 * fixed_cost * demand / holding_cost + yield_sd**2)
        return OrderQuantity(arrives - yield_mean, holding_cost * arrives)
    check_positive(owner, yield_mean=yield_mean)
    square = yield_sd**2 + yield_mean**2
    quantity = math.sqrt(2 * fixed_cost * demand / (holding_cost * square))
    return OrderQuantity(quantity, holding_cost * quantity * square / yield_mean)
