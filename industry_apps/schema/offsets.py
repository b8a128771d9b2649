"""Numbers whose last digits float32 would lose, and what is subtracted so that it does not.

Seconds since 1970 differ by one and are written with ten digits; float32 holds seven, and has one
number for two minutes of them. Less the middle of the training values they are short again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Of numbers that are not whole: the loss that is none, as a share of their range.
_NEGLIGIBLE = 2.0**-20
#: A difference is taken where it loses at most one part in so many of what the number loses.
_AT_LEAST = 4.0


def offset_of(numbers: NDArray[np.float64]) -> float | None:
    """What to subtract from a column in double precision; None where float32 serves as well.

    Float32 has 24 binary digits. A column needs more where it loses any of whole numbers, or of
    others more than a millionth of their range, and its differences from the middle lose next to
    nothing of that. So ordinary decimals and long-tailed amounts stay as they are, and so do
    numbers whose range itself needs more than 24 digits, as identifiers from 0 to 10 ** 10: no
    offset tells those apart, and two of them that lie closer than float32 can tell are one.

    Parameters
    ----------
    numbers : ndarray of float64 of shape [rows]
        Training values, NaN where missing.

    Examples
    --------
    >>> offset_of(np.array([1_700_000_000.0, 1_700_000_001.0, 1_700_000_060.0]))
    1700000001.0
    >>> offset_of(np.array([0.1, 0.2, 36.6])) is None
    True
    """
    known = numbers[np.isfinite(numbers)]
    lost = _lost(known)
    if not lost.any() or known.min() == known.max():
        return None
    whole = bool((known == np.rint(known)).all())
    negligible = 0.0 if whole else _NEGLIGIBLE * float(known.max() - known.min())
    middle = float(np.partition(known, len(known) // 2)[len(known) // 2])
    helps = _AT_LEAST * _lost(known - middle).mean() <= lost.mean()
    return middle if helps and lost.max() > negligible else None


def less_offset(array: NDArray[Any], offset: float | None) -> NDArray[Any]:
    """Numbers as :meth:`Column.to_array` makes them -> as a model computes with them, in float32."""
    return array if offset is None else (array - offset).astype(np.float32)


def plus_offset(array: NDArray[Any], offset: float | None) -> NDArray[Any]:
    """Numbers that a model has computed, as they stand in a column."""
    return array if offset is None else array.astype(np.float64) + offset


def _lost(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.abs(numbers - numbers.astype(np.float32))
