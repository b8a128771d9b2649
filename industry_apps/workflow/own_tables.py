"""Tables of one's own: read as the application declares them, and split so that nothing leaks."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pandas as pd

from industry_apps.application import Application
from industry_apps.data import Split, read_images, read_table
from industry_apps.data.hashing import frame_sha256
from industry_apps.data.time_columns import Units, check_units, times_of, units_of
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.recipes.declared import as_declared
from industry_apps.recipes.labels import TWO_LABELS, OwnLabels
from industry_apps.runtime.files import each_parsed
from industry_apps.schema import Column, Schema, infer_columns
from industry_apps.schema.names import Names


def own_table(
    application: Application, path: Path, *, unit: Units = None, learned: str | None = None
) -> Split:
    """Read a table and split it as the application does.

    Parameters
    ----------
    application : Application
    path : Path
        A CSV or Parquet file, beside which the images lie that it names; or a folder that
        holds one folder of images for each class.
    unit : str or mapping of str to str, optional
        What numbers as times are, as in ``fit``.
    learned : str, optional
        The sha256 of what a model file has learned from, which is to be judged: all rows of
        any other table are its test part.

    Raises
    ------
    DataNotFoundError, ParameterError, SchemaError, LeakageError
    """
    frame = declared(application, _read_file(application, path), unit)
    sha256 = frame_sha256(frame)
    if path.is_file():
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if learned in (None, sha256):
        parts = application.split(frame)
    else:
        parts = Split(frame.head(0), frame.head(0), frame)
    for part in parts:
        part.attrs["data"] = {"id": path.name, "sha256": sha256}
    return parts


def _read_file(application: Application, path: Path) -> pd.DataFrame:
    """A table, the images that it names among it."""
    images = [c.name for c in application.schema if c.kind == "image"]
    if not images:
        return read_table(path)
    labels = [c.name for c in application.schema if c.kind == "category" and not c.nullable]
    if path.is_dir() and not labels:
        raise ParameterError(
            f"{type(application).__name__} learns no classes, which a folder could hold. Give a "
            "CSV or Parquet file."
        )
    columns = [own_name(application, name) for name in images]
    if path.is_dir():
        return read_images(path, columns=columns, target=own_name(application, labels[0]))
    table = read_table(path)  # some columns are optional; who lacks another is told so later
    here = [name for name in columns if name in table]
    return read_images(table, columns=here, paths=path.parent)


def own_name(application: Application, name: str) -> str:
    """The user's name of a column of the application's schema."""
    mapped: dict[str, str] = application.get_params(deep=False).get("columns") or {}
    return mapped.get(name, name)


def declared(application: Application, frame: pd.DataFrame, unit: Units = None) -> pd.DataFrame:
    """Check a table before it is split, so that an error names the row of the file.

    Times that a file holds as text, or as numbers in a unit, become datetimes. In a column of
    numbers each cell is read by itself, so that one that is none does not make texts of the
    others.

    Raises
    ------
    SchemaError
        A required column is missing, a name is all but that of an absent one, or a value does
        not fit; names it and its row.
    """
    columns = [replace(c, name=own_name(application, c.name)) for c in application.schema]
    label = ""
    if isinstance(application, OwnLabels):
        columns, label = application.label_columns(), own_name(application, application.label)
    params = application.get_params(deep=False)
    told = {name: params[name] for name in ("categories", "missing") if params.get(name)}
    times = times_of(columns)
    units = units_of(unit, times)
    check_units((frame,), times, units)
    columns = as_declared(
        [replace(c, unit=units.get(c.name, c.unit)) for c in columns], frame, **told
    )
    present = Schema(tuple(columns)).check_names(frame)
    ignored = params.get("ignore") or ()
    Names(Schema(tuple(columns))).check([name for name in frame if name not in ignored])
    read: dict[str, pd.Series] = {}
    for column in columns:
        try:
            read |= {column.name: _read(column, frame)} if column.name in present else {}
        except SchemaError as error:
            if column.name != label or column.kind != "boolean":
                raise
            raise SchemaError(f"{error} {TWO_LABELS}") from None
    further = infer_columns(frame, skip=[*(column.name for column in columns), *ignored])
    Schema(tuple(further)).validate(frame)
    return frame.assign(**read)


def _read(column: Column, frame: pd.DataFrame) -> pd.Series:
    values = frame[column.name]
    if column.kind == "image":  # how many bits and channels they have, fit learns
        return values
    if column.kind in ("number", "boolean") and not column.is_list:
        values = each_parsed(values)
    array = column.to_array(values)
    in_unit = column.unit not in ("", "s")
    if column.kind == "datetime" and (in_unit or values.dtype.kind == "O"):
        return pd.Series(array.astype("datetime64[s]"), index=frame.index)
    return values.infer_objects()
