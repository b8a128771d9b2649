"""Tables of one's own: read as the application declares them, and split so that nothing leaks."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd

from industry_apps.application import Application
from industry_apps.data import Split, read_table
from industry_apps.errors import ParameterError
from industry_apps.runtime.files import each_parsed
from industry_apps.schema import Column, Schema, infer_columns


def own_table(application: Application, path: Path) -> Split:
    """Read a table and split it as the application does.

    Parameters
    ----------
    application : Application
    path : Path
        A CSV or Parquet file.

    Raises
    ------
    ParameterError
        The application does not split tables.
    DataNotFoundError, SchemaError, LeakageError
    """
    split = getattr(application, "split", None)
    if split is None:
        raise ParameterError(
            f"{type(application).__name__} does not split tables of yours. Name a data set, or "
            "train it from Python with fit(train, validation)."
        )
    parts: Split = split(declared(application, read_table(path)))
    return _named(parts, path)


def table_to_judge(application: Application, path: Path, learned: str) -> Split:
    """Read a table to judge a model file on.

    Parameters
    ----------
    application : Application
        With the seed of the one that wrote the file.
    path : Path
        A CSV or Parquet file.
    learned : str
        The sha256 of what the model has learned from: of the same file the test part is
        judged on, of any other file all rows.

    Raises
    ------
    ParameterError, DataNotFoundError, SchemaError, LeakageError
    """
    if _sha256(path) == learned:
        return own_table(application, path)
    frame = declared(application, read_table(path))
    return _named(Split(frame.head(0), frame.head(0), frame), path)


def own_name(application: Application, name: str) -> str:
    """The user's name of a column of the application's schema."""
    mapped: dict[str, str] = application.get_params(deep=False).get("columns") or {}
    return mapped.get(name, name)


def declared(application: Application, frame: pd.DataFrame) -> pd.DataFrame:
    """Check a table before it is split, so that an error names the row of the file.

    Times that a file holds as text become datetimes. In a column of numbers each cell is read
    by itself, so that one that is none does not make texts of the others.

    Raises
    ------
    SchemaError
        A required column is missing, or a value does not fit; names it and its row.
    """
    columns = [replace(c, name=own_name(application, c.name)) for c in application.schema]
    present = Schema(tuple(columns)).check_names(frame)
    read = {column.name: _read(column, frame) for column in columns if column.name in present}
    ignored = application.get_params(deep=False).get("ignore") or ()
    further = infer_columns(frame, skip=[*(column.name for column in columns), *ignored])
    Schema(tuple(further)).validate(frame)
    return frame.assign(**read)


def _read(column: Column, frame: pd.DataFrame) -> pd.Series:
    values = frame[column.name]
    if column.kind in ("number", "boolean") and not column.is_list:
        values = each_parsed(values)
    array = column.to_array(values)
    if column.kind == "datetime" and values.dtype.kind == "O":
        return pd.Series(array.astype("datetime64[s]"), index=frame.index)
    return values.infer_objects()


def _named(parts: Split, path: Path) -> Split:
    for part in parts:
        part.attrs["data"] = {"id": path.name, "sha256": _sha256(path)}
    return parts


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
