"""Plots of plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from industry_apps.energy.grid.dispatch import Dispatch
from industry_apps.energy.grid.hours import Hours

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Generators with a colour of their own; the others are drawn as one.
_OWN = 9


def plan_plot(asked: Hours, found: Dispatch) -> Figure:
    """Outputs stacked, the cheapest below, with load and shedding; prices beneath.

    Small ones are drawn together, on top of the others.

    Parameters
    ----------
    asked : Hours
    found : Dispatch

    Returns
    -------
    Figure
        Not bound to a window.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    case = asked.case
    figure = Figure(figsize=(9, 6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    names = np.array(case.generator_names)
    middle = (case.generators.least + case.generators.most) / 2
    order = np.argsort(case.generators.costs.slope(middle), kind="stable")
    used = [place for place in order if found.output[:, place].any()]
    largest = sorted(used, key=lambda place: -found.output[:, place].sum())[:_OWN]
    own = [place for place in used if place in largest]
    parts = [(f"{names[g]} (bus {case.buses[case.generators.bus[g]]})", [g]) for g in own]
    rest = [place for place in used if place not in largest]
    if rest:
        parts.append((f"{len(rest)} others", rest))
    hours = np.arange(asked.count + 1)
    colours = colormaps["tab10"](np.linspace(0, 1, 10))
    low = np.zeros(asked.count)
    for (name, places), colour in zip(parts, colours, strict=False):
        high = low + found.output[:, places].sum(axis=1)
        top.fill_between(
            hours, _step(low), _step(high), step="post", label=name, color=colour, lw=0
        )
        low = high
    shed = found.shed.sum(axis=1)
    if shed.any():
        top.fill_between(
            hours,
            _step(low),
            _step(low + shed),
            step="post",
            label="load shed",
            facecolor="white",
            edgecolor="red",
            hatch="///",
        )
    load = asked.loads.sum(axis=1)
    top.step(hours, _step(load), where="post", color="black", lw=1.5, label="load")
    top.set(ylabel="MW", title=f"Dispatch of {case.name}")
    top.set_ylim(bottom=min(0.0, float(found.output.sum(axis=1).min())))
    top.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=8)
    prices = found.prices
    bottom.fill_between(
        hours, _step(prices.min(axis=1)), _step(prices.max(axis=1)), step="post", alpha=0.3
    )
    bottom.step(hours, _step(np.median(prices, axis=1)), where="post")
    bottom.set(ylabel="$/MWh", xlabel="hour", xlim=(0, asked.count))
    bottom.set_title("Prices: median bus, and the range of all", fontsize=9)
    figure.set_label(f"Outputs, load and prices of {case.name}, hour by hour")
    return figure


def _step(values: np.ndarray) -> np.ndarray:
    """Values of hours as the corners of steps: the last one goes on to the end of its hour."""
    return np.append(values, values[-1])
