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
#: Differences are taken where the numbers lose so many times what they lose.
_AT_LEAST = 4.0


def offset_of(numbers: NDArray[np.float64]) -> float | None:
    """What to subtract from a column in double precision; None where float32 serves as well.

    Float32 has 24 binary digits. A column needs more where that rounds any of whole numbers, or
    others by more than a millionth of their range, and where the differences from the middle are
    rounded by a quarter of that at most, on average or at the worst. So ordinary decimals and
    long-tailed amounts stay as they are. So do numbers whose range itself needs more digits, as
    identifiers from 0 to 10 ** 10: no offset tells those apart, and two that lie closer than the
    digits tell are one number to the model. In any case each training value is told to within a
    millionth of the range.

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
    left = _lost(known - middle)
    # On average, so that a few zeros for what is not known do not hide that it helps.
    helps = any(_AT_LEAST * sized(left) <= sized(lost) for sized in (np.mean, np.max))
    return middle if helps and lost.max() > negligible else None


def less_offset(array: NDArray[Any], offset: float | None) -> NDArray[Any]:
    """Numbers as they stand in a column -> as a model computes with them, in float32."""
    return array if offset is None else (array - offset).astype(np.float32)


def plus_offset(array: NDArray[Any], offset: float | None) -> NDArray[Any]:
    """Numbers that a model has computed, as they stand in a column."""
    return array if offset is None else array.astype(np.float64) + offset


def _lost(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):  # a difference of the largest numbers
        return np.abs(numbers - numbers.astype(np.float32))
