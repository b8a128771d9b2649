"""What a survival model has to beat: one curve for everybody, Cox's model, a forest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import require
from industry_apps.features import FeatureGraph, dense_encoders
from industry_apps.recipes.scorers import Arrays
from industry_apps.recipes.survival.metrics import (
    FollowUp,
    StepCurve,
    SurvivalAnswers,
    SurvivalScale,
    blocks,
    kaplan_meier,
)
from industry_apps.recipes.survival.models import Followed
from industry_apps.schema import Schema

__all__ = ["SurvivalBaselines"]

_Floats = NDArray[np.float64]

#: Trees of the forest, and rows of a leaf of it at least, as in scikit-survival's guide.
_FOREST = {"n_estimators": 100, "min_samples_split": 10, "min_samples_leaf": 15}
#: Rows and distinct times from which it learns, at most: a test of a split counts who is at
#: risk at each time, so that without these limits time grows with the square of the rows.
_MOST_ROWS, _MOST_TIMES = 8_000, 3_000
#: Intervals of time by which tests then count; forests of 64, 256 and all times rank alike.
_COARSE_TIMES = 64


class SurvivalBaselines:
    """What a model has to beat, fitted on the same rows and the same feature matrix.

    ``kaplan_meier``: one curve for everybody. ``cox`` and ``random_survival_forest``: those of
    scikit-survival; of more than 8 000 rows the forest learns from so many, drawn with the same
    share of events.

    Parameters
    ----------
    schema : Schema
    seed : int

    References
    ----------
    Ishwaran et al. 2008, "Random survival forests", doi:10.1214/08-AOAS169; Pölsterl 2020,
    "scikit-survival", JMLR 21(212).
    """

    def __init__(self, schema: Schema, *, seed: int = 0) -> None:
        self._plan = FeatureGraph(schema, dense_encoders(schema))
        self._seed = seed
        self._rows = 0  # until they are learned

    def fit(self, rows: Followed) -> SurvivalBaselines:
        """Learn from followed records.

        Raises
        ------
        MissingExtraError
        """
        linear, util = (
            require(f"sksurv.{name}", extra="healthcare", needed_by="the baselines of survival")
            for name in ("linear_model", "util")
        )
        self._features = self._plan.learn(rows.arrays)
        matrix = self._matrix(rows.arrays)
        target = util.Surv.from_arrays(rows.follow_up.event, rows.follow_up.time)
        # The small penalty makes columns that repeat one another harmless.
        self.cox_ = linear.CoxPHSurvivalAnalysis(alpha=0.1).fit(matrix, target)
        chosen = _drawn(rows.follow_up, _MOST_ROWS, self._seed)
        self.forest_ = _Forest(matrix[chosen], rows.follow_up.part(chosen), self._seed)
        self.everybody_ = kaplan_meier(rows.follow_up)
        self._rows = len(matrix)
        return self

    def notes(self) -> tuple[str, ...]:
        """What a reader has to know of them."""
        learned = len(self.forest_.follow_up) if self._rows else 0
        if learned == self._rows:
            return ()
        counts = " of ".join(f"{count:,}".replace(",", " ") for count in (learned, self._rows))
        return (
            f"The baseline random_survival_forest learned from {counts} rows, drawn with the same "
            "share of events.",
        )

    def answers(
        self, arrays: Arrays, scale: SurvivalScale
    ) -> Iterator[tuple[str, SurvivalAnswers]]:
        """Raw columns of shape [rows] -> names and what the metrics ask for, one by one.

        Their curves are large: who is done with a baseline can let it go before the next. There is
        none until they are learned.
        """
        if not self._rows:
            return
        matrix = self._matrix(arrays)
        times = np.append(scale.times, scale.horizons)
        curve = np.broadcast_to(self.everybody_.at(times), (len(matrix), len(times)))
        yield "kaplan_meier", _as_answers(np.zeros(len(matrix)), curve, scale)
        risk = self.cox_.predict(matrix)
        hazard = self.cox_.cum_baseline_hazard_
        # A survival of everybody's hazard, to the power of the risk of each.
        common = StepCurve(hazard.x, np.exp(-hazard.y)).at(times)
        yield "cox", _as_answers(risk, common ** np.exp(risk)[:, None], scale)
        yield "random_survival_forest", _as_answers(*self.forest_.answers(matrix, times), scale)

    def _matrix(self, arrays: Arrays) -> _Floats:
        return self._features.run(arrays)["numeric"].astype(np.float64)


def _as_answers(risk: _Floats, curves: _Floats, scale: SurvivalScale) -> SurvivalAnswers:
    """Curves at the times and then the horizons of a scale."""
    points = len(scale.times)
    return SurvivalAnswers(risk, curves[:, :points], curves[:, points:])


def _drawn(follow_up: FollowUp, most: int, seed: int) -> NDArray[np.intp]:
    """All rows in order, or so many of them with the share of events of all."""
    rows = np.arange(len(follow_up))
    if len(rows) <= most:
        return rows
    draw = np.random.default_rng(seed)
    events = round(most * float(follow_up.event.mean()))
    parts = ((rows[follow_up.event], events), (rows[~follow_up.event], most - events))
    return np.sort(np.concatenate([draw.choice(*part, replace=False) for part in parts]))


class _Forest:
    """scikit-survival's forest, whose leaves' curves are made where they are asked for.

    Its own leaves hold two values for each distinct time of follow-up: gigabytes for some
    thousand rows. Here a tree keeps the leaf of each of its rows, and Kaplan and Meier's curve
    of a leaf, which is the same, is read at the few times of a scale.
    """

    def __init__(self, matrix: _Floats, follow_up: FollowUp, seed: int) -> None:
        ensemble, util = (
            require(f"sksurv.{name}", extra="healthcare", needed_by="the baselines of survival")
            for name in ("ensemble", "util")
        )
        target = util.Surv.from_arrays(follow_up.event, _coarse(follow_up))
        self.follow_up = follow_up
        self._model = ensemble.RandomSurvivalForest(
            **_FOREST, random_state=seed, n_jobs=-1, low_memory=True
        ).fit(matrix, target)
        self._leaves = [
            (rows, tree.tree_.apply(matrix[rows].astype(np.float32)).astype(np.int32))
            for tree, rows in zip(
                self._model.estimators_, self._model.estimators_samples_, strict=True
            )
        ]

    def answers(self, matrix: _Floats, times: _Floats) -> tuple[_Floats, _Floats]:
        """Feature matrix [rows, features] -> risk [rows], survival at times [rows, times]."""
        asked = matrix.astype(np.float32)
        curves = np.zeros((len(matrix), len(times)))
        for tree, (rows, leaves) in zip(self._model.estimators_, self._leaves, strict=True):
            table = self._curves(rows, leaves, times)
            reached = tree.tree_.apply(asked)
            for part in blocks(len(matrix)):
                curves[part] += table[reached[part]]
        curves /= len(self._leaves)
        return self._model.predict(matrix), curves

    def _curves(self, rows: NDArray[Any], leaves: NDArray[Any], times: _Floats) -> _Floats:
        """Survival in each node [nodes, times], by the rows that the tree has put there."""
        order = np.argsort(leaves, kind="stable")
        names, starts = np.unique(leaves[order], return_index=True)
        found = np.ones((int(names[-1]) + 1, len(times)))
        for name, part in zip(names, np.split(rows[order], starts[1:]), strict=True):
            found[name] = kaplan_meier(self.follow_up.part(part)).at(times)
        return found


def _coarse(follow_up: FollowUp) -> _Floats:
    """Times of follow-up, or, where these are many, the next quantiles of the event times."""
    time = follow_up.time
    if len(np.unique(time)) <= _MOST_TIMES:
        return time
    shares = np.linspace(0, 1, _COARSE_TIMES + 1)[1:]
    ends = np.unique(np.quantile(time[follow_up.event], shares, method="higher"))
    # Who was followed beyond the last event is at risk at all of them.
    found: _Floats = np.append(ends, time.max())[np.searchsorted(ends, time)]
    return found
