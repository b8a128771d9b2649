"""Metrics of answers that name one of several classes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.labels import ACCURACY, class_f1
from industry_apps.evaluation.metrics import (
    AUROC,
    AVERAGE_PRECISION,
    CALIBRATION_ERROR,
    Ranking,
    calibration_metric,
    weighted_mean,
)
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.evaluation.sections import Section

#: One of several classes.
CLASSES = Problem(
    name="classes",
    metrics=(
        AUROC,
        ACCURACY,
        Metric("balanced_accuracy", "mean over the classes of the share that is found"),
        Metric("macro_f1", "mean over the classes of the balance of precision and recall"),
        AVERAGE_PRECISION,
        CALIBRATION_ERROR,
    ),
    trivial=("prior",),
    classes=True,
)


__all__ = ["class_bootstrap", "confusion"]

_Floats = npt.NDArray[np.float64]


def class_bootstrap(
    target: npt.ArrayLike,
    probability: npt.ArrayLike,
    answer: npt.ArrayLike,
    *,
    groups: npt.ArrayLike | None = None,
    only: Collection[str] = (),
    resamples: int = 400,
    seed: int = 0,
) -> BootstrapResult:
    """Compute metrics of classes, and keep the resamples for paired comparisons.

    Parameters
    ----------
    target : array-like of int, shape (N,)
        Number of the true class, below K; every class must occur.
    probability : array-like of float, shape (N, K)
    answer : array-like of int, shape (N,)
        Number of the class that is answered.
    groups : array-like, shape (N,), optional
        Rows of one group are resampled together.
    only : collection of str
        Metrics that are asked for; all by default. Those of ranks take the most time.
    resamples, seed : int, default 400 and 0
        Of the bootstrap; same seed, same intervals.

    Returns
    -------
    BootstrapResult
        ``auroc``, ``balanced_accuracy``, ``macro_f1`` and ``average_precision``, means over the
        classes of each against all others (of two classes the area is the same for both);
        ``accuracy``; ``calibration_error`` of the probability of the likeliest class.

    Raises
    ------
    SchemaError
        When the arrays do not fit together, or a class does not occur.

    Examples
    --------
    >>> scores = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    >>> found = class_bootstrap([0, 1, 1, 1], scores, scores.argmax(axis=1)).estimates()
    >>> found["accuracy"].value, found["auroc"].value
    (0.75, 1.0)
    """
    truth, scores = np.asarray(target, np.intp), np.asarray(probability, np.float64)
    said = np.asarray(answer, np.intp)
    classes = scores.shape[1] if scores.ndim == 2 else 0
    if not (classes >= 2 and len(truth) == len(scores) == len(said) and np.isfinite(scores).all()):
        raise SchemaError(
            f"Expected a row of finite probabilities for each of {len(truth)} targets; got an "
            f"array of shape {scores.shape} and {len(said)} answers."
        )
    absent = sorted(set(range(classes)) - set(truth.tolist()))
    if absent:
        raise SchemaError(
            f"Class {absent[0]} does not occur among the {len(truth)} rows to judge on, so nothing "
            "can be said of it. Add rows of it."
        )
    each = [(truth == number, said == number) for number in range(classes)]
    ranks = [Ranking(isin, scores[:, number]) for number, (isin, _) in enumerate(each)]
    right, likeliest = said == truth, scores.argmax(axis=1)
    sure = calibration_metric(likeliest == truth, scores.max(axis=1), 10)

    def mean(of_class: Callable[[int, _Floats], float]) -> Callable[[_Floats], float]:
        return lambda weight: float(np.mean([of_class(n, weight) for n in range(classes)]))

    metrics: dict[str, Callable[[_Floats], float]] = {
        "auroc": mean(lambda n, weight: ranks[n].auroc(weight)),
        "accuracy": lambda weight: weighted_mean(right.astype(np.float64), weight),
        "balanced_accuracy": mean(lambda n, weight: _share(each[n][0] & right, each[n][0], weight)),
        "macro_f1": mean(lambda n, weight: class_f1(*each[n], weight)),
        "average_precision": mean(lambda n, weight: ranks[n].average_precision(weight)),
        "calibration_error": sure,
    }
    asked = {name: metric for name, metric in metrics.items() if not only or name in only}
    return bootstrap(asked, groups, len(truth), resamples=resamples, seed=seed)


def confusion(
    name: str, classes: Sequence[str], target: npt.NDArray[np.intp], said: npt.NDArray[np.intp]
) -> Section:
    """Count which class is taken for which, for a report.

    Parameters
    ----------
    name : str
        What the classes are of, as in "finding".
    classes : sequence of str
        K names.
    target, said : ndarray of int, shape (N,)
        Numbers of the true classes and of those that are answered.

    Examples
    --------
    >>> confusion("part", ["good", "bad"], np.array([0, 1, 1]), np.array([0, 0, 1])).records()
    [{'part': 'good', 'good': 1, 'bad': 0}, {'part': 'bad', 'good': 1, 'bad': 1}]
    """
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    np.add.at(counts, (target, said), 1)
    rows = [(each, *map(int, row)) for each, row in zip(classes, counts, strict=True)]
    text = "Rows: the truth. Columns: the answer."
    return Section("Confusion", text, [(name, *classes), *rows])


def _share(part: npt.NDArray[np.bool_], whole: npt.NDArray[np.bool_], weight: _Floats) -> float:
    total = float(weight @ whole)
    return float(weight @ part) / total if total else float("nan")
