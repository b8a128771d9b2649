"""Flows as they come out of a log: of their types, in order of time, each there once."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from industry_apps.cybersecurity.flows.columns import FLOW, LARGEST_PORT
from industry_apps.errors import SchemaError
from industry_apps.schema import Column

__all__ = ["checked_flows", "moments"]

#: Seconds since 1970 beyond which they are milliseconds: of the year 2255.
_LARGEST = 9e9
#: As a datetime column reads them: eight digits are a date.
_SECONDS = re.compile(r"[+-]?(?!\d{8}$)\d+", re.ASCII)
_ROW = re.compile(r"row \d+ \(index (\d+)\)")


def checked_flows(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Check flows that were read from a log, and put them in order of time.

    Parameters
    ----------
    frame : DataFrame
        Columns of :data:`FLOW`, and ``flow``, what identifies one, where the log has it. The index
        is the number of the line.
    name : str
        Of the file, for errors.

    Raises
    ------
    SchemaError
        A value is none of its column (a negative duration, a text for a number), or a flow is
        there twice.
    """
    if "flow" in frame:
        twice = frame["flow"].notna() & frame["flow"].duplicated()
        if twice.any():
            raise SchemaError(
                f"{name}, line {frame.index[twice][0]}: the flow "
                f"{frame.loc[twice, 'flow'].iloc[0]!r} is there twice, as in "
                f"{int(twice.sum())} rows more. Leave one of each: they would count twice."
            )
        frame = frame.drop(columns="flow")
    try:
        table = _table(frame)
    except SchemaError as error:
        told = _ROW.sub(r"line \1", str(error), count=1)
        raise SchemaError(f"{name}: {told}") from None
    return table.sort_values("time", kind="stable").reset_index(drop=True)


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    found: dict[str, object] = {}
    for column in (column for column in FLOW if column.name in frame):
        values = frame[column.name]
        if column.kind == "number":
            found[column.name] = column.to_array(_numbers(column, values))
        elif column.kind == "datetime":
            found[column.name] = moments(_numbers(column, values))
        else:
            texts = pd.Series(column.to_array(values), frame.index, dtype=object)
            if column.name.endswith("port"):
                _check_ports(column, texts)
            # "" is how the package writes what is missing
            found[column.name] = texts.mask(texts == "", None)
    return pd.DataFrame(found, index=frame.index)


def _numbers(column: Column, values: pd.Series) -> pd.Series:
    """Texts of a log as numbers; as they are where none is one."""
    found = pd.to_numeric(values, errors="coerce")
    wrong = (found.isna() & values.notna()).to_numpy()
    if wrong.any() and found.notna().any():
        row, remedy = int(wrong.argmax()), "Correct it, or drop the line."
        raise column.error(values, row, "a number, as in other lines", remedy)
    return values if wrong.any() else found


def _check_ports(column: Column, texts: pd.Series) -> None:
    numbers = pd.to_numeric(texts, errors="coerce")
    fits = (texts == "") | (numbers.between(0, LARGEST_PORT) & (numbers % 1 == 0))
    if not fits.all():
        row = int((~fits).to_numpy().argmax())
        expected = f"a whole number in 0 to {LARGEST_PORT}"
        raise column.error(texts, row, expected, "Correct it, or leave it empty.")


def moments(values: pd.Series) -> pd.Series:
    """Moments of flows, with what stands behind the second.

    Parameters
    ----------
    values : Series
        Datetimes, texts in ISO 8601, or numbers, which are seconds since 1970; also as texts.

    Raises
    ------
    SchemaError
        Names the row of one that is none, or missing.
    """
    time, values = replace(FLOW["time"], nullable=False), values.infer_objects()
    if values.dtype.kind == "O" and values.astype(str).str.fullmatch(_SECONDS).all():
        values = values.astype(float)
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        large = (values.abs() > _LARGEST).to_numpy()
        if large.any():
            expected = "seconds since 1970; milliseconds have a thousand times as many"
            raise time.error(values, int(large.argmax()), expected, "Divide them by 1000.")
        found = pd.to_datetime(values, unit="s")
        time.to_array(found)
        return found
    whole = time.to_array(values)
    read = pd.to_datetime(values, utc=True, format="ISO8601", errors="coerce")
    found = read.dt.tz_localize(None)
    other = found.to_numpy().astype("datetime64[s]").astype(np.int64) != whole
    if other.any():  # seconds since 1970 among texts
        raise time.error(values, int(other.argmax()), "moments of one form", "Write all alike.")
    return found
