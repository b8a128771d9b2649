"""Concordance of risks and follow-ups by many vectors of weights, in O(n log n) time each.

A pair is an event and a row that was followed for longer. To count the pairs of an event in
order is to sum weights over the rows that are followed for longer and have a lower risk: a
dominance sum in two dimensions. A wavelet tree over the ranks of the risks gives it for all
events at once, one level a bit. Levels are made one after the other, for several vectors of
weights together, so that memory grows with rows alone.

Letters: N rows, B vectors of weights, E events, Q queries.

References
----------
Harrell et al. 1996, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4; Grossi,
Gupta and Vitter 2003, "High-order entropy-compressed text indexes", SODA, for the tree.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Concordance"]

_Floats = npt.NDArray[np.float64]
_Places = npt.NDArray[np.intp]
_Whole = npt.NDArray[np.int32]

#: Risks closer than this are equal.
_TIED = 1e-8


class _Queries(NamedTuple):
    """For each: number of the event, rank below which risks count, end of its prefix."""

    events: _Places
    below: _Places
    prefix: _Places


class Concordance:
    """The pairs of an event and a row that was followed for longer.

    A censored row is followed for longer than an event at the same time. A pair counts 1 where
    the event has the higher risk, and 1/2 where the risks differ by no more than 1e-8.

    Parameters
    ----------
    time : ndarray of shape [N]
        Of follow-up.
    event : ndarray of bool of shape [N]
        Whether it ended with the event.
    risk : ndarray of shape [N]
        Finite; the higher, the sooner.

    Examples
    --------
    >>> time, event = np.array([1.0, 2.0, 3.0]), np.array([True, True, False])
    >>> pairs = Concordance(time, event, np.array([0.9, 0.1, 0.5]))
    >>> ordered, comparable = pairs.sums([[1, 1, 1]])
    >>> ordered.tolist(), comparable.tolist()
    ([[2.0, 0.0]], [[2.0, 1.0]])
    """

    def __init__(self, time: _Floats, event: npt.NDArray[np.bool_], risk: _Floats) -> None:
        #: Rows with the event [E].
        self.events: _Places = np.flatnonzero(event)
        # Who is followed longest comes first, so that the rows to compare with are a prefix.
        self._order = np.lexsort((event, -time))
        longer = np.searchsorted(np.sort(-time), -time[self.events], side="left")
        censored = np.sort(-time[~event])
        same = [np.searchsorted(censored, -time[self.events], side=s) for s in ("left", "right")]
        self._prefix: _Places = longer + same[1] - same[0]  # [E]
        by_risk = np.argsort(risk, kind="stable")
        rank = np.empty(len(risk), dtype=np.intp)
        rank[by_risk] = np.arange(len(risk))
        self._rank = rank[self._order]
        rising, asked = risk[by_risk], risk[self.events]
        lower = np.searchsorted(rising, asked - _TIED, side="left")
        not_higher = np.searchsorted(rising, asked + _TIED, side="right")
        # An event is no pair with itself: where nobody else is tied, one query does for two.
        tied = not_higher - lower > 1
        self._queries = (
            self._queried(np.flatnonzero(tied), not_higher),
            self._queried(np.arange(len(lower)), lower),
        )
        self._share = np.where(tied, 0.5, 1.0)
        self._alike = bool(rising[-1] - rising[0] <= _TIED)

    def _queried(self, events: _Places, below: _Places) -> _Queries:
        """Queries of some events, in the order of risk, in which their places lie together."""
        order = events[np.argsort(below[events], kind="stable")]
        return _Queries(order, below[order], self._prefix[order])

    def sums(self, weight: npt.ArrayLike) -> tuple[_Floats, _Floats]:
        """Sums of weights over the rows that make a pair with each event.

        Parameters
        ----------
        weight : array-like of shape [B, N]
            How often each row counts: whole numbers, with a sum below 2**31.

        Returns
        -------
        ordered, comparable : ndarray of shape [B, E]
            Over the pairs in order, ties half; over all pairs.
        """
        by_time = _taken(np.asarray(weight).astype(np.int32), self._order)
        comparable = _taken(_cumulated(by_time), self._prefix)
        if self._alike:
            return comparable / 2, comparable.astype(np.float64)
        ordered = np.zeros(comparable.shape)
        for queries, found in zip(self._queries, self._below(by_time), strict=True):
            ordered[:, queries.events] += found
        return ordered * self._share, comparable.astype(np.float64)

    def _below(self, weight: _Whole) -> list[_Whole]:
        """Sums of weights [B, N] over the rows that each query asks about: [B, Q] for each set.

        Each node of the tree holds, in the order of time, the rows whose ranks agree in the bits
        above. As the ranks are 0 .. N - 1, a node starts at its lowest rank, and the rows in it
        whose bit is 0 come first on the next level. A query whose bit is 1 counts those of them
        that lie in its prefix, and goes on among the others.
        """
        found = [np.zeros((len(weight), len(each.below)), np.int32) for each in self._queries]
        places = [each.prefix for each in self._queries]
        rank, every = self._rank, np.arange(len(self._rank))
        for bit in reversed(range(len(rank).bit_length())):
            one = (rank >> bit) & 1
            zeros = np.concatenate([[0], np.cumsum(1 - one)])

            def spared(place: _Places, node: _Places, zeros: _Places = zeros) -> _Places:
                """Rows of a node before a place whose bit is 0; nodes before it hold half."""
                return zeros[place] - node // 2

            node = _node(rank, bit)
            earlier = spared(every, node)
            level = np.empty_like(every)
            level[np.where(one == 1, every - earlier + (1 << bit), node + earlier)] = every
            rank, weight = rank[level], _taken(weight, level)
            sums = _cumulated(weight)
            for each, (queries, place) in enumerate(zip(self._queries, places, strict=True)):
                node = _node(queries.below, bit)
                earlier = spared(place, node)
                up = (queries.below >> bit) & 1 == 1
                found[each] += _taken(sums, np.where(up, node + earlier, node))
                found[each] -= _taken(sums, node)
                places[each] = np.where(up, place - earlier + (1 << bit), node + earlier)
        return found


def _node(rank: _Places, bit: int) -> _Places:
    """Where the node starts that holds a rank before a bit is looked at."""
    return rank >> (bit + 1) << (bit + 1)


def _taken(values: _Whole, places: _Places) -> _Whole:
    """Columns by number; several times as fast as an index, which checks bounds."""
    return values.take(places, axis=1, mode="clip")


def _cumulated(weight: _Whole) -> _Whole:
    """Sums of the first 0, 1, 2, ... columns [B, N] -> [B, N + 1]."""
    found = np.zeros((len(weight), weight.shape[1] + 1), dtype=np.int32)
    np.cumsum(weight, axis=1, dtype=np.int32, out=found[:, 1:])
    return found
