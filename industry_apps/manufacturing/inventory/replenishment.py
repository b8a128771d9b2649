"""What policies that order up to a level would have cost: their stocks, replayed day by day.

Each day an order is placed that fills stock and orders on the way up to the day's level. It
arrives some days later, before the demand of that day; what is short waits. Costs are those of a
day's end: holding what is left, and waiting for what is short. With demand known, the level is
just what will be asked for, and no day costs anything once its first order has arrived: so all
costs are the regret beside perfect information.

Letters in shapes: T days, S items.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem

_Floats = NDArray[np.float64]

#: Levels up to which stock is filled each day, and schedules of job shops.
SUPPLY = Problem(
    name="supply chain",
    metrics=(
        Metric("regret", "cost above that of perfect information, an item and day", "low", best=0),
        Metric("scaled_regret", "the same over the mean demand of the item", "low", best=0),
        Metric("stock", "units left over, an item and day", "near"),
        Metric("fill_rate", "share of demand that did not wait", "near"),
        Metric("mean_gap", "makespan over the best known, less 1", "low", best=0),
        Metric("share_proven", "share of schedules that are proven best"),
        Metric("bound_gap", "1 less the proven bound over the makespan", "low", best=0),
    ),
    trivial=("mean", "shortest_operation"),
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Replayed:
    """The end of each day.

    Parameters
    ----------
    net : ndarray of shape (T, S)
        Units in stock; below 0 those that wait.
    demand : ndarray of shape (T, S)
    orders : ndarray of shape (T, S)
        Units that were ordered on each day.
    """

    net: _Floats
    demand: _Floats
    orders: _Floats

    def costs(self, holding_cost: float, shortage_cost: float) -> _Floats:
        """Currency of each day and item, shape (T, S).

        Parameters
        ----------
        holding_cost, shortage_cost : float
            Of a unit and day.
        """
        return holding_cost * np.maximum(self.net, 0) + shortage_cost * np.maximum(-self.net, 0)


def replay(levels: _Floats, demand: _Floats, lead_time: int) -> Replayed:
    """Let policies order, from the first day on.

    At first nothing is in stock, and on the way is just what will be asked for until the first
    order arrives: so far all policies are alike, and these days are left out.

    Parameters
    ----------
    levels : ndarray of shape (T, S)
        Up to which stock and orders on the way are filled each day, before its demand.
    demand : ndarray of shape (T, S)
        Units.
    lead_time : int
        Days from order to arrival, in [0, T).

    Returns
    -------
    Replayed
        Of the days on which orders arrive: ``T - lead_time`` of them.

    Examples
    --------
    >>> demand = np.array([[3.0], [5.0], [2.0]])
    >>> replay(np.full((3, 1), 6.0), demand, 1).net.ravel().tolist()
    [-2.0, -1.0]
    """
    days, items = demand.shape
    arrivals = np.zeros((days, items))
    arrivals[:lead_time] = demand[:lead_time]
    net, on_way = np.zeros(items), arrivals[:lead_time].sum(axis=0)
    ends, orders = np.zeros((days, items)), np.zeros((days, items))
    for day in range(days):
        order = np.maximum(levels[day] - net - on_way, 0)
        orders[day] = order
        on_way = on_way + order
        if day + lead_time < days:
            arrivals[day + lead_time] += order
        net = net + arrivals[day]
        on_way = on_way - arrivals[day]
        net = net - demand[day]
        ends[day] = net
    return Replayed(
        net=ends[lead_time:], demand=demand[lead_time:], orders=orders[: days - lead_time]
    )


def judged(
    replayed: Replayed, scale: _Floats, *, holding_cost: float, shortage_cost: float
) -> BootstrapResult:
    """Compute every metric, and again on resamples of whole items.

    Parameters
    ----------
    replayed : Replayed
    scale : ndarray of shape (S,)
        Mean demand of each item in its history.
    holding_cost, shortage_cost : float
        Currency a unit and day.

    Returns
    -------
    BootstrapResult
        Of the metrics of :data:`SUPPLY` that are about stock.
    """
    cost = replayed.costs(holding_cost, shortage_cost).mean(axis=0)
    stock = np.maximum(replayed.net, 0).mean(axis=0)
    waiting = np.maximum(-replayed.net, 0)
    short = np.minimum(waiting, replayed.demand).sum(axis=0)
    asked = replayed.demand.sum(axis=0)
    scaled = np.where(scale > 0, cost / np.where(scale > 0, scale, 1), math.nan)
    metrics: dict[str, Callable[[_Floats], float]] = {
        "regret": _mean(cost),
        "scaled_regret": _mean(scaled),
        "stock": _mean(stock),
        "fill_rate": lambda weight: _share(weight @ (asked - short), weight @ asked),
    }
    return bootstrap(metrics, None, len(cost))


def _mean(values: _Floats) -> Callable[[_Floats], float]:
    known = ~np.isnan(values)
    return lambda weight: _share(weight[known] @ values[known], weight[known].sum())


def _share(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else math.nan
