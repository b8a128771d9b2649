"""What our own code adds to the library that learns and to the model that answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from statistics import median
from typing import Any
from unittest.mock import patch

import lightgbm as lgb
import pandas as pd
from sklearn.base import clone

from industry_apps.application import Application
from industry_apps.benchmark.speed import Measure, ReadyFeatures, alternating, drawn
from industry_apps.data import Dataset, Split


def fit_vs_bare_estimator(
    application: Application, data: Dataset | Split, *, repeats: int = 3
) -> list[Measure]:
    """Compare a fit with the same trainings of LightGBM on arrays that are ready.

    The trainings are those of one fit: with its rounds, bags, folds, and the last one on all
    rows. Only for applications that learn by LightGBM; for others there is nothing to say.

    Parameters
    ----------
    application : Application
        Fitted or not; copies of it are fitted.
    data : Dataset or Split
    repeats : int
        Alternating runs of each; the median counts.
    """
    recorder = _Recorder(lgb.train)
    with patch.object(lgb, "train", recorder):
        clone(application).fit(data)
    if not recorder.trainings:
        return []
    seconds = alternating(
        {"fit": lambda: clone(application).fit(data), "bare": recorder.repeat}, repeats
    )
    ratio = median(seconds["fit"]) / median(seconds["bare"])
    return [Measure(name="fit_vs_bare_estimator", value=ratio, target=1.5, at_least=False)]


def predict_vs_bare_model(
    application: Application, rows: pd.DataFrame, *, count: int, repeats: int = 5
) -> list[Measure]:
    """Compare ``predict`` with one run of the features and the models on what comes of it.

    Only for applications whose recipe holds scorers; for others there is nothing to say.

    Parameters
    ----------
    application : Application
        Fitted.
    rows : DataFrame
        Drawn from with replacement.
    count : int
        Rows of a call.
    repeats : int
        Alternating runs of each; the median counts.
    """
    scorers = getattr(getattr(application, "recipe_", None), "scorers_", ())
    if not scorers:
        return []
    frame = drawn(rows, count)
    arrays = dict(application.recipe_.used_columns().to_arrays(frame))  # a dict remembers nothing
    parts: list[Callable[[], object]] = []
    for scorer in scorers:
        ready = copy(scorer)
        ready.features = ReadyFeatures(scorer.features, scorer.features.run(arrays))
        parts += [partial(scorer.features.run, arrays), partial(ready.margin, {})]
    seconds = alternating(
        {
            "predict": lambda: application.predict(frame),
            "bare": lambda: [part() for part in parts],
        },
        repeats,
    )
    whole, bare = median(seconds["predict"]), median(seconds["bare"])
    return [
        Measure(name="predict_vs_bare_model", value=whole / bare, target=1.5, at_least=False),
        Measure(name="predict_of_1000", value=1e6 * whole / count, unit="ms"),
    ]


class _Recorder:
    """Stands in for LightGBM's train, and keeps what it was given."""

    def __init__(self, train: Callable[..., lgb.Booster]) -> None:
        self._train = train
        self.trainings: list[tuple[dict[str, Any], lgb.Dataset, tuple[Any, ...], dict[str, Any]]]
        self.trainings = []
        self._tables: dict[int, dict[str, Any]] = {}

    def __call__(
        self, parameters: dict[str, Any], rows: lgb.Dataset, *rest: Any, **options: Any
    ) -> lgb.Booster:
        if id(rows) not in self._tables:  # afterwards the data set holds its table no longer
            self._tables[id(rows)] = _table(rows)
        held_out = [_table(each) for each in options.pop("valid_sets", None) or ()]
        kept = {**options, "valid_sets": held_out}
        self.trainings.append((dict(parameters), rows, rest, kept))
        sets = self._sets(rows, held_out)
        return self._train(parameters, rows, *rest, valid_sets=sets, **options)

    def repeat(self) -> None:
        """Train all of it again."""
        made: dict[int, lgb.Dataset] = {}
        for parameters, rows, rest, options in self.trainings:
            if id(rows) not in made:
                made[id(rows)] = lgb.Dataset(**self._tables[id(rows)])
            fresh = made[id(rows)]
            sets = self._sets(fresh, options["valid_sets"])
            self._train(parameters, fresh, *rest, **{**options, "valid_sets": sets})

    @staticmethod
    def _sets(rows: lgb.Dataset, held_out: Sequence[dict[str, Any]]) -> list[lgb.Dataset]:
        return [rows.create_valid(each["data"], each["label"]) for each in held_out]


def _table(rows: lgb.Dataset) -> dict[str, Any]:
    return {
        "data": rows.data,
        "label": rows.label,
        "weight": rows.weight,
        "params": {"verbosity": -1},
    }
