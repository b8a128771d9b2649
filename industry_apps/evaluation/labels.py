"""Metrics of texts and images that are told apart into two classes of equal weight."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.metrics import (
    AUROC,
    AVERAGE_PRECISION,
    CALIBRATION_ERROR,
    Ranking,
    calibration_metric,
    checked,
    weighted_mean,
)
from industry_apps.evaluation.problems import Metric, Problem

ACCURACY = Metric("accuracy", "share of rows whose likelier class is the true one", best=1)

#: The likelier of two labels of a text.
LABELS = Problem(
    name="labels",
    metrics=(
        ACCURACY,
        Metric("macro_f1", "mean over the classes of the balance of precision and recall"),
        AUROC,
        AVERAGE_PRECISION,
        CALIBRATION_ERROR,
    ),
    trivial=("prevalence",),
    classes=True,
)


__all__ = ["label_bootstrap"]

_Floats = npt.NDArray[np.float64]


def label_bootstrap(
    target: npt.ArrayLike,
    probability: npt.ArrayLike,
    *,
    threshold: float = 0.5,
    groups: npt.ArrayLike | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> BootstrapResult:
    """Compute metrics of a two-way label, and keep the resamples for paired comparisons.

    Parameters
    ----------
    target : array-like of bool, shape (N,)
        Truth; both classes must occur.
    probability : array-like of float, shape (N,)
        Of the positive class, in [0, 1].
    threshold : float, default 0.5
        The label is positive from this probability on.
    groups : array-like, shape (N,), optional
        Rows of one group are resampled together; each row alone by default.
    resamples, seed : int, default 400 and 0
        Of the bootstrap; same seed, same intervals.

    Returns
    -------
    BootstrapResult
        ``accuracy``, ``macro_f1``, ``auroc``, ``average_precision``, ``calibration_error``.

    Raises
    ------
    SchemaError
        When lengths differ, a probability is not finite, or only one class occurs.

    Examples
    --------
    >>> found = label_bootstrap([0, 1, 0, 1], [0.1, 0.8, 0.6, 0.9]).estimates()
    >>> found["accuracy"].value, round(found["macro_f1"].value, 3)
    (0.75, 0.733)
    """
    labels, scores = checked(target, probability, both_classes=True)
    said, ranking = scores >= threshold, Ranking(labels, scores)
    right = (said == labels).astype(np.float64)
    metrics: dict[str, Callable[[_Floats], float]] = {
        "accuracy": lambda weight: weighted_mean(right, weight),
        "macro_f1": lambda weight: float(
            np.mean([class_f1(labels == side, said == side, weight) for side in (True, False)])
        ),
        "auroc": ranking.auroc,
        "average_precision": ranking.average_precision,
        "calibration_error": calibration_metric(labels, scores, 10),
    }
    return bootstrap(metrics, groups, len(scores), resamples=resamples, seed=seed)


def class_f1(labels: npt.NDArray[np.bool_], said: npt.NDArray[np.bool_], weight: _Floats) -> float:
    """Harmonic mean of precision and recall of one class; 0 where it is never said nor true."""
    both = float(weight @ (labels & said))
    total = float(weight @ labels + weight @ said)
    return 2 * both / total if total else 0.0
