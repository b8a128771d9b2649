"""Lines of a log, plain or packed as its rotation leaves it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from industry_apps.errors import SchemaError

__all__ = ["log_lines", "read_json"]

_PACKED = b"\x1f\x8b"
#: Characters of a line, and of all that a packed file holds: a small one can hold any number.
_LONGEST, _MOST = 2**20, 2**31


def log_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines of a text file in UTF-8, or of one packed by gzip, with their numbers from 1.

    Parameters
    ----------
    path : Path

    Yields
    ------
    number : int
    line : str

    Raises
    ------
    SchemaError
        It is no such text or damaged, a line is longer than a million characters, or a packed
        file holds more than two thousand million.
    """
    with path.open("rb") as raw:
        packed, read = raw.read(len(_PACKED)) == _PACKED, 0
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8")
            if packed
            else path.open(encoding="utf-8") as file
        ):
            for number, line in enumerate(iter(lambda: file.readline(_LONGEST), ""), start=1):
                read += len(line)
                if len(line) == _LONGEST or (packed and read > _MOST):
                    raise SchemaError(
                        f"{path.name}, line {number}: a line has at most {_LONGEST - 1} "
                        f"characters, and a packed file {_MOST}. Give a log, in parts."
                    )
                yield number, line
    except (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError) as error:
        raise SchemaError(
            f"{path.name} is no text in UTF-8, or damaged ({error}). Give the log as it was "
            "written, plain or packed by gzip."
        ) from None


def read_json(line: str, name: str, number: int) -> dict[str, Any]:
    """One JSON object of a log.

    Parameters
    ----------
    line : str
    name : str
        Of the file, for the error.
    number : int
        Of the line, from 1.

    Raises
    ------
    SchemaError
    """
    try:
        found = json.loads(line)
    except ValueError as error:
        raise SchemaError(f"{name}, line {number}: no JSON ({error}). Repair or drop it.") from None
    if not isinstance(found, dict):
        raise SchemaError(f"{name}, line {number}: expected a JSON object. Repair or drop it.")
    return found
