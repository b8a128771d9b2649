"""CSV and Parquet files, read and written in chunks of bounded memory."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from numpy.typing import NDArray

from industry_apps.errors import DataNotFoundError, IndustryAppsError, SchemaError, require
from industry_apps.runtime.answers import cells
from industry_apps.runtime.csv_rows import CheckedRows, ShortRows, check_once, form_of
from industry_apps.runtime.inputs import whole_names
from industry_apps.schema import Schema
from industry_apps.schema.images import are_images, one_by_one, pack
from industry_apps.schema.names import Names
from industry_apps.schema.spellings import MISSING_TOKENS
from industry_apps.whole_file import whole_file

if TYPE_CHECKING:
    import pandas as pd

#: Rows held in memory at a time.
ROWS_A_CHUNK = 131_072
_TRUTH = {"True": True, "TRUE": True, "true": True}
_TRUTH |= {"False": False, "FALSE": False, "false": False}


def chunks(
    path: Path,
    schema: Schema,
    *,
    only: bool,
    short_rows: ShortRows = "refuse",
    checked: Names | None = None,
) -> Iterator[tuple[Any, float]]:
    """Read a file chunk by chunk; at least one, even of no rows.

    Rows are numbered through the file. Of a CSV file, numbers and booleans of the schema
    are parsed; all else stays text, so that no value depends on what shares its chunk. What
    pandas takes for missing, as ``NA``, is missing in a column of the schema, and stays as it
    stands in any other. A list is one cell of JSON, as in ``["a", "b"]``.

    Parameters
    ----------
    path : Path
        A .csv, .csv.gz or .parquet file.
    schema : Schema
    only : bool
        Leave out the columns that the schema does not know.
    short_rows : {"refuse", "missing"}
        What is done with a row of a CSV file that has fewer cells than the header.
    checked : Names, optional
        What the names of the columns are checked by.

    Yields
    ------
    frame : pandas.DataFrame
    done : float
        Share of the file that has been read, 0 to 1.

    Raises
    ------
    DataNotFoundError, SchemaError
        There is no such file, its kind is not known, or it is damaged.
    """
    if not path.is_file():
        raise DataNotFoundError(f"There is no file {path}. Check the path.")
    form = form_of(path)
    if not form:
        raise SchemaError(f"{path.name!r} is neither .csv, .csv.gz nor .parquet. Convert it.")
    with readable(path):
        names = names_of(path)
        if checked is not None:
            checked.check(names)
        if form == "parquet":
            yield from _parquet_chunks(path, names, schema, only)
        else:
            yield from _csv_chunks(path, names, schema, only, short_rows)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn whatever reading a damaged file raises into the error that names the file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    SchemaError
    """
    try:
        yield
    except IndustryAppsError:  # which says what is wrong, and where
        raise
    except Exception as error:  # of a damaged file, pandas, pyarrow and zlib raise anything
        raise SchemaError(
            f"{path.name!r} cannot be read: {error}. Write it again: a table with commas between "
            "the values of a row, in UTF-8, or Parquet."
        ) from error


def names_of(path: Path) -> list[str]:
    """Names of the columns of a CSV or Parquet file, in order.

    Parameters
    ----------
    path : Path
    """
    if form_of(path) == "parquet":
        with parquet_file(path) as file:
            names = list(file.schema_arrow.names)
        check_once(names)
        return names
    import pandas as pd

    with CheckedRows(path) as rows:
        return list(pd.read_csv(io.StringIO(next(iter(rows), "")), nrows=0).columns)


def parquet_file(path: Path) -> Any:
    """An open Parquet file, of which a page is checked where it has a checksum.

    Parameters
    ----------
    path : Path
    """
    parquet = require("pyarrow.parquet", extra="train", needed_by="reading Parquet")
    return parquet.ParquetFile(path, pre_buffer=False, page_checksum_verification=True)


def _parquet_chunks(
    path: Path, names: Sequence[str], schema: Schema, only: bool
) -> Iterator[tuple[Any, float]]:
    names = [name for name in names if name in schema or not only]
    with parquet_file(path) as file:
        total, done = file.metadata.num_rows, 0
        # An index that pandas stored is a column like others.
        if not total:
            yield file.schema_arrow.empty_table().to_pandas(ignore_metadata=True), 1.0
        for batch in file.iter_batches(batch_size=ROWS_A_CHUNK, columns=names or None):
            # Neither names nor what is written again may lose digits beside a null.
            exact = not only or whole_names(batch.schema, schema)
            frame = batch.to_pandas(ignore_metadata=True, integer_object_nulls=exact)
            frame.index += done
            done += len(frame)
            yield frame, done / total


def _csv_chunks(
    path: Path, names: Sequence[str], schema: Schema, only: bool, short_rows: ShortRows
) -> Iterator[tuple[Any, float]]:
    import pandas as pd

    known = [name for name in names if name in schema]
    numeric = ("number", "boolean")
    parsed = [n for n in known if schema[n].kind in numeric and not schema[n].is_list]
    size = max(path.stat().st_size, 1)
    rows: Any
    with CheckedRows(path, short_rows=short_rows) as rows:
        reader = pd.read_csv(
            rows,
            chunksize=ROWS_A_CHUNK,
            usecols=known if known and only else None,
            dtype={name: str for name in names if name not in parsed},
            keep_default_na=False,
            na_values={name: _missing_in(name, schema) for name in names},
            index_col=False,
            float_precision="round_trip",
            low_memory=False,
        )
        lists = [name for name in known if schema[name].is_list]
        for frame in reader:
            for name in parsed:
                frame[name] = each_parsed(frame[name])
            for name in lists:
                frame[name] = [_list_in(name, row, cell) for row, cell in frame[name].items()]
            yield frame, min(rows.tell() / size, 1.0)


