"""Call volume: how many calls each desk of a call centre will get in the next week.

Asked by whoever plans the shifts. Made up, as a user would write an application in a package of
their own: this file, one entry point and one card are all of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, card, split_latest
from industry_apps.limits import integer
from industry_apps.recipes import LearningOptions, TreeOptions
from industry_apps.recipes.forecasting.evaluation.metrics import FORECAST
from industry_apps.recipes.forecasting.recipe import ForecastOptions
from industry_apps.recipes.forecasting.table import ForecastTable, HoldsForecast
from industry_apps.runtime import WindowRule
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_CALLS = Column("calls", "number", unit="calls", low=0, nullable=False)
_WEEK = 7


class CallVolume(HoldsForecast, Application):
    """Quantiles of the calls of each desk on each day of the next week.

    Parameters
    ----------
    model : {"trees", "nhits"}
    history : int
        Days that an answer looks back, in [7, 365].
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int

    Examples
    --------
    >>> CallVolume.fast().model
    'trees'
    """

    name = "toy.call_volume"
    question = "How many calls will each desk get?"
    schema = Schema(
        (
            Column("desk", "category", nullable=False, role="identifier"),
            Column("day", "datetime", nullable=False, role="known"),
            Column("calls", "number", unit="calls", low=0, role="history"),
            Column("holiday", "boolean", role="known"),
        )
    )
    outputs = Schema(tuple(replace(_CALLS, name=f"calls_p{level}") for level in (10, 50, 90)))
    traits = Traits(inputs=("datetime", "number", "boolean"), windows=True)
    problem = FORECAST

    model: Literal["trees", "nhits"] = "trees"
    history: Annotated[int, integer(7, 365)] = 28
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def sample(cls) -> Dataset:
        return Dataset(card("toy_calls"), *cls().split(calls(6, 200)), sha256="made here")

    @classmethod
    def fast(cls) -> Self:
        return cls(trees=TreeOptions(rounds=30, learning_rate=0.15))

    def split(self, frame: pd.DataFrame) -> Split:
        return split_latest(frame, time="day")

    def _series(self, train: pd.DataFrame) -> ForecastTable:
        usual = ForecastOptions()
        return ForecastTable(
            schema=self.schema,
            windows=WindowRule(
                series="desk", time="day", length=self.history, horizon=_WEEK, step="day"
            ),
            target=_CALLS,
            column="calls",
            options=replace(
                usual,
                model=self.model,
                learning=LearningOptions(origins=12),
                trees=replace(self.trees or usual.trees, seed=self.seed),
                training=self.training,
                seed=self.seed,
            ),
        )


def calls(desks: int, days: int) -> pd.DataFrame:
    """Made up: fewer calls at weekends, hardly any on holidays."""
    draw = np.random.default_rng(days)
    dates = pd.date_range("2024-01-01", periods=days, freq="D").as_unit("s")
    names = [f"desk {number}" for number in range(desks)]
    frame = pd.DataFrame([(desk, day) for day in dates for desk in names], columns=["desk", "day"])
    holidays = dates[draw.random(days) < 0.04]
    frame["holiday"] = frame["day"].isin(holidays)
    level = (
        30.0 * (1 + frame["desk"].str[-1].astype(int)) * (1 - 0.6 * (frame["day"].dt.dayofweek > 4))
    )
    frame["calls"] = draw.poisson(level * np.where(frame["holiday"], 0.1, 1.0)).astype(np.float64)
    return frame
