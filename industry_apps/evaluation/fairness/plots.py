"""Plots of the figures of groups: a dot and an interval for each."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from industry_apps.evaluation.fairness.report import FOUR_FIFTHS, GroupFigures
from industry_apps.evaluation.plots import BLUE, GRID, INK, ORANGE, blank_figure

__all__ = ["group_calibration_plot", "rates_plot"]

_APART = 0.14  # between two dots of a group, in lines


def rates_plot(found: GroupFigures) -> Figure:
    """Draw the selection rate and the true positive rate of each group.

    Parameters
    ----------
    found : GroupFigures
        Of one attribute.

    Returns
    -------
    matplotlib.figure.Figure
        The dashed line stands at four fifths of the highest selection rate of a group with
        enough rows to be compared.
    """
    figure, axes = _lines(found)
    _dots(axes, found, "selection_rate", "All: selection rate")
    name = "Favourable outcome: true positive rate"
    _dots(axes, found, "true_positive_rate", name, second=True)
    rates = [found.groups[group]["selection_rate"].value for group in found.compared]
    if rates:
        line = FOUR_FIFTHS * max(rates)
        axes.axvline(line, color=GRID, ls="--", label="Four fifths of the highest selection rate")
    axes.set_xlim(-0.02, 1.02)
    _finish(figure, axes, "Share of favourable decisions")
    figure.set_label(
        "Dots further apart than their bars differ by more than chance; a selection rate left of "
        "the dashed line falls short of the four-fifths rule."
    )
    return figure


def group_calibration_plot(found: GroupFigures) -> Figure:
    """Draw the observed share of positives of each group beside the mean probability.

    Parameters
    ----------
    found : GroupFigures
        Of one attribute.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, axes = _lines(found)
    _dots(axes, found, "observed_rate", "Observed")
    _dots(axes, found, "mean_probability", "Predicted (mean)", second=True)
    axes.set_xlim(left=0)
    _finish(figure, axes, "Share of positives")
    figure.set_label(
        "Where the two dots of a group are apart, the model promises it too much or too little."
    )
    return figure


def _lines(found: GroupFigures) -> tuple[Figure, Axes]:
    """Return axes with a line for each group, the first on top, and room for the legend."""
    figure, (axes,) = blank_figure()
    count = len(found.groups)
    figure.set_figheight(1.9 + 0.45 * count)
    axes.set_yticks(range(count), labels=list(found.groups), color=INK)
    axes.set_ylim(count - 0.5, -0.5)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    return figure, axes


def _dots(axes: Axes, found: GroupFigures, name: str, label: str, *, second: bool = False) -> None:
    shown = [row[name] for row in found.groups.values()]
    axes.errorbar(
        [each.value for each in shown],
        [line + (_APART if second else -_APART) for line in range(len(shown))],
        xerr=[[e.value - e.low for e in shown], [e.high - e.value for e in shown]],
        fmt="s" if second else "o",
        ms=6,
        color=ORANGE if second else BLUE,
        label=label,
    )


def _finish(figure: Figure, axes: Axes, x: str) -> None:
    axes.set_xlabel(x, color=INK)
    figure.legend(loc="outside lower center", frameon=False, labelcolor=INK, fontsize=9)
