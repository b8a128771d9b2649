"""Records of many columns: read by the quick way or column by column, always alike."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from industry_apps.runtime.inputs import feeds_of
from industry_apps.runtime.records import Buffers, RecordReader
from industry_apps.schema import Column, Schema
from tests.runtime.test_inputs import anything, outcome

SCHEMA = Schema(
    (
        Column(name="paid", kind="number"),
        Column(name="age", kind="number", low=0, high=120),
        Column(name="rate", kind="number", low=0.1, nullable=False),
        Column(name="debt", kind="number", required=False),
        Column(name="seen", kind="number", high=2e9, required=False, offset=1.7e9),
        Column(name="own", kind="boolean"),
        Column(name="new", kind="boolean", required=False, nullable=False),
        Column(name="country", kind="category"),
        Column(name="size", kind="category", categories=("small", "large")),
        Column(name="code", kind="category", nullable=False),
        Column(name="remark", kind="text", required=False),
        Column(name="time", kind="datetime"),
        Column(name="since", kind="datetime", required=False),
    )
)
USUAL: dict[str, Any] = {
    "paid": 12.5,
    "age": 40,
    "rate": 0.5,
    "own": True,
    "new": False,
    "country": "DE",
    "size": "small",
    "code": "Z\u00fcrich",
    "time": "2024-02-29T12:00:00+02:00",
}


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(SCHEMA.names), anything, max_size=3))
def test_a_record_is_a_table_of_one_row(changes: dict[str, Any]) -> None:
    record = {**USUAL, **changes}
    singly = outcome(lambda: RecordReader(SCHEMA)(record))
    table = outcome(lambda: feeds_of(SCHEMA.to_arrays({n: [v] for n, v in record.items()}), SCHEMA))
    assert type(singly) is type(table)
    if isinstance(singly, str):
        assert singly == table
        return
    assert set(singly) == set(table)
    for name, values in table.items():
        assert singly[name].dtype == values.dtype
        assert_array_equal(singly[name], values)


def test_missing_numbers_codes_and_texts_of_times_are_usual() -> None:
    reader = RecordReader(SCHEMA)
    assert reader.plain(USUAL) is not None
    for changes in ({"paid": None}, {"age": float("nan")}, {"code": 7}, {"size": None}):
        assert reader.plain({**USUAL, **changes}) is not None


def test_what_holds_no_column_is_no_record() -> None:
    schema = Schema((Column(name="age", kind="number", required=False),))
    assert RecordReader(schema).plain({"other": [1, 2]}) is None


def test_reading_adds_nothing_to_a_record() -> None:
    record = defaultdict(lambda: 1.0, {key: USUAL[key] for key in USUAL if key != "age"})
    assert "Column 'age' (number) is missing" in outcome(lambda: RecordReader(SCHEMA)(record))
    assert "age" not in record


def test_buffers_show_the_latest_record() -> None:
    reader = RecordReader(SCHEMA)
    buffers = Buffers(reader)
    for paid in (1.0, None, 3.0):
        plain = reader.plain({**USUAL, "paid": paid})
        assert plain is not None
        buffers.hold(plain)
        assert_array_equal(buffers.feeds["paid"], np.array([[paid]], dtype=np.float32))
