"""Metrics of scores and decisions on independent rows: ranking and calibration.

Letters: N rows, B bins, T distinct scores.

Every metric takes optional weights [N]; a weight of 2 counts a row as if it stood there
twice, so a bootstrap resample is a vector of whole weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.problems import Metric

AUROC = Metric("auroc", "chance that a positive row is ranked above a negative one", best=1)
AVERAGE_PRECISION = Metric("average_precision", "mean precision over all positives", best=1)
BRIER = Metric("brier", "mean squared error of the probability", "low")
CALIBRATION_ERROR = Metric("calibration_error", "mean gap of predicted and observed share", "low")

__all__ = ["auroc", "average_precision", "brier", "calibration_error"]

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


class Ranking:
    """Rows sorted once by falling score; every further call costs one cumulative sum.

    Both metrics only look at the levels (runs of equal scores) that hold a positive row:
    L of them. Parameters are those of :func:`auroc`; the methods take weights [N].
    """

    def __init__(self, target: npt.ArrayLike, score: npt.ArrayLike) -> None:
        labels, scores = checked(target, score, both_classes=True)
        self._order = np.argsort(-scores, kind="stable")
        starts_level = np.diff(scores[self._order], prepend=np.inf) != 0
        first_rows = np.append(np.flatnonzero(starts_level), len(scores))
        positions = np.flatnonzero(labels[self._order])
        levels, self._level_of_positive = np.unique(
            np.cumsum(starts_level)[positions] - 1, return_inverse=True
        )
        self._positives = self._order[positions]
        self._first, self._end = first_rows[levels], first_rows[levels + 1]  # both [L]

    def _counts(self, weight: _Floats) -> tuple[_Floats, _Floats, _Floats, float]:
        """Return positives in each level, all rows above it, and with it [L]; and all rows."""
        total = np.append(0.0, np.cumsum(weight[self._order]))
        positives = np.zeros(len(self._first))
        np.add.at(positives, self._level_of_positive, weight[self._positives])
        return positives, total[self._first], total[self._end], float(total[-1])

    def auroc(self, weight: _Floats) -> float:
        """Compute :func:`auroc`, NaN when the weights leave one class."""
        positives, above, with_level, total = self._counts(weight)
        negatives = total - positives.sum()
        if negatives * positives.sum() == 0:
            return math.nan
        negatives_above = above - (np.cumsum(positives) - positives)
        tied = with_level - above - positives
        won = positives @ (negatives - negatives_above - tied / 2)
        return float(won / (negatives * positives.sum()))

    def average_precision(self, weight: _Floats) -> float:
        """Compute :func:`average_precision`, NaN when the weights leave no positive."""
        positives, _, with_level, _ = self._counts(weight)
        if positives.sum() == 0:
            return math.nan
        precision = np.cumsum(positives) / np.maximum(with_level, 1e-300)  # weight may be 0
        return float(positives @ precision / positives.sum())


def auroc(
    target: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None
) -> float:
    """Area under the receiver operating characteristic; ties count one half.

    Parameters
    ----------
    target : array-like of bool, shape (N,)
        Truth; both classes must occur.
    score : array-like of float, shape (N,)
        Higher means more likely positive.
    weight : array-like of float, shape (N,), optional
        How often each row counts; 1 when not given.

    Returns
    -------
    float
        In [0, 1]; 0.5 for a score that does not rank. NaN if the weights leave one class.

    Raises
    ------
    SchemaError
        When lengths differ, a score is not finite, or only one class occurs.

    References
    ----------
    Hanley, J. and McNeil, B. (1982). The meaning and use of the area under a ROC curve.
    Radiology 143, 29-36, doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> auroc([False, True, False, True], [0.1, 0.4, 0.4, 0.9])
    0.875
    """
    ranking = Ranking(target, score)
    return ranking.auroc(row_weights(weight, len(np.asarray(score))))


def average_precision(
    target: npt.ArrayLike, score: npt.ArrayLike, weight: npt.ArrayLike | None = None
) -> float:
    """Mean of the precision at every positive row, by falling score (no interpolation).

    Parameters
    ----------
    target, score, weight
        As in :func:`auroc`, and so are the errors.

    Returns
    -------
    float
        In (0, 1]; the share of positives for a score that does not rank.

    References
    ----------
    Davis, J. and Goadrich, M. (2006). The relationship between precision-recall and ROC
    curves. ICML, doi:10.1145/1143844.1143874.

    Examples
    --------
    >>> average_precision([False, True, False, True], [0.1, 0.4, 0.5, 0.9])
    0.8333333333333333
    """
    ranking = Ranking(target, score)
    return ranking.average_precision(row_weights(weight, len(np.asarray(score))))


def brier(
    target: npt.ArrayLike, probability: npt.ArrayLike, weight: npt.ArrayLike | None = None
) -> float:
    """Mean squared difference between probability and outcome; 0 is perfect.

    Parameters
    ----------
    target, probability, weight
        As in :func:`calibration_error`.

    References
    ----------
    Brier, G. (1950). Verification of forecasts expressed in terms of probability. Monthly
    Weather Review 78, 1-3, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.

    Examples
    --------
    >>> brier([False, True], [0.5, 1.0])
    0.125
    """
    labels, scores = checked(target, probability)
    return weighted_mean((scores - labels) ** 2, row_weights(weight, len(scores)))


def calibration_bins(probability: _Floats, bins: int) -> npt.NDArray[np.intp]:
    """Return the bin [N] of each row: bins of equal count, equal probabilities together."""
    edges = np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(np.unique(edges), probability, side="left")


def calibration_error(
    target: npt.ArrayLike,
    probability: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    *,
    bins: int = 10,
) -> float:
    """Expected calibration error over bins that hold equally many rows.

    In each bin, the distance between the mean probability and the share of positives;
    averaged over bins by their weight. Equal counts, because bins of equal width would put
    nearly all rows of a rare event into the first. Rows of equal probability share a bin.

    Parameters
    ----------
    target : array-like of bool, shape (N,)
        Truth.
    probability : array-like of float, shape (N,)
        In [0, 1].
    weight : array-like of float, shape (N,), optional
        How often each row counts; bins do not move with the weights.
    bins : int, default 10
        B, at least 1.

    Returns
    -------
    float
        In [0, 1]; 0 is perfect.

    Raises
    ------
    SchemaError
        When lengths differ or a probability is not finite.

    References
    ----------
    Naeini, M., Cooper, G. and Hauskrecht, M. (2015). Obtaining well calibrated
    probabilities using Bayesian binning. AAAI 29, doi:10.1609/aaai.v29i1.9602.
    Nixon, J. et al. (2019). Measuring calibration in deep learning. arXiv:1904.01685
    (bins of equal count).

    Examples
    --------
    >>> round(calibration_error([False, True], [0.2, 0.9]), 3)
    0.15
    """
    labels, scores = checked(target, probability)
    return calibration_metric(labels, scores, bins)(row_weights(weight, len(scores)))


def calibration_metric(labels: _Bools, scores: _Floats, bins: int) -> Callable[[_Floats], float]:
    """Return :func:`calibration_error` of these rows as a function of the weights [N]."""
    bin_of_row, gap = calibration_bins(scores, bins), scores - labels

    def metric(weight: _Floats) -> float:
        total = weight.sum()
        by_bin = np.bincount(bin_of_row, weights=weight * gap)  # [B]
        return float(np.abs(by_bin).sum() / total) if total else math.nan

    return metric


def checked(
    target: npt.ArrayLike, score: npt.ArrayLike, *, both_classes: bool = False
) -> tuple[_Bools, _Floats]:
    """Return target and score as arrays [N], or raise SchemaError with the first bad row."""
    labels, scores = np.asarray(target).astype(bool), np.asarray(score, dtype=np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape or labels.size == 0:
        raise SchemaError(
            "target and score must be one-dimensional, equally long and not empty. "
            f"Got shapes {labels.shape} and {scores.shape}."
        )
    bad = np.flatnonzero(~np.isfinite(scores))
    if bad.size:
        raise SchemaError(
            f"A score must be a finite number. Row {bad[0]} holds {scores[bad[0]]} "
            f"({bad.size} such rows); check the model that made it."
        )
    if both_classes and labels.all() == labels.any():
        found = "positive" if labels[0] else "negative"
        raise SchemaError(
            f"All {labels.size} rows of the target are {found}, so no ranking can be judged. "
            "Evaluate on more rows or a longer period, in which both classes occur."
        )
    return labels, scores


def row_weights(weight: npt.ArrayLike | None, n_rows: int) -> _Floats:
    """Return the weights [N]; 1 for each row when there are none."""
    return np.ones(n_rows) if weight is None else np.asarray(weight, dtype=np.float64)


def weighted_mean(values: _Floats, weight: _Floats) -> float:
    """Return the weighted mean; NaN when all weights are 0."""
    total = weight.sum()
    return float(weight @ values / total) if total else math.nan
