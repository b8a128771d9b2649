"""Columns that alone tell the outcome: more likely written after it than known before it.

A scenario code that investigators give beside the label, the day a loan was called in: a model
that reads such a column is right about the past, and knows nothing where it is asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from industry_apps.errors import LeakageWarning
from industry_apps.evaluation.findings import FEWEST_EVENTS
from industry_apps.recipes.scorers import Arrays, Labelled
from industry_apps.schema import Column, Schema

#: From here on a column alone is suspected, where so many events and non-events are known.
SEPARATES = 0.995
#: Rows of each outcome that are looked at; the area does not depend on their shares.
_MOST_ROWS = 50_000
#: Of texts fewer: each has many words.
_MOST_TEXTS = 500
#: Numbers with no more values than this may be codes, whose order means nothing.
_MOST_CODES = 100


@dataclass(frozen=True, slots=True)
class Separating:
    """A column that alone tells the outcome.

    Parameters
    ----------
    column : str
    auroc : float
        Area under the curve of this column alone.
    events : int
        Records with the outcome that it was found on.
    """

    column: str
    auroc: float
    events: int

    def __str__(self) -> str:
        return (
            f"Column {self.column!r} alone separates the outcomes in the training data (AUROC "
            f"{self.auroc:.3f} with {self.events} events): it may have been written down after "
            f"the outcome. Name it in 'ignore' unless it is known when the model is asked."
        )


class Told(NamedTuple):
    """What no column may tell alone, and what to do about one that does.

    Parameters
    ----------
    words : str
    remedy : str
    """

    words: str
    remedy: str


WHEN = Told("when the event comes", "Name it in 'ignore'")


@dataclass(frozen=True, slots=True)
class Telling:
    """A column that alone tells an outcome that is a number.

    Parameters
    ----------
    column : str
    correlation : float
        Of its ranks with those of the outcome, without its sign.
    rows : int
        Records with both that it was found on.
    told : Told
    """

    column: str
    correlation: float
    rows: int
    told: Told

    def __str__(self) -> str:
        return (
            f"Column {self.column!r} alone tells {self.told.words} in the training data (rank "
            f"correlation {self.correlation:.3f} over {self.rows} rows): it may have been written "
            f"down after the outcome. {self.told.remedy} unless it is known when the model is "
            "asked."
        )


def separating_columns(schema: Schema, rows: Labelled) -> tuple[Separating, ...]:
    """Find the columns that alone separate the outcomes.

    A number is taken as it is, with the missing ones at either end; levels, and numbers of few
    values, by the rate of each level among other rows, so that names without repetition tell
    nothing; a text by one word that is in it or not, and by a linear model of its parts that was
    learned from other rows.

    Parameters
    ----------
    schema : Schema
    rows : Labelled
        Training rows.
    """
    events = int(rows.target.sum())
    if min(events, len(rows.target) - events) < FEWEST_EVENTS:
        return ()
    found = []
    for column in schema.inputs():
        if column.kind == "image" or column.is_list:
            continue
        chosen = _of_each(rows.target, _MOST_TEXTS if column.kind == "text" else _MOST_ROWS)
        area = _area_of(column, rows.arrays[column.name][chosen], rows.target[chosen])
        if area >= SEPARATES:
            found.append(Separating(column.name, area, events))
    return tuple(found)


def telling_columns(
    schema: Schema, arrays: Arrays, outcomes: Sequence[NDArray[np.float64]], told: Told
) -> tuple[Telling, ...]:
    """Find the columns that rise or fall with an outcome that is a number.

    Parameters
    ----------
    schema : Schema
        Its numbers and moments are looked at.
    arrays : mapping of str to ndarray of shape [rows]
        Of training.
    outcomes : sequence of ndarray of shape [rows]
        The outcome, and other forms of it, as up to a cap; NaN where it is not known.
    told : Told
        What the outcome is.
    """
    found = []
    for column in schema.inputs():
        if column.kind not in ("number", "datetime") or column.is_list:
            continue
        values = arrays[column.name]
        known = np.flatnonzero(~column.is_missing(values) & ~np.isnan(outcomes[0]))
        chosen = known[:: -(-len(known) // _MOST_ROWS) or 1]
        if len(known) < FEWEST_EVENTS:
            continue
        most = max(_rank_correlation(values[chosen], each[chosen]) for each in outcomes)
        if most >= SEPARATES:
            found.append(Telling(column.name, most, len(known), told))
    return tuple(found)


def _of_each(target: NDArray[np.bool_], most: int) -> NDArray[np.intp]:
    """Evenly spread rows of each outcome, no more than so many."""
    parts = [np.flatnonzero(target == outcome) for outcome in (True, False)]
    return np.concatenate([part[:: -(-len(part) // most)] for part in parts])


def warn_of(found: Sequence[Separating | Telling]) -> None:
    """Warn of each column.

    Parameters
    ----------
    found : sequence of Separating or Telling
    """
    for each in found:
        warnings.warn(str(each), LeakageWarning, stacklevel=4)  # whoever called fit


def _area_of(column: Column, values: NDArray[Any], target: NDArray[np.bool_]) -> float:
    if column.kind == "text":
        return _by_words(values.tolist(), target)
    absent = column.is_missing(values)
    if column.kind == "category":
        return _by_level(values.astype(str), target)
    numbers = values.astype(np.float64)
    areas = [
        _area(rankdata(np.where(absent, end, numbers)), target)
        for end in (-np.inf, np.inf)  # where the missing ones may stand
    ]
    areas = [max(area, 1 - area) for area in areas]
    if len(np.unique(numbers[~absent])) <= _MOST_CODES:
        areas.append(_by_level(np.where(absent, "", numbers.astype(str)), target))
    return max(areas)


def _by_level(levels: NDArray[Any], target: NDArray[np.bool_]) -> float:
    """By the rate of each level in the other half of the rows."""
    codes = pd.factorize(levels)[0]
    count, mean = int(codes.max()) + 1, float(target.mean())
    half = np.random.default_rng(0).random(len(target)) < 0.5
    score = np.empty(len(target))
    for part in (half, ~half):
        sizes = np.bincount(codes[~part], minlength=count)
        events = np.bincount(codes[~part], target[~part], minlength=count)
        score[part] = ((events + mean) / (sizes + 1))[codes[part]]
    # Ranks within each half: its rates are those of the other one.
    areas = [_area(rankdata(score[part]), target[part]) for part in (half, ~half)]
    return float(np.mean(areas))


def _by_words(texts: list[str], target: NDArray[np.bool_]) -> float:
    """By the one word that tells most, or by a linear model of words and runs of characters."""
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    form: dict[str, Any] = {"n_features": 2**16, "binary": True, "norm": None}
    form["alternate_sign"] = False
    words = HashingVectorizer(token_pattern=r"\w+", **form).transform(texts)
    runs = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 3), **form).transform(texts)
    # How often each word is in the texts of either outcome: of those that have none, too.
    often, seldom = (words[rows].mean(axis=0) for rows in (target, ~target))
    one_word = (1 + float(np.abs(often - seldom).max())) / 2
    if one_word >= SEPARATES:
        return one_word
    model = LogisticRegression(solver="liblinear", C=0.01, random_state=0)
    every = hstack([words, runs]).tocsr()
    linear = cross_val_score(model, every, target, cv=2, scoring="roc_auc").mean()
    return float(linear)


def _rank_correlation(values: NDArray[Any], outcome: NDArray[np.float64]) -> float:
    """How far one rises or falls with the other, in [0, 1] (Spearman 1904); 0 of a constant."""
    ranks = rankdata(values), rankdata(outcome)
    spread = float(np.prod([each.std() for each in ranks]))
    return abs(float(np.cov(*ranks, bias=True)[0, 1])) / spread if spread else 0.0


def _area(ranks: NDArray[np.float64], target: NDArray[np.bool_]) -> float:
    """Area under the curve of ranks, ties counted by halves (Mann and Whitney 1947)."""
    events = int(target.sum())
    others = len(target) - events
    if not (events and others):
        return 0.5
    return float((ranks[target].sum() - events * (events + 1) / 2) / (events * others))
