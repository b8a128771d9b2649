"""A power grid: its buses, generators, costs and branches, checked before anything is computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from industry_apps.errors import SchemaError, UnknownNameError, nearest

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Costs:
    """What generation costs an hour: a quadratic function, or line segments, for each generator.

    Parameters
    ----------
    quadratic : ndarray of shape [generators]
        In $/MW²h, >= 0: ``quadratic * p**2 + linear * p + constant``.
    linear : ndarray of shape [generators]
        In $/MWh.
    constant : ndarray of shape [generators]
        In $/h, of a generator that runs.
    segments : tuple of ndarray of shape [segments, 2]
        Of each generator slope in $/MWh and value at 0 MW in $/h of convex line segments, the
        largest of which is added; no rows where there are none.
    """

    quadratic: Floats
    linear: Floats
    constant: Floats
    segments: tuple[Floats, ...]

    def of(self, output: Floats, running: Floats | None = None) -> Floats:
        """Cost in $/h of outputs in MW of shape [..., generators]."""
        runs = np.ones(output.shape) if running is None else running
        cost: Floats = self.quadratic * output**2 + self.linear * output + self.constant * runs
        for place, lines in enumerate(self.segments):
            if len(lines):
                part = lines[:, 0] * output[..., place, None] + lines[:, 1]
                cost[..., place] += part.max(axis=-1) * runs[..., place]
        return cost

    def slope(self, output: Floats) -> Floats:
        """Marginal cost in $/MWh at outputs in MW, [generators]; of segments the steepest."""
        slopes: Floats = 2 * self.quadratic * output + self.linear
        for place, lines in enumerate(self.segments):
            if len(lines):
                slopes[place] += lines[np.argmax(lines[:, 0] * output[place] + lines[:, 1]), 0]
        return slopes

    def kept(self, rows: NDArray[np.bool_]) -> Costs:
        """The costs of some generators."""
        segments = tuple(s for s, keep in zip(self.segments, rows, strict=True) if keep)
        return Costs(
            quadratic=self.quadratic[rows],
            linear=self.linear[rows],
            constant=self.constant[rows],
            segments=segments,
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Generators:
    """Generators in service.

    Parameters
    ----------
    row : ndarray of int, shape [generators]
        Their rows in the table they are from, counted from 1: what they are called.
    bus : ndarray of int, shape [generators]
        Places of their buses in ``Case.buses``.
    least, most : ndarray of shape [generators]
        Limits of the output in MW.
    costs : Costs
    ramp : ndarray of shape [generators]
        In MW/min; NaN where the table has none, which is not 0.
    start_cost : ndarray of shape [generators]
        In $.
    """

    row: Whole
    bus: Whole
    least: Floats
    most: Floats
    costs: Costs
    ramp: Floats
    start_cost: Floats

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, eq=False, kw_only=True)
class Branches:
    """Lines and transformers in service.

    Parameters
    ----------
    row : ndarray of int, shape [branches]
        Their rows in the table they are from, counted from 1.
    start, end : ndarray of int, shape [branches]
        Places of their buses in ``Case.buses``.
    susceptance : ndarray of shape [branches]
        In MW/rad: base power / (reactance * tap ratio).
    shift : ndarray of shape [branches]
        Phase shift in rad, positive is a delay.
    limit : ndarray of shape [branches]
        Of the flow in MW, either way; infinite where there is none.
    angle_low, angle_high : ndarray of shape [branches]
        Limits of the angle across it in rad; infinite where there are none.
    """

    row: Whole
    start: Whole
    end: Whole
    susceptance: Floats
    shift: Floats
    limit: Floats
    angle_low: Floats
    angle_high: Floats

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, eq=False, kw_only=True)
class Case:
    """A grid, with what is in service of it.

    Parameters
    ----------
    name : str
    buses : ndarray of int, shape [buses]
        Their numbers, as loads, prices and shedding name them.
    load : ndarray of shape [buses]
        In MW; negative where something feeds in.
    shunt : ndarray of shape [buses]
        Further demand in MW of shunt conductances, at nominal voltage.
    generators : Generators
    branches : Branches
    notes : tuple of str
        What was left out, and why.

    Examples
    --------
    >>> from industry_apps.energy.grid.example import example_case
    >>> case = example_case()
    >>> len(case.buses), len(case.generators), float(case.load.sum())
    (9, 5, 420.0)
    """

    name: str
    buses: Whole
    load: Floats
    shunt: Floats
    generators: Generators
    branches: Branches
    notes: tuple[str, ...] = field(default=())

    @property
    def generator_names(self) -> list[str]:
        """As ``g3``: the row in its table."""
        return [f"g{row}" for row in self.generators.row]

    @property
    def branch_names(self) -> list[str]:
        """As ``14-16``, the numbers of its buses; of several between two, with its row."""
        found = [
            f"{self.buses[a]}-{self.buses[b]}"
            for a, b in zip(self.branches.start, self.branches.end, strict=True)
        ]
        counts = Counter(found)
        return [
            f"{name} (row {row})" if counts[name] > 1 else name
            for name, row in zip(found, self.branches.row, strict=True)
        ]

    def place_of(self, bus: object, where: str) -> int:
        """Place of a bus by its number.

        Raises
        ------
        UnknownNameError
        """
        places = {int(number): place for place, number in enumerate(self.buses)}
        try:  # a whole number as a float, as a column with a gap gives, names it too
            whole = isinstance(bus, float) and bus.is_integer()
            found = places.get(int(bus if whole else str(bus)))  # type: ignore[call-overload]
        except ValueError:
            found = None
        if found is None:
            near = nearest(str(bus), map(str, places), most=3)
            raise UnknownNameError(
                f"{where}: the case {self.name!r} has no bus {bus!r}. Near are "
                f"{', '.join(near) or 'none'}; it has {len(places)} buses, see case.buses."
            )
        return found

    def with_load(self, load: ArrayLike) -> Self:
        """The same grid with other loads in MW, [buses]."""
        found = checked_loads(load, self)
        if found.ndim != 1:
            raise SchemaError(
                f"Loads have shape {found.shape}, expected one value for each of the "
                f"{len(self.buses)} buses. Give those of several hours to GridDispatcher.plan."
            )
        return replace(self, load=found)


def checked_loads(loads: ArrayLike, case: Case) -> Floats:
    """Loads in MW as an array of shape [buses] or [hours, buses].

    Raises
    ------
    SchemaError
        The shape is another, or a load is missing or infinite.
    """
    try:
        array = np.asarray(loads)
        if array.dtype.kind in "mM":
            raise TypeError("times are no numbers")
        array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise SchemaError(
            f"Loads: got {type(loads).__name__} that holds other values than numbers, expected MW "
            "of each bus. Convert them first."
        ) from error
    if array.ndim not in (1, 2) or array.shape[-1] != len(case.buses):
        raise SchemaError(
            f"Loads have shape {array.shape}, expected {len(case.buses)} values a row, one for "
            f"each bus of {case.name!r} in the order of case.buses. Give them in that order."
        )
    if not array.size:
        raise SchemaError(f"Loads have shape {array.shape}, expected an hour at least. Give one.")
    wrong = ~np.isfinite(array)
    if wrong.any():
        *hour, bus = np.argwhere(wrong)[0]
        row = f", row {hour[0]}" if hour else ""
        raise SchemaError(
            f"Column {str(case.buses[bus])!r} of the loads{row}: got {array[wrong][0]}, expected a "
            "finite number of MW. Fill the gap by a forecast; a missing load is not 0."
        )
    return array


def refuse_row(table: str, row: int, column: str, value: Any, expected: str, remedy: str) -> None:
    """Refuse the value of a table of a case.

    Raises
    ------
    SchemaError
    """
    raise SchemaError(
        f"Table {table!r}, row {row}, column {column!r}: got {value}, expected {expected}. {remedy}"
    )


def convex_segments(points: Sequence[tuple[float, float]], row: int) -> Floats:
    """Slope and value at 0 of the segments between points (MW, $/h) of a convex function.

    Raises
    ------
    SchemaError
        They do not go from left to right, or the function is not convex.
    """
    x, y = np.array(points, dtype=np.float64).T
    if (np.diff(x) <= 0).any():
        refuse_row(
            "gencost", row, "points", list(map(float, x)), "MW that rise", "Sort the points."
        )
    slopes = np.diff(y) / np.diff(x)
    if (np.diff(slopes) < -1e-9 * np.abs(slopes).max()).any():
        refuse_row(
            "gencost",
            row,
            "points",
            f"slopes {[round(float(s), 4) for s in slopes]}",
            "slopes that do not fall, as a convex cost has",
            "Take the lower convex hull of the points.",
        )
    return np.column_stack([slopes, y[:-1] - slopes * x[:-1]])
