"""Trees of a model file, checked before onnxruntime follows them: a circle is followed for ever.

onnxruntime ends a run that takes too long between two operators, and not within one. So the
nodes of a tree have to be numbered downwards: whatever a node leads to has a larger number.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from industry_apps.runtime.wire import Span, WireError, fields_of

_NAME, _INTS, _STRINGS = 1, 8, 9
_ATTRIBUTE = 5  # of a node
_LISTS = ("nodes_nodeids", "nodes_truenodeids", "nodes_falsenodeids")
_MODES = "nodes_modes"
_KNOWN = [b"LEAF", *(b"BRANCH_" + each for each in (b"LEQ", b"LT", b"GTE", b"GT", b"EQ", b"NEQ"))]
_WRITTEN = [bytes([_STRINGS << 3 | 2, len(mode)]) + mode for mode in _KNOWN]
_ALL_KNOWN = re.compile(b"(?:" + b"|".join(_WRITTEN) + b")*")
_MOST_BYTES = 10  # of a number
_PACKED = 2


def check_trees(content: bytes, node: Span) -> None:
    """Raise a WireError where a node of an ensemble of trees leads back.

    Parameters
    ----------
    content : bytes
        Of a model file.
    node : Span
        Where an operator of trees lies in it.
    """
    found: dict[str, NDArray[np.int64]] = {}
    for field, _, value, _ in fields_of(content, node, "node"):
        if field == _ATTRIBUTE:
            name, lists = _attribute(content, value)
            if name in found:
                raise WireError(f"an operator of trees has {name!r} twice")
            if name in _LISTS:
                found[name] = _numbers(lists.get(_INTS, []))
            elif name == _MODES:
                found[name] = _leaves(lists.get(_STRINGS, []))
    absent = [name for name in (*_LISTS, _MODES) if name not in found]
    if absent or len({len(each) for each in found.values()}) != 1:
        raise WireError("an operator of trees lacks nodes of some of its lists")
    nodes, yes, no = (found[name] for name in _LISTS)
    if not ((found[_MODES] == 1) | ((yes > nodes) & (no > nodes))).all():
        raise WireError("a node of its trees leads back to one above it")


def _attribute(content: bytes, span: Span) -> tuple[str, dict[int, list[tuple[int, bytes]]]]:
    """Name of an attribute, and its lists as they are written: by field, the wire type, bytes."""
    name, lists = b"", dict[int, list[tuple[int, bytes]]]()
    for field, wire, value, run in fields_of(content, span, "attribute"):
        if field == _NAME:
            name = content[value.start : value.stop]
        elif field in (_INTS, _STRINGS):
            where = value if (field, wire) == (_INTS, _PACKED) else run
            lists.setdefault(field, []).append((wire, content[where.start : where.stop]))
    return name.decode("utf-8", "replace"), lists


def _numbers(runs: list[tuple[int, bytes]]) -> NDArray[np.int64]:
    """A list of whole numbers, packed or each behind a tag of one byte."""
    parts = [np.zeros(0, np.int64)]
    for wire, written in runs:
        numbers = _varints(written)
        parts.append(numbers if wire == _PACKED else numbers[1::2])
    return np.concatenate(parts)


def _varints(written: bytes) -> NDArray[np.int64]:
    octets = np.frombuffer(written, np.uint8)
    ends = np.flatnonzero(octets < 0x80)
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    sizes = ends - starts + 1
    if sizes.max(initial=0) > _MOST_BYTES:
        raise WireError("a number of its trees has too many digits")
    numbers = np.zeros(len(ends), np.uint64)
    for place in range(int(sizes.max(initial=0))):
        longer = sizes > place
        part = (octets[starts[longer] + place] & 0x7F).astype(np.uint64)
        numbers[longer] |= part << np.uint64(7 * place)
    return numbers.view(np.int64)


def _leaves(runs: list[tuple[int, bytes]]) -> NDArray[np.int64]:
    """Which nodes are leaves: 1, and 0 of all others."""
    written = b"".join(each for _, each in runs)
    if not _ALL_KNOWN.fullmatch(written):
        raise WireError("a node of its trees is neither a leaf nor a comparison")
    for place, mode in enumerate(_WRITTEN):
        written = written.replace(mode, b"\x01" if place == 0 else b"\x00")
    return np.frombuffer(written, np.uint8).astype(np.int64)
