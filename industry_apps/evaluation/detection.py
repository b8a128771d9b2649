"""Detection where an analyst works: at a rate of false alarms that there are hands for.

The threshold is set on the judged records themselves, so that systems are compared at the same
false-positive rate; a system in service has a threshold set before, and another rate. Records of
equal score are alarms together or not at all, so a rate is never exceeded.

Letters: N rows, L levels (runs of equal scores).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from industry_apps.errors import ParameterError, TrainingError
from industry_apps.evaluation.intervals import BootstrapResult, Estimate, bootstrap
from industry_apps.evaluation.metrics import (
    AUROC,
    AVERAGE_PRECISION,
    BRIER,
    CALIBRATION_ERROR,
    checked,
)
from industry_apps.evaluation.problems import Metric, Problem

#: What a problem declares of the metrics here.
DETECTION_METRICS = (
    Metric("detection_at_*", "share found, at so many false alarms of the harmless", best=1),
    Metric("partial_auroc_to_*", "mean detection up to a false-positive rate", best=1),
)
#: A decision of which the false alarms are what is limited.
DETECTION = Problem(
    name="detection",
    metrics=(
        Metric("detection_at_1_percent", DETECTION_METRICS[0].meaning, best=1),
        Metric("detection_at_0.1_percent", DETECTION_METRICS[0].meaning, best=1),
        AUROC,
        AVERAGE_PRECISION,
        *DETECTION_METRICS,
        BRIER,
        CALIBRATION_ERROR,
        Metric("expected_cost", "false alarms and missed ones a row", "low"),
    ),
    trivial=("prevalence",),
    classes=True,
)
#: One false alarm in a hundred, and in a thousand.
RATES = (0.01, 0.001)

__all__ = [
    "DETECTION",
    "DETECTION_METRICS",
    "RATES",
    "Detection",
    "DetectionCurve",
    "detection_at",
    "detection_metrics",
    "detection_name",
    "rate_threshold",
]

_Floats = npt.NDArray[np.float64]


def detection_name(rate: float) -> str:
    """Name of the metric, as ``detection_at_0.1_percent``.

    Parameters
    ----------
    rate : float
        In (0, 1).

    Examples
    --------
    >>> detection_name(0.01), detection_name(0.001)
    ('detection_at_1_percent', 'detection_at_0.1_percent')
    """
    return f"detection_at_{_percent(rate)}"


@dataclass(frozen=True, slots=True)
class Detection:
    """What is found at a false-positive rate, with the counts behind it.

    Parameters
    ----------
    rate : float
        The rate that was allowed.
    share : Estimate
        Detected of all positive rows, with its 95 % interval.
    threshold : float
        Rows with at least this score are alarms; infinite where even the highest level has too
        many false ones.
    detected, positives : int
    false_alarms, negatives : int
        ``false_alarms <= rate * negatives``.
    """

    rate: float
    share: Estimate
    threshold: float
    detected: int
    positives: int
    false_alarms: int
    negatives: int

    def __str__(self) -> str:
        return (
            f"{self.share}: {self.detected} of {self.positives} at {self.false_alarms} false "
            f"alarms among {self.negatives} (at most {100 * self.rate:g} %)"
        )


class DetectionCurve:
    """Rows sorted once by falling score; every resample costs two cumulative sums.

    Parameters
    ----------
    scores, labels
        As in :func:`detection_at`, and so are the errors.
    """

    def __init__(self, scores: npt.ArrayLike, labels: npt.ArrayLike) -> None:
        self._labels, self._scores = checked(labels, scores, both_classes=True)
        self._order = np.argsort(-self._scores, kind="stable")
        falling = self._scores[self._order]
        self._ends = np.flatnonzero(np.append(np.diff(falling) != 0, True))  # [L]
        self._positive = self._labels[self._order]

    def __len__(self) -> int:
        return len(self._scores)

    def cumulated(self, weight: _Floats) -> tuple[_Floats, _Floats]:
        """Positive and negative rows with at least the score of each level, twice [L]."""
        sorted_weight = weight[self._order]
        positives = np.cumsum(np.where(self._positive, sorted_weight, 0.0))
        negatives = np.cumsum(np.where(self._positive, 0.0, sorted_weight))
        return positives[self._ends], negatives[self._ends]

    def detection(self, rate: float) -> Callable[[_Floats], float]:
        """The share detected at a rate, as a function of weights [N]; NaN without both classes."""

        def metric(weight: _Floats) -> float:
            positives, negatives = self.cumulated(weight)
            if positives[-1] * negatives[-1] == 0:
                return math.nan
            level = _allowed(negatives, rate)
            return float(positives[level] / positives[-1]) if level >= 0 else 0.0

        return metric

    def partial_auroc(self, rate: float) -> Callable[[_Floats], float]:
        """Mean detection over rates from 0 to `rate` (ties cut by a straight line), in [0, 1].

        References
        ----------
        McClish (1989), "Analyzing a portion of the ROC curve", doi:10.1177/0272989X8900900307;
        the area is divided by `rate`, so that 1 is perfect and ``rate / 2`` is chance.
        """

        def metric(weight: _Floats) -> float:
            positives, negatives = self.cumulated(weight)
            if positives[-1] * negatives[-1] == 0:
                return math.nan
            false = np.append(0.0, negatives / negatives[-1])
            true = np.append(0.0, positives / positives[-1])
            inside = false < rate
            x = np.append(false[inside], rate)
            # Of several levels at one rate the last is the one the curve goes on from.
            y = np.append(true[inside], _at(rate, false, true))
            return float(np.trapezoid(y, x) / rate)

        return metric

    def at(self, rate: float) -> tuple[float, int, int]:
        """Threshold, rows detected and false alarms at a rate, on the rows as they are."""
        positives, negatives = self.cumulated(np.ones(len(self._scores)))
        level = _allowed(negatives, rate)
        if level < 0:
            return math.inf, 0, 0
        threshold = self._scores[self._order[self._ends[level]]]
        return float(threshold), int(positives[level]), int(negatives[level])


def detection_at(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    rate: float,
    *,
    groups: npt.ArrayLike | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> Detection:
    """Share of the positive rows that is found where at most `rate` of the negatives are alarms.

    Parameters
    ----------
    scores : array-like of float, shape (N,)
        Higher means more likely positive.
    labels : array-like of bool, shape (N,)
        Truth; both classes must occur.
    rate : float
        Of false alarms among the negative rows, in (0, 1).
    groups : array-like, shape (N,), optional
        Rows of one group are resampled together; each row alone by default.
    resamples, seed : int, default 400 and 0
        Of the bootstrap, in which the threshold is set anew on each resample.

    Returns
    -------
    Detection

    Raises
    ------
    ParameterError
        The rate is not in (0, 1), or there are fewer than ``1 / rate`` negatives: a rate that
        allows less than one false alarm says nothing.
    SchemaError
        When lengths differ, a score is not finite, or only one class occurs.

    Examples
    --------
    >>> labels = np.arange(1000) < 100
    >>> found = detection_at(labels + np.arange(1000) % 7 / 5, labels, 0.01)
    >>> found.detected, found.positives, found.false_alarms, found.negatives
    (70, 100, 0, 900)
    """
    curve, name = DetectionCurve(scores, labels), detection_name(rate)
    found = detection_metrics(
        scores, labels, rates=(rate,), groups=groups, resamples=resamples, seed=seed
    )
    truth = np.asarray(labels).astype(bool)
    threshold, detected, false = curve.at(rate)
    return Detection(
        rate=rate,
        share=found.estimates()[name],
        threshold=threshold,
        detected=detected,
        positives=int(truth.sum()),
        false_alarms=false,
        negatives=int((~truth).sum()),
    )


def rate_threshold(labels: npt.ArrayLike, scores: npt.ArrayLike, rate: float) -> float:
    """The lowest score from which on at most `rate` of the negative rows are alarms.

    Infinite, so that nothing is an alarm, where even the highest score has too many of them.

    Parameters
    ----------
    labels, scores
        As in :func:`detection_at`, of rows that were not learned from.
    rate : float
        In (0, 1).

    Raises
    ------
    TrainingError
        There are fewer than ``1 / rate`` negatives.

    Examples
    --------
    >>> rate_threshold(np.arange(100) >= 50, np.arange(100) / 100, 0.1)
    0.45
    """
    negatives = int((~np.asarray(labels).astype(bool)).sum())
    threshold = DetectionCurve(scores, labels).at(rate)[0]
    if rate * negatives < 1 - 1e-9:
        raise TrainingError(
            f"A threshold for {rate:g} of false alarms cannot be sought on {negatives} negative "
            f"rows that were held out; expected {math.ceil(1 / rate)} at least. Give more rows, or "
            "a higher false_positive_rate."
        )
    return threshold


def finite(threshold: float) -> float:
    """Refuse a threshold at which nothing is an alarm.

    Parameters
    ----------
    threshold : float
        From :func:`rate_threshold`.

    Raises
    ------
    TrainingError
        It is infinite.
    """
    if not math.isfinite(threshold):
        raise TrainingError(
            "No threshold keeps to the false_positive_rate: more of the held-out negative rows "
            "than it allows have the highest probability. Give more rows, or a higher rate."
        )
    return threshold


def detection_metrics(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    rates: Sequence[float] = RATES,
    partial: float | None = None,
    groups: npt.ArrayLike | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> BootstrapResult:
    """Detection at several rates, and its mean up to one, kept by resample for comparisons.

    Parameters
    ----------
    scores, labels
        As in :func:`detection_at`, and so are the errors.
    rates : sequence of float
        In (0, 1).
    partial : float, optional
        Adds ``partial_auroc_to_<percent>``, the mean detection up to this rate.
    groups, resamples, seed
        As in :func:`detection_at`.

    Examples
    --------
    >>> labels = np.arange(1000) < 100
    >>> scores = labels + np.arange(1000) % 7 / 5
    >>> found = detection_metrics(scores, labels, rates=(0.01,), partial=0.05)
    >>> {name: round(value, 2) for name, value in found.values.items()}
    {'detection_at_1_percent': 0.7, 'partial_auroc_to_5_percent': 0.73}
    """
    curve = DetectionCurve(scores, labels)
    negatives = int((~np.asarray(labels).astype(bool)).sum())
    for rate in (*rates, *(() if partial is None else (partial,))):
        if not 0 < rate < 1 or rate * negatives < 1 - 1e-9:
            raise ParameterError(
                f"A false-positive rate of {rate!r} cannot be judged on {negatives} negative rows: "
                "it must be in (0, 1) and allow one false alarm at least. Give more negative rows, "
                f"or a rate of {1 / negatives:.2g} or more."
            )
    metrics = {detection_name(rate): curve.detection(rate) for rate in rates}
    if partial is not None:
        metrics[f"partial_auroc_to_{_percent(partial)}"] = curve.partial_auroc(partial)
    return bootstrap(metrics, groups, len(curve), resamples=resamples, seed=seed)


def _allowed(negatives: _Floats, rate: float) -> int:
    """The last level [L] at which the false alarms are within the rate; -1 for none."""
    most = rate * negatives[-1] * (1 + 1e-12)  # 0.07 * 100 is more than 7
    return int(np.searchsorted(negatives, most, side="right")) - 1


def _at(rate: float, false: _Floats, true: _Floats) -> float:
    """The curve at a rate, the highest where it is steep."""
    behind = int(np.searchsorted(false, rate, side="right")) - 1
    if false[behind] == rate or behind == len(false) - 1:
        return float(true[behind])
    slope = (true[behind + 1] - true[behind]) / (false[behind + 1] - false[behind])
    return float(true[behind] + slope * (rate - false[behind]))


def _percent(rate: float) -> str:
    return f"{100 * rate:g}_percent"
