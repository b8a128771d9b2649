"""Local time of a zone: days of 23, 24 and 25 hours, by the clock on the wall.

Moments are seconds since 1970: of UTC, or of the wall clock counted as if it were UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError
from industry_apps.limits import Limit

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_DAY = 86_400
_EPOCH = datetime(1970, 1, 1)

Moments = NDArray[np.int64]
#: What a parameter may be that names a zone.
ZONE = Limit(
    lambda value: isinstance(value, str) and (not value or _is_known(value)),
    "the name of a zone of the IANA data base, as in 'America/New_York', or ''",
)


def _is_known(name: str) -> bool:
    try:
        zone_of(name)
    except ParameterError:
        return False
    return True


@lru_cache(maxsize=32)
def zone_of(name: str) -> ZoneInfo:
    """The zone of a name of the IANA data base.

    Raises
    ------
    ParameterError
        There is no such zone, or the machine has no data base.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # which few models need

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ParameterError(
            f"The zone {name!r} is not known on this machine. Name one of the IANA data base, as "
            "in 'America/New_York'; where the machine has none, run: pip install tzdata"
        ) from error


def to_wall(seconds: Moments, zone: str) -> Moments:
    """Moments of UTC -> by the clock on the wall.

    Parameters
    ----------
    seconds : ndarray of int64
    zone : str

    Examples
    --------
    >>> noon = np.array(["2024-01-15T12", "2024-07-15T12"], dtype="datetime64[s]").astype(np.int64)
    >>> to_wall(noon, "Europe/Berlin").astype("datetime64[s]").astype("datetime64[h]")
    array(['2024-01-15T13', '2024-07-15T14'], dtype='datetime64[h]')
    """
    return seconds + _by_day(seconds, zone, lambda moment, of: _offset(moment, of, utc=True))


def skipped(wall: Moments, zone: str) -> NDArray[np.bool_]:
    """Which times the clock on the wall never shows, since it is put forward.

    Parameters
    ----------
    wall : ndarray of int64
    zone : str

    Examples
    --------
    >>> night = np.array(["2024-03-31T02", "2024-10-27T02"], dtype="datetime64[s]").astype(np.int64)
    >>> skipped(night, "Europe/Berlin"), shown_twice(night, "Europe/Berlin")
    (array([ True, False]), array([False,  True]))
    """
    return _by_day(wall, zone, _folded) < 0


def shown_twice(wall: Moments, zone: str) -> NDArray[np.bool_]:
    """Which times the clock on the wall shows twice, since it is put back.

    Parameters
    ----------
    wall : ndarray of int64
    zone : str
    """
    return _by_day(wall, zone, _folded) > 0


def _by_day(moments: Moments, zone: str, of: Callable[[int, ZoneInfo], int]) -> Moments:
    """A function of moments, asked once a day where the offset does not change that day."""
    place = zone_of(zone)
    days, which = np.unique(moments // _DAY, return_inverse=True)
    first = np.array([of(int(day) * _DAY, place) for day in days], dtype=np.int64)
    # A day about which the clock changes, by UTC or by the wall: its moments one by one.
    ends = [
        _offset(int(day - 1) * _DAY, place, utc=True)
        != _offset(int(day + 2) * _DAY, place, utc=True)
        for day in days
    ]
    found = first[which]
    for row in np.flatnonzero(np.array(ends, dtype=bool)[which]):
        found[row] = of(int(moments[row]), place)
    return found


def _offset(moment: int, zone: ZoneInfo, *, utc: bool = False, fold: int = 0) -> int:
    """Seconds that the wall clock is ahead of UTC."""
    when = _EPOCH + timedelta(seconds=moment)
    if utc:
        local = when.replace(tzinfo=UTC).astimezone(zone)
    else:
        local = when.replace(tzinfo=zone, fold=fold)
    ahead = local.utcoffset() or timedelta()
    return int(ahead.total_seconds())


def _folded(moment: int, zone: ZoneInfo) -> int:
    """Positive where a wall time comes twice, negative where it never comes, else 0."""
    return _offset(moment, zone) - _offset(moment, zone, fold=1)
