"""Plots of forecasts: history, what came, and the quantiles, series by series.

Letters: T steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from industry_apps.errors import SchemaError
from industry_apps.evaluation.plots import BLUE, INK, ORANGE, blank_figure, label_axes

__all__ = ["coverage_plot", "forecast_plot"]

_Floats = npt.NDArray[np.float64]


def forecast_plot(
    name: str,
    times: npt.ArrayLike,
    quantity: npt.ArrayLike,
    forecasts: Mapping[Any, tuple[npt.ArrayLike, npt.ArrayLike]],
    levels: tuple[float, ...],
) -> Figure:
    """Draw one series and the forecasts of it that were made at one or more origins.

    Parameters
    ----------
    name : str
        Of the series.
    times : array-like of datetime64 or int, shape (T,)
        Rising.
    quantity : array-like of float, shape (T,)
        What came; NaN where it is not known.
    forecasts : mapping of datetime64 or int to pair
        Origin -> moments [H] and quantiles [H, Q].
    levels : tuple of float
        Of the quantiles, rising, 0.5 among them.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SchemaError
        When times and quantities differ in length.
    """
    moments = np.asarray(times)
    is_index = moments.dtype.kind == "i"
    moments = moments if is_index else moments.astype("datetime64[s]")
    values = np.asarray(quantity, dtype=np.float64)
    if len(moments) != len(values):
        raise SchemaError(
            f"{name!r} has {len(moments)} times and {len(values)} quantities. Give one each."
        )
    figure, (axes,) = blank_figure()
    axes.plot(moments, values, color=INK, linewidth=1, label="what came")
    for number, (origin, (ahead, quantiles)) in enumerate(forecasts.items()):
        _draw(axes, np.asarray(ahead), np.asarray(quantiles), levels, labelled=number == 0)
        place = float(origin if is_index else date2num(origin))
        axes.axvline(place, color=ORANGE, linewidth=0.8, linestyle=":")
    if not is_index:
        locator = AutoDateLocator()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.legend(frameon=False, loc="upper left")
    label_axes(axes, "", "Quantity")
    figure.set_label(f"{name}: history, forecast of the median, and the interval about it")
    return figure


def coverage_plot(levels: npt.ArrayLike, reached: npt.ArrayLike) -> Figure:
    """Draw the share of outcomes below each quantile against its level.

    Parameters
    ----------
    levels, reached : array-like of float, shape (Q,)
        In [0, 1].

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axes,) = blank_figure()
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":")
    axes.plot(np.asarray(levels), np.asarray(reached), color=BLUE, marker="o")
    label_axes(axes, "Level of the quantile", "Share of outcomes below it")
    figure.set_label("Share of outcomes below each quantile; on the line it is as it should be")
    return figure


def _draw(
    axes: Axes,
    ahead: npt.NDArray[np.datetime64],
    quantiles: _Floats,
    levels: tuple[float, ...],
    *,
    labelled: bool,
) -> None:
    words = "forecast" if labelled else None
    axes.plot(ahead, quantiles[:, levels.index(0.5)], color=BLUE, linewidth=1.5, label=words)
    if len(levels) > 1:
        axes.fill_between(
            ahead,
            quantiles[:, 0],
            quantiles[:, -1],
            color=BLUE,
            alpha=0.2,
            linewidth=0,
            label=f"{levels[0]:.0%} to {levels[-1]:.0%}" if labelled else None,
        )
