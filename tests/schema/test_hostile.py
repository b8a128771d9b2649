"""Objects that answer to nothing as they should: each is named by its column."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from industry_apps.errors import SchemaError
from industry_apps.runtime import inputs
from industry_apps.runtime.records import RecordReader
from industry_apps.schema import Column, Schema


class Raises:
    """Raises from one method."""

    def __init__(self, method: str) -> None:
        def fails(*_: Any) -> Any:
            raise RuntimeError(method)

        self.__class__ = type(f"Raises{method}", (Raises,), {method: fails})


class Word(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError


METHODS = ("__ne__", "__eq__", "__repr__", "__float__", "__len__", "__getattr__", "__getitem__")
OBJECTS = [
    *[Raises(method) for method in METHODS],
    *[Decimal("sNaN"), int, str, float, object(), len, 1j, range(3), {1}, b"x", iter([1])],
    *[Exception("x"), ..., NotImplemented, [1.0], (1,), [[1]], np.array([1, 2]), {"x": 1}],
]
GOOD = {"number": 1.0, "category": "x", "boolean": True, "datetime": "2024-01-01", "text": "t"}


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("size", [1, None])
@pytest.mark.parametrize("value", OBJECTS, ids=lambda value: type(value).__name__)
def test_a_hostile_object_names_its_column(kind, size, value):
    schema = Schema(
        (Column("told", kind, size=size), Column("other", "number"), Column("third", "number"))
    )
    put = (lambda each: each) if size == 1 else (lambda each: [each])
    records = [{"told": put(each), "other": 1.0, "third": 2.0} for each in (value, GOOD[kind])]
    alone = inputs.is_record(records[0], schema)
    read = RecordReader(schema) if alone else schema.to_arrays
    with pytest.raises(SchemaError, match="'told'"):
        read(records[0])
    with pytest.raises(SchemaError, match="'told', row 0"):
        schema.to_arrays(inputs.table_of(records, schema))


def test_a_word_of_a_class_of_its_own_is_a_word():
    column = Column("told", "category")
    assert column.to_array([Word("a"), "b"]).tolist() == ["a", "b"]
