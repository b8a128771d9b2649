"""Metrics of a strategy's daily returns and trades.

Letters: T days, A assets. A year has 252 trading days.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from industry_apps.errors import SchemaError
from industry_apps.limits import SHARE, integer, wrong_parameter

__all__ = [
    "annual_return",
    "annual_volatility",
    "capacity",
    "deflated_sharpe",
    "drawdown",
    "hit_rate",
    "max_drawdown",
    "probabilistic_sharpe",
    "sharpe",
    "sharpe_standard_error",
    "turnover",
]

TRADING_DAYS = 252

_Floats = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.intp]


def annual_return(returns: npt.ArrayLike) -> float:
    """Constant yearly growth that gives the same end value (geometric mean).

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        Simple returns of each day, >= -1.

    Raises
    ------
    SchemaError
        When there are fewer than two days, or one is not finite or below -1.

    Examples
    --------
    >>> round(annual_return([0.01, -0.005, 0.002]), 3)
    0.791
    """
    days = _checked(returns)
    return float(np.prod(1 + days) ** (TRADING_DAYS / len(days)) - 1)


def annual_volatility(returns: npt.ArrayLike) -> float:
    """Yearly standard deviation: that of the days times the root of 252.

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        As in :func:`annual_return`, and so are the errors.
    """
    return float(_checked(returns).std(ddof=1) * math.sqrt(TRADING_DAYS))


def sharpe(returns: npt.ArrayLike) -> float:
    """Yearly Sharpe ratio: mean over standard deviation, times the root of 252.

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        As in :func:`annual_return`, and so are the errors. Subtract a riskless return
        beforehand where the strategy ties up capital.

    Returns
    -------
    float
        NaN when all days are equal.

    References
    ----------
    Sharpe, W. (1994). The Sharpe ratio. Journal of Portfolio Management 21(1), 49-58,
    doi:10.3905/jpm.1994.409501.

    Examples
    --------
    >>> round(sharpe([0.01, -0.005, 0.002]), 2)
    4.94
    """
    return _daily_sharpe(_checked(returns)) * math.sqrt(TRADING_DAYS)


def sharpe_standard_error(returns: npt.ArrayLike) -> float:
    """Standard error of the yearly Sharpe ratio, for returns that need not be normal.

    ``sqrt((1 - skew * s + (kurtosis - 1) / 4 * s ** 2) / T)`` with the daily ratio s;
    normal returns (skew 0, kurtosis 3) give Lo's ``sqrt((1 + s ** 2 / 2) / T)``. Days are
    taken as independent; the interval of :func:`performance_metrics` is not so bound.

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        As in :func:`annual_return`, and so are the errors.

    References
    ----------
    Lo, A. (2002). The statistics of Sharpe ratios. Financial Analysts Journal 58(4),
    36-52, doi:10.2469/faj.v58.n4.2453.
    Opdyke, J. (2007). Comparing Sharpe ratios: so where are the p-values? Journal of Asset
    Management 8, 308-336, doi:10.1057/palgrave.jam.2250084 (after Mertens, 2002).
    """
    days = _checked(returns)
    return math.sqrt(TRADING_DAYS * _sharpe_spread(days) / len(days))


def probabilistic_sharpe(returns: npt.ArrayLike, benchmark: float = 0.0) -> float:
    """Probability that the true Sharpe ratio is above a benchmark.

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        As in :func:`annual_return`, and so are the errors.
    benchmark : float, default 0.0
        Yearly Sharpe ratio.

    Returns
    -------
    float
        In [0, 1]; NaN when all days are equal.

    References
    ----------
    Bailey, D. and Lopez de Prado, M. (2012). The Sharpe ratio efficient frontier. Journal of
    Risk 15(2), 3-44, doi:10.21314/JOR.2012.255.
    """
    days = _checked(returns)
    excess = _daily_sharpe(days) - benchmark / math.sqrt(TRADING_DAYS)
    return float(special.ndtr(excess * math.sqrt((len(days) - 1) / _sharpe_spread(days))))


def deflated_sharpe(
    returns: npt.ArrayLike, trials: int, trial_variance: float | None = None
) -> float:
    """Probability that the true Sharpe ratio is above the best of so many worthless trials.

    Who tries N strategies and shows the best must beat the maximum that N strategies
    without any skill reach by luck.

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        As in :func:`annual_return`, and so are the errors. Of the strategy chosen.
    trials : int
        N >= 1, all strategies, parameters and models tried, also those thrown away;
        trials that resemble each other count less than one each. With 1 this is
        :func:`probabilistic_sharpe`.
    trial_variance : float, optional
        Variance of the yearly Sharpe ratios of the trials; when not given, that of a
        strategy without skill over as many days, 252 / (T - 1).

    Returns
    -------
    float
        In [0, 1]; NaN when all days are equal.

    Raises
    ------
    ParameterError
        When `trials` is below 1 or `trial_variance` is negative.

    References
    ----------
    Bailey, D. and Lopez de Prado, M. (2014). The deflated Sharpe ratio. Journal of Portfolio
    Management 40(5), 94-107, doi:10.3905/jpm.2014.40.5.094.

    Examples
    --------
    >>> returns = np.random.default_rng(0).normal(0.001, 0.01, 500)
    >>> [round(deflated_sharpe(returns, trials), 2) for trials in (1, 10, 100)]
    [0.94, 0.51, 0.18]
    """
    limit = integer(1)
    if not limit.holds(trials):
        raise wrong_parameter("deflated_sharpe", "trials", limit.words, trials)
    days = _checked(returns)
    variance = TRADING_DAYS / (len(days) - 1) if trial_variance is None else trial_variance
    if not 0 <= variance < math.inf:
        raise wrong_parameter("deflated_sharpe", "trial_variance", "a number >= 0", variance)
    return probabilistic_sharpe(days, math.sqrt(variance) * _expected_maximum(trials))


def _expected_maximum(trials: int) -> float:
    """Approximate mean of the largest of so many standard normal numbers."""
    if trials == 1:
        return 0.0
    usual, rare = special.ndtri([1 - 1 / trials, 1 - 1 / (trials * math.e)])
    return float((1 - np.euler_gamma) * usual + np.euler_gamma * rare)


def drawdown(returns: npt.ArrayLike) -> _Floats:
    """Loss at the end of each day since the highest equity so far, the start included.

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        As in :func:`annual_return`, and so are the errors.

    Returns
    -------
    ndarray of shape (T,)
        In [0, 1].
    """
    equity = np.cumprod(1 + _checked(returns))
    return 1 - equity / np.maximum.accumulate(np.maximum(equity, 1.0))


def max_drawdown(returns: npt.ArrayLike) -> float:
    """Largest value of :func:`drawdown`.

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        As in :func:`annual_return`, and so are the errors.

    Examples
    --------
    >>> max_drawdown([0.5, -0.5, 0.2])
    0.5
    """
    return float(drawdown(returns).max())


def hit_rate(returns: npt.ArrayLike) -> float:
    """Share of days with a gain among those with a gain or a loss; NaN when there is none.

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        As in :func:`annual_return`, and so are the errors.
    """
    days = _checked(returns)
    moved = np.count_nonzero(days)
    return float((days > 0).sum() / moved) if moved else math.nan


def turnover(trades: npt.ArrayLike) -> float:
    """Traded value a year, buys and sales added, as a multiple of equity.

    Parameters
    ----------
    trades : array-like of float, shape (T, A)
        Trades of each day as shares of equity; sales negative.
    """
    traded = np.abs(np.asarray(trades, dtype=np.float64)).sum(axis=1)
    return float(traded.mean() * TRADING_DAYS)


def capacity(
    trades: npt.ArrayLike,
    traded_value: npt.ArrayLike,
    *,
    participation: float = 0.01,
    exceeding: float = 0.05,
) -> float:
    """Largest equity at which few trades are large beside what the market trades.

    Parameters
    ----------
    trades : array-like of float, shape (T, A)
        Trades of each day as shares of equity; sales negative.
    traded_value : array-like of float, shape (T, A)
        Price times volume, in a currency; NaN where an asset does not trade.
    participation : float, default 0.01
        A trade is large above this share of the asset's mean traded value a day; in (0, 1].
    exceeding : float, default 0.05
        At most this share of the trades may be large; in (0, 1].

    Returns
    -------
    float
        In the currency of `traded_value`; NaN when nothing is traded, infinite when all trades
        may be large.

    Raises
    ------
    ParameterError, SchemaError
        When a share is outside its limits, or shapes differ.

    Examples
    --------
    Each day a tenth of the equity is traded in an asset with 2 000 000 a day:

    >>> capacity(np.full((4, 1), 0.1), np.full((4, 1), 2e6))
    200000.0
    """
    for name, value in (("participation", participation), ("exceeding", exceeding)):
        if not SHARE.holds(value):
            raise wrong_parameter("capacity", name, SHARE.words, value)
    metric = capacity_metric(trades, traded_value, participation, exceeding)
    return metric(np.arange(len(np.asarray(trades))))


def capacity_metric(
    trades: npt.ArrayLike,
    traded_value: npt.ArrayLike,
    participation: float = 0.01,
    exceeding: float = 0.05,
) -> Callable[[_Ints], float]:
    """Return :func:`capacity` as a function of the days that are taken, any number of times."""
    trades, traded_value = np.asarray(trades, np.float64), np.asarray(traded_value, np.float64)
    if trades.ndim != 2 or trades.shape != traded_value.shape:
        raise SchemaError(
            "trades and traded_value must both have the shape [days, assets]. "
            f"Got {trades.shape} and {traded_value.shape}."
        )
    usual = pd.DataFrame(traded_value).mean().fillna(0.0).to_numpy()  # [A]
    day, asset = np.nonzero(trades)
    trades_a_day = np.bincount(day, minlength=len(trades))
    equity = participation * usual[asset] / np.abs(trades[day, asset])  # of each trade
    order = np.argsort(equity)
    equity, day = equity[order], day[order]

    def metric(days: _Ints) -> float:
        times = np.bincount(days, minlength=len(trades))  # [T]
        traded = trades_a_day @ times
        allowed = exceeding * traded
        # Nearly always the answer lies among the first trades; to count all takes long.
        for end in (int(3 * exceeding * len(day)) + 1, len(day)):
            count = np.cumsum(times[day[:end]])
            first = int(np.searchsorted(count, allowed, side="right"))
            if first < len(count):
                return float(equity[first])
        return math.inf if traded else math.nan

    return metric


def _checked(returns: npt.ArrayLike) -> _Floats:
    days = np.asarray(returns, dtype=np.float64)
    if days.ndim != 1 or days.size < 2:
        raise SchemaError(
            f"Daily returns must be one-dimensional, at least two days. Got shape {days.shape}."
        )
    wrong = np.flatnonzero(~(np.isfinite(days) & (days >= -1)))
    if wrong.size:
        raise SchemaError(
            f"A daily return must be a finite number >= -1. Day {wrong[0]} (counted from 0) holds "
            f"{days[wrong[0]]} ({wrong.size} such days); give simple returns, 0.01 for 1 %."
        )
    return days


def _daily_sharpe(days: _Floats) -> float:
    return float(days.mean() / days.std(ddof=1)) if np.ptp(days) else math.nan


def _sharpe_spread(days: _Floats) -> float:
    """Variance of the daily Sharpe ratio's estimate, times the number of days."""
    ratio = _daily_sharpe(days)
    if math.isnan(ratio):
        return math.nan
    scaled = (days - days.mean()) / days.std()
    skew, kurtosis = float((scaled**3).mean()), float((scaled**4).mean())
    # By Cauchy-Schwarz never negative, but 0 for some returns that take two values only.
    return max(1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2, 1e-12)
