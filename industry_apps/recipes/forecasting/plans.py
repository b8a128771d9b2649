"""What a forecast looks at by default: cycles, history and origins that suit a step of time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.features.sources import Part
from industry_apps.recipes.forecasting.windows.levels import HorizonPlan
from industry_apps.runtime import WindowRule
from industry_apps.schema import Schema


class StepPlan(NamedTuple):
    """Defaults of one step of time.

    Parameters
    ----------
    horizon : int
        Steps ahead.
    length : int
        Steps of history.
    seasons, periods, base_periods, means
        As in :class:`industry_apps.recipes.forecasting.windows.levels.HorizonPlan`.
    every : int
        Steps between the origins that are learned from.
    origins : int
        How many of them, at most.
    calendar : tuple of Part
        Parts of the moment that tell something once they have all been seen twice.
    """

    horizon: int
    length: int
    seasons: tuple[int, ...]
    periods: tuple[int, ...]
    base_periods: int
    means: tuple[int, ...]
    every: int
    origins: int
    calendar: tuple[Part, ...] = ()


#: Chosen on the validation parts of M4-Hourly (hours), of Stallion (months), and of the
#: simulated sales (days); all others follow them.
STEP_PLANS: dict[str, StepPlan] = {
    "index": StepPlan(10, 100, (1,), (5,), 0, (3, 5, 10, 25, 50), 2, 60),
    "minute": StepPlan(60, 2880, (60, 1440), (14, 2), 3, (5, 15, 60, 240, 1440), 61, 20),
    "hour": StepPlan(
        48, 672, (24, 168), (28, 4), 1, (6, 24, 48, 72, 168), 24, 14, ("hour", "weekday", "month")
    ),
    "day": StepPlan(
        28, 112, (7, 28), (16, 4), 4, (3, 7, 14, 28, 56), 5, 60, ("weekday", "day", "month")
    ),
    "week": StepPlan(13, 104, (52,), (2,), 0, (2, 4, 8, 13, 26, 52), 2, 60, ("month",)),
    "half-month": StepPlan(6, 72, (24,), (3,), 0, (2, 4, 6, 12, 24), 1, 60, ("month",)),
    "month": StepPlan(6, 48, (12,), (4,), 0, (3, 6, 12, 24), 1, 60, ("month",)),
    "quarter": StepPlan(4, 20, (4,), (5,), 0, (2, 4, 8), 1, 40, ("month",)),
    "year": StepPlan(3, 10, (1,), (5,), 0, (2, 3, 5), 1, 40),
}

#: Days in which each value of a part of the calendar is seen twice.
_SEEN_TWICE: dict[Part, float] = {
    "hour": 2,
    "weekday": 14,
    "day": 62,
    "month": 730,
}
_SECONDS_A_DAY = 86_400


def step_of(moments: NDArray[np.int64], time: str) -> str:
    """The step of time that most rows lie apart.

    Parameters
    ----------
    moments : ndarray of int64, shape [rows]
        Seconds since 1970 UTC.
    time : str
        Name of their column.

    Raises
    ------
    SchemaError
        There are fewer than two moments, or most lie apart by what is no step.

    Examples
    --------
    >>> days = np.array(["2024-01-01", "2024-02-01", "2024-03-01"], dtype="datetime64[s]")
    >>> step_of(days.astype(np.int64), "month")
    'month'
    """
    apart = np.diff(np.unique(moments))
    if not len(apart):
        raise SchemaError(
            f"Column {time!r} holds one moment only: there is no history to learn from. "
            "Give a longer history."
        )
    usual = float(np.median(apart)) / _SECONDS_A_DAY
    for step, days in (
        ("minute", 1 / 1440),
        ("hour", 1 / 24),
        ("day", 1),
        ("week", 7),
        ("half-month", 15.2),
        ("month", 30.5),
        ("quarter", 91),
        ("year", 365),
    ):
        if 0.9 * days < usual < 1.1 * days:
            return step
    raise SchemaError(
        f"The moments of column {time!r} lie {usual:g} days apart, which is no step of time. Where "
        f"some lie one apart, name it, as in step='day', or one of {tuple(STEP_PLANS)}; else add "
        "the rows between them with nothing known, or sum up to longer steps."
    )


def is_index(values: Any) -> bool:
    """Whether times are numbers of steps: whole ones, that mostly rise by one.

    Parameters
    ----------
    values : sequence of shape [rows]
        The column of the time, as it stands in the table.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        return False
    apart = np.diff(np.unique(array))
    return bool(len(apart)) and float(np.median(apart)) == 1


def usual_plan(rule: WindowRule) -> StepPlan:
    """Defaults that suit a rule: a week of five open days has five steps.

    Parameters
    ----------
    rule : WindowRule
        With a step.
    """
    usual, open_days = STEP_PLANS[rule.step], len(rule.weekdays)
    if not open_days:
        return usual
    return usual._replace(
        horizon=4 * open_days,
        length=16 * open_days,
        seasons=(open_days, 4 * open_days),
        means=tuple(sorted({min(3, open_days), *(open_days * weeks for weeks in (1, 2, 4, 8))})),
        every=max(open_days - 1, 1),
    )


def plan_of(
    schema: Schema, rule: WindowRule, *, target: str, horizon: int, history: int
) -> HorizonPlan:
    """A plan of features that suits the columns and the history.

    Parameters
    ----------
    schema : Schema
    rule : WindowRule
    target : str
        Name of its column.
    horizon : int
        Steps ahead.
    history : int
        Steps of the table that is learned from.
    """
    usual, length, time = usual_plan(rule), rule.length, rule.time
    seasons = [
        (season, periods)
        for season, periods in zip(usual.seasons, usual.periods, strict=True)
        if season <= length
    ] or [(1, usual.periods[0])]
    day = 7 / len(rule.weekdays) if rule.weekdays else 1
    lengths = {"minute": 1 / 1440, "hour": 1 / 24, "day": day, "week": 7, "half-month": 15.2}
    days = history * lengths.get(rule.step, 30.5)
    inputs = [column for column in schema.inputs() if column.name not in (target, time)]
    return HorizonPlan(
        target=target,
        length=length,
        horizon=horizon,
        seasons=tuple(season for season, _ in seasons),
        periods=tuple(periods for _, periods in seasons),
        base_periods=usual.base_periods,
        means=tuple(steps for steps in usual.means if steps <= length),
        past=tuple(column.name for column in inputs if column.role == "history"),
        known=tuple(column.name for column in inputs if column.role == "known"),
        time=time,
        calendar=tuple(part for part in usual.calendar if days >= _SEEN_TWICE[part]),
    )
