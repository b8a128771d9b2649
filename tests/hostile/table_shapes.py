"""Shapes of CSV and Parquet files: one table, written in all the ways that people meet.

Each shape says which table the file means. A shape that means none, or one that cannot be told
from the file, has to be refused.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

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
        Text, bytes or an Arrow table of a :class:`Table`; what makes something at a path, as
        ``Path.mkdir``; or None for nothing.
    means : callable, optional
        The table that the file is of; None where it has to be refused.
    options : dict
        Of ``predict`` and of ``read_table``.
    """

    name: str
    file: str
    content: Callable[[Table], Any]
    means: Means | None
    options: dict[str, Any]

    def write(self, table: Table, path: Path) -> None:
        content = self.content(table)
        if isinstance(content, pa.Table):
            pq.write_table(content, path)
        elif callable(content):
            content(path)
        elif content is not None:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())


SHAPES: list[Shape] = []


def same(table: Table) -> pd.DataFrame:
    return table.frame


def several(
    contents: dict[str, Callable[[Table], Any]],
    file: str,
    means: Means | None = None,
    **options: Any,
) -> None:
    """Register shapes: name -> content."""
    for name, content in contents.items():
        SHAPES.append(Shape(name, file, content, means, options))


def parquet(table: pa.Table, **options: Any) -> bytes:
    """An Arrow table as a file."""
    made = io.BytesIO()
    pq.write_table(table, made, **options)
    return made.getvalue()


def csv_text(
    rows: Iterable[list[str]],
    separator: str = ",",
    end: str = "\n",
    quoting: Any = csv.QUOTE_MINIMAL,
) -> str:
    """Rows as the text of a file."""
    made = io.StringIO()
    csv.writer(made, delimiter=separator, lineterminator=end, quoting=quoting).writerows(rows)
    return made.getvalue()


def flipped(content: bytes, place: int, bit: int) -> bytes:
    """With one bit changed, at a place from the begin or, below 0, from the end."""
    changed = bytearray(content)
    changed[place % len(changed)] ^= 1 << bit
    return bytes(changed)
