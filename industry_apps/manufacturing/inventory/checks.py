"""Checks of the parameters of functions, in the words of all parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError
from industry_apps.limits import NOT_NEGATIVE, POSITIVE, Limit, plain, wrong_parameter


def check(owner: str, limit: Limit, **values: object) -> None:
    """Refuse values outside a limit.

    Parameters
    ----------
    owner : str
        The function that was called.
    limit : Limit
    **values
        Parameter -> what was given; numbers of numpy count as Python's.

    Raises
    ------
    ParameterError
    """
    for name, value in values.items():
        if not limit.holds(plain(value)):
            raise wrong_parameter(owner, name, limit.words, value)


def check_positive(owner: str, **values: object) -> None:
    """Refuse what is no finite number above 0."""
    check(owner, POSITIVE, **values)


def check_not_negative(owner: str, **values: object) -> None:
    """Refuse what is no finite number of at least 0."""
    check(owner, NOT_NEGATIVE, **values)


def periods_of(
    owner: str, name: str, values: float | Sequence[float], periods: int | None = None
) -> NDArray[np.float64]:
    """A finite number >= 0 for each period, of one number for all or of one for each.

    Parameters
    ----------
    owner, name : str
        The function that was called, and its parameter.
    values : float or sequence of float
    periods : int, optional
        How many there must be; by default as many as are given, at least one.

    Raises
    ------
    ParameterError
        Names the period and the value.
    """
    given = np.asarray(values, dtype=object)
    numbers = np.full(periods or 1, given.item()) if given.ndim == 0 else given
    if numbers.ndim != 1 or len(numbers) != (periods or len(numbers)) or not len(numbers):
        words = (
            f"one number for each of {periods} periods" if periods else "a number for each period"
        )
        raise ParameterError(
            f"The {name!r} parameter of {owner} must be {words}. Got an array of the shape "
            f"{numbers.shape} instead."
        )
    for place, value in enumerate(map(plain, numbers)):
        if not NOT_NEGATIVE.holds(value):
            raise ParameterError(
                f"The {name!r} parameter of {owner} must hold finite numbers >= 0. Got {value!r} "
                f"in period {place} (counted from 0). Correct it; a return of goods is stock, not "
                "demand."
            )
    return numbers.astype(np.float64)
