"""The feature graph of a forecast: raw windows to what the models take, written once.

Letters in shapes: S series (the batch), L steps of history, H steps of the horizon.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.graph import Encoder, FeatureGraph
from industry_apps.features.running import RunsItsGraph
from industry_apps.features.sources import Value, write_less_offset
from industry_apps.features.tabular import Category, Raw
from industry_apps.recipes.forecasting.windows import nodes
from industry_apps.recipes.forecasting.windows.levels import (
    SMALLEST_SCALE,
    HorizonPlan,
    Levelled,
    levelled,
)
from industry_apps.recipes.forecasting.windows.rows import HorizonRows
from industry_apps.recipes.forecasting.windows.tensors import WindowScaler
from industry_apps.runtime.inputs import Feeds, run_in_slices
from industry_apps.schema import Schema
from industry_apps.schema.offsets import less_offset

#: Series of one run: each makes wide tensors.
SERIES_A_RUN = 1_024
_TYPES = {"codes": np.int64}


class ForecastGraph(RunsItsGraph):
    """Raw windows to base, scale, and the inputs of trees and networks.

    All of these are of numbers less the offset of their column, where it has one.

    Parameters
    ----------
    schema : Schema
        The raw columns: the target and others of the role "history", those of the role
        "known", and features that do not change.
    plan : HorizonPlan
    wanted : sequence of {"rows", "past", "known", "codes", "flat"}
        Inputs of models: ``rows`` [S x H, features] of trees; ``past`` [S, L, channels],
        ``known`` [S, L + H, channels] and ``codes`` [S, categories] of networks. ``flat`` [S, 1]
        says whether anything was left out as flat.
    flat_steps : int
        So many equal values of the target after each other, or more, are none; 0: all count.
    """

    def __init__(
        self, schema: Schema, plan: HorizonPlan, wanted: Sequence[str], flat_steps: int = 0
    ) -> None:
        self.schema = schema
        self.plan = plan
        self.wanted = tuple(wanted)
        self.flat_steps = flat_steps if 2 <= flat_steps <= plan.length else 0
        self.typical_, self.smallest_ = 0.0, SMALLEST_SCALE
        self._rows = HorizonRows(plan)
        features = Schema(tuple(c for c in schema.inputs() if c.role == "feature"))
        encoders: list[Encoder] = [
            Category(column.name, "code", min_count=2)
            if column.kind == "category"
            else Raw(Value(column.name))
            for column in features
        ]
        self._static = FeatureGraph(features, encoders) if encoders else None
        numbers = [column.name for column in features if column.kind != "category"]
        self._scaler = WindowScaler(plan, numbers)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of ``rows``."""
        self._session  # noqa: B018 - they are known once the graph is written
        return self._rows.names

    @property
    def cardinalities(self) -> tuple[int, ...]:
        """Number of codes of each column of ``codes``."""
        return () if self._static is None else tuple(self._static.cardinalities)

    def only(self, wanted: Sequence[str]) -> ForecastGraph:
        """The same graph, as it learned, of some of the inputs of models.

        Parameters
        ----------
        wanted : sequence of str
        """
        other = copy(self)
        other.wanted = tuple(wanted)
        other.__dict__.pop("_session", None)
        return other

    def learn(self, feeds: Mapping[str, NDArray[Any]]) -> ForecastGraph:
        """Learn levels of categories, usual sizes, and the level of a series of no history.

        Parameters
        ----------
        feeds : mapping of str to ndarray
            Windows of one moment, of all series, as a panel makes them.
        """
        near = {n: less_offset(feeds[n], self.schema[n].offset) for n in feeds}
        values = near[self.plan.target]
        known = ~np.isnan(values)
        sums = np.where(known, values, 0).sum(axis=1, dtype=np.float64)
        levels = (sums / np.maximum(known.sum(axis=1), 1))[known.any(axis=1)]
        self.typical_ = float(np.median(levels)) if len(levels) else 0.0
        usual = float(np.median(np.abs(levels[levels != 0]))) if levels.any() else 1.0
        least = float(np.finfo(np.float32).tiny)
        self.smallest_ = max(SMALLEST_SCALE * min(usual, 1.0), least)
        if self._static is not None:
            columns = self._static.schema.names
            self._static = self._static.learn({name: feeds[name][:, 0] for name in columns})
        self._scaler = self._scaler.learn(near)
        self.__dict__.pop("_session", None)
        return self

    def write(
        self, builder: GraphBuilder, inputs: Mapping[str, str]
    ) -> tuple[Levelled, dict[str, str]]:
        """Append the graph to a builder.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Raw column -> tensor.

        Returns
        -------
        where : Levelled
        tensors : dict of str to str
            What is wanted.
        """
        static = {} if self._static is None else self._static.write(builder, inputs)
        inputs = {n: write_less_offset(builder, self.schema[n], x) for n, x in inputs.items()}
        target = inputs[self.plan.target]
        found = {}
        if self.flat_steps:
            flat = nodes.flat(builder, target, self.flat_steps)
            target = builder.node("Where", flat, builder.constant(np.float32(np.nan)), target)
            inputs[self.plan.target] = target
            if "flat" in self.wanted:
                axis = builder.constant(np.array([1]))
                found["flat"] = builder.node("ReduceMax", builder.cast(flat, np.float32), axis)
        where = levelled(builder, target, self.plan, self.typical_, self.smallest_)
        if "rows" in self.wanted:
            columns = self._columns(builder, static)
            found["rows"] = self._rows.write(builder, inputs, where, columns)
        if "past" in self.wanted:
            found["past"] = self._scaler.past(builder, inputs, where)
        if "known" in self.wanted:
            found["known"] = self._scaler.known(builder, inputs, where)
        if "codes" in self.wanted:
            found["codes"] = static.get("codes") or _no_codes(builder, where.scale)
        return where, found

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute ``base`` [S, H], ``scale`` [S, 1] and what is wanted with onnxruntime.

        Parameters
        ----------
        feeds : mapping of str to ndarray
        """
        names = [output.name for output in self._session.get_outputs()]
        mine: Feeds = {each.name: feeds[each.name] for each in self._session.get_inputs()}
        found = run_in_slices(self._session, names, mine, Schema(()), SERIES_A_RUN)
        return {name.removeprefix("/"): tensor for name, tensor in zip(names, found, strict=True)}

    def _columns(self, builder: GraphBuilder, static: Mapping[str, str]) -> dict[str, str]:
        """Numbers and codes that do not change, column by column -> float32 [S, 1]."""
        if self._static is None:
            return {}
        found = {}
        numbers = self._static.names
        codes = [e.column for e in self._static.encoders if isinstance(e, Category)]
        for part, names in (("numeric", numbers), ("codes", codes)):
            for place, name in enumerate(names):
                column = _column(builder, static[part], place)
                found[name] = builder.cast(column, np.float32) if part == "codes" else column
        return found

    def _declare(self, builder: GraphBuilder) -> None:
        plan = self.plan
        inputs = builder.inputs(self.schema.inputs(), plan.length, plan.horizon)
        where, tensors = self.write(builder, inputs)
        builder.output(where.base, "/base", np.float32, plan.horizon)
        builder.output(where.scale, "/scale", np.float32)
        for name, tensor in tensors.items():
            builder.output(tensor, f"/{name}", _TYPES.get(name, np.float32), None)


def _column(builder: GraphBuilder, x: str, place: int) -> str:
    return builder.node(
        "Gather", x, builder.constant(np.array([place], dtype=np.int64)), attributes={"axis": 1}
    )


def _no_codes(builder: GraphBuilder, like: str) -> str:
    """A tensor of shape [S, 0]."""
    return builder.cast(builder.part(like, 0, 0), np.int64)
