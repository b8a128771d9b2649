"""Bodies of requests, as strict JSON; and answers as JSON that any client reads."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from industry_apps.errors import RequestError

_ESCAPES = (b"\\\\", b'\\"')


def parsed(body: bytes, depth: int) -> Any:
    """Read a body: UTF-8, no number that JSON does not have, no name twice, not too deep.

    Parameters
    ----------
    body : bytes
    depth : int
        Lists and objects within each other.

    Raises
    ------
    RequestError
        400, or 413 of a body that is nested too deep.

    Examples
    --------
    >>> parsed(b'{"amount": 12.5}', 32)
    {'amount': 12.5}
    """
    if body.count(b"[") + body.count(b"{") > depth and nesting(body) > depth:
        raise RequestError(
            f"The body is nested {nesting(body)} deep, expected at most {depth}. Send flat "
            "records.",
            413,
        )
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"The body is no UTF-8: byte {error.start} is 0x{body[error.start]:02x}. Encode it "
            "as UTF-8."
        ) from None
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        cut = "is cut short" if error.pos >= len(text.rstrip()) else "is no JSON"
        raise RequestError(
            f"The body {cut}: {error.msg} at line {error.lineno}, column {error.colno}. Send one "
            "JSON value."
        ) from None
    except RecursionError:
        raise RequestError("The body is nested too deep. Send flat records.", 413) from None
    except ValueError as error:  # a whole number of more digits than Python reads
        raise RequestError(f"The body is no JSON: {error!s:.100}. Correct it.") from None


def nesting(body: bytes) -> int:
    """How deep lists and objects of a JSON text are nested; brackets in strings do not count."""
    for escape in _ESCAPES:
        if b"\\" in body:
            body = body.replace(escape, b"")
    characters = np.frombuffer(body, dtype=np.uint8)
    outside = np.cumsum(characters == ord('"')) % 2 == 0
    opened = (characters == ord("[")) | (characters == ord("{"))
    closed = (characters == ord("]")) | (characters == ord("}"))
    steps = np.where(outside, opened.astype(np.int8) - closed.astype(np.int8), 0)
    return int(np.cumsum(steps, dtype=np.int64).max(initial=0))


def written(value: Any) -> bytes:
    """A value as JSON; numbers that JSON does not have, such as NaN, as null.

    Examples
    --------
    >>> written({"mean": float("nan")})
    b'{"mean":null}'
    """
    try:
        return _ENCODER.encode(value).encode()
    except ValueError:
        return _ENCODER.encode(_finite(value)).encode()


def _finite(value: Any) -> Any:
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is dict:
        return {name: _finite(each) for name, each in value.items()}
    if type(value) in (list, tuple):
        return [_finite(each) for each in value]
    return value


def _no_number(text: str) -> Any:
    raise RequestError(f"The body holds {text}, which is no number of JSON. Send null instead.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RequestError(f"The body has {twice!r:.100} twice in one object. Send it once.")
    return made


_DECODER = json.JSONDecoder(parse_constant=_no_number, object_pairs_hook=_once)
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
