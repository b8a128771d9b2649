"""Numbers that describe the recent past of a series, without its scale.

A raw column is one tensor [batch, length]: the last values of each series (share, meter,
shop) at one moment, oldest first, NaN where a value is missing. A signal reads the end of
the window and writes one number a series, missing when any value that it reads is.

References
----------
.. [1] N. Jegadeesh, S. Titman, "Returns to Buying Winners and Selling Losers", J. Finance
   48 (1993), doi:10.1111/j.1540-6261.1993.tb04702.x (:class:`Change`).
.. [2] A. Ang, R. Hodrick, Y. Xing, X. Zhang, "The Cross-Section of Volatility and Expected
   Returns", J. Finance 61 (2006), doi:10.1111/j.1540-6261.2006.00836.x
   (:class:`OfChanges`).
.. [3] Y. Amihud, "Illiquidity and Stock Returns", J. Financial Markets 5 (2002),
   doi:10.1016/S1386-4181(01)00024-6 (:class:`Illiquidity`).
.. [4] T. Bali, N. Cakici, R. Whitelaw, "Maxing Out", J. Financial Economics 99 (2011),
   doi:10.1016/j.jfineco.2010.08.014 (:class:`OfChanges`).
.. [5] T. George, C.-Y. Hwang, "The 52-Week High and Momentum Investing", J. Finance 59
   (2004), doi:10.1111/j.1540-6261.2004.00695.x (:class:`Drawdown`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from industry_apps.features import window_nodes as nodes
from industry_apps.features.builder import GraphBuilder
from industry_apps.limits import check_limits, integer, one_of

Inputs = Mapping[str, str]
Statistic = Literal["volatility", "largest", "skewness", "beta", "own_volatility"]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A column times by/of, such as the open price freed of splits and dividends.

    Parameters
    ----------
    column : str
        A raw column, such as ``open``.
    by, of : str
        The same quantity after and before the adjustment, such as ``adjusted_close`` and
        ``close``.
    """

    column: str
    by: str
    of: str


Series = str | Adjusted


def label(value: object) -> str:
    """Word a field of a signal for its name."""
    return f"adjusted {value.column}" if isinstance(value, Adjusted) else str(value)


def raw_columns(values: Iterable[object]) -> tuple[str, ...]:
    """List the raw columns among the fields of a signal, each once."""
    found: list[str] = []
    for value in values:
        if isinstance(value, Adjusted):
            found += [value.column, value.by, value.of]
        elif isinstance(value, str):
            found.append(value)
    return tuple(dict.fromkeys(found))


class Reader:
    """What signals and channels share: a dataclass whose fields tell what it reads."""

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        return f"{type(self).__name__.lower()}({', '.join(map(label, self._values()))})"

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        return raw_columns(self._values())

    def _values(self) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]


class Signal(Reader, ABC):
    """One number a series, read off the end of its window."""

    @property
    @abstractmethod
    def history(self) -> int:
        """How many of the last steps it reads."""

    @abstractmethod
    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""


def read(builder: GraphBuilder, inputs: Inputs, series: Series) -> str:
    """Write a column as it is, or adjusted: [batch, length]."""
    if isinstance(series, str):
        return inputs[series]
    base = nodes.above(builder, inputs[series.of])  # nothing over 0 is not infinite
    factor = builder.node("Div", inputs[series.by], base)
    return builder.node("Mul", inputs[series.column], factor)


def step_ratios(
    builder: GraphBuilder, inputs: Inputs, first: Series, second: Series, lag: int, steps: int
) -> str:
    """For each of the last steps the logarithm of second[t] over first[t - lag]."""
    late = nodes.last(builder, read(builder, inputs, second), steps)
    early = nodes.last(builder, read(builder, inputs, first), steps, lag)
    return nodes.log_ratio(builder, late, early)  # [batch, steps]


@dataclass(frozen=True)
class Change(Signal):
    """Logarithm of x[t - skip] over x[t - steps]: momentum, and reversal when short [1]_.

    Parameters
    ----------
    column : str or Adjusted
        Values > 0; others count as missing.
    steps : int
        At least 1.
    skip : int
        In [0, steps): 252 steps without the last 21 are the momentum of months 12 to 1.
    """

    column: Series
    steps: int
    skip: int = 0

    def __post_init__(self) -> None:
        check_limits(self, {"steps": integer(1), "skip": integer(0, self.steps - 1)})

    @property
    def history(self) -> int:
        """How many of the last steps it reads."""
        return self.steps + 1

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        values = read(builder, inputs, self.column)
        late = nodes.last(builder, values, 1, self.skip)
        return nodes.log_ratio(builder, late, nodes.last(builder, values, 1, self.steps))


@dataclass(frozen=True)
class Latest(Signal):
    """The last value as it is: a signal that was computed elsewhere.

    Parameters
    ----------
    column : str
    """

    column: str

    @property
    def history(self) -> int:
        """How many of the last steps it reads."""
        return 1

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        return nodes.last(builder, inputs[self.column], 1)


@dataclass(frozen=True)
class Between(Signal):
    """Mean over the last steps of the logarithm of second[t] over first[t - lag].

    From low to high it is the range, from open to close the return of the day, and from
    close to open with lag 1 that of the night.

    Parameters
    ----------
    first, second : str or Adjusted
        Values > 0; others count as missing.
    lag : int
        At least 0.
    steps : int
        At least 1.
    """

    first: Series
    second: Series
    lag: int = 0
    steps: int = 1

    def __post_init__(self) -> None:
        check_limits(self, {"lag": integer(0), "steps": integer(1)})

    @property
    def history(self) -> int:
        """How many of the last steps it reads."""
        return self.steps + self.lag

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        return nodes.mean(
            builder, step_ratios(builder, inputs, self.first, self.second, self.lag, self.steps)
        )


