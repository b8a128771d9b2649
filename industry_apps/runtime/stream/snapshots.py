"""Snapshots of the state of a stream: what they hold, checked by what it means.

A file that can be read need not be a state: times that go back, a share of 7 frauds in one
event, sums that no amounts have would all give answers, and wrong ones.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZIP_STORED, ZipFile

import numpy as np
from numpy.typing import NDArray

from industry_apps.runtime.stream.timelines import Ints

#: Number of the format.
FORMAT = 2
_PARTS = ("counts", "times", "values")
_SIDES = ("entities", "places")
_MOST_HEADER = 1 << 30
_HALF_UNIT, _UNITS_A_CENT, _LARGEST_CENTS = 50, 100, 100_000_000
_LARGEST_UNITS = 10**15 + 10**11  # of the largest amount, and what rounding adds to it


class Side(NamedTuple):
    """The events of entities, or of places.

    Parameters
    ----------
    keys : list of str, K of them
    counts : ndarray of int64, shape [K]
        Events of each.
    times : ndarray of int64, shape [N]
    values : ndarray of int64, shape [V, N]
    """

    keys: list[str]
    counts: Ints
    times: Ints
    values: Ints


class Snapshot(NamedTuple):
    """A state: its settings, the time of its latest event, and its events."""

    settings: dict[str, Any]
    now: int | None
    entities: Side
    places: Side


def write_snapshot(file: Any, snapshot: Snapshot) -> None:
    """Write a state as ``.npz`` to an open file."""
    header: dict[str, Any] = {
        "format": FORMAT,
        "now": snapshot.now,
        "settings": snapshot.settings,
    }
    arrays: dict[str, NDArray[Any]] = {}
    for name, side in zip(_SIDES, (snapshot.entities, snapshot.places), strict=True):
        header[name] = side.keys
        arrays |= {f"{name}_{part}": getattr(side, part) for part in _PARTS}
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    np.savez(file, **arrays)  # type: ignore[arg-type]


def read_snapshot(path: Path) -> Snapshot:
    """Read a state back, and check that it is one.

    Raises
    ------
    ValueError
        Or whatever Python raises of a file that is damaged.
    """
    check_size(path)
    with np.load(path, allow_pickle=False) as arrays:
        header = json.loads(arrays["header"].tobytes())
        if header["format"] != FORMAT:
            raise ValueError(f"its format is {header['format']!r:.40}, expected {FORMAT}")
        if set(header) != {"format", "now", "settings", *_SIDES}:
            raise ValueError(f"it says {sorted(header)!r:.200}")
        now = header["now"]
        if now is not None and type(now) is not int:
            raise ValueError(f"its time is {now!r:.40}, expected a whole number")
        sides = [
            Side(header[name], *(_whole(arrays, f"{name}_{part}") for part in _PARTS))
            for name in _SIDES
        ]
    for name, side in zip(_SIDES, sides, strict=True):
        _check_side(name, side, now)
    _check_amounts(sides[0].values)
    _check_labels(sides[1].values)
    return Snapshot(header["settings"], now, *sides)


def check_size(path: Path) -> None:
    """No array is longer than the file: nothing is unpacked.

    Raises
    ------
    ValueError
    """
    size = os.path.getsize(path)  # noqa: PTH202
    with ZipFile(path) as archive:
        members = archive.infolist()
        packed = any(each.compress_type != ZIP_STORED for each in members)
        if packed or sum(each.file_size for each in members) > size:
            raise ValueError("its arrays are packed, expected them as they are")


def _whole(arrays: Any, name: str) -> Ints:
    found: Ints = arrays[name]
    if found.dtype != np.int64:
        raise ValueError(f"{name} are of type {found.dtype}, expected int64")
    return found


def _check_side(name: str, side: Side, now: int | None) -> None:
    keys, counts, times, values = side
    if type(keys) is not list or not all(type(key) is str and key for key in keys):
        raise ValueError(f"the names of its {name} are no texts")
    if len(set(keys)) != len(keys):
        raise ValueError(f"one of its {name} is there twice")
    rows = {"entities": 4, "places": 1}[name]
    if counts.shape != (len(keys),) or times.ndim != 1 or values.shape != (rows, len(times)):
        raise ValueError(
            f"its {name} have {len(keys)} names, counts of shape {counts.shape}, times of "
            f"{times.shape} and values of {values.shape}, which do not fit each other"
        )
    if (counts < 1).any() or (counts > len(times)).any() or int(counts.sum()) != len(times):
        raise ValueError(f"the counts of its {name} do not add up to {len(times)} events")
    if not len(times):
        return
    if now is None or int(times.max()) > now:
        raise ValueError(f"its {name} have events after {now}, the time of the latest")
    first = np.zeros(len(times), dtype=bool)
    first[np.cumsum(counts)[:-1]] = True
    if ((times[1:] < times[:-1]) & ~first[1:]).any():
        raise ValueError(f"the events of one of its {name} are not in order of time")
    last = times[np.cumsum(counts) - 1]
    if (last[1:] < last[:-1]).any():
        raise ValueError(f"its {name} are not in order of their latest events")


def _check_amounts(values: Ints) -> None:
    """Units, 1 where an amount is known, hundredths and their square belong together."""
    units, known, cents, squares = values
    if not ((known == 0) | (known == 1)).all():
        raise ValueError("an amount is neither known nor unknown")
    if (np.abs(units) > _LARGEST_UNITS).any() or (units[known == 0] != 0).any():
        raise ValueError("an amount is beyond its limits")
    near = np.clip((units + _HALF_UNIT) // _UNITS_A_CENT, -_LARGEST_CENTS, _LARGEST_CENTS)
    if (cents != near).any() or (squares != near * near).any():
        raise ValueError("the sums of its amounts do not belong to them")


def _check_labels(values: Ints) -> None:
    if not ((values == 0) | (values == 1)).all():
        raise ValueError("an event is neither fraud nor not")
