"""Short names of the operators that rows of whole numbers need again and again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder

#: Behind every place.
FAR = 2**40


class Operators:
    """Operators on int64 and bool tensors [B, n], appended to a graph.

    Parameters
    ----------
    builder : GraphBuilder
    """

    def __init__(self, builder: GraphBuilder) -> None:
        self.builder = builder
        self.node, self.constant = builder.node, builder.constant

    def whole(self, value: int | list[int]) -> str:
        """Constant whole numbers."""
        return self.constant(np.array(value, dtype=np.int64))

    def number(self, condition: str) -> str:
        """0 or 1 of a condition."""
        return self.builder.cast(condition, np.int64)

    def positive(self, tensor: str) -> str:
        """Whether above 0."""
        return self.node("Greater", tensor, self.whole(0))

    def bytes(self, condition: str) -> str:
        """As small as an operator takes them: one byte for each pair of atoms."""
        return self.builder.cast(condition, np.uint8)

    def any_of(self, first: str, *others: str) -> str:
        """Whether one of the conditions holds."""
        for other in others:
            first = self.node("Or", first, other)
        return first

    def all_of(self, first: str, *others: str) -> str:
        """Whether all conditions hold."""
        for other in others:
            first = self.node("And", first, other)
        return first

    def total(self, tensor: str) -> str:
        """[B, N] -> [B, 1]."""
        return self.node("ReduceSum", tensor, self.whole([1]))

    def any_in(self, condition: str) -> str:
        """[B, N] -> [B, 1]."""
        return self.positive(self.total(self.number(condition)))

    def any_pair(self, pairs: str) -> str:
        """Whether a row of pairs [B, N, N] has any: [B, N]."""
        most = self.node("ReduceMax", pairs, self.whole([2]), attributes={"keepdims": 0})
        return self.builder.cast(most, np.bool_)

    def cumulated(self, tensor: str) -> str:
        """Running totals of each row."""
        return self.node("CumSum", tensor, self.whole(1))

    def wide(self, tensor: str, axis: int) -> str:
        """A further axis."""
        return self.node("Unsqueeze", tensor, self.whole([axis]))

    def at(self, tensor: str, atoms: str) -> str:
        """What stands at places [B, m] of [B, n]."""
        return self.node("GatherElements", tensor, atoms, attributes={"axis": 1})

    def looked_up(self, table: NDArray[Any], *places: str) -> str:
        """What a table of small whole numbers holds at places [B, n], one for each of its axes."""
        cell = places[0]
        for size, place in zip(table.shape[1:], places[1:], strict=False):
            cell = self.node("Add", self.node("Mul", cell, self.whole(size)), place)
        rows = table.reshape(-1, *table.shape[len(places) :])
        return self.builder.cast(self.node("Gather", self.constant(rows), cell), np.int64)

    def scattered(self, places: str, values: str, like: str) -> str:
        """Add values [B, m] at places of zeros [B, n], as ``like`` is."""
        zeros = self.node("Mul", like, self.whole(0))
        attributes = {"axis": 1, "reduction": "add"}
        return self.node("ScatterElements", zeros, places, values, attributes=attributes)

    def places(self, shape: str, axis: int) -> str:
        """0, 1, ... along an axis."""
        size = self.node("Gather", shape, self.whole(axis))
        return self.node("Range", self.whole(0), size, self.whole(1))

    def tokens(self, texts: str, expression: str) -> str:
        """Parts of texts that an expression of RE2 finds."""
        return self.node(
            "Tokenizer",
            texts,
            domain="com.microsoft",
            attributes={"mark": 0, "mincharnum": 1, "pad_value": "", "tokenexp": expression},
        )

    def padded_texts(self, texts: str) -> str:
        """Texts [rows, columns] with an empty one behind the last, so that there is one."""
        rows = self.node("Shape", texts, attributes={"end": 1})
        shape = self.node("Concat", rows, self.whole([1]), attributes={"axis": 0})
        nothing = self.node("Expand", self.constant(np.array([[""]], dtype=object)), shape)
        return self.builder.concat([texts, nothing])

    def spread(self, begin: str, end: str, values: str, atoms: str) -> str:
        """Add what each bond [B, N + R] tells to both of its atoms -> [B, N], as ``atoms`` is."""
        both = (self.scattered(places, values, atoms) for places in (begin, end))
        return self.node("Add", *both)
