"""Odd values are read as what they are typed by hand, alike in a record and a table, or named."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, IntEnum
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from industry_apps.errors import SchemaError
from industry_apps.runtime import inputs
from industry_apps.runtime.records import RecordReader
from industry_apps.schema import Column, Schema
from industry_apps.testing.raw_values import NOTHING, Endless, Liar, Never, Raises, Word, cases

GOOD: dict[Any, Any] = {
    "number": 12.5,
    "category": "12",
    "boolean": True,
    "datetime": datetime(2024, 1, 1, 12, 30),
    "text": "Z\u00fcrich",
}


class Size(int, Enum):
    SMALL = 3


def read(column: Column, value: Any, *, form: str = "batch") -> Any:
    """What becomes of a value beside good ones, or the error."""
    schema = Schema((column, Column("other", "number"), Column("third", "number")))
    record = {"told": value, "other": 1.0, "third": 2.0}
    try:
        if form == "record":
            alone = inputs.is_record(record, schema)
            return (RecordReader(schema) if alone else schema.to_arrays)(record)["told"].ravel()
        good = GOOD[column.kind]
        records = [{**record, "told": good if column.size == 1 else [good]}, record]
        return schema.to_arrays(inputs.table_of(records, schema))["told"][1:].ravel()
    except SchemaError as error:
        return str(error)


@pytest.mark.parametrize("form", ["record", "batch"])
@pytest.mark.parametrize("size", [1, None])
@pytest.mark.parametrize("kind", GOOD)
def test_a_value_is_what_it_is_typed_by_hand_or_is_named(kind, size, form):
    column = Column("told", kind, size=size)
    for case in cases(kind, GOOD[kind]):
        value, plain = ([v] if size is None else v for v in (case.value, case.plain))
        found = read(column, value, form=form)
        if isinstance(found, str):
            assert "'told'" in found, (case.name, found)
            assert form == "record" or "row 1" in found, (case.name, found)
        else:
            assert case.plain is not NOTHING, (case.name, found)
            expected = read(column, plain, form=form)
            assert found.tobytes() == expected.tobytes() or found.dtype.kind == "O", case.name
            assert_array_equal(found, expected, err_msg=case.name)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", -0.0, 0.0),
        ("number", IntEnum("Size", {"SMALL": 3}).SMALL, 3.0),
        ("category", Size.SMALL, "3"),
        ("category", Word("a"), "a"),
        ("category", 10**5000, "got an object of int, expected a string"),
        ("category", np.timedelta64(3, "D"), "expected a string"),
        ("datetime", np.timedelta64(3, "D"), "expected a time"),
        ("datetime", np.datetime64(2**57, "D"), "expected a time"),
        ("datetime", np.datetime64(2**62, "s"), "expected a time"),
        ("datetime", "1704110712345", "expected a time"),
        ("datetime", "17041107012", 17_041_107_012),
        ("boolean", 1e-50, "expected True, False"),
        ("boolean", 1 + 1e-12, "expected True, False"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("form", ["record", "batch"])
def test_values_that_were_read_wrongly(kind, value, expected, form):
    found = read(Column("told", kind), value, form=form)
    if isinstance(found, str):
        assert expected in found
    else:
        assert found.item() == expected
        assert kind != "number" or not np.signbit(found.item())


@pytest.mark.parametrize("form", ["record", "batch"])
@pytest.mark.parametrize("size", [1, None])
@pytest.mark.parametrize("kind", GOOD)
def test_objects_that_answer_to_nothing_as_they_should_are_named(kind, size, form):
    methods = ("__getattribute__", "__eq__", "__len__", "__getitem__", "__float__")
    for value in (Never(), Endless(), Liar(), *map(Raises, methods)):
        found = read(Column("told", kind, size=size), value, form=form)
        assert f"'told', row {int(form == 'batch')}" in found
        assert "expected a" in found
