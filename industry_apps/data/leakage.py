"""What a table tells of another that a model is judged on, and what it does not tell of itself."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import TYPE_CHECKING

from industry_apps.errors import LeakageError, SchemaError
from industry_apps.schema import Column, infer_columns

if TYPE_CHECKING:
    import pandas as pd

_TIMES = frozenset({"time", "date", "datetime", "timestamp"})
_SUBJECTS = frozenset(
    {"account", "client", "customer", "device", "group", "machine", "patient", "person"}
    | {"subject", "terminal", "unit", "user"}
)

#: Fewer values than this name no subjects, so many do; between them those with few rows each.
_FEWEST_SUBJECTS, _SUBJECTS_FOR_SURE, _ROWS_OF_A_LEVEL = 3, 50, 20


def check_leakage(
    train: pd.DataFrame,
    test: pd.DataFrame,
    *,
    time: str | None = None,
    delay: int = 0,
    group: str | None = None,
) -> None:
    """Raise when a model trained on one table may know too much about another.

    Parameters
    ----------
    train, test : pandas.DataFrame
        What the model learns from, and what it is judged on.
    time : str, optional
        A column of datetimes: all of `test` must lie at least `delay` days after all of `train`.
    delay : int
        Days after which a label is known.
    group : str, optional
        A column: no value may occur in both tables, be it text here and a number there.

    Raises
    ------
    LeakageError
        Names the column, the offending values and the remedy.
    SchemaError
        The column of times has none.
    """
    import pandas as pd

    if time is not None:
        for part in (train, test):
            if part[time].dtype.kind != "M":
                raise SchemaError(
                    f"Column {time!r} is of the type {part[time].dtype}, expected datetimes. "
                    "Convert it with pandas.to_datetime."
                )
        last, first = train[time].max(), test[time].min()
        if first < last + pd.Timedelta(days=delay) or first == last:
            known_later = f", whose labels are known {delay} days later" if delay else ""
            raise LeakageError(
                f"Column {time!r}: the data to judge on begin at {first}, but the model learns "
                f"from data up to {last}{known_later}. Use later data, or split with "
                "split_by_time."
            )
    if group is not None:
        known, asked = (set(map(_named, part[group].dropna())) for part in (train, test))
        if shared := (known & asked) - {""}:
            raise LeakageError(
                f"Column {group!r}: {len(shared)} values, such as {min(shared)!r}, are "
                "in the data to learn from and in those to judge on. Use split_by_group."
            )


def _named(value: object) -> str:
    """A value as text; whole numbers that a gap in their column has made floats, as whole ones."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def refuse_random(values: pd.Series, column: str) -> None:
    """Raise when a column says that rows must not be split at random."""
    if _are_times(values) or _bare(column) in _TIMES:
        raise LeakageError(
            f"Column {column!r} is a time: a random split would train on the future. Use "
            "split_latest or split_by_time; name the column in 'ignore', or drop it, if it is no "
            "time."
        )
    refuse_subjects(values, column)


def _are_times(values: pd.Series) -> bool:
    """Whether a column holds times: datetimes, Python's dates, or texts in ISO 8601."""
    if values.dtype.kind != "O":
        return values.dtype.kind == "M"
    known = values.dropna()
    told = len(known) and isinstance(known.iloc[0], str | date)
    return bool(told and infer_columns(values.to_frame())[0].kind == "datetime")


def refuse_subjects(values: pd.Series, column: str) -> None:
    """Raise when a column names subjects, of whom a random split would show both sides.

    A subject is a name in whose column many values come again, few times each: a group with two
    values, or a device that is one of three in thousands of rows, sets nobody apart.
    """
    if _bare(column) in _SUBJECTS and _come_again(values):
        raise LeakageError(
            f"Column {column!r} names a subject with several rows: a random split would put the "
            "same one into training and test. Use split_by_group, or name the column as the "
            "subject where the application takes one ('subject', or 'columns' for a patient); name "
            "it in 'ignore', or drop it, if it names no subject."
        )


def _bare(column: str) -> str:
    return column.lower().removesuffix("_id").removesuffix("id")


def moments_of(frame: pd.DataFrame, time: str) -> pd.Series:
    """The moments of a table [rows]; texts are read as ISO 8601, in UTC.

    Parameters
    ----------
    frame : pandas.DataFrame
    time : str

    Raises
    ------
    SchemaError
        A text is no moment; names its row.
    """
    import pandas as pd

    values = frame[time]
    if values.dtype.kind == "M":
        return values
    seconds = Column(time, "datetime", nullable=False).to_array(values)
    moments = seconds.astype("datetime64[s]").astype("datetime64[ns]")
    return pd.Series(moments, index=values.index, name=time)


def _come_again(values: pd.Series) -> bool:
    """Whether values are as those of subjects: several of a kind, and more kinds than levels."""
    known = values.dropna()
    distinct = known.nunique()
    if distinct < _FEWEST_SUBJECTS or distinct == len(known):
        return False
    return distinct >= _SUBJECTS_FOR_SURE or len(known) < _ROWS_OF_A_LEVEL * distinct


def check_told(frame: pd.DataFrame, names: Collection[str]) -> None:
    """Check that a table has columns with a value in every row: labels, and lengths of time.

    Parameters
    ----------
    frame : pandas.DataFrame
    names : collection of str

    Raises
    ------
    SchemaError
        Names the column, and the row without a value.
    """
    for name in names:
        if name not in frame:
            raise SchemaError(
                f"Column {name!r} is missing. Add it, or say what it is called, with 'columns' "
                f"(--column in the shell). The table has: {', '.join(map(str, frame))}."
            )
        absent = frame[name].isna()
        if absent.any():
            raise SchemaError(
                f"Column {name!r}, row {absent.idxmax()}: got no value, expected one in every "
                "row. Fill it or drop the row."
            )
