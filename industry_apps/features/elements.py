"""Places of a list of numbers of fixed length, as a histogram is: each of them a number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.sources import Source
from industry_apps.schema import Column

__all__ = ["Element", "elements_of", "write_side_by_side"]


@dataclass(frozen=True, slots=True)
class Element:
    """One place of a list of numbers.

    Parameters
    ----------
    column : str
    place : int
        From 0.
    size : int
        Of the list.
    """

    column: str
    place: int
    size: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Raw columns that it reads."""
        return (self.column,)

    @property
    def name(self) -> str:
        """Name of the number, for people."""
        return f"{self.column}[{self.place}]"

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Write the nodes; return a [batch, 1] float tensor."""
        return _places(builder, [self], inputs[self.column])


def elements_of(column: Column) -> list[Element]:
    """The places of a list column of fixed length.

    Parameters
    ----------
    column : Column

    Examples
    --------
    >>> [each.name for each in elements_of(Column("shares", "number", size=2))]
    ['shares[0]', 'shares[1]']
    """
    size = column.size or 0
    return [Element(column.name, place, size) for place in range(size)]


def write_side_by_side(
    builder: GraphBuilder, sources: Sequence[tuple[Source, Mapping[str, str]]]
) -> str:
    """Numbers side by side: a tensor [batch, sources]; places of one list are read at once.

    Parameters
    ----------
    builder : GraphBuilder
    sources : sequence of (Source, mapping of str to str)
        Each with the tensors of the raw columns that it reads.
    """
    tensors: list[str] = []
    for column, members in groupby(sources, lambda pair: _list_of(pair[0])):
        pairs = list(members)
        if column:
            places = [source for source, _ in pairs if isinstance(source, Element)]
            tensors.append(_places(builder, places, pairs[0][1][column]))
        else:
            tensors += [source.write(builder, inputs) for source, inputs in pairs]
    return builder.concat(tensors)


def _list_of(source: Source) -> str:
    return source.column if isinstance(source, Element) else ""


def _places(builder: GraphBuilder, elements: Sequence[Element], values: str) -> str:
    """Places of a list [batch, size] -> [batch, elements]: all of them are the list itself."""
    places = [element.place for element in elements]
    if places == list(range(elements[0].size)):
        return values
    chosen = builder.constant(np.array(places, dtype=np.int64))
    return builder.node("Gather", values, chosen, attributes={"axis": 1})
