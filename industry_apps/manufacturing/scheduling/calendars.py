"""When a machine works: times in which it is closed, and breaks in which operations pause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from industry_apps.errors import ParameterError
from industry_apps.limits import integer, plain

_WHOLE = integer(0)


@dataclass(frozen=True)
class Calendar:
    """Times of a machine, sorted and apart from one another.

    Parameters
    ----------
    closed : tuple of (int, int)
        First moment, and that behind the last, in which nothing runs.
    breaks : tuple of (int, int)
        The same, in which an operation pauses.
    """

    closed: tuple[tuple[int, int], ...] = ()
    breaks: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(
        cls, owner: str, closed: Sequence[tuple[int, int]], breaks: Sequence[tuple[int, int]]
    ) -> Calendar:
        """Check and sort times.

        Parameters
        ----------
        owner : str
            Whose they are, for the error.
        closed, breaks : sequence of (int, int)

        Raises
        ------
        ParameterError
            A time ends before it starts, or two of them overlap.
        """
        found = []
        for name, times in (("closed", closed), ("breaks", breaks)):
            pairs = list(times) if isinstance(times, Iterable) else [times]
            for time in pairs:
                if not _is_time(time):
                    raise ParameterError(
                        f"{owner}: {time!r} among {name!r} is no time; expected two whole numbers, "
                        "0 <= start < end, in the unit of the durations."
                    )
            found.append(tuple(sorted((int(a), int(b)) for a, b in pairs)))
        every = sorted([*found[0], *found[1]])
        for before, after in pairwise(every):
            if after[0] < before[1]:
                raise ParameterError(
                    f"{owner}: {before} and {after} overlap. Merge them, or cut one of them."
                )
        return cls(*found)

    @property
    def pauses(self) -> int:
        """Time of all breaks."""
        return sum(end - start for start, end in self.breaks)

    @property
    def last(self) -> int:
        """The end of the last time, or 0."""
        return max((end for _, end in (*self.closed, *self.breaks)), default=0)

    def opens_after(self, moment: int) -> int:
        """The first moment from this one on at which an operation may start."""
        for start, end in sorted([*self.closed, *self.breaks]):
            if start <= moment < end:
                moment = end
        return moment

    def end_of(self, start: int, duration: int) -> int:
        """When an operation ends that starts at a moment, with its pauses.

        Parameters
        ----------
        start, duration : int

        Examples
        --------
        >>> Calendar(breaks=((4, 6),)).end_of(3, 2)
        7
        """
        end = start + duration
        for begin, stop in self.breaks:
            if start < begin < end:
                end += stop - begin
        return end

    def conflict(self, start: int, end: int) -> tuple[int, int] | None:
        """The time that an operation may not touch, of those it does; else None."""
        for begin, stop in self.closed:
            if start < stop and begin < end:
                return begin, stop
        for begin, stop in self.breaks:
            if begin <= start < stop:
                return begin, stop
        return None


def _is_time(time: object) -> bool:
    """Whether it is two whole numbers, of Python or numpy, 0 <= start < end."""
    if not isinstance(time, tuple | list | np.ndarray) or len(time) != 2:
        return False
    return all(_WHOLE.holds(plain(each)) for each in time) and bool(time[0] < time[1])
