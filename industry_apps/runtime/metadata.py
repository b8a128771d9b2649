"""What a model file says of itself, checked before anything is made of it.

Each format has its keys; another key is an error, as is a value of another type or beyond its
limits. What an application adds for itself is named in ``own_facts``. Files of before there was
a number of the format have neither that list nor a digest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from math import isfinite
from types import NoneType
from typing import Any, NamedTuple

from industry_apps.errors import ModelFileError
from industry_apps.schema import Column
from industry_apps.schema.sounds import is_rate

#: What is written; 1 stands for files that have no number.
FORMAT = 2
#: Key of the digest, of 64 hexadecimal digits.
DIGEST = "sha256"
#: Bytes of all metadata of one file: images of the self-test are the most of it.
MOST_BYTES = 64_000_000

#: Largest difference of a number that the replay of the self-test accepts; of a number
#: beyond 1, as a share of it.
TOLERANCE = 1e-4
#: What a file of lower precision may ask for in its place.
MOST_TOLERANCE = 0.1

_REQUIRED = ("application", "schema", "outputs", "parity", "reference", "self_test")
#: Keys that are about the file, not about the model.
OF_FORMAT = ("format", DIGEST, "own_facts")
_MOST_TEXT = 100_000
_MOST_COLUMNS = 5_000
_MOST_ROWS = 16_384
_MOST_STEPS = 1_000_000


class Rule(NamedTuple):
    """What a value must be: in words, and the check of it."""

    expected: str
    holds: Callable[[Any], bool]


def _is_whole(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _is_text(value: Any) -> bool:
    return type(value) is str and len(value) <= _MOST_TEXT


def _are_texts(value: Any) -> bool:
    return type(value) is list and all(map(_is_text, value))


def _is_self_test(value: Any) -> bool:
    if type(value) is not dict or set(value) != {"records", "answers"}:
        return False
    records, answers = value["records"], value["answers"]
    rows = type(records) is list and len(records) <= _MOST_ROWS
    named = type(answers) is dict and all(type(each) is list for each in answers.values())
    return rows and named and all(type(record) is dict for record in records)


def _is_seen(value: Any) -> bool:
    if type(value) is not dict or not all(type(told) is dict for told in value.values()):
        return False
    return all(
        type(told.get("complete")) is bool
        and set(told) <= {"complete", "levels", "range"}
        and _are_texts(told.get("levels", []))
        and _is_range(told.get("range", [0, 0]))
        for told in value.values()
    )


def _is_range(value: Any) -> bool:
    return type(value) is list and len(value) == 2 and all(map(_is_number, value))


def _are_windows(value: Any) -> bool:
    if type(value) is not dict:
        return False
    steps = (value.get("length"), value.get("horizon", 0))
    return _is_whole(steps[0], 1, _MOST_STEPS) and _is_whole(steps[1], 0, _MOST_STEPS)


def _is_parity(value: Any) -> bool:
    return type(value) is dict and all(map(_is_number, value.values()))


def _is_explanation(value: Any) -> bool:
    if type(value) is not dict:
        return False
    told = ["method", "reference", "unit", *(["part"] if "part" in value else [])]
    listed = "answers" if "part" in value else "columns"
    if set(value) != {listed, *told}:
        return False
    return _are_texts(value[listed]) and all(_is_text(value[key]) for key in told)


def _is_completion(value: Any) -> bool:
    if type(value) is not dict or set(value) != {"reader", "version", "column"}:
        return False
    whole = _is_whole(value["version"], 1, _MOST_STEPS)
    return _is_text(value["reader"]) and whole and _are_columns([value["column"]])


def _are_columns(value: Any) -> bool:
    several = type(value) is list and len(value) <= _MOST_COLUMNS
    return several and all(type(column) is dict for column in value)


_TEXT = Rule("a text", _is_text)
_TABLE = Rule("a JSON object", lambda value: type(value) is dict)
_OR_NONE = Rule("a JSON object or null", lambda value: type(value) in (dict, NoneType))
_COLUMNS = Rule(f"a list of at most {_MOST_COLUMNS} columns", _are_columns)

# The keys that this package knows, whoever writes them.
_RULES: dict[str, Rule] = {
    "format": Rule(f"a whole number, at most {FORMAT}", lambda value: _is_whole(value, 2, FORMAT)),
    DIGEST: Rule("64 hexadecimal digits", lambda value: type(value) is str and len(value) == 64),
    "own_facts": Rule("a list of names", _are_texts),
    "application": Rule("a name", lambda value: _is_text(value) and 0 < len(value) <= 200),
    "schema": _COLUMNS,
    "outputs": _COLUMNS,
    "parity": Rule("an object of numbers", _is_parity),
    "reference": _TABLE,
    "self_test": Rule(f"at most {_MOST_ROWS} records and the answers to them", _is_self_test),
    "tolerance": Rule(
        f"a number above 0, at most {MOST_TOLERANCE}",
        lambda value: _is_number(value) and 0 < value <= MOST_TOLERANCE,
    ),
    "rows_a_run": Rule(
        f"a whole number from 1 to {_MOST_STEPS}", lambda value: _is_whole(value, 1, _MOST_STEPS)
    ),
    "windows": Rule(f"a rule with a length of at most {_MOST_STEPS} steps", _are_windows),
    "versions": _TABLE,
    "metrics": _TABLE,
    "data": _TABLE,
    "split": _TABLE,
    "loss": _TABLE,
    "speed": _TABLE,
    "state": _OR_NONE,
    "decision": _TABLE,
    "summary": _TEXT,
    "version": _TEXT,
    "model": _TEXT,
    "intended_use": _TEXT,
    "precision": _TEXT,
    "notes": Rule("a list of texts", _are_texts),
    "explanation": Rule(
        "columns, or answers and their part, with method, reference and unit as texts",
        _is_explanation,
    ),
    "completion": Rule("a reader, its version, and a column", _is_completion),
    "answers_empty": Rule("true or false", lambda value: type(value) is bool),
    "seen": Rule("what training had of each column", _is_seen),
    "longest_runs": Rule(
        "an object of whole numbers",
        lambda value: type(value) is dict and all(type(v) is int for v in value.values()),
    ),
    "extremes": Rule(
        "an object of pairs of numbers",
        lambda value: type(value) is dict and all(map(_is_range, value.values())),
    ),
    "units": Rule(
        "an object of texts",
        lambda value: type(value) is dict and all(map(_is_text, value.values())),
    ),
}

_COLUMN_RULES: dict[str, Rule] = {
    "name": Rule("a text of 1 to 1000 characters", lambda v: _is_text(v) and 0 < len(v) <= 1000),
    "kind": _TEXT,
    "role": _TEXT,
    "description": _TEXT,
    "unit": _TEXT,
    "low": Rule("a number or null", lambda value: value is None or _is_number(value)),
    "high": Rule("a number or null", lambda value: value is None or _is_number(value)),
    "offset": Rule("a number or null", lambda value: value is None or _is_number(value)),
    "categories": Rule("a list of texts", _are_texts),
    "nullable": Rule("true or false", lambda value: type(value) is bool),
    "required": Rule("true or false", lambda value: type(value) is bool),
    "protected": Rule("true or false", lambda value: type(value) is bool),
    "whole": Rule("true or false", lambda value: type(value) is bool),
    "least": Rule("a whole number below 1000", lambda value: _is_whole(value, 0, 999)),
    "listed": Rule("true or false", lambda value: type(value) is bool),
    "notation": _TEXT,
    "tokens": Rule("a list of texts", _are_texts),
    "codes": Rule(
        "a list of texts and numbers",
        lambda value: type(value) is list and all(_is_text(v) or _is_number(v) for v in value),
    ),
    "size": Rule(
        f"null or a whole number from 1 to {_MOST_STEPS}",
        lambda value: value is None or _is_whole(value, 1, _MOST_STEPS),
    ),
    "rate": Rule(
        "null or samples a second, 1000 to 384000", lambda value: value is None or is_rate(value)
    ),
    "channels": Rule(
        "null or a whole number from 1 to 1000",
        lambda value: value is None or _is_whole(value, 1, 1000),
    ),
    "window": Rule(
        "null or two rising numbers",
        lambda value: (
            value is None
            or (
                type(value) is list
                and len(value) == 2
                and all(map(_is_number, value))
                and value[0] < value[1]
            )
        ),
    ),
    "shape": Rule(
        "a list of whole numbers or nulls",
        lambda value: (
            type(value) is list
            and len(value) <= 8
            and all(each is None or _is_whole(each, 1, _MOST_STEPS) for each in value)
        ),
    ),
}


def read_metadata(stored: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """Read and check the metadata of a model file.

    Parameters
    ----------
    stored : mapping of str to bytes
        JSON by key.
    name : str
        Of the file, for the errors.

    Raises
    ------
    ModelFileError
        A key is missing, unknown, no JSON, of another type or beyond its limits.
    """
    absent = [key for key in _REQUIRED if key not in stored]
    if absent:
        raise ModelFileError(
            f"{name} was not written by industry_apps: its metadata lacks "
            f"{', '.join(absent)}. Run it with onnxruntime, or export it with an application."
        )
    if sum(map(len, stored.values())) > MOST_BYTES:
        raise ModelFileError(
            f"The metadata of {name} are longer than {MOST_BYTES} bytes. Export the model again, "
            "with smaller images or shorter records to check it on."
        )
    facts = {key: _json(key, value, name) for key, value in stored.items()}
    _check_format(facts, name)
    for key, value in facts.items():
        rule = _RULES.get(key)
        if rule is not None and not rule.holds(value):
            raise _error(name, repr(key), value, rule.expected)
    if facts.get("tolerance", 0) > TOLERANCE and not {"precision", "loss"} <= facts.keys():
        raise _error(
            name, "'tolerance'", facts["tolerance"], f"{TOLERANCE:g} without a stated 'loss'"
        )
    for key in ("schema", "outputs"):
        for row, column in enumerate(facts[key]):
            _check_column(column, f"{key!r}, column {row}", name, closed="format" in facts)
    if "completion" in facts:
        _check_column(facts["completion"]["column"], "'completion', column", name, closed=True)
    return facts


def own_facts(keys: Mapping[str, Any]) -> list[str]:
    """The keys of metadata that are an application's own, in order.

    Examples
    --------
    >>> own_facts({"summary": "", "horizons": [1], "format": 2})
    ['horizons']
    """
    return sorted(key for key in keys if key not in _RULES)


def printable(value: Any) -> Any:
    r"""A copy of JSON values without what a terminal would obey: such characters as escapes.

    Examples
    --------
    >>> printable({"name": "a\x1b[2J", "size": [1]})
    {'name': 'a\\x1b[2J', 'size': [1]}
    """
    if isinstance(value, str):
        return value if value.isprintable() else "".join(map(_shown, value))
    if isinstance(value, Mapping):
        return {printable(key): printable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [printable(each) for each in value]
    return value


def _shown(character: str) -> str:
    if character == "\n" or character.isprintable():
        return character
    return character.encode("unicode_escape").decode("ascii")


def _json(key: str, value: bytes, name: str) -> Any:
    try:
        return json.loads(value.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(
            f"The metadata of {name} are damaged: {printable(key)!r:.80} is no JSON ({error}). "
            "Fetch or export the file again."
        ) from None


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _check_format(facts: Mapping[str, Any], name: str) -> None:
    """The keys are those of the format."""
    found = facts.get("format")
    if _is_whole(found, FORMAT + 1, 10**6):
        raise ModelFileError(
            f"{name} has format {found}, this version of industry_apps reads formats up to "
            f"{FORMAT}. Install a newer version, or export the model with this one."
        )
    if found is None:
        wrong = [key for key in OF_FORMAT if key in facts]
        expected = "none without a number of the format"
    else:
        absent = [key for key in OF_FORMAT if key not in facts]
        if absent:
            raise _error(name, repr(absent[0]), None, "a value in every file of this format")
        own = facts["own_facts"] if type(facts["own_facts"]) is list else []
        wrong = [key for key in facts if key not in _RULES and key not in own]
        expected = "no key that the format and 'own_facts' do not have"
    if wrong:
        raise _error(name, repr(printable(wrong[0])), facts[wrong[0]], expected)


def _check_column(column: Mapping[str, Any], where: str, name: str, *, closed: bool) -> None:
    """A column of the schema has the keys of one, of their types."""
    for key in ("name", "kind"):
        if key not in column:
            raise _error(name, f"{where}, {key}", None, _COLUMN_RULES[key].expected)
    for key, value in column.items():
        rule = _COLUMN_RULES.get(key)
        if rule is not None and not rule.holds(value):
            raise _error(name, f"{where}, {key}", value, rule.expected)
    unknown = set(column) - {field.name for field in fields(Column)}
    if closed and unknown:
        key = min(unknown)
        raise _error(name, f"{where}, {printable(key)}", column[key], "no such key")


def _error(name: str, where: str, found: Any, expected: str) -> ModelFileError:
    shown = repr(printable(found))
    shown = shown if len(shown) <= 80 else f"{shown[:60]}... ({len(shown)} characters)"
    return ModelFileError(
        f"The metadata of {name} are damaged or not ours: {where:.120} is {shown}, expected "
        f"{expected}. Fetch or export the file again."
    )
