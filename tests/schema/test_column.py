"""List columns: several values in one column of a record."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import SchemaError
from industry_apps.runtime.inputs import is_record
from industry_apps.runtime.records import RecordReader
from industry_apps.schema import Schema
from industry_apps.schema.column import Column

BOUGHT = Column(name="bought", kind="category", size=None, required=False)
PAIR = Column(name="pair", kind="number", size=2, low=0)


def test_lists_are_filled_up_with_missing_values():
    found = BOUGHT.to_array([["a", "b"], None, [], ["c", None, "d"]])
    assert found.tolist() == [["a", "b", ""], ["", "", ""], ["", "", ""], ["c", "", "d"]]
    assert BOUGHT.is_missing(found).tolist() == [False, True, True, False]


def test_lists_come_in_many_forms():
    frame = pd.DataFrame({"bought": [["a"], ("b",), np.array(["c"])]})
    assert BOUGHT.to_array(frame["bought"]).tolist() == [["a"], ["b"], ["c"]]
    assert PAIR.to_array(np.array([[1.0, 2.0]])).tolist() == [[1, 2]]
    assert BOUGHT.to_array([]).shape == (0, 1)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (BOUGHT, [["a"], "b"], r"row 1: got 'b', expected a list of values. Put the value"),
        (BOUGHT, [["a"], [b"b"]], r"row 1, position 0: got b'b', expected a string"),
        (PAIR, [[1, 2], [3, -4]], r"row 1, position 1: got -4, expected a number >= 0"),
        (PAIR, [[1, 2], [3]], r"row 1: got \[3\], expected 2 values"),
        (Column(name="x", kind="text", size=None, nullable=False), [[]], "at least one value"),
    ],
)
def test_a_wrong_value_is_named_by_row_and_position(column, values, message):
    with pytest.raises(SchemaError, match=message):
        column.to_array(values)


@pytest.mark.parametrize("size", [0, -1, True, "many", 2.0])
def test_a_size_is_a_count(size):
    with pytest.raises(SchemaError, match="has size"):
        Column(name="x", kind="number", size=size)


def test_what_is_known_in_advance_is_a_number_or_a_time():
    with pytest.raises(SchemaError, match="cannot have the role 'known'"):
        Column(name="x", kind="category", role="known")


def test_a_record_may_hold_a_list():
    schema = Schema((Column(name="user", kind="category"), BOUGHT))
    assert is_record({"user": "u", "bought": ["a", "b"]}, schema)
    assert not is_record({"user": ["u", "v"], "bought": [["a"], []]}, schema)
    read = RecordReader(schema)
    feeds = read({"user": "u", "bought": ["a", "b"]})
    assert feeds["bought"].tolist() == [["a", "b"]]
    assert read({"user": "u"})["bought"].tolist() == [[""]]


def test_the_size_travels_with_the_schema():
    schema = Schema((BOUGHT, PAIR))
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema


def test_a_list_among_single_values_is_blamed_itself():
    schema = Schema((Column("age", "number"), Column("sex", "category"), Column("x", "number")))
    for value in ([41.0], (41.0,), np.array([41.0]), [1.0, 2.0]):
        with pytest.raises(SchemaError, match=r"Column 'age': got .*expected one value, as other"):
            schema.to_arrays({"sex": "f", "age": value, "x": 1.0})
    schema.to_arrays({"sex": ["f"], "age": [41.0], "x": [1.0]})  # the remedy
    with pytest.raises(SchemaError, match=r"Column 'x': got 1\.0, expected one value a row"):
        schema.to_arrays({"sex": ["f", "m"], "age": [1.0, 2.0], "x": 1.0})


def test_lists_of_a_record_do_not_hide_the_list_that_is_none():
    age, sex = Column("age", "number"), Column("sex", "category")
    schema = Schema((age, sex, BOUGHT, PAIR))
    record = {"age": 41.0, "sex": "f", BOUGHT.name: ["A"], PAIR.name: [1.0, 2.0]}
    with pytest.raises(SchemaError, match=r"Column 'age': got \[41\.0\], expected one value, as"):
        schema.to_arrays({**record, "age": [41.0]})
    with pytest.raises(SchemaError, match=rf"{PAIR.name!r}: .* expected a list of single values"):
        schema.to_arrays({**record, PAIR.name: [[1.0], [2.0]]})


def test_a_list_of_one_is_a_list():
    one = PAIR.in_lists(1)
    assert one.is_list
    assert not one.of_each.is_list
    assert one.to_array([[3.0], [4.0]]).tolist() == [[3.0], [4.0]]
    assert one.missing(2).shape == (2, 1)
    with pytest.raises(SchemaError, match=r"row 1: got \[1, 2\], expected one value\."):
        one.to_array([[1], [1, 2]])
    read = Schema.from_json(json.loads(json.dumps(Schema((one,)).to_json())))["pair"]
    assert read == one


def test_codes_are_of_numbers_and_categories():
    income = Column("income", "number", low=0, codes=(-9.0, "?"), nullable=False)
    assert income.to_array([-9, 12.5, -9.0]).tolist() == [-9, 12.5, -9]
    with pytest.raises(SchemaError, match=r"'income', row 1: got -8, expected a number >= 0"):
        income.to_array([-9, -8])
    with pytest.raises(SchemaError, match=r"'income', row 1: got '\?', expected a value"):
        income.to_array([-9, "?"])
    size = Column("size", "category", categories=("S", "M"), codes=("?",))
    assert size.to_array(["S", "?"]).tolist() == ["S", "?"]
    schema = Schema((income, size))
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
    with pytest.raises(SchemaError, match="'since' of kind 'datetime' has codes"):
        Column("since", "datetime", codes=(-9.0,))


def test_a_fixed_place_of_a_list_holds_a_value_where_none_may_be_missing() -> None:
    loads = Column("load", "number", size=2, nullable=False)
    with pytest.raises(SchemaError, match="'load', row 1, position 0: got nan"):
        loads.to_array([[1.0, 2.0], [float("nan"), 2.0]])
    assert np.isnan(Column("load", "number", size=2).to_array([[float("nan"), 2.0]])[0, 0])
