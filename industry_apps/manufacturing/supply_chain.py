"""Supply chain: up to which level to fill the stock of each product, and what to order today.

Asked each day by whoever replenishes a store of finished goods. An order arrives after a lead time
and then has to last until the next one does, so what decides is the demand over these days
together, and of it the quantile at which a unit too many costs as much as one too few (Arrow,
Harris and Marschak 1951, doi:10.2307/1906813). That quantile is learned here from the past of all
products, and the order follows from it within the model file.

What needs a search is not in a file, and is no application: decisions on a table of products with
costs of their own are made by :func:`industry_apps.manufacturing.plan_stock`, lot sizes and
networks by functions of :mod:`industry_apps.manufacturing.inventory`, schedules by
:class:`industry_apps.manufacturing.ProductionScheduler`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial, reduce
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, split_latest
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.sections import Section
from industry_apps.features import GraphBuilder
from industry_apps.features.window_nodes import fill
from industry_apps.limits import OPEN_SHARE, POSITIVE, integer
from industry_apps.manufacturing.inventory.lead_time_demand import (
    DemandModel,
    DemandOptions,
    LeadTimeDemand,
)
from industry_apps.manufacturing.inventory.replenishment import SUPPLY, judged, replay
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.forecasting.records import described
from industry_apps.runtime import Panel, WindowRule
from industry_apps.schema import Column, Schema, Traits

#: Chosen, with the length of the history, on the 45 days before the test of SupplyGraph.
_TREES = TreeOptions(
    rounds=100,
    learning_rate=0.05,
    num_leaves=8,
    min_child_samples=100,
    l2=10.0,
    bagging_fraction=0.7,
    bags=3,
)
_units = partial(Column, kind="number", unit="units")


class InventoryPlanner(OwnNames, Application):
    """Order-up-to level and order quantity of each product, from its daily demand.

    It is asked with a long table: a row for each product and day, the latest day being the one
    that has just ended. Give the stock and what is on order in the row of the latest day; without
    a stock there is a level and no order quantity. Days without a row, or without a quantity, are
    not known; write 0 where nothing was asked for. A product of which no day of the history is
    known gets no level and no order. A negative quantity (a return) is refused: add it to the
    stock.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"item": "sku", "quantity": "ordered"}``.
    model : {"blend", "trees", "normal"}
        Gradient-boosted trees of the windows of all items; mean and standard deviation of each
        item's own window; or the mean of both.
    lead_time : int
        Days from order to arrival, in [0, 365]; an order of the morning arrives before the demand
        of the day that is so many later. 0 arrives at once.
    holding_cost, shortage_cost : float
        Of a unit left over, and of one that waits, for a day; > 0, in the same currency.
    history : int
        Days that an answer looks back, in [7, 365].
    intermittent : float
        Items with a larger share of days without demand are reported apart, in (0, 1).
    trees : TreeOptions, optional
    seed : int

    Examples
    --------
    >>> from industry_apps.manufacturing import InventoryPlanner
    >>> data = InventoryPlanner.sample()
    >>> planner = InventoryPlanner.fast().fit(data)
    >>> list(planner.predict(data.test).columns)
    ['median_demand', 'order_up_to', 'safety_stock', 'order_quantity']
    """

    name = "manufacturing.supply_chain"
    question = "How much of each product do we order?"
    simulator = "manufacturing_order_simulator"
    schema = Schema(
        (
            Column("item", "category", role="identifier", nullable=False),
            Column("time", "datetime", role="identifier", nullable=False),
            _units("quantity", description="Asked for", low=0, role="history"),
            _units("on_hand", description="Negative where orders wait", required=False),
            _units("on_order", description="Else none", low=0, required=False),
        )
    )
    outputs = Schema(
        (
            _units("median_demand", description="Over the days to cover", low=0),
            _units("order_up_to", description="Stock and orders after today's", low=0),
            _units("safety_stock", description="The level less the median"),
            _units("order_quantity", description="Today, where the stock is told"),
        )
    )
    traits = Traits(inputs=("number",), windows=True)
    problem = SUPPLY

    model: DemandModel = "blend"
    lead_time: Annotated[int, integer(0, 365)] = 7
    holding_cost: Annotated[float, POSITIVE] = 1.0
    shortage_cost: Annotated[float, POSITIVE] = 9.0
    history: Annotated[int, integer(7, 365)] = 42
    intermittent: Annotated[float, OPEN_SHARE] = 0.8
    trees: TreeOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """Few trees of a short window: a fit of seconds."""
        return cls(lead_time=3, history=28, trees=TreeOptions(rounds=30, learning_rate=0.15))

    def split(self, frame: pd.DataFrame) -> Split:
        """Split a table by time: the latest days are the test.

        Parameters
        ----------
        frame : DataFrame
            Long: a row for each item and day.
        """
        return split_latest(frame, time=self._name("time"))

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.schema_ = self._own_schema()
        self._check_digits(train)
        self.rule_ = self.windows_ = WindowRule(
            series=self._name("item"), time=self._name("time"), length=self.history, step="day"
        )
        parts = [train] if validation is None else [train, validation]
        known = reduce(Panel.joined, map(self._read, parts))
        self.known_ = self.history_ = known
        self.split_ = {"train": described(known)}
        self.demand_ = self._demand(self.model).fit(known)
        # The validation part alone may be shorter than one window.
        self.check_ = pd.concat(parts)

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        """Rules know nothing but the past of each item, which the history holds."""

    def _demand(self, model: DemandModel) -> LeadTimeDemand:
        name = self._name("quantity")
        return LeadTimeDemand(
            Schema((self.schema_[name],)),
            self.rule_,
            name,
            DemandOptions(
                model=model,
                levels=tuple(sorted({0.5, self._ratio})),
                periods=self.lead_time + 1,
                trees=replace(self.trees or _TREES, seed=self.seed),
            ),
        )

    @property
    def _ratio(self) -> float:
        """The critical ratio: the level of the quantile that costs least."""
        return self.shortage_cost / (self.shortage_cost + self.holding_cost)

    def _answers(self, frame: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The answers at one moment, [series]."""
        found = self.demand_.quantiles(frame)
        levels = self.demand_.options.levels
        median, level = (found[:, levels.index(each)] for each in (0.5, self._ratio))
        on_hand, on_order = (frame[self._name(each)][:, 0] for each in ("on_hand", "on_order"))
        position = on_hand + np.where(np.isnan(on_order), np.float32(0), on_order)
        return {
            "median_demand": median,
            "order_up_to": level,
            "safety_stock": level - median,
            "order_quantity": np.maximum(level - position, np.float32(0)),
        }

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        asked = self._name("quantity")
        found = self.demand_.write(builder, {asked: inputs[asked]})
        levels = self.demand_.options.levels
        median, level = (found[levels.index(each)] for each in (0.5, self._ratio))
        on_order = fill(builder, inputs[self._name("on_order")], 0.0)
        position = builder.node("Add", inputs[self._name("on_hand")], on_order)
        order = builder.node("Sub", level, position)
        return {
            "median_demand": median,
            "order_up_to": level,
            "safety_stock": builder.node("Sub", level, median),
            "order_quantity": builder.node("Max", order, builder.constant(np.float32(0))),
        }

    def _facts(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "lead_time": self.lead_time,
            "critical_ratio": self._ratio,
        }

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        panel, first = self.known_.joined(self._read(frame)), len(self.known_.times)
        values = panel.columns[self._name("quantity")].astype(np.float64)
        days = len(panel.times) - first
        if days <= self.lead_time + 1:
            raise SchemaError(
                f"{days} days are too few to judge orders that arrive after {self.lead_time}: give "
                f"{self.lead_time + 2} or more behind the history."
            )
        told, gaps = ~np.isnan(values[:first]).all(axis=0), np.isnan(values[first:])
        known = told & ~gaps.any(axis=0)
        if known.sum() < 2 <= told.sum():
            place = int(gaps[:, told].any(axis=1).argmax())
            (day,) = panel.times[[first + place]].astype("datetime64[s]").astype("datetime64[D]")
            raise SchemaError(
                f"On {day} {gaps[place, told].sum()} of {told.sum()} items have no quantity, and "
                "only items of which all days behind the history are known are judged; 2 are "
                "needed. Give a row for each item and day from there on, with the quantity 0 where "
                "nothing was asked for."
            )
        seldom = np.nanmean(np.where(known, values[:first] == 0, True), axis=0) > self.intermittent
        regular, rare = (np.flatnonzero(known & part) for part in (~seldom, seldom))
        if len(regular) < 2:
            raise SchemaError(
                f"{len(regular)} items are asked for on enough days, with all of their test days "
                "known; 2 are needed. Give more items, or a larger 'intermittent'."
            )
        policies = self._policies(panel, first)
        found = self._judged(policies, values, first, regular)
        notes = [
            f"The first {self.lead_time} of {days} days are covered by what was ordered before; "
            f"costs are those of the {days - self.lead_time} days after."
        ]
        if unknown := int((~known).sum()):
            notes.append(f"{unknown} items have days without a quantity, and no part in this.")
        return Report.beside(
            self.model,
            found.pop("model"),
            found,
            split={**self.split_, "test": {"days": days, "items": len(regular)}},
            sections=self._rare_items(policies, values, first, rare),
            notes=tuple(notes),
            headline_text=(
                f"{len(regular)} items, orders that arrive after {self.lead_time} days, holding "
                f"{self.holding_cost:g} and shortage {self.shortage_cost:g} a unit and day; "
                "intervals by resampling whole items."
            ),
        )

    def _policies(self, panel: Panel, first: int) -> dict[str, NDArray[np.float64]]:
        """Up to which level each policy orders on each test day, [days, items]."""
        covered = self.lead_time + 1
        values = panel.columns[self._name("quantity")].astype(np.float64)
        levels = self.demand_.options.levels.index(self._ratio)

        def learned(demand: LeadTimeDemand) -> Callable[[int], NDArray[Any]]:
            return lambda stop: demand.quantiles(panel.feeds(stop, self.schema_, self.rule_))[
                :, levels
            ]

        rules: dict[str, Callable[[int], NDArray[Any]]] = {
            "model": learned(self.demand_),
            "mean": lambda stop: np.nanmean(values[:stop], axis=0) * covered,
            "last_value": lambda stop: np.nanmean(values[stop - covered : stop], axis=0) * covered,
        }
        if self.model != "normal":
            rules["normal_base_stock"] = learned(self._demand("normal").fit(self.known_))
        stops = range(first, len(panel.times))
        with np.errstate(invalid="ignore"):
            return {
                name: np.nan_to_num(np.stack([rule(stop) for stop in stops]).astype(np.float64))
                for name, rule in rules.items()
            }

    def _judged(
        self,
        policies: Mapping[str, NDArray[np.float64]],
        values: NDArray[np.float64],
        first: int,
        items: NDArray[np.intp],
    ) -> dict[str, Any]:
        scale = np.nanmean(values[:first, items], axis=0)
        costs = {"holding_cost": self.holding_cost, "shortage_cost": self.shortage_cost}
        return {
            name: judged(
                replay(levels[:, items], values[first:, items], self.lead_time), scale, **costs
            )
            for name, levels in policies.items()
        }

    def _rare_items(
        self,
        policies: Mapping[str, NDArray[np.float64]],
        values: NDArray[np.float64],
        first: int,
        items: NDArray[np.intp],
    ) -> tuple[Section, ...]:
        """The same figures of the items that are hardly ever asked for."""
        if len(items) < 2:
            return ()
        found = self._judged(policies, values, first, items)
        names = list(found["model"].values)
        rows = [
            [name, *(each.estimates()[metric] for metric in names)] for name, each in found.items()
        ]
        return (
            Section(
                "Items that are seldom asked for",
                f"{len(items)} items with no demand on more than {self.intermittent:.0%} of the "
                "days of the history; they have no part in the figures above.",
                [["policy", *names], *rows],
            ),
        )

    def _read(self, frame: pd.DataFrame) -> Panel:
        return Panel.read(frame, self.schema_, self.rule_)

    def _check_digits(self, train: pd.DataFrame) -> None:
        """Refuse numbers that float32, in which they are read, does not hold."""
        for column in self.schema_.with_offsets(train):
            if column.offset is not None:
                raise ParameterError(
                    f"Column {column.name!r} differs in digits that float32, in which it is read, "
                    f"does not hold. Subtract {column.offset!r} from it, here and in service."
                )

    def searches(self) -> Mapping[str, Callable[[Dataset, bool], Report]]:
        """The benchmark of the scheduler beside this planner, which has no file of its own."""
        from industry_apps.manufacturing.scheduling.job_shops import measure

        return {"manufacturing_jsplib": measure}
