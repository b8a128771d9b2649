"""Long tables: a row for each series and moment, and the rule that says which is which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Annotated, Any, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.limits import check_parameters, integer, one_of
from industry_apps.runtime.steps import Step, period_of, phase_of, start_of
from industry_apps.schema import Column, Schema
from industry_apps.schema.values import MISSING_TIME, time_zones

#: More cells than this are not laid out: one wrong date makes a grid of centuries.
_MOST_CELLS = 500_000_000


@dataclass(frozen=True, slots=True)
class WindowRule:
    """How a long table becomes windows of history.

    Parameters
    ----------
    series, time : str
        Columns of the long table that say whose row it is, and of when.
    length : int
        Steps of a window, at least 1. A step is a moment at which any series has a row, or a
        period of ``step``.
    together : bool
        All series of one moment are answered in one run and depend on each other.
    horizon : int
        Steps that a forecast answers, 0 where the answer is of the moment itself; needs a
        ``step``.
    step : {"", "minute", "hour", "day", "week", "month", "quarter", "year"}
        Length of a regular step; a period in which no series has a row is a step too.
    """

    series: str
    time: str
    length: Annotated[int, integer(1)]
    together: bool = False
    horizon: Annotated[int, integer(0)] = 0
    step: Annotated[str, one_of(get_args(Step))] = ""

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.horizon and not self.step:
            raise ParameterError(
                "A 'horizon' needs a 'step': without one the future moments are not known."
            )

    @property
    def keys(self) -> list[str]:
        """Names of the columns that say whose an answer is: the series, of forecasts the time."""
        return [self.series, self.time] if self.horizon else [self.series]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values, as written into the model file."""
        return asdict(self)

    @classmethod
    def from_dict(cls, rule: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        rule : mapping
        """
        return cls(**{name: rule[name] for name in cls.__slots__ if name in rule})


def long_schema(schema: Schema, rule: WindowRule) -> Schema:
    """The columns that are read from a long table: whose, when, and the inputs of the model.

    Parameters
    ----------
    schema : Schema
        Need not declare the columns of ``rule``.
    rule : WindowRule

    Raises
    ------
    SchemaError
        The schema declares a column of the rule as of another kind.
    """
    keys = []
    for name, kind in ((rule.series, "category"), (rule.time, "datetime")):
        column = schema[name] if name in schema else Column(name=name, kind=kind)  # type: ignore[arg-type]
        if column.kind != kind:
            raise SchemaError(
                f"Column {name!r} is declared as a {column.kind}; the windows need it as a "
                f"{kind}. Correct the schema, or name another column in the rule."
            )
        # What is missing is refused by Panel.read, which can say of which series and when.
        keys.append(replace(column, required=True, nullable=True))
    return Schema((*keys, *schema.inputs().without([rule.series, rule.time])))


class Keys(NamedTuple):
    """Where the rows of a long table belong among T times and S series.

    Parameters
    ----------
    times : ndarray of int64, shape [T]
        Increasing, seconds since 1970 UTC.
    series : ndarray of str, shape [S]
        Sorted names.
    cells : ndarray of int64, shape [rows]
        Step x S + position of the series, each at most once.
    """

    times: NDArray[np.int64]
    series: NDArray[np.object_]
    cells: NDArray[np.int64]


def read_keys(table: Any, arrays: Mapping[str, NDArray[Any]], rule: WindowRule) -> Keys:
    """Check whose each row of a long table is, and of when.

    Parameters
    ----------
    table : DataFrame or mapping of str to sequence of shape [rows]
    arrays : mapping of str to ndarray of shape [rows]
        Its columns of the rule, as :func:`long_schema` converts them.
    rule : WindowRule

    Raises
    ------
    SchemaError
        There is no row, a row has no series or no time, a series has two rows of one
        moment, or the times are of several time zones.
    """
    owners, moments = arrays[rule.series].tolist(), arrays[rule.time]
    _check_keys(table, rule, owners, moments)
    names = sorted(set(owners))
    code_of = {name: code for code, name in enumerate(names)}
    codes = np.fromiter(map(code_of.__getitem__, owners), np.int64, len(owners))
    if rule.step:
        times, steps = _regular(moments, rule, len(names))
    else:
        times, steps = np.unique(moments, return_inverse=True)
    cells = steps * len(names) + codes
    _check_once(cells, len(times) * len(names), owners, moments)
    return Keys(times, np.array(names, dtype=object), cells)


def _regular(
    moments: NDArray[np.int64], rule: WindowRule, series: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All steps from the first moment to the last, and the step of each row."""
    periods = period_of(moments, rule.step)
    first, last = int(periods.min()), int(periods.max())
    if (last - first + 1) * series > _MOST_CELLS:
        raise SchemaError(
            f"Column {rule.time!r} goes from {moment_of(moments.min())} to "
            f"{moment_of(moments.max())}: {last - first + 1} steps of a {rule.step} for {series} "
            "series. Correct the dates that are wrong, or choose longer steps."
        )
    grid = start_of(np.arange(first, last + 1), rule.step)
    return grid + phase_of(moments, rule.step), periods - first


def moment_of(seconds: Any) -> str:
    """A moment in ISO 8601."""
    return str(np.datetime64(int(seconds), "s"))


def _check_keys(
    table: Any, rule: WindowRule, owners: list[str], moments: NDArray[np.int64]
) -> None:
    """Every row belongs to a series and a moment, and all moments to one time zone."""
    if not owners:
        raise SchemaError("The table has no rows: there is no history to answer from. Give some.")
    timeless = moments == MISSING_TIME
    if "" in owners or timeless.any():
        name = rule.series if "" in owners else rule.time
        row = owners.index("") if "" in owners else int(timeless.argmax())
        raise SchemaError(
            f"Column {name!r}, row {row} (series {owners[row]!r}, time {moment_of(moments[row])}): "
            "got no value, expected one in every row. Fill it or drop the row."
        )
    zones = time_zones(table[rule.time])
    if len(zones) > 1:
        (first, _), (second, row) = list(zones.items())[:2]
        raise SchemaError(
            f"Column {rule.time!r}, row {row} (series {owners[row]!r}, {moment_of(moments[row])} "
            f"UTC): got a time in {second}, expected {first} as in the rows before it. "
            "Convert all to one time zone, or to the exchange's local date."
        )


def _check_once(
    cells: NDArray[np.int64], size: int, owners: list[str], moments: NDArray[np.int64]
) -> None:
    """No series has two rows of one moment."""
    counts = np.bincount(cells, minlength=size)
    if counts.max() > 1:
        row = int((counts[cells] > 1).argmax())
        rows = np.flatnonzero(cells == cells[row])
        raise SchemaError(
            f"Series {owners[row]!r} has {len(rows)} rows of {moment_of(moments[row])} (rows "
            f"{', '.join(map(str, rows[:5]))}), expected one. Keep the one that is right."
        )
