"""The feature graph of remaining life: windows of readings to what trees and networks take.

The graph that makes the training matrix stands at the head of the exported file.

Letters in shapes: B windows, L readings of a window, C sensors, W spans, F features, T readings
that a network sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError
from industry_apps.features import GraphBuilder
from industry_apps.features.running import RunsItsGraph
from industry_apps.features.signals import Signal
from industry_apps.features.sources import write_less_offset
from industry_apps.features.window_nodes import known_and_filled
from industry_apps.recipes.sensors.regimes import WIDEST, Regimes
from industry_apps.runtime.inputs import Feeds, run_in_slices
from industry_apps.schema import Schema

#: Windows of one run: each is a tensor of all sensors.
WINDOWS_A_RUN = 512
#: The last readings whose means are taken, beside the whole window.
SPANS = (1, 5, 10, 20, 50, 100)
#: Shorter spans have no slope: it would be noise.
_SHORTEST_SLOPE = 10
#: The span of the standard deviation and of the extremes.
_SPREAD_SPAN = 20
#: Readings of the running mean that networks see.
_SMOOTH = 10
#: Readings of one unit of age, so that networks see small numbers.
_UNIT_OF_AGE = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorPlan:
    """What is made of a window.

    Parameters
    ----------
    length : int
        Readings of a window, L.
    steps : int
        Of which a network sees so many one by one, T.
    signals : tuple of Signal
        Further features of somebody's own.
    """

    length: int
    steps: int
    signals: tuple[Signal, ...] = ()

    def __post_init__(self) -> None:
        for signal in self.signals:
            if signal.history > self.length:
                raise ParameterError(
                    f"The feature {signal.name} reads {signal.history} readings, and a window has "
                    f"{self.length}. Choose a longer 'history', or a shorter feature."
                )

    @property
    def spans(self) -> tuple[int, ...]:
        """Lengths of the spans, rising; the last is the whole window."""
        return (*(span for span in SPANS if span < self.length), self.length)


class SensorGraph(RunsItsGraph):
    """Raw windows to ``rows`` [B, F] of trees and ``channels`` [B, T, 3 C + 2] of networks.

    Rows: of each sensor the mean of each span, the slope of the longer ones (by least squares),
    standard deviation and extremes of the last 20 readings; how many readings there are; and the
    features of the plan. Missing readings are left out of each; a feature of none is missing.

    Channels: of each sensor its reading, the mean of the last ten and of all up to it; the number
    of the reading in hundreds; and whether there is one. Missing readings are 0, the mean of
    training.

    Parameters
    ----------
    schema : Schema
        The raw columns, of the role "history".
    plan : SensorPlan
    regimes : Regimes
    wanted : sequence of {"rows", "channels"}
    """

    def __init__(
        self, schema: Schema, plan: SensorPlan, regimes: Regimes, wanted: Sequence[str]
    ) -> None:
        self.schema, self.plan, self.regimes = schema, plan, regimes
        self.wanted = tuple(wanted)

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that are read."""
        own = [name for signal in self.plan.signals for name in signal.columns]
        return tuple(dict.fromkeys([*self.regimes.sensors, *self.regimes.settings, *own]))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns of ``rows``."""
        sensors, spans = self.regimes.sensors, self.plan.spans
        found = [f"mean of the last {w} {s}" for w in spans for s in sensors]
        found += [f"slope of the last {w} {s}" for w in self._slopes for s in sensors]
        for word in ("spread", "least", "largest"):
            found += [f"{word} of the last {self._spread} {s}" for s in sensors]
        return (*found, "readings", *(signal.name for signal in self.plan.signals))

    @property
    def channels(self) -> int:
        """Channels that a network sees."""
        return 3 * len(self.regimes.sensors) + 2

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the graph to a builder.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Raw column -> tensor [B, L].

        Returns
        -------
        dict of str to str
            What is wanted -> tensor; and ``known`` [B, 1], whether there is any reading.
        """
        raw = self.regimes.write(builder, inputs, self.schema)  # [B, L, C]
        mask, filled = known_and_filled(builder, raw)
        widest = np.float32(WIDEST)
        filled = builder.node("Clip", filled, builder.constant(-widest), builder.constant(widest))
        axis = builder.constant(np.array([2]))
        any_ = builder.node("ReduceMax", mask, axis)  # [B, L, 1]
        begun = _positive(builder, _running(builder, any_))
        number = _running(builder, begun)  # [B, L, 1], from the first known reading on
        last = builder.node("Squeeze", _last(builder, number, 1), axis)  # [B, 1]
        zero = builder.constant(np.float32(0))
        found = {"known": builder.node("Greater", last, zero)}
        if "rows" in self.wanted:
            own = {n: write_less_offset(builder, self.schema[n], x) for n, x in inputs.items()}
            parts = [*self._statistics(builder, mask, filled), last]
            parts += [signal.write(builder, own) for signal in self.plan.signals]
            found["rows"] = builder.concat(parts)
        if "channels" in self.wanted:
            hundreds = builder.node("Div", number, builder.constant(np.float32(_UNIT_OF_AGE)))
            parts = [*self._smoothed(builder, mask, filled), hundreds, any_]
            cut = [_last(builder, part, self.plan.steps) for part in parts]
            found["channels"] = builder.node("Concat", *cut, attributes={"axis": 2})
        return found

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute what :meth:`write` gives with onnxruntime.

        Parameters
        ----------
        feeds : mapping of str to ndarray of shape [B, L]
        """
        names = [output.name for output in self._session.get_outputs()]
        mine: Feeds = {each.name: feeds[each.name] for each in self._session.get_inputs()}
        found = run_in_slices(self._session, names, mine, Schema(()), WINDOWS_A_RUN)
        return {name.removeprefix("/"): tensor for name, tensor in zip(names, found, strict=True)}

    @property
    def _slopes(self) -> tuple[int, ...]:
        return tuple(span for span in self.plan.spans if span >= _SHORTEST_SLOPE)

    @property
    def _spread(self) -> int:
        return min(_SPREAD_SPAN, self.plan.length)

    def _statistics(self, builder: GraphBuilder, mask: str, filled: str) -> list[str]:
        """Means, slopes, spreads and extremes, each [B, spans x C]."""
        node, length, spans = builder.node, self.plan.length, self.plan.spans
        count, total = (_sums(builder, _ones(spans, length), each) for each in (mask, filled))
        mean = node("Div", total, count)  # [B, W, C]
        parts = [mean]
        if self._slopes:
            # Time runs from -1 to 0 in each span, so that sums stay small.
            lines, squares = (_times(self._slopes, length) ** power for power in (1, 2))
            counts, totals = (
                builder.part(each, len(spans) - len(self._slopes), 2**31) for each in (count, total)
            )
            times = _sums(builder, lines, mask)
            products = _sums(builder, lines, filled)
            above = node("Sub", node("Mul", counts, products), node("Mul", times, totals))
            below = node("Mul", counts, _sums(builder, squares, mask))
            below = node("Sub", below, node("Mul", times, times))
            enough = node("Greater", counts, builder.constant(np.float32(2)))
            slope = node("Div", above, below)
            parts.append(node("Where", enough, slope, builder.constant(np.float32(np.nan))))
        spread = _ones((self._spread,), length)
        n, sums = (_sums(builder, spread, each) for each in (mask, filled))
        level = node("Div", sums, n)
        squares_ = node("Div", _sums(builder, spread, node("Mul", filled, filled)), n)
        variance = node("Sub", squares_, node("Mul", level, level))
        parts.append(node("Sqrt", node("Max", variance, builder.constant(np.float32(0)))))
        parts += self._extremes(builder, mask, filled)
        return [_flat(builder, part) for part in parts]

    def _extremes(self, builder: GraphBuilder, mask: str, filled: str) -> list[str]:
        node, axis = builder.node, builder.constant(np.array([1]))
        late, there = (_last(builder, each, self._spread) for each in (filled, mask))
        known = node("Greater", there, builder.constant(np.float32(0)))
        nothing = node("Equal", node("ReduceMax", there, axis), builder.constant(np.float32(0)))
        found = []
        for op, beyond in (("ReduceMin", 2 * WIDEST), ("ReduceMax", -2 * WIDEST)):
            values = node("Where", known, late, builder.constant(np.float32(beyond)))
            extreme = node(op, values, axis)
            found.append(node("Where", nothing, builder.constant(np.float32(np.nan)), extreme))
        return found

    def _smoothed(self, builder: GraphBuilder, mask: str, filled: str) -> list[str]:
        """Readings, running means of ten and of all, each [B, L, C]."""
        node, one = builder.node, builder.constant(np.float32(1))
        count, total = (_running(builder, each) for each in (mask, filled))
        of_all = node("Div", total, node("Max", count, one))
        short = min(_SMOOTH, self.plan.length - 1) or 1
        n, sums = (
            node("Sub", each, _delayed(builder, each, short, self.plan.length))
            for each in (count, total)
        )
        return [filled, node("Div", sums, node("Max", n, one)), of_all]

    def _declare(self, builder: GraphBuilder) -> None:
        read = Schema(tuple(self.schema[name] for name in self.columns))
        tensors = self.write(builder, builder.inputs(read, self.plan.length))
        builder.output(tensors.pop("known"), "/known", np.bool_)
        for name, tensor in tensors.items():
            shape = len(self.names) if name == "rows" else (self.plan.steps, self.channels)
            builder.output(tensor, f"/{name}", np.float32, shape)


def _ones(spans: Sequence[int], length: int) -> NDArray[np.float32]:
    """Weights [W, L] that add up the last readings."""
    back = length - 1 - np.arange(length)
    return (back < np.asarray(spans)[:, None]).astype(np.float32)


def _times(spans: Sequence[int], length: int) -> NDArray[np.float32]:
    """The same, times the moment of each reading: 0 the last one, -1 the first of the span."""
    back = length - 1 - np.arange(length)
    return (_ones(spans, length) * -back / np.asarray(spans)[:, None]).astype(np.float32)


def _sums(builder: GraphBuilder, weights: NDArray[np.float32], x: str) -> str:
    """[W, L] times [B, L, C] -> [B, W, C]."""
    return builder.node("MatMul", builder.constant(weights), x)


def _running(builder: GraphBuilder, x: str) -> str:
    """Sum of each step and those before it, [B, L, C]."""
    return builder.node("CumSum", x, builder.constant(np.int64(1)))


def _delayed(builder: GraphBuilder, x: str, steps: int, length: int) -> str:
    """What was so many steps before, 0 in front, [B, L, C]."""
    pads = builder.constant(np.array([0, steps, 0, 0, 0, 0]))
    padded = builder.node("Pad", x, pads, builder.constant(np.float32(0)))
    return builder.part(padded, 0, length)


def _last(builder: GraphBuilder, x: str, steps: int) -> str:
    """The last steps, [B, steps, C]."""
    return builder.part(x, -steps, 2**31)


def _positive(builder: GraphBuilder, x: str) -> str:
    return builder.cast(builder.node("Greater", x, builder.constant(np.float32(0))), np.float32)


def _flat(builder: GraphBuilder, x: str) -> str:
    """[B, W, C] -> [B, W C]."""
    return builder.node("Reshape", x, builder.constant(np.array([0, -1])))