@dataclass(frozen=True)
class LevelRatio(Signal):
    """Logarithm of the mean of the last ``short`` values over that of the last ``long``.

    Parameters
    ----------
    column : str or Adjusted
        Values >= 0; missing where a mean is 0.
    short, long : int
        1 <= short < long.
    """

    column: Series
    short: int
    long: int

    def __post_init__(self) -> None:
        check_limits(self, {"short": integer(1), "long": integer(self.short + 1)})

    @property
    def history(self) -> int:
        """How many of the last steps it reads."""
        return self.long

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        values = read(builder, inputs, self.column)
        short, long = (
            nodes.mean(builder, nodes.last(builder, values, n)) for n in (self.short, self.long)
        )
        return nodes.log_ratio(builder, short, long)


@dataclass(frozen=True)
class Drawdown(Signal):
    """Logarithm of the last value over the highest: nearness to the 52-week high [5]_.

    Parameters
    ----------
    column : str or Adjusted
        Values > 0; others count as missing.
    steps : int
        At least 2, the last value among them.
    """

    column: Series
    steps: int

    def __post_init__(self) -> None:
        check_limits(self, {"steps": integer(2)})

    @property
    def history(self) -> int:
        """How many of the last steps it reads."""
        return self.steps

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        values = nodes.above(builder, read(builder, inputs, self.column))
        highest = nodes.largest(builder, nodes.last(builder, values, self.steps))
        return nodes.log_ratio(builder, nodes.last(builder, values, 1), highest)


@dataclass(frozen=True)
class OfChanges(Signal):
    """A statistic of the last ``steps`` logarithmic changes.

    Parameters
    ----------
    column : str or Adjusted
        Values > 0; others count as missing.
    steps : int
        At least 2.
    statistic : {"volatility", "largest", "skewness", "beta", "own_volatility"}
        Standard deviation (divisor: steps); largest change, the demand for lotteries [4]_;
        skewness, missing where nothing moves; slope on the mean change of the batch (of the
        series that have the step; 1 in a batch of one); and the standard deviation of what
        that slope leaves, the idiosyncratic volatility [2]_.
    """

    column: Series
    steps: int
    statistic: Statistic = "volatility"

    def __post_init__(self) -> None:
        limits = {"steps": integer(2), "statistic": one_of(tuple(_STATISTICS))}
        check_limits(self, limits)

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        return f"{self.statistic}({label(self.column)}, {self.steps})"

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        return raw_columns([self.column])

    @property
    def history(self) -> int:
        """How many of the last steps it reads."""
        return self.steps + 1

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        changes = step_ratios(builder, inputs, self.column, self.column, 1, self.steps)
        return _STATISTICS[self.statistic](builder, changes)


def _volatility(builder: GraphBuilder, changes: str) -> str:
    centred = nodes.centred(builder, changes)
    return builder.node("Sqrt", nodes.mean_product(builder, centred, centred))


def _skewness(builder: GraphBuilder, changes: str) -> str:
    centred = nodes.centred(builder, changes)  # [batch, steps]
    variance = nodes.above(builder, nodes.mean_product(builder, centred, centred), nodes.STILL)
    unit = builder.node("Div", centred, builder.node("Sqrt", variance))
    return nodes.mean_product(builder, builder.node("Mul", unit, unit), unit)


def _beta(builder: GraphBuilder, changes: str) -> str:
    return nodes.on_batch_mean(builder, changes)[0]


def _own_volatility(builder: GraphBuilder, changes: str) -> str:
    return _volatility(builder, nodes.on_batch_mean(builder, changes)[1])


_STATISTICS: dict[str, Callable[[GraphBuilder, str], str]] = {
    "volatility": _volatility,
    "largest": nodes.largest,
    "skewness": _skewness,
    "beta": _beta,
    "own_volatility": _own_volatility,
}


@dataclass(frozen=True)
class Illiquidity(Signal):
    """Logarithm of the mean of |log change| over price times volume [3]_.

    Multiplied prices shift it by a constant, which ranks do not see. Give the price as it
    was, not adjusted for later dividends: their sum would be known in advance.

    Parameters
    ----------
    column : str or Adjusted
        Its changes are counted; values > 0.
    price, volume : str or Adjusted
        Price and number of what changed hands, > 0; missing on a day without trade.
    steps : int
        At least 1.
    """

    column: Series
    price: Series
    volume: Series
    steps: int

    def __post_init__(self) -> None:
        check_limits(self, {"steps": integer(1)})

    @property
    def history(self) -> int:
        """How many of the last steps it reads."""
        return self.steps + 1

    def write(self, builder: GraphBuilder, inputs: Inputs) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        moved = builder.node(
            "Abs", step_ratios(builder, inputs, self.column, self.column, 1, self.steps)
        )
        price, volume = (
            nodes.above(builder, nodes.last(builder, read(builder, inputs, each), self.steps))
            for each in (self.price, self.volume)
        )
        each_day = builder.node("Div", builder.node("Div", moved, price), volume)
        return builder.node("Log", nodes.above(builder, nodes.mean(builder, each_day)))
