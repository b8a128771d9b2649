"""CSV and Parquet files, read and written in chunks of bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from industry_apps.errors import DataNotFoundError, SchemaError, require

#: Rows held in memory at a time.
ROWS_A_CHUNK = 131_072


def chunks(path: Path, columns: Sequence[str] | None = None) -> Iterator[tuple[Any, float]]:
    """Read a file chunk by chunk.

    Parameters
    ----------
    path : Path
        A .csv, .csv.gz or .parquet file.
    columns : sequence of str, optional
        Only these, where the file has them; all by default.

    Yields
    ------
    frame : pandas.DataFrame
    done : float
        Share of the file that has been read, 0 to 1.

    Raises
    ------
    DataNotFoundError, SchemaError
        There is no such file, or its kind is not known.
    """
    if not path.is_file():
        raise DataNotFoundError(f"There is no file {path}. Check the path.")
    if path.suffix == ".parquet":
        yield from _parquet_chunks(path, columns)
    elif path.name.endswith((".csv", ".csv.gz")):
        yield from _csv_chunks(path, columns)
    else:
        raise SchemaError(f"{path.name!r} is neither .csv, .csv.gz nor .parquet. Convert it.")


def _parquet_chunks(path: Path, columns: Sequence[str] | None) -> Iterator[tuple[Any, float]]:
    parquet = require("pyarrow.parquet", extra="train", needed_by="reading Parquet")
    with parquet.ParquetFile(path, pre_buffer=False) as file:
        total = max(file.metadata.num_rows, 1)
        have = set(file.schema_arrow.names)
        wanted = None if columns is None else [name for name in columns if name in have]
        done = 0
        for batch in file.iter_batches(batch_size=ROWS_A_CHUNK, columns=wanted):
            done += len(batch)
            yield batch.to_pandas(), done / total


def _csv_chunks(path: Path, columns: Sequence[str] | None) -> Iterator[tuple[Any, float]]:
    import pandas as pd

    size = max(path.stat().st_size, 1)
    wanted = None if columns is None else set(columns).__contains__
    with path.open("rb") as raw:
        compression = "gzip" if path.suffix == ".gz" else None
        reader = pd.read_csv(
            raw, chunksize=ROWS_A_CHUNK, usecols=wanted, compression=compression, low_memory=False
        )
        for frame in reader:
            yield frame, min(raw.tell() / size, 1.0)


class TableWriter:
    """Writes frames to one CSV or Parquet file that exists only when all of it is there.

    Parameters
    ----------
    path : Path
        A .csv or .parquet file; overwritten.
    """

    def __init__(self, path: Path) -> None:
        if path.suffix not in (".csv", ".parquet"):
            raise SchemaError(f"Cannot write {path.name!r}: the name must end in .csv or .parquet.")
        self._path = path
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._writer: Any = None
        self._empty = True

    def __enter__(self) -> Self:
        self._partial.parent.mkdir(parents=True, exist_ok=True)
        return self

    def write(self, frame: Any) -> None:
        """Append a pandas frame."""
        if self._path.suffix == ".csv":
            frame.to_csv(
                self._partial, mode="w" if self._empty else "a", header=self._empty, index=False
            )
        else:
            arrow = require("pyarrow", extra="train", needed_by="writing Parquet")
            parquet = require("pyarrow.parquet", extra="train", needed_by="writing Parquet")
            schema = self._writer.schema if self._writer else None
            table = arrow.Table.from_pandas(frame, schema=schema, preserve_index=False)
            self._writer = self._writer or parquet.ParquetWriter(self._partial, table.schema)
            self._writer.write_table(table)
        self._empty = False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer:
            self._writer.close()
        if kind is None and not self._empty:
            self._partial.replace(self._path)
        else:
            self._partial.unlink(missing_ok=True)
