"""A small forecast with what is known in advance, for the tests of the suite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from onnx import TensorProto

from industry_apps.errors import TrainingError
from industry_apps.evaluation import Report
from industry_apps.features import GraphBuilder
from industry_apps.runtime import WindowRule
from industry_apps.runtime.series.forecasts import answer_keys, asked_at
from industry_apps.schema import Column, Schema, Traits
from industry_apps.testing.trial import PARTS
from tests.conformance.parcel_delay import judged
from tests.conformance.store_sales import StoreSales

DAYS, WEEK = 3, 7 * 86_400


def _known_ahead(part: pd.DataFrame) -> pd.DataFrame:
    """Whether a store is open is known of each day, also where nothing is said of its sales."""
    days = pd.MultiIndex.from_product([part["store"].unique(), part["day"].unique()])
    every = part.drop(columns="stock").set_index(["store", "day"]).reindex(days)
    every.index.names = ["store", "day"]
    return every.assign(open=every["open"].ne(False)).reset_index()


class StoreForecast(StoreSales):
    """How much a store will sell on each of the next three days.

    Parameters
    ----------
    days : int
        So many of the last days are averaged.

    Examples
    --------
    >>> StoreForecast.sample().target
    'sold'
    """

    name = "test.store_forecast"
    schema = Schema(
        (
            Column(name="store", kind="category"),
            Column(name="day", kind="datetime", role="known"),
            Column(name="sold", kind="number", role="history", low=0),
            Column(name="open", kind="boolean", role="known"),
        )
    )
    outputs = Schema(
        (
            Column(name="forecast", kind="number", low=0, nullable=False),
            Column(name="is_weekend", kind="boolean", nullable=False),
        )
    )
    traits = Traits(inputs=("category", "datetime", "number", "boolean"), windows=True)
    keeps_history = True

    @classmethod
    def sample(cls):
        data = super().sample()
        parts = {name: _known_ahead(getattr(data, name)) for name in PARTS}
        return replace(data, **parts)

    def _fit(self, train, validation):
        self.rule_ = self.windows_ = WindowRule(
            series="store", time="day", length=self.days, horizon=DAYS, step="day"
        )
        panel = self._panel(train)
        if len(panel.times) <= self.days:
            raise TrainingError(f"{len(panel.times)} days are too few. Give more.")
        self.typical_ = np.float32(np.nanmean(panel.columns["sold"]))
        self.last_ = (train if validation is None else validation)["day"].max()
        self.history_ = panel
        if validation is not None:
            self.history_ = panel.joined(self._panel(validation))
        self.check_ = train
        self.schema_, self.split_ = self.schema, {"train": {"rows": len(train)}}

    def _indexed(self, frame: pd.DataFrame):
        panel = self._panel(frame)
        stop = asked_at(panel, self.schema, self.rule_)
        keys = pd.DataFrame(answer_keys(panel, stop, self.rule_)).set_index(self.rule_.keys)
        answers = self._answers(panel.feeds(stop, self.schema, self.rule_))
        return {name: values.reshape(-1) for name, values in answers.items()}, keys.index

    def _answers(self, frame):
        """The mean of the last days, nothing where a store will be closed; [series, DAYS]."""
        sold = frame["sold"]
        known = ~np.isnan(sold)
        total = np.where(known, sold, 0).sum(axis=1, dtype=np.float64)
        mean = (total / np.maximum(known.sum(axis=1), 1)).astype(np.float32)
        mean = np.where(known.any(axis=1), mean, self.typical_)
        named = (frame["store"][:, 0] == "store 1").astype(np.float32)
        closed = frame["open"][:, -DAYS:] == 0
        forecast = np.where(closed, np.float32(0), (mean + named)[:, None])
        weekend = (frame["day"][:, -DAYS:] + 3 * 86_400) % WEEK >= 5 * 86_400
        return {"forecast": forecast, "is_weekend": weekend}

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        panel = self._later(frame)
        stops = range(self.days, len(panel.times) - DAYS)
        told = [self._answers(panel.feeds(s, self.schema, self.rule_))["forecast"] for s in stops]
        forecast = np.array(told)[:, :, 0]
        sold = np.stack([panel.columns["sold"][stop] for stop in stops])
        known = ~np.isnan(sold)
        scores = {"prevalence": np.zeros(known.sum()), "today": np.ones(known.sum())}
        return judged((sold > 60)[known], forecast[known], scores)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        node, constant = builder.node, builder.constant

        def future(name: str) -> str:
            start, stop = constant(np.array([-DAYS])), constant(np.array([2**31]))
            return node("Slice", inputs[name], start, stop, constant(np.array([1])))

        absent, zero = node("IsNaN", inputs["sold"]), constant(np.float32(0))
        days = constant(np.array([1]))
        values, weights = (
            node("Cast", each, attributes={"to": TensorProto.DOUBLE})
            for each in (node("Where", absent, zero, inputs["sold"]), node("Not", absent))
        )
        count = node("ReduceSum", weights, days)
        mean = node("Div", node("ReduceSum", values, days), node("Max", count, constant(1.0)))
        none = node("Equal", count, constant(0.0))
        mean = node("Where", none, constant(self.typical_), builder.cast(mean, np.float32))
        named = node("Equal", inputs["store"], constant(np.array(["store 1"], dtype=object)))
        mean = node("Add", mean, builder.cast(named, np.float32))
        closed = node("Equal", future("open"), zero)
        monday = node("Add", future("day"), constant(np.int64(3 * 86_400)))
        weekend = node(
            "GreaterOrEqual",
            node("Mod", monday, constant(np.int64(WEEK))),
            constant(np.int64(5 * 86_400)),
        )
        return {"forecast": node("Where", closed, zero, mean), "is_weekend": weekend}
