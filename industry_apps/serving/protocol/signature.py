"""Columns of a model file as tensors: which datatype and shape, and what a missing value is.

======== ========= ============ =================================================
kind     datatype  shape        missing
======== ========= ============ =================================================
number   FP32      [rows, 1]    NaN, in JSON null; FP64 of a column with an offset
boolean  BOOL      [rows, 1]    none; a column that may be missing is FP32: 0, 1, NaN
category BYTES     [rows, 1]    the empty text, in JSON null too
text     BYTES     [rows, 1]    the empty text, in JSON null too
datetime INT64     [rows, 1]    -2**63, in JSON null; whole seconds since 1970 UTC
image    UINT8     [rows, height, width, channels]  none; FP32 of more than 8 bits
list     of values [rows, size] missing values behind its end
======== ========= ============ =================================================

One value a row may also have the shape [rows]. A model of windows takes the rows of its long
table, with the columns that say whose row it is and of when, and answers the rows that it answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import RequestError, nearest
from industry_apps.schema import Column
from industry_apps.schema.values import MISSING_TIME, Kind
from industry_apps.serving.loaded import Loaded
from industry_apps.serving.protocol.tensors import OF_JSON, Tensor, to_json

#: Shapes of a tensor of one value.
_ONE = ([1, 1], [1])
_EPOCH = datetime(1970, 1, 1)
_OTHERS = {"category": "BYTES", "text": "BYTES", "datetime": "INT64", "image": "UINT8"}


class Declared(NamedTuple):
    """A column as a tensor.

    Parameters
    ----------
    column : Column
    datatype : str
    shape : tuple of int
        -1 for any length.
    """

    column: Column
    datatype: str
    shape: tuple[int, ...]

    def told(self) -> dict[str, Any]:
        """As the metadata of the protocol tell it."""
        return {
            "name": self.column.name,
            "datatype": self.datatype,
            "shape": list(self.shape),
        }


class Signature:
    """What one version of a model takes and gives.

    Parameters
    ----------
    loaded : Loaded
    """

    def __init__(self, loaded: Loaded) -> None:
        model, batches = loaded.model, loaded.batches
        self.inputs = {c.name: declared(c) for c in batches.table_schema}
        self.is_plain = loaded.is_of_records and model._read_record.is_plain
        rule = model.windows
        keys = [] if rule is None else [batches.table_schema[name] for name in rule.keys]
        # Input -> its datatype, the types of its values in JSON, and what makes a value of them.
        self._usual = {
            name: (each.datatype, OF_JSON[each.datatype], _CONVERTED.get(each.column.kind))
            for name, each in self.inputs.items()
            if self.is_plain
        }
        shapes = batches.output_shapes if rule is None else {}
        self.outputs = {
            c.name: Declared(c, datatype_of(c), shapes.get(c.name, (-1, 1)))
            for c in (*keys, *model.outputs)
        }

    def asked(self, tensors: Sequence[Tensor]) -> tuple[dict[str, Any], int]:
        """The columns that tensors hold, and the number of their rows.

        Parameters
        ----------
        tensors : sequence of Tensor

        Returns
        -------
        table : dict of str to list or ndarray of shape [rows, ...]
        rows : int

        Raises
        ------
        RequestError
            An input is unknown, there twice, or of another datatype or shape.
        """
        table: dict[str, Any] = {}
        rows = -1
        for tensor in tensors:
            declared = self.inputs.get(tensor.name)
            if declared is None:
                raise self._unknown(tensor.name)
            if tensor.name in table:
                raise RequestError(f"Input {tensor.name!r} is there twice. Send it once.")
            _check(tensor, declared)
            if rows not in (-1, tensor.shape[0]):
                raise RequestError(
                    f"Input {tensor.name!r} has {tensor.shape[0]} rows, expected {rows} as the "
                    "inputs before it. Send as many of each."
                )
            rows = tensor.shape[0]
            table[tensor.name] = _column(tensor, declared.column)
        if rows < 1:
            raise RequestError("The request has no rows. Send inputs with one or more.")
        return table, rows

    def record(self, told: Any) -> dict[str, Any] | None:
        """The record that inputs in JSON hold, of one row and of the usual form; None of all else.

        All else is read tensor by tensor, which also words the errors.

        Parameters
        ----------
        told : object
            What stands under ``inputs``.
        """
        found: dict[str, Any] = {}
        try:
            for each in told:
                name, data = each["name"], each["data"]
                datatype, types, converted = self._usual[name]
                (value,) = data
                usual = type(value) in types and each["datatype"] == datatype and len(each) == 4
                if not usual or type(data) is not list or each["shape"] not in _ONE:
                    return None
                found[name] = value if converted is None else converted(value)
        except (TypeError, KeyError, ValueError):
            return None
        return found if found and len(found) == len(told) else None

    def answers(self, answers: Mapping[str, Any], names: Sequence[str]) -> list[Tensor]:
        """Answers as tensors.

        Parameters
        ----------
        answers : mapping of str to sequence of shape [rows] or [rows, ...]
        names : sequence of str
            Outputs that are asked for.
        """
        return [_tensor(self.outputs[name], answers[name]) for name in names]

    def _unknown(self, name: str) -> RequestError:
        near = nearest(name, self.inputs)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return RequestError(
            f"Unknown input {name!r:.120}.{hint} The model takes: {', '.join(self.inputs)}."
        )


def declared(column: Column) -> Declared:
    """A column that clients send, as a tensor."""
    if column.kind == "image":
        datatype = "UINT8" if column.window is None else "FP32"
        return Declared(column, datatype, (-1, -1, -1, column.channels or -1))
    return Declared(column, datatype_of(column), (-1, column.size or -1))


def datatype_of(column: Column) -> str:
    """What the protocol calls the values of a column."""
    if column.kind == "boolean":
        return "FP32" if column.nullable else "BOOL"
    if column.kind == "number":
        return "FP32" if column.offset is None else "FP64"
    return _OTHERS[column.kind]


def _check(tensor: Tensor, declared: Declared) -> None:
    if tensor.datatype != declared.datatype:
        raise RequestError(
            f"Input {tensor.name!r} has the datatype {tensor.datatype}, expected "
            f"{declared.datatype}. Convert its values."
        )
    shape = declared.shape
    one_a_row = shape == (-1, 1) and len(tensor.shape) == 1
    fits = len(tensor.shape) == len(shape) and all(
        n in (-1, found) for n, found in zip(shape, tensor.shape, strict=True)
    )
    if not (fits or one_a_row):
        raise RequestError(
            f"Input {tensor.name!r} has the shape {list(tensor.shape)}, expected {list(shape)} "
            "with any length for -1. Reshape it."
        )


def _column(tensor: Tensor, column: Column) -> Any:
    """The values of a tensor as those of a column, one or a list or an image a row."""
    if column.kind == "image":
        return np.asarray(tensor.values, dtype=_image_type(tensor)).reshape(tensor.shape)
    values = to_json(tensor)
    if column.kind in _CONVERTED:
        values = list(map(_CONVERTED[column.kind], values))
    if not column.is_list:
        return values
    width = tensor.shape[1]
    rows = [values[start : start + width] for start in range(0, len(values), width or 1)]
    return [_ended(row) for row in rows] if column.size is None else rows


def _image_type(tensor: Tensor) -> type:
    if any(value is None for value in tensor.values):
        raise RequestError(f"Input {tensor.name!r} has a missing pixel. Send all of its pixels.")
    if tensor.datatype == "UINT8" and not isinstance(tensor.values, np.ndarray):
        wrong = next((v for v in tensor.values if not 0 <= v <= 255), None)
        if wrong is not None:
            raise RequestError(
                f"Input {tensor.name!r} holds {wrong}, expected 0 to 255. Scale the image."
            )
    return np.uint8 if tensor.datatype == "UINT8" else np.float32


def _moment(seconds: int | None) -> Any:
    if seconds is None or seconds == MISSING_TIME:
        return None
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:  # the column says what years it takes
        return str(seconds)


def _truth(value: float | None) -> Any:
    if value is None or math.isnan(value):
        return None
    return bool(value) if value in (0, 1) else value


# Kind -> what makes a value of a column of that of a tensor.
_CONVERTED: dict[Kind, Callable[[Any], Any]] = {"datetime": _moment, "boolean": _truth}


def _ended(row: list[Any]) -> list[Any] | None:
    """A list without the missing values behind its end; None where it holds no other."""
    stop = next((n for n in range(len(row), 0, -1) if not _is_missing(row[n - 1])), 0)
    return row[:stop] or None


def _is_missing(value: Any) -> bool:
    return value is None or value == "" or value != value  # noqa: PLR0124 - NaN


def _tensor(declared: Declared, answer: Any) -> Tensor:
    column = declared.column
    if isinstance(answer, np.ndarray):
        array = np.stack(answer.tolist()) if column.kind == "image" else answer
        if array.dtype.kind == "M":
            array = array.astype("datetime64[s]").astype(np.int64)
        return _of_array(declared, array)
    if column.is_list or column.kind == "image":
        width = max(*map(len, answer), declared.shape[1], 1)
        if column.kind == "category":
            answer = [[*row, *[""] * (width - len(row))] for row in answer]
            return Tensor(
                column.name, "BYTES", (len(answer), width), [t for row in answer for t in row]
            )
        return _of_array(declared, np.array(answer))
    return Tensor(column.name, declared.datatype, (len(answer), 1), answer)


def _of_array(declared: Declared, array: NDArray[Any]) -> Tensor:
    shape = array.shape if array.ndim > 1 else (len(array), 1)
    return Tensor(declared.column.name, declared.datatype, shape, array.reshape(-1))
