"""What a forecast of windows is made from, and where the values of a window lie.

Letters in shapes: S series (the batch), L steps of history, H steps of the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.sources import Part
from industry_apps.recipes.forecasting.windows import nodes
from industry_apps.recipes.forecasting.windows.nodes import known_mean, taken

#: The scale is at least this share of the mean size of the values: a constant series has one.
_LEAST_SCALE = 1e-3
#: The scale of a series of zeros, in units; of series smaller than one, as a share of their size.
SMALLEST_SCALE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonPlan:
    """What a forecast of windows is made from.

    Parameters
    ----------
    target : str
        The column that is forecast.
    length, horizon : int
        Steps of history and steps ahead.
    seasons : tuple of int
        Lengths of cycles in steps, the shortest first, at least one.
    periods : tuple of int
        So many of the latest periods of each season are looked at, as far as the length
        goes.
    base_periods : int
        The base of a step is the mean of so many of the latest values in phase with it; 0:
        the mean of the latest whole season, whatever the phase.
    means : tuple of int
        So many of the last steps are averaged.
    latest : int
        So many of the last values are looked at one by one.
    past, known : tuple of str
        Further columns whose history, and whose future too, is known.
    time : str
        The column of moments, where the calendar is looked at.
    calendar : tuple of {"hour", "weekday", "day", "month"}
        Parts of the moment of a step.
    """

    target: str
    length: int
    horizon: int
    seasons: tuple[int, ...]
    periods: tuple[int, ...]
    base_periods: int = 0
    means: tuple[int, ...] = ()
    latest: int = 6
    past: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    time: str = ""
    calendar: tuple[Part, ...] = ()

    def in_phase(self, season: int, periods: int, back: int = 0) -> np.ndarray:
        """Places in the window in phase with each step ahead, the latest first -> [H, J].

        Parameters
        ----------
        season : int
        periods : int
            At most; fewer where the window is too short.
        back : int
            Steps before these places.
        """
        ahead = np.arange(self.horizon)[:, None] % season
        count = min(periods, (self.length - back) // season)
        return self.length - back - season * np.arange(1, count + 1) + ahead


class Levelled(NamedTuple):
    """Where the values of a window lie, as tensors of a graph.

    Parameters
    ----------
    base : str
        [S, H]: what a step ahead is compared with.
    scale : str
        [S, 1], > 0: mean size of a change over a season.
    level : str
        [S, 1]: mean of the latest season.
    """

    base: str
    scale: str
    level: str


def levelled(
    builder: GraphBuilder, history: str, plan: HorizonPlan, typical: float, smallest: float
) -> Levelled:
    """Write base, scale and level of a window; all are finite.

    Parameters
    ----------
    builder : GraphBuilder
    history : str
        The target, tensor [S, L].
    plan : HorizonPlan
    typical : float
        Level of a series without any history.
    smallest : float
        Scale of a series of zeros, > 0.
    """
    season, length = plan.seasons[0], plan.length
    anywhere = known_mean(builder, history, 1)  # [S, 1]
    usual = builder.constant(np.float32(typical))
    anywhere = nodes.where_known(builder, anywhere, usual)
    latest = builder.part(history, -min(plan.seasons[-1], length), length)
    level = nodes.where_known(builder, known_mean(builder, latest, 1), anywhere)
    if plan.base_periods:
        base = nodes.where_known(builder, usual_of(builder, history, plan, plan.horizon), level)
    else:
        base = nodes.reshaped(
            builder,
            nodes.wide(builder, nodes.reshaped(builder, level, 0, 1, 1), plan.horizon),
            0,
            -1,
        )
    size = known_mean(builder, builder.node("Abs", history), 1)
    size = nodes.where_known(builder, size, builder.node("Abs", usual))
    change = size
    if length > season:
        later, earlier = (
            builder.part(history, *ends) for ends in ((season, length), (0, length - season))
        )
        apart = builder.node("Abs", builder.node("Sub", later, earlier))
        change = nodes.where_known(builder, known_mean(builder, apart, 1), size)
    least = builder.node("Mul", size, builder.constant(np.float32(_LEAST_SCALE)))
    least = builder.node("Add", least, builder.constant(np.float32(smallest)))
    return Levelled(base, builder.node("Max", change, least), level)


def usual_of(builder: GraphBuilder, history: str, plan: HorizonPlan, steps: int) -> str:
    """The mean of the latest values in phase with each step ahead -> [S, steps].

    Where none of the latest ``base_periods`` is known, of all that are looked at; NaN where none
    of these is.

    Parameters
    ----------
    builder : GraphBuilder
    history : str
        Tensor [S, L].
    plan : HorizonPlan
    steps : int
    """
    ahead, means = replace(plan, horizon=steps), []
    for periods in dict.fromkeys((plan.base_periods, plan.periods[0])):
        lags = taken(builder, history, ahead.in_phase(plan.seasons[0], periods))
        means.append(nodes.reshaped(builder, known_mean(builder, lags, 2), 0, -1))
    return nodes.where_known(builder, *means)
