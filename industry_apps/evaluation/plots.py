"""Plots of a decision's report. Each takes the scored rows and returns a Figure.

No pyplot, so no global state and no window. Colours are those of Okabe and Ito, which
people with any colour vision can tell apart. Letters: N rows, B bins, P periods.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from industry_apps.errors import SchemaError
from industry_apps.evaluation.decisions import DecisionCurves
from industry_apps.evaluation.intervals import wilson

__all__ = [
    "calibration_plot",
    "cost_plot",
    "drift_plot",
    "precision_recall_plot",
]

INK, GRID = "#3c4043", "#9aa0a6"
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
_SIZE = (5.4, 4.2)  # inches
_CURVE_POINTS = 400  # a curve of more points looks the same and makes the page heavy
_MAX_PERIODS = 62
_PERIODS = {"day": 1, "week": 7, "30 days": 30}

_Floats = npt.NDArray[np.float64]


def blank_figure(rows: int = 1, ratios: tuple[float, ...] = (1,)) -> tuple[Figure, list[Axes]]:
    """Return a figure in the style of the reports, and its axes from top to bottom.

    Parameters
    ----------
    rows : int, default 1
        How many axes stand above each other.
    ratios : tuple of float, default (1,)
        Their heights, one each.
    """
    figure = Figure(figsize=_SIZE, layout="constrained")
    grid = figure.subplots(rows, 1, squeeze=False, gridspec_kw={"height_ratios": ratios})
    for axes in grid[:, 0]:
        axes.patch.set_alpha(0)
        axes.grid(color=GRID, alpha=0.25, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(GRID)
        axes.tick_params(colors=INK, length=3)
    figure.patch.set_alpha(0)
    return figure, list(grid[:, 0])


def label_axes(axes: Axes, x: str, y: str, *, legend_columns: int = 1) -> None:
    """Name both axes in the style of the reports, and show the legend where there is one."""
    axes.set_xlabel(x, color=INK)
    axes.set_ylabel(y, color=INK)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, labelcolor=INK, fontsize=9, ncols=legend_columns)


def _levels(curves: DecisionCurves) -> tuple[_Floats, _Floats, _Floats]:
    """Return distinct probabilities, falling, with the alerts at each and the right ones."""
    probability = np.asarray(curves.probability, dtype=np.float64)
    levels, level_of_row = np.unique(-probability, return_inverse=True)
    alerts = np.cumsum(np.bincount(level_of_row)).astype(np.float64)
    right = np.cumsum(np.bincount(level_of_row, weights=curves.target)).astype(np.float64)
    return -levels, alerts, right


def _thinned(along: _Floats) -> npt.NDArray[np.intp]:
    """Return positions that lie evenly along a monotonic axis, both ends included."""
    if len(along) <= _CURVE_POINTS:
        return np.arange(len(along))
    even = np.linspace(along[0], along[-1], _CURVE_POINTS)
    at = np.searchsorted(along, even) if along[-1] > along[0] else np.zeros(1, dtype=np.intp)
    return np.unique(np.append(np.minimum(at, len(along) - 1), [0, len(along) - 1]))


def precision_recall_plot(curves: DecisionCurves) -> Figure:
    """Draw precision against recall, the prevalence, and the chosen threshold.

    Parameters
    ----------
    curves : DecisionCurves
        At least one row must be positive.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axes,) = blank_figure()
    _, alerts, right = _levels(curves)
    positives = max(float(right[-1]), 1.0)
    keep = _thinned(right / positives)
    axes.plot(right[keep] / positives, (right / alerts)[keep], color=BLUE, lw=2, label="Model")
    prevalence = float(np.mean(curves.target))
    axes.axhline(prevalence, color=GRID, ls="--", label=f"Flagged at random ({prevalence:.2%})")
    raised = curves.alerts
    if raised.any():
        caught = float(np.sum(curves.target[raised]))
        axes.plot(
            caught / positives,
            caught / raised.sum(),
            "o",
            ms=9,
            color=ORANGE,
            label=f"Threshold {curves.threshold:.3g}",
        )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    label_axes(axes, "Recall: positives that are flagged", "Precision: flagged rightly")
    return figure


def calibration_plot(curves: DecisionCurves, *, bins: int = 10) -> Figure:
    """Draw the share of positives against the predicted probability, and rows per bin.

    Parameters
    ----------
    curves : DecisionCurves
        Probabilities must lie in [0, 1].
    bins : int, default 10
        B; each bin holds the same sum of probabilities, so that all points are equally
        certain and those near the threshold of a rare event are not lost in one bin. The
        bars are 95 % Wilson intervals.

    Returns
    -------
    matplotlib.figure.Figure

    References
    ----------
    Niculescu-Mizil, A. and Caruana, R. (2005). Predicting good probabilities with
    supervised learning. ICML, doi:10.1145/1102351.1102430.
    Wilson, E. (1927). Probable inference, the law of succession, and statistical
    inference. JASA 22, 209-212, doi:10.1080/01621459.1927.10502953.
    """
    figure, (axes, counts) = blank_figure(2, (3, 1))
    probability = np.asarray(curves.probability, dtype=np.float64)
    rising = np.sort(probability)
    mass = np.cumsum(rising)
    edges = rising[np.searchsorted(mass, mass[-1] * np.linspace(0, 1, bins + 1)[1:-1])]
    code = np.searchsorted(np.unique(edges), probability, side="left")  # [N]
    code = np.unique(code, return_inverse=True)[1]
    rows = np.bincount(code)  # [B]
    predicted = np.bincount(code, weights=probability) / rows
    observed = np.bincount(code, weights=curves.target) / rows
    low, high = wilson(observed, rows)
    # Log axes have no zero: bins without a positive stand at the foot.
    foot = max(float(min(predicted.min(), observed[observed > 0].min(initial=1.0))) / 3, 1e-7)
    axes.plot([foot, 1], [foot, 1], color=GRID, ls="--", label="Perfect calibration")
    axes.errorbar(
        np.maximum(predicted, foot),
        np.maximum(observed, foot),
        yerr=np.maximum([observed - low, high - observed], 0),
        fmt="o",
        ms=6,
        color=BLUE,
        label="Model, with 95 % interval",
    )
    axes.set(xscale="log", yscale="log", ylim=(foot * 0.7, 1.5), xlim=(foot * 0.7, 1.5))
    label_axes(axes, "", "Observed share of positives")
    counts.bar(
        np.maximum(predicted, foot), rows, width=np.maximum(predicted, foot) * 0.25, color=BLUE
    )
    counts.set(xscale="log", yscale="log", xlim=axes.get_xlim(), ylim=(0.5, None))
    counts.yaxis.set_major_formatter(_thousands())
    for axis in (axes.xaxis, axes.yaxis, counts.xaxis):
        axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.4g}"))
    label_axes(counts, "Predicted probability (mean of the bin)", "Rows")
    return figure


