"""Long tables: a row for each series and moment, and the rule that says which is which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Annotated, Any, Self, get_args

import numpy as np

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.limits import Limit, check_parameters, integer, one_of
from industry_apps.runtime.series.zones import zone_of
from industry_apps.runtime.steps import WEEKDAYS, Calendar, Step
from industry_apps.schema import Column, Schema


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
    zone : str
        Times are those of the clock on the wall in this zone of the IANA data base, where they
        are given in UTC or a zone, too: a day has 23 hours in spring, and in autumn an hour comes
        twice, of whose rows the mean is taken. "": they are as they stand.
    issued : str
        Column of the moment at which the forecasts of a row were issued. Rows with such a moment
        hold forecasts alone, of the columns ``forecasts``, those without what was measured or is
        certain. At an origin the latest forecasts are read that were out when its first step
        ahead began, never what was measured later. "": there is no such column.
    forecasts : tuple of str
        Columns of the role "known" that are forecast.
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
    zone: str = ""
    issued: str = ""
    forecasts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_parameters(self)
        for name in ("anchor", "weekdays", "closed", "forecasts"):  # JSON has lists
            value = getattr(self, name)
            object.__setattr__(self, name, value if value is None else tuple(value))
        self._check_calendar()
        if self.zone:
            zone_of(self.zone)
        if self.horizon and not self.step:
            raise ParameterError(
                "A 'horizon' needs a 'step': without one the future moments are not known."
            )
        if bool(self.issued) != bool(self.forecasts) or (self.issued and not self.horizon):
            raise ParameterError(
                "The parameters 'issued' and 'forecasts' of WindowRule go together, and need a "
                f"horizon. Got issued={self.issued!r}, forecasts={self.forecasts!r}, "
                f"horizon={self.horizon!r}."
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

    def is_clock(self, column: Column) -> bool:
        """Whether a column is the time itself, which is known of every step."""
        return column.name == self.time and column.role == "known"

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
    names = [(rule.series, "category"), (rule.time, "datetime")]
    names += [(rule.issued, "datetime")] if rule.issued else []
    for name, kind in names:
        column = schema[name] if name in schema else Column(name=name, kind=kind)  # type: ignore[arg-type]
        if column.kind != kind:
            raise SchemaError(
                f"Column {name!r} is declared as a {column.kind}; the windows need it as a "
                f"{kind}. Correct the schema, or name another column in the rule."
            )
        # What is missing is refused by Panel.read, which can say of which series and when.
        keys.append(replace(column, required=True, nullable=True))
    return Schema((*keys, *schema.inputs().without([key.name for key in keys])))


def moment_of(seconds: Any) -> str:
    """A moment in ISO 8601."""
    return str(np.datetime64(int(seconds), "s"))


def weekday_of(seconds: Any) -> str:
    """Name of the day of the week of a moment."""
    return WEEKDAYS[(int(seconds) // 86_400 + 3) % 7]
