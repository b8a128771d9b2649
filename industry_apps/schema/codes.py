"""Codes that stand for a missing value: "was not asked", "does not apply", "?"."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Coded(Protocol):
    """What is read here of a column."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - as of Column

    @property
    def codes(self) -> tuple[str | float, ...]: ...  # noqa: D102

    @property
    def low(self) -> float | None: ...  # noqa: D102

    @property
    def high(self) -> float | None: ...  # noqa: D102

    @property
    def dtype(self) -> type: ...  # noqa: D102

    def missing(self, rows: int) -> NDArray[Any]: ...  # noqa: D102


def read_codes(column: Coded) -> NDArray[Any]:
    """The codes that arrays made by :meth:`Column.to_array` hold, of shape [codes]."""
    if column.kind == "number":
        return np.array([c for c in column.codes if not isinstance(c, str)], column.dtype)
    return np.array(column.codes, dtype=np.object_)


def are_missing(column: Coded) -> bool:
    """Whether codes count as missing: not of a category with several, of which each is a level."""
    return bool(column.codes) and not (column.kind == "category" and len(column.codes) > 1)


def without_codes(column: Coded, array: NDArray[Any]) -> NDArray[Any]:
    """An array made by :meth:`Column.to_array`, with missing values in place of codes."""
    if not are_missing(column):
        return array
    return np.where(np.isin(array, read_codes(column)), column.missing(1), array)


def within_limits(column: Coded, array: NDArray[Any]) -> NDArray[Any]:
    """Numbers in which a number that no limit minds stands in place of codes."""
    inside = next((end for end in (column.low, column.high) if end is not None), 0.0)
    return np.where(np.isin(array, read_codes(column)), array.dtype.type(inside), array)


def without_texts(column: Coded, values: Any) -> Any:
    """Values for a column of numbers: those that are a code of text are missing.

    Where such a code stands, a table holds its numbers as texts, too.
    """
    texts = {code for code in column.codes if isinstance(code, str)}
    dtype = getattr(values, "dtype", None)
    if not texts or (dtype is not None and getattr(dtype, "kind", "O") in "fiub"):
        return values
    return [_number_in(each, texts) if isinstance(each, str) else each for each in values]


def _number_in(text: str, codes: set[str]) -> float | str | None:
    try:
        return None if text in codes else text if "_" in text else float(text)
    except ValueError:
        return text
