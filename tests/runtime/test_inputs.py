"""One record and a table of one row become the same feeds, or the same refusal."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from industry_apps.errors import SchemaError
from industry_apps.runtime import inputs
from industry_apps.runtime.inputs import feeds_of, is_record, slices, table_of
from industry_apps.runtime.records import RecordReader
from industry_apps.schema import Column, Schema
from industry_apps.schema.values import DTYPES

COLUMNS = [
    Column(name="x", kind="number"),
    Column(name="x", kind="number", low=0.1, high=0.7),
    Column(name="x", kind="number", nullable=False),
    Column(name="x", kind="boolean"),
    Column(name="x", kind="category"),
    Column(name="x", kind="category", categories=("a", "b")),
    Column(name="x", kind="category", nullable=False),
    Column(name="x", kind="text"),
    Column(name="x", kind="datetime"),
]
anything = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.floats(width=32).map(np.float32)
    | st.text(st.characters(), max_size=5)
    | st.sampled_from(["a", "b", "", "2024-02-29T12:00:00.999", np.str_("a"), b"a", 10**400])
    | st.sampled_from(
        ["\ud83d", pd.NA, pd.NaT, np.nan, Decimal("0.5"), np.bool_(True), np.int8(1), 1j, {}]
    )
    | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30))
    | st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
    | st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)).map(pd.Timestamp)
)


def outcome(make: Any) -> Any:
    try:
        return make()
    except SchemaError as error:
        return str(error)


@settings(max_examples=300)
@given(anything)
def test_a_record_is_read_as_a_table_of_one_row(value: Any) -> None:
    for column in COLUMNS:
        schema = Schema((column,))
        singly = outcome(lambda schema=schema: RecordReader(schema)({"x": value})["x"])
        table = outcome(
            lambda schema=schema: feeds_of(schema.to_arrays({"x": [value]}), schema)["x"]
        )
        assert type(singly) is type(table)
        if isinstance(singly, str):
            assert singly == table
        else:
            assert singly.shape == (1, 1)
            assert singly.dtype == DTYPES[column.kind]
            assert_array_equal(singly, table)


SCHEMA = Schema(
    (
        Column(name="amount", kind="number"),
        Column(name="country", kind="category", required=False),
    )
)


def test_an_absent_column() -> None:
    read = RecordReader(SCHEMA)
    assert read({"amount": 1.0})["country"].item() == ""
    with pytest.raises(SchemaError, match=r"Column 'amount' \(number\) is missing.*Did you mean"):
        read({"amuont": 1.0})


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"a": 1, "b": "text", "c": None}, True),
        ({}, True),
        ({"a": np.float32(1), "b": np.array(2.0), "c": pd.Timestamp(0), "d": {"e": [1]}}, True),
        ({"a": [1]}, False),
        ({"a": 1, "b": (2,)}, False),
        ({"a": np.array([1])}, False),
        ({"a": pd.Series([1])}, False),
        ({"a": pd.date_range("2000", periods=1)}, False),
        ({"a": pd.array([1])}, False),
        ([{"a": 1}], False),
        (pd.DataFrame({"a": [1]}), False),
    ],
)
def test_a_record_is_told_from_a_table(data: Any, expected: bool) -> None:
    assert is_record(data, SCHEMA) is expected


def test_tables_of_all_forms() -> None:
    frame = pd.DataFrame({"amount": [1.0, None], "country": ["DE", None], "more": [1, 2]})
    columns = {name: frame[name].to_numpy() for name in frame}
    records = frame.to_dict("records")
    forms = [frame, columns, records, tuple(records), pa.Table.from_pandas(frame)]
    expected = SCHEMA.to_arrays(frame)
    for data in forms:
        found = SCHEMA.to_arrays(table_of(data, SCHEMA))
        for name, values in expected.items():
            assert_array_equal(found[name], values)


def test_an_index_stored_in_an_arrow_table_is_a_column() -> None:
    frame = pd.DataFrame({"amount": [1.0], "country": ["DE"]}).set_index("country")
    found = SCHEMA.to_arrays(table_of(pa.Table.from_pandas(frame), SCHEMA))
    assert found["country"].tolist() == ["DE"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (5, "Cannot read records from int. Give a dict, a list of dicts, a DataFrame"),
        (b"amount", "Cannot read records from bytes"),
        (pd.Series([1.0]), "Cannot read records from Series"),
        ((r for r in [{}]), "Cannot read records from generator"),
        ([{"amount": 1.0}, [2.0]], "Row 1: got list, expected a dict"),
        ([{"amount": 1.0}, {"country": "DE"}], "Row 1: column 'amount' is missing. Add it"),
        (["amount"], "Row 0: got str, expected a dict"),
    ],
)
def test_what_is_no_table(data: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        table_of(data, SCHEMA)


def test_records_that_know_nothing_are_records_still() -> None:
    optional = Schema((Column(name="user", kind="category", required=False),))
    for records in ([{}, {}], [{"country": "DE"}, {"country": "FR"}]):
        assert optional.to_arrays(table_of(records, optional))["user"].tolist() == ["", ""]


def test_a_list_that_no_model_knows_does_not_make_a_table() -> None:
    assert is_record({"amount": 1.0, "tags": ["a", "b"]}, SCHEMA)
    assert not is_record({"amount": [1.0], "tags": "a"}, SCHEMA)


def test_no_records_are_a_table_of_no_rows() -> None:
    assert [len(values) for values in SCHEMA.to_arrays(table_of([], SCHEMA)).values()] == [0, 0]


@given(st.integers(1, 40), st.integers(1, 12))
def test_slices_cover_all_rows_in_order(rows: int, most: int) -> None:
    feeds = {name: np.arange(rows).reshape(-1, 1) for name in SCHEMA.names}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inputs, "ROWS_A_RUN", most)
        parts = list(slices(feeds, SCHEMA))
    assert max(len(part["amount"]) for part in parts) <= most
    assert len(parts) == -(-rows // most)
    for name in SCHEMA.names:
        assert_array_equal(np.concatenate([part[name] for part in parts]), feeds[name])


def test_recordings_are_run_few_at_a_time_and_padded_to_the_longest_of_these() -> None:
    schema = Schema((Column("a", "number", size=None, nullable=False, rate=1000),))
    sounds = np.full((7, inputs.SAMPLES_A_RUN // 3), np.nan, dtype=np.float32)
    lengths = [300, 200, 400, 900, 200, 300, inputs.SAMPLES_A_RUN // 3]
    for row, length in enumerate(lengths):
        sounds[row, :length] = row
    parts = [part["a"] for part in slices({"a": sounds}, schema)]
    assert [part.shape for part in parts] == [(3, 400), (3, 900), (1, lengths[-1])]
    assert_array_equal(np.concatenate([part[:, 0] for part in parts]), np.arange(7))
