"""What the last seconds tell of the hosts, ports and services of a flow.

The machinery is that of :class:`industry_apps.runtime.stream.state.TransactionState`, with
windows of seconds and several keys: a whole table and one flow at a time give the same numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime.stream.aggregates import Aggregates
from industry_apps.runtime.stream.one_writer import one_writer
from industry_apps.runtime.stream.timelines import Ints, Timeline, Views
from industry_apps.schema import Column

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FAILED", "FlowState"]

#: States of flows that came to nothing: of Zeek, of NSL-KDD (the same), and of Suricata.
FAILED = ("S0", "REJ", "RSTOS0", "RSTRH", "SH", "SHR", "new")
#: Name of each side, and the columns that its key is made of.
_SIDES: Mapping[str, tuple[str, ...]] = {
    "source": ("source",),
    "source_port": ("source", "port"),
    "source_service": ("source", "service"),
    "destination": ("destination",),
    "destination_port": ("destination", "port"),
}
_BETWEEN = "\x1f"  # which no address holds


class _Attempts(Aggregates):
    """Count of the flows of a key, and the share of them that came to nothing."""

    def __init__(self, windows: Sequence[int]) -> None:
        super().__init__(windows=windows, lag=0, values=1, missing=[0, math.nan] * len(windows))

    def _of_one(self, log: Timeline, firsts: Sequence[int], last: int) -> list[float]:
        (sums,) = log.sums
        columns: list[float] = []
        for first in firsts:
            count = last - first
            columns += (count, (sums[last] - sums[first]) / count)
        return columns

    def _of_many(self, views: Views) -> Iterator[NDArray[np.number]]:
        (sums,), last = views.sums, views.last
        for first in views.firsts:
            count = last - first
            yield count
            yield (sums[last] - sums[first]) / count


class FlowState:
    """What is known of the hosts, ports and services of a flow when it begins.

    For each window of w seconds, and a flow at time t, the flows in (t - w, t] are counted, this
    one included, and the share of them that came to nothing: of the same source (named
    ``source_count_{w}s`` and ``source_failed_{w}s``), source and port, source and service,
    destination, and destination and port. A scan has many flows of a source and few of each port.

    Parameters
    ----------
    names : mapping of str to str, optional
        "time", "source", "destination", "port", "service", "state" -> your names.
    windows : sequence of int
        Seconds, at least 1, rising.
    failed : sequence of str
        States of flows that came to nothing.
    unit : {"", "s", "ms", "us", "ns", "YYYYMMDD", "sheet"}
        What numbers as times are; "" and "s" are seconds since 1970.

    Attributes
    ----------
    columns : tuple of str
        Names of the columns that are built, in order.

    Notes
    -----
    Time is used in whole seconds, UTC; a number is whole, as ``int(ts)`` of Zeek's JSON. Flows of
    one second count in order of arrival. Where a part of a key is missing, the count is 0 and the
    share missing, and it leaves no trace. A missing time is refused, and so is a flow before an
    earlier one: the readers sort by the first packet. Memory is that of the flows of the longest
    window (a key may hold twice as many until it is next asked), however long the stream is; keys
    without any are forgotten. One thread may write.

    Examples
    --------
    >>> state = FlowState(windows=(2,))
    >>> flow = {"time": "2026-03-01 10:00", "source": "a", "destination": "b", "port": "22",
    ...     "service": "ssh", "state": "S0"}
    >>> state.update(flow)["source_count_2s"], state.update(flow)["source_failed_2s"]
    (1.0, 1.0)
    """

    #: Columns without which nothing can be told.
    NEEDED: ClassVar[tuple[str, ...]] = ("time", "source", "destination", "port", "service")

    def __init__(
        self,
        *,
        names: Mapping[str, str] | None = None,
        windows: Sequence[int] = (2, 60),
        failed: Sequence[str] = FAILED,
        unit: str = "",
    ) -> None:
        seconds = list(windows)
        if not seconds or seconds != sorted({int(each) for each in seconds}) or seconds[0] < 1:
            raise ParameterError(
                "The 'windows' parameter of FlowState must be rising whole numbers of seconds, at "
                f"least 1. Got {windows!r} instead."
            )
        known = (*self.NEEDED, "state")
        for name in names or {}:
            if name not in known:
                raise ParameterError(f"FlowState has no column {name!r}; expected one of {known}.")
        self.names = {name: (names or {}).get(name, name) for name in known}
        self.windows, self.failed, self.unit = tuple(map(int, seconds)), tuple(failed), unit
        self._sides = {side: _Attempts(self.windows) for side in _SIDES}
        self._now: int | None = None
        self._writing = Lock()
        self._columns = {
            name: Column(own, "datetime", nullable=False, unit=unit)
            if name == "time"
            else Column(own, "category")
            for name, own in self.names.items()
        }
        self.columns = tuple(
            f"{side}_{what}_{window}s"
            for side in _SIDES
            for window in self.windows
            for what in ("count", "failed")
        )

    @property
    def settings(self) -> dict[str, Any]:
        """The parameters, fit for JSON: ``FlowState(**settings)`` is like this, empty."""
        return {
            "names": dict(self.names),
            "windows": list(self.windows),
            "failed": list(self.failed),
            "unit": self.unit,
        }

    @property
    def size(self) -> int:
        """Number of events held in memory, of all keys."""
        return sum(side.size for side in self._sides.values())

    @one_writer
    def update(self, flow: Mapping[str, Any]) -> dict[str, Any]:
        """Take in one flow and return it with its columns.

        Parameters
        ----------
        flow : mapping
            One record; without the state of a flow, it did not fail.

        Raises
        ------
        SchemaError
            When a value is unusable, or the time lies before that of an earlier flow; the state
            is then as it was.
        """
        self._check_names(flow)
        read = {name: self._read(name, [flow.get(own)]) for name, own in self.names.items()}
        now = int(read["time"][0])
        self._check_time(now)
        failed = int(read["state"][0] in self.failed)
        self._now = now
        values: list[float] = []
        for side, parts in _SIDES.items():
            values += self._sides[side].one(_key([str(read[p][0]) for p in parts]), now, (failed,))
        self._purge(now)
        return {**flow, **dict(zip(self.columns, map(float, values), strict=True))}

    @one_writer
    def enrich(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Take in a table of flows and return it with their columns.

        The same as :meth:`update` for each row in order of time, but for the whole table at once.

        Parameters
        ----------
        frame : DataFrame
            Rows in any order; those of the same second count in order of rows.

        Raises
        ------
        SchemaError
            As of :meth:`update`.
        """
        self._check_names(frame)
        if not len(frame):
            return frame.assign(**dict.fromkeys(self.columns, np.zeros(0)))
        absent = np.full(len(frame), None, dtype=object)
        read = {name: self._read(name, frame.get(own, absent)) for name, own in self.names.items()}
        times: Ints = read["time"]
        order = np.argsort(times, kind="stable")
        self._check_time(int(times[order[0]]))
        failed = np.isin(read["state"].astype(str), self.failed).astype(np.int64)[None]
        self._now = int(times[order[-1]])
        found: list[NDArray[np.float64]] = []
        for side, parts in _SIDES.items():
            texts = zip(*(read[p].tolist() for p in parts), strict=True)
            keys = np.array([_key(each) for each in texts], dtype=object)
            found += self._sides[side].many(keys, times, failed, order)
        self._purge(self._now)
        return frame.assign(**dict(zip(self.columns, found, strict=True)))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_writing"}

    def __setstate__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values, _writing=Lock())

    def _read(self, name: str, values: Any) -> NDArray[Any]:
        return self._columns[name].to_array(values)

    def _check_names(self, table: Any) -> None:
        for name in self.NEEDED:
            if self.names[name] not in table:
                raise SchemaError(
                    f"Column {self.names[name]!r} is missing. FlowState needs {self.NEEDED}; name "
                    "yours when you make it, for example FlowState(names={'source': 'id.orig_h'})."
                )

    def _check_time(self, earliest: int) -> None:
        if self._now is not None and earliest < self._now:
            told = [str(np.datetime64(each, "s")) for each in (earliest, self._now)]
            raise SchemaError(
                f"Column {self.names['time']!r}: got {told[0]}, which lies before the latest flow "
                f"taken in, {told[1]}. Feed flows in order of time, or leave late ones out."
            )

    def _purge(self, now: int) -> None:
        for side in self._sides.values():
            side.purge(now)


def _key(parts: Sequence[str]) -> str:
    """One text of several, "" where one of them is missing."""
    return _BETWEEN.join(parts) if all(parts) else ""
