"""How detectors of single records are judged, and what they are compared with.

Letters: N records, F features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.detection import (
    DETECTION_METRICS,
    RATES,
    detection_at,
    detection_metrics,
)
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap, wilson
from industry_apps.evaluation.metrics import AUROC, Ranking
from industry_apps.evaluation.problems import Problem
from industry_apps.evaluation.sections import Section
from industry_apps.features import FeatureGraph, plain_encoders
from industry_apps.recipes.anomaly.members import UnlikeNormal
from industry_apps.recipes.anomaly.scorers import NearestRows
from industry_apps.recipes.decision.baselines import fit_decision_baselines
from industry_apps.recipes.scorers import Arrays, Labelled
from industry_apps.schema import Schema

__all__ = [
    "RECORD_DETECTION",
    "Kinds",
    "RecordBaselines",
    "detection_bootstrap",
    "detection_section",
]

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]
_Numbers = NDArray[np.float32]

#: Attacks among normal records, found at a rate of false alarms that there are hands for.
RECORD_DETECTION = Problem(
    name="record detection", metrics=(*DETECTION_METRICS, AUROC), trivial=("constant",)
)
#: False-positive rate up to which the area under the curve is taken.
_PARTIAL = 0.05
_TREES = 100
#: Normal records that others are compared with, at most.
_KEPT = 20_000


def rates_of(normal: int) -> tuple[float, ...]:
    """The rates that so many normal records can tell: those that allow one false alarm."""
    return tuple(rate for rate in RATES if rate * normal >= 1)


def detection_bootstrap(target: _Bools, score: _Floats) -> BootstrapResult:
    """Detection at 1 % and 0.1 % false alarms, its mean up to 5 %, and AUROC, by resample.

    Parameters
    ----------
    target : ndarray of bool, shape [N]
        Whether a record is an attack; both values must occur.
    score : ndarray of shape [N]
    """
    found = detection_metrics(score, target, rates=rates_of(int((~target).sum())), partial=_PARTIAL)
    # The same seed, so the same resamples.
    area = bootstrap({"auroc": Ranking(target, score).auroc}, None, len(score))
    return found.joined(area)


def detection_section(target: _Bools, score: _Floats) -> Section:
    """The counts behind detection at a rate of false alarms of these records.

    Parameters
    ----------
    target : ndarray of bool, shape (N,)
    score : ndarray of float, shape (N,)
    """
    rows: list[tuple[object, ...]] = [
        ("false alarms allowed", "detection", "found", "attacks", "false alarms", "normal")
    ]
    for rate in rates_of(int((~target).sum())):
        at = detection_at(score, target, rate)
        rows.append(
            (f"{rate:.1%}", at.share, at.detected, at.positives, at.false_alarms, at.negatives)
        )
    return Section(
        "Detection at a rate of false alarms",
        "The threshold is set on the normal records of this test, so that systems can be compared "
        "at one rate. In service it is set before, and its rate is another.",
        rows,
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class Kinds:
    """Recall of attacks by kind and by family, those that training had none of apart.

    Parameters
    ----------
    target, alarm : ndarray of bool, shape [N]
    kind, family : ndarray of str, shape [N], optional
        Of each attack.
    known : collection of str
        Kinds of attack in training.
    """

    target: _Bools
    alarm: _Bools
    kind: NDArray[np.object_] | None
    family: NDArray[np.object_] | None
    known: frozenset[str]

    def section(self) -> Section | None:
        """Attacks, those found, and the share, with its interval."""
        rows: list[tuple[object, ...]] = [("attacks", "records", "found", "recall", "low", "high")]
        if self.kind is not None:
            new = ~np.isin(self.kind.astype(str), sorted(self.known))
            rows += self._row("kinds that training had", self.target & ~new)
            rows += self._row("kinds that training had not", self.target & new)
        for name, column in (("family", self.family), ("kind", self.kind)):
            if column is not None:
                for each in sorted(set(column[self.target].tolist())):
                    new_kind = name == "kind" and each not in self.known
                    told = f"{name} {each}" + (", not in training" if new_kind else "")
                    rows += self._row(told, self.target & (column == each))
        if len(rows) == 1:
            return None
        return Section(
            "Attacks by kind", "Share that raises an alarm at the threshold of the model.", rows
        )

    def _row(self, name: str, chosen: _Bools) -> list[tuple[object, ...]]:
        count, found = int(chosen.sum()), int((self.alarm & chosen).sum())
        if not count:
            return []
        low, high = wilson(np.array([found / count]), np.array([count]))
        return [(name, count, found, found / count, float(low[0]), float(high[0]))]


class RecordBaselines:
    """What a detector has to beat, learned from the same records.

    A score that is always the same; the distance to the mean of normal records, and to the nearest
    one; an isolation forest as scikit-learn has it; and, where attacks are known, a logistic
    regression, LightGBM and a random forest as they come.

    Parameters
    ----------
    schema : Schema
    seed : int
    """

    def __init__(self, schema: Schema, seed: int) -> None:
        self._plain, self._seed = FeatureGraph(schema, plain_encoders(schema)), seed
        self._nearest = UnlikeNormal(schema, partial(NearestRows.learn, kept=_KEPT, most=1))
        self.models_: dict[str, Callable[[_Numbers], _Floats]] = {}

    def fit(self, train: Labelled) -> RecordBaselines:
        """Learn from training records."""
        self._nearest.fit(train, None)
        self._features = self._plain.learn(train.arrays)
        rows = self._features.run(train.arrays)["numeric"]
        normal = rows[~train.target]
        with np.errstate(all="ignore"):
            middle = np.nan_to_num(np.nanmean(np.where(np.isfinite(normal), normal, 0), axis=0))
        filled = partial(_filled, middle.astype(np.float32))
        self.models_ = {
            "constant": _constant,
            "distance_to_mean": _Distance(filled(normal), filled),
            "isolation_forest": _Isolation(filled(normal), filled, self._seed),
        }
        if min(train.target.sum(), (~train.target).sum()) > 0:
            others = fit_decision_baselines(rows, train.target, seed=self._seed)
            self.models_ |= {n: b.predict for n, b in others.items() if n != "prevalence"}
            self.models_["random_forest"] = _Forest(filled(rows), train.target, filled, self._seed)
        return self

    def scores(self, arrays: Arrays) -> Mapping[str, _Floats]:
        """Raw columns [N] -> {baseline: score [N]}."""
        if not self.models_:
            return {}
        rows = self._features.run(arrays)["numeric"]
        found = {name: model(rows) for name, model in self.models_.items()}
        return {**found, "nearest_normal": self._nearest.margin(arrays)}


_Fill = Callable[[_Numbers], _Numbers]


def _constant(rows: _Numbers) -> _Floats:
    return np.zeros(len(rows))


def _filled(middle: _Numbers, rows: _Numbers) -> _Numbers:
    return np.where(np.isfinite(rows), rows, middle)


class _Distance:
    """The length of a standardised record."""

    def __init__(self, normal: _Numbers, filled: _Fill) -> None:
        self._filled, self._mean = filled, normal.mean(axis=0, dtype=np.float64)
        spread = normal.std(axis=0, dtype=np.float64)
        self._scale = np.where(spread > 0, spread, 1.0)

    def __call__(self, rows: _Numbers) -> _Floats:
        apart = np.clip((self._filled(rows) - self._mean) / self._scale, -1e3, 1e3)
        return np.sqrt((apart**2).sum(axis=1))


class _Isolation:
    """scikit-learn's isolation forest of normal records."""

    def __init__(self, normal: _Numbers, filled: _Fill, seed: int) -> None:
        from sklearn.ensemble import IsolationForest

        self._filled = filled
        self._model = IsolationForest(n_estimators=_TREES, random_state=seed).fit(normal)

    def __call__(self, rows: _Numbers) -> _Floats:
        return -np.asarray(self._model.score_samples(self._filled(rows)), dtype=np.float64)


class _Forest:
    """scikit-learn's random forest."""

    def __init__(self, rows: _Numbers, target: _Bools, filled: _Fill, seed: int) -> None:
        from sklearn.ensemble import RandomForestClassifier

        self._filled = filled
        self._model = RandomForestClassifier(n_estimators=_TREES, random_state=seed)
        self._model.fit(rows, target)

    def __call__(self, rows: _Numbers) -> _Floats:
        found = self._model.predict_proba(self._filled(rows))[:, 1]
        return np.asarray(found, dtype=np.float64)
