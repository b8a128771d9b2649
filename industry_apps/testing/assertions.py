"""What checks demand of answers: equal values, of the declared types, within their limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.export.parity import TOLERANCE
from industry_apps.schema import Schema
from industry_apps.schema.images import are_images, changed_pixels, one_by_one
from industry_apps.schema.values import Kind

#: Numbers that are computed in another order may differ by this much.
ROUNDING = 1e-6

_DTYPES: dict[Kind, str] = {
    "number": "f",
    "boolean": "b",
    "category": "OU",
    "text": "OU",
    "datetime": "M",
    "image": "O",
}


def assert_that(condition: bool, message: str) -> None:
    """Raise AssertionError unless; unlike the statement, under ``python -O`` too."""
    if not condition:
        raise AssertionError(message)


def assert_same(
    ours: pd.DataFrame, theirs: pd.DataFrame, what: str, *, tolerance: float = TOLERANCE
) -> None:
    """Two answers hold the same rows, columns, decisions and, but for rounding, numbers."""
    assert_that(
        list(ours.columns) == list(theirs.columns),
        f"{what} differ in columns: {list(ours.columns)} against {list(theirs.columns)}.",
    )
    assert_that(
        ours.index.equals(theirs.index),
        f"{what} differ in the index: {ours.index} against {theirs.index}.",
    )
    for name in ours:
        left, right = values_of(ours[name]), values_of(theirs[name])
        if left.shape == right.shape and left.dtype.kind == "f":
            right = right.astype(np.float64)
            same = np.isclose(left, right, rtol=tolerance, atol=tolerance, equal_nan=True)
        elif are_images(left):
            pairs = zip(left, right, strict=True)
            same = np.array([changed_pixels(i, other) <= tolerance * i.size for i, other in pairs])
        else:
            same = np.atleast_1d(left == right)
        if not same.all():
            row = int(np.flatnonzero(~same.reshape(len(same), -1).all(axis=1))[0])
            raise AssertionError(
                f"{what} differ in {int((~same).sum())} of {same.size} values; first row {row}: "
                f"{name} is {left[row]!r} against {right[row]!r}."
            )


def assert_outputs(outputs: Schema, answer: pd.DataFrame, what: str) -> None:
    """An answer has the declared outputs and no others, of their types, within their limits."""
    assert_that(
        list(answer.columns) == outputs.names,
        f"{what}: the outputs are {list(answer.columns)}, declared are {outputs.names}.",
    )
    try:
        outputs.validate(answer)
    except SchemaError as error:
        raise AssertionError(f"{what}: {error}") from None
    for column in outputs:
        dtype = values_of(answer[column.name]).dtype
        assert_that(
            dtype.kind in _DTYPES[column.kind] or not len(answer),
            f"{what}: {column.name} has the dtype {dtype}, declared is {column.kind}.",
        )


def values_of(values: pd.Series) -> NDArray[Any]:
    """The values of a column -> [rows], of lists [rows, size], of images of any size [rows].

    Lists of texts, which may be of any length, are tuples [rows].
    """
    if not len(values) or not isinstance(values.iloc[0], list | np.ndarray):
        return values.to_numpy()
    if all(isinstance(each, str) for row in values for each in row):
        return one_by_one(map(tuple, values))
    arrays = [np.asarray(value) for value in values]
    if isinstance(values.iloc[0], list) and len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    return one_by_one(arrays)
