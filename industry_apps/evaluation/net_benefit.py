"""Decision curves: what acting on a probability is worth, at every threshold.

Net benefit counts the cases that are rightly acted on, less those wrongly acted on at the
exchange rate that the threshold stands for: who acts from a risk of 10 % on accepts nine false
alarms for one case found.

References
----------
Vickers and Elkin 2006, "Decision curve analysis: a novel method for evaluating prediction
models", doi:10.1177/0272989X06295361; of censored times, Vickers et al. 2008, "Extensions to
decision curve analysis", doi:10.1186/1472-6947-8-53.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from industry_apps.evaluation.sections import Section

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["decision_curve_section", "net_benefit", "share_of"]

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]

#: Thresholds of the table, as multiples of the share of cases.
_MULTIPLES = (0.5, 0.75, 1.0, 1.5, 2.0)
_POINTS = 60


def net_benefit(
    probability: npt.ArrayLike, threshold: float, cases: Callable[[_Bools], float]
) -> float:
    """Net benefit of acting from a threshold on, in true positives per row.

    Parameters
    ----------
    probability : array-like of shape [rows]
        In [0, 1].
    threshold : float
        In (0, 1).
    cases : callable
        Mask of rows [rows], at least one of them -> share of them that are cases.

    Returns
    -------
    float
        0 where nobody is acted on; at most the share of cases.

    Examples
    --------
    >>> target = np.array([True, False, False, True])
    >>> net_benefit([0.9, 0.6, 0.1, 0.2], 0.5, share_of(target))
    0.0
    """
    acted = np.asarray(probability, dtype=np.float64) >= threshold
    if not acted.any():
        return 0.0
    found = cases(acted)
    odds = threshold / (1 - threshold)
    return float(acted.mean() * (found - (1 - found) * odds))


def share_of(target: npt.ArrayLike) -> Callable[[_Bools], float]:
    """Share of cases among rows whose outcome is known, as :func:`net_benefit` asks.

    Parameters
    ----------
    target : array-like of bool of shape [rows]
    """
    labels = np.asarray(target, dtype=bool)
    return partial(_mean_of, labels)


def _mean_of(labels: _Bools, mask: _Bools) -> float:
    return float(labels[mask].mean())


def decision_curve_section(
    systems: Mapping[str, _Floats], cases: Callable[[_Bools], float]
) -> Section:
    """Table and plot of the net benefit of systems, of acting on all, and on nobody.

    Parameters
    ----------
    systems : mapping of str to ndarray of shape [rows]
        System -> probability.
    cases : callable
        As for :func:`net_benefit`.

    Returns
    -------
    Section
        "Decision curve".
    """
    rows = len(next(iter(systems.values())))
    share = cases(np.ones(rows, dtype=bool))
    everybody = {"act on all": np.ones(rows), "act on nobody": np.zeros(rows)}
    thresholds = [min(multiple * share, 0.8) for multiple in _MULTIPLES]
    table: list[list[object]] = [["threshold", *systems, *everybody]]
    for threshold in dict.fromkeys(thresholds):
        values = [net_benefit(p, threshold, cases) for p in {**systems, **everybody}.values()]
        table.append([threshold, *values])
    return Section(
        "Decision curve",
        "Net benefit: true positives per patient, less false alarms at the rate that the "
        "threshold stands for. A model is of use where it lies above acting on all and above 0.",
        table,
        (partial(_plot, {**systems, **everybody}, cases, share),),
    )


def _plot(systems: Mapping[str, _Floats], cases: Callable[[_Bools], float], share: float) -> Figure:
    from industry_apps.evaluation.plots import GRID, blank_figure, label_axes

    figure, (axes,) = blank_figure()
    thresholds = np.linspace(0.01, min(0.95, 3 * share), _POINTS)
    for name, probability in systems.items():
        values = [net_benefit(probability, threshold, cases) for threshold in thresholds]
        (line,) = axes.plot(thresholds, values, label=name)
        if name.startswith("act on"):
            line.set(color=GRID, linestyle="--")
    axes.set_ylim(-0.1 * share, 1.05 * share)
    label_axes(axes, "Risk from which on one acts", "Net benefit")
    figure.set_label("The higher the better; dashed: acting on all, and on nobody.")
    return figure
