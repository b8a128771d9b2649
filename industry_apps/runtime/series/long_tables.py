"""Long tables: a row for each series and moment, and the rule that says which is which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Annotated, Any, NamedTuple, Self, get_args

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.limits import Limit, check_parameters, integer, one_of
from industry_apps.runtime.steps import WEEKDAYS, Calendar, Step, phase_of
from industry_apps.schema import Column, Schema
from industry_apps.schema.values import MISSING_TIME, time_zones

#: More cells than this are not laid out: one wrong date makes a grid of centuries.
_MOST_CELLS = 500_000_000
#: So many moments, all of them several steps apart, are of another frequency.
_MANY_MOMENTS = 10
#: What is no time zone, and what is the one that moments are counted in.
_NO_ZONES = {"no time zone", "UTC", "Etc/UTC", "GMT", "Z", "+00:00"}


def _is_date(text: object) -> bool:
    try:
        return isinstance(text, str) and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_ANCHOR = Limit(
    lambda v: v is None or (isinstance(v, tuple | list) and all(map(integer(0).holds, v))),
    "a tuple of ints >= 0, or None",
)
_WEEKDAYS = Limit(
    lambda v: (
        isinstance(v, tuple | list)
        and all(map(integer(0, 6).holds, v))
        and list(v) == sorted(set(v))
    ),
    "a tuple of rising ints in [0, 6]",
)
#: Days that are no steps.
DATES = Limit(
    lambda v: isinstance(v, tuple | list) and all(map(_is_date, v)), "a tuple of ISO 8601 dates"
)


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
    step : {"", "index", "minute", "hour", "day", "week", "half-month", "month", "quarter", "year"}
        Length of a regular step; a period in which no series has a row is a step too.
    anchor, weekdays, closed
        Where in its period a step lies, and which days are none, as in
        :class:`industry_apps.runtime.steps.Calendar`; a row elsewhere is refused.
    as_of : {"table", "series"}
        When a series is answered: at the last moment of the table, or at its own last row. In the
        latter case each series has a clock of its own, a step is one of its rows, and its window
        are its own last rows, however far apart they lie. It goes without a horizon, with all
        series for themselves; of the steps, "index" says that times are whole numbers.
    """

    series: str
    time: str
    length: Annotated[int, integer(1)]
    together: bool = False
    horizon: Annotated[int, integer(0)] = 0
    step: Annotated[str, one_of(get_args(Step))] = ""
    anchor: Annotated[tuple[int, ...] | None, _ANCHOR] = None
    weekdays: Annotated[tuple[int, ...], _WEEKDAYS] = ()
    closed: Annotated[tuple[str, ...], DATES] = ()
    as_of: Annotated[str, one_of(("table", "series"))] = "table"

    def __post_init__(self) -> None:
        check_parameters(self)
        for name in ("anchor", "weekdays", "closed"):  # JSON has lists
            value = getattr(self, name)
            object.__setattr__(self, name, value if value is None else tuple(value))
        self._check_calendar()
        if self.horizon and not self.step:
            raise ParameterError(
                "A 'horizon' needs a 'step': without one the future moments are not known."
            )
        if self.own_clocks and (self.together or self.horizon or self.step not in ("", "index")):
            raise ParameterError(
                "With as_of='series' each series has a clock of its own: leave 'together' and "
                f"'horizon' out, and let 'step' be '' or 'index'. Got together={self.together!r}, "
                f"horizon={self.horizon!r}, step={self.step!r}."
            )

    @property
    def own_clocks(self) -> bool:
        """Whether each series is answered as of its own last row."""
        return self.as_of == "series"

    def _check_calendar(self) -> None:
        places = {"": 0, "half-month": 3, "month": 3, "quarter": 3, "year": 3}.get(self.step, 1)
        if self.step == "half-month" and self.anchor is None:
            raise ParameterError(
                "The step 'half-month' needs an 'anchor': (1, 15, 0) for the first and the 15th."
            )
        if self.anchor is not None and len(self.anchor) != places:
            raise ParameterError(
                f"The 'anchor' of WindowRule must have {places} ints for the step {self.step!r}. "
                f"Got {self.anchor!r} instead."
            )
        if (self.weekdays or self.closed) and (self.step != "day" or self.anchor is None):
            raise ParameterError(
                "The 'weekdays' and 'closed' parameters of WindowRule are for steps of a day with "
                f"an 'anchor'. Got step={self.step!r}, anchor={self.anchor!r}."
            )

    @property
    def calendar(self) -> Calendar:
        """Which moments are steps."""
        return Calendar(self.step, self.anchor, self.weekdays, self.closed)

    def written(self, seconds: Any) -> str:
        """A moment as it stands in the table: in ISO 8601, or a number of an index."""
        return str(int(seconds)) if self.step == "index" else moment_of(seconds)

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
        Increasing, seconds since 1970 UTC; of series with clocks of their own the number of the
        row, counted so that all series end with the last.
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
    if rule.own_clocks:
        times, steps = _own_steps(moments, codes, rule, owners)
    elif rule.step:
        times, steps = _regular(moments, rule, len(names))
    else:
        times, steps = np.unique(moments, return_inverse=True)
    cells = steps * len(names) + codes
    _check_once(cells, len(times) * len(names), rule, (owners, moments))
    return Keys(times, np.array(names, dtype=object), cells)


