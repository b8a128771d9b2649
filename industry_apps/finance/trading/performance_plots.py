"""Plots of strategies over time. Each takes daily series by name and returns a Figure.

In the style of the plots of decisions. Letters: T days.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator, PercentFormatter

from industry_apps.errors import SchemaError
from industry_apps.evaluation.plots import BLUE, GREEN, GRID, INK, ORANGE, blank_figure, label_axes
from industry_apps.finance.trading.performance import TRADING_DAYS, drawdown
from industry_apps.limits import integer, wrong_parameter

__all__ = ["drawdown_plot", "equity_plot", "rolling_mean_plot", "rolling_sharpe_plot"]

#: Okabe and Ito's, the strongest first; styles tell more series apart, also in grey.
_COLOURS = (BLUE, ORANGE, GREEN, "#cc79a7", "#56b4e9", "#e69f00", INK)
_STYLES = ("-", "--", "-.", ":")
_LOWEST_EQUITY = 1e-3  # a log axis has no 0

_Floats = npt.NDArray[np.float64]


def equity_plot(
    returns: Mapping[str, npt.ArrayLike],
    days: npt.ArrayLike,
    *,
    out_of_sample_from: str | np.datetime64 | None = None,
) -> Figure:
    """Draw the growth of one unit of capital on a log scale.

    Parameters
    ----------
    returns : mapping of str to array-like of shape (T,)
        Strategy -> net simple returns; the first one is drawn strongest.
    days : array-like of datetime64, shape (T,)
        Rising.
    out_of_sample_from : str or datetime64, optional
        First day that no model was fitted on; the days from there are shaded.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SchemaError
        When there is no strategy, or a series has another length than `days`.
    """
    figure, (axes,) = blank_figure()
    growth = {
        name: np.maximum(np.cumprod(1 + values), _LOWEST_EQUITY)
        for name, values in _series(returns, days).items()
    }
    _draw(axes, growth, days)
    _shade(axes, days, out_of_sample_from)
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    # Powers of ten are too few numbers for what a strategy usually grows.
    axes.yaxis.set_major_locator(LogLocator() if high > 10 * low else MaxNLocator(6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.yaxis.set_minor_locator(NullLocator())
    label_axes(axes, "", "Equity (start = 1, log scale)")
    return figure


def drawdown_plot(
    returns: Mapping[str, npt.ArrayLike],
    days: npt.ArrayLike,
    *,
    out_of_sample_from: str | np.datetime64 | None = None,
) -> Figure:
    """Draw the loss since the highest equity so far.

    Parameters
    ----------
    returns, days, out_of_sample_from
        As in :func:`equity_plot`, and so are the errors.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axes,) = blank_figure()
    depths = {name: -drawdown(values) for name, values in _series(returns, days).items()}
    _draw(axes, depths, days)
    _shade(axes, days, out_of_sample_from)
    axes.set_ylim(top=0)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    label_axes(axes, "", "Loss since the highest equity")
    return figure


def rolling_sharpe_plot(
    returns: Mapping[str, npt.ArrayLike], days: npt.ArrayLike, *, window: int = 126
) -> Figure:
    """Draw the yearly Sharpe ratio of the last days, day by day.

    Parameters
    ----------
    returns : mapping of str to array-like of shape (T,)
        Strategy -> net simple returns.
    days : array-like of datetime64, shape (T,)
        Rising.
    window : int, default 126
        Days that each value looks back over, at least 2; half a year.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ParameterError, SchemaError
        When `window` is below 2, or as in :func:`equity_plot`.
    """
    _check_window("rolling_sharpe_plot", window)
    figure, (axes,) = blank_figure()
    ratios = {}
    for name, values in _series(returns, days).items():
        rolling = pd.Series(values).rolling(window)
        spread = rolling.std().where(rolling.max() > rolling.min())  # equal days have no ratio
        ratios[name] = (rolling.mean() / spread * np.sqrt(TRADING_DAYS)).to_numpy()
    _draw(axes, ratios, days)
    axes.axhline(0, color=GRID, lw=1)
    label_axes(axes, "", f"Sharpe ratio of the last {window} days")
    return figure


def rolling_mean_plot(
    series: Mapping[str, npt.ArrayLike], days: npt.ArrayLike, *, label: str, window: int = 126
) -> Figure:
    """Draw the mean of the last days, for instance of daily information coefficients.

    Parameters
    ----------
    series : mapping of str to array-like of shape (T,)
        Name -> one value per day; NaN days are left out of the mean.
    days : array-like of datetime64, shape (T,)
        Rising.
    label : str
        What the values are.
    window : int, default 126
        Days that each value looks back over, at least 2; half of them must be known.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ParameterError, SchemaError
        When `window` is below 2, or as in :func:`equity_plot`.
    """
    _check_window("rolling_mean_plot", window)
    figure, (axes,) = blank_figure()
    means = {
        name: pd.Series(values).rolling(window, min_periods=window // 2).mean().to_numpy()
        for name, values in _series(series, days).items()
    }
    _draw(axes, means, days)
    axes.axhline(0, color=GRID, lw=1)
    label_axes(axes, "", f"{label}, mean of the last {window} days")
    return figure


def _series(series: Mapping[str, npt.ArrayLike], days: npt.ArrayLike) -> dict[str, _Floats]:
    if not series:
        raise SchemaError("A plot over time needs at least one series. Got none.")
    found = {name: np.asarray(values, dtype=np.float64) for name, values in series.items()}
    for name, values in found.items():
        if values.shape != np.shape(days):
            raise SchemaError(
                f"{name!r} must hold one value for each of the days, shape {np.shape(days)}. "
                f"Got shape {values.shape}."
            )
    return found


def _check_window(owner: str, window: int) -> None:
    if not integer(2).holds(window):
        raise wrong_parameter(owner, "window", integer(2).words, window)


def _draw(axes: Axes, series: Mapping[str, _Floats], days: npt.ArrayLike) -> None:
    at = np.asarray(days, dtype="datetime64[D]")
    for number, (name, values) in enumerate(series.items()):
        axes.plot(
            at,
            values,
            color=_COLOURS[number % len(_COLOURS)],
            ls=_STYLES[number % len(_STYLES)],
            lw=1.2 if number else 2,
            zorder=3 if number else 4,
            label=name,
        )
    locator = AutoDateLocator(minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))


def _shade(axes: Axes, days: npt.ArrayLike, start: str | np.datetime64 | None) -> None:
    if start is not None:
        first = date2num(np.datetime64(str(start), "D"))
        last = date2num(np.asarray(days, dtype="datetime64[D]")[-1])
        axes.axvspan(first, last, color=GRID, alpha=0.15, lw=0, label="Out of sample")
