"""Metrics of scores that say how unlike the normal records another one is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.metrics import AUROC, AVERAGE_PRECISION, Ranking, weighted_mean
from industry_apps.evaluation.problems import Metric, Problem

__all__ = ["ANOMALIES", "anomaly_bootstrap"]

#: Records that are unlike the normal ones, of which alone was learned.
ANOMALIES = Problem(
    name="anomalies",
    metrics=(
        AUROC,
        AVERAGE_PRECISION,
        Metric("auroc_*", "the same, of the anomalies of one kind against all normal records"),
        Metric("detection_rate", "share of the anomalies that raise an alarm"),
        Metric("false_alarm_rate", "share of the normal records that raise an alarm", "low"),
    ),
    trivial=("constant",),
)

_Floats = npt.NDArray[np.float64]


def anomaly_bootstrap(
    anomalous: npt.ArrayLike,
    score: npt.ArrayLike,
    alarm: npt.ArrayLike,
    *,
    kinds: Mapping[str, npt.ArrayLike] | None = None,
    groups: npt.ArrayLike | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> BootstrapResult:
    """Compute metrics of anomaly scores, and keep the resamples for paired comparisons.

    Parameters
    ----------
    anomalous : array-like of bool, shape (N,)
        Truth; both values must occur.
    score : array-like of float, shape (N,)
        Higher where a record is less like the normal ones.
    alarm : array-like of bool, shape (N,)
    kinds : mapping of str to array-like of bool, shape (N,), optional
        Name -> which records are anomalies of this kind.
    groups : array-like, shape (N,), optional
        Records of one group (a machine, a part) are resampled together.
    resamples, seed : int, default 400 and 0

    Returns
    -------
    BootstrapResult
        ``auroc``, ``average_precision``, ``auroc_<kind>``, ``detection_rate`` and
        ``false_alarm_rate``.

    Examples
    --------
    >>> found = anomaly_bootstrap([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.9], [0, 0, 0, 1]).estimates()
    >>> found["auroc"].value, found["detection_rate"].value
    (0.75, 0.5)
    """
    bad = np.asarray(anomalous, dtype=bool)
    scores = np.asarray(score, dtype=np.float64)
    raised = np.asarray(alarm, dtype=np.float64)
    ranking = Ranking(bad, scores)
    metrics: dict[str, Callable[[_Floats], float]] = {
        "auroc": ranking.auroc,
        "average_precision": ranking.average_precision,
        "detection_rate": lambda weight: _mean(raised, weight * bad),
        "false_alarm_rate": lambda weight: _mean(raised, weight * ~bad),
    }
    for name, rows in (kinds or {}).items():
        of_kind = np.asarray(rows, dtype=bool)
        metrics[f"auroc_{name}"] = _against_normal(of_kind, bad, scores)
    return bootstrap(metrics, groups, len(scores), resamples=resamples, seed=seed)


def _against_normal(
    of_kind: npt.NDArray[np.bool_], bad: npt.NDArray[np.bool_], scores: _Floats
) -> Callable[[_Floats], float]:
    """The area under the curve of the anomalies of one kind against all normal records."""
    chosen = of_kind | ~bad
    ranking = Ranking(of_kind[chosen], scores[chosen])
    return lambda weight: ranking.auroc(weight[chosen])


def _mean(values: _Floats, weight: _Floats) -> float:
    return weighted_mean(values, weight) if weight.sum() else float("nan")
