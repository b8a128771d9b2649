"""Loads as tables and series: their numbers, and that each row is an hour."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.energy.grid.cases import Floats
from industry_apps.errors import SchemaError

__all__ = ["check_hours", "numbers_in"]

_HOUR = np.timedelta64(1, "h")
_CLOCKS = (
    "Where clocks were set, give times with their zone: index.tz_localize(zone, ambiguous='infer')."
)


def numbers_in(values: pd.Series, where: str) -> Floats:
    """Loads as numbers; what is missing or none is refused.

    Parameters
    ----------
    values : Series
    where : str
        Begins the error.

    Raises
    ------
    SchemaError
    """
    # As objects, since the numbers of dates and of spans of time are no MW.
    numbers = pd.to_numeric(values.astype(object), errors="coerce").to_numpy(np.float64)
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        row = int(wrong.argmax())
        raise SchemaError(
            f"{where}, row {row} (index {values.index[row]!r}): got {values.tolist()[row]!r}, "
            "expected MW. Correct it, or fill the gap by a forecast; a missing load is not 0."
        )
    return numbers


def check_hours(index: pd.Index, *, joined: bool) -> None:
    """Refuse rows that are not an hour each.

    Parameters
    ----------
    index : Index
        Of a table of loads. What are no times are names, of which each has to be there once.
    joined : bool
        Whether each hour goes on from the one before; else hours may be left out, in any order.

    Raises
    ------
    SchemaError
    """
    again = index.duplicated()
    if again.any():
        row = int(again.argmax())
        raise SchemaError(
            f"Index of the loads, row {row}: got {str(index[row])!r} again, expected each hour "
            f"once. Leave one of the two out. {_CLOCKS}"
        )
    times = _times(index)
    if times is None:
        return
    if np.isnat(times).any():
        row = int(np.isnat(times).argmax())
        raise SchemaError(
            f"Index of the loads, row {row}: got no time, expected that of the hour. Fill it in."
        )
    order = np.arange(len(times)) if joined else np.argsort(times)
    steps = np.diff(times[order])
    wrong = steps != _HOUR if joined else steps < _HOUR
    if wrong.any():
        place = int(wrong.argmax())
        before, row = order[place : place + 2].tolist()
        least = "an hour later, as each goes on from the one before" if joined else "an hour apart"
        raise SchemaError(
            f"Index of the loads, row {row}: got {str(index[row])!r}, and {str(index[before])!r} "
            f"in row {before}; expected times {least}. Sort them, fill gaps by a forecast, and "
            "take the mean of each hour where there are several rows in it: loads.sort_index()"
            f".resample('h').mean(). {_CLOCKS}"
        )


def _times(index: pd.Index) -> NDArray[np.datetime64] | None:
    """The times that an index holds, in UTC where they have a zone; None where it has others."""
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if pd.api.types.infer_dtype(index) in ("string", "date", "datetime"):
        read = pd.to_datetime(index, format="ISO8601", errors="coerce", utc=True)
        index = index if np.isnat(read.values).any() else read
    return index.values if isinstance(index, pd.DatetimeIndex | pd.TimedeltaIndex) else None
