"""Events of many keys over time, and what happened in a window before each.

The machinery of :class:`industry_apps.runtime.stream.state.TransactionState`: an event has a key,
a time in whole seconds and a few whole numbers, which are summed over windows exactly.
Sums run on in 64 bits and may run over: the difference of two is right all the same, as
long as it fits itself.

Letters in shapes: N events in all, R events just added, K keys, W windows, V values.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_HALF = 1 << 63


def wrapped(total: int) -> int:
    """Return what a signed sum of 64 bits would be, as numpy's are."""
    return (total + _HALF) % (2 * _HALF) - _HALF


def _packed(values: Ints) -> array[int]:
    return array("q", np.ascontiguousarray(values).tobytes())


class Timeline:
    """The events of one key: times [n], and for each value its running sums [n + 1]."""

    __slots__ = ("sums", "times")

    def __init__(self, times: Ints, sums: Ints) -> None:
        self.times = _packed(times)  # [n]
        self.sums = [_packed(each) for each in sums]  # V of [n + 1]

    def append(self, time: int, values: Sequence[int]) -> None:
        """Add the latest event."""
        self.times.append(time)
        for sums, value in zip(self.sums, values, strict=True):
            sums.append(wrapped(sums[-1] + value))

    def drop(self, count: int) -> None:
        """Forget the oldest `count` events."""
        del self.times[:count]
        # Starting again from zero keeps the sums from growing without end.
        self.sums = [_packed(_view(each)[count:] - each[count]) for each in self.sums]

    def events(self) -> tuple[Ints, Ints]:
        """Return times [n] and values [V, n] as arrays of their own."""
        return _view(self.times).copy(), np.stack([np.diff(_view(each)) for each in self.sums])


def _view(values: array[int]) -> Ints:
    return np.frombuffer(values, dtype=np.int64)


class Views(NamedTuple):
    """Where the windows of many events lie in the running sums of all events.

    A window has the events from its first one to before its last one; its sums are the
    differences of the running sums there.
    """

    line: Ints  # [N], one number for key and time, not decreasing
    sums: Ints  # [V, N + 1]
    firsts: Ints  # [W, R]
    last: Ints  # [R]


