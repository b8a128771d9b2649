"""Shapes of CSV files, and of what is called so."""

from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from tests.hostile.table_shapes import (
    NoSuchColumnError,
    Rows,
    Table,
    csv_text,
    flipped,
    parquet,
    same,
    several,
)


def _all(t: Table) -> Rows:
    return [t.header, *t.rows]


def _with(t: Table, place: int, change: Callable[[str], str]) -> str:
    return csv_text([t.header, *t.with_cell(place, change)])


def _beside(t: Table, name: str, cells: Iterable[str], first: bool = False) -> Rows:
    """The rows with a further column."""
    columns = zip([name, *cells], _all(t), strict=True)
    return [[cell, *row] if first else [*row, cell] for cell, row in columns]


def _notes(t: Table, cell: str) -> str:
    return csv_text(_beside(t, "note", [cell] * len(t.rows)))


def _renamed(t: Table, change: Callable[[str], str]) -> str:
    return csv_text([[change(name) for name in t.header], *t.rows])


def _added_to_lines(t: Table, to_header: str, to_rows: str) -> str:
    header, *rows = csv_text(_all(t)).splitlines()
    return "".join(f"{line}\n" for line in (header + to_header, *(row + to_rows for row in rows)))


def _width(t: Table) -> int:
    if len(t.header) < 2:
        raise NoSuchColumnError
    return len(t.header)


