"""Metrics of measured properties, several at once and with gaps, as means over the properties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.metrics import AUROC, AVERAGE_PRECISION, BRIER, Ranking
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.evaluation.sections import Section

#: Measured properties: numbers, or classes of yes and no.
PROPERTIES = Problem(
    name="properties",
    metrics=(
        Metric("rmse", "root of the mean squared error, in units", "low", best=0),
        AUROC,
        Metric("mae", "mean absolute error, in units", "low"),
        Metric("r2", "share of the variance that is explained"),
        AVERAGE_PRECISION,
        BRIER,
    ),
    trivial=("mean", "prevalence"),
)


__all__ = ["binary_bootstrap", "each_property", "number_bootstrap"]

_Floats = npt.NDArray[np.float64]
_Metric = Callable[[_Floats], float]


def number_bootstrap(
    target: _Floats, predicted: _Floats, *, resamples: int = 400, seed: int = 0
) -> BootstrapResult:
    """Compare numbers with what was measured.

    Parameters
    ----------
    target, predicted : ndarray of float, shape (N, T)
        NaN in the target where it was not measured.
    resamples, seed : int, default 400 and 0
        Of the bootstrap; same seed, same intervals.

    Returns
    -------
    BootstrapResult
        ``rmse``, ``mae``: means over the properties that were measured; ``r2``: over those of
        which two values differ.

    Raises
    ------
    SchemaError
        Nothing was measured.

    Examples
    --------
    >>> found = number_bootstrap(np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [2.0], [3.0]]))
    >>> round(found.values["rmse"], 3)
    0.577
    """
    gaps = [(known, target[known, t] - predicted[known, t]) for t, known in _known(target)]
    if not gaps:
        raise SchemaError("No property of any molecule was measured. Give some that were.")
    answers = [target[known, t] for t, known in _known(target)]

    def squared(weight: _Floats, place: int) -> float:
        known, gap = gaps[place]
        return _mean(gap**2, weight[known])

    def share(weight: _Floats, place: int) -> float:
        known, _ = gaps[place]
        middle = _mean(answers[place], weight[known])
        spread = _mean((answers[place] - middle) ** 2, weight[known])
        return 1 - squared(weight, place) / spread if spread else float("nan")

    places = range(len(gaps))
    varied = [place for place in places if len(np.unique(answers[place])) > 1]
    metrics: dict[str, _Metric] = {
        "rmse": lambda w: float(np.mean([np.sqrt(squared(w, place)) for place in places])),
        "mae": lambda w: float(np.mean([_mean(np.abs(gap), w[known]) for known, gap in gaps])),
        "r2": lambda w: float(np.mean([share(w, place) for place in varied or places])),
    }
    return bootstrap(metrics, None, len(target), resamples=resamples, seed=seed)


def binary_bootstrap(
    target: _Floats, probability: _Floats, *, resamples: int = 400, seed: int = 0
) -> BootstrapResult:
    """Compare probabilities of classes with what was found.

    Parameters
    ----------
    target, probability : ndarray of float, shape (N, T)
        0 or 1, and NaN in the target where it was not measured.
    resamples, seed : int, default 400 and 0
        Of the bootstrap; same seed, same intervals.

    Returns
    -------
    BootstrapResult
        ``auroc``, ``average_precision``, ``brier``: means over the properties of which both
        classes occur.

    Raises
    ------
    SchemaError
        Of no property do both classes occur.

    Examples
    --------
    >>> said = np.array([[0.1], [0.8], [0.6], [0.9]])
    >>> binary_bootstrap(np.array([[0.0], [1.0], [0.0], [1.0]]), said).values["auroc"]
    1.0
    """
    both = [(t, known) for t, known in _known(target) if len(np.unique(target[known, t])) > 1]
    if not both:
        raise SchemaError("No property has molecules of both classes. Give more molecules.")
    rankings = [(k, Ranking(target[k, t] > 0, probability[k, t])) for t, k in both]
    gaps = [(known, (target[known, t] - probability[known, t]) ** 2) for t, known in both]
    metrics: dict[str, _Metric] = {
        "auroc": lambda w: float(np.mean([each.auroc(w[known]) for known, each in rankings])),
        "average_precision": lambda w: float(
            np.mean([each.average_precision(w[known]) for known, each in rankings])
        ),
        "brier": lambda w: float(np.mean([_mean(gap, w[known]) for known, gap in gaps])),
    }
    return bootstrap(metrics, None, len(target), resamples=resamples, seed=seed)


def each_property(
    names: Sequence[str],
    target: _Floats,
    predicted: Mapping[str, _Floats],
    *,
    classes: bool,
) -> Section:
    """Compare systems on each property by itself, where a mean hides which one is hard.

    Parameters
    ----------
    names : sequence of str
        Of the T properties.
    target : ndarray of float, shape (N, T)
        NaN where it was not measured.
    predicted : mapping of str to ndarray of float, shape (N, T)
        System -> what it says.
    classes : bool
        Whether these are probabilities of classes; the metric is ``auroc`` then, else ``rmse``.

    Returns
    -------
    Section
        A row for each property. A metric is missing where it is not defined: one class only.

    Examples
    --------
    >>> target = np.array([[1.0, 5.0], [2.0, 5.0]])
    >>> each_property(["a", "b"], target, {"ours": target}, classes=False).rows()[0]
    ['property', 'measured', 'ours']
    """
    metric, measure = ("auroc", binary_bootstrap) if classes else ("rmse", number_bootstrap)
    rows: list[list[object]] = []
    for place, name in enumerate(names):
        column = target[:, [place]]
        values = np.unique(column[~np.isnan(column)])
        row: list[object] = [name, int((~np.isnan(column)).sum())]
        if classes:
            row.append(int(np.nansum(column)))
        if len(values) > classes:
            results = [measure(column, said[:, [place]]) for said in predicted.values()]
            row.extend(found.estimates()[metric] for found in results)
        else:
            row.extend([None] * len(predicted))
        rows.append(row)
    header = ["property", "measured", *(["active"] if classes else []), *predicted]
    return Section("Each property", f"By {metric}, with 95 % intervals.", [header, *rows])


def agreement(error: _Floats, spread: npt.NDArray[np.float32]) -> Section:
    """Mean error where the members of an ensemble agree and where they do not, in quarters.

    Parameters
    ----------
    error : ndarray of float, shape (N, T)
        Absolute; NaN where it was not measured.
    spread : ndarray of float32, shape (N, T)
        Standard deviation of the members.
    """
    known = ~np.isnan(error)
    errors, spreads = error[known], spread[known]
    order = np.argsort(spreads, kind="stable")
    names = ("most agreement", "more", "less", "least agreement")
    rows = [
        (name, len(part), float(spreads[part].mean()), float(errors[part].mean()))
        for name, part in zip(names, np.array_split(order, len(names)), strict=True)
        if len(part)
    ]
    header = ("members", "predictions", "mean std", "mean absolute error")
    text = "Whether the spread of the members tells where predictions are wrong."
    return Section("Agreement of the ensemble", text, [header, *rows])


def _known(target: _Floats) -> list[tuple[int, npt.NDArray[np.intp]]]:
    """Rows in which each property was measured; properties that never were are left out."""
    rows = [(t, np.flatnonzero(~np.isnan(target[:, t]))) for t in range(target.shape[1])]
    return [(t, known) for t, known in rows if len(known)]


def _mean(values: _Floats, weight: _Floats) -> float:
    total = float(weight.sum())
    return float(weight @ values) / total if total else float("nan")
