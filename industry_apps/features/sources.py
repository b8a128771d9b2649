"""Numbers that can be read off a record: a column, a ratio of two, a part of a moment.

A source writes one [batch, 1] float tensor, NaN where it has no value. Encoders turn
sources into what a model takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.schema import Column
from industry_apps.schema.codes import are_missing, read_codes
from industry_apps.schema.values import MISSING_TIME

Part = Literal["hour", "weekday", "day", "month", "weekend"]

#: The length of the cycle of each part, in its own unit, and its first value.
CYCLES: dict[str, tuple[float, float]] = {
    "hour": (24.0, 0.0),
    "weekday": (7.0, 0.0),
    "day": (31.0, 1.0),
    "month": (12.0, 1.0),
}

SECONDS_A_DAY = 86_400


class Source(Protocol):
    """What an encoder needs of a number."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        ...

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        ...

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """A number or boolean as it stands in the record.

    Parameters
    ----------
    column : str
    """

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        return (self.column,)

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        return self.column

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        return inputs[self.column]


@dataclass(frozen=True, slots=True)
class IsCode:
    """Missing where a number is a code that stands for a missing value, else 0.

    Parameters
    ----------
    column : str
    code : float
    double : bool
        Whether the column is read in double precision.
    """

    column: str
    code: float
    double: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        return (self.column,)

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        return f"{self.column}={self.code:g}"

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        code = builder.constant((np.float64 if self.double else np.float32)(self.code))
        same = builder.node("Equal", inputs[self.column], code)
        numbers = (builder.constant(np.float32(number)) for number in (np.nan, 0))
        return builder.node("Where", same, *numbers)


@dataclass(frozen=True, slots=True)
class Ratio:
    """One number over another: missing where either is, infinite where only the divisor is 0.

    Parameters
    ----------
    numerator, denominator : str
        Number columns.
    """

    numerator: str
    denominator: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        return (self.numerator, self.denominator)

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        return f"{self.numerator}/{self.denominator}"

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        return builder.node("Div", inputs[self.numerator], inputs[self.denominator])


@dataclass(frozen=True, slots=True)
class RatioToRest:
    """A number over the mean of the other numbers of its window; missing where it is alone.

    Parameters
    ----------
    value, mean, count : str
        Number columns: the present value, and mean and count of the window, both with the
        present value in them.
    """

    value: str
    mean: str
    count: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        return (self.value, self.mean, self.count)

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        return f"{self.value}/rest({self.mean})"

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        value, mean, count = (inputs[name] for name in self.columns)
        others = builder.node("Sub", count, builder.constant(np.float32(1)))
        rest = builder.node("Sub", builder.node("Mul", mean, count), value)
        # value / (rest / others), written so that no division by zero is left.
        alone = builder.node("LessOrEqual", rest, builder.constant(np.float32(1e-3)))
        rest = builder.node("Where", alone, builder.constant(np.float32(np.nan)), rest)
        return builder.node("Div", builder.node("Mul", value, others), rest)


@dataclass(frozen=True, slots=True)
class Lookup:
    """A number that a table gives to a code, or to the head of a code of several parts.

    Codes whose table is a classification keep its order as numbers, so that near codes are
    near, and codes that training never saw have a place; what is not in the table is missing.

    Parameters
    ----------
    column : str
        A category column.
    table : tuple of (str, float)
        Heads of codes and their numbers, at least one.
    separator : str
        A single character that ends the head, as the point in "250.83".
    part : str
        What the number is called, for people.

    Examples
    --------
    >>> from industry_apps.features import FeatureGraph, Raw
    >>> from industry_apps.schema import Column, Schema
    >>> source = Lookup("code", (("250", 250.0), ("V27", 1027.0)), ".", "order")
    >>> graph = FeatureGraph(Schema((Column(name="code", kind="category"),)), [Raw(source)])
    >>> codes = np.array(["250.83", "V27", "never seen", ""], dtype=object)
    >>> graph.run({"code": codes})["numeric"][:, 0].tolist()
    [250.0, 1027.0, nan, nan]
    """

    column: str
    table: tuple[tuple[str, float], ...]
    separator: str
    part: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        return (self.column,)

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        return f"{self.column}.{self.part}"

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        # With an end of its own every text has a head, the empty one too.
        end = builder.constant(np.array([self.separator], dtype=object))
        text = builder.node("StringConcat", inputs[self.column], end)  # [batch, 1]
        parts = builder.split_once(text, self.separator)  # [batch, 1, 2]
        head = builder.node(
            "Gather", parts, builder.constant(np.int64(0)), attributes={"axis": 2}
        )  # [batch, 1]
        return builder.node(
            "LabelEncoder",
            head,
            domain="ai.onnx.ml",
            attributes={
                "keys_strings": [key for key, _ in self.table],
                "values_floats": [value for _, value in self.table],
                "default_float": float("nan"),
            },
        )


