"""Sections of a report: a title with words, a table and figures of the task's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from industry_apps.evaluation.intervals import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Section"]


@dataclass(frozen=True, eq=False)
class Section:
    """A part of a report that only some tasks have: words, a table, figures.

    Parameters
    ----------
    title : str
        Heading; unlike that of any other section of the report.
    text : str, default ""
        How to read it; a blank line starts a new paragraph.
    table : DataFrame or sequence of rows, optional
        Rows as sequences come with the header first. An index with names or labels becomes
        the first columns. Cells may be text, numbers, dates, `Estimate` or missing.
    figures : tuple of callable, default ()
        Each draws a matplotlib ``Figure`` when the page is written, not before. The label
        of the figure (``Figure.set_label``), where it has one, becomes its caption.

    Examples
    --------
    >>> section = Section("Points", table=[["attribute", "points"], ["age 18-25", 12]])
    >>> section.cells()
    [['attribute', 'points'], ['age 18-25', '12']]
    >>> section.records()
    [{'attribute': 'age 18-25', 'points': 12}]
    """

    title: str
    text: str = ""
    table: pd.DataFrame | Sequence[Sequence[object]] | None = None
    figures: tuple[Callable[[], Figure], ...] = ()

    def rows(self) -> list[list[object]]:
        """Return the table as rows of values, header first; none without a table."""
        if self.table is None:
            return []
        if not isinstance(self.table, pd.DataFrame):
            return [list(row) for row in self.table]
        frame = self.table
        if not isinstance(frame.index, pd.RangeIndex):
            frame = frame.reset_index(names=[name or "" for name in frame.index.names])
        return [list(frame.columns), *map(list, frame.itertuples(index=False))]

    def cells(self) -> list[list[str]]:
        """Return the table as text for people, header first."""
        if self.table is None:
            return []
        header, *rows = self.rows()
        names = [str(name).replace("_", " ") for name in header]
        return [names, *([text_of(value) for value in row] for row in rows)]

    def records(self) -> list[dict[str, object]]:
        """Return the rows as JSON knows them: column -> value; None where there is none."""
        if self.table is None:
            return []
        header, *rows = self.rows()
        names = [str(name) for name in header]
        return [dict(zip(names, map(plain, row), strict=True)) for row in rows]


def text_of(value: object) -> str:
    """Return the value of a cell as people read it.

    Examples
    --------
    >>> [text_of(value) for value in (58264, 0.12345, 1234.5, None, True)]
    ['58 264', '0.1235', '1 234', '-', 'yes']
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return "-"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return spaced(int(value))
    if isinstance(value, float | np.floating):
        number = float(value)
        if not math.isfinite(number):
            return "-" if math.isnan(number) else str(number)
        return f"{number:.4g}" if abs(number) < 1000 else spaced(round(number))
    return str(value).removesuffix(" 00:00:00")  # a day is stored as its midnight


def plain(value: object) -> object:
    """Turn a value into what JSON knows; what is missing or not finite becomes None."""
    if isinstance(value, Estimate):
        return value.to_dict()
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return plain(value.item())
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | bool | int) else text_of(value)


def spaced(number: int) -> str:
    """Write a whole number in groups of three digits."""
    return f"{number:,}".replace(",", " ")


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines with aligned columns.

    Examples
    --------
    >>> aligned([["a", "1"], ["long", "2"]])
    ['a     1', 'long  2']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def describe(found: Mapping[str, Any]) -> str:
    """Return a mapping in words: counts before their name, anything else after it.

    Examples
    --------
    >>> describe({"rows": 58264, "from": "2018-08-08", "share": 0.00661})
    '58 264 rows, from 2018-08-08, share 0.00661'
    """
    words = []
    for key, value in found.items():
        name = key.replace("_", " ")
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            words.append(f"{spaced(int(value))} {name}")
        elif isinstance(value, (float, np.floating)):
            words.append(f"{name} {value:.3g}")
        else:
            words.append(f"{name} {value}")
    return ", ".join(words)
