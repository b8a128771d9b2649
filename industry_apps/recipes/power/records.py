"""Records of a plant as arrays: columns and output, and what physics say of them.

Letters in shapes: N records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

_Floats = NDArray[np.float32]


class PowerRows(NamedTuple):
    """Columns and output [N] of records, the latter as a share of the capacity."""

    arrays: Arrays
    share: NDArray[np.float64]

    def joined(self, other: PowerRows) -> PowerRows:
        """Both as one."""
        arrays = {n: np.concatenate([x, other.arrays[n]]) for n, x in self.arrays.items()}
        return PowerRows(arrays, np.concatenate([self.share, other.share]))


@dataclass(frozen=True, eq=False)
class Read:
    """What physics say of records, as arrays."""

    ceiling: _Floats  # [N]
    group: NDArray[np.int64]
    judged: NDArray[np.bool_]
    known: dict[str, NDArray[np.bool_]]
    expected: dict[str, _Floats]
    terms: dict[str, _Floats]  # [N, terms]

    def view(self, hidden: Sequence[str] = ()) -> dict[str, NDArray[np.bool_]]:
        """Which records each view answers; those that are hidden answer none."""
        open_ = np.ones(len(self.ceiling), dtype=bool)
        found = {}
        for name, known in self.known.items():
            found[name] = known & open_ if name not in hidden else np.zeros_like(open_)
            open_ &= ~found[name]
        return found


class Known(NamedTuple):
    """Records that tell something in a view."""

    terms: _Floats
    rest: NDArray[np.float64]
    group: NDArray[np.int64]


def known_of(read: Read, share: NDArray[np.float64], view: str) -> Known:
    """Records from which a view is learned.

    Parameters
    ----------
    read : Read
    share : ndarray of shape [N]
        Output as a share of the capacity.
    view : str
    """
    expected = read.expected[view]
    useful = read.judged | (read.ceiling > 0)
    rows = ~np.isnan(share) & ~np.isnan(expected) & read.known[view] & useful
    return Known(read.terms[view][rows], share[rows] - expected[rows], read.group[rows])