def _missing_in(name: str, schema: Schema) -> list[str]:
    """What stands for missing in a column of a CSV file."""
    if name not in schema:
        return [""]
    return [token for token in MISSING_TOKENS if token not in schema[name].tokens]


def each_parsed(values: pd.Series) -> pd.Series:
    """Cells of numbers and booleans each by itself, where one that is neither made all texts."""
    if values.dtype.kind in "iufb":
        return values
    return values.map(lambda cell: _parsed(cell) if isinstance(cell, str) else cell)


def _parsed(text: str) -> bool | float | str:
    """A number or a boolean; what is neither stays text, to be named where it is read."""
    if text in _TRUTH:
        return _TRUTH[text]
    try:
        return text if "_" in text else float(text)
    except ValueError:
        return text


def _list_in(name: str, row: Any, text: Any) -> Any:
    """The list that a cell of a CSV file holds as JSON; missing where it is empty."""
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except ValueError as error:
        raise SchemaError(
            f"Column {name!r}, row {row}: got {text[:60]!r}, expected a list as in "
            f'["a", "b"] ({error}). Write lists as JSON.'
        ) from error


def _as_json(row: Any) -> str | None:
    """A list as the cell that :func:`_list_in` reads."""
    if row is None:
        return None
    return json.dumps(row.tolist() if hasattr(row, "tolist") else list(row))


def _as_texts(values: NDArray[Any]) -> NDArray[Any]:
    """Images as JSON that ``schema.images.unpack`` reads; other answers as they are."""
    if not are_images(values):
        return values
    return one_by_one(json.dumps(pack(image)) for image in values)


def _arrow_type(arrow: Any, values: NDArray[Any]) -> Any:
    """The Arrow type of an answer, of lists of them where it has several dimensions."""
    one = arrow.string() if values.dtype.kind == "O" else arrow.from_numpy_dtype(values.dtype)
    for _ in range(values.ndim - 1):
        one = arrow.list_(one)
    return one


class TableWriter:
    """Writes frames to one CSV or Parquet file that exists only when all of it is there.

    Parameters
    ----------
    path : Path
        A .csv or .parquet file; overwritten.
    source : Path
        The file that the frames come from.
    schema : Schema
        With which they were read.
    outputs : Schema
        Of the answers.
    """

    def __init__(self, path: Path, source: Path, schema: Schema, outputs: Schema) -> None:
        if not form_of(path) or path.suffix.lower() == ".gz":
            raise SchemaError(f"Cannot write {path.name!r}: the name must end in .csv or .parquet.")
        self._path, self._source = path, source
        self._schema, self._outputs = schema, outputs
        self._whole = whole_file(path)
        self._writer: Any = None
        self._first = True

    def __enter__(self) -> Self:
        self._partial = self._whole.__enter__()
        return self

    def write(self, frame: Any, answers: Mapping[str, NDArray[Any]]) -> None:
        """Append a pandas frame and the answers to its rows; images as texts that are packed."""
        answers = {name: _as_texts(values) for name, values in answers.items()}
        frame = frame.assign(**cells(answers, self._outputs))
        if form_of(self._path) == "csv":
            mode = "w" if self._first else "a"
            lists = [name for name in frame if self._is_list(name, answers)]
            frame = frame.assign(**{name: list(map(_as_json, frame[name])) for name in lists})
            frame.to_csv(self._partial, mode=mode, header=self._first, index=False)
        else:
            self._write_parquet(frame, answers)
        self._first = False

    def _is_list(self, name: str, answers: Mapping[str, NDArray[Any]]) -> bool:
        if name in answers:
            return answers[name].ndim > 1
        return name in self._schema and self._schema[name].is_list

    def _write_parquet(self, frame: Any, answers: Mapping[str, NDArray[Any]]) -> None:
        arrow = require("pyarrow", extra="train", needed_by="writing Parquet")
        parquet = require("pyarrow.parquet", extra="train", needed_by="writing Parquet")
        if self._writer is None:
            # The types of the source: those of the first chunk need not hold all others.
            if form_of(self._source) == "parquet":
                types = {field.name: field.type for field in parquet.read_schema(self._source)}
            else:
                kinds = {"number": arrow.float64(), "boolean": arrow.bool_()}
                types = {c.name: kinds.get(c.kind, arrow.string()) for c in self._schema}
                types |= {c.name: arrow.list_(types[c.name]) for c in self._schema if c.is_list}
                moments = {n: kind for n, kind in frame.dtypes.items() if kind.kind == "M"}
                types |= {n: arrow.from_numpy_dtype(kind) for n, kind in moments.items()}
            types |= {name: _arrow_type(arrow, values) for name, values in answers.items()}
            fields = [(name, types.get(name, arrow.string())) for name in frame.columns]
            self._writer = parquet.ParquetWriter(self._partial, arrow.schema(fields))
        schema = self._writer.schema
        self._writer.write_table(arrow.Table.from_pandas(frame, schema, preserve_index=False))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self._writer:
                self._writer.close()
        except BaseException as failed:  # a disk may be full at the very end
            self._whole.__exit__(type(failed), failed, failed.__traceback__)
            raise
        self._whole.__exit__(kind, error, trace)
