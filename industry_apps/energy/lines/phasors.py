"""Complex numbers as pairs of tensors of a graph, so that formulas read as they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder

#: Squared magnitudes below it count as it, so that nothing is divided by zero.
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Real:
    """A tensor [batch, values] of a graph, with the arithmetic of numbers.

    Parameters
    ----------
    builder : GraphBuilder
    name : str
        Of the tensor, float32.
    """

    builder: GraphBuilder
    name: str

    def __add__(self, other: Real | float) -> Real:
        """Sum."""
        return self._with("Add", other)

    def __sub__(self, other: Real | float) -> Real:
        """Difference."""
        return self._with("Sub", other)

    def __mul__(self, other: Real | float) -> Real:
        """Product."""
        return self._with("Mul", other)

    def __truediv__(self, other: Real | float) -> Real:
        """Quotient; the divisor must not be 0."""
        return self._with("Div", other)

    def at_least(self, low: float) -> Real:
        """What is lower becomes ``low``."""
        return self._with("Max", low)

    def within(self, low: float, high: float) -> Real:
        """What is outside becomes ``low`` or ``high``."""
        return self._with("Max", low)._with("Min", high)

    def over(self, divisor: Real) -> Real:
        """Quotient by a number of any sign; near 0 it is large, and finite."""
        square = (divisor * divisor).at_least(_LEAST)
        return self * divisor / square

    def columns(self, first: int, behind: int) -> Real:
        """Some of the values."""
        return Real(self.builder, self.builder.part(self.name, first, behind))

    def applied(self, function: str) -> Real:
        """A function of each value, by its name in ONNX."""
        return Real(self.builder, self.builder.node(function, self.name))

    def _with(self, op: str, other: Real | float) -> Real:
        second = other.name if isinstance(other, Real) else self.builder.constant(np.float32(other))
        return Real(self.builder, self.builder.node(op, self.name, second))


@dataclass(frozen=True, slots=True)
class Phasor:
    """Complex numbers of shape [batch, values].

    Parameters
    ----------
    real, imag : Real
    """

    real: Real
    imag: Real

    @classmethod
    def polar(cls, magnitude: Real, degrees: Real) -> Phasor:
        """Magnitudes and angles in degrees."""
        angle = degrees * float(np.pi / 180)
        return cls(magnitude * angle.applied("Cos"), magnitude * angle.applied("Sin"))

    def __add__(self, other: Phasor | float) -> Phasor:
        """Sum."""
        if isinstance(other, Phasor):
            return self._each(lambda a, b: a + b, other)
        return Phasor(self.real + other, self.imag)

    def __sub__(self, other: Phasor) -> Phasor:
        """Difference."""
        return self._each(lambda a, b: a - b, other)

    def __mul__(self, other: Phasor | Real | float) -> Phasor:
        """Product."""
        if not isinstance(other, Phasor):
            return Phasor(self.real * other, self.imag * other)
        return Phasor(
            self.real * other.real - self.imag * other.imag,
            self.real * other.imag + self.imag * other.real,
        )

    def __truediv__(self, other: Phasor) -> Phasor:
        """Quotient; by 0 it is large, and finite."""
        found = self * other.conjugate()
        square = (other.real * other.real + other.imag * other.imag).at_least(_LEAST)
        return Phasor(found.real / square, found.imag / square)

    def conjugate(self) -> Phasor:
        """With the angle of the other sign."""
        return Phasor(self.real, self.imag * -1.0)

    def size(self) -> Real:
        """Magnitudes."""
        return (self.real * self.real + self.imag * self.imag).applied("Sqrt")

    def column(self, number: int) -> Phasor:
        """One of the values, [batch, 1]."""
        return self._mapped(lambda part: part.columns(number, number + 1))

    def through(self, matrix: NDArray[Any]) -> Phasor:
        """Linear combinations: [batch, n] by a matrix of complex numbers [m, n] -> [batch, m]."""
        complex_matrix = np.asarray(matrix, dtype=np.complex128).T
        real, imag = complex_matrix.real, complex_matrix.imag
        return Phasor(
            _product(self.real, real) - _product(self.imag, imag),
            _product(self.real, imag) + _product(self.imag, real),
        )

    def taken(self, places: str) -> Phasor:
        """The values at the places of a tensor [batch, m] of int64 -> [batch, m]."""
        axis = {"axis": 1}
        return self._mapped(
            lambda part: Real(
                part.builder,
                part.builder.node("GatherElements", part.name, places, attributes=axis),
            )
        )

    def _mapped(self, change: Callable[[Real], Real]) -> Phasor:
        return Phasor(change(self.real), change(self.imag))

    def _each(self, change: Callable[[Real, Real], Real], other: Phasor) -> Phasor:
        return Phasor(change(self.real, other.real), change(self.imag, other.imag))


def _product(values: Real, matrix: NDArray[np.float64]) -> Real:
    builder = values.builder
    constant = builder.constant(np.ascontiguousarray(matrix, dtype=np.float32))
    return Real(builder, builder.node("MatMul", values.name, constant))


def side_by_side(parts: Sequence[Real]) -> Real:
    """Join values [batch, k] of several tensors.

    Parameters
    ----------
    parts : sequence of Real
        At least one.
    """
    builder = parts[0].builder
    return Real(builder, builder.concat([part.name for part in parts]))


def joined(parts: Sequence[Phasor]) -> Phasor:
    """Join complex values of several tensors, as :func:`side_by_side` does.

    Parameters
    ----------
    parts : sequence of Phasor
    """
    return Phasor(
        side_by_side([part.real for part in parts]), side_by_side([part.imag for part in parts])
    )


def chosen(condition: str, yes: Phasor, no: Phasor) -> Phasor:
    """Take one of two by a tensor [batch, 1] of truth values.

    Parameters
    ----------
    condition : str
    yes, no : Phasor
    """
    builder = yes.real.builder

    def pick(a: Real, b: Real) -> Real:
        return Real(builder, builder.node("Where", condition, a.name, b.name))

    return Phasor(pick(yes.real, no.real), pick(yes.imag, no.imag))
