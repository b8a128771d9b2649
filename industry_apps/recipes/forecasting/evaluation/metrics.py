"""How good forecasts of many series are: errors in units and scaled, quantiles, coverage.

Letters in shapes: S series, O origins, H steps ahead, Q quantiles, T steps of history.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem

#: Quantiles of the next steps of many series.
FORECAST = Problem(
    name="forecast",
    metrics=(
        Metric(
            "mase",
            "mean absolute error over that of the seasonal naive forecast in the history",
            "low",
            best=0,
        ),
        Metric("mae", "mean absolute error, in units", "low"),
        Metric("pinball", "mean loss of the quantiles, in units", "low"),
        Metric("smape", "symmetric mean absolute percentage error", "low"),
        Metric("mape", "mean absolute percentage error, where all outcomes are positive", "low"),
        Metric("bias", "forecast over outcome in total, less 1", "near"),
        Metric("coverage_*", "share of outcomes between the outer quantiles", "near"),
    ),
    trivial=("seasonal_naive",),
)


__all__ = ["Forecasts", "forecast_bootstrap", "mase_scale", "quantile_losses"]

_Floats = npt.NDArray[np.float64]
#: Resamples of fewer series than these tell little of the error.
_FEW_SERIES = 10


@dataclass(frozen=True, eq=False, kw_only=True)
class Forecasts:
    """Forecasts of many series, beside what came.

    Parameters
    ----------
    quantiles : ndarray of shape (S, O, H, Q)
        In units; NaN where a system has none.
    levels : sequence of float
        Of the quantiles, 0.5 among them: the point forecast.
    came : ndarray of shape (S, O, H)
        NaN where it is not known.
    scale : ndarray of shape (S,)
        Mean absolute error of the seasonal naive forecast in the history, from
        :func:`mase_scale`; NaN or 0 where there is none.

    Raises
    ------
    SchemaError
        When the shapes do not fit, or no level is 0.5.
    """

    quantiles: _Floats
    levels: Sequence[float]
    came: _Floats
    scale: _Floats

    def __post_init__(self) -> None:
        shape = (*np.shape(self.came), len(self.levels))
        if np.shape(self.quantiles) != shape or len(self.scale) != shape[0]:
            raise SchemaError(
                f"Outcomes of shape {np.shape(self.came)} and {len(self.levels)} levels need "
                f"quantiles of shape {shape} and {shape[0]} scales. Got quantiles of shape "
                f"{np.shape(self.quantiles)} and {len(self.scale)} scales."
            )
        if 0.5 not in self.levels:
            raise SchemaError(
                f"No level is 0.5, the point forecast. Got {tuple(self.levels)}; add it."
            )

    @property
    def by_origin(self) -> bool:
        """Whether origins are resampled, as the series are few and the origins are many."""
        series, origins = self.came.shape[:2]
        return series < _FEW_SERIES and origins > series

    def of(self, level: float) -> _Floats:
        """The quantiles of one level, shape (S, O, H)."""
        return self.quantiles[..., list(self.levels).index(level)]


def mase_scale(history: npt.ArrayLike, season: int) -> _Floats:
    """Mean absolute change over a season in the history of each series, shape (S,).

    Parameters
    ----------
    history : array-like of shape (T, S)
        NaN where a value is not known.
    season : int
        Steps, at least 1.

    References
    ----------
    Hyndman, R. and Koehler, A. (2006). Another look at measures of forecast accuracy. IJF
    22, 679-688, doi:10.1016/j.ijforecast.2006.03.001.

    Examples
    --------
    >>> mase_scale([[1.0], [2.0], [4.0]], season=1)
    array([1.5])
    """
    values = np.asarray(history, dtype=np.float64)
    return _mean_of_known(np.abs(values[season:] - values[:-season]), axis=0)


def quantile_losses(forecasts: Forecasts) -> _Floats:
    """Pinball loss of each quantile, shape (S, O, H, Q).

    Parameters
    ----------
    forecasts : Forecasts

    References
    ----------
    Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46, 33-50,
    doi:10.2307/1913643.
    """
    error = forecasts.came[..., None] - forecasts.quantiles
    levels = np.asarray(forecasts.levels)
    return np.maximum(levels * error, (levels - 1) * error)


def forecast_bootstrap(
    forecasts: Forecasts, *, resamples: int = 400, seed: int = 0
) -> BootstrapResult:
    """Compute every metric, and again on resamples of whole series, or of origins.

    Parameters
    ----------
    forecasts : Forecasts
    resamples, seed
        As in :func:`industry_apps.evaluation.bootstrap`.

    Returns
    -------
    BootstrapResult
        ``mase`` (mean over series of their mean absolute error, each over its scale),
        ``mae`` and ``pinball`` (over all steps, in units; the latter over all levels),
        ``smape`` (percent, as the M4 competition has it), ``bias`` (mean forecast over mean
        outcome, less 1), and where there are levels that lie evenly about the median, such
        as ``coverage_80`` of .1 and .9, the share of outcomes between them. ``mape`` (percent)
        where all outcomes are positive.
    """
    by_origin = forecasts.by_origin
    came, median = forecasts.came, forecasts.of(0.5)
    error = np.abs(came - median)
    size = np.abs(came) + np.abs(median)
    symmetric = 200 * np.where(size > 0, error / np.where(size > 0, size, 1), 0)
    symmetric[np.isnan(error)] = np.nan
    known = np.where(np.isnan(error), np.nan, 1.0)
    over_steps = {
        "mae": error,
        "pinball": quantile_losses(forecasts).mean(axis=-1),
        "smape": symmetric,
    }
    if bool((came[~np.isnan(came)] > 0).all()):
        over_steps["mape"] = 100 * error / came
    over_steps |= _coverages(forecasts)
    units = (1, 0, 2) if by_origin else (0, 1, 2)
    metrics = {"mase": _scaled(error, forecasts.scale, by_origin=by_origin)}
    metrics |= {name: _mean_over_steps(v.transpose(units)) for name, v in over_steps.items()}
    metrics["bias"] = _bias((median * known).transpose(units), came.transpose(units))
    return bootstrap(metrics, None, came.shape[units[0]], resamples=resamples, seed=seed)


def _coverages(forecasts: Forecasts) -> dict[str, _Floats]:
    """Whether outcomes lie between two levels that lie evenly about the median."""
    found = {}
    for level in forecasts.levels:
        other = [each for each in forecasts.levels if math.isclose(each, 1 - level)]
        if level < 0.5 and other:
            low, high = forecasts.of(level), forecasts.of(other[0])
            came = forecasts.came
            inside = ((low <= came) & (came <= high)).astype(np.float64)
            inside[np.isnan(came) | np.isnan(low) | np.isnan(high)] = np.nan
            found[f"coverage_{round(100 * (other[0] - level))}"] = inside
    return found


def _scaled(error: _Floats, scale: _Floats, *, by_origin: bool) -> Callable[[_Floats], float]:
    """Mean over series of their mean error over their scale, weighed by series or by origin."""
    sums, counts = np.nansum(error, axis=2), (~np.isnan(error)).sum(axis=2)  # [S, O]
    scale = np.where(scale > 0, scale, np.nan)

    def metric(weight: _Floats) -> float:
        weighed, many = (
            (weight, np.ones(len(scale))) if by_origin else (np.ones(sums.shape[1]), weight)
        )
        told = counts @ weighed
        each = np.where(told > 0, sums @ weighed / np.maximum(told, 1e-9), np.nan) / scale
        there = ~np.isnan(each)
        total = float(many[there].sum())
        return float(many[there] @ each[there]) / total if total else math.nan

    return metric


def _mean_over_steps(values: _Floats) -> Callable[[_Floats], float]:
    steps = values.reshape(len(values), -1)
    sums, counts = np.nansum(steps, axis=1), (~np.isnan(steps)).sum(axis=1)

    def metric(weight: _Floats) -> float:
        total = float(weight @ counts)
        return float(weight @ sums) / total if total else math.nan

    return metric


def _bias(forecast: _Floats, came: _Floats) -> Callable[[_Floats], float]:
    ours, theirs = (np.nansum(each.reshape(len(each), -1), axis=1) for each in (forecast, came))

    def metric(weight: _Floats) -> float:
        total = float(weight @ theirs)
        return float(weight @ ours) / total - 1 if total else math.nan

    return metric


def _mean_of_known(values: _Floats, axis: int) -> _Floats:
    """Mean of what is not NaN; NaN where nothing is."""
    known = ~np.isnan(values)
    counts = known.sum(axis=axis)
    mean: _Floats = np.where(
        counts > 0, np.where(known, values, 0).sum(axis=axis) / np.maximum(counts, 1), np.nan
    )
    return mean
