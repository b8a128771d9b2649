"""Columns and schemas: what is taken, what is refused, and how the refusal is worded."""

from __future__ import annotations

import json
import math
import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from industry_apps.errors import SchemaError
from industry_apps.schema import Column, Schema, infer_columns
from industry_apps.schema.values import DTYPES, MISSING_TIME, is_single, parse_moment

NUMBER = Column(name="x", kind="number")
FLAG = Column(name="b", kind="boolean")
CATEGORY = Column(name="c", kind="category")
TEXT = Column(name="t", kind="text")
TIME = Column(name="w", kind="datetime")
KINDS = [NUMBER, FLAG, CATEGORY, TEXT, TIME]
MISSING = [None, math.nan, np.nan, pd.NA, pd.NaT, np.datetime64("NaT"), np.float32("nan")]
BERLIN = timezone(timedelta(hours=2))
ARROW = {kind: pd.ArrowDtype(kind) for kind in (pa.int64(), pa.string(), pa.bool_())}


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        (NUMBER, [1, 2.5, None], [1, 2.5, np.nan]),
        (NUMBER, [True, 3], [1, 3]),
        (NUMBER, (Decimal("1.5"), np.int8(2)), [1.5, 2]),
        (NUMBER, range(3), [0, 1, 2]),
        (NUMBER, np.array([[1.0], [2.0]]), [1, 2]),
        (NUMBER, pd.Series([1, None], dtype="Int64"), [1, np.nan]),
        (NUMBER, pd.array([1.5, None], dtype="Float32"), [1.5, np.nan]),
        (NUMBER, pd.Series([1, None], dtype=ARROW[pa.int64()]), [1, np.nan]),
        (NUMBER, pd.Series(pd.Categorical([2, 1, 2])), [2, 1, 2]),
        (NUMBER, pd.Index([1, 2]), [1, 2]),
        (NUMBER, [], []),
        (NUMBER, pd.Series([pd.NaT, pd.NaT]), [np.nan, np.nan]),
        (NUMBER, [np.array(1.5), np.bool_(True)], [1.5, 1]),
        (CATEGORY, pd.Series([pd.NaT, pd.NaT]), ["", ""]),
        (TIME, [np.nan, np.nan], [MISSING_TIME, MISSING_TIME]),
        (FLAG, [True, 0, np.True_, None, 1.0], [1, 0, 1, np.nan, 1]),
        (FLAG, pd.Series([True, None], dtype="boolean"), [1, np.nan]),
        (CATEGORY, ["a", None, np.str_("b"), ""], ["a", "", "b", ""]),
        (CATEGORY, [7, 7.0, 7.5, True, np.False_], ["7", "7", "7.5", "True", "False"]),
        (CATEGORY, [2**60 + 1, 0.5], [str(2**60 + 1), "0.5"]),
        (CATEGORY, pd.Series([2**60 + 1, None], dtype="Int64"), [str(2**60 + 1), ""]),
        (CATEGORY, np.array([0.1, np.inf, np.nan], dtype=np.float32), ["0.1", "inf", ""]),
        (CATEGORY, [np.float32(0.1), np.inf, np.nan], ["0.1", "inf", ""]),
        (CATEGORY, pd.Series([True, None], dtype="boolean"), ["True", ""]),
        (CATEGORY, pd.Series([True, None], dtype=ARROW[pa.bool_()]), ["True", ""]),
        (CATEGORY, pd.Series(["a", None], dtype="string"), ["a", ""]),
        (CATEGORY, pd.Series(["a", None], dtype=ARROW[pa.string()]), ["a", ""]),
        (CATEGORY, pd.Series(pd.Categorical(["b", None, "a", "b"])), ["b", "", "a", "b"]),
        (CATEGORY, pd.Series(pd.Categorical([1.0, None, 2.5])), ["1", "", "2.5"]),
        (TEXT, np.array(["a", "b c"]), ["a", "b c"]),
        (TEXT, [np.nan, "ß\0字"], ["", "ß\0字"]),
        (TIME, ["1970-01-02", "1970-01-01T01:00:00+01:00", ""], [86400, 0, MISSING_TIME]),
        (TIME, [datetime(1970, 1, 1, 2, tzinfo=BERLIN), date(1970, 1, 2)], [0, 86400]),
        (TIME, [pd.Timestamp("1970-01-01 00:00:07.9"), np.datetime64(3, "s")], [7, 3]),
        (TIME, [datetime(1969, 12, 31, 23, 59, 59, 1)], [-1]),
        (TIME, [5, None, np.int32(6)], [5, MISSING_TIME, 6]),
        (TIME, pd.date_range("1970-01-01", periods=2, tz="Europe/London"), [-3600, 82800]),
        (TIME, pd.Series(pd.date_range("1970-01-02", periods=1, tz="UTC")), [86400]),
        (TIME, pd.Series(["1970-01-01", None], dtype="datetime64[us, UTC]"), [0, MISSING_TIME]),
        (TIME, pd.Series([5, None], dtype="Int64"), [5, MISSING_TIME]),
        (TIME, np.array(["1500-01-01", "NaT"], dtype="M8[D]"), [-14_831_769_600, MISSING_TIME]),
    ],
)
def test_values_of_many_types(column: Column, values: Any, expected: list[Any]) -> None:
    array = column.to_array(values)
    assert array.dtype == DTYPES[column.kind]
    assert_array_equal(array, np.array(expected, dtype=array.dtype))