several(
    {
        "plain": lambda t: csv_text(_all(t)),
        "byte order mark": lambda t: b"\xef\xbb\xbf" + csv_text(_all(t)).encode(),
        "lines end in CRLF": lambda t: csv_text(_all(t), end="\r\n"),
        "lines end in CR": lambda t: csv_text(_all(t), end="\r"),
        "no end of the last line": lambda t: csv_text(_all(t))[:-1],
        # Of one column blanks are a value.
        "blank lines": lambda t: (
            "\n\n" + csv_text(_all(t), end="\n\n") + "  " * (len(t.frame.columns) > 1) + "\n"
        ),
        "comma behind all lines": lambda t: _added_to_lines(t, ",", ","),
        "comma behind the header": lambda t: _added_to_lines(t, ",", ""),
        "commas behind the rows": lambda t: _added_to_lines(t, "", ",,"),
        "all quoted": lambda t: csv_text(_all(t), quoting=csv.QUOTE_ALL),
        "end of line in quotes": lambda t: _notes(t, 'a\n"b", c\r\n'),
        "unnamed index in front": lambda t: csv_text(
            _beside(t, "", map(str, range(len(t.rows))), True)
        ),
        "unnamed last column, empty": lambda t: csv_text(_beside(t, "", [" "] * len(t.rows))),
        "columns turned round": lambda t: csv_text(row[::-1] for row in _all(t)),
        "1 000 further columns": lambda t: csv_text(
            [*row, *(f"more_{n}" if not at else "1" for n in range(1_000))]
            for at, row in enumerate(_all(t))
        ),
        "a cell of 5 MB": lambda t: _notes(t, "x" * (5_000_000 // len(t.rows))),
        "further texts like missing": lambda t: _notes(t, "NA"),
    },
    "in.csv",
    same,
)
several({"gzip": lambda t: gzip.compress(csv_text(_all(t)).encode())}, "in.csv.gz", same)
several({"name in capitals": lambda t: csv_text(_all(t))}, "IN.CSV", same)
several({"one row": lambda t: csv_text(_all(t)[:2])}, "in.csv", lambda t: t.frame.head(1))
several({"header only": lambda t: csv_text([t.header])}, "in.csv", lambda t: t.frame.head(0))


several(
    {"a row of commas": lambda t: csv_text([*_all(t), [""] * _width(t)])},
    "in.csv",
    lambda t: t.frame.reindex(range(len(t.frame) + 1)),
)


def _last_missing(t: Table) -> pd.DataFrame:
    frame = t.frame.astype({t.header[-1]: object})
    frame.iloc[1, -1] = None
    return frame


several(
    {
        "short row taken as missing": lambda t: csv_text(
            row[: _width(t) - 1] if n == 2 else row for n, row in enumerate(_all(t))
        )
    },
    "in.csv",
    _last_missing,
    short_rows="missing",
)
several(
    {
        "UTF-16": lambda t: csv_text(_all(t)).encode("utf-16"),
        "UTF-32": lambda t: csv_text(_all(t)).encode("utf-32"),
        "Latin-1": lambda t: _notes(t, "Zürich").encode("latin-1"),
        "semicolons": lambda t: csv_text(_all(t), ";"),
        "tabs": lambda t: csv_text(_all(t), "\t"),
        "bars": lambda t: csv_text(_all(t), "|"),
        "no header": lambda t: csv_text(t.rows),
        "two header lines": lambda t: csv_text([t.header, *_all(t)]),
        "header again, half way": lambda t: csv_text([*_all(t), *_all(t)]),
        "a comment before the header": lambda t: "# made today\n" + csv_text(_all(t)),
        "a title before the header": lambda t: csv_text([["Records of March"], [], *_all(t)]),
        "blanks before the names": lambda t: _renamed(t, lambda name: f" {name}"),
        "names in capitals": lambda t: _renamed(t, str.upper),
        "names without _": lambda t: _renamed(t, lambda name: name.replace("_", " ").title()),
        "a name twice": lambda t: csv_text([*row, row[0]] for row in _all(t)),
        "quote never closed": lambda t: csv_text(
            _beside(t, "note", ["MARK"] * len(t.rows))
        ).replace("MARK", '"5 inch', 1),
        "surplus cell": lambda t: csv_text(row + ["7"] * (n == 2) for n, row in enumerate(_all(t))),
        "unnamed last column, filled": lambda t: csv_text(_beside(t, "", ["x"] * len(t.rows))),
        "short row": lambda t: csv_text(
            row[: _width(t) - 1] if n == 2 else row for n, row in enumerate(_all(t))
        ),
        "cut off": lambda t: (
            csv_text(_all(t)[: -_width(t)] or _all(t)[:2]) + ",".join(t.rows[-1][:1])
        ),
        "thousands unquoted": lambda t: _with(t, t.place("number"), lambda _: "MARK").replace(
            "MARK", "7,910"
        ),
        "thousands in quotes": lambda t: _with(t, t.place("number"), lambda _: "7,910"),
        "decimal commas": lambda t: _with(t, t.place("number"), lambda _: "1,5").replace(",", ";"),
        "numbers with a unit": lambda t: _with(t, t.place("number"), lambda _: "12 EUR"),
        "percentages": lambda t: _with(t, t.place("number"), lambda _: "12%"),
        "formulas": lambda t: _with(t, t.place("number"), lambda _: "=A1+1"),
        "NUL in a number": lambda t: _with(t, t.place("number"), lambda cell: f"{cell}\0"),
        "NUL in a text": lambda t: _with(t, t.place("category", "text"), lambda c: f"{c}\0 x"),
        "NUL for the last row": lambda t: csv_text(_all(t)) + "\0" * 64 + "\n",
        "empty": lambda _: b"",
        "blank lines only": lambda _: "\n\n\n",
        "gzip by another name": lambda t: gzip.compress(csv_text(_all(t)).encode()),
        "Parquet by another name": lambda t: parquet(t.arrow()),
        "a sheet": lambda _: b"PK\x03\x04" + b"\0" * 200,
    },
    "in.csv",
)
several(
    {
        f"gzip, bit {n} of a byte changed": lambda t, n=n: flipped(
            gzip.compress(csv_text(_all(t)).encode(), mtime=0), 40 + 7 * n, n
        )
        for n in range(4)
    },
    "in.csv.gz",
)
several({"gzip cut off": lambda t: gzip.compress(csv_text(_all(t)).encode())[:-20]}, "in.csv.gz")
several({"text by another name": lambda t: csv_text(_all(t))}, "in.csv.gz")
several({"another ending": lambda t: csv_text(_all(t))}, "in.txt")


for _ending in ("csv", "parquet"):
    several(
        {
            f"a folder, .{_ending}": lambda _: Path.mkdir,
            f"a pipe, .{_ending}": lambda _: os.mkfifo,
            f"nothing, .{_ending}": lambda _: None,
        },
        f"in.{_ending}",
    )
