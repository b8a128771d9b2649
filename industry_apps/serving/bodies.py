"""Bodies of requests, as strict JSON; and answers as JSON that any client reads."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from industry_apps.errors import RequestError

# Of UTF-8 all bytes of other characters are above those of ASCII, and stay as they are.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))
_HOLDERS = (dict, list)
#: Objects and lists of a text that is read with a look at each of its names; of more it is slow.
_FEW = 4


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
    if (flat := _flat(body)) is not None:
        return flat
    is_flat = body.count(b"{") + body.count(b"[") <= min(depth, _FEW)
    bare = b"" if is_flat else without_strings(body)
    if not is_flat and not is_shallow(bare, depth):
        raise RequestError(
            f"The body is nested deeper than {depth} lists and objects, or their brackets do not "
            "match. Send flat records.",
            413,
        )
    try:
        text = body.decode("utf-8")
        found = (_NAMING if is_flat else _DECODER).decode(text)
        # Behind each name of an object stands a colon, and nowhere else outside of strings.
        if not is_flat and _has_twice(found, bare.count(b":")):
            _NAMING.decode(text)
    except UnicodeDecodeError as error:
        raise RequestError(
            f"The body is no UTF-8: byte {error.start} is 0x{body[error.start]:02x}. Encode it "
            "as UTF-8."
        ) from None
    except json.JSONDecodeError as error:
        cut = "is cut short" if error.pos >= len(text.rstrip()) else "is no JSON"
        raise RequestError(
            f"The body {cut}: {error.msg} at line {error.lineno}, column {error.colno}. Send one "
            "JSON value."
        ) from None
    except ValueError as error:  # a whole number of more digits than Python reads
        raise RequestError(f"The body is no JSON: {error!s:.100}. Correct it.") from None
    return found


def _flat(body: bytes) -> dict[str, Any] | None:
    """One record of single values, each name once; None of all else, which is read with care."""
    if body[:1] != b"{" or body.count(b"{") > 1 or b"[" in body or b"\\" in body:
        return None
    try:
        text = body.decode("utf-8")
        found, end = _DECODER.raw_decode(text)
    except ValueError:
        return None
    # A name that stands twice loses itself and its value, and with them quotes.
    quotes = 2 * (len(found) + list(map(type, found.values())).count(str))
    return found if end == len(text) and body.count(b'"') == quotes else None


def is_shallow(bare: bytes, depth: int) -> bool:
    """Whether the brackets of a text without strings lie within each other no deeper than this.

    Each pass takes out the innermost ones, so that it is as fast as the text is flat.

    Parameters
    ----------
    bare : bytes
    depth : int

    Examples
    --------
    >>> is_shallow(b"[{:[,]},[]]", 3), is_shallow(b"[{:[,]},[]]", 2)
    (True, False)
    """
    left = bare.translate(_BRACKETS, _OTHERS)
    for _ in range(depth):
        if not left:
            return True
        left = left.replace(b"[]", b"")
    return len(left) <= depth and b"]" not in left  # of a body that is cut short, few are open


def without_strings(body: bytes) -> bytes:
    """What is left of a JSON text without its strings.

    Examples
    --------
    >>> without_strings(b'{"a": ["[", "b"]}')
    b'{: [, ]}'
    """
    if b"\\" in body:
        return _STRING.sub(b"", body)
    return b"".join(body.split(b'"')[::2])  # many times faster


def _has_twice(value: Any, names: int) -> bool:
    """Whether an object of a text with so many names had one of them twice, and lost it."""
    # In most bodies all names stand in the outermost object and in objects of its lists.
    lists = [value] if type(value) is list else []
    near = 0
    if type(value) is dict:
        near, lists = len(value), [each for each in value.values() if type(each) is list]
    near += sum([len(each) for inner in lists for each in inner if type(each) is dict])
    return near != names and _names_in(value) != names


def _names_in(value: Any) -> int:
    """The number of names in all objects of a value."""
    names, left = 0, [[value]]
    while left:
        inner: Any = left.pop()
        if type(inner) is dict:
            names += len(inner)
            inner = inner.values()
        left += [each for each in inner if type(each) in _HOLDERS]
    return names


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


_DECODER = json.JSONDecoder(parse_constant=_no_number)
_NAMING = json.JSONDecoder(parse_constant=_no_number, object_pairs_hook=_once)
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
