"""A small application of windows of series that passes every check, for their tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Self

import numpy as np
import pandas as pd
from onnx import TensorProto

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, card, split_latest
from industry_apps.errors import LeakageError, TrainingError
from industry_apps.evaluation import Report
from industry_apps.evaluation.decisions import DECISION
from industry_apps.features import GraphBuilder
from industry_apps.limits import integer
from industry_apps.runtime import Panel, WindowRule
from industry_apps.schema import Column, Schema, Traits
from tests.conformance.parcel_delay import judged


class StoreSales(Application):
    """How much a store will sell tomorrow, and whether its stock runs out.

    Parameters
    ----------
    days : int
        So many of the last days are averaged.

    Examples
    --------
    >>> StoreSales.sample().target
    'sold'
    """

    name = "test.store_sales"
    schema = Schema(
        (
            Column(name="store", kind="category", role="identifier"),
            Column(name="day", kind="datetime", role="identifier"),
            Column(name="sold", kind="number", role="history", low=0),
            Column(name="open", kind="boolean", role="history", nullable=False),
            Column(name="stock", kind="number", low=0, required=False),
        )
    )
    outputs = Schema(
        (
            Column(name="forecast", kind="number", low=0, nullable=False),
            Column(name="runs_out", kind="boolean", nullable=False),
        )
    )
    traits = Traits(inputs=("number", "boolean"), windows=True)
    problem = DECISION
    together = False
    as_of = "table"
    keeps_history = False

    days: Annotated[int, integer(1, 60)] = 7

    @classmethod
    def sample(cls) -> Dataset:
        facts = replace(card("finance_card_simulator"), target="sold")
        parts = (sales("2024-01-01", 60), sales("2024-03-01", 30), sales("2024-04-01", 40))
        return Dataset(facts, *parts, sha256="made here")

    @classmethod
    def fast(cls) -> Self:
        return cls()

    def split(self, frame: pd.DataFrame) -> Split:
        return split_latest(frame, time="day")

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.rule_ = self.windows_ = WindowRule(
            series="store",
            time="day",
            length=self.days,
            together=self.together,
            as_of=self.as_of,
        )
        panel = self._panel(train)
        if len(panel.times) <= self.days:
            raise TrainingError(
                f"{len(panel.times)} days are no history to learn from. Give {self.days + 1} "
                "or more."
            )
        self.typical_ = np.float32(np.nanmean(panel.columns["sold"]))
        self.last_ = (train if validation is None else validation)["day"].max()
        self.history_ = panel if self.keeps_history else None
        self.check_ = train if validation is None else validation
        self.schema_, self.split_ = self.schema, {"train": {"rows": len(train)}}

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        """Nothing is learned: the rules are what they are."""

    def _later(self, frame: pd.DataFrame) -> Panel:
        if frame["day"].min() <= self.last_:
            raise LeakageError("These days were learned from. Give later ones.")
        return self._panel(frame)

    def _panel(self, frame: pd.DataFrame) -> Panel:
        return Panel.read(frame, self.schema, self.rule_)

    def _indexed(self, frame: pd.DataFrame):
        panel = self._panel(frame)
        answers = self._answers(panel.feeds(len(panel.times), self.schema, self.rule_))
        return answers, pd.Index(panel.series, name="store")

    def _answers(self, frame):
        """The mean of the days on which the store was open, or what is typical; [series]."""
        known = ~np.isnan(frame["sold"]) & (frame["open"] > 0)
        total = np.where(known, frame["sold"], 0).sum(axis=1, dtype=np.float64)
        mean = (total / np.maximum(known.sum(axis=1), 1)).astype(np.float32)
        forecast = np.where(known.any(axis=1), mean, self.typical_)
        return {"forecast": forecast, "runs_out": forecast > frame["stock"][:, 0]}

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        panel = self._later(frame)
        stops = range(self.days, len(panel.times))
        windows = [panel.feeds(stop, self.schema, self.rule_) for stop in stops]
        tomorrow, today = (
            panel.columns["sold"][self.days :],
            panel.columns["sold"][self.days - 1 : -1],
        )
        stock = np.array([feeds["stock"][:, 0] for feeds in windows])
        forecast = np.array([self._answers(feeds)["forecast"] for feeds in windows])
        told = ~np.isnan(tomorrow + today + stock)
        scores = {"prevalence": np.zeros(told.sum()), "today": (today - stock)[told]}
        return judged((tomorrow > stock)[told], (forecast - stock)[told], scores)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        forecast = self._forecast_node(builder, inputs["sold"], inputs["open"])
        return {
            "forecast": self._answered_node(builder, forecast),
            "runs_out": builder.node("Greater", forecast, inputs["stock"]),
        }

    def _answered_node(self, builder: GraphBuilder, forecast: str) -> str:
        del builder
        return forecast

    def _forecast_node(self, builder: GraphBuilder, sold: str, opened: str) -> str:
        node, constant = builder.node, builder.constant
        zero, days = constant(np.float32(0)), constant(np.array([1]))
        known = node("And", node("Not", node("IsNaN", sold)), node("Greater", opened, zero))
        values, weights = (
            node("Cast", each, attributes={"to": TensorProto.DOUBLE})
            for each in (node("Where", known, sold, zero), known)
        )
        count = node("ReduceSum", weights, days)  # [batch, 1]
        mean = node("Div", node("ReduceSum", values, days), node("Max", count, constant(1.0)))
        unknown = node("Equal", count, constant(0.0))
        typical = constant(np.float32(self.typical_))
        return node("Where", unknown, typical, builder.cast(mean, np.float32))


def sales(first: str, days: int) -> pd.DataFrame:
    """Daily sales of six stores; one opens late, one closes down, some days are not reported."""
    draw = np.random.default_rng(days)
    dates = pd.date_range(first, periods=days, freq="D").as_unit("s")
    names = [f"store {number}" for number in range(6)]
    frame = pd.DataFrame([(name, day) for day in dates for name in names], columns=["store", "day"])
    level = 20.0 * (1 + frame["store"].str[-1].astype(int))
    frame["sold"] = draw.poisson(level).astype(np.float64)
    frame["open"] = draw.random(len(frame)) < 0.9
    frame["stock"] = draw.integers(0, 150, len(frame)).astype(np.float64)
    frame.loc[draw.random(len(frame)) < 0.05, "sold"] = np.nan
    late = (frame["store"] == names[0]) & (frame["day"] < dates[-4])
    early = (frame["store"] == names[1]) & (frame["day"] > dates[-3])
    return frame[~(late | early)].reset_index(drop=True)
