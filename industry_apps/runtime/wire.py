"""A reader of the protobuf wire format, for what has to be known of a model file unopened.

onnxruntime follows whatever a file says: tensors in other files, functions within functions,
graphs within graphs without end. So the bytes are walked before a session opens, with no
library but Python's: what no file of ours has is refused, and the metadata are found.

References
----------
https://protobuf.dev/programming-guides/encoding, and ``onnx.proto`` of ONNX 1.23, of which the
numbers of the fields are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

#: Messages within messages. Our deepest file has less than half of it.
MOST_NESTED = 32
#: Messages of one file; beyond, it takes too long to look at them.
MOST_MESSAGES = 2_000_000

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10  # bytes
_LARGEST_TAG = (1 << 32) - 1

# Kind of message -> its fields that hold messages which are looked into.
_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 14: "property"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        14: "type",
        15: "type",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "value": {2: "type"},
    "type": {4: "element", 5: "element", 9: "element"},
    "element": {1: "type", 2: "type"},
    "tensor": {},
    "property": {},
}
# Kind of message and field -> what it would mean, and why no file of ours has it.
_REFUSED = {
    ("model", 20): "a graph for training",
    ("model", 25): "functions of its own",
    ("tensor", 13): "weights in another file",
}
_LOCATION = ("tensor", 14)  # 0 where the weights are in the file
_OPERATOR = ("node", 4)
# Operators that no file of ours has, and why they are not run.
_NOT_RUN = {
    b"EPContext": "that reads other files",
    b"TreeEnsemble": "of trees in a form that is not checked",
}
_TREES = {b"TreeEnsembleRegressor", b"TreeEnsembleClassifier"}


class Span(NamedTuple):
    """Where a value lies in the bytes: from ``start`` to before ``stop``."""

    start: int
    stop: int


class Found(NamedTuple):
    """What a walk found: the values of the metadata, and the operators that follow trees."""

    metadata: dict[str, Span]
    trees: list[Span]


class WireError(ValueError):
    """The bytes are no model that may be opened; the text says what they are."""


def metadata_spans(content: bytes) -> dict[str, Span]:
    """Walk all messages of a model file, and say where the values of its metadata lie.

    Parameters
    ----------
    content : bytes

    Raises
    ------
    WireError
        It is no message of protobuf, is nested too deep, or holds what no file of ours does.

    Examples
    --------
    >>> content = bytes([0x72, 6, 0x0A, 1, 0x61, 0x12, 1, 0x62])  # metadata: a is b
    >>> metadata_spans(content)
    {'a': Span(start=7, stop=8)}
    """
    return look(content).metadata


def look(content: bytes) -> Found:
    """Walk all messages of a model file, and say where in it lies what has to be looked at.

    Parameters
    ----------
    content : bytes

    Raises
    ------
    WireError
        As of :func:`metadata_spans`.
    """
    return _Walk(content).run()


class _Walk:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._messages = 0
        self._found: dict[str, Span] = {}
        self._trees: list[Span] = []

    def run(self) -> Found:
        self._message("model", Span(0, len(self._content)), 0)
        return Found(self._found, self._trees)

    def _message(self, kind: str, span: Span, depth: int) -> None:
        self._messages += 1
        if depth > MOST_NESTED:
            raise WireError(f"it is nested deeper than {MOST_NESTED} messages")
        if self._messages > MOST_MESSAGES:
            raise WireError(f"it has more than {MOST_MESSAGES} messages")
        if kind == "property":
            self._property(span)
            return
        inside = _INSIDE[kind]
        for field, wire, value, _ in fields_of(self._content, span, kind):
            self._check(kind, field, wire, value)
            if (kind, field) == _OPERATOR and self._text(value) in _TREES:
                self._trees.append(span)
            if field in inside:
                if wire != _BYTES:
                    raise WireError(f"field {field} of a {kind} is no message")
                self._message(inside[field], value, depth + 1)

    def _check(self, kind: str, field: int, wire: int, value: Span) -> None:
        refused = _REFUSED.get((kind, field))
        if refused is not None:
            raise WireError(f"it has {refused}, which files of industry_apps have not")
        if (kind, field) == _LOCATION and (wire, self._content[value.start]) != (_VARINT, 0):
            raise WireError("it has weights in another file, which files of industry_apps have not")
        if (kind, field) == _OPERATOR and self._text(value) in _NOT_RUN:
            raise WireError(f"it has an operator {_NOT_RUN[self._text(value)]}")

    def _text(self, span: Span) -> bytes:
        return self._content[span.start : span.stop]

    def _property(self, span: Span) -> None:
        key, value = b"", Span(span.stop, span.stop)
        for field, wire, found, _ in fields_of(self._content, span, "property"):
            if field == 1 and wire == _BYTES:
                key = self._content[found.start : found.stop]
            elif field == 2 and wire == _BYTES:
                value = found
        try:
            name = key.decode("utf-8")
        except UnicodeDecodeError as error:
            raise WireError(f"a key of its metadata is no text ({error})") from None
        if name in self._found:
            raise WireError(f"its metadata hold {name[:80]!r} twice")
        self._found[name] = value


def fields_of(content: bytes, span: Span, kind: str) -> Iterator[tuple[int, int, Span, Span]]:
    """The fields of one message: number, wire type, and where the value and its run lie.

    Of values in a row, in fields that nobody looks at, the first is told: a list of weights
    has a tag before each of them. The run is all of them, with their tags.

    Parameters
    ----------
    content : bytes
    span : Span
        Of the message.
    kind : str
        Of the message.

    Yields
    ------
    tuple of int, int, Span, Span

    Raises
    ------
    WireError
    """
    lists = _LISTS.get(kind, ())
    place, stop = span
    while place < stop:
        begin = place
        tag, place = _varint(content, place, stop)
        field, wire = tag >> 3, tag & 7
        if not field or tag > _LARGEST_TAG:
            raise WireError("it is no message of protobuf: a field has no number")
        if wire == _VARINT:
            _, end = _varint(content, place, stop)
        elif wire in (_FIXED32, _FIXED64):
            end = place + (4 if wire == _FIXED32 else 8)
        elif wire == _BYTES:
            size, place = _varint(content, place, stop)
            end = place + size
        else:
            raise WireError(f"it is no message of protobuf, or an old one: wire type {wire}")
        if end > stop:
            raise WireError("it is cut short, or no message of protobuf")
        behind = end
        if content[begin] in lists and end < stop and content[end] == content[begin]:
            found = _run_of(content[begin]).match(content, end, stop)
            behind = found.end() if found else end
        yield field, wire, Span(place, end), Span(begin, behind)
        place = behind


@cache
def _run_of(tag: int) -> re.Pattern[bytes]:
    """What matches values in a row that have the same tag of one byte."""
    value = {
        _VARINT: rb"[\x80-\xff]{0,9}[\x00-\x7f]",
        _FIXED32: rb".{4}",
        _BYTES: b"(?:" + b"|".join(_TEXTS) + b")",
    }[tag & 7]
    return re.compile(b"(?:" + re.escape(bytes([tag])) + value + b")+", re.DOTALL)


def _unseen(kind: str) -> set[int]:
    """Tags of one byte, of fields of a kind of message that nobody looks at."""
    seen = {*_INSIDE[kind], *(field for name, field in _LOOKED_AT if name == kind)}
    fields = [field for field in range(1, 16) if field not in seen]
    return {field << 3 | wire for field in fields for wire in (_VARINT, _FIXED32, _BYTES)}


_TEXTS = [re.escape(bytes([size])) + b".{%d}" % size for size in range(128)]
_LOOKED_AT = (*_REFUSED, _LOCATION, _OPERATOR)
# Elsewhere there are no long lists.
_LISTS = {kind: _unseen(kind) for kind in ("attribute", "tensor")}


def _varint(content: bytes, place: int, stop: int) -> tuple[int, int]:
    """A number of variable length, and the place behind it."""
    number = shift = 0
    for at in range(place, min(place + _LONGEST_VARINT, stop)):
        byte = content[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at + 1
        shift += 7
    raise WireError("it is cut short, or no message of protobuf")
