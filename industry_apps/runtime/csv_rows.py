"""Rows of a CSV file, each as wide as its header: what is read of one is what it says.

pandas shifts, cuts and fills rows that are not, without a word. So it reads a CSV file through
:class:`CheckedRows`, whatever the file is read for: training or serving.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from industry_apps.errors import ParameterError, SchemaError

ShortRows = Literal["refuse", "missing"]

#: Characters of one cell; the csv module takes 131 072 by itself.
_LONGEST_CELL = 2**31 - 1


def form_of(path: Path) -> Literal["csv", "parquet", ""]:
    """What a file is by its name, in letters of either case; "" where it is no table.

    Parameters
    ----------
    path : Path
    """
    name = path.name.lower()
    if name.endswith(".parquet"):
        return "parquet"
    return "csv" if name.endswith((".csv", ".csv.gz")) else ""


def check_once(names: Iterable[str]) -> None:
    """Raise SchemaError where two columns of a file have one name.

    Parameters
    ----------
    names : iterable of str
    """
    found: set[str] = set()
    for name in names:
        if name in found:
            raise SchemaError(f"Column {name!r} appears twice. Rename or drop one of them.")
        found.add(name)


class CheckedRows:
    """A CSV file as pandas reads it, row by row checked and, where nothing is lost, put right.

    Blank lines are left out, as are empty cells behind the last named column, and columns at the
    end that have no name. A row with a value there is refused, as is a row that is too short, one
    that is the header again, and one with a character that no text has.

    Parameters
    ----------
    path : Path
        Of a .csv or .csv.gz file.
    header : sequence of str
        Names of the columns of a file that does not name them.
    separator : str
        One character.
    quoted : bool
        Whether quotation marks hold a value together.
    encoding : str
    short_rows : {"refuse", "missing"}
        What is done with a row that has fewer cells than the header.

    Raises
    ------
    SchemaError
        When it is read; names file, line, cells and what to do.
    ParameterError
        ``short_rows`` is neither.
    """

    def __init__(
        self,
        path: Path,
        *,
        header: Sequence[str] = (),
        separator: str = ",",
        quoted: bool = True,
        encoding: str = "utf-8",
        short_rows: ShortRows = "refuse",
    ) -> None:
        if short_rows not in ("refuse", "missing"):
            raise ParameterError(f"short_rows is {short_rows!r}; choose 'refuse' or 'missing'.")
        self._path, self._separator = path, separator
        self._quote = '"' if quoted else None
        self._fills = short_rows == "missing"
        self._raw = path.open("rb")
        bare: Any = gzip.GzipFile(fileobj=self._raw) if path.suffix.lower() == ".gz" else self._raw
        # A mark at the begin of a file is none of the first name.
        encoding = (
            "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding
        )
        self._text: IO[str] = io.TextIOWrapper(bare, encoding=encoding, newline="")
        self._line = 0
        self._names = list(header)
        self._rows = self._checked(named=bool(header))
        self._rest = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._text.close()
        self._raw.close()

    def tell(self) -> int:
        """Bytes of the file that have been read."""
        return self._raw.tell()

    def __iter__(self) -> Iterator[str]:
        return self._rows

    def read(self, size: int = -1) -> str:
        """Some whole rows of the file, as text; at least ``size`` characters if there are."""
        found, length = [self._rest], len(self._rest)
        for row in self._rows:
            found.append(row)
            length += len(row)
            if 0 <= size <= length:
                break
        text = "".join(found)
        end = len(text) if size < 0 else size
        self._rest = text[end:]
        return text[:end]

    def _checked(self, *, named: bool) -> Iterator[str]:
        lines, header = self._lines(), "\n"
        for line in lines:
            if not line.strip(" \r\n"):
                text = line.rstrip("\r\n")
                if text and len(self._names) == 1 and self._quote is not None:
                    yield f'"{text}"\n'  # of one column blanks are a value, which pandas skips
                continue
            if self._quote is None or self._quote not in line:
                row, cells = line, None
                width = line.count(self._separator) + 1
            else:
                row, cells = self._quoted(line, lines)
                width = len(cells)
            if not named:
                header = line.rstrip("\r\n")
                row, named = self._header(row, cells), True
            elif line.startswith(header) and line.rstrip("\r\n") == header:
                raise SchemaError(
                    f"{self._path.name!r}, line {self._line}: the header stands there again. Drop "
                    "the line; or put a value that is called as its column between quotation marks."
                )
            elif width != len(self._names):
                row = self._fitted(row, cells, width)
            yield row

    def _lines(self) -> Iterator[str]:
        for line in self._text:
            self._line += 1
            if "\0" in line:  # pandas would end the value there
                raise SchemaError(
                    f"{self._path.name!r}, line {self._line}: there is a character of the code 0 "
                    f"in {line.strip()!r:.80}. Write the file again, as text in UTF-8."
                )
            yield line

    def _quoted(self, line: str, lines: Iterator[str]) -> tuple[str, list[str]]:
        """The lines of a row whose cells may hold separators and ends of lines, and its cells."""
        taken: list[str] = []

        def following() -> Iterator[str]:
            taken.append(line)
            yield line
            for further in lines:
                taken.append(further)
                yield further

        limit = csv.field_size_limit(_LONGEST_CELL)
        try:
            cells = next(csv.reader(following(), delimiter=self._separator))
        finally:
            csv.field_size_limit(limit)
        row = "".join(taken)
        if row.count('"') % 2 and len(cells) != len(self._names):
            raise SchemaError(
                f"{self._path.name!r} cannot be read: the quotation mark that opens in line "
                f"{self._line - len(taken) + 1} is never closed. Close it, or double it."
            )
        return row, cells

    def _header(self, line: str, cells: list[str] | None) -> str:
        names = self._cells_of(line) if cells is None else cells
        kept = list(names)
        while kept and not kept[-1].strip():
            kept.pop()
        check_once(name for name in kept if name)
        if not kept:
            raise SchemaError(
                f"{self._path.name!r}, line {self._line}: the header names no column. Name them."
            )
        self._names = kept
        return line if len(kept) == len(names) else self._written(kept)

    def _fitted(self, line: str, cells: list[str] | None, width: int) -> str:
        """A row that is too long or too short, where nothing is lost; else it is refused."""
        cells = self._cells_of(line) if cells is None else cells
        names = self._names
        if width < len(names):
            if not self._fills:
                raise self._unequal(
                    width,
                    f"there is none for {names[width]!r}. Complete the row, or take what it lacks "
                    "as missing with short_rows='missing' (--short-rows missing).",
                )
            return self._written([*cells, *[""] * (len(names) - width)])
        surplus = [cell for cell in cells[len(names) :] if cell.strip()]
        if surplus:
            raise self._unequal(
                width,
                f"{surplus[0]!r:.80} stands in a column without a name. Put a value that holds a "
                'comma between quotation marks ("7,910"), write numbers without separators of '
                "thousands, or name the further column.",
            )
        return self._written(cells[: len(names)])

    def _unequal(self, width: int, remedy: str) -> SchemaError:
        names = self._names
        if len(names) == 1 and (other := [mark for mark in ";\t|" if mark in names[0]]):
            remedy = (
                f"the header {names[0]!r:.80} is one name. Write commas between the values of a "
                f"row, not {other[0]!r}."
            )
        return SchemaError(
            f"{self._path.name!r}, line {self._line}: got {width} "
            f"{'cell' if width == 1 else 'cells'}, expected {len(names)} as the header names; "
            f"{remedy}"
        )

    def _cells_of(self, line: str) -> list[str]:
        return line.rstrip("\r\n").split(self._separator)

    def _written(self, cells: Sequence[str]) -> str:
        if self._quote is None:
            return self._separator.join(cells) + "\n"
        text = io.StringIO()
        csv.writer(text, delimiter=self._separator, lineterminator="\n").writerow(cells)
        return text.getvalue()
