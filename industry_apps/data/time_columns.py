"""Columns of times in the tables of an application: their units, and their range."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from industry_apps.data.splits import Split
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime import WindowRule
from industry_apps.schema import Column, Schema
from industry_apps.schema.time_units import TIME_UNITS, unit_of
from industry_apps.schema.values import MISSING_TIME

#: One unit of all columns of times, or {column: unit}.
Units = str | Mapping[str, str] | None

_YEAR = 31_557_600
_WORDS = {
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "YYYYMMDD": "dates written as YYYYMMDD",
    "sheet": "days of a spreadsheet",
}

_CONVERT = "onvert the column with pandas.to_datetime."
_SAY = (
    "Say fit(..., unit={{{0!r}: {1!r}}}), in the shell --unit {0}={1}, with s if they are seconds"
)


def times_of(schema: Iterable[Column]) -> list[str]:
    """Names of the columns of times, one a row."""
    return [c.name for c in schema if c.kind == "datetime" and not c.is_list]


def units_of(unit: Units, names: Sequence[str]) -> dict[str, str]:
    """The unit of each column of times whose numbers are in one.

    Parameters
    ----------
    unit : str or mapping of str to str, optional
        Of all, or column -> unit.
    names : sequence of str
        Columns of times.

    Raises
    ------
    ParameterError
    """
    units = dict.fromkeys(names, unit) if isinstance(unit, str) else dict(unit or {})
    for name, each in units.items():
        if name not in names or each not in TIME_UNITS:
            raise ParameterError(
                f"The 'unit' of fit, --unit in the shell, must be one of {TIME_UNITS}, or map "
                f"columns of times ({', '.join(map(repr, names))}) to these. Got {unit!r} instead."
            )
    return {name: str(each) for name, each in units.items()}


def check_units(
    parts: Sequence[pd.DataFrame | None],
    names: Sequence[str],
    units: Mapping[str, str],
    *,
    fitted: bool = True,
) -> None:
    """Refuse numbers that look like another unit than seconds, unless their unit is said.

    Parameters
    ----------
    parts : sequence of DataFrame or None
    names : sequence of str
        Columns of times.
    units : mapping of str to str
    fitted : bool
        Whether the unit can be said to whoever reads the times: to ``fit``, and in the shell.

    Raises
    ------
    SchemaError
    """
    asked = [(part, name) for part in parts if part is not None for name in names]
    for part, name in asked:
        if name not in part or name in units or isinstance(part[name], pd.DataFrame):
            continue
        known = part[name].dropna()
        if known.dtype.kind == "O" and set(map(type, known)) <= {int}:
            known = pd.Series(known.to_numpy(dtype=np.float64), known.index)
        if not len(known) or known.dtype.kind not in "iuf":
            continue
        numbers = known.to_numpy(dtype=np.float64)
        if np.isfinite(numbers).all() and (looks := unit_of(numbers)) != "s":
            raise SchemaError(
                f"Column {name!r}, row {known.index[0]}: got the number {int(numbers[0])}, and all "
                f"look like {_WORDS[looks]}; numbers are taken as seconds since 1970. "
                + (f"{_SAY.format(name, looks)}, or c" if fitted else "C")
                + _CONVERT
            )


def with_times(data: Any, units: Mapping[str, str]) -> Any:
    """The same data with numbers in units as times.

    Parameters
    ----------
    data : DataFrame, Dataset or Split
    units : mapping of str to str

    Raises
    ------
    SchemaError
    """
    if not units or data is None:
        return data
    if isinstance(data, pd.DataFrame):
        return data.assign(
            **{
                name: Column(name, "datetime", unit=unit)
                .to_array(data[name])
                .astype("datetime64[s]")
                for name, unit in units.items()
                if unit != "s" and name in data
            }
        )
    parts = {n: with_times(getattr(data, n), units) for n in ("train", "validation", "test")}
    return data._replace(**parts) if isinstance(data, Split) else replace(data, **parts)


def within_ranges(frame: pd.DataFrame, schema: Schema, units: Mapping[str, str]) -> pd.DataFrame:
    """A table with numbers as times; those far from what was learned from are refused.

    Parameters
    ----------
    frame : DataFrame
    schema : Schema
        From :func:`with_ranges`.
    units : mapping of str to str

    Raises
    ------
    SchemaError
    """
    for name in times_of(schema):
        if name in frame and schema[name].low is not None:
            replace(schema[name], nullable=True).to_array(frame[name])
    read: pd.DataFrame = with_times(frame, units)
    return read


def with_ranges(
    schema: Schema,
    parts: Sequence[pd.DataFrame | None],
    units: Mapping[str, str],
    windows: WindowRule | None,
) -> Schema:
    """The schema with what is accepted in service: as long before training, and 30 years behind.

    Parameters
    ----------
    schema : Schema
    parts : sequence of DataFrame or None
        What was learned from.
    units : mapping of str to str
    windows : WindowRule, optional
        Its times are read, too, whatever their role.
    """
    time = windows.time if windows else ""
    read = [name for name in times_of(schema.inputs()) if schema[name].low is None]
    read += [time] if time in schema and time not in read else []
    tables = [part for part in parts if part is not None]
    made = []
    for column in schema:
        column = replace(column, unit=units.get(column.name, column.unit))  # noqa: PLW2901
        made.append(_ranged(column, tables) if column.name in read else column)
    return Schema(tuple(made))


def _ranged(column: Column, tables: Sequence[pd.DataFrame]) -> Column:
    free = replace(column, nullable=True)
    arrays = [free.to_array(part[column.name]) for part in tables if column.name in part]
    known = np.concatenate([*arrays, np.zeros(0, np.int64)])
    known = known[known != MISSING_TIME]
    if not len(known):
        return column
    low, high = int(known.min()), int(known.max())
    # A table of a few days says little of what came before.
    return replace(column, low=low - max(high - low, _YEAR), high=high + 30 * _YEAR)
