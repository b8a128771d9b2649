"""All metrics of a strategy, each with an interval from resampled stretches of days.

Letters: T days, A assets, R resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import BootstrapResult, Estimate
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.finance.trading import performance
from industry_apps.finance.trading.forecast_skill import (
    daily_information_coefficient,
    mean_of_known,
)
from industry_apps.limits import integer, wrong_parameter

#: Positions to hold; that a strategy earns nothing is an accepted result.
POLICY = Problem(
    name="policy",
    metrics=(
        Metric("rank_ic", "mean daily rank correlation of forecast and later return"),
        Metric("information_coefficient", "mean daily correlation of forecast and later return"),
        Metric("sharpe", "mean over standard deviation of returns, a year"),
        Metric(
            "deflated_sharpe", "probability that the Sharpe ratio is more than luck of many trials"
        ),
        Metric("annual_return", "net of costs, compounded"),
        Metric("annual_volatility", "standard deviation of returns, a year", "low"),
        Metric("max_drawdown", "largest loss from a peak", "low"),
        Metric("hit_rate", "share of days with a gain"),
        Metric("turnover", "bought and sold in a year, as multiples of the equity", "low"),
        Metric("capacity", "equity at which trades are too large for the market"),
    ),
)


__all__ = ["StrategyDays", "performance_bootstrap", "performance_metrics"]

_Floats = npt.NDArray[np.float64]
_Days = npt.NDArray[np.intp]
_Metric = Callable[[_Days], float]


@dataclass(frozen=True, eq=False, kw_only=True)
class StrategyDays:
    """What is known of a strategy, day by day; what is left out is not judged.

    Parameters
    ----------
    returns : array-like of float, shape (T,)
        Net simple returns, >= -1; at least two days.
    trades : array-like of float, shape (T, A), optional
        Shares of equity bought (> 0) and sold (< 0). Adds ``turnover``.
    traded_value : array-like of float, shape (T, A), optional
        Price times volume, in a currency. With `trades`, adds ``capacity``.
    forecast, outcome : array-like of float, shape (T, A), optional
        Forecasts and the later returns that they speak of. Add ``information_coefficient``
        and ``rank_ic``.

    Raises
    ------
    SchemaError
        When the numbers of days differ, or only one of `forecast` and `outcome` is given.
    """

    returns: npt.ArrayLike = field(repr=False)
    trades: npt.ArrayLike | None = field(default=None, repr=False)
    traded_value: npt.ArrayLike | None = field(default=None, repr=False)
    forecast: npt.ArrayLike | None = field(default=None, repr=False)
    outcome: npt.ArrayLike | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.forecast is None) != (self.outcome is None):
            raise SchemaError("forecast and outcome are judged together. Give both, or neither.")
        if self.traded_value is not None and self.trades is None:
            raise SchemaError("traded_value is judged together with trades. Give trades as well.")
        days = len(np.asarray(self.returns))
        for name in ("trades", "traded_value", "forecast", "outcome"):
            table = getattr(self, name)
            if table is not None and np.shape(table)[:1] != (days,):
                raise SchemaError(
                    f"{name} must have one row for each of the {days} days of returns. "
                    f"Got shape {np.shape(table)}."
                )


def performance_metrics(
    strategy: StrategyDays,
    *,
    trials: int = 1,
    trial_variance: float | None = None,
    block: int = 21,
    resamples: int = 400,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Compute every metric of a strategy, each with a 95 % interval.

    Parameters
    ----------
    strategy : StrategyDays
        Returns, and where known trades, traded values, forecasts and outcomes.
    trials : int, default 1
        Strategies tried, for :func:`deflated_sharpe`.
    trial_variance : float, optional
        Variance of the yearly Sharpe ratios of the trials, for the same.
    block : int, default 21
        Mean length in days, >= 1, of the stretches that are drawn together; longer than
        the days depend on each other.
    resamples : int, default 400
        R, at least 1.
    seed : int, default 0
        Same seed, same resamples.

    Returns
    -------
    dict of str to Estimate
        ``annual_return``, ``annual_volatility``, ``sharpe``, ``deflated_sharpe``,
        ``max_drawdown``, ``hit_rate``, and what the strategy's optional tables add. A
        maximum drawdown depends on the order of the days, which resamples change.

    Raises
    ------
    ParameterError, SchemaError
        When a parameter is outside its limits or a table does not fit.

    References
    ----------
    Politis, D. and Romano, J. (1994). The stationary bootstrap. JASA 89, 1303-1313,
    doi:10.1080/01621459.1994.10476870.

    Examples
    --------
    >>> returns = np.random.default_rng(1).normal(0.001, 0.01, 500)
    >>> print(performance_metrics(StrategyDays(returns=returns))["annual_volatility"])
    0.145 [0.136, 0.153]
    """
    return performance_bootstrap(
        strategy,
        trials=trials,
        trial_variance=trial_variance,
        block=block,
        resamples=resamples,
        seed=seed,
    ).estimates()


