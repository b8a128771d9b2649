"""A small application that passes every check, for the tests of the checks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Self

import numpy as np
import pandas as pd

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, card, split_latest
from industry_apps.errors import LeakageError, TrainingError
from industry_apps.evaluation import Report, average_precision, bootstrap
from industry_apps.evaluation.decisions import DECISION
from industry_apps.features import GraphBuilder
from industry_apps.schema import Column, Schema, Traits
from industry_apps.schema.spellings import aliases

#: Of the three parts; the validation data go on across 1970.
_BEGINS = ("1969-08-20", "1969-12-01", "1970-03-12")

LATE = Column(name="late", kind="boolean", role="identifier", nullable=False)


class ParcelDelay(Application):
    """Whether a parcel will be late.

    Parameters
    ----------
    threshold : float

    Examples
    --------
    >>> ParcelDelay.sample().target
    'late'
    """

    name = "test.parcel_delay"
    schema = Schema(
        (
            Column(name="weight", kind="number", unit="kg", low=0, high=100),
            Column(name="carrier", kind="category"),
            Column(name="day", kind="datetime", nullable=False),
            Column(name="insured", kind="boolean", required=False),
            LATE,
        )
    )
    outputs = Schema(
        (
            Column(name="late_probability", kind="number", low=0, high=1, nullable=False),
            Column(name="is_late", kind="boolean", nullable=False),
        )
    )
    traits = Traits(inputs=("number", "category", "datetime", "boolean"), explains=True)
    problem = DECISION
    slow = "slow"

    threshold: float = 0.5

    @classmethod
    def sample(cls) -> Dataset:
        facts = replace(card("finance_card_simulator"), target="late")
        parts = (parcels(seed, first=first) for seed, first in enumerate(_BEGINS))
        return Dataset(facts, *parts, sha256="made here")

    @classmethod
    def fast(cls) -> Self:
        return cls()

    def split(self, frame: pd.DataFrame) -> Split:
        return split_latest(frame, time="day")

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        target = Schema((LATE,)).to_arrays(train)["late"] > 0
        if len(set(target.tolist())) < 2:
            raise TrainingError("Both classes are needed.")
        self.schema_ = self.schema.inputs()
        arrays = self.schema_.to_arrays(train)
        self.typical_ = float(np.nanmedian(arrays["weight"]))
        self.offset_ = float(self._margins(arrays).mean())
        self.last_ = max(part["day"].max() for part in (train, validation) if part is not None)
        self.rivals_ = ()
        self.check_, self.split_ = validation, {"train": {"rows": len(train)}}

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self.rivals_ = ("weight",)

    @property
    def _slow(self) -> list[str]:
        """The slow carrier, in all spellings."""
        others = aliases(("fast", self.slow)).items()
        return [self.slow, *(text for text, carrier in others if carrier == self.slow)]

    def _margins(self, arrays):
        weight = arrays["weight"].astype(np.float64)
        weight = np.where(np.isnan(weight), self.typical_, weight)
        slow = np.isin(arrays["carrier"], self._slow).astype(np.float64)
        early = (arrays["day"] < 0).astype(np.float64)
        insured = (arrays["insured"] > 0).astype(np.float64)
        return 0.1 * weight + 3.0 * slow + early - insured

    def _answers(self, frame):
        margins = self._margins(self.schema_.to_arrays(frame))
        probability = 1 / (1 + np.exp(self.offset_ - margins))
        return {"late_probability": probability, "is_late": probability >= self.threshold}

    def _evaluate(self, frame):
        if frame["day"].min() <= self.last_:
            raise LeakageError(f"Parcels up to {self.last_} were learned from. Give later ones.")
        scores = {"prevalence": np.zeros(len(frame))}
        scores |= {name: frame[name].fillna(self.typical_) for name in self.rivals_}
        return judged(frame["late"], self._answers(frame)["late_probability"], scores)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        offset = builder.constant(np.float32(self.offset_))
        probability = builder.node(
            "Sigmoid", builder.node("Sub", self._margin_node(builder, inputs), offset)
        )
        threshold = builder.constant(np.float32(self.threshold))
        decision = builder.node("GreaterOrEqual", probability, threshold)
        return {"late_probability": probability, "is_late": decision}

    def _margin_node(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        def constant(value):
            return builder.constant(np.array(value))

        def flag(op: str, name: str, value: object) -> str:
            found = builder.node(op, inputs[name], constant(value))
            return builder.cast(found, np.float32)

        weight = inputs["weight"]
        filled = builder.node(
            "Where", builder.node("IsNaN", weight), constant(np.float32(self.typical_)), weight
        )
        slow = flag("Equal", "carrier", np.array(self._slow, dtype=object))  # [batch, spellings]
        slow = builder.node("ReduceMax", slow, constant(np.int64([1])))
        early = flag("Less", "day", np.int64(0))
        insured = flag("Greater", "insured", np.float32(0))
        margin = builder.node("Mul", filled, constant(np.float32(0.1)))
        margin = builder.node("Add", margin, builder.node("Mul", slow, constant(np.float32(3))))
        return builder.node("Sub", builder.node("Add", margin, early), insured)


def judged(target, ours, others) -> Report:
    """The average precision of scores beside those of others, for the same rows."""

    def found(scores):
        def precision(weight):
            return average_precision(target, scores, weight)

        return bootstrap({"average_precision": precision}, None, len(target), resamples=50)

    baselines = {name: found(scores) for name, scores in others.items()}
    return Report.beside("rule", found(ours), baselines)


def parcels(seed: int, rows: int = 400, first: str = _BEGINS[0]) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    weight = draw.uniform(0, 100, rows).round(2)
    carrier = draw.choice(np.array(["slow", "fast", None], dtype=object), rows)
    late = weight / 10 + 3 * (carrier == "slow") + draw.normal(size=rows) > 7
    weight[::50] = np.nan
    day = pd.date_range(first, periods=rows, freq="6h")
    return pd.DataFrame(
        {
            "weight": weight,
            "carrier": carrier,
            "day": day,
            "insured": draw.random(rows) < 0.5,
            "late": late,
        }
    )
