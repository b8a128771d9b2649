"""Step functions of a number and of a category, as nodes and in numpy.

Their steps are learned outside, where the answer is known; here they are evaluated and
written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError
from industry_apps.features.builder import GraphBuilder
from industry_apps.features.sources import Source
from industry_apps.schema.spellings import aliases


@dataclass(frozen=True, slots=True)
class NumberSteps:
    """A step function of a number: one value an interval, and one where it is missing.

    Parameters
    ----------
    source : Source
    edges : tuple of float
        Where the steps are, finite and strictly increasing as float32; a number equal to an
        edge belongs to the interval above it.
    values : tuple of float
        Of the intervals from the lowest to the highest: one more than there are edges.
    missing : float
        Value where the number is missing.
    points : tuple of float
        Finite numbers that have a value of their own, wherever they lie.
    point_values : tuple of float
        Of the points.
    double : bool
        Whether the numbers are of double precision, as those of a column with an offset, and
        the edges and points with them; else all are float32.

    Raises
    ------
    ParameterError
        Edges do not increase, or the values are not one more than the edges.

    Examples
    --------
    >>> from industry_apps.features import Value
    >>> steps = NumberSteps(Value("age"), edges=(25.0, 60.0), values=(1.0, 3.0, 2.0))
    >>> steps.apply(np.array([24.9, 25.0, np.inf, np.nan], dtype=np.float32))
    array([1., 3., 2., 0.], dtype=float32)
    """

    source: Source
    edges: tuple[float, ...]
    values: tuple[float, ...]
    missing: float = 0.0
    points: tuple[float, ...] = ()
    point_values: tuple[float, ...] = ()
    double: bool = False

    @property
    def _dtype(self) -> type[np.floating[Any]]:
        return np.float64 if self.double else np.float32

    def __post_init__(self) -> None:
        edges = np.array(self.edges, dtype=self._dtype)
        if not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
            raise ParameterError(
                f"The edges of {self.source.name!r} are {self.edges}; expected finite numbers, "
                "strictly increasing as float32. Leave out those that are equal."
            )
        _check_count(self.source.name, self.values, len(edges) + 1)
        object.__setattr__(self, "edges", tuple(map(float, edges)))

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [self.source.name]

    def learn(self, values: NDArray[Any]) -> Self:
        """Nothing to learn."""
        return self

    def mapped(self, change: Callable[[float], float]) -> Self:
        """The same steps with each value replaced by a function of it."""
        return replace(
            self,
            values=tuple(map(change, self.values)),
            missing=change(self.missing),
            point_values=tuple(map(change, self.point_values)),
        )

    def apply(self, numbers: NDArray[Any]) -> NDArray[np.float32]:
        """Numbers of shape [rows], NaN where missing -> values [rows]."""
        passed = np.searchsorted(np.array(self.edges, dtype=self._dtype), numbers, side="right")
        # To searchsorted NaN is the largest number of all.
        values = np.array((*self.values, self.missing), dtype=np.float32)
        found = values[np.where(np.isnan(numbers), len(self.values), passed)]
        for point, value in zip(self.points, self.point_values, strict=True):
            found[numbers == self._dtype(point)] = value
        return found

    @staticmethod
    def write(builder: GraphBuilder, group: Sequence[NumberSteps], values: str) -> str:
        """Write [batch, group] -> [batch, group]."""
        dtype = group[0]._dtype  # of all of them
        width = max(1, *(len(encoder.edges) for encoder in group))
        # Only infinity passes an edge made to fill up, and finds the last value once more.
        edges = np.full((len(group), width), np.inf, dtype=dtype)
        steps = np.empty((len(group), width + 1), dtype=np.float32)
        for row, encoder in enumerate(group):
            edges[row, : len(encoder.edges)] = encoder.edges
            steps[row] = np.pad(encoder.values, (0, width + 1 - len(encoder.values)), "edge")
        wide = builder.node("Unsqueeze", values, builder.constant(np.array([2])))
        passed = builder.node(
            "ReduceSum",
            builder.cast(
                builder.node("GreaterOrEqual", wide, builder.constant(edges)), np.int64
            ),  # [batch, group, width]
            builder.constant(np.array([2])),
            attributes={"keepdims": 0},
        )  # [batch, group]
        offsets = np.arange(len(group), dtype=np.int64) * (width + 1)
        position = builder.node("Add", passed, builder.constant(offsets))
        missing = np.array([encoder.missing for encoder in group], dtype=np.float32)
        found = builder.node(
            "Where",
            builder.node("IsNaN", values),
            builder.constant(missing),
            builder.node("Gather", builder.constant(steps.ravel()), position),
        )
        for place in range(max(len(encoder.points) for encoder in group)):
            chosen = [e.points[place : place + 1] or (np.nan,) for e in group]  # NaN equals nothing
            given = [e.point_values[place : place + 1] or (0.0,) for e in group]
            point, value = np.array(chosen, dtype)[:, 0], np.array(given, np.float32)[:, 0]
            same = builder.node("Equal", values, builder.constant(point))
            found = builder.node("Where", same, builder.constant(value), found)
        return found


@dataclass(frozen=True, slots=True)
class LevelSteps:
    """A value for each level of a category, one for any other, and one where it is missing.

    Parameters
    ----------
    column : str
        A category column.
    levels : tuple of str
        Distinct, none empty.
    values : tuple of float
        One for each level.
    other : float
        Value of any other level.
    missing : float
        Value where the level is missing ("").

    Raises
    ------
    ParameterError
        A level is empty or stands twice, or the values are not as many as the levels.

    Examples
    --------
    >>> steps = LevelSteps("housing", levels=("own", "rent"), values=(2.0, 1.0), missing=-1.0)
    >>> steps.apply(np.array(["rent", "boat", ""], dtype=object))
    array([ 1.,  0., -1.], dtype=float32)
    """

    column: str
    levels: tuple[str, ...]
    values: tuple[float, ...]
    other: float = 0.0
    missing: float = 0.0

    def __post_init__(self) -> None:
        if "" in self.levels or len(set(self.levels)) < len(self.levels):
            raise ParameterError(
                f"The levels of {self.column!r} are {self.levels}; expected distinct texts that "
                "are not empty. Name each once; '' is what is missing."
            )
        _check_count(self.column, self.values, len(self.levels))

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [self.column]

    def learn(self, values: NDArray[np.object_]) -> Self:
        """Nothing to learn."""
        return self

    def mapped(self, change: Callable[[float], float]) -> Self:
        """The same levels with each value replaced by a function of it."""
        return replace(
            self,
            values=tuple(map(change, self.values)),
            other=change(self.other),
            missing=change(self.missing),
        )

    def apply(self, texts: NDArray[np.object_]) -> NDArray[np.float32]:
        """Levels of shape [rows], "" where missing -> values [rows]."""
        table = dict(self._pairs())
        values = (table.get(text, self.other) for text in texts.tolist())
        return np.fromiter(values, dtype=np.float32, count=len(texts))

    def write(self, builder: GraphBuilder, text: str) -> str:
        """Write [batch, 1] strings -> [batch, 1]."""
        keys, values = zip(*self._pairs(), strict=True)
        return builder.node(
            "LabelEncoder",
            text,
            domain="ai.onnx.ml",
            attributes={
                "keys_strings": keys,
                "values_floats": values,
                "default_float": float(self.other),
            },
        )

    def _pairs(self) -> list[tuple[str, float]]:
        known = dict(zip(self.levels, map(float, self.values), strict=True))
        others = aliases(self.levels)
        return [
            ("", float(self.missing)),
            *known.items(),
            *((other, known[level]) for other, level in others.items()),
        ]


def _check_count(name: str, values: tuple[Any, ...], count: int) -> None:
    if len(values) != count:
        raise ParameterError(
            f"The steps of {name!r} have {len(values)} values; expected {count}. "
            "Give one for each interval or level."
        )
