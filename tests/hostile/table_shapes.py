"""Shapes of CSV and Parquet files: one table, written in all the ways that people meet.

Each shape says which table the file means. A shape that means none, or one that cannot be told
from the file, has to be refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from industry_apps.schema import Schema
from industry_apps.schema.values import Kind

Rows = list[list[str]]
Means = Callable[["Table"], pd.DataFrame]


class NoSuchColumnError(Exception):
    """The table has no column of which the shape is one."""


class Table(NamedTuple):
    """Records that are answered, and the columns that are read of them."""

    frame: pd.DataFrame
    schema: Schema

    @property
    def header(self) -> list[str]:
        return [str(name) for name in self.frame]

    @property
    def rows(self) -> Rows:
        """The cells of a CSV file, lists as JSON."""
        frame = self.frame.copy()
        for column in self.schema:
            if column.is_list and column.name in frame:
                lists = [None if cell is None else list(cell) for cell in frame[column.name]]
                frame[column.name] = [None if cell is None else json.dumps(cell) for cell in lists]
        return list(csv.reader(io.StringIO(frame.to_csv(index=False, header=False))))

    def name(self, *kinds: Kind, filled: bool = False) -> str:
        """The first column of a kind, of single values."""
        for column in self.schema:
            single = column.kind in kinds and not column.is_list and column.name in self.frame
            if single and not (filled and self.frame[column.name].isna().any()):
                return column.name
        raise NoSuchColumnError

    def place(self, *kinds: Kind) -> int:
        return self.header.index(self.name(*kinds))

    def with_cell(self, place: int, change: Callable[[str], str], row: int = 1) -> Rows:
        rows = self.rows
        rows[row][place] = change(rows[row][place])
        return rows

    def arrow(self, **columns: Any) -> pa.Table:
        """As Parquet holds it, some columns in another type, or further ones."""
        made = pa.Table.from_pandas(self.frame, preserve_index=False)
        for name, values in columns.items():
            at = made.schema.get_field_index(name)
            made = made.append_column(name, values) if at < 0 else made.set_column(at, name, values)
        return made


class Shape(NamedTuple):
    """One way to write a table.

    Parameters
    ----------
    name, file : str
        Of the shape, and of the file that is written.
    content : callable
        Text, bytes or an Arrow table of a :class:`Table`; or None, after it has made what lies
        at the path.
    means : callable, optional
        The table that the file is of; None where it has to be refused.
    options : dict
        Of ``predict`` and of ``read_table``.
    """

    name: str
    file: str
    content: Callable[[Table, Path], Any]
    means: Means | None
    options: dict[str, Any]

    def write(self, table: Table, path: Path) -> None:
        content = self.content(table, path)
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        elif content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


SHAPES: list[Shape] = []


def same(table: Table) -> pd.DataFrame:
    return table.frame


def shape(file: str = "in.csv", means: Means | None = None, **options: Any) -> Any:
    """Register a function as the shape of its name; a generator of contents as several."""

    def registered(content: Callable[..., Any]) -> Callable[..., Any]:
        name = content.__name__.replace("_", " ")
        SHAPES.append(Shape(name, file, content, means, options))
        return content

    return registered


def several(contents: dict[str, Any], file: str, means: Means | None = None) -> None:
    for name, content in contents.items():
        SHAPES.append(Shape(name, file, lambda t, _, content=content: content(t), means, {}))


def text(
    rows: Iterable[list[str]], separator: str = ",", end: str = "\n", quoting: Any = 0
) -> str:
    made = io.StringIO()
    csv.writer(made, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return made.getvalue()


def _all(t: Table) -> Rows:
    return [t.header, *t.rows]


def _with(t: Table, place: int, change: Callable[[str], str]) -> str:
    return text([t.header, *t.with_cell(place, change)])


def _beside(t: Table, name: str, cells: Iterable[str], first: bool = False) -> Rows:
    """The rows with a further column."""
    columns = zip([name, *cells], _all(t), strict=True)
    return [[cell, *row] if first else [*row, cell] for cell, row in columns]


def _notes(t: Table, cell: str) -> str:
    return text(_beside(t, "note", [cell] * len(t.rows)))


def _renamed(t: Table, change: Callable[[str], str]) -> str:
    return text([[change(name) for name in t.header], *t.rows])


def _added_to_lines(t: Table, to_header: str, to_rows: str) -> str:
    header, *rows = text(_all(t)).splitlines()
    return "".join(f"{line}\n" for line in (header + to_header, *(row + to_rows for row in rows)))


def _width(t: Table) -> int:
    if len(t.header) < 2:
        raise NoSuchColumnError
    return len(t.header)


_STRINGS: tuple[Kind, ...] = ("category", "text")

several(
    {
        "plain": lambda t: text(_all(t)),
        "byte order mark": lambda t: b"\xef\xbb\xbf" + text(_all(t)).encode(),
        "lines end in CRLF": lambda t: text(_all(t), end="\r\n"),
        "lines end in CR": lambda t: text(_all(t), end="\r"),
        "no end of the last line": lambda t: text(_all(t))[:-1],
        "blank lines": lambda t: "\n\n" + text(_all(t), end="\n\n") + "  \n",
        "comma behind all lines": lambda t: _added_to_lines(t, ",", ","),
        "comma behind the header": lambda t: _added_to_lines(t, ",", ""),
        "commas behind the rows": lambda t: _added_to_lines(t, "", ",,"),
        "all quoted": lambda t: text(_all(t), quoting=csv.QUOTE_ALL),
        "end of line in quotes": lambda t: _notes(t, 'a\n"b", c\r\n'),
        "unnamed index in front": lambda t: text(_beside(t, "", map(str, range(len(t.rows))), True)),
        "unnamed last column, empty": lambda t: text(_beside(t, "", [" "] * len(t.rows))),
        "columns turned round": lambda t: text(row[::-1] for row in _all(t)),
        "1 000 further columns": lambda t: text(
            [*row, *(f"more_{n}" if not at else "1" for n in range(1_000))]
            for at, row in enumerate(_all(t))
        ),
        "a cell of 5 MB": lambda t: _notes(t, "x" * (5_000_000 // len(t.rows))),
        "further texts like missing": lambda t: _notes(t, "NA"),
    },
    "in.csv",
    same,
)
several({"gzip": lambda t: gzip.compress(text(_all(t)).encode())}, "in.csv.gz", same)
several({"name in capitals": lambda t: text(_all(t))}, "IN.CSV", same)
several({"one row": lambda t: text(_all(t)[:2])}, "in.csv", lambda t: t.frame.head(1))
several({"header only": lambda t: text([t.header])}, "in.csv", lambda t: t.frame.head(0))


@shape(means=lambda t: pd.concat([t.frame, t.frame.head(1).map(lambda _: None)]))
def a_row_of_commas(t: Table, _: Path) -> str:
    _width(t)
    return text([*_all(t), [""] * len(t.header)])


def _last_missing(t: Table) -> pd.DataFrame:
    frame = t.frame.astype({t.header[-1]: object})
    frame.iloc[1, -1] = None
    return frame


@shape(means=_last_missing, short_rows="missing")
def short_row_taken_as_missing(t: Table, _: Path) -> str:
    _width(t)
    return text([t.header, *(row[:-1] if n == 1 else row for n, row in enumerate(t.rows))])


several(
    {
        "UTF-16": lambda t: text(_all(t)).encode("utf-16"),
        "UTF-32": lambda t: text(_all(t)).encode("utf-32"),
        "Latin-1": lambda t: _notes(t, "Zürich").encode("latin-1"),
        "semicolons": lambda t: text(_all(t), ";"),
        "tabs": lambda t: text(_all(t), "\t"),
        "bars": lambda t: text(_all(t), "|"),
        "no header": lambda t: text(t.rows),
        "two header lines": lambda t: text([t.header, *_all(t)]),
        "header again, half way": lambda t: text([*_all(t), *_all(t)]),
        "a comment before the header": lambda t: "# made today\n" + text(_all(t)),
        "a title before the header": lambda t: text([["Records of March"], [], *_all(t)]),
        "blanks before the names": lambda t: _renamed(t, lambda name: f" {name}"),
        "names in capitals": lambda t: _renamed(t, str.upper),
        "names without _": lambda t: _renamed(t, lambda name: name.replace("_", " ").title()),
        "a name twice": lambda t: text([*row, row[0]] for row in _all(t)),
        "quote never closed": lambda t: text(_beside(t, "note", ["MARK"] * len(t.rows))).replace(
            "MARK", '"5 inch', 1
        ),
        "surplus cell": lambda t: text(row + ["7"] * (n == 2) for n, row in enumerate(_all(t))),
        "unnamed last column, filled": lambda t: text(_beside(t, "", ["x"] * len(t.rows))),
        "short row": lambda t: text(
            row[: _width(t) - 1] if n == 2 else row for n, row in enumerate(_all(t))
        ),
        "cut off": lambda t: text(_all(t)[: -_width(t)] or _all(t)[:2]) + ",".join(t.rows[-1][:1]),
        "thousands unquoted": lambda t: _with(t, t.place("number"), lambda _: "MARK").replace(
            "MARK", "7,910"
        ),
        "thousands in quotes": lambda t: _with(t, t.place("number"), lambda _: "7,910"),
        "decimal commas": lambda t: _with(t, t.place("number"), lambda _: "1,5").replace(",", ";"),
        "numbers with a unit": lambda t: _with(t, t.place("number"), lambda _: "12 EUR"),
        "percentages": lambda t: _with(t, t.place("number"), lambda _: "12%"),
        "formulas": lambda t: _with(t, t.place("number"), lambda _: "=A1+1"),
        "NUL in a number": lambda t: _with(t, t.place("number"), lambda cell: f"{cell}\0"),
        "NUL for the last row": lambda t: text(_all(t)) + "\0" * 64 + "\n",
        "empty": lambda _: b"",
        "blank lines only": lambda _: "\n\n\n",
        "gzip by another name": lambda t: gzip.compress(text(_all(t)).encode()),
        "Parquet by another name": lambda t: _parquet(t.arrow()),
        "a sheet": lambda _: b"PK\x03\x04" + b"\0" * 200,
    },
    "in.csv",
)
several({"gzip cut off": lambda t: gzip.compress(text(_all(t)).encode())[:-20]}, "in.csv.gz")
several({"text by another name": lambda t: text(_all(t))}, "in.csv.gz")
several({"another ending": lambda t: text(_all(t))}, "in.txt")


@shape(means=lambda t: _with_nul(t))
def nul_in_a_text(t: Table, _: Path) -> str:
    return text([t.header, *t.with_cell(t.place(*_STRINGS), lambda cell: f"{cell}\0 x")])


def _with_nul(t: Table) -> pd.DataFrame:
    frame, name = t.frame.copy(), t.name(*_STRINGS)
    frame.loc[1, name] = f"{frame.loc[1, name]}\0 x"
    return frame


for _ending in ("csv", "parquet"):
    SHAPES += [
        Shape(f"a folder, .{_ending}", f"in.{_ending}", lambda _, path: path.mkdir(), None, {}),
        Shape(f"a pipe, .{_ending}", f"in.{_ending}", lambda _, p: os.mkfifo(p), None, {}),
        Shape(f"nothing, .{_ending}", f"in.{_ending}", lambda *_: None, None, {}),
    ]


def _parquet(table: pa.Table, **options: Any) -> bytes:
    made = io.BytesIO()
    pq.write_table(table, made, **options)
    return made.getvalue()


def _cast(kind: Any, *kinds: Kind) -> Callable[[Table], pa.Table]:
    """A table with the first column of some kinds as another type."""
    return lambda t: t.arrow(**{t.name(*kinds): pa.array(t.frame[t.name(*kinds)]).cast(kind)})


def _lists(t: Table) -> dict[str, Any]:
    found = [column.name for column in t.schema if column.is_list and column.name in t.frame]
    if not found:
        raise NoSuchColumnError
    return {name: pa.array(t.frame[name]) for name in found}


def _whole(t: Table) -> pd.DataFrame:
    """Numbers that any type holds, from 1 to 7."""
    frame = t.frame.copy()
    frame[t.name("number", filled=True)] = np.arange(len(frame)) % 7 + 1.0
    return frame


def _as_number(kind: Any) -> Callable[[Table], pa.Table]:
    return lambda t: _cast(kind, "number")(t._replace(frame=_whole(t)))


def _with_nulls(t: Table) -> pd.DataFrame:
    frame, name = _whole(t), t.name("number", filled=True)
    frame[name] = frame[name].where(frame.index % 3 != 1)
    return frame


def _in_berlin(t: Table) -> pd.DataFrame:
    name = t.name("datetime")
    times = pd.to_datetime(t.frame[name]).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    return t.frame.assign(**{name: times})


def _days(t: Table) -> pd.DataFrame:
    name = t.name("datetime")
    return t.frame.assign(**{name: pd.to_datetime(t.frame[name]).dt.floor("D")})


def _damaged(t: Table, place: int, bit: int = 4) -> bytes:
    """With one bit changed, at a place from the begin or, below 0, from the end."""
    content = bytearray(_plain_pages(t))
    content[place] ^= 1 << bit
    return bytes(content)


def _plain_pages(t: Table) -> bytes:
    return _parquet(
        t.arrow(), compression="none", use_dictionary=False, write_page_checksum=True
    )


def _end_of_first_page(t: Table) -> int:
    """Place of the last byte of the first page: of a value."""
    page = pq.ParquetFile(io.BytesIO(_plain_pages(t))).metadata.row_group(0).column(0)
    return int(page.data_page_offset + page.total_compressed_size - 1)


several(
    {
        "Parquet": lambda t: t.arrow(),
        "row groups of 2": lambda t: _parquet(t.arrow(), row_group_size=2),
        "an index of pandas": lambda t: pa.Table.from_pandas(t.frame.set_index(t.header[0])),
        "dictionary": _cast(pa.dictionary(pa.int32(), pa.string()), "category", "text"),
        "large strings": _cast(pa.large_string(), "category", "text"),
        "views of strings": _cast(pa.string_view(), "category", "text"),
        "timestamp in ms": _cast(pa.timestamp("ms"), "datetime"),
        "timestamp in ns": _cast(pa.timestamp("ns"), "datetime"),
        "timestamp in UTC": _cast(pa.timestamp("us", "UTC"), "datetime"),
        "lists": lambda t: t.arrow(**_lists(t)),
        "large lists": lambda t: t.arrow(
            **{n: v.cast(pa.large_list(pa.string())) for n, v in _lists(t).items()}
        ),
        "structs beside": lambda t: t.arrow(more=pa.array([{"a": 1, "b": [2]}] * len(t.frame))),
        "1 000 columns beside": lambda t: t.arrow(
            **{f"more_{n}": pa.array([1] * len(t.frame)) for n in range(1_000)}
        ),
    },
    "in.parquet",
    same,
)
several({"Parquet in capitals": lambda t: t.arrow()}, "IN.PARQUET", same)
several({"one row, Parquet": lambda t: t.arrow().slice(0, 1)}, "in.parquet", lambda t: t.frame[:1])
several({"no rows, Parquet": lambda t: t.arrow().slice(0, 0)}, "in.parquet", lambda t: t.frame[:0])
several({"time in Berlin": lambda t: pa.Table.from_pandas(_in_berlin(t))}, "in.parquet", _in_berlin)
several(
    {"dates": lambda t: _cast(pa.date32(), "datetime")(t._replace(frame=_days(t)))},
    "in.parquet",
    _days,
)
several(
    {
        str(kind): _as_number(kind)
        for kind in (
            *(pa.int8(), pa.uint8(), pa.int64(), pa.uint64(), pa.float16(), pa.float32()),
            *(pa.decimal128(20, 4), pa.decimal256(50, 2)),
        )
    },
    "in.parquet",
    _whole,
)
several(
    {
        f"{kind} with nulls": lambda t, kind=kind: _cast(kind, "number")(
            t._replace(frame=_with_nulls(t))
        )
        for kind in (pa.int8(), pa.uint64(), pa.float16(), pa.decimal128(20, 4))
    },
    "in.parquet",
    _with_nulls,
)
several(
    {"a column of type null": lambda t: t.arrow(**{t.header[-1]: pa.nulls(len(t.frame))})},
    "in.parquet",
    lambda t: t.frame.assign(**{t.header[-1]: None}),
)
several(
    {
        "Parquet, empty": lambda _: b"",
        "Parquet, cut off": lambda t: _parquet(t.arrow())[:-9],
        "Parquet, marks only": lambda _: b"PAR1" * 2,
        "nonsense": lambda _: np.random.default_rng(0).bytes(5_000),
        "CSV by another name": lambda t: text(_all(t)),
        "encrypted": lambda t: _parquet(t.arrow())[:-4] + b"PARE",
        "a page with a bit changed": lambda t: _damaged(t, _end_of_first_page(t)),
        "a column of structs": lambda t: t.arrow(
            **{t.header[0]: pa.array([{t.header[0]: 1}] * len(t.frame))}
        ),
        "other columns twice": lambda t: (
            t.arrow(more=pa.array([1] * len(t.frame))).append_column(
                "more", pa.array(["x"] * len(t.frame))
            )
        ),
        "a column inside a struct": lambda t: (
            t.arrow(more=pa.array([{t.header[0]: 1}] * len(t.frame))).drop_columns(t.header[:1])
        ),
        "numbers in lists": lambda t: t.arrow(
            **{t.name("number"): pa.array([[1.0]] * len(t.frame))}
        ),
        "a column twice": lambda t: t.arrow().append_column(t.header[0], t.arrow()[t.header[0]]),
        "numbers with a unit, Parquet": lambda t: t.arrow(
            **{t.name("number"): pa.array(["12 EUR"] * len(t.frame))}
        ),
        "times as numbers": lambda t: t.arrow(
            **{t.name("number"): pa.array([0] * len(t.frame), pa.timestamp("us"))}
        ),
        "durations as numbers": lambda t: t.arrow(
            **{t.name("number"): pa.array([5] * len(t.frame), pa.duration("s"))}
        ),
        "bytes as texts": _cast(pa.binary(), "category", "text"),
        "names in capitals, Parquet": lambda t: t.arrow().rename_columns(
            [name.upper() for name in t.header]
        ),
    },
    "in.parquet",
)
several(
    {
        f"footer, bit {n % 8} of byte {9 + 37 * n}": lambda t, n=n: _damaged(t, -9 - 37 * n, n % 8)
        for n in range(12)
    },
    "in.parquet",
)
