"""What a forecast has to beat: simple rules, and statistical models of each series by itself.

Letters in shapes: T steps of history, S series, H steps ahead, Q quantiles.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import require

_Floats = NDArray[np.float64]

#: Names of statsforecast's models, by the names of the baselines.
STATISTICAL = {
    "auto_ets": "AutoETS",
    "auto_theta": "AutoTheta",
    "auto_arima": "AutoARIMA",
    "mstl": "MSTL",
}
#: More steps than this are not given to a statistical model: fits grow slow, not better.
_MOST_STEPS = 1_000


def seasonal_naive(history: _Floats, horizon: int, season: int, levels: Sequence[float]) -> _Floats:
    """The value of the latest season at the same phase; quantiles by its errors in the history.

    Parameters
    ----------
    history : ndarray of shape [T, S]
        NaN where a value is not known: the one of a season before it is taken.
    horizon, season : int
    levels : sequence of float

    Returns
    -------
    ndarray of shape [S, H, Q]
    """
    filled = _filled(history, season)
    ahead = np.arange(horizon) % season
    point = filled[len(filled) - season + ahead].T  # [S, H]
    return _with_errors(point, history, season, levels)


def seasonal_mean(
    history: _Floats, horizon: int, season: int, levels: Sequence[float], periods: int = 4
) -> _Floats:
    """The mean of the latest seasons at the same phase; quantiles as of the naive forecast.

    Parameters
    ----------
    history : ndarray of shape [T, S]
    horizon, season : int
    levels : sequence of float
    periods : int
        Seasons, at most.

    Returns
    -------
    ndarray of shape [S, H, Q]
    """
    filled = _filled(history, season)
    count = min(periods, len(filled) // season)
    ahead = np.arange(horizon) % season
    places = len(filled) - season * np.arange(1, count + 1)[:, None] + ahead
    return _with_errors(filled[places].mean(axis=0).T, history, season, levels)


def statistical(
    name: str, history: _Floats, horizon: int, season: int, levels: Sequence[float]
) -> _Floats:
    """A statistical model fitted to each series, by statsforecast.

    Parameters
    ----------
    name : {"auto_ets", "auto_theta", "auto_arima"}
    history : ndarray of shape [T, S]
        The latest 1000 steps are used; gaps are filled by the value of a season before. A
        series too short for the model is forecast by the seasonal naive rule.
    horizon, season : int
    levels : sequence of float
        Quantiles are those of a normal distribution, whose spread the interval gives.

    Returns
    -------
    ndarray of shape [S, H, Q]

    Raises
    ------
    MissingExtraError
        statsforecast is not installed.
    """
    models = require("statsforecast.models", extra="benchmark", needed_by=f"The baseline {name!r}")
    core = require("statsforecast", extra="benchmark", needed_by=f"The baseline {name!r}")
    import pandas as pd

    filled = _filled(history, season)[-_MOST_STEPS:]
    begun = np.argmax(~np.isnan(history[-_MOST_STEPS:]), axis=0)
    frame = pd.concat(
        pd.DataFrame({"unique_id": series, "ds": range(len(filled)), "y": values})[first:]
        for series, (values, first) in enumerate(zip(filled.T, begun, strict=True))
    )
    model = getattr(models, STATISTICAL[name])(season_length=season)
    fallback = models.SeasonalNaive(season_length=season)
    forecaster = core.StatsForecast(models=[model], freq=1, n_jobs=1, fallback_model=fallback)
    with warnings.catch_warnings():  # of series too short for their season
        warnings.filterwarnings("ignore", module="statsforecast")
        found = forecaster.forecast(df=frame, h=horizon, level=[80])
    found = found.sort_values(["unique_id", "ds"])
    shape = (filled.shape[1], horizon)
    point = found[STATISTICAL[name]].to_numpy().reshape(shape)
    upper = found[f"{STATISTICAL[name]}-hi-80"].to_numpy().reshape(shape)
    spread = (upper - point) / NormalDist().inv_cdf(0.9)
    naive = seasonal_naive(history, horizon, season, levels)
    normal = np.array([NormalDist().inv_cdf(level) for level in levels])
    quantiles = point[:, :, None] + spread[:, :, None] * normal
    return np.where(np.isfinite(quantiles), quantiles, naive)


#: The simple baselines, by name.
RULES: dict[str, Callable[..., _Floats]] = {
    "seasonal_naive": seasonal_naive,
    "seasonal_mean": seasonal_mean,
}


def _with_errors(point: _Floats, history: _Floats, season: int, levels: Sequence[float]) -> _Floats:
    """Add quantiles of the errors that the seasonal naive forecast made in the history."""
    errors = history[season:] - history[:-season] if len(history) > season else history[:0]
    offsets = np.zeros((history.shape[1], len(levels)))
    for series in range(history.shape[1]):
        known = errors[:, series][~np.isnan(errors[:, series])]
        if len(known):
            offsets[series] = np.quantile(known, levels)
    offsets[:, [level == 0.5 for level in levels]] = 0.0
    found: _Floats = point[:, :, None] + offsets[:, None, :]
    return found


def _filled(history: _Floats, season: int) -> _Floats:
    """Gaps filled by the value of a season before, then of the step before, then by 0."""
    filled: Any = np.array(history, dtype=np.float64)
    if len(filled) < season:
        filled = np.concatenate([np.full((season - len(filled), filled.shape[1]), np.nan), filled])
    for back in (season, 1):
        for step in np.flatnonzero(np.isnan(filled[back:]).any(axis=1)) + back:
            gap = np.isnan(filled[step])
            filled[step, gap] = filled[step - back, gap]
    return np.nan_to_num(filled)
