"""Tensors of the Open Inference Protocol: named, typed, shaped, their values in a row.

References
----------
https://github.com/kserve/open-inference-protocol and the binary extension of
https://github.com/triton-inference-server/server/blob/main/docs/protocol
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import RequestError

#: Datatype -> the type of numpy of its bytes, which are little-endian; of BYTES there is none.
DTYPES: dict[str, str] = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_LENGTH = struct.Struct("<I")
_MOST_RANK = 8
_NUMBERS = frozenset((int, float, NoneType))
_WHOLE = frozenset((int, NoneType))
#: Datatype -> types of the values that JSON may hold; null is a missing value.
OF_JSON = {
    "BOOL": frozenset((bool, NoneType)),
    "BYTES": frozenset((str, NoneType)),
    **dict.fromkeys(("FP16", "FP32", "FP64"), _NUMBERS),
    **dict.fromkeys((name for name in DTYPES if "INT" in name), _WHOLE),
}


class Tensor(NamedTuple):
    """One tensor.

    Parameters
    ----------
    name : str
    datatype : str
        As the protocol calls it.
    shape : tuple of int
    values : list or ndarray
        All of them in a row, the last axis fastest.
    """

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: Sequence[Any] | NDArray[Any]


def head_of(told: Any) -> tuple[str, str, tuple[int, ...]]:
    """Name, datatype and shape of a tensor, as JSON tells them.

    Parameters
    ----------
    told : object

    Raises
    ------
    RequestError
    """
    if type(told) is not dict:
        raise RequestError(
            f"An input is {type(told).__name__}, expected an object with name, datatype, shape "
            "and data. Correct it."
        )
    name, datatype, shape = told.get("name"), told.get("datatype"), told.get("shape")
    if type(name) is not str or not name:
        raise RequestError(f"An input has the name {name!r:.80}, expected a text. Name it.")
    if datatype != "BYTES" and datatype not in DTYPES:
        raise RequestError(
            f"Input {name!r} has the datatype {datatype!r:.40}, expected one of "
            f"{', '.join([*DTYPES, 'BYTES'])}. Correct it."
        )
    if type(shape) is not list or not all(type(n) is int and n >= 0 for n in shape):
        raise RequestError(
            f"Input {name!r} has the shape {shape!r:.80}, expected a list of whole numbers. "
            "Correct it."
        )
    if not 1 <= len(shape) <= _MOST_RANK:
        raise RequestError(
            f"Input {name!r} has {len(shape)} dimensions, expected 1 to {_MOST_RANK}. Correct it."
        )
    return name, str(datatype), tuple(shape)


def from_json(told: Any) -> Tensor:
    """A tensor whose values stand in JSON, in a row or nested as its shape.

    Parameters
    ----------
    told : object

    Raises
    ------
    RequestError
    """
    name, datatype, shape = head_of(told)
    data = told.get("data")
    if type(data) is not list:
        raise RequestError(
            f"Input {name!r} has no list 'data', and no 'binary_data_size' among its parameters. "
            "Send its values."
        )
    if data and type(data[0]) is list:
        data = _flat(name, data, shape)
    _check_count(name, len(data), shape)
    wrong = set(map(type, data)) - OF_JSON[datatype]
    if wrong:
        place = next(n for n, value in enumerate(data) if type(value) in wrong)
        raise RequestError(
            f"Input {name!r}, value {place}: got {data[place]!r:.80}, expected a value of "
            f"{datatype}, or null where it is missing. Correct it, or its datatype."
        )
    return Tensor(name, datatype, shape, data)


def from_bytes(name: str, datatype: str, shape: tuple[int, ...], content: bytes) -> Tensor:
    """A tensor whose values are bytes.

    Parameters
    ----------
    name, datatype : str
    shape : tuple of int
    content : bytes
        Little-endian; of BYTES the length of each value in four bytes before it.

    Raises
    ------
    RequestError
    """
    if datatype == "BYTES":
        return Tensor(name, datatype, shape, _texts(name, shape, content))
    dtype = np.dtype(DTYPES[datatype])
    expected = math.prod(shape) * dtype.itemsize
    if len(content) != expected:
        raise RequestError(
            f"Input {name!r} has {len(content)} bytes, expected {expected} of {datatype} and shape "
            f"{list(shape)}. Send all of its values."
        )
    if datatype == "BOOL" and content.strip(b"\0\1"):
        raise RequestError(f"Input {name!r} has a byte other than 0 and 1. Send truth values.")
    return Tensor(name, datatype, shape, np.frombuffer(content, dtype))


def to_json(tensor: Tensor) -> list[Any]:
    """The values of a tensor for JSON."""
    values = tensor.values
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def to_bytes(tensor: Tensor) -> bytes:
    r"""The values of a tensor as bytes.

    Examples
    --------
    >>> to_bytes(Tensor("a", "BYTES", (1,), ["no"])), to_bytes(Tensor("b", "BOOL", (1,), [True]))
    (b'\x02\x00\x00\x00no', b'\x01')
    """
    if tensor.datatype != "BYTES":
        return np.asarray(tensor.values).astype(DTYPES[tensor.datatype]).tobytes()
    encoded = [str(text).encode() for text in to_json(tensor)]
    return b"".join(_LENGTH.pack(len(text)) + text for text in encoded)


def _flat(name: str, data: list[Any], shape: tuple[int, ...]) -> list[Any]:
    """Values that are nested as the shape says, in a row."""
    for axis, length in enumerate(shape[:-1]):
        rows = math.prod(shape[: axis + 1])
        inner = shape[axis + 1]
        if len(data) != rows or not all(type(r) is list and len(r) == inner for r in data):
            raise RequestError(
                f"Input {name!r}: its data are not nested as its shape {list(shape)} says (axis "
                f"{axis} of {length}). Send them so, or in one row."
            )
        data = [value for row in data for value in row]
    return data


def _check_count(name: str, found: int, shape: tuple[int, ...]) -> None:
    expected = math.prod(shape)
    if found != expected:
        raise RequestError(
            f"Input {name!r} has {found} values, expected {expected} of shape {list(shape)}. Send "
            "all of them."
        )


def _texts(name: str, shape: tuple[int, ...], content: bytes) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(content):
        begin = place + _LENGTH.size
        if begin > len(content):
            raise _cut(name, len(found))
        place = begin + _LENGTH.unpack_from(content, place)[0]
        if place > len(content):
            raise _cut(name, len(found))
        try:
            found.append(content[begin:place].decode("utf-8"))
        except UnicodeDecodeError:
            raise RequestError(
                f"Input {name!r}, value {len(found)} is no UTF-8. Encode it as UTF-8."
            ) from None
    _check_count(name, len(found), shape)
    return found


def _cut(name: str, row: int) -> RequestError:
    return RequestError(
        f"Input {name!r}, value {row} is cut short: its length says more than there is. Send all "
        "of its bytes."
    )