def _own_steps(
    moments: NDArray[np.int64], codes: NDArray[np.int64], rule: WindowRule, owners: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of each series in order of time, so that all series end with the last step."""
    order = np.lexsort((moments, codes))
    whose, when = codes[order], moments[order]
    twice = np.flatnonzero((whose[1:] == whose[:-1]) & (when[1:] == when[:-1]))
    if len(twice):
        rows = sorted(order[twice[0] : twice[0] + 2].tolist())
        raise _twice(rule, (owners, moments), rows)
    counts = np.bincount(codes)
    ends = np.cumsum(counts)
    length = int(counts.max())
    if length * len(counts) > _MOST_CELLS:
        raise SchemaError(
            f"{len(counts)} series of up to {length} rows are too many for one table. Ask about "
            "some series at a time, or with fewer rows of each."
        )
    steps = np.empty(len(codes), dtype=np.int64)
    steps[order] = length - (ends[whose] - np.arange(len(codes)))
    return np.arange(length), steps


def _regular(
    moments: NDArray[np.int64], rule: WindowRule, series: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All steps from the first moment to the last, and the step of each row."""
    calendar = rule.calendar
    _check_steps(moments, rule, calendar)
    periods = calendar.period_of(moments)
    first, last = int(periods.min()), int(periods.max())
    if (last - first + 1) * series > _MOST_CELLS:
        raise SchemaError(
            f"Column {rule.time!r} goes from {rule.written(moments.min())} to "
            f"{rule.written(moments.max())}: {last - first + 1} steps of a {rule.step} for "
            f"{series} series. Correct the dates that are wrong, or choose longer steps."
        )
    grid = calendar.start_of(np.arange(first, last + 1))
    return grid if calendar.anchor else grid + phase_of(moments, rule.step), periods - first


def _check_steps(moments: NDArray[np.int64], rule: WindowRule, calendar: Calendar) -> None:
    """All moments are steps of the calendar, and not of a longer one."""
    off = calendar.off(moments)
    if off.any():
        row = int(off.argmax())
        raise SchemaError(
            f"Column {rule.time!r}, row {row}: got {rule.written(moments[row])}, a "
            f"{weekday_of(moments[row])}, expected {calendar.words}, as in training. Correct the "
            "time, or drop the row."
        )
    if calendar.anchor and (apart := calendar.apart(moments, _MANY_MOMENTS)) > 1:
        raise SchemaError(
            f"Column {rule.time!r}: all rows lie {apart} steps or more apart, expected steps of a "
            f"{rule.step}. Give a row for each {rule.step}, with nothing in it where nothing is "
            "known, or ask a model of that frequency."
        )


def moment_of(seconds: Any) -> str:
    """A moment in ISO 8601."""
    return str(np.datetime64(int(seconds), "s"))


def weekday_of(seconds: Any) -> str:
    """Name of the day of the week of a moment."""
    return WEEKDAYS[(int(seconds) // 86_400 + 3) % 7]


def _check_keys(
    table: Any, rule: WindowRule, owners: list[str], moments: NDArray[np.int64]
) -> None:
    """Every row belongs to a series and a moment, and all moments to one time zone."""
    if not owners:
        raise SchemaError(
            f"Column {rule.series!r}: the table has no rows, so there is no history to answer "
            "from. Give some."
        )
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
    _check_zone(zones, rule)


def check_zone(values: Any, rule: WindowRule) -> None:
    """Refuse times in a zone, whose days begin elsewhere than those of UTC.

    Parameters
    ----------
    values : sequence of shape [rows]
        The column of the time.
    rule : WindowRule
        One without an anchor, as in files of old, counts in UTC.

    Raises
    ------
    SchemaError
    """
    _check_zone(time_zones(values), rule)


def _check_zone(zones: Mapping[str, int], rule: WindowRule) -> None:
    zone, row = next(iter(zones.items()), ("UTC", 0))
    if rule.anchor is not None and zone not in _NO_ZONES:
        is_short = rule.step in ("minute", "hour")
        remedy = "tz_convert('UTC')" if is_short else "tz_localize(None), for local dates"
        raise SchemaError(
            f"Column {rule.time!r}, row {row}: got a time in {zone}, expected none or UTC, in "
            f"which steps of a {rule.step} are counted. Convert it, in pandas by .dt.{remedy}."
        )


def _check_once(
    cells: NDArray[np.int64], size: int, rule: WindowRule, keys: tuple[list[str], Any]
) -> None:
    """No series has two rows of one moment."""
    counts = np.bincount(cells, minlength=size)
    if counts.max() > 1:
        row = int((counts[cells] > 1).argmax())
        raise _twice(rule, keys, np.flatnonzero(cells == cells[row]).tolist())


def _twice(rule: WindowRule, keys: tuple[list[str], Any], rows: list[int]) -> SchemaError:
    owners, moments = keys
    return SchemaError(
        f"Series {owners[rows[0]]!r} has {len(rows)} rows of {rule.written(moments[rows[0]])} "
        f"(rows {', '.join(map(str, rows[:5]))}), expected one in the column {rule.time!r}. Keep "
        "the one that is right."
    )
