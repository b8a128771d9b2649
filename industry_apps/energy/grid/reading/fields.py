"""The arrays of a class, checked where an instance is made: one number for each hour or unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.schema import Column

Reader = Callable[[Any], NDArray[Any]]


def numbers(
    name: str, dtype: type = np.float64, *, low: float | None = 0.0, high: float | None = None
) -> Reader:
    """What reads numbers that are all there and finite, whole where the type is."""
    whole = issubclass(dtype, np.integer)
    # An offset makes a column one of double precision.
    column = Column(name, "number", low=low, high=high, whole=whole, nullable=False, offset=0.0)

    def read(values: Any) -> NDArray[Any]:
        given = pd.Series(values, dtype=object)  # as which dates are no numbers
        array = pd.to_numeric(given, errors="coerce").to_numpy(np.float64)
        wrong = ~np.isfinite(array)
        if wrong.any():
            remedy = "Find it, or estimate it; what is missing is not 0."
            raise column.error(given.tolist(), int(wrong.argmax()), "a finite number", remedy)
        return column.to_array(array).astype(dtype)

    return read


def checked(
    owner: str, each: str, values: Mapping[str, Any], readers: Mapping[str, Reader]
) -> dict[str, NDArray[Any]]:
    """Read lists that belong together.

    Parameters
    ----------
    owner : str
        Whose they are, for the error.
    each : str
        What has a value in each of them: "hour".
    values, readers : mapping of str
        Name -> the list, and what reads it.

    Raises
    ------
    SchemaError
        They differ in length, or a value cannot be.
    """
    shapes = {name: np.asarray(values[name], dtype=object).shape for name in readers}
    if len(set(shapes.values())) > 1 or len(next(iter(shapes.values()))) != 1:
        told = ", ".join(f"{name!r} of shape {shape}" for name, shape in shapes.items())
        raise SchemaError(
            f"{owner} got {told}; expected a list of one value for each {each} in all of them. "
            "Give as many in each."
        )
    return {name: read(values[name]) for name, read in readers.items()}


def keep_checked(owner: object, each: str, **readers: Reader) -> None:
    """Check the arrays of a frozen instance, as :func:`checked`, and keep what was read."""
    for name, array in checked(type(owner).__name__, each, vars(owner), readers).items():
        object.__setattr__(owner, name, array)