class Timelines:
    """The recent events of many keys.

    Parameters
    ----------
    windows : sequence of int
        Lengths of the windows in seconds, increasing.
    lag : int
        Seconds, by which the windows end before the present; with 0 they include it.
    values : int
        Number V of values of an event.
    """

    def __init__(self, *, windows: Sequence[int], lag: int, values: int) -> None:
        self.windows, self.lag, self.values = tuple(windows), lag, values
        self.reach = self.windows[-1] + lag
        # In order of the latest event, so that the idle keys are found at the front.
        self.logs: OrderedDict[str, Timeline] = OrderedDict()

    @property
    def size(self) -> int:
        """Number of events held."""
        return sum(len(log.times) for log in self.logs.values())

    def add(self, key: str, time: int, values: Sequence[int]) -> tuple[Timeline, list[int], int]:
        """Add one event, not earlier than any other, and look back from it.

        Returns
        -------
        log : Timeline
            The events of the key, to be read at once.
        firsts : list of int, W of them
            For each window the row of its first event.
        last : int
            One beyond the last event of every window.
        """
        log = self.logs.get(key)
        if log is None:
            log = self.logs[key] = self._empty()
        else:
            self.logs.move_to_end(key)
        log.append(time, values)
        end = time - self.lag
        last = bisect_right(log.times, end) if self.lag else len(log.times)
        firsts = [bisect_right(log.times, end - window) for window in self.windows]
        oldest = firsts[-1]
        if 2 * oldest > len(log.times):  # only then, so that it costs O(1) for each event
            log.drop(oldest)
            return log, [first - oldest for first in firsts], last - oldest
        return log, firsts, last

    def add_many(
        self, keys: Sequence[str], codes: Ints, times: Ints, values: Ints
    ) -> tuple[Ints, Views]:
        """Add events in order of time, and look back from each: as :meth:`add` in turn.

        Parameters
        ----------
        keys : sequence of str, K of them
        codes, times : ndarray of shape [R]
            For each event the number of its key, 0 .. K - 1, and its time; times do not
            decrease.
        values : ndarray of shape [V, R]

        Returns
        -------
        rows : ndarray of shape [R]
            The events in the order of the views, which is that of keys and times.
        views : Views
            Their windows.
        """
        if not len(codes):
            none = np.zeros((len(self.windows), 0), dtype=np.int64)
            return codes, Views(codes, np.zeros((self.values, 1), dtype=np.int64), none, codes)
        codes, times, values, old = self._with_stored(keys, codes, times, values)
        origin = times.min()
        # One number orders the events by key and then by time; a step back by `reach`
        # never leads into the events of another key.
        span = times.max() - origin + self.reach + 1
        line = codes * span + (times - origin)  # [N]
        order = np.argsort(line, kind="stable")
        line = line[order]
        sums = np.zeros((self.values, len(line) + 1), dtype=np.int64)
        np.cumsum(values[:, order], axis=1, out=sums[:, 1:])
        new = np.flatnonzero(order >= old)  # [R], in order of the line
        end = line[new] - self.lag
        last = np.searchsorted(line, end, side="right") if self.lag else new + 1
        firsts = np.stack([np.searchsorted(line, end - w, side="right") for w in self.windows])
        starts = np.arange(len(keys)) * span
        horizon = max(times.max() - self.reach - origin, -1)
        bounds = (
            np.searchsorted(line, starts + horizon, side="right"),  # first event to keep
            np.searchsorted(line, starts + (span - 1), side="right"),  # one beyond the last
        )
        self._store(keys, bounds, times[order], sums)
        return order[new] - old, Views(line, sums, firsts, last)

    def mark(self, key: str, time: int) -> bool:
        """Set the first value of an event at this time from 0 to 1; tell whether one was."""
        log = self.logs.get(key)
        if log is None:
            return False
        sums = log.sums[0]
        for row in range(bisect_left(log.times, time), bisect_right(log.times, time)):
            if sums[row + 1] == sums[row]:
                _view(sums)[row + 1 :] += 1
                return True
        return False

    def purge(self, now: int) -> None:
        """Forget the keys whose latest event is out of reach."""
        while self.logs:
            key, log = next(iter(self.logs.items()))
            if log.times[-1] > now - self.reach:
                return
            del self.logs[key]

    def events(self) -> tuple[list[str], Ints, Ints, Ints]:
        """Return keys [K], numbers of their events [K], times [N] and values [V, N]."""
        times, values = [np.zeros(0, np.int64)], [np.zeros((self.values, 0), np.int64)]
        for log in self.logs.values():
            log_times, log_values = log.events()
            times.append(log_times)
            values.append(log_values)
        counts = np.array([len(each) for each in times[1:]], dtype=np.int64)
        return list(self.logs), counts, np.concatenate(times), np.concatenate(values, axis=1)

    def restore(self, keys: Sequence[str], counts: Ints, times: Ints, values: Ints) -> None:
        """Take in what :meth:`events` gave."""
        sums = np.zeros((self.values, len(times) + 1), dtype=np.int64)
        np.cumsum(values, axis=1, out=sums[:, 1:])
        stops = np.cumsum(counts)
        for key, start, stop in zip(keys, stops - counts, stops, strict=True):
            self.logs[key] = _cut(times, sums, start, stop)

    def _empty(self) -> Timeline:
        return Timeline(np.zeros(0, np.int64), np.zeros((self.values, 1), np.int64))

    def _with_stored(
        self, keys: Sequence[str], codes: Ints, times: Ints, values: Ints
    ) -> tuple[Ints, Ints, Ints, int]:
        """Put the stored events of the same keys before the new ones; say how many."""
        held = [
            (code, *self.logs[key].events()) for code, key in enumerate(keys) if key in self.logs
        ]
        old = [np.full(len(part), code, dtype=np.int64) for code, part, _ in held]
        return (
            np.concatenate([*old, codes]),
            np.concatenate([*(part for _, part, _ in held), times]),
            np.concatenate([*(part for _, _, part in held), values], axis=1),
            sum(map(len, old)),
        )

    def _store(
        self, keys: Sequence[str], bounds: tuple[Ints, Ints], times: Ints, sums: Ints
    ) -> None:
        first, stop = bounds  # [K] each
        for code in np.argsort(times[stop - 1], kind="stable").tolist():
            key = keys[code]
            self.logs.pop(key, None)
            if first[code] < stop[code]:
                self.logs[key] = _cut(times, sums, first[code], stop[code])


def _cut(times: Ints, sums: Ints, start: int, stop: int) -> Timeline:
    part = sums[:, start : stop + 1]
    return Timeline(times[start:stop], part - part[:, :1])
