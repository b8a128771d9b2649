"""Columns of normal operation side by side, each in its own standard deviations.

Letters in shapes: R rows, N windows, L rows of a window, C columns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.features.sources import write_less_offset
from industry_apps.schema import Schema
from industry_apps.schema.offsets import less_offset

__all__ = ["Columns", "Scaling", "stacked"]

Columns = Mapping[str, NDArray[Any]]
_Floats = NDArray[np.float64]

#: A column that varies by less of its size does not vary: it is rounding.
_STILL = 1e-6


@dataclass(frozen=True, eq=False)
class Scaling:
    """Mean and standard deviation of each column in normal operation.

    Parameters
    ----------
    columns : tuple of str
        Those that vary, in order.
    mean, scale : ndarray of float64, shape [C]
        Less the offset of the column.
    still : tuple of str
        Columns that are constant or missing, of which nothing is learned.
    """

    columns: tuple[str, ...]
    mean: _Floats
    scale: _Floats
    still: tuple[str, ...]

    @classmethod
    def learn(cls, schema: Schema, rows: Sequence[Columns]) -> Self:
        """Learn it from normal rows.

        Parameters
        ----------
        schema : Schema
            Its inputs are the columns.
        rows : sequence of mapping of str to ndarray of shape [R]
            Run by run; NaN where missing.

        Raises
        ------
        TrainingError
            No column varies.
        """
        names = schema.inputs().names
        values = np.concatenate([stacked(each, names, schema) for each in rows])
        known = [column[~np.isnan(column)] for column in values.T]
        size = [float(np.abs(each).max(initial=0.0)) for each in known]
        spread = [float(each.std(ddof=1)) if len(each) > 1 else 0.0 for each in known]
        varies = [s > _STILL * max(most, 1e-30) for s, most in zip(spread, size, strict=True)]
        if not any(varies):
            raise TrainingError(
                f"None of the columns {', '.join(map(repr, names))} varies in normal operation: "
                "each is constant or missing, and nothing can be learned from them. Give others."
            )
        kept = np.flatnonzero(varies)
        return cls(
            columns=tuple(names[place] for place in kept),
            mean=np.array([known[place].mean() for place in kept]),
            scale=np.array([spread[place] for place in kept]),
            still=tuple(name for name, moves in zip(names, varies, strict=True) if not moves),
        )

    def apply(self, columns: Columns, schema: Schema) -> _Floats:
        """Raw columns [...] -> standardised [..., C]; NaN where missing."""
        found: _Floats = (stacked(columns, self.columns, schema) - self.mean) / self.scale
        return found

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str], schema: Schema) -> str:
        """Append the same to a graph: tensors [batch, L] -> one of float64 [batch, L, C]."""
        axis = builder.constant(np.array([2]))
        parts = [
            builder.node("Unsqueeze", write_less_offset(builder, schema[name], inputs[name]), axis)
            for name in self.columns
        ]
        # In double precision: columns that hardly differ from each other tell most of a fault.
        values = builder.cast(builder.node("Concat", *parts, attributes={"axis": 2}), np.float64)
        apart = builder.node("Sub", values, builder.constant(self.mean))
        return builder.node("Div", apart, builder.constant(self.scale))


def stacked(columns: Columns, names: Sequence[str], schema: Schema) -> _Floats:
    """Columns [...] less their offsets, side by side: [..., names].

    Parameters
    ----------
    columns : mapping of str to ndarray of any shape
    names : sequence of str
    schema : Schema
        Says which columns have an offset.
    """
    found = [less_offset(columns[name], schema[name].offset) for name in names]
    return np.stack(found, axis=-1).astype(np.float64)
