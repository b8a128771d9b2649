"""How well forecasts order assets: information coefficients and their t-statistic.

Letters: T days, A assets.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.errors import SchemaError
from industry_apps.limits import integer, wrong_parameter

__all__ = [
    "daily_information_coefficient",
    "information_coefficient",
    "newey_west_t",
    "rank_ic",
]

_FEWEST_PAIRS = 3  # a correlation of two points is always 1 or -1

_Floats = npt.NDArray[np.float64]


def daily_information_coefficient(
    forecast: npt.ArrayLike, outcome: npt.ArrayLike, *, rank: bool = False
) -> _Floats:
    """Correlation across assets, day by day, of forecasts with what came.

    Parameters
    ----------
    forecast, outcome : array-like of float, shape (T, A)
        Forecast made on a day, and the later return that it speaks of; an asset counts on
        days on which neither is NaN.
    rank : bool, default False
        Correlate ranks (Spearman) instead of values (Pearson).

    Returns
    -------
    ndarray of shape (T,)
        In [-1, 1]; NaN on days with fewer than three assets, or where all forecasts or all
        outcomes are equal.

    Raises
    ------
    SchemaError
        When shapes differ.

    Examples
    --------
    >>> daily_information_coefficient([[1.0, 2.0, 9.0]], [[0.1, 0.2, 0.3]], rank=True)
    array([1.])
    """
    made, came = pd.DataFrame(np.asarray(forecast)), pd.DataFrame(np.asarray(outcome))
    if made.shape != came.shape:
        raise SchemaError(
            "forecast and outcome must have the same shape [days, assets]. "
            f"Got {made.shape} and {came.shape}."
        )
    made, came = made.where(came.notna()), came.where(made.notna())
    if rank:
        made, came = made.rank(axis=1), came.rank(axis=1)
    differ = (made.max(axis=1) > made.min(axis=1)) & (came.max(axis=1) > came.min(axis=1))
    known = differ & (made.notna().sum(axis=1) >= _FEWEST_PAIRS)
    return made.corrwith(came, axis=1).where(known).to_numpy(dtype=np.float64)


def information_coefficient(forecast: npt.ArrayLike, outcome: npt.ArrayLike) -> float:
    """Mean over days of :func:`daily_information_coefficient`.

    Parameters
    ----------
    forecast, outcome : array-like of float, shape (T, A)
        As there, and so are the errors.

    References
    ----------
    Grinold, R. (1989). The fundamental law of active management. Journal of Portfolio
    Management 15(3), 30-37, doi:10.3905/jpm.1989.409211.
    """
    return mean_of_known(daily_information_coefficient(forecast, outcome))


def rank_ic(forecast: npt.ArrayLike, outcome: npt.ArrayLike) -> float:
    """Mean over days of the rank correlation of forecasts with what came.

    Parameters
    ----------
    forecast, outcome : array-like of float, shape (T, A)
        As in :func:`daily_information_coefficient`, and so are the errors.
    """
    return mean_of_known(daily_information_coefficient(forecast, outcome, rank=True))


def newey_west_t(series: npt.ArrayLike, lags: int | None = None) -> float:
    """t-statistic of the mean of a daily series whose days depend on each other.

    Parameters
    ----------
    series : array-like of float, shape (T,)
        For instance daily information coefficients; NaN days are left out.
    lags : int, optional
        Days over which neighbours depend on each other. Outcomes over h days overlap and
        need at least h - 1. When not given, ``floor(4 * (T / 100) ** (2 / 9))``.

    Returns
    -------
    float
        NaN when fewer than two days are known or all are equal.

    Raises
    ------
    ParameterError
        When `lags` is negative.

    References
    ----------
    Newey, W. and West, K. (1987). A simple, positive semi-definite, heteroskedasticity and
    autocorrelation consistent covariance matrix. Econometrica 55, 703-708,
    doi:10.2307/1913610; (1994) for the number of lags, doi:10.2307/2297912.

    Examples
    --------
    >>> round(newey_west_t([0.1, -0.1, 0.3, 0.1], lags=0), 3)
    1.414
    """
    limit = integer(0).or_none()
    if not limit.holds(lags):
        raise wrong_parameter("newey_west_t", "lags", limit.words, lags)
    values = np.asarray(series, dtype=np.float64)
    values = values[~np.isnan(values)]
    if values.size < 2 or np.ptp(values) == 0:
        return math.nan
    days, centred = len(values), values - values.mean()
    lags = int(4 * (days / 100) ** (2 / 9)) if lags is None else lags
    covariances = [centred[lag:] @ centred[: days - lag] for lag in range(min(lags, days - 1) + 1)]
    bartlett = 1 - np.arange(len(covariances)) / (lags + 1)
    spread = 2 * float(bartlett @ covariances) - covariances[0]  # days ** 2 times the variance
    return float(values.sum() / math.sqrt(spread))


def mean_of_known(values: _Floats) -> float:
    """Return the mean of what is not NaN; NaN when nothing is left."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan
