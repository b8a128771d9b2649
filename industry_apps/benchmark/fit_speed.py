"""What a fit costs beside the plainest one of the same library on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from industry_apps.application import Application
from industry_apps.benchmark.speed import Measure, alternating, threads
from industry_apps.data import Dataset, Split
from industry_apps.errors import require
from industry_apps.recipes.forecasting.models.scaled import TreeQuantiles
from industry_apps.recipes.forecasting.recipe import ForecastRecipe
from industry_apps.recipes.forecasting.table import ForecastTable
from industry_apps.recipes.trees import TreeScorer

#: A default should cost no more than this.
_MOST = 4.0
#: The same of a forecast, for each quantile.
_MOST_A_QUANTILE = 3.0

_Fit = Callable[[], object]


def fit_time(application: Application, data: Dataset | Split, *, repeats: int = 3) -> list[Measure]:
    """Compare a fit from the raw table with LightGBM as it comes on the matrix made of it.

    The fit holds everything: features, folds, stopping, calibration, learning again. Only for
    applications whose model is trees; for others there is nothing to say.

    Parameters
    ----------
    application : Application
        Fitted.
    data : Dataset or Split
        What it was fitted on.
    repeats : int
        Alternating fits of each.
    """
    plain = _plain(application, data)
    if not plain:
        return []
    seconds = alternating({"fit": partial(_fit_anew, application, data), **plain}, repeats)
    ratio = median(seconds.pop("fit")) / sum(median(times) for times in seconds.values())
    most = _MOST if len(plain) == 1 else _MOST_A_QUANTILE
    return [Measure(name="fit_vs_plain_lightgbm", value=ratio, target=most, at_least=False)]


def _fit_anew(application: Application, data: Dataset | Split) -> None:
    clone(application).fit(data)


def _plain(application: Application, data: Dataset | Split) -> dict[str, _Fit]:
    """Fits of LightGBM with its defaults, one for each quantile of a forecast."""
    series = getattr(application, "series_", None)
    if isinstance(series, ForecastTable):
        return _of_quantiles(series.recipe_, series)
    table = getattr(application, "table_", None)
    scorers: Sequence[Any] = getattr(getattr(application, "recipe_", None), "scorers_", ())
    if table is None or len(scorers) != 1 or not isinstance(scorers[0], TreeScorer):
        return {}
    rows = table.records.labelled(data.train)
    matrix = scorers[0].features.run(rows.arrays)["numeric"]
    return {"plain": partial(_classifier, matrix, rows.target)}


def _of_quantiles(recipe: ForecastRecipe, series: ForecastTable) -> dict[str, _Fit]:
    if not all(isinstance(model, TreeQuantiles) for model in recipe.models_.values()):
        return {}
    panel = series.history_
    windows = recipe._windows(panel, recipe._stops(panel, len(panel.times)))
    target = windows.target.reshape(-1)
    known = ~np.isnan(target)
    rows = windows.inputs["rows"][known]
    return {
        f"plain_{level}": partial(_regressor, rows, target[known], level)
        for level in recipe.options.quantiles
    }


def _classifier(rows: NDArray[Any], target: NDArray[Any]) -> None:
    lightgbm = require("lightgbm", extra="train", needed_by="A plain fit")
    lightgbm.LGBMClassifier(n_jobs=threads() or 0, verbose=-1).fit(rows, target)


def _regressor(rows: NDArray[Any], target: NDArray[Any], level: float) -> None:
    lightgbm = require("lightgbm", extra="train", needed_by="A plain fit")
    lightgbm.LGBMRegressor(
        objective="quantile", alpha=level, n_jobs=threads() or 0, verbose=-1
    ).fit(rows, target)
