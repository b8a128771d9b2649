"""What a table tells of another that a model is judged on, and what it does not tell of itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from industry_apps.errors import LeakageError, SchemaError

if TYPE_CHECKING:
    import pandas as pd

_TIMES = frozenset({"time", "date", "datetime", "timestamp"})
_SUBJECTS = frozenset(
    {"account", "client", "customer", "device", "group", "machine", "patient", "person"}
    | {"subject", "terminal", "unit", "user"}
)


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
            raise LeakageError(
                f"Column {time!r}: the data to judge on begin at {first}, but the model learns "
                f"from data up to {last}, whose labels are known {delay} days later. Use later "
                "data, or split with split_by_time."
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
    name = column.lower().removesuffix("_id").removesuffix("id")
    if values.dtype.kind == "M" or name in _TIMES:
        raise LeakageError(
            f"Column {column!r} is a time: a random split would train on the future. Use "
            "split_latest or split_by_time; drop the column if it is no time."
        )
    if name in _SUBJECTS and values.duplicated().any():
        raise LeakageError(
            f"Column {column!r} names a subject with several rows: a random split would put the "
            "same one into training and test. Use split_by_group; drop or rename the column if it "
            "names no subject."
        )


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
