"""Safety stock of a network of stages, by guaranteed service times: exact on trees.

Each stage promises to deliver within its service time. One with processing time T, which waits SI
for its suppliers and promises S, covers demand over SI + T - S periods, which is bounded by its
mean plus z standard deviations.

References
----------
Graves, S. C. and Willems, S. P. (2000). Optimizing strategic safety stock placement in supply
chains. Manufacturing & Service Operations Management 2, 68-83, doi:10.1287/msom.2.1.68.23267,
with the erratum of 2003, 5, 176-177, doi:10.1287/msom.5.2.176.16073. Snyder and Shen (2019),
section 6.3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, unknown_name
from industry_apps.limits import NOT_NEGATIVE, check_parameters, integer

_Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A place where a product is made, moved or kept.

    Parameters
    ----------
    processing_time : int
        Periods from all inputs to the output, >= 0.
    holding_cost : float
        Of a unit and period, >= 0.
    demand_mean, demand_sd : float
        Of customers of this stage itself, units a period, >= 0; what other stages order of it
        is added.
    safety_factor : float
        z: how many standard deviations of demand are covered, >= 0.
    supplier_time : int
        Service time of suppliers outside the network, periods, >= 0.
    promised_time : int, optional
        Longest service time that its own customers accept, periods, >= 0. By default any.

    Raises
    ------
    ParameterError
    """

    processing_time: Annotated[int, integer(0, 100_000)]
    holding_cost: Annotated[float, NOT_NEGATIVE]
    demand_mean: Annotated[float, NOT_NEGATIVE] = 0.0
    demand_sd: Annotated[float, NOT_NEGATIVE] = 0.0
    safety_factor: Annotated[float, NOT_NEGATIVE] = 1.645
    supplier_time: Annotated[int, integer(0, 100_000)] = 0
    promised_time: Annotated[int, integer(0)] | None = None

    def __post_init__(self) -> None:
        check_parameters(self)


class StagePlan(NamedTuple):
    """What a stage promises and holds.

    Parameters
    ----------
    service_time, supplier_time : int
        Promised to those downstream, and waited for those upstream, in periods.
    net_time : int
        Periods whose demand its stock covers.
    safety_stock, base_stock : float
        Units.
    cost : float
        Of holding the safety stock, currency a period.
    """

    service_time: int
    supplier_time: int
    net_time: int
    safety_stock: float
    base_stock: float
    cost: float


class ServicePlan(NamedTuple):
    """The service times of least cost.

    Parameters
    ----------
    stages : dict of str to StagePlan
    cost : float
        Of all safety stock, currency a period.
    """

    stages: dict[str, StagePlan]
    cost: float


def guaranteed_service(
    stages: Mapping[str, Stage], links: Sequence[tuple[str, str]]
) -> ServicePlan:
    """Where to hold safety stock, so that all service times are kept at the least cost.

    Parameters
    ----------
    stages : mapping of str to Stage
    links : sequence of (str, str)
        Supplier and customer; a unit of the customer takes one of the supplier. Without
        directions they form a tree: all stages are joined, and in one way only.

    Returns
    -------
    ServicePlan

    Raises
    ------
    ParameterError
        There is no stage, a link names none, or the links form a circle or leave stages apart:
        names the stages.

    Examples
    --------
    >>> stages = {
    ...     "parts": Stage(processing_time=2, holding_cost=1),
    ...     "goods": Stage(processing_time=1, holding_cost=3, demand_sd=4, promised_time=0),
    ... }
    >>> plan = guaranteed_service(stages, [("parts", "goods")])
    >>> plan.stages["parts"].service_time, round(plan.cost, 2)
    (0, 29.05)
    """
    _check_tree(stages, links)
    order = _in_order(stages, links)
    suppliers = {name: [a for a, b in links if b == name] for name in stages}
    customers = {name: [b for a, b in links if a == name] for name in stages}
    mean: dict[str, float] = {}
    variance: dict[str, float] = {}
    longest: dict[str, int] = {}
    for name in reversed(order):
        own = stages[name]
        mean[name] = own.demand_mean + sum(mean[each] for each in customers[name])
        variance[name] = own.demand_sd**2 + sum(variance[each] for each in customers[name])
    for name in order:
        waits = max([stages[name].supplier_time, *(longest[each] for each in suppliers[name])])
        longest[name] = stages[name].processing_time + waits
    tree = _Tree(stages, suppliers, customers, variance, longest)
    times = tree.solve(order[0])
    plans = {}
    for name, (waits, promised) in times.items():
        own = stages[name]
        net = waits + own.processing_time - promised
        safety = own.safety_factor * math.sqrt(variance[name] * net)
        plans[name] = StagePlan(
            promised, waits, net, safety, mean[name] * net + safety, own.holding_cost * safety
        )
    ordered = {name: plans[name] for name in stages}
    return ServicePlan(ordered, sum(plan.cost for plan in ordered.values()))


