"""The points of a scorecard as a section of a report: the table, and bars for each attribute."""

from __future__ import annotations

from functools import partial

import pandas as pd
from matplotlib.figure import Figure

from industry_apps.evaluation.plots import BLUE, GRID, INK, ORANGE, blank_figure, label_axes
from industry_apps.evaluation.sections import Section

__all__ = ["points_plot", "points_section"]

_LONGEST = 42  # characters of a bin's name beside its bar


def points_section(table: pd.DataFrame) -> Section:
    """Show a scorecard as people read it.

    Parameters
    ----------
    table : DataFrame
        One line a bin: ``attribute``, ``bin`` (in words), ``points``, and what else is told
        of a bin.

    Returns
    -------
    Section
        With a figure for each attribute.
    """
    attributes = dict.fromkeys(table["attribute"])
    return Section(
        "Points",
        "The score is the sum of the points of the bins that a record falls into. What a record "
        "has less than the most points of an attribute is what that attribute costs it.",
        table,
        tuple(partial(points_plot, table, attribute) for attribute in attributes),
    )


def points_plot(table: pd.DataFrame, attribute: str) -> Figure:
    """Draw the points of each bin of one attribute.

    Parameters
    ----------
    table : DataFrame
        As for :func:`points_section`.
    attribute : str
        One that the table has.

    Returns
    -------
    matplotlib.figure.Figure
        The dashed line stands at the most points of the attribute.
    """
    found = table[table["attribute"] == attribute]
    points = found["points"].to_numpy()
    lines = range(len(found))
    figure, (axes,) = blank_figure()
    figure.set_figheight(1.2 + 0.34 * len(found))
    axes.barh(lines, points, color=[BLUE if each >= 0 else ORANGE for each in points], height=0.7)
    for line, each in zip(lines, points, strict=True):
        axes.annotate(
            f"{each:g}",
            (each, line),
            xytext=(3 if each >= 0 else -3, 0),
            textcoords="offset points",
            va="center",
            ha="left" if each >= 0 else "right",
            color=INK,
        )
    axes.axvline(points.max(), color=GRID, ls="--")
    axes.set_yticks(lines, labels=[_short(words) for words in found["bin"]], color=INK)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.margins(x=0.12)
    label_axes(axes, "Points", "")
    figure.set_label(f"Points of {attribute}")
    return figure


def _short(words: str) -> str:
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 3]}..."
