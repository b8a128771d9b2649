"""Regular steps of time: the number of the period that a moment lies in, and back.

Weeks begin on Monday, months, quarters and years with the calendar, all in UTC.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Step = Literal["", "minute", "hour", "day", "week", "month", "quarter", "year"]

_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
#: 1970-01-01 was a Thursday: so many seconds after a Monday.
_SINCE_MONDAY = 3 * 86_400


def period_of(seconds: NDArray[np.int64], step: str) -> NDArray[np.int64]:
    """Number of the period that each moment lies in.

    Parameters
    ----------
    seconds : ndarray of int64
        Since 1970 UTC.
    step : str
        Length of a period, one of ``Step``, not "".

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

    So the forecast of a table that dates weeks by their Sunday dates them so too.

    Parameters
    ----------
    seconds : ndarray of int64, not empty
    step : str
    """
    past = seconds - start_of(period_of(seconds, step), step)
    return int(past[0]) if (past == past[0]).all() else 0


def moments_between(
    times: NDArray[np.int64], step: str, start: int, stop: int
) -> NDArray[np.int64]:
    """The moments of steps that are counted from a first one, also those before and behind it.

    Parameters
    ----------
    times : ndarray of int64
        Regular steps; the first is number 0.
    step : str
    start, stop : int
        The stop is left out.

    Examples
    --------
    >>> times = np.array(["2024-01-31"], dtype="datetime64[s]").astype(np.int64)
    >>> moments_between(times, "day", -1, 2).astype("datetime64[s]").astype("datetime64[D]")
    array(['2024-01-30', '2024-01-31', '2024-02-01'], dtype='datetime64[D]')
    """
    (first,) = period_of(times[:1], step)
    return start_of(first + np.arange(start, stop), step) + phase_of(times[:1], step)
