"""The text of a case file as statements and numbers; nothing in it is run."""

from __future__ import annotations

import re

import numpy as np

from industry_apps.energy.grid.cases import Floats, refuse_row
from industry_apps.errors import SchemaError

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|Inf|inf|NaN|nan)")
#: A sign behind a bracket or a name transposes and begins no text.
_TEXT = re.compile(r"""(?<=[\])}\w.])'|'[^']*'|"[^"]*\"""")
_TEXT_OR_COMMENT = re.compile(f"{_TEXT.pattern}|%")
REMEDY = (
    "This reader runs no code. Write the case with MATPOWER's savecase, which leaves plain tables."
)


def statements(text: str) -> list[tuple[int, str]]:
    """Statements with the line they begin on; comments are left out, brackets may span lines."""
    found: list[tuple[int, str]] = []
    parts: list[str] = []
    depth, begin = 0, 0
    blocks: list[int] = []  # the lines on which blocks of comments begin, one within the other
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line == "%{":
            blocks.append(number)
        elif line == "%}" and blocks:
            blocks.pop()
            continue
        line = "" if blocks else _uncommented(line).strip()
        if not line:
            continue
        if not parts:
            begin = number
        depth += _opened(line)
        parts.append(line)
        if depth <= 0:
            whole = "\n".join(parts)
            found.append((begin, whole.rstrip(";").strip()))
            parts, depth = [], 0
    if blocks:
        raise SchemaError(
            f"Line {blocks[0]}: a block of comments is opened by '%{{' and never closed. Close it "
            "by a line '%}', or remove it."
        )
    if parts:
        raise SchemaError(
            f"Line {begin}: a bracket is opened and never closed. The file is not complete."
        )
    return [(line, statement) for line, statement in found if statement]


def _uncommented(line: str) -> str:
    """A line up to its comment; a percent sign within a text begins none."""
    signs = (each.start() for each in _TEXT_OR_COMMENT.finditer(line) if each[0] == "%")
    return line[: next(signs, None)]


def is_list(text: str) -> bool:
    """Tell one list in brackets from what has code behind it."""
    return re.fullmatch(r"\[[^][{}]*\]|\{[^][{}]*\}", _without_texts(text)) is not None


def _without_texts(line: str) -> str:
    return _TEXT.sub("", line)


def _opened(line: str) -> int:
    """Brackets opened less those closed, outside of texts."""
    plain = _without_texts(line)
    return sum(map(plain.count, "[{")) - sum(map(plain.count, "]}"))


def matrix_of(text: str, table: str, least: int, *, ragged: bool) -> Floats:
    """Numbers in brackets, rows ending with a semicolon or a line.

    Parameters
    ----------
    text, table : str
        The value of an assignment, and what it is called.
    least : int
        Columns that it has at least.
    ragged : bool
        Whether rows may differ in length; short ones are filled with zeros.

    Raises
    ------
    SchemaError
    """
    if not (text.startswith("[") and text.endswith("]")):
        raise SchemaError(f"Table {table!r}: expected numbers in brackets. {REMEDY}")
    lines = [line.replace(",", " ").split() for line in re.split(r"[;\n]", text[1:-1])]
    rows = [_numbers(words, table, row) for row, words in enumerate(filter(None, lines), start=1)]
    if not rows:
        raise SchemaError(f"Table {table!r} has no rows. Nothing can be dispatched.")
    widest = max(map(len, rows))
    for row, values in enumerate(rows, start=1):
        if len(values) != widest and not ragged:
            raise SchemaError(
                f"Table {table!r}, row {row}: {len(values)} columns, expected {widest} as in "
                "other rows. Complete it."
            )
    if widest < least:
        raise SchemaError(
            f"Table {table!r} has {widest} columns, expected {least} at least, as MATPOWER's "
            "caseformat says. Complete it."
        )
    return np.array([values + [0.0] * (widest - len(values)) for values in rows])


def _numbers(words: list[str], table: str, row: int) -> list[float]:
    for place, word in enumerate(words, start=1):
        if not NUMBER.fullmatch(word):
            refuse_row(table, row, f"{place}", repr(word[:40]), "a number", REMEDY)
    return list(map(float, words))
