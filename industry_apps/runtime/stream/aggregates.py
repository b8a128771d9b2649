"""What the events in a window add up to: the columns of a transaction's state.

The arithmetic of :class:`industry_apps.runtime.stream.state.TransactionState`. What is said of one
event is worked out in plain Python, which is fast for one, and of a table in numpy: the
same exact whole numbers, then the same floating-point operations in the same order, so that
the results are the same, bit for bit.

Letters in shapes: R events of a table, W windows, V values, C columns.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from industry_apps.runtime.stream.timelines import Ints, Timeline, Timelines, Views, wrapped

_SCALE = 10_000  # amounts are summed in units of 1/10 000
_CENT = 100  # of these units: squares are summed of amounts in units of 1/100 ...
_LARGEST = 100_000_000  # ... and at most 1e6 in size, so that a square fits into 64 bits
_WORD = (1 << 64) - 1


class Aggregates(Timelines, ABC):
    """Events of many keys, and columns made of what lies in the windows before each.

    Parameters
    ----------
    windows : sequence of int
        Lengths of the windows in seconds, increasing.
    lag, values : int
        As in :class:`~industry_apps.runtime.stream.timelines.Timelines`.
    missing : sequence of float
        What the C columns hold where there is no key.
    """

    def __init__(
        self, *, windows: Sequence[int], lag: int, values: int, missing: Sequence[float]
    ) -> None:
        super().__init__(windows=windows, lag=lag, values=values)
        self.missing = missing

    def one(self, key: str, time: int, values: Sequence[int]) -> Sequence[float]:
        """Take in one event and return its columns, [C]."""
        return self._of_one(*self.add(key, time, values)) if key else self.missing

    def many(
        self, keys: NDArray[np.object_], times: Ints, values: Ints, order: Ints
    ) -> list[NDArray[np.float64]]:
        """Take in a table of events and return its columns, C of shape [R].

        Parameters
        ----------
        keys : ndarray of str, shape [R]
            ``""`` where there is none.
        times : ndarray of shape [R]
        values : ndarray of shape [V, R]
        order : ndarray of shape [R]
            Rows in order of time.
        """
        import pandas as pd  # whoever has a table has it

        order = order[(keys != "")[order]]
        codes, names = pd.factorize(keys[order])
        rows, views = self.add_many(names.tolist(), codes, times[order], values[:, order])
        rows = order[rows]
        columns = [np.full(len(keys), each, dtype=np.float64) for each in self.missing]
        for column, numbers in zip(columns, self._of_many(views), strict=True):
            column[rows] = numbers
        return columns

    @abstractmethod
    def _of_one(self, log: Timeline, firsts: Sequence[int], last: int) -> list[float]: ...

    @abstractmethod
    def _of_many(self, views: Views) -> Iterator[NDArray[np.number]]: ...


class Amounts(Aggregates):
    """Count, mean and standard deviation of amounts, windows ending with the present."""

    def __init__(self, windows: Sequence[int]) -> None:
        missing = [0, math.nan, math.nan] * len(windows)
        super().__init__(windows=windows, lag=0, values=4, missing=missing)

    @staticmethod
    def values_of_one(amount: float) -> tuple[int, int, int, int]:
        """Return what is summed of a known amount: units, 1, hundredths and their square."""
        units = round(amount * _SCALE)
        cents = min(max((units + _CENT // 2) // _CENT, -_LARGEST), _LARGEST)
        return units, 1, cents, cents * cents

    @staticmethod
    def values_of_many(amounts: NDArray[np.float64]) -> Ints:
        """Return the same of amounts [R], all 0 where one is NaN, [4, R]."""
        known = ~np.isnan(amounts)
        units = np.rint(np.where(known, amounts, 0) * _SCALE).astype(np.int64)
        cents = np.clip((units + _CENT // 2) // _CENT, -_LARGEST, _LARGEST)
        return np.stack([units, known.astype(np.int64), cents, cents * cents])

    def _of_one(self, log: Timeline, firsts: Sequence[int], last: int) -> list[float]:
        units, knowns, cents, squares = log.sums
        columns: list[float] = []
        for first in firsts:
            known = knowns[last] - knowns[first]
            if not known:
                columns += (last - first, math.nan, math.nan)
                continue
            mean = float(wrapped(units[last] - units[first])) / (known * float(_SCALE))
            # Distances from a whole number near the mean: their squares have an exact sum,
            # even where the sum of the squares themselves has run over.
            total = cents[last] - cents[first]
            near, rest = divmod(total, known)
            distances = (squares[last] - squares[first] - near * (total + rest)) & _WORD
            offset = rest / known  # of the mean from that number
            variance = max(distances / float(known) - offset * offset, 0.0)
            columns += (last - first, mean, math.sqrt(variance) / _CENT)
        return columns

    def _of_many(self, views: Views) -> Iterator[NDArray[np.number]]:
        last = views.last
        for first in views.firsts:
            units, known, total, squares = (sums[last] - sums[first] for sums in views.sums)
            divisor = np.where(known > 0, known, np.nan)
            yield last - first
            yield units / (divisor * float(_SCALE))
            near, rest = np.divmod(total, np.maximum(known, 1))
            distances = (squares - near * (total + rest)).view(np.uint64)
            offset = rest / divisor
            yield np.sqrt(np.maximum(distances / divisor - offset * offset, 0.0)) / _CENT


class Positives(Aggregates):
    """Count and share of positives, and the run of the latest, windows ending `lag` ago."""

    def __init__(self, windows: Sequence[int], lag: int) -> None:
        missing = [*[0, math.nan] * len(windows), math.nan]
        super().__init__(windows=windows, lag=lag, values=1, missing=missing)

    def _of_one(self, log: Timeline, firsts: Sequence[int], last: int) -> list[float]:
        (sums,) = log.sums
        columns: list[float] = []
        for first in firsts:
            count = last - first
            columns += (count, (sums[last] - sums[first]) / count if count else 0.0)
        oldest = firsts[-1]
        # The number of negatives before a row never falls: the last of them lies just
        # before the first row with as many as the end of the window has.
        negatives = last - sums[last]
        start = bisect_left(range(last), negatives, oldest, key=lambda row: row - sums[row])
        if start > oldest:  # positives of the second of this negative count as later
            start = bisect_left(log.times, log.times[start - 1])
        return [*columns, sums[last] - sums[start]]

    def _of_many(self, views: Views) -> Iterator[NDArray[np.number]]:
        (sums,), last = views.sums, views.last
        for first in views.firsts:
            count = last - first
            yield count
            yield (sums[last] - sums[first]) / np.maximum(count, 1)
        # For each end: where the second of the latest negative before it begins, [N + 1].
        start = np.zeros_like(sums)
        start[1:] = np.where(np.diff(sums), 0, np.searchsorted(views.line, views.line))
        np.maximum.accumulate(start, out=start)
        yield sums[last] - sums[np.maximum(start[last], views.firsts[-1])]
