"""Formulas of physics as nodes of a graph, written as one writes them on paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from industry_apps.features.builder import GraphBuilder

Number = float | int


@dataclass(frozen=True, slots=True, eq=False)
class Formula:
    """A tensor [batch, 1] that one can reckon with; what is missing is NaN, and stays it.

    Parameters
    ----------
    builder : GraphBuilder
    tensor : str
    dtype : type
        float32, or float64 where moments are counted.

    Examples
    --------
    >>> builder = GraphBuilder()
    >>> x = Formula(builder, builder.input("x", np.float32))
    >>> builder.output((2 * x + 1).sin().tensor, "y", np.float32)
    >>> builder.session().run(None, {"x": np.zeros((1, 1), np.float32)})[0].round(4).tolist()
    [[0.8414999842643738]]
    """

    builder: GraphBuilder
    tensor: str
    dtype: type = np.float32

    def _node(self, op: str, *inputs: str, **attributes: Any) -> Formula:
        tensor = self.builder.node(op, *inputs, attributes=attributes or None)
        return Formula(self.builder, tensor, self.dtype)

    def _of(self, other: Formula | Number) -> str:
        if isinstance(other, Formula):
            return other.tensor
        return self.builder.constant(np.asarray(other, dtype=self.dtype))

    def __add__(self, other: Formula | Number) -> Formula:
        return self._node("Add", self.tensor, self._of(other))

    def __radd__(self, other: Number) -> Formula:
        return self._node("Add", self._of(other), self.tensor)

    def __sub__(self, other: Formula | Number) -> Formula:
        return self._node("Sub", self.tensor, self._of(other))

    def __rsub__(self, other: Number) -> Formula:
        return self._node("Sub", self._of(other), self.tensor)

    def __mul__(self, other: Formula | Number) -> Formula:
        return self._node("Mul", self.tensor, self._of(other))

    def __rmul__(self, other: Number) -> Formula:
        return self._node("Mul", self._of(other), self.tensor)

    def __truediv__(self, other: Formula | Number) -> Formula:
        return self._node("Div", self.tensor, self._of(other))

    def __rtruediv__(self, other: Number) -> Formula:
        return self._node("Div", self._of(other), self.tensor)

    def __neg__(self) -> Formula:
        return self._node("Neg", self.tensor)

    def __pow__(self, exponent: Number) -> Formula:
        return self._node("Pow", self.tensor, self._of(exponent))

    def __lt__(self, other: Formula | Number) -> str:
        return self.builder.node("Less", self.tensor, self._of(other))

    def __le__(self, other: Formula | Number) -> str:
        return self.builder.node("LessOrEqual", self.tensor, self._of(other))

    def __gt__(self, other: Formula | Number) -> str:
        return self.builder.node("Greater", self.tensor, self._of(other))

    def sin(self) -> Formula:
        """Sine, of radians."""
        return self._node("Sin", self.tensor)

    def cos(self) -> Formula:
        """Cosine, of radians."""
        return self._node("Cos", self.tensor)

    def arccos(self) -> Formula:
        """Angle in [0, pi] of a cosine; float32 alone."""
        return self._node("Acos", self.tensor)

    def exp(self) -> Formula:
        """Exponential."""
        return self._node("Exp", self.tensor)

    def floor(self) -> Formula:
        """The next whole number below."""
        return self._node("Floor", self.tensor)

    def at_least(self, other: Formula | Number) -> Formula:
        """The larger of two."""
        return self._node("Max", self.tensor, self._of(other))

    def at_most(self, other: Formula | Number) -> Formula:
        """The smaller of two."""
        return self._node("Min", self.tensor, self._of(other))

    def where(self, condition: str, other: Formula | Number) -> Formula:
        """Stay where a condition (a boolean tensor) holds, and be another elsewhere."""
        return self._node("Where", condition, self.tensor, self._of(other))

    def is_missing(self) -> str:
        """Boolean tensor: NaN."""
        return self.builder.node("IsNaN", self.tensor)

    def filled(self, other: Formula | Number) -> Formula:
        """Another where this is missing."""
        return self._node("Where", self.is_missing(), self._of(other), self.tensor)

    def as_type(self, dtype: type) -> Formula:
        """The same in another precision."""
        return Formula(self.builder, self.builder.cast(self.tensor, dtype), dtype)

    def read_off(self, knots: Any, values: Any) -> Formula:
        """A curve through knots, straight between them and constant beyond; NaN of NaN.

        Parameters
        ----------
        knots, values : sequence of float
            The former strictly rising.
        """
        found = self.builder.interpolate(
            self.filled(0.0).tensor, np.asarray(knots)[None], np.asarray(values)[None]
        )
        curve = Formula(self.builder, found, self.dtype)
        return self._node("Where", self.is_missing(), self._of(np.nan), curve.tensor)
