"""Plots of plant faults: how long each took to be found, and which tags said so.

Letters: F faults, C columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from industry_apps.evaluation.plots import BLUE, INK, blank_figure, label_axes

__all__ = ["contribution_plot", "delay_plot"]

#: Columns that are drawn.
_MOST = 15


def delay_plot(rows: Sequence[Sequence[object]]) -> Figure:
    """Draw how many readings passed from the begin of each fault to its first alarm.

    Parameters
    ----------
    rows : sequence of (fault, readings, detected, delay, f1)
        Delay None: it was never found.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axes,) = blank_figure()
    names = [str(row[0]) for row in rows]
    delays = [None if row[3] is None else float(str(row[3])) for row in rows]
    longest = max([each for each in delays if each is not None], default=1.0)
    places = np.arange(len(names))
    axes.barh(places, [each or 0.0 for each in delays], color=BLUE)
    for place, delay in zip(places, delays, strict=True):
        text = "never" if delay is None else f"{delay:g}"
        axes.text(
            (delay or 0.0) + 0.01 * longest, float(place), text, va="center", fontsize=7, color=INK
        )
    axes.set_yticks(places, names, fontsize=7)
    axes.invert_yaxis()
    label_axes(axes, "Readings until the first alarm", "")
    figure.set_label("Delay of the first alarm behind the begin of each fault, median over runs")
    return figure


def contribution_plot(title: str, names: Sequence[str], changes: Sequence[float]) -> Figure:
    """Draw what each column does to the score: to the right where it reads too high.

    Parameters
    ----------
    title : str
    names : sequence of str of length C
    changes : sequence of float of length C

    Returns
    -------
    matplotlib.figure.Figure
    """
    values = np.asarray(changes, dtype=np.float64)
    order = np.argsort(-np.abs(values), kind="stable")[:_MOST]
    figure, (axes,) = blank_figure()
    places = np.arange(len(order))
    axes.barh(places, values[order], color=[BLUE if v >= 0 else INK for v in values[order]])
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(places, [names[each] for each in order], fontsize=7)
    axes.invert_yaxis()
    label_axes(axes, "Contribution, of a threshold of 1", "")
    figure.set_label(
        f"{title}: what a bias of each column alone would explain, below 0 where it reads too low"
    )
    return figure
