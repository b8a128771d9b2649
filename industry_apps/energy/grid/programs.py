"""Optimisation problems as matrices, built of named blocks of columns and rows.

A convex program here is: minimise ``sum(square * x**2 + cost * x)`` with ``low <= rows @ x <=
high`` and ``least <= x <= most``; some columns may have to be whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from industry_apps.energy.grid.cases import Floats

Matrix = Any  # a sparse matrix of scipy, or an array


@dataclass(frozen=True, eq=False, kw_only=True)
class Program:
    """A problem as matrices; C columns, R rows.

    Parameters
    ----------
    square, cost : ndarray of shape [C]
        The former >= 0.
    rows : sparse matrix of shape [R, C]
    low, high : ndarray of shape [R]
    least, most : ndarray of shape [C]
    whole : ndarray of bool, shape [C]
    """

    square: Floats
    cost: Floats
    rows: Matrix
    low: Floats
    high: Floats
    least: Floats
    most: Floats
    whole: NDArray[np.bool_]

    def objective(self, x: Floats) -> float:
        """Value of the objective."""
        return float(self.square @ x**2 + self.cost @ x)


@dataclass(eq=False)
class ProgramBuilder:
    """Collects blocks of columns and of rows, each with a name and a shape.

    Examples
    --------
    >>> builder = ProgramBuilder()
    >>> builder.columns("output", (2,), most=50.0, cost=[10.0, 20.0])
    >>> builder.rows("balance", (1,), {"output": np.ones((1, 2))}, 70.0, 70.0)
    >>> builder.program().rows.toarray()
    array([[1., 1.]])
    """

    _shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _places: dict[str, slice] = field(default_factory=dict)
    _filled: dict[str, list[Floats]] = field(default_factory=dict)
    _count: int = 0
    _rows: list[tuple[dict[str, Matrix], Floats, Floats]] = field(default_factory=list)
    _row_places: dict[str, slice] = field(default_factory=dict)
    _row_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    _row_count: int = 0

    def columns(
        self,
        name: str,
        shape: tuple[int, ...],
        *,
        least: ArrayLike = 0.0,
        most: ArrayLike = np.inf,
        cost: ArrayLike = 0.0,
        square: ArrayLike = 0.0,
        whole: bool = False,
    ) -> None:
        """Add a block of columns; numbers are repeated to its shape."""
        self._shapes[name] = shape
        size = int(np.prod(shape))
        self._places[name] = slice(self._count, self._count + size)
        self._count += size
        parts = {"least": least, "most": most, "cost": cost, "square": square, "whole": whole}
        for key, value in parts.items():
            filled = np.broadcast_to(np.asarray(value, dtype=np.float64), shape).ravel()
            self._filled.setdefault(key, []).append(filled)

    def rows(
        self,
        name: str,
        shape: tuple[int, ...],
        blocks: Mapping[str, Matrix],
        low: ArrayLike,
        high: ArrayLike,
    ) -> None:
        """Add a block of rows: {block of columns: matrix [rows, its columns]}, and its limits."""
        size = int(np.prod(shape))
        self._row_shapes[name] = shape
        self._row_places[name] = slice(self._row_count, self._row_count + size)
        self._row_count += size
        limits = [
            np.broadcast_to(np.asarray(v, dtype=np.float64), shape).ravel() for v in (low, high)
        ]
        self._rows.append((dict(blocks), limits[0], limits[1]))

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def part(self, name: str, x: Floats) -> Floats:
        """Values of a block of columns, in its shape."""
        return x[self._places[name]].reshape(self._shapes[name])

    def row_part(self, name: str, values: Floats) -> Floats:
        """Values of a block of rows, in its shape."""
        return values[self._row_places[name]].reshape(self._row_shapes[name])

    @property
    def row_names(self) -> list[str]:
        """Names of the blocks of rows."""
        return list(self._row_places)

    def program(self) -> Program:
        """The matrices."""
        names = list(self._places)
        bands = []
        for blocks, low, _ in self._rows:
            band = [
                sparse.csr_matrix(blocks[name])
                if name in blocks
                else sparse.csr_matrix(
                    (len(low), self._places[name].stop - self._places[name].start)
                )
                for name in names
            ]
            bands.append(sparse.hstack(band, format="csr"))
        columns = {key: np.concatenate(parts) for key, parts in self._filled.items()}
        nothing = sparse.csr_matrix((0, self._count))
        return Program(
            square=columns["square"],
            cost=columns["cost"],
            rows=sparse.vstack([nothing, *bands], format="csr"),
            low=np.concatenate([np.zeros(0), *(low for _, low, _ in self._rows)]),
            high=np.concatenate([np.zeros(0), *(high for _, _, high in self._rows)]),
            least=columns["least"],
            most=columns["most"],
            whole=columns["whole"] > 0,
        )
