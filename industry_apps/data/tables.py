"""Tables from files: a user's own, and those that a card describes."""

from __future__ import annotations

from calendar import day_name, month_abbr
from pathlib import Path
from typing import TYPE_CHECKING

from industry_apps.data.cards import GapRule, Reading
from industry_apps.errors import DataNotFoundError, SchemaError, require

if TYPE_CHECKING:
    import pandas as pd


_DAYS_A_MONTH = 30.4


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV or Parquet file.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.csv.gz`` or ``.parquet``.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataNotFoundError
        There is no such file.
    SchemaError
        It is of another kind, empty, or not what its name says.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise DataNotFoundError(f"There is no file {str(path)!r}. Check the path.")
    try:
        if path.suffix == ".parquet":
            require("pyarrow", extra="train", needed_by=f"reading {path.name}")
            frame = pd.read_parquet(path)
        elif path.name.endswith((".csv", ".csv.gz")):
            frame = pd.read_csv(path, low_memory=False)
        else:
            raise SchemaError(
                f"{str(path)!r} is neither .csv, .csv.gz nor .parquet. Convert it, or rename it "
                "if it is one of these."
            )
    except (ValueError, OSError, EOFError) as error:  # pandas' and pyarrow's errors are these
        if isinstance(error, SchemaError):
            raise
        raise SchemaError(f"{str(path)!r} cannot be read: {error}.") from error
    if frame.empty:
        raise SchemaError(f"{str(path)!r} has no rows.")
    return frame


def apply_reading(frame: pd.DataFrame, reading: Reading, *, target: str) -> pd.DataFrame:
    """Turn the table of a file into the table of a data set, as its card says.

    Parameters
    ----------
    frame : pandas.DataFrame
        Not changed.
    reading : Reading
    target : str
        Name of the target column that is made.

    Raises
    ------
    SchemaError
        When the table lacks a column that the rules name.
    """
    import pandas as pd

    _check_columns(frame, reading)
    frame = frame.copy()
    for column, values in reading.missing.items():
        frame[column] = frame[column].mask(frame[column].isin(list(values)))
    for column in reading.codes:
        codes = frame[column].astype("Int64").astype("string")
        names = [None if code is pd.NA else code for code in codes]
        frame[column] = pd.Series(names, index=frame.index, dtype=object)
    if reading.time:
        text = frame[list(reading.time.columns)].astype(str).agg(" ".join, axis=1)
        frame[reading.time.name] = pd.to_datetime(text, format=reading.time.format)
    if reading.gap:
        frame[reading.gap.name] = _gap(frame, reading.gap)
    if reading.target:
        positive = frame[reading.target.column] == reading.target.positive
        frame = frame.drop(columns=reading.target.column).assign(**{target: positive})
    return frame.drop(columns=list(reading.drop)).rename(columns=dict(reading.rename))


def _gap(frame: pd.DataFrame, rule: GapRule) -> pd.Series:
    """Days from begin to end, at least 0: the parts are too coarse to tell an earlier end."""
    months = {name: number for number, name in enumerate(month_abbr)}
    weekdays = {name: number for number, name in enumerate(day_name)}

    def parts(columns: tuple[str, str, str]) -> tuple[pd.Series, pd.Series, pd.Series]:
        month, week, weekday = columns
        return frame[month].map(months), frame[week], frame[weekday].map(weekdays)

    (month, week, weekday), (end_month, end_week, end_weekday) = map(parts, (rule.begin, rule.end))
    whole_months = (end_month - month) % 12 * _DAYS_A_MONTH
    days = whole_months + (end_week - week) * 7 + (end_weekday - weekday)
    return days.astype(float).clip(lower=0)


def _check_columns(frame: pd.DataFrame, reading: Reading) -> None:
    named = [*reading.missing, *reading.codes, *reading.drop, *reading.rename]
    named += [*reading.time.columns] if reading.time else []
    named += [*reading.gap.begin, *reading.gap.end] if reading.gap else []
    named += [reading.target.column] if reading.target else []
    for column in named:
        if column not in frame:
            raise SchemaError(
                f"Column {column!r}, which the card names, is not in the file. It has: "
                f"{', '.join(map(str, frame.columns))}."
            )