def performance_bootstrap(
    strategy: StrategyDays,
    *,
    trials: int = 1,
    trial_variance: float | None = None,
    block: int = 21,
    resamples: int = 400,
    seed: int = 0,
) -> BootstrapResult:
    """Compute :func:`performance_metrics` and keep the resamples, for paired comparisons.

    Two strategies over the same days, with the same block, resamples and seed, are compared
    by ``result.minus(other)``.

    Parameters
    ----------
    strategy, trials, trial_variance, block, resamples, seed
        As in :func:`performance_metrics`, and so are the errors.

    Returns
    -------
    BootstrapResult
    """
    for name, value in (("block", block), ("resamples", resamples)):
        if not integer(1).holds(value):
            raise wrong_parameter("performance_bootstrap", name, integer(1).words, value)
    metrics = _metrics(strategy, trials, trial_variance)
    days = len(np.asarray(strategy.returns))
    values = {name: metric(np.arange(days)) for name, metric in metrics.items()}
    draws = {name: np.full(resamples, np.nan) for name in metrics}
    for r, drawn in enumerate(_resamples(days, block, resamples, seed)):
        for name, metric in metrics.items():
            draws[name][r] = metric(drawn)
    return BootstrapResult(values, draws)


def _metrics(
    strategy: StrategyDays, trials: int, trial_variance: float | None
) -> dict[str, _Metric]:
    """Every metric as a function of the days that are taken."""
    returns = np.asarray(strategy.returns, dtype=np.float64)
    metrics: dict[str, _Metric] = {
        "sharpe": lambda days: performance.sharpe(returns[days]),
        "deflated_sharpe": lambda days: performance.deflated_sharpe(
            returns[days], trials, trial_variance
        ),
        "annual_return": lambda days: performance.annual_return(returns[days]),
        "annual_volatility": lambda days: performance.annual_volatility(returns[days]),
        "max_drawdown": lambda days: performance.max_drawdown(returns[days]),
        "hit_rate": lambda days: performance.hit_rate(returns[days]),
    }
    if strategy.trades is not None:
        traded = np.abs(np.asarray(strategy.trades, dtype=np.float64)).sum(axis=1, keepdims=True)
        metrics["turnover"] = lambda days: performance.turnover(traded[days])
        if strategy.traded_value is not None:
            metrics["capacity"] = performance.capacity_metric(
                strategy.trades, strategy.traded_value
            )
    if strategy.forecast is not None and strategy.outcome is not None:
        for name, rank in (("information_coefficient", False), ("rank_ic", True)):
            metrics[name] = _mean_over_days(
                daily_information_coefficient(strategy.forecast, strategy.outcome, rank=rank)
            )
    return metrics


def _mean_over_days(series: _Floats) -> _Metric:
    return lambda days: mean_of_known(series[days])


def _resamples(days: int, block: int, resamples: int, seed: int) -> Iterator[_Days]:
    """Stationary bootstrap: stretches of geometric length, wrapped round the end, each [T]."""
    rng = np.random.default_rng(seed)
    position = np.arange(days)
    for _ in range(resamples):
        starts = rng.random(days) < 1 / block
        starts[0] = True
        first = np.flatnonzero(starts)
        shift = rng.integers(days, size=len(first)) - first
        yield (position + shift[np.cumsum(starts) - 1]) % days
