"""Values of one column, of whatever type people have them in, as typed numpy arrays.

pandas objects are recognised by what they offer, so that pandas is not needed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError

if TYPE_CHECKING:
    from industry_apps.schema import Column

Kind = Literal["number", "category", "boolean", "datetime", "text"]

#: The missing moment: what a datetime input holds where the record has none.
MISSING_TIME = int(np.iinfo(np.int64).min)


#: numpy type of the ONNX input of each kind.
DTYPES: dict[Kind, type] = {
    "number": np.float32,
    "boolean": np.float32,
    "category": np.object_,
    "text": np.object_,
    "datetime": np.int64,
}


def is_missing(value: Any) -> bool:
    """Tell whether one Python value stands for "no value": None, NaN, NaT or pandas.NA."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return bool(value != value)  # noqa: PLR0124 - true of NaN and NaT alone


def to_float(column: Column, values: Any) -> NDArray[np.float32]:
    """Numbers and booleans as float32 of shape [rows], NaN where missing."""
    array = _as_numpy(values)
    if array.dtype.kind in "fiub":
        with np.errstate(over="ignore"):
            result = array.astype(np.float32)
    elif array.dtype.kind == "O":
        result = _objects_to_float(column, array, values)
    elif array.size:
        raise column.error(values, 0, f"a {column.kind}", "Convert the column to numbers.")
    else:
        result = np.empty(0, dtype=np.float32)
    if column.kind == "boolean":
        wrong = ~(np.isnan(result) | (result == 0) | (result == 1))
        if wrong.any():
            raise column.error(
                values, int(wrong.argmax()), "True, False, 0, 1 or missing", "Correct the value."
            )
    return result


def _objects_to_float(column: Column, array: NDArray[Any], values: Any) -> NDArray[np.float32]:
    result = np.empty(len(array), dtype=np.float64)
    for row, value in enumerate(array):
        if is_missing(value):
            result[row] = np.nan
        elif isinstance(value, str | bytes) or not hasattr(value, "__float__"):
            raise column.error(
                values,
                row,
                f"a {column.kind}",
                "Convert it first, for example with pandas.to_numeric.",
            )
        else:
            result[row] = float(value)
    with np.errstate(over="ignore"):
        return result.astype(np.float32)


def to_strings(column: Column, values: Any) -> NDArray[np.object_]:
    """Categories and texts as str objects of shape [rows], "" where missing."""
    if hasattr(values, "cat"):  # a pandas Categorical: convert the levels, not every row
        levels = to_strings(column, np.asarray(values.cat.categories, dtype=object))
        return np.append(levels, "").astype(object)[np.asarray(values.cat.codes)]
    array = _as_numpy(values)
    if array.dtype.kind in "fiub":
        distinct, inverse = np.unique(array, return_inverse=True)
        return _objects_to_strings(column, distinct.astype(object), values)[inverse]
    array = array.astype(object)
    if set(map(type, array.tolist())) <= {str}:
        return array
    return _objects_to_strings(column, array, values)


def _objects_to_strings(column: Column, array: NDArray[Any], values: Any) -> NDArray[np.object_]:
    result = np.empty(len(array), dtype=object)
    for row, value in enumerate(array):
        if isinstance(value, str):
            result[row] = str(value)
        elif is_missing(value):
            result[row] = ""
        elif column.kind == "category" and isinstance(value, bool | np.bool_):
            result[row] = str(bool(value))
        elif column.kind == "category" and isinstance(value, int | float | np.number):
            result[row] = str(int(value)) if value == int(value) else repr(float(value))
        else:
            raise column.error(values, row, "a string", "Convert it with str() if it is a name.")
    return result


def to_seconds(column: Column, values: Any) -> NDArray[np.int64]:
    """Moments as whole seconds since 1970 UTC, int64 of shape [rows]."""
    dtype = getattr(values, "dtype", None)
    if getattr(dtype, "tz", None) is not None:
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    array = _as_numpy(values)
    if array.dtype.kind == "i":  # already seconds, as in the exported file
        return array.astype(np.int64)
    if array.dtype.kind != "M":
        array = _moments(column, array, values)
    missing = np.isnat(array)
    seconds = array.astype("datetime64[s]").astype(np.int64)
    seconds[missing] = MISSING_TIME
    return seconds


def _moments(column: Column, array: NDArray[Any], values: Any) -> NDArray[np.datetime64]:
    result = np.full(len(array), np.datetime64("NaT", "us"))
    for row, value in enumerate(array):
        if is_missing(value) or value == "":
            continue
        try:
            result[row] = parse_moment(value)
        except (ValueError, TypeError, OverflowError):
            raise column.error(
                values,
                row,
                "a time (datetime, or text in ISO 8601)",
                "Convert it first, for example with pandas.to_datetime.",
            ) from None
    return result


def parse_moment(value: Any) -> np.datetime64:
    """Read one moment: a datetime, a ``datetime64`` or ISO 8601 text; UTC unless it says.

    Raises
    ------
    ValueError, TypeError
        When the value is none of these.
    """
    if isinstance(value, np.datetime64):
        return value.astype("datetime64[us]")
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    if not isinstance(value, date):
        raise TypeError(f"not a moment: {value!r}")
    return np.datetime64(value, "us")


def _as_numpy(values: Any) -> NDArray[Any]:
    if hasattr(values, "to_numpy"):
        kind = getattr(values.dtype, "kind", "O")
        # pandas' nullable columns keep pd.NA; as floats it becomes NaN without a Python loop.
        if kind in "iufb" and not isinstance(values.dtype, np.dtype) and values.hasnans:
            return values.to_numpy(dtype=np.float64, na_value=np.nan)
        return values.to_numpy()
    array = values if isinstance(values, np.ndarray) else _object_array(values)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise SchemaError(f"Expected one value a row, got an array of shape {array.shape}.")
    return array


def _object_array(values: Sequence[Any]) -> NDArray[Any]:
    kinds = set(map(type, values))
    if kinds and kinds <= {float, int, bool}:
        return np.asarray(values)
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result
