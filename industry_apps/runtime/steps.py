"""Regular steps of time: the number of the period that a moment lies in, and back.

Weeks begin on Monday, months, quarters and years with the calendar. A :class:`Calendar` says
where in its period a step lies, and on which days of the week there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

Step = Literal[
    "", "index", "minute", "hour", "day", "week", "half-month", "month", "quarter", "year"
]

#: An index is a number of the step, in the place of the seconds.
_SECONDS = {"index": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
#: 1970-01-01 was a Thursday: so many seconds after a Monday.
_SINCE_MONDAY = 3 * 86_400
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: A day of the week is closed where an open one would be without a row as seldom as this.
_CHANCE = 0.01
#: Open days are counted from here.
_FIRST = np.datetime64("0001-01-01")


def period_of(seconds: NDArray[np.int64], step: str) -> NDArray[np.int64]:
    """Number of the period that each moment lies in.

    Parameters
    ----------
    seconds : ndarray of int64
        Since 1970 UTC.
    step : str
        Length of a period, one of ``Step``, neither "" nor "half-month".

    Examples
    --------
    >>> moments = np.array(["2024-02-29T23", "2024-03-01"], dtype="datetime64[s]").astype(int)
    >>> np.diff(period_of(moments, "month")), np.diff(period_of(moments, "week"))
    (array([1]), array([0]))
    """
    if step in _SECONDS:
        shift = _SINCE_MONDAY if step == "week" else 0
        return (seconds + shift) // _SECONDS[step]
    months = seconds.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return months // _MONTHS[step]


def start_of(period: NDArray[np.int64], step: str) -> NDArray[np.int64]:
    """First moment of each period, the inverse of :func:`period_of`.

    Parameters
    ----------
    period : ndarray of int64
    step : str
    """
    if step in _SECONDS:
        shift = _SINCE_MONDAY if step == "week" else 0
        return period * _SECONDS[step] - shift
    months = (period * _MONTHS[step]).astype("datetime64[M]")
    return months.astype("datetime64[s]").astype(np.int64)


def phase_of(seconds: NDArray[np.int64], step: str) -> int:
    """Seconds from the start of its period to each moment, where these are all alike; else 0.

    What a rule without an anchor keeps of the moments; see :class:`Calendar`.

    Parameters
    ----------
    seconds : ndarray of int64, not empty
    step : str
    """
    past = seconds - start_of(period_of(seconds, step), step)
    return int(past[0]) if (past == past[0]).all() else 0


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which moments are steps, counted on from the earliest to the latest.

    Parameters
    ----------
    step : str
        Length of a period, one of ``Step``; "" where steps are the moments of the rows.
    anchor : tuple of int, optional
        Where in its period a step lies. Up to weeks: (seconds since it began,). Of months,
        quarters and years: (month in it, from 0; day, 31 for the end of each month; second of
        the day). Of half-months: (earlier day, later day, second of the day). A day beyond
        the end of its month is the last one. Without an anchor any moment of a period is its
        step, which is how files of old count.
    weekdays : tuple of int
        Days of the week that are steps, Monday 0; all of them by default.
    closed : tuple of str
        Further days that are no steps, as dates in ISO 8601.

    Examples
    --------
    >>> ends = np.array(["2022-11-30", "2022-12-31"], dtype="datetime64[s]").astype(np.int64)
    >>> calendar = Calendar.learned("month", ends)
    >>> calendar.moments(ends[0], 1, 4).astype("datetime64[s]").astype("datetime64[D]")
    array(['2022-12-31', '2023-01-31', '2023-02-28'], dtype='datetime64[D]')
    >>> calendar.words
    'the end of a month'
    """

    step: str = ""
    anchor: tuple[int, ...] | None = None
    weekdays: tuple[int, ...] = ()
    closed: tuple[str, ...] = ()

    @classmethod
    def learned(cls, step: str, seconds: NDArray[np.int64], closed: Sequence[str] = ()) -> Self:
        """The calendar that most of some moments lie on.

        Parameters
        ----------
        step : str
        seconds : ndarray of int64, not empty
        closed : sequence of str
        """
        weekdays = _open_weekdays(seconds) if step == "day" else ()
        return cls(step, _anchor_of(step, seconds), weekdays, tuple(closed))

    def period_of(self, seconds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the step of each moment."""
        if self.step == "half-month":
            months, days, lengths, _ = _dates(seconds)
            assert self.anchor is not None  # the rule has checked it
            return 2 * months + (days >= np.minimum(self.anchor[1], lengths))
        if self._is_partial:
            days = (seconds // _SECONDS["day"]).astype("datetime64[D]")
            counted: NDArray[np.int64] = np.busday_count(_FIRST, days, busdaycal=self._open)
            return counted
        return period_of(seconds, self.step)

    def start_of(self, period: NDArray[np.int64]) -> NDArray[np.int64]:
        """The moment of each step; without an anchor the first one of its period."""
        if self._is_partial:
            open_days = np.busday_offset(_FIRST, period, roll="forward", busdaycal=self._open)
            begin = open_days.astype("datetime64[s]").astype(np.int64)
            return begin + (self.anchor[0] if self.anchor else 0)
        if self.anchor is None:
            return start_of(period, self.step)
        if self.step == "half-month":
            months, later = np.divmod(period, 2)
            days = np.where(later == 1, *self.anchor[1::-1]).astype(np.int64)
            return _moments(months, days) + self.anchor[2]
        if self.step in _MONTHS:
            months = period * _MONTHS[self.step] + self.anchor[0]
            return _moments(months, np.full(len(months), self.anchor[1])) + self.anchor[2]
        return start_of(period, self.step) + self.anchor[0]

    def off(self, seconds: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which moments are no steps; none without an anchor."""
        if self.anchor is None:
            return np.zeros(len(seconds), dtype=np.bool_)
        apart: NDArray[np.bool_] = self.start_of(self.period_of(seconds)) != seconds
        return apart

    def apart(self, seconds: NDArray[np.int64], least: int) -> int:
        """How many steps all of some moments lie apart, at least; 1 of fewer than ``least``."""
        found = np.unique(self.period_of(seconds))
        return int(np.gcd.reduce(np.diff(found))) if len(found) >= least else 1

    def shown(self, seconds: NDArray[np.int64]) -> NDArray[Any]:
        """Moments as times, as numbers where they are an index."""
        return seconds if self.step == "index" else seconds.astype("datetime64[s]")

    def moments(self, first: int, start: int, stop: int) -> NDArray[np.int64]:
        """The moments of steps that are counted from one of them, also those before it.

        Parameters
        ----------
        first : int
            Seconds; the moment of step number 0.
        start, stop : int
            The stop is left out.
        """
        number = self.period_of(np.array([first])) + np.arange(start, stop)
        begin = self.start_of(number)
        return begin if self.anchor else begin + phase_of(np.array([first]), self.step)

    @property
    def words(self) -> str:
        """Where a step lies, in words."""
        if self.anchor is None:
            return f"a {self.step}"
        if self.step in _SECONDS:
            found = _words_of_fixed(self.step, self.anchor[0])
            if self.weekdays:
                found += " on " + ", ".join(WEEKDAYS[day] for day in self.weekdays)
            return f"{found}, and open" if self.closed else found
        *days, second = self.anchor
        if self.step == "half-month":
            found = f"{_day(days[0])} and {_day(days[1])} of a month"
        elif self.step == "month":
            found = f"{_day(days[1])} of a month"
        else:
            found = f"{_day(days[1])} of month {days[0] + 1} of a {self.step}"
        return f"{found} at {_clock(second)}" if second else found

    @property
    def _is_partial(self) -> bool:
        return bool(self.weekdays or self.closed)

    @property
    def _open(self) -> np.busdaycalendar:
        mask = [not self.weekdays or day in self.weekdays for day in range(7)]
        return np.busdaycalendar(weekmask=mask, holidays=np.array(self.closed, "datetime64[D]"))


def _open_weekdays(seconds: NDArray[np.int64]) -> tuple[int, ...]:
    """Days of the week that had a row, where that the others had none is no chance; else ()."""
    days = np.unique((seconds + _SINCE_MONDAY) // _SECONDS["day"])
    seen, weeks = np.unique(days % 7), float(np.ptp(days)) / 7
    if len(seen) == 7 or weeks < 2:
        return ()
    filled = min(len(days) / (weeks * len(seen)), 1)
    return tuple(seen.tolist()) if (1 - filled) ** weeks <= _CHANCE else ()


def _anchor_of(step: str, seconds: NDArray[np.int64]) -> tuple[int, ...]:
    """Where in its period most moments lie."""
    if step in _SECONDS:
        return (_most_frequent(seconds - start_of(period_of(seconds, step), step)),)
    months, days, lengths, past = _dates(seconds)
    # How many moments lie on each day, the end of a shorter month among the later ones.
    on = [0] + [int((days == np.minimum(day, lengths)).sum()) for day in range(1, 32)]
    if step == "half-month":
        pairs = [(a, b) for a in range(1, 18) for b in range(a + 11, min(a + 17, 31) + 1)]
        return *max(pairs, key=lambda pair: (on[pair[0]] + on[pair[1]], pair)), _most_frequent(past)
    day = max(range(1, 32), key=lambda each: (on[each], each))
    return _most_frequent(months % _MONTHS[step]), day, _most_frequent(past)


def _most_frequent(values: NDArray[np.int64]) -> int:
    found, counts = np.unique(values, return_counts=True)
    return int(found[counts.argmax()])


def _dates(seconds: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    """Months since 1970, day of the month, days of the month, second of the day."""
    days, past = np.divmod(seconds, _SECONDS["day"])
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    begin, end = _first_days(months), _first_days(months + 1)
    return months, days - begin + 1, end - begin, past


def _moments(months: NDArray[np.int64], days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Midnight of the days of some months; of a day that one lacks, of its last."""
    begin, end = _first_days(months), _first_days(months + 1)
    return (begin + np.minimum(days, end - begin) - 1) * _SECONDS["day"]


def _first_days(months: NDArray[np.int64]) -> NDArray[np.int64]:
    return months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)


def _words_of_fixed(step: str, second: int) -> str:
    if step == "index":
        return "a whole number"
    if step == "week":
        day, second = divmod(second, _SECONDS["day"])
        clock = f" at {_clock(second)}" if second else ""
        return f"a {WEEKDAYS[day]}{clock}"
    if step == "day":
        return f"a day at {_clock(second)}"
    return f"{_clock(second)[3:] if step == 'hour' else f'second {second}'} of a {step}"


def _day(day: int) -> str:
    return "the end" if day == 31 else f"day {day}"


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
