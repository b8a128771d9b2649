"""One small model of every kind of column, for the tests of several folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from industry_apps.export import Exportable
from industry_apps.export.convert import split_thresholds, trees_to_onnx, with_float32_thresholds
from industry_apps.export.decision import Platt, Threshold
from industry_apps.export.parity import Certificate
from industry_apps.features import FeatureGraph, GraphBuilder, tree_encoders
from industry_apps.schema import Column, Schema
from industry_apps.schema.values import DTYPES

SCHEMA = Schema(
    (
        Column(name="amount", kind="number", low=0, high=1e6, unit="EUR"),
        Column(name="time", kind="datetime"),
        Column(name="country", kind="category"),
        Column(name="channel", kind="category", categories=("web", "shop"), required=False),
        Column(name="member", kind="boolean", required=False),
        Column(name="note", kind="text", required=False),
    )
)
OUTPUTS = Schema(
    (
        Column(name="risk", kind="number", low=0, high=1, nullable=False),
        Column(name="refuse", kind="boolean", nullable=False),
    )
)


def records(rows: int, seed: int) -> pd.DataFrame:
    """Records with values of every kind missing, and a rule to be learned from them."""
    random = np.random.default_rng(seed)

    def some(values: list[Any]) -> list[Any]:
        return [values[n] for n in random.integers(0, len(values), rows)]

    frame = pd.DataFrame(
        {
            "amount": random.lognormal(3, 1, rows).round(2),
            "time": np.datetime64("2024-01-01", "ns") + random.integers(0, 10**16, rows),
            "country": some(["DE", "FR", "Österreich", "日本", None]),
            "channel": some(["web", "shop", None]),
            "member": some([True, False, None]),
            "note": some(["", "all is well", "urgent urgent please", "naïve 字 call", None]),
        }
    )
    frame.loc[random.random(rows) < 0.1, ["amount"]] = np.nan
    frame.loc[random.random(rows) < 0.1, ["time"]] = pd.NaT
    return frame


@dataclass(frozen=True, eq=False)
class Served:
    """A fitted model, what it is made of, and the file that it was exported to."""

    path: Path
    exportable: Exportable
    certificate: Certificate
    frame: pd.DataFrame
    features: FeatureGraph
    booster: lgb.Booster

    @property
    def native(self) -> Callable[[pd.DataFrame], Any]:
        return self.exportable.native


def fitted(frame: pd.DataFrame, schema: Schema = SCHEMA) -> tuple[Exportable, Any, Any]:
    """Features, trees, calibration and decision, learned and written as one graph."""
    random = np.random.default_rng(5)
    signal = (
        np.log1p(frame["amount"].fillna(50))
        + 2 * frame["note"].fillna("").str.contains("urgent")
        + (frame["country"] == "FR")
        + (frame["time"].dt.hour < 6)
    )
    target = (signal + random.normal(0, 1, len(frame)) > 5).to_numpy()
    arrays = schema.to_arrays(frame)
    features = FeatureGraph(schema, tree_encoders(schema)).learn(arrays)
    settings_ = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 8}
    rows = features.run(arrays)["numeric"]
    booster = with_float32_thresholds(lgb.train(settings_, lgb.Dataset(rows, target), 20))
    platt = Platt.fit(booster.predict(rows, raw_score=True)[:, None], target)
    threshold = Threshold(value=0.4)

    def native(records: pd.DataFrame) -> dict[str, Any]:
        numeric = features.run(schema.to_arrays(records))["numeric"]
        risk = platt.apply(np.atleast_1d(booster.predict(numeric, raw_score=True))[:, None])
        return {"risk": risk, "refuse": threshold.apply(risk)}

    builder = GraphBuilder()
    inputs = {c.name: builder.input(c.name, DTYPES[c.kind]) for c in schema}
    numeric = features.write(builder, inputs)["numeric"]
    margin = builder.append(trees_to_onnx(booster), {"features": numeric})["margin"]
    risk = platt.write(builder, [margin])
    builder.output(risk, "risk", np.float32)
    builder.output(threshold.write(builder, risk), "refuse", np.bool_)
    exportable = Exportable(
        graph=builder.model("tiny"),
        native=native,
        schema=schema,
        outputs=OUTPUTS,
        check=frame.head(300),
        thresholds=dict(zip(features.names, split_thresholds(booster), strict=True)),
        facts={"application": "tests.tiny", "version": "0", "decision": {"threshold": 0.4}},
    )
    return exportable, features, booster