@dataclass(frozen=True, slots=True)
class TimePart:
    """A calendar part of a moment, in UTC.

    Parameters
    ----------
    column : str
        A datetime column.
    part : {"hour", "weekday", "day", "month", "weekend"}
        Hour with its fraction in [0, 24); weekday 0 (Monday) to 6; day of the month 1 to
        31; month 1 to 12; weekend 0 or 1.
    nullable : bool
        May the moment be missing?

    References
    ----------
    Day and month of a day number: H. Hinnant, "chrono-Compatible Low-Level Date
    Algorithms", function ``civil_from_days``.
    """

    column: str
    part: Part
    nullable: bool = True

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        return (self.column,)

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        return f"{self.column}.{self.part}"

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        moment = inputs[self.column]
        if self.part == "hour":
            second = builder.cast(_modulo(builder, moment, SECONDS_A_DAY), np.float32)
            value = builder.node("Div", second, builder.constant(np.float32(3600)))
        elif self.part in ("weekday", "weekend"):
            # 1970-01-01 was a Thursday. Of a positive number integer Div is the floor.
            week = _modulo(builder, _plus(builder, moment, 3 * SECONDS_A_DAY), 7 * SECONDS_A_DAY)
            value = builder.cast(_over(builder, week, SECONDS_A_DAY), np.float32)
            if self.part == "weekend":
                late = builder.node("GreaterOrEqual", value, builder.constant(np.float32(5)))
                value = builder.cast(late, np.float32)
        else:
            second = _modulo(builder, moment, SECONDS_A_DAY)
            day = _over(builder, builder.node("Sub", moment, second), SECONDS_A_DAY)
            value = builder.cast(_civil(builder, day, self.part), np.float32)
        if not self.nullable:
            return value
        absent = builder.node("Equal", moment, builder.constant(np.int64(MISSING_TIME)))
        return builder.node("Where", absent, builder.constant(np.float32(np.nan)), value)


def _civil(builder: GraphBuilder, day: str, part: str) -> str:
    """Day of the month or month of a day number, in the proleptic Gregorian calendar."""
    day_of_era = _modulo(builder, _plus(builder, day, 719_468), 146_097)
    leap = builder.node(
        "Sub",
        builder.node(
            "Add",
            _over(builder, day_of_era, 36_524),
            builder.node("Neg", _over(builder, day_of_era, 1_460)),
        ),
        _over(builder, day_of_era, 146_096),
    )
    year_of_era = _over(builder, builder.node("Add", day_of_era, leap), 365)
    days_before = builder.node(
        "Sub",
        builder.node("Add", _times(builder, year_of_era, 365), _over(builder, year_of_era, 4)),
        _over(builder, year_of_era, 100),
    )
    day_of_year = builder.node("Sub", day_of_era, days_before)  # from 1 March
    month = _over(builder, _plus(builder, _times(builder, day_of_year, 5), 2), 153)
    if part == "month":
        return _plus(builder, _modulo(builder, _plus(builder, month, 2), 12), 1)
    first = _over(builder, _plus(builder, _times(builder, month, 153), 2), 5)
    return _plus(builder, builder.node("Sub", day_of_year, first), 1)


def _plus(builder: GraphBuilder, x: str, number: int) -> str:
    return builder.node("Add", x, builder.constant(np.int64(number)))


def _times(builder: GraphBuilder, x: str, number: int) -> str:
    return builder.node("Mul", x, builder.constant(np.int64(number)))


def _over(builder: GraphBuilder, x: str, number: int) -> str:
    return builder.node("Div", x, builder.constant(np.int64(number)))


def _modulo(builder: GraphBuilder, x: str, number: int) -> str:
    return builder.node("Mod", x, builder.constant(np.int64(number)))


def write_less_offset(builder: GraphBuilder, column: Column, values: str) -> str:
    """Raw numbers of any shape as a model computes with them: less their offset, in float32."""
    if column.offset is None:
        return values
    apart = builder.node("Sub", values, builder.constant(np.float64(column.offset)))
    return builder.cast(apart, np.float32)


def write_without_codes(builder: GraphBuilder, column: Column, values: str) -> str:
    """A raw column [batch, 1] in which codes of missing values are missing.

    Of a category that has several codes, each is a level as others are.
    """
    if not are_missing(column):
        return values
    empty = builder.constant(column.missing(1).reshape(1, 1))
    codes = read_codes(column)
    for code in codes:
        same = builder.node("Equal", values, builder.constant(np.array([[code]], codes.dtype)))
        values = builder.node("Where", same, empty, values)
    return values