def _thousands() -> FuncFormatter:
    return FuncFormatter(lambda x, _: f"{x:,.0f}".replace(",", "\u202f"))


def cost_plot(curves: DecisionCurves) -> Figure:
    """Draw the cost of 1 000 rows against the threshold; mark the chosen one.

    Parameters
    ----------
    curves : DecisionCurves
        Costs are in their money units.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, (axes,) = blank_figure()
    levels, alerts, right = _levels(curves)
    costs, n_rows, positives = curves.costs, len(curves.target), float(np.sum(curves.target))
    false_alarms, missed = alerts - right, positives - right
    cost = 1000 * (costs.false_alarm * false_alarms + costs.missed * missed) / n_rows
    shown = np.maximum(levels, max(float(levels[-1]), 1e-5))
    keep = _thinned(-np.log(shown))
    axes.plot(shown[keep], cost[keep], color=BLUE, lw=2, drawstyle="steps-pre", label="Model")
    never = 1000 * costs.missed * positives / n_rows
    axes.axhline(never, color=GRID, ls="--", label="Nothing flagged")
    wrong = curves.alerts != np.asarray(curves.target, dtype=bool)
    chosen = 1000 * float(np.mean(wrong * np.where(curves.target, costs.missed, costs.false_alarm)))
    at = max(curves.threshold, float(shown[-1]))  # a log axis has no 0
    axes.axvline(at, color=ORANGE, lw=1)
    axes.plot(at, chosen, "o", ms=9, color=ORANGE, label=f"Threshold {curves.threshold:.3g}")
    top = max(never, chosen, float(cost.min())) * 1.6 or 1.0
    # To the left of where the curve leaves the picture there is nothing to see.
    left = min(float(shown[cost <= top].min(initial=1.0)), at) / 1.5
    axes.set(xscale="log", ylim=(0, top), xlim=(left, 1.3 * max(at, 1.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    label_axes(axes, "Threshold (probability)", "Cost per 1 000 rows (money units)")
    return figure


def drift_plot(curves: DecisionCurves) -> Figure:
    """Draw, period by period, positives against the mean score, and right and false alerts.

    Periods are days; weeks or spans of 30 days where there would be more than 62.

    Parameters
    ----------
    curves : DecisionCurves
        With `day`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SchemaError
        When the rows have no day.
    """
    if curves.day is None:
        raise SchemaError("A drift plot needs the day of each row. Pass day=... to DecisionCurves.")
    day = np.asarray(curves.day)
    dated = np.issubdtype(day.dtype, np.datetime64)
    starts, code, period = _periods(day.astype("datetime64[D]") if dated else day)
    rows = np.bincount(code)  # [P]
    target = np.asarray(curves.target, dtype=np.float64)
    figure, (shares, counts) = blank_figure(2, (3, 2))
    for values, colour, style, name in (
        (target, BLUE, "o-", "Positives"),
        (curves.probability, ORANGE, "s--", "Mean score"),
    ):
        share = np.bincount(code, weights=values) / rows
        shares.plot(starts, share, style, color=colour, ms=4, label=name)
    shares.set_ylim(bottom=0)
    shares.yaxis.set_major_formatter(PercentFormatter(1.0))
    label_axes(shares, "", "Share of rows")
    raised = curves.alerts.astype(np.float64)
    right = np.bincount(code, weights=raised * target)
    false = np.bincount(code, weights=raised) - right
    width = 0.8 * _PERIODS[period]
    counts.bar(starts, right, width=width, color=GREEN, label="Rightly flagged")
    counts.bar(starts, false, width=width, bottom=right, color=GRID, label="Wrongly flagged")
    counts.set_ylim(0, 1.45 * max(float((right + false).max()), 1.0))  # room for the legend
    counts.sharex(shares)
    if dated:
        locator = AutoDateLocator(maxticks=8)
        counts.xaxis.set_major_locator(locator)
        counts.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    counts.yaxis.set_major_formatter(_thousands())
    label_axes(counts, f"Start of the {period}", "Flagged", legend_columns=2)
    return figure


def _periods(day: npt.NDArray[np.generic]) -> tuple[_Floats, npt.NDArray[np.intp], str]:
    """Return the first day of each period [P], the period of each row [N], and its name."""
    number = day.astype(np.int64)
    first, span = int(number.min()), int(np.ptp(number)) + 1
    name = next((name for name, days in _PERIODS.items() if span <= days * _MAX_PERIODS), "30 days")
    period, code = np.unique((number - first) // _PERIODS[name], return_inverse=True)
    return (period * _PERIODS[name] + first).astype(np.float64), code, name