@pytest.mark.parametrize("column", KINDS)
@pytest.mark.parametrize("value", MISSING, ids=repr)
def test_whatever_people_write_for_missing(column: Column, value: Any) -> None:
    array = column.to_array([value, value])
    assert column.is_missing(array).all()
    assert_array_equal(array, column.missing(2))
    strict = Column(name="x", kind=column.kind, nullable=False)
    with pytest.raises(SchemaError, match=r"Column 'x', row 0: got .*, expected a value\. Fill it"):
        strict.to_array([value])


@pytest.mark.parametrize(
    ("column", "values", "row", "expected"),
    [
        (NUMBER, [1.0, "2"], 1, "a number"),
        (NUMBER, [None, [1, 2], [3, 4]], 1, "a number"),
        (NUMBER, [1, {"a": 1}], 1, "a number"),
        (NUMBER, [np.array([1.0])], 0, "a number"),
        (NUMBER, pd.Series([1.0, np.array([1, 2])]), 1, "a number"),
        (NUMBER, [1.0, b"2"], 1, "a number"),
        (NUMBER, [1j], 0, "a number"),
        (NUMBER, pd.Series(pd.to_timedelta([1], unit="s")), 0, "a number"),
        (NUMBER, pd.to_datetime([None, "2000-01-01"]), 1, "a number"),
        (NUMBER, [1, np.datetime64("2000-01-01", "ns"), np.str_("5")], 1, "a number"),
        (NUMBER, np.array(["5"]), 0, "a number"),
        (NUMBER, [1.0, np.inf], 1, "a finite number"),
        (NUMBER, [1.0, -1e39], 1, "a finite number"),
        (NUMBER, [1, 10**400], 1, "a finite number"),
        (NUMBER, [1.5, 10**400], 1, "a finite number"),
        (NUMBER, [np.inf, -np.inf], 0, "a finite number"),
        (FLAG, [True, 2], 1, "True, False, 0, 1 or missing"),
        (FLAG, [None, "yes"], 1, "a boolean"),
        (FLAG, [np.inf], 0, "True, False, 0, 1 or missing"),
        (CATEGORY, ["a", b"b"], 1, "a string"),
        (CATEGORY, ["a", ["b"]], 1, "a string"),
        (CATEGORY, ["a", date(2000, 1, 1)], 1, "a string"),
        (CATEGORY, pd.Series(pd.cut([1, 5], 2)), 0, "a string"),
        (CATEGORY, pd.to_datetime([None, "2000-01-01"]), 1, "a string"),
        (CATEGORY, np.array([b"a"]), 0, "a string"),
        (CATEGORY, ["a", "\ud83d"], 1, "valid Unicode"),
        (TEXT, [np.nan, "a", 3.0], 2, "a string"),
        (TEXT, pd.Series([np.nan, 3.0]), 1, "a string"),
        (TEXT, ["ok", "half a smile \ud83d"], 1, "valid Unicode"),
        (TIME, ["2000-01-01", "1.1.2000"], 1, "a time"),
        (TIME, [None, 5.5], 1, "a time"),
        (TIME, [True], 0, "a time"),
        (TIME, [None, {}], 1, "a time"),
    ],
)
def test_what_is_refused_is_named(column: Column, values: Any, row: int, expected: str) -> None:
    with pytest.raises(SchemaError) as caught:
        column.to_array(values)
    message = str(caught.value)
    assert message.startswith(f"Column {column.name!r}, row {row}: got "), message
    assert f"expected {expected}" in message
    assert message.endswith(".")


