"""Which encoders a kind of column gets, for each family of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from industry_apps.features.elements import elements_of
from industry_apps.features.ranges import LogRange
from industry_apps.features.sources import CYCLES, IsCode, Source, TimePart, Value
from industry_apps.features.tabular import Category, Cyclic, Missing, QuantileNormal, Raw, Standard
from industry_apps.features.text import WordCounts
from industry_apps.schema import Schema
from industry_apps.schema.codes import read_codes

if TYPE_CHECKING:
    from industry_apps.features.graph import Encoder
    from industry_apps.schema import Column

#: Levels seen less often are one: nothing can be learned about each of them.
RARE = 10


def tree_encoders(
    schema: Schema, derived: Sequence[Source] = (), *, one_hot: int = 0
) -> list[Encoder]:
    """Numbers as they are, ordered categories by rank, words counted: what trees split well.

    Parameters
    ----------
    schema : Schema
        The raw columns; identifiers are left out.
    derived : sequence of Source
        Further numbers that the domain knows to be telling.
    one_hot : int
        Categories of up to so many levels get a column for each.
    """
    encoders: list[Encoder] = [Raw(source) for source in derived]
    for column in schema.inputs():
        if column.kind in ("number", "boolean"):
            encoders += [*map(Raw, _values(column)), *_codes(column)]
        elif column.kind == "category":
            encoders.append(Category(column.name, "auto", min_count=RARE, one_hot=one_hot))
        elif column.kind == "datetime":
            encoders += [Raw(part) for part in _clock(column)]
        else:
            encoders.append(WordCounts(column.name))
    return encoders


def plain_encoders(schema: Schema) -> list[Encoder]:
    """Numbers as they are, categories one-hot: what baselines are given.

    Parameters
    ----------
    schema : Schema
    """
    encoders: list[Encoder] = []
    for column in schema.inputs():
        if column.kind == "category":
            encoders.append(Category(column.name, "onehot", min_count=RARE, max_levels=50))
        else:
            encoders += tree_encoders(Schema((column,)))
    return encoders


def network_encoders(schema: Schema, derived: Sequence[Source] = ()) -> list[Encoder]:
    """Numbers through their quantiles to a normal, categories as codes for embeddings.

    Parameters
    ----------
    schema, derived
        As in :func:`tree_encoders`.
    """
    encoders = _smooth(schema, derived)
    for column in schema.inputs():
        if column.kind == "category":
            encoders.append(Category(column.name, "code", min_count=RARE))
    return encoders


def range_encoders(schema: Schema) -> list[Encoder]:
    """Sizes as shares of their range, categories one-hot: what distances are taken between.

    Parameters
    ----------
    schema : Schema
    """
    encoders: list[Encoder] = []
    for column in schema.inputs():
        if column.kind in ("number", "boolean"):
            for value in _values(column):
                encoders += [LogRange(value), Missing(value)]
            encoders += _codes(column)
        elif column.kind == "category":
            encoders.append(Category(column.name, "onehot", max_levels=100))
        else:
            encoders += _smooth_column(column)
    return encoders


def dense_encoders(schema: Schema, derived: Sequence[Source] = ()) -> list[Encoder]:
    """As :func:`network_encoders`, with categories one-hot: all numbers, for reconstruction.

    Parameters
    ----------
    schema, derived
        As in :func:`tree_encoders`.
    """
    encoders = _smooth(schema, derived)
    for column in schema.inputs():
        if column.kind == "category":
            encoders.append(Category(column.name, "onehot", min_count=RARE, max_levels=20))
    return encoders


def _smooth(schema: Schema, derived: Sequence[Source]) -> list[Encoder]:
    encoders: list[Encoder] = []
    for source in derived:
        encoders += _number(source)
    for column in schema.inputs():
        encoders += _smooth_column(column)
    return encoders


def _smooth_column(column: Column) -> list[Encoder]:
    if column.kind == "number":
        numbers = [each for value in _values(column) for each in _number(value)]
        return [*numbers, *_codes(column)]
    if column.kind == "boolean":
        return [Standard(Value(column.name)), Missing(Value(column.name))]
    if column.kind == "datetime":
        return [Cyclic(TimePart(column.name, part), *CYCLES[part]) for part in ("hour", "weekday")]
    if column.kind == "text":
        return [WordCounts(column.name)]
    return []


def _values(column: Column) -> Sequence[Source]:
    """The number of a column, or each of those of a list of fixed length."""
    return elements_of(column) if (column.size or 1) > 1 else [Value(column.name)]


def _codes(column: Column) -> list[Encoder]:
    """Which code stands in place of a number."""
    double = column.offset is not None
    return [Missing(IsCode(column.name, float(code), double)) for code in read_codes(column)]


def _clock(column: Column) -> list[TimePart]:
    return [TimePart(column.name, part, column.nullable) for part in ("hour", "weekday")]


def _number(source: Source) -> list[Encoder]:
    return [QuantileNormal(source), Missing(source)]
