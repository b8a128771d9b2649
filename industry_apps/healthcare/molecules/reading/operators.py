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

    def equal(self, tensor: str, value: int) -> str:
        """Whether equal to a number."""
        return self.node("Equal", tensor, self.whole(value))

    def shape(self, *sizes: str | int) -> str:
        """A shape of numbers and of tensors of whole numbers."""
        flat = self.whole([-1])
        parts = [
            self.whole([size]) if isinstance(size, int) else self.node("Reshape", size, flat)
            for size in sizes
        ]
        return self.node("Concat", *parts, attributes={"axis": 0})

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


class Ends:
    """Both ends of the bonds of molecules, one behind the other: [B, 2 E].

    Parameters
    ----------
    op : Operators
    begin, end : str
        Atoms of each bond [B, E].
    atoms : str
        Any whole numbers of atoms [B, N].

    Attributes
    ----------
    here, there : str
        The atom at each end, and the one at the other.
    """

    def __init__(self, op: Operators, begin: str, end: str, atoms: str) -> None:
        self.op = op
        self.here = op.builder.concat([begin, end])
        self.there = op.builder.concat([end, begin])
        self._zeros = op.node("Mul", atoms, op.whole(0))

    def of_bonds(self, values: str) -> str:
        """What each bond [B, E] says, at both of its ends."""
        return self.op.builder.concat([values, values])

    def of_atoms(self, values: str, *, other: bool = False) -> str:
        """What the atom [B, N] at each end says, or the one at the other end."""
        return self.op.at(values, self.there if other else self.here)

    def to_bonds(self, values: str) -> str:
        """Sum over the two ends of each bond, [B, E]."""
        pairs = self.op.node("Reshape", values, self.op.whole([0, 2, -1]))
        return self.op.node("ReduceSum", pairs, self.op.whole([1]), attributes={"keepdims": 0})

    def to_atoms(self, values: str, *, other: bool = False) -> str:
        """Sum over the ends that each atom is at, [B, N]; or over the other ends of its bonds."""
        places = self.there if other else self.here
        attributes = {"axis": 1, "reduction": "add"}
        return self.op.node("ScatterElements", self._zeros, places, values, attributes=attributes)

    def summed(self, values: str) -> str:
        """Sum of what each bond [B, E] says, over the bonds of an atom, [B, N]."""
        return self.to_atoms(self.of_bonds(values))