class _Tree:
    """The dynamic programme: each branch is solved for all times of the link to its root."""

    def __init__(
        self,
        stages: Mapping[str, Stage],
        suppliers: Mapping[str, list[str]],
        customers: Mapping[str, list[str]],
        variance: Mapping[str, float],
        longest: Mapping[str, int],
    ) -> None:
        self.stages, self.variance, self.longest = stages, variance, longest
        self.suppliers, self.customers = suppliers, customers
        #: Of each branch: for each time of its link, the best times of its own root (SI, S).
        self._chosen: dict[str, list[tuple[int, int]]] = {}
        #: Of each branch: for a limit on the time of its link, the best time within it.
        self._within: dict[str, NDArray[np.int64]] = {}

    def solve(self, root: str) -> dict[str, tuple[int, int]]:
        """Times (SI, S) of each stage."""
        walk = self._walk(root)
        costs: dict[str, _Floats] = {}
        for name, parent in reversed(walk):
            table = self._table(name, parent, costs)
            if parent is None:
                best = np.unravel_index(int(table.argmin()), table.shape)
                self._chosen[name] = [(int(best[0]), int(best[1]))]
            else:
                costs[name] = self._branch(name, table, supplies=parent in self.customers[name])
        times: dict[str, tuple[int, int]] = {}
        for name, parent in walk:
            place = 0
            if parent is not None:
                waits, promised = times[parent]
                limit = waits if parent in self.customers[name] else promised
                limit = min(limit, len(self._within[name]) - 1)
                place = int(self._within[name][limit])
            times[name] = self._chosen[name][place]
        return times

    def _walk(self, root: str) -> list[tuple[str, str | None]]:
        """Each stage behind the one through which it hangs on the root."""
        found: list[tuple[str, str | None]] = [(root, None)]
        for name, parent in found:
            near = [*self.suppliers[name], *self.customers[name]]
            found += [(each, name) for each in near if each != parent]
        return found

    def _table(self, name: str, parent: str | None, costs: Mapping[str, _Floats]) -> _Floats:
        """Least cost of a stage and its branches -> [SI, S]; infinite where not allowed."""
        own, longest = self.stages[name], self.longest[name]
        waits = np.arange(longest - own.processing_time + 1)[:, None]
        promised = np.arange(longest + 1)[None, :]
        net = waits + own.processing_time - promised
        spread = own.holding_cost * own.safety_factor * math.sqrt(self.variance[name])
        table = np.where(net >= 0, spread * np.sqrt(np.maximum(net, 0)), np.inf)
        table[: own.supplier_time] = np.inf
        if own.promised_time is not None:
            table[:, own.promised_time + 1 :] = np.inf
        for each in self.suppliers[name]:
            if each != parent:
                table = table + _upto(costs[each], table.shape[0])[:, None]
        for each in self.customers[name]:
            if each != parent:
                table = table + _from(costs[each], table.shape[1])[None, :]
        return table

    def _branch(self, name: str, table: _Floats, *, supplies: bool) -> _Floats:
        """Least cost of a branch for each time of the link to the stage it hangs on."""
        axis = 0 if supplies else 1
        other = table.argmin(axis=axis)
        cost: _Floats = table.min(axis=axis)
        self._chosen[name] = [(int(o), n) if supplies else (n, int(o)) for n, o in enumerate(other)]
        places = np.arange(len(cost))
        if supplies:  # any service time up to what the customer waits
            best = [int(cost[: n + 1].argmin()) for n in places]
        else:  # any wait from what the supplier promises on
            best = [int(n) + int(cost[n:].argmin()) for n in places]
        self._within[name] = np.array(best)
        return cost


def _upto(cost: _Floats, count: int) -> _Floats:
    """The least of the first entries, for each limit below ``count``."""
    least = np.minimum.accumulate(cost)
    return least[np.minimum(np.arange(count), len(least) - 1)]


def _from(cost: _Floats, count: int) -> _Floats:
    """The least of the entries from each place on."""
    least = np.minimum.accumulate(cost[::-1])[::-1]
    return least[:count]


def _check_tree(stages: Mapping[str, Stage], links: Sequence[tuple[str, str]]) -> None:
    if not stages:
        raise ParameterError("There is no stage. Give one at least.")
    joined = {name: name for name in stages}

    def top(name: str) -> str:
        while joined[name] != name:
            name = joined[name]
        return name

    kept: list[tuple[str, str]] = []
    for link in links:
        for name in link:
            if name not in stages:
                raise ParameterError(f"Link {link!r}: {unknown_name('stage', name, stages)}")
        first, second = map(top, link)
        if first == second:
            circle = " - ".join(_path(kept, *link))
            raise ParameterError(
                f"The link {link!r} closes a circle of stages: {circle}. The exact method is for "
                "trees, where two stages are joined in one way only. Leave a link out, or merge "
                "stages of the circle into one."
            )
        joined[first] = second
        kept.append(link)
    parts = {top(name) for name in stages}
    if len(parts) > 1:
        one, two = sorted(parts)[:2]
        raise ParameterError(
            f"Stages {one!r} and {two!r} are not joined by any links. Plan each network by itself, "
            "or add the missing link."
        )


def _path(links: Sequence[tuple[str, str]], start: str, end: str) -> list[str]:
    """The stages between two stages of a tree, both among them."""
    paths = [[start]]
    for path in paths:
        if path[-1] == end:
            return path
        near = [b if a == path[-1] else a for a, b in links if path[-1] in (a, b)]
        paths += [[*path, each] for each in near if each not in path]
    return [start, end]


def _in_order(stages: Mapping[str, Stage], links: Sequence[tuple[str, str]]) -> list[str]:
    """Each stage behind its suppliers."""
    found: list[str] = []
    while len(found) < len(stages):
        found += [
            name
            for name in stages
            if name not in found and all(a in found for a, b in links if b == name)
        ]
    return found
