"""The physics of a line beside training: the nodes of the file, run on arrays.

Letters: N records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.lines.quantities import PLACE, RECORD, SIGNS, write_place, write_signs
from industry_apps.features import GraphBuilder
from industry_apps.features.running import WrittenGraph
from industry_apps.schema import Column, Schema

Arrays = Mapping[str, NDArray[Any]]

_NUMBER = "number of the type"
#: What tells the type, as columns of a table.
SIGN_COLUMNS = Schema(tuple(Column(name, "number", nullable=False) for name in SIGNS))


class LinePhysics:
    """What phasors tell of type and place, by the graph that stands in the file."""

    def __init__(self) -> None:
        self._signs = WrittenGraph(RECORD, _signs, _numbers(len(SIGNS)))
        asked = Schema((*RECORD, Column(_NUMBER, "number", nullable=False)))
        self._place = WrittenGraph(asked, _place, _numbers(len(PLACE)))

    def signs(self, arrays: Arrays) -> NDArray[np.float32]:
        """Raw columns [N] -> what tells the type [N, len(SIGNS)]."""
        return self._signs.run(arrays)[0]

    def place(self, arrays: Arrays, number: NDArray[np.intp]) -> NDArray[np.float32]:
        """Raw columns and numbers of types [N] -> what tells the place [N, len(PLACE)]."""
        return self._place.run({**arrays, _NUMBER: number.astype(np.float32)})[0]


def as_columns(signs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """What tells the type [N, len(SIGNS)] as columns [N] of ``SIGN_COLUMNS``."""
    return dict(zip(SIGNS, np.ascontiguousarray(signs.T), strict=True))


def write_columns(builder: GraphBuilder, signs: str) -> dict[str, str]:
    """Append the same: tensor [batch, len(SIGNS)] -> {column: tensor [batch, 1]}."""
    return {name: builder.part(signs, k, k + 1) for k, name in enumerate(SIGNS)}


def _numbers(count: int) -> Schema:
    return Schema((Column("numbers", "number", size=count),))


# Functions of a module, since a fitted application is pickled with its physics.
def _signs(builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
    return {"numbers": write_signs(builder, inputs)}


def _place(builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
    number = builder.cast(inputs[_NUMBER], np.int64)
    return {"numbers": write_place(builder, inputs, number)}