@given(st.lists(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()))
def test_no_junk_gets_through_unchecked(values: list[Any]) -> None:
    for column in KINDS:
        try:
            array = column.to_array(values)
        except SchemaError:
            continue
        assert len(array) == len(values)
        singly = [column.to_array([value])[0] for value in values]
        assert_array_equal(array, np.array(singly, dtype=array.dtype))


def test_limits_are_inclusive_and_worded() -> None:
    share = Column(name="share", kind="number", low=0.1, high=0.7, unit="of all")
    assert_array_equal(share.to_array([0.1, 0.7, None]), np.float32([0.1, 0.7, np.nan]))
    with pytest.raises(SchemaError) as caught:
        share.to_array([0.5, 0.71])
    assert str(caught.value) == (
        "Column 'share', row 1: got 0.71, expected a number <= 0.7 of all. Correct the value, or "
        "leave it missing if it is not known."
    )
    with pytest.raises(SchemaError, match=r"row 0: got 0.0, expected a number >= 0.1 of all"):
        share.to_array([0.0])


def test_a_limit_does_not_advise_what_its_column_refuses() -> None:
    share = Column(name="share", kind="number", high=1, nullable=False)
    with pytest.raises(SchemaError, match=r"expected a number <= 1\. Correct the value\.$"):
        share.to_array([2.0])
    version = Column(name="version", kind="number", low=1, high=1, nullable=False)
    with pytest.raises(SchemaError, match=r"got 2\.0, expected 1, its only value\. Compute the"):
        version.to_array([1.0, 2.0])


def test_a_closed_list_of_categories() -> None:
    channel = Column(name="channel", kind="category", categories=("web", "shop"))
    assert channel.to_array(["web", None, "shop"]).tolist() == ["web", "", "shop"]
    with pytest.raises(SchemaError, match=r"row 1: got 'wep', expected one of \['web', 'shop'\]"):
        channel.to_array(["web", "wep"])
    with pytest.raises(SchemaError, match="Did you mean 'web'"):
        channel.to_array(["wep"])
    with pytest.raises(SchemaError, match="Correct the value"):
        channel.to_array(["letter"])


def test_the_label_of_a_row_is_named_beside_its_position() -> None:
    values = pd.Series([1.0, np.inf], index=["first", "second"])
    with pytest.raises(SchemaError, match=r"row 1 \(index 'second'\): got inf,"):
        NUMBER.to_array(values)
    with pytest.raises(SchemaError, match=r"row 1: got"):
        NUMBER.to_array(values.reset_index(drop=True))


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(SchemaError, match=r"\(1000002 characters\)") as caught:
        NUMBER.to_array(["x" * 1_000_000])
    assert len(str(caught.value)) < 300


