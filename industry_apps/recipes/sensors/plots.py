"""Plots of remaining life: what a model said of one machine, reading by reading.

Letters: R readings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from industry_apps.evaluation.plots import BLUE, INK, blank_figure, label_axes

__all__ = ["trajectory_plot"]


def trajectory_plot(
    name: str,
    times: npt.ArrayLike,
    answers: Mapping[str, npt.NDArray[Any]],
    life: npt.ArrayLike | None = None,
) -> Figure:
    """Draw the remaining life of one machine, as it was answered at each reading.

    Parameters
    ----------
    name : str
        Of the machine.
    times : array-like of int or datetime64, shape (R,)
        Rising.
    answers : mapping of str to ndarray of shape (R,)
        ``remaining_life`` and its ends ``remaining_life_low`` and ``remaining_life_high``.
    life : array-like of float, shape (R,), optional
        The life that was left.

    Returns
    -------
    matplotlib.figure.Figure
    """
    moments = np.asarray(times)
    figure, (axes,) = blank_figure()
    axes.plot(moments, answers["remaining_life"], color=BLUE, linewidth=1.5, label="answered")
    axes.fill_between(
        moments,
        answers["remaining_life_low"],
        answers["remaining_life_high"],
        color=BLUE,
        alpha=0.2,
        linewidth=0,
        label="its interval",
    )
    if life is not None:
        axes.plot(moments, np.asarray(life), color=INK, linewidth=1, label="what came")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="upper right")
    label_axes(axes, "Time", "Remaining life")
    figure.set_label(f"{name}: remaining life answered at each reading, and what came")
    return figure
