"""Baselines that a model has to beat before it is worth its cost.

Letters: N rows, F features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from industry_apps.errors import TrainingError, require

__all__ = ["Baseline", "fit_decision_baselines", "fit_one_column"]

_Floats = npt.NDArray[np.float64]
_Features = npt.NDArray[np.float32]
_Labels = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A fitted baseline.

    Parameters
    ----------
    description : str
        One sentence for the report.
    predict : callable
        From features [N, F], float32 with NaN for missing, to probabilities [N].
    """

    description: str
    predict: Callable[[_Features], _Floats]


def fit_decision_baselines(
    features: _Features, target: npt.ArrayLike, *, seed: int = 0
) -> dict[str, Baseline]:
    """Fit one trivial and two strong classical baselines for a yes-or-no target.

    Parameters
    ----------
    features : ndarray of float32, shape (N, F)
        NaN means missing; infinite values are not allowed.
    target : array-like of bool, shape (N,)
        Truth; both classes must occur.
    seed : int, default 0
        Same seed, same baselines.

    Returns
    -------
    dict of str to Baseline
        ``prevalence``: the share of positives, for every row. ``logistic_regression``:
        medians for missing values, standardised, L2 penalty, no class weights.
        ``lightgbm_default``: LightGBM as it comes.

    Raises
    ------
    TrainingError
        When only one class occurs.
    MissingExtraError
        When scikit-learn or LightGBM is not installed.

    References
    ----------
    Ke, G. et al. (2017). LightGBM: a highly efficient gradient boosting decision tree. NIPS.

    Examples
    --------
    >>> x = np.arange(20, dtype=np.float32).reshape(10, 2)
    >>> fitted = fit_decision_baselines(x, [False] * 5 + [True] * 5)
    >>> fitted["prevalence"].predict(x[:2])
    array([0.5, 0.5])
    """
    labels = np.asarray(target).astype(bool)
    if labels.all() == labels.any():
        raise TrainingError(
            f"All {labels.size} training rows have the same target, so there is nothing to learn. "
            "Train on more rows or a longer period, in which both classes occur."
        )
    prevalence = float(labels.mean())
    return {
        "prevalence": Baseline(
            "The share of positives in the training rows, for every row",
            partial(_constant, prevalence),
        ),
        "logistic_regression": Baseline(
            "Logistic regression on standardised features, medians for missing values",
            _logistic_regression(features, labels),
        ),
        "lightgbm_default": Baseline(
            "LightGBM with its default parameters",
            partial(_positive_column, _lightgbm(seed).fit(features, labels)),
        ),
    }


def fit_one_column(features: _Features, target: npt.ArrayLike, place: int, name: str) -> Baseline:
    """Fit a threshold on one number: a logistic regression that sees no other.

    Parameters
    ----------
    features, target
        As in :func:`fit_decision_baselines`.
    place : int
        Of the number among the features.
    name : str
        Of the number, for the report.

    Examples
    --------
    >>> x = np.arange(20, dtype=np.float32).reshape(10, 2)
    >>> found = fit_one_column(x, [False] * 5 + [True] * 5, 1, "bits").predict(x)
    >>> bool(found[0] < 0.5 < found[-1])
    True
    """
    labels = np.asarray(target).astype(bool)
    alone = _logistic_regression(features[:, [place]], labels)
    return Baseline(f"A threshold on {name}, and nothing else", partial(_of_place, alone, place))


def _of_place(predict: Callable[[_Features], _Floats], place: int, rows: _Features) -> _Floats:
    return predict(rows[:, [place]])


def _logistic_regression(features: _Features, labels: _Labels) -> Callable[[_Features], _Floats]:
    require("sklearn", extra="train", needed_by="The baseline 'logistic_regression'")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # SimpleImputer takes longer for its medians than the regression takes to be fitted.
    absent = np.isnan(features).all(axis=0)
    medians = np.where(absent, np.float32(0), np.nanmedian(np.where(absent, 0, features), axis=0))
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return partial(_of_filled, model.fit(_filled(medians, features), labels), medians)


def _lightgbm(seed: int) -> Any:
    lightgbm = require("lightgbm", extra="train", needed_by="The baseline 'lightgbm_default'")
    # Default in all that shapes the model; the rest makes it silent and repeatable, and
    # n_jobs=0 takes as many threads as OpenMP is told to (OMP_NUM_THREADS).
    return lightgbm.LGBMClassifier(
        random_state=seed, deterministic=True, force_row_wise=True, n_jobs=0, verbose=-1
    )


# Functions of a module, since a fitted application is pickled with its baselines.
def _constant(value: float, rows: _Features) -> _Floats:
    return np.full(len(rows), value)


def _filled(medians: _Features, rows: _Features) -> _Features:
    return np.where(np.isnan(rows), medians, rows)


def _of_filled(model: Any, medians: _Features, rows: _Features) -> _Floats:
    return _positive_column(model, _filled(medians, rows))


def _positive_column(model: Any, rows: _Features) -> _Floats:
    return np.asarray(model.predict_proba(rows)[:, 1], dtype=np.float64)