def test_values_are_not_changed_in_place() -> None:
    frame = pd.DataFrame({"x": [1.0, None], "c": ["a", None], "w": pd.to_datetime(["2000", None])})
    before = frame.copy(deep=True)
    arrays = Schema((NUMBER, CATEGORY, TIME)).to_arrays(frame)
    for array in arrays.values():
        array[:] = array[::-1].copy()
    pd.testing.assert_frame_equal(frame, before)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))
def test_moments_before_and_after_1970(moment: datetime) -> None:
    whole = moment.replace(microsecond=0, tzinfo=UTC)
    seconds = int((whole - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1))
    for form in (moment, moment.isoformat(), moment.replace(tzinfo=UTC), np.datetime64(moment)):
        assert TIME.to_array([form]).tolist() == [seconds]
    assert parse_moment(moment) == np.datetime64(moment, "us")


def test_one_value_is_told_from_a_column() -> None:
    single = [1, 1.5, "ab", b"ab", None, pd.NA, np.float32(1), np.array(1.0), {"a": [1]}, {1, 2}]
    columns = [[1], (), np.array([1]), pd.Series([1]), pd.Index([1]), pd.array([1]), pa.array([1])]
    assert all(map(is_single, single))
    assert not any(map(is_single, columns))


SCHEMA = Schema(
    (
        Column(name="x", kind="number", low=0, unit="EUR", description="What is paid"),
        Column(name="c", kind="category", categories=("a", "b"), required=False, protected=True),
        Column(name="id", kind="category", role="identifier", required=False),
    )
)


def test_a_schema_is_a_small_container() -> None:
    assert len(SCHEMA) == 3
    assert [column.name for column in SCHEMA] == SCHEMA.names == ["x", "c", "id"]
    assert "x" in SCHEMA
    assert "y" not in SCHEMA
    assert SCHEMA["c"].protected
    with pytest.raises(KeyError):
        SCHEMA["y"]
    assert SCHEMA.inputs().names == ["x", "c"]
    assert SCHEMA.extended([TIME]).names == ["x", "c", "id", "w"]


def test_json_and_pickle_keep_a_schema() -> None:
    stored = json.loads(json.dumps(SCHEMA.to_json()))
    assert Schema.from_json(stored) == SCHEMA
    assert Schema.from_json([column | {"of a later version": 1} for column in stored]) == SCHEMA
    assert pickle.loads(pickle.dumps(SCHEMA)) == SCHEMA


def test_a_table_becomes_arrays() -> None:
    for table in (
        {"x": [1.0], "more": ["ignored"]},
        pd.DataFrame({"more": ["ignored"], "x": [1.0]}),
    ):
        arrays = SCHEMA.to_arrays(table)
        assert list(arrays) == ["x", "c", "id"]
        assert [array.tolist() for array in arrays.values()] == [[1.0], [""], [""]]
        SCHEMA.validate(table)


def test_a_frame_without_any_known_column_keeps_its_rows() -> None:
    optional = Schema((Column(name="a", kind="number", required=False),))
    assert len(optional.to_arrays(pd.DataFrame({"b": [1, 2, 3]}))["a"]) == 3
    assert len(optional.to_arrays({"b": [1, 2, 3]})["a"]) == 3
    assert len(optional.to_arrays({})["a"]) == 0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"y": [1.0]}, r"Column 'x' \(number\) is missing.*The table has: y"),
        (pd.DataFrame({"X1": [1], "xx": [1]}), "Did you mean the column 'xx'"),
        (pd.DataFrame([[1, 2]], columns=["x", "x"]), "Column 'x' appears twice"),
        (pd.DataFrame({0: [1.0]}), "Column 'x'.*The table has: 0"),
        ({"x": [1.0, 2.0], "c": ["a"]}, "differ in length: {'x': 2, 'c': 1}"),
        ({"x": [1.0, 2.0], "c": "ab"}, "Column 'c': got 'ab', expected one value a row"),
        ({"x": 1.0, "c": ["a"]}, r"Column 'c': got \['a'\], expected one value, as other columns"),
        ({"x": [1.0, -2.0]}, "Column 'x', row 1: got -2.0, expected a number >= 0 EUR"),
        ({"x": np.ones((2, 2))}, r"array of shape \(2, 2\)"),
    ],
)
def test_a_table_that_does_not_fit(table: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        SCHEMA.validate(table)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "x", "kind": "float"}, "has kind 'float'; expected one of"),
        ({"name": "x", "kind": "number", "role": "key"}, "has role 'key'; expected one of"),
        ({"name": "", "kind": "number"}, "A column is named ''"),
        ({"name": 5, "kind": "number"}, "A column is named 5"),
    ],
)
def test_a_wrong_column_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Column(**wrong)


