"""Flows as they come out of a log: of their types, in order of time, each there once."""

from __future__ import annotations

import pandas as pd

from industry_apps.cybersecurity.flows.columns import FLOW
from industry_apps.errors import SchemaError

__all__ = ["checked_flows"]


def checked_flows(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Check flows that were read from a log, and put them in order of time.

    Parameters
    ----------
    frame : DataFrame
        Columns of :data:`FLOW`, and ``flow``, what identifies one, where the log has it.
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
                f"{name}: the flow {frame.loc[twice, 'flow'].iloc[0]!r} is there twice, as in "
                f"{int(twice.sum())} rows more. Leave one of each: they would count twice."
            )
        frame = frame.drop(columns="flow")
    kept = [column for column in FLOW if column.name in frame]
    found: dict[str, object] = {}
    for column in kept:
        values = frame[column.name]
        if column.kind == "number":
            found[column.name] = column.to_array(_numbers(values))
        elif column.kind == "datetime":
            found[column.name] = _moments(values)
        else:
            found[column.name] = column.to_array(values)
    table = pd.DataFrame(found, index=frame.index)
    for column in kept:
        if column.kind == "category":  # "" is how the package writes what is missing
            table[column.name] = table[column.name].mask(table[column.name] == "", None)
    return table.sort_values("time", kind="stable").reset_index(drop=True)


def _numbers(values: pd.Series) -> pd.Series:
    """Texts of a log as numbers; as they are where one is none, which its column then names."""
    try:
        return pd.to_numeric(values)
    except (ValueError, TypeError):
        return values


def _moments(values: pd.Series) -> pd.Series:
    """Moments, whose numbers are seconds since 1970."""
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().all() and not pd.api.types.is_datetime64_any_dtype(values):
        if (numbers.abs() > 1e11).any():
            raise SchemaError(
                f"Column 'time': got {float(numbers.abs().max()):.0f}, expected seconds since "
                "1970; milliseconds have a thousand times as many. Divide them by 1000."
            )
        return pd.to_datetime(numbers, unit="s")
    try:
        moments = pd.to_datetime(values, utc=True, format="ISO8601")
    except (ValueError, TypeError) as error:
        raise SchemaError(
            f"Column 'time': {error}; expected seconds since 1970 or ISO 8601. Correct it."
        ) from None
    if moments.isna().any():
        raise SchemaError("Column 'time': a moment is missing. Drop the row, or give its time.")
    return moments.dt.tz_localize(None)
