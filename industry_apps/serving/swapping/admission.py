"""Whether a new version may take the place of another: who could ask the old one can ask it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from industry_apps.errors import IndustryAppsError, ModelFileError
from industry_apps.runtime.model import Model
from industry_apps.schema import Column, Schema
from industry_apps.serving.loaded import Loaded
from industry_apps.serving.protocol.signature import datatype_of, declared

#: What a replay calls with: a record, or the rows of a table.
Asked = dict[str, Any] | list[dict[str, Any]]


@dataclass
class Replay:
    """What a new version answered to the latest requests.

    Parameters
    ----------
    requests : int
    changed : int
        Requests of which an answer other than a number is another one.
    largest : float
        Largest difference of a number.
    """

    requests: int = 0
    changed: int = 0
    largest: float = field(default=0.0)


def check_compatible(old: Model, new: Model) -> None:
    """Check that a client of one version can go on with another.

    Parameters
    ----------
    old, new : Model

    Raises
    ------
    ModelFileError
        Names the first column in which it cannot.
    """
    name = new.path.name
    if old.metadata["application"] != new.metadata["application"]:
        raise _refused(
            name,
            f"it is of {new.metadata['application']}",
            f"one of {old.metadata['application']}, as the version before it",
        )
    if (old.windows is None) != (new.windows is None):
        raise _refused(name, "it takes windows of series or records", "what the one before takes")
    if old.metadata.get("state") != new.metadata.get("state"):
        raise _refused(name, "it keeps another state of the stream", "the same settings of it")
    _check_inputs(old.schema, new.schema, name)
    _check_outputs(old.outputs, new.outputs, name)


def replayed(old: Loaded, new: Loaded, asked: Iterable[Asked]) -> Replay:
    """Ask a new version what the one before was asked of late.

    Parameters
    ----------
    old, new : Loaded
    asked : iterable of dict, or of list of dict

    Raises
    ------
    ModelFileError
        It refuses what the one before answers, or answers with no number where there was one.
    """
    found = Replay()
    for data in asked:
        before = old.model.predict(data)
        try:
            after = new.model.predict(data)
        except IndustryAppsError as error:
            # The error itself holds the value, which is for whoever sent it.
            named = [c.name for c in new.batches.table_schema if f"Column {c.name!r}" in str(error)]
            column = f" (its column {named[0]!r})" if named else ""
            raise _refused(
                new.model.path.name,
                f"it refuses one of the latest {found.requests + 1} requests{column}",
                "an answer to each of them",
            ) from None
        except Exception as error:
            raise _refused(
                new.model.path.name,
                f"it fails on one of the latest requests ({type(error).__name__})",
                "an answer to each of them",
            ) from error
        _compare(before, after, found, new.model.path.name)
    return found


def is_sound(answer: Any, outputs: Schema) -> bool:
    """Whether answers have finite numbers wherever they are said to have some.

    Parameters
    ----------
    answer : dict of values or of arrays, or list of dict
    outputs : Schema
    """
    numbers = [c.name for c in outputs if c.kind == "number" and not c.nullable]
    rows = answer if isinstance(answer, list) else [answer]
    return all(bool(np.isfinite(row[name]).all()) for row in rows for name in numbers)


def _compare(before: Any, after: Any, found: Replay, name: str) -> None:
    tables = (each if isinstance(each, list) else [each] for each in (before, after))
    found.requests += 1
    changed = isinstance(before, list) and len(before) != len(after)
    for one, other in zip(*tables, strict=False):
        for key, value in one.items():
            new = other[key]
            if isinstance(value, float) and isinstance(new, float):
                if math.isfinite(value) and not math.isfinite(new):
                    raise _refused(name, f"it answers {key!r} with {new}", "a number, as before")
                difference = abs(value - new)
                found.largest = max(found.largest, difference if math.isfinite(difference) else 0)
            else:
                changed = changed or json.dumps(value) != json.dumps(new)
    found.changed += changed


def _check_inputs(old: Schema, new: Schema, name: str) -> None:
    for column in new:
        if column.name not in old:
            if column.required:
                raise _refused(
                    name, f"it asks for {column.name!r}", "no column that clients do not send"
                )
            continue
        before = old[column.name]
        for words, holds in _INPUT_RULES:
            if not holds(before, column):
                raise _refused(name, f"its column {column.name!r} {words}", "what was before")


def _check_outputs(old: Schema, new: Schema, name: str) -> None:
    for column in old:
        if column.name not in new:
            raise _refused(name, f"it does not answer {column.name!r}", "all answers of before")
        other = new[column.name]
        for words, holds in _OUTPUT_RULES:
            if not holds(column, other):
                raise _refused(name, f"its answer {column.name!r} {words}", "what was before")


def _within(one: float | None, other: float | None, sign: int) -> bool:
    """Whether a limit is no narrower than the one before; None is none."""
    return other is None or (one is not None and sign * other >= sign * one)


def _are_some(few: Sequence[str], many: Sequence[str]) -> bool:
    return bool(few) and set(few) <= set(many)


_INPUT_RULES: Sequence[tuple[str, Callable[[Column, Column], bool]]] = (
    ("is of another kind", lambda old, new: old.kind == new.kind),
    (
        "holds lists of another form",
        lambda old, new: (old.size, old.shape, old.listed) == (new.size, new.shape, new.listed),
    ),
    ("may not be missing any more", lambda old, new: new.nullable or not old.nullable),
    ("has to be there now", lambda old, new: old.required or not new.required),
    (
        "has narrower limits",
        lambda old, new: _within(old.low, new.low, -1) and _within(old.high, new.high, 1),
    ),
    (
        "takes fewer categories",
        lambda old, new: not new.categories or _are_some(old.categories, new.categories),
    ),
    ("takes whole numbers only", lambda old, new: old.whole or not new.whole),
    ("is in another unit", lambda old, new: old.unit == new.unit),
    (
        "takes images of another form",
        lambda old, new: (old.channels, old.window) == (new.channels, new.window),
    ),
    ("is in another notation", lambda old, new: old.notation == new.notation),
    ("has other codes", lambda old, new: set(old.codes) <= set(new.codes)),
    (
        "has other codes",  # a number that was a value before
        lambda old, new: all(type(code) is str for code in set(new.codes) - set(old.codes)),
    ),
    ("is sound of another rate", lambda old, new: old.rate == new.rate),
    ("takes no lists as short as before", lambda old, new: new.least <= old.least),
    ("is as large as another image", lambda old, new: old.beside == new.beside),
    (
        "is another tensor to Open Inference clients",
        lambda old, new: declared(old)[1:] == declared(new)[1:],
    ),
)
_OUTPUT_RULES: Sequence[tuple[str, Callable[[Column, Column], bool]]] = (
    (
        "has another form",
        lambda old, new: (old.kind, old.size, old.shape) == (new.kind, new.size, new.shape),
    ),
    ("is in another unit", lambda old, new: old.unit == new.unit),
    (
        "has categories that clients do not know",
        lambda old, new: not old.categories or _are_some(new.categories, old.categories),
    ),
    ("may be missing now", lambda old, new: old.nullable or not new.nullable),
    (
        "has another datatype to Open Inference clients",
        lambda old, new: datatype_of(old) == datatype_of(new),
    ),
)


def _refused(name: str, found: str, expected: str) -> ModelFileError:
    return ModelFileError(
        f"{name} does not take the place of the version in use: {found}, expected {expected}. "
        "Serve it under a name of its own, or export one that fits."
    )
