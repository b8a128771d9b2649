"""Clocks that were set wrong: when the output of a plant runs before or behind what drives it.

A meter that follows the clock on the wall, while weather is kept in standard time, is an hour off
in summer; a file in the wrong zone is off all year. Each day is compared with what drives output
(irradiance, wind) at all shifts, and the shifts of least cost over the days are found by dynamic
programming (Viterbi 1967, doi:10.1109/TIT.1967.1054010), where a change has its price: noise of a
day does not look like a change of the clock. What is found is said, and nothing is changed here but
by :func:`without_time_shifts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TimeShift", "find_time_shifts", "without_time_shifts"]

Values = Sequence[float] | NDArray[np.floating]

_DAY = 86_400
#: A change of the clock is believed where it lowers the cost, a sum over days of 1 less the
#: correlation, by so much.
_PRICE = 0.6
#: Of a day, known pairs that tell something, and the least spread beside the mean of all days.
_FEWEST, _LEAST_SPREAD = 6, 0.1
#: What a step of shift costs where one is free: days that tell nothing are not shifted.
_NEAREST = 1e-6
#: Most moments lie so many steps apart, or fewer; else one of them is off.
_MOST_STEPS = 24
#: Of a step, by which the reference is moved where a constant shift is free.
_PARTS = (-0.5, -0.25, 0.0, 0.25)


class TimeShift(NamedTuple):
    """Days in which a column runs behind (positive) or before what it is compared with.

    Parameters
    ----------
    first, last : numpy.datetime64
        Days, UTC.
    minutes : int
        What has to be taken off its times.
    """

    first: np.datetime64
    last: np.datetime64
    minutes: int

    def __str__(self) -> str:
        behind = "behind" if self.minutes > 0 else "before"
        return f"{abs(self.minutes)} minutes {behind} from {self.first} to {self.last}"


class _Path(NamedTuple):
    cost: float
    shifts: NDArray[np.int64]  # [days], places among all that are tried


def find_time_shifts(
    time: pd.Series,
    power: Values,
    reference: Values,
    *,
    most_hours: float = 3.0,
    free_hours: float = 0.0,
) -> list[TimeShift]:
    """Find when a column runs before or behind another that should move with it.

    Parameters
    ----------
    time : Series of datetimes, shape [rows]
        UTC where it says no zone; regular but for gaps, each moment once.
    power, reference : sequence of float, shape [rows]
        NaN where not known: output, and irradiance or wind or what is expected of these.
    most_hours : float
        The largest shift that is looked for, > 0.
    free_hours : float
        A shift of all days alike, up to so many hours, is none: modules that face east have their
        noon before the sun. Then the days of the least shift are right, and clocks put forward.

    Returns
    -------
    list of TimeShift
        In order of time; days without any shift are not in it.

    Raises
    ------
    SchemaError
        A moment comes twice, or there are fewer than two.

    Examples
    --------
    >>> import pandas as pd
    >>> time = pd.Series(pd.date_range("2024-01-01", periods=60 * 24, freq="h"))
    >>> sun = np.maximum(np.sin((time.dt.hour - 6) * np.pi / 12), 0) * (1 + time.dt.day % 5)
    >>> late = np.where(np.arange(len(sun)) < 720, sun, np.roll(sun, 1))
    >>> [shift.minutes for shift in find_time_shifts(time, late, sun)]
    [60]
    """
    seconds = _seconds(time)
    step, grid = _grid(seconds)
    most = min(max(1, int(most_hours * 3600 // step)), len(grid) - 1)
    per_day = max(1, _DAY // step)
    columns = []
    for values in (power, reference):
        laid = np.full(len(grid), np.nan)
        laid[(seconds - grid[0]) // step] = np.asarray(values, dtype=np.float64)
        columns.append(laid)
    lags = np.arange(-most, most + 1)
    paths = []
    for part in _PARTS if free_hours else (0.0,):
        moved = np.interp(np.arange(len(grid)) + part, np.arange(len(grid)), columns[1])
        costs = np.stack([_costs(columns[0], moved, int(lag), per_day) for lag in lags], axis=1)
        paths.append(_cheapest(costs, free=free_hours > 0))
    minutes = (lags[min(paths, key=lambda path: path.cost).shifts] * step // 60).astype(np.int64)
    if abs(minutes.min()) <= 60 * free_hours:
        minutes -= minutes.min()
    return _stretches(minutes, grid[0])


def _stretches(minutes: NDArray[np.int64], start: np.int64) -> list[TimeShift]:
    """Days after each other that are shifted alike."""
    days = start.astype("datetime64[s]").astype("datetime64[D]") + np.arange(len(minutes))
    parts = np.split(np.arange(len(minutes)), np.flatnonzero(np.diff(minutes)) + 1)
    return [
        TimeShift(days[part[0]], days[part[-1]], int(minutes[part[0]]))
        for part in parts
        if minutes[part[0]]
    ]


def without_time_shifts(
    time: pd.Series, power: Values, shifts: Sequence[TimeShift]
) -> NDArray[np.float64]:
    """Values at the times that they belong to, as shifts that were found tell.

    Parameters
    ----------
    time, power
        As of :func:`find_time_shifts`.
    shifts : sequence of TimeShift

    Returns
    -------
    ndarray of shape [rows]
        NaN where nothing is known of a moment, as of an hour that a clock has left out.
    """
    seconds, values = _seconds(time), np.asarray(power, dtype=np.float64)
    _grid(seconds)
    off = np.zeros(len(seconds), dtype=np.int64)
    for shift in shifts:
        first, last = (day.astype("datetime64[s]").astype(np.int64) for day in shift[:2])
        off[(seconds >= first) & (seconds < last + _DAY)] = 60 * shift.minutes
    order = np.argsort(seconds)
    place = np.searchsorted(seconds[order], seconds + off)
    there = np.minimum(place, len(order) - 1)
    hit = seconds[order][there] == seconds + off
    return np.where(hit, values[order][there], np.nan)


def _seconds(time: pd.Series) -> NDArray[np.int64]:
    from industry_apps.schema import Column, Schema

    moment = Column(str(time.name or "time"), "datetime", nullable=False)
    return Schema((moment,)).to_arrays({moment.name: time})[moment.name]


def _grid(seconds: NDArray[np.int64]) -> tuple[int, NDArray[np.int64]]:
    """The step, and all moments from the first day on."""
    moments = np.unique(seconds)
    if len(moments) < 2:
        raise SchemaError("Two moments or more are needed. Give a longer table.")
    if len(moments) < len(seconds):
        order = np.sort(seconds)
        twice = order[:-1][np.diff(order) == 0][0]
        rows = np.flatnonzero(seconds == twice)[:2]
        raise SchemaError(
            f"Column of the time, rows {rows[0]} and {rows[1]}: got {twice.astype('datetime64[s]')}"
            " UTC twice, expected each moment once. Keep the row that is right; where a clock was "
            "put back, give times in UTC."
        )
    step, usual, off = moment_off_steps(seconds)
    if off is not None:
        raise SchemaError(
            f"Column of the time, row {off}: got {seconds[off].astype('datetime64[s]')} UTC, "
            f"expected steps of {usual} s. Take means of regular intervals, or leave the row out."
        )
    return step, np.arange(moments[0], moments[-1] + step, step)


def moment_off_steps(seconds: NDArray[np.int64]) -> tuple[int, int, int | None]:
    """Steps that all moments lie on, and that most do, in seconds; a row off the latter.

    Parameters
    ----------
    seconds : ndarray of shape [rows]
        Two moments or more.

    Returns
    -------
    step, usual : int
    row : int or None
        None where both are so near that gaps explain it.
    """
    apart = np.diff(np.unique(seconds))
    step, usual = int(np.gcd.reduce(apart)), int(np.median(apart))
    if usual <= _MOST_STEPS * step:
        return step, usual, None
    phases, counts = np.unique(seconds % usual, return_counts=True)
    return step, usual, int((seconds % usual != phases[counts.argmax()]).argmax())


def _costs(
    power: NDArray[np.float64], reference: NDArray[np.float64], lag: int, per_day: int
) -> NDArray[np.float64]:
    """1 less the correlation of each day at a lag; 1 where a day tells nothing."""
    came = np.full(len(power), np.nan)
    if lag >= 0:
        came[: len(power) - lag] = power[lag:]
    else:
        came[-lag:] = power[:lag]
    days = -(-len(power) // per_day)
    x, y = (
        np.pad(each, (0, days * per_day - len(each)), constant_values=np.nan).reshape(days, per_day)
        for each in (came, reference)
    )
    both = ~np.isnan(x) & ~np.isnan(y)
    count = np.maximum(both.sum(axis=1), 1)
    x, y = (
        np.where(both, each - (np.where(both, each, 0).sum(axis=1) / count)[:, None], 0)
        for each in (x, y)
    )
    spread = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    tells = (both.sum(axis=1) >= _FEWEST) & (spread > _LEAST_SPREAD * spread.mean())
    return np.where(tells, 1 - (x * y).sum(axis=1) / np.maximum(spread, 1e-12), 1.0)


def _cheapest(costs: NDArray[np.float64], *, free: bool) -> _Path:
    """The shift of each day, of least cost with the price of changes; the middle one is none."""
    days, lags = costs.shape
    away = np.abs(np.arange(lags) - lags // 2)
    shifted = _NEAREST * away if free else _PRICE * (away > 0)
    total, back = costs[0] + shifted, []
    for day in range(1, days):
        best = int(total.argmin())
        stays = total <= total[best] + _PRICE
        back.append(np.where(stays, np.arange(lags), best))
        total = np.where(stays, total, total[best] + _PRICE) + costs[day]
    path = [int(total.argmin())]
    for came in reversed(back):
        path.append(int(came[path[-1]]))
    return _Path(float(total.min()), np.array(path[::-1]))
