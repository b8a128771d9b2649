"""Numbers that many records share though they are not as the others are, such as codes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Records that share a number, at least, and masses of an attribute, at most.
_ROWS_OF_A_MASS, _MOST_MASSES = 30, 8
#: Records of the usual number, at most, where one that more records share is a mass.
_SELDOM = 2
#: Negative numbers that may be codes, at most.
_FEW_CODES = 4
_NINES = frozenset(float(10**digits - 1) for digits in range(2, 10))
#: Fewer values than this are told apart without it.
_FEWEST_VALUES = 3


def point_masses(numbers: NDArray[Any], *, codes_only: bool = False) -> tuple[float, ...]:
    """Numbers that many records share though they are not as the others are.

    Parameters
    ----------
    numbers : ndarray of shape [rows]
        None missing.
    codes_only : bool
        Only those that lie where no other number does: a few negative whole numbers where all
        others are not negative, or 99, 999, ... far above all others. Else also a number that
        comes again where the others seldom do, as no income among incomes.

    Examples
    --------
    >>> numbers = np.arange(1000, dtype=np.float32)
    >>> point_masses(np.append(numbers, np.repeat(np.float32(-9), 40)))
    (-9.0,)
    >>> point_masses(np.repeat(numbers[:12], 40))  # months
    ()
    """
    values, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
    if len(values) < _FEWEST_VALUES:
        return ()
    heavy = counts >= _ROWS_OF_A_MASS
    chosen = heavy & ~_ordinary(values)
    if not codes_only and np.median(counts) <= _SELDOM:
        chosen |= heavy
    if chosen.sum() > _MOST_MASSES:
        chosen &= counts >= np.sort(counts[chosen])[-_MOST_MASSES]
    return tuple(values[chosen].tolist())


def _ordinary(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Which of the rising distinct values lie among the others."""
    below = values < 0
    coded = below & (values == np.rint(values))
    few = 0 < below.sum() <= _FEW_CODES and bool(coded[below].all())
    ordinary = ~below if few else np.ones(len(values), dtype=np.bool_)
    top = float(values[-1])
    rest = values[:-1][ordinary[:-1]]
    nines = top in _NINES
    if nines and len(rest) and top - rest[-1] > (rest[-1] - rest[0]):
        ordinary[-1] = False
    return ordinary
