"""Numbers as times: what unit they are in, and what unit they look like."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: What numbers of a column of times may be; "" and "s" are seconds since 1970.
TIME_UNITS = ("s", "ms", "us", "ns", "YYYYMMDD", "sheet")

#: Seconds since 1970 of the years 1 and 10000, between which all moments lie.
FIRST_SECOND, LAST_SECOND = -62_135_596_800, 253_402_300_800
_PER_SECOND = {"ms": 10**3, "us": 10**6, "ns": 10**9}
#: Day number 0 of a spreadsheet, 1899-12-30.
_SHEET_DAYS = 25_569
_DAY = 86_400
#: Days of a sheet that are likely: 1927 to 2118.
_LIKELY_DAYS = (10_000, 80_000)


def seconds_of_number(number: float, unit: str) -> int:
    """Seconds since 1970 of a number in a unit.

    Parameters
    ----------
    number : int or float
        A float in sheets only, where the part of a day is its time.
    unit : str
        One of ``TIME_UNITS``; what is none of them is seconds.

    Raises
    ------
    ValueError
        It is no date, or lies before the year 1 or behind the year 9999.

    Examples
    --------
    >>> [seconds_of_number(n, u) for n, u in ((1_500, "ms"), (19700102, "YYYYMMDD"))]
    [1, 86400]
    """
    if unit == "sheet":
        seconds = round((number - _SHEET_DAYS) * _DAY)
    elif number != int(number):
        raise ValueError(f"{number} is not whole")
    elif unit == "YYYYMMDD":
        year, month, day = int(number) // 10_000, int(number) // 100 % 100, int(number) % 100
        seconds = (date(year, month, day) - date(1970, 1, 1)).days * _DAY
    else:
        seconds = int(number) // _PER_SECOND.get(unit, 1)
    if not FIRST_SECOND <= seconds < LAST_SECOND:
        raise ValueError(f"{number} lies outside the years 1 to 9999")
    return seconds


def unit_of(numbers: NDArray[Any]) -> str:
    """What numbers look like: one of ``TIME_UNITS``, "s" where like nothing else.

    Parameters
    ----------
    numbers : ndarray of int
        Not empty.
    """
    low, high = int(numbers.min()), int(numbers.max())
    size = max(abs(low), abs(high))
    for unit, largest in (("ms", LAST_SECOND * 10**3), ("us", LAST_SECOND * 10**6)):
        if size >= LAST_SECOND and size < largest // 50:  # up to the year 2166
            return unit
    if size >= LAST_SECOND:
        return "ns"
    if low >= 19_000_101 and high <= 21_001_231 and all(map(_is_date, np.unique(numbers))):
        return "YYYYMMDD"
    return "sheet" if low >= _LIKELY_DAYS[0] and high <= _LIKELY_DAYS[1] else "s"


def _is_date(number: Any) -> bool:
    try:
        seconds_of_number(int(number), "YYYYMMDD")
    except ValueError:
        return False
    return True
