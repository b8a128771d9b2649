"""A study of sentiment: how texts are answered whose side turns on a negation or a contrast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from industry_apps.data import Dataset
from industry_apps.evaluation.intervals import Estimate, wilson
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.texts.baselines import TextBaselines
from industry_apps.retail.negated_phrases import CHOOSING, TESTING
from industry_apps.runtime.progress import tracked

__all__ = ["judged_negations"]

_HALVES = {"choosing": CHOOSING, "testing": TESTING}
_TEXT = (
    f"Of {sum(map(len, CHOOSING.values()))} and {sum(map(len, TESTING.values()))} short texts, "
    "half of them positive, the share whose likelier side is right, with an interval of 95 % "
    "(Wilson); none was learned from. By the first half it was chosen what a negation does, the "
    "figure is that of the other. 'accuracy' is that on the test data."
)


def judged_negations(
    analyzer: Any, variants: Mapping[str, Mapping[str, Any]], data: Dataset
) -> Section:
    """Ask variants of a model, and the baselines, what negated texts say.

    Parameters
    ----------
    analyzer : SentimentAnalyzer
        Its parameters are used, but for those that vary; it is not changed.
    variants : mapping of str to mapping
        Name -> parameters of the constructor.
    data : Dataset
        What is learned from.

    Returns
    -------
    Section
        One row a variant, then one a baseline: the shares of each half, and of the sides of the
        half for testing.

    Raises
    ------
    SchemaError, ParameterError, TrainingError
    """
    rows: list[list[object]] = [
        ["model", "choosing", "testing", "testing_positive", "testing_negative", "accuracy"]
    ]
    for name in tracked(list(variants), "variants"):
        fitted = clone(analyzer).set_params(**variants[name]).fit(data)
        report = fitted.evaluate(data.test)
        rows.append([name, *_shares(partial(_asked, fitted)), report.metrics["accuracy"]])
    for name, found in report.baselines.items():
        theirs = _shares(partial(_asked_of_baseline, fitted.baselines_, name))
        rows.append([name, *theirs, found["accuracy"]])
    return Section("Negated texts", _TEXT, rows)


def _asked(fitted: Any, texts: NDArray[np.object_]) -> NDArray[np.float64]:
    """What a fitted model says of texts -> probability [texts]."""
    (column,) = fitted.schema_.names
    answers = fitted.predict(pd.DataFrame({column: texts}))
    return np.asarray(answers["positive_probability"])


def _asked_of_baseline(
    baselines: TextBaselines, name: str, texts: NDArray[np.object_]
) -> NDArray[np.float64]:
    return baselines.probabilities(texts)[name]


def _shares(ask: Callable[[NDArray[np.object_]], NDArray[np.float64]]) -> list[Estimate]:
    """Shares that are right: of both halves, and of the sides of the half for testing."""
    right = {
        (half, side): (ask(np.array(texts, dtype=object)) >= 0.5) == (side == "positive")
        for half, sides in _HALVES.items()
        for side, texts in sides.items()
    }
    halves = [np.concatenate([right[half, side] for side in CHOOSING]) for half in _HALVES]
    parts = [*halves, *(right["testing", side] for side in CHOOSING)]
    share, count = (np.array([each(part) for part in parts]) for each in (np.mean, len))
    return [*map(Estimate, share, *wilson(share, count))]
