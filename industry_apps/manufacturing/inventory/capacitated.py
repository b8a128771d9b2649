"""Lots of several products that share a capacity, as a mixed-integer programme on HiGHS.

References
----------
Pochet, Y. and Wolsey, L. A. (2006). Production Planning by Mixed Integer Programming, Springer,
doi:10.1007/0-387-33477-7, chapters 4 and 12. Solver: Huangfu, Q. and Hall, J. A. J. (2018).
Parallelizing the dual revised simplex method. Mathematical Programming Computation 10, 119-142,
doi:10.1007/s12532-017-0130-5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize, sparse

from industry_apps.errors import ParameterError
from industry_apps.limits import NOT_NEGATIVE, POSITIVE, Limit, check_parameters
from industry_apps.manufacturing.infeasible import InfeasiblePlanError
from industry_apps.manufacturing.inventory.checks import check_positive, periods_of
from industry_apps.manufacturing.inventory.lot_sizing import net_demand

_Floats = NDArray[np.float64]
_NUMBERS = Limit(lambda v: np.ndim(v) == 1 and len(v) > 0, "a sequence of numbers")
#: Less than this is no need of more, but the tolerance of the solver.
_NOTHING = 1e-6
#: What HiGHS says: a plan was found (proven best, or the time was up).
_SOLVED, _TIME_UP = 0, 1


@dataclass(frozen=True, kw_only=True)
class LotProduct:
    """A product that is made in lots.

    Parameters
    ----------
    name : str
    demand : sequence of float
        Units of each period, >= 0, due at its end.
    holding_cost : float
        Of a unit left at the end of a period, >= 0.
    setup_cost : float
        Of a lot, >= 0.
    unit_time, setup_time : float
        Capacity that a unit and a set-up take, in the unit of the capacity, >= 0.
    opening_stock : float
        Units; negative are orders that wait, and are due in the first period.
    shortage_cost : float, optional
        Of a unit that waits for a period, > 0. By default nothing may wait.

    Raises
    ------
    ParameterError
    """

    name: str
    demand: Annotated[Sequence[float], _NUMBERS]
    holding_cost: Annotated[float, NOT_NEGATIVE]
    setup_cost: Annotated[float, NOT_NEGATIVE] = 0.0
    unit_time: Annotated[float, NOT_NEGATIVE] = 1.0
    setup_time: Annotated[float, NOT_NEGATIVE] = 0.0
    opening_stock: float = 0.0
    shortage_cost: Annotated[float, POSITIVE] | None = None

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, eq=False, kw_only=True)
class LotsPlan:
    """Lots of several products.

    Parameters
    ----------
    table : DataFrame
        A row for each product and period (counted from 0): ``demand``, ``lot``, ``stock`` and
        ``waiting`` at the end of the period, in units, and ``capacity_used``.
    cost : float
        Of set-ups, holding and waiting, in currency over all periods.
    bound : float
        No plan costs less, as far as is proven.
    is_optimal : bool
        Proven within the gap that was asked for.
    """

    table: pd.DataFrame
    cost: float
    bound: float
    is_optimal: bool


def capacitated_lots(
    products: Sequence[LotProduct],
    *,
    capacity: float | Sequence[float],
    storage: float | Sequence[float] | None = None,
    gap: float = 1e-4,
    seconds: float = 60.0,
) -> LotsPlan:
    """The plan of least cost for products that share a capacity, within a proven gap.

    Parameters
    ----------
    products : sequence of LotProduct
        Of the same number of periods.
    capacity : float or sequence of float
        Of each period, in the unit of ``unit_time``, >= 0.
    storage : float or sequence of float, optional
        Units that all stock together may have at the end of each period, >= 0.
    gap : float
        Between the cost of the plan and the bound, as a share of the cost, > 0.
    seconds : float
        After which the best plan up to then is returned, > 0.

    Returns
    -------
    LotsPlan

    Raises
    ------
    ParameterError
        A parameter is outside its limits, or no plan was found in the time.
    InfeasiblePlanError
        No plan keeps capacity and storage; names the first period in which one of them is too
        small, and by how much.

    Notes
    -----
    Why nothing is feasible is found by plans that may exceed the capacity, the storage, or both,
    and do so by as little as possible.

    Examples
    --------
    >>> product = LotProduct(name="A", demand=[90, 120, 80, 70], holding_cost=2, setup_cost=500)
    >>> plan = capacitated_lots([product], capacity=200)
    >>> plan.table["lot"].tolist(), round(plan.cost)
    ([160.0, 200.0, 0.0, 0.0], 1580)
    """
    owner = "capacitated_lots"
    check_positive(owner, gap=gap, seconds=seconds)
    count = _periods(products)
    limits = {"capacity": periods_of(owner, "capacity", capacity, count)}
    if storage is not None:
        limits["storage"] = periods_of(owner, "storage", storage, count)
    programme = _Programme(products, count, limits)
    options = {"mip_rel_gap": gap, "time_limit": seconds}
    found = programme.solve((), options)
    if found.x is None and found.status == _TIME_UP:
        raise ParameterError(
            f"No plan was found in {seconds:g} seconds. Give more of them, or fewer products or "
            "periods at once."
        )
    if found.x is None:
        raise _why(programme, limits, options)
    bound = found.mip_dual_bound
    return LotsPlan(
        table=programme.table(found.x),
        cost=float(found.fun),
        bound=float(found.fun if bound is None else bound),
        is_optimal=found.status == _SOLVED,
    )


class _Block(NamedTuple):
    """Where the variables of one kind stand; each has one for each product and period."""

    lot: int
    stock: int
    waiting: int
    setup: int


class _Programme:
    """Variables: lots, stock, waiting units, set-ups; then what limits are exceeded by."""

    def __init__(
        self, products: Sequence[LotProduct], periods: int, limits: dict[str, _Floats]
    ) -> None:
        self.products, self.periods, self.limits = products, periods, limits
        each = len(products) * periods
        self.block = _Block(0, each, 2 * each, 3 * each)
        self.excess = {name: 4 * each + n * periods for n, name in enumerate(limits)}
        self.size = 4 * each + periods * len(limits)

    def solve(self, exceeded: Sequence[str], options: dict[str, float]) -> optimize.OptimizeResult:
        """Least cost, or where limits may be exceeded, the least by which they are."""
        costs, high = np.zeros(self.size), np.full(self.size, np.inf)
        for name, start in self.excess.items():
            here = slice(start, start + self.periods)
            high[here] = np.inf if name in exceeded else 0.0
            if name in exceeded:  # of equal needs the later one: what comes first is told
                costs[here] = 1 + 1e-6 * np.arange(self.periods, 0, -1)
        integrality = np.zeros(self.size)
        for n, product in enumerate(self.products):
            of = {name: self._of(name, n) for name in _Block._fields}
            if not exceeded:
                costs[of["stock"]], costs[of["setup"]] = product.holding_cost, product.setup_cost
                costs[of["waiting"]] = product.shortage_cost or 0.0
            if product.shortage_cost is None:
                high[of["waiting"]] = 0.0
            high[of["waiting"].stop - 1] = 0.0  # all is delivered in the end
            high[of["setup"]], integrality[of["setup"]] = 1.0, 1
        return optimize.milp(
            costs,
            integrality=integrality,
            bounds=optimize.Bounds(0, high),
            constraints=self._constraints(),
            options=options,
        )

    def _of(self, name: str, product: int) -> slice:
        start = getattr(self.block, name) + product * self.periods
        return slice(start, start + self.periods)

    def _constraints(self) -> list[optimize.LinearConstraint]:
        one, before = sparse.eye(self.periods), sparse.eye(self.periods, k=-1)
        shared: dict[str, list[tuple[slice, float]]] = {name: [] for name in self.limits}
        found = []
        for n, product in enumerate(self.products):
            of = {name: self._of(name, n) for name in _Block._fields}
            net, _ = self._net(product)
            balance = [
                (of["lot"], one),
                (of["stock"], before - one),
                (of["waiting"], one - before),
            ]
            found.append(self._rows(balance, net, net))
            # A lot never needs to be larger than all that is asked for from now on, and what waits.
            most = np.cumsum(net[::-1])[::-1]
            if product.shortage_cost is not None:
                most = np.full(self.periods, net.sum())
            lots = [(of["lot"], one), (of["setup"], -sparse.diags(most))]
            found.append(self._rows(lots, -np.inf, 0))
            shared["capacity"] += [
                (of["lot"], product.unit_time),
                (of["setup"], product.setup_time),
            ]
            if "storage" in shared:
                shared["storage"].append((of["stock"], 1.0))
        for name, uses in shared.items():
            start = self.excess[name]
            parts = [(where, factor * one) for where, factor in uses]
            parts.append((slice(start, start + self.periods), -one))
            limit = self.limits[name]
            if name == "storage":  # what is left of the opening stock takes room as well
                limit = limit - sum(self._net(product)[1] for product in self.products)
            found.append(self._rows(parts, -np.inf, limit))
        return found

    def _net(self, product: LotProduct) -> tuple[_Floats, _Floats]:
        demand = periods_of(f"LotProduct {product.name!r}", "demand", product.demand)
        return net_demand(demand, product.opening_stock)

    def _rows(
        self, parts: Sequence[tuple[slice, sparse.spmatrix]], low: object, high: object
    ) -> optimize.LinearConstraint:
        columns: list[sparse.spmatrix] = []
        place = 0
        for where, block in sorted(parts, key=lambda part: part[0].start):
            if where.start > place:
                columns.append(sparse.csr_matrix((self.periods, where.start - place)))
            columns.append(block)
            place = where.stop
        if place < self.size:
            columns.append(sparse.csr_matrix((self.periods, self.size - place)))
        return optimize.LinearConstraint(sparse.hstack(columns, format="csr"), low, high)

    def table(self, x: _Floats) -> pd.DataFrame:
        """Rows of products and periods."""
        parts = []
        for n, product in enumerate(self.products):
            lot, stock, waiting, setup = (x[self._of(name, n)] for name in _Block._fields)
            lot = np.where(setup > 0.5, lot, 0.0).round(9)
            left = self._net(product)[1]
            parts.append(
                pd.DataFrame(
                    {
                        "product": product.name,
                        "period": np.arange(self.periods),
                        "demand": np.asarray(product.demand, dtype=np.float64),
                        "lot": lot,
                        "stock": (stock + left).round(9),
                        "waiting": waiting.round(9),
                        "capacity_used": product.unit_time * lot
                        + product.setup_time * setup.round(),
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)


def _periods(products: Sequence[LotProduct]) -> int:
    if not products:
        raise ParameterError("There is no product. Give one at least.")
    names = [product.name for product in products]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ParameterError(f"Two products are called {min(twice)!r}. Rename one.")
    count = len(products[0].demand)
    for product in products:
        if len(product.demand) != count:
            raise ParameterError(
                f"Product {product.name!r} has demand of {len(product.demand)} periods, and "
                f"{products[0].name!r} of {count}. Give both the same; a period without is 0."
            )
    return count


def _why(
    programme: _Programme, limits: dict[str, _Floats], options: dict[str, float]
) -> InfeasiblePlanError:
    """Name each limit that is too small, where raising it alone would do; else both."""
    tried = {name: programme.solve((name,), options).x for name in limits}
    ways = [_lacking(programme, limits, (name,), x) for name, x in tried.items() if x is not None]
    ask = "Raise it" if ways else "Raise both"
    if not ways:
        both = tuple(limits)
        ways = [_lacking(programme, limits, both, programme.solve(both, options).x)]
    remedies = [ask, *_remedies(programme, limits, options)]
    last = f", or {remedies.pop()}" if len(remedies) > 1 else ""
    waits = all(product.shortage_cost is not None for product in programme.products)
    return InfeasiblePlanError(
        f"No plan delivers all demand {'by the last period' if waits else 'in time'}: "
        f"{', or '.join(ways)}. {', '.join(remedies)}{last}."
    )


def _remedies(
    programme: _Programme, limits: dict[str, _Floats], options: dict[str, float]
) -> list[str]:
    """What can be done beside raising the limits; each is tried."""
    products, quick = programme.products, {**options, "mip_rel_gap": 1.0}

    def covered(product: LotProduct) -> _Floats:  # no more than what the opening stock delivers
        demand = np.asarray(product.demand, dtype=np.float64)
        return demand - net_demand(demand, max(product.opening_stock, 0.0))[0]

    def fitting(product: LotProduct) -> float:  # no more than there is room for, in equal shares
        room = np.cumsum(product.demand) + limits.get("storage", np.inf) / len(products)
        return float(min(product.opening_stock, np.min(room)))

    def helps(name: str, of: Callable[[LotProduct], Any]) -> bool:
        changed = [replace(product, **{name: of(product)}) for product in products]
        return _Programme(changed, programme.periods, limits).solve((), quick).x is not None

    found = []
    waiting = helps("shortage_cost", lambda product: product.shortage_cost or 1.0)
    if helps("demand", covered):
        found.append("lower or delay demand" if waiting else "lower demand")
    if waiting:
        found.append("give products a shortage_cost, so that orders may wait")
    if helps("opening_stock", fitting):
        found.append("give less opening stock")
    return found


def _lacking(
    programme: _Programme, limits: dict[str, _Floats], exceeded: Sequence[str], x: _Floats
) -> str:
    words = []
    for name in exceeded:
        start = programme.excess[name]
        more = x[start : start + programme.periods]
        if (more > _NOTHING).any():
            period = int((more > _NOTHING).argmax())
            words.append(
                f"the {name} binds, by period {period} (counted from 0) {more[period]:g} more than "
                f"the {limits[name][period]:g} of that period are needed"
            )
    return " and ".join(words)