def test_a_column_declared_twice_is_refused() -> None:
    with pytest.raises(SchemaError, match="Column 'x' is declared twice"):
        Schema((NUMBER, NUMBER))


def test_columns_are_inferred() -> None:
    rows = 120
    frame = pd.DataFrame(
        {
            "age": np.linspace(20, 80, rows),
            "children": [0, 1, 2] * 40,
            "number": range(rows),
            "member": [True, False] * 60,
            "since": pd.date_range("2000", periods=rows),
            "country": ["DE", "FR", None] * 40,
            "band": pd.Categorical(["young", "old"] * 60),
            "iban": [f"DE{n}" for n in range(rows)],
            "note": [f"a note of some words {n}" for n in range(rows)],
            "empty": [None] * rows,
            "nullable": pd.array([1, None] * 60, dtype="Int64"),
            "left": 0,
        }
    )
    found = {c.name: (c.kind, c.role) for c in infer_columns(frame, skip=["left"])}
    assert found == {
        "age": ("number", "feature"),
        "children": ("number", "feature"),
        "number": ("number", "identifier"),
        "member": ("boolean", "feature"),
        "since": ("datetime", "feature"),
        "country": ("category", "feature"),
        "band": ("category", "feature"),
        "iban": ("category", "identifier"),
        "note": ("text", "feature"),
        "empty": ("category", "feature"),
        "nullable": ("number", "feature"),
    }
    assert not any(column.required for column in infer_columns(frame))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame({"a": [[1], [2]]}), r"Column 'a', row 0: got \[1\], expected a string"),
        (pd.DataFrame({"a": [{}] * 101}), r"Column 'a', row 0: got \{\}, expected a string"),
        (pd.DataFrame([[1, 2]]), "A column is named 0"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Column 'a' is declared twice"),
    ],
)
def test_what_cannot_be_inferred_is_named(frame: pd.DataFrame, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Schema(infer_columns(frame))


def test_long_names_of_few_levels_are_categories():
    levels = ["existing ones paid back so far", "no credits, or all paid back"]
    (column,) = infer_columns(pd.DataFrame({"history": levels * 50}))
    assert column.kind == "category"


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["2024-02-29", None, "2024-03-01"], "datetime"),
        (["2024-02-29T23:10", "2024-03-01 04:05:06Z"], "datetime"),
        (["2024-02-29", "soon"], "category"),
        (["2024-02", "2024-03"], "category"),
        (["2024-02-29 to 2024-03-01"], "category"),
    ],
)
def test_times_of_a_csv_file_are_times(texts: list[str | None], kind: str) -> None:
    (column,) = infer_columns(pd.DataFrame({"since": texts * 60}))
    assert (column.kind, column.role) == (kind, "feature")


def test_a_day_that_is_none_is_named():
    frame = pd.DataFrame({"since": ["2024-02-29", "2023-02-29"]})
    with pytest.raises(SchemaError, match="Column 'since', row 1: got '2023-02-29'"):
        Schema(infer_columns(frame)).validate(frame)


def test_errors_show_values_as_people_write_them():
    column = Column(name="income", kind="number", unit="EUR", low=0)
    with pytest.raises(SchemaError, match=r"row 1: got -250\.0, expected"):
        column.to_array(pd.Series([1.0, -250.0]))
