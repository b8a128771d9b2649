"""Values of a column against its limits."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, nearest
from industry_apps.schema.codes import Coded, within_limits


class Limited(Coded, Protocol):
    """What is read here of a column."""

    @property
    def unit(self) -> str: ...  # noqa: D102 - as of Column

    @property
    def categories(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def nullable(self) -> bool: ...  # noqa: D102

    @property
    def whole(self) -> bool: ...  # noqa: D102

    def is_missing(self, array: NDArray[Any]) -> NDArray[np.bool_]: ...  # noqa: D102

    def error(  # noqa: D102
        self, values: Any, row: int, expected: str, remedy: str
    ) -> SchemaError: ...


def check_limits(column: Limited, array: NDArray[Any], values: Any) -> None:
    """Raise where a value is missing and must not be, or lies beyond the limits of its column.

    Parameters
    ----------
    column : Limited
    array : ndarray of shape [rows]
        The values, converted.
    values : sequence of shape [rows]
        As they came, for the error.

    Raises
    ------
    SchemaError
    """
    if not column.nullable and (absent := column.is_missing(array)).any():
        raise column.error(values, int(absent.argmax()), "a value", "Fill it or drop the row.")
    if column.codes and column.kind == "number":
        array = within_limits(column, array)
    if column.kind == "number":
        _check_range(column, array, values)
    elif column.kind == "datetime":
        _check_period(column, array, values)
    elif column.categories:
        unknown = set(array.tolist()) - {*column.categories, *column.codes, ""}
        if unknown:
            row = int(np.isin(array, list(unknown)).argmax())
            near = nearest(array[row], column.categories)
            hint = f"Did you mean {near[0]!r}?" if near else "Correct the value."
            raise column.error(values, row, f"one of {list(column.categories)}", hint)


def _check_period(column: Limited, array: NDArray[Any], values: Any) -> None:
    if column.low is None or column.high is None:
        return
    wrong = ((array < column.low) | (array > column.high)) & ~column.is_missing(array)
    if wrong.any():
        low, high = (np.datetime64(int(each), "s") for each in (column.low, column.high))
        raise column.error(
            values,
            int(wrong.argmax()),
            f"a time from {low} to {high}, about what the model has learned from",
            "Correct the time, its unit if it is a number, or train the model anew.",
        )


def _check_range(column: Limited, array: NDArray[Any], values: Any) -> None:
    # The sum is finite whenever every value is, and NaN or infinite otherwise; it costs
    # one pass, and the exact search below runs only when it has to.
    with np.errstate(invalid="ignore"):  # infinity less infinity
        total = array.sum(dtype=np.float64)
    if not np.isfinite(total):
        infinite = np.isinf(array)
        if infinite.any():
            raise column.error(
                values,
                int(infinite.argmax()),
                "a finite number (float32)",
                "Replace infinity by a missing value or by a limit that makes sense.",
            )
    if column.whole and (broken := (np.rint(array) != array) & ~np.isnan(array)).any():
        raise column.error(values, int(broken.argmax()), "a whole number", "Round it.")
    for limit, outside, sign in (
        (column.low, np.less, ">="),
        (column.high, np.greater, "<="),
    ):
        if limit is not None:
            wrong = outside(array, array.dtype.type(limit))
            if wrong.any():
                raise column.error(
                    values, int(wrong.argmax()), *_expected(column, f"{sign} {limit:g}")
                )


def _expected(column: Limited, limit: str) -> tuple[str, str]:
    """What a number beyond a limit should have been, and what to do."""
    if column.low == column.high:  # as the version of how columns are computed
        only = f"{column.low:g}, its only value"
        return only, "Compute the table as training did, or train the model anew."
    unit = f" {column.unit}" if column.unit else ""
    missing = ", or leave it missing if it is not known" if column.nullable else ""
    return f"a number {limit}{unit}", f"Correct the value{missing}."
