"""Columns of a panel as grids of steps and series, and what is missing in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.schema.values import MISSING_TIME

#: What a step without a value holds, by the kind of numpy type of its column.
MISSING: dict[str, Any] = {"f": np.nan, "i": MISSING_TIME, "O": ""}


def laid_out(
    values: NDArray[Any], cells: NDArray[np.int64], shape: tuple[int, int]
) -> NDArray[Any]:
    """Values of rows [R] at their places among steps and series, [T, S]; the rest is missing.

    Rows that share a place, as those of an hour that the clock shows twice, are averaged.
    """
    size = shape[0] * shape[1]
    grid = np.full(size, MISSING[values.dtype.kind], values.dtype)
    grid[cells] = values
    if values.dtype.kind == "f" and np.bincount(cells, minlength=size).max() > 1:
        known = ~np.isnan(values)
        counts = np.bincount(cells[known], minlength=size)
        sums = np.bincount(cells[known], values[known].astype(np.float64), minlength=size)
        grid = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).astype(values.dtype)
    return grid.reshape(shape)


def is_missing_in(grid: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a grid of a panel holds no value.

    Parameters
    ----------
    grid : ndarray
        A column of a :class:`Panel`.
    """
    absent: NDArray[np.bool_]
    absent = np.isnan(grid) if grid.dtype.kind == "f" else grid == MISSING[grid.dtype.kind]
    return absent
