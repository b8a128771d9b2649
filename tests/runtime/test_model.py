"""A model file on a serving machine: every form of input answers alike, or is refused alike."""

from __future__ import annotations

import json
import math
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from industry_apps.errors import (
    SchemaError,
)
from industry_apps.runtime import Model, inputs
from tests.tiny_model import SCHEMA, Served

RECORD = {"amount": 612.0, "time": datetime(2024, 2, 3, 23, 10), "country": "DE"}


def plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Records as they come from JSON or a form: Python values, None where missing."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    for row in rows:
        row["time"] = row["time"] and row["time"].to_pydatetime(warn=False)
    return rows


@pytest.fixture(scope="module")
def expected(model: Model, served: Served) -> pd.DataFrame:
    return model.predict(served.frame)


def test_the_file_answers_as_the_trained_model(served: Served, expected: pd.DataFrame) -> None:
    native = served.native(served.frame)
    np.testing.assert_allclose(expected["risk"], native["risk"], atol=1e-5)
    assert expected["refuse"].tolist() == native["refuse"].tolist()
    assert 0.1 < expected["refuse"].mean() < 0.9
    assert expected.dtypes.to_dict() == {"risk": np.float32, "refuse": bool}


def test_one_record_is_the_batch(model: Model, served: Served, expected: pd.DataFrame) -> None:
    for row, record in enumerate(plain(served.frame)[:100]):
        answer = model.predict(record)
        assert list(answer) == ["risk", "refuse"]
        assert type(answer["risk"]) is float
        assert type(answer["refuse"]) is bool
        assert answer["risk"] == pytest.approx(expected["risk"][row], abs=1e-6)
        assert answer["refuse"] == expected["refuse"][row]


def test_every_form_of_table_answers_alike_in_its_own_form(
    model: Model, served: Served, expected: pd.DataFrame
) -> None:
    frame, rows = served.frame, plain(served.frame)
    listed = model.predict(rows)
    assert isinstance(listed, list)
    assert listed == expected.to_dict("records")
    assert model.predict(tuple(rows)) == listed
    columns = model.predict({name: frame[name].to_numpy() for name in frame})
    assert isinstance(columns, dict)
    np.testing.assert_array_equal(columns["risk"], expected["risk"])
    lists = model.predict({name: [row[name] for row in rows] for name in frame})
    np.testing.assert_array_equal(lists["refuse"], expected["refuse"])
    arrow = model.predict(pa.Table.from_pandas(frame))
    assert isinstance(arrow, pa.Table)
    pd.testing.assert_frame_equal(arrow.to_pandas(), expected)


def test_a_frame_keeps_its_index_and_the_order_of_rows_does_not_matter(
    model: Model, served: Served, expected: pd.DataFrame
) -> None:
    order = np.random.default_rng(0).permutation(len(served.frame))
    found = model.predict(served.frame.iloc[order])
    assert found.index.tolist() == order.tolist()
    pd.testing.assert_frame_equal(found.sort_index(), expected)
    named = served.frame.set_index(pd.Index([f"r{n}" for n in order], name="key"))
    assert model.predict(named).index.equals(named.index)


def test_columns_in_any_order_among_others_and_input_unchanged(
    model: Model, served: Served, expected: pd.DataFrame
) -> None:
    frame = served.frame[served.frame.columns[::-1]].assign(more=object(), risk="mine")
    before = frame.copy(deep=True)
    pd.testing.assert_frame_equal(model.predict(frame), expected)
    pd.testing.assert_frame_equal(frame, before)
    record = {**RECORD, "more": [object()], "risk": "mine"}
    kept = dict(record)
    assert model.predict(record) == model.predict(RECORD)  # a list that no model knows
    assert record == kept
    assert model.predict({**RECORD, "more": object()}) == model.predict(RECORD)


def test_runs_join_at_their_borders(
    model: Model, served: Served, expected: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "ROWS_A_RUN", 7)
    found = model.predict(served.frame)
    np.testing.assert_allclose(found["risk"], expected["risk"], atol=1e-6)
    assert found["refuse"].equals(expected["refuse"])


def test_no_rows(model: Model, served: Served) -> None:
    none = model.predict(served.frame.head(0))
    assert none.dtypes.to_dict() == {"risk": np.float32, "refuse": bool}
    assert len(none) == 0
    assert model.predict([]) == []
    assert model.predict(()) == []
    empty = model.predict({name: [] for name in SCHEMA.names})
    assert {name: len(values) for name, values in empty.items()} == {"risk": 0, "refuse": 0}
    arrow = pa.Table.from_pandas(served.frame.head(0))
    assert model.predict(arrow).num_rows == 0


@pytest.mark.parametrize("missing", [None, math.nan, np.nan, pd.NA, pd.NaT, np.float32("nan")])
def test_missing_is_missing_however_it_is_written(model: Model, missing: Any) -> None:
    bare = model.predict(dict.fromkeys(SCHEMA.names))
    record = dict.fromkeys(SCHEMA.names, missing)
    assert model.predict(record) == bare
    assert model.predict([record, record]) == [bare, bare]
    assert model.predict(pd.DataFrame([record])).iloc[0].to_dict() == pytest.approx(bare)
    required = {name: missing for name in SCHEMA.names if SCHEMA[name].required}
    assert model.predict(required) == bare
    assert model.predict({**record, "country": "", "note": "", "time": ""}) == bare


@pytest.mark.parametrize(
    "same",
    [
        {"amount": np.float64(612)},
        {"amount": np.array(612.0)},
        {"amount": np.int16(612), "country": np.str_("DE")},
        {"amount": 612, "time": "2024-02-03T23:10:00"},
        {"time": "2024-02-03T23:10:00.999Z"},
        {"time": "2024-02-04T01:10:00+02:00"},
        {"time": datetime(2024, 2, 3, 23, 10, tzinfo=UTC)},
        {"time": pd.Timestamp("2024-02-04 00:10", tz="Europe/Berlin")},
        {"time": np.datetime64("2024-02-03T23:10")},
        {"time": 1707001800},
        {"note": "", "member": None},
        {"note": "\0", "country": "DE"},
    ],
    ids=str,
)
def test_one_value_has_many_types(model: Model, same: dict[str, Any]) -> None:
    assert model.predict({**RECORD, **same}) == model.predict(RECORD)
    assert model.predict([{**RECORD, **same}]) == [model.predict(RECORD)]


def test_times_of_another_zone_in_a_frame(model: Model, served: Served) -> None:
    time = served.frame["time"].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    local = served.frame.assign(time=time)
    pd.testing.assert_frame_equal(model.predict(local), model.predict(served.frame))
    index = {name: [value] for name, value in RECORD.items()}
    index["time"] = pd.DatetimeIndex([RECORD["time"]], tz="UTC").tz_convert("Asia/Tokyo")
    assert model.predict(index)["risk"][0] == pytest.approx(model.predict(RECORD)["risk"])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"amount": "12"}, r"'amount', row 0: got '12', expected a number"),
        ({"amount": -1}, r"'amount', row 0: got -1, expected a number >= 0 EUR"),
        ({"amount": math.inf}, r"'amount', row 0: got inf, expected a finite number"),
        ({"amount": 10**400}, r"'amount', row 0: got 1000.*expected a finite number"),
        ({"amount": {"a": 1}}, r"'amount', row 0: got \{'a': 1\}, expected a number"),
        ({"amount": {1, 2}}, r"'amount', row 0: got \{1, 2\}, expected a number"),
        ({"amount": [1.0]}, r"Column 'amount': got \[1\.0\], expected one value"),
        ({"time": "yesterday"}, r"'time', row 0: got 'yesterday', expected a time"),
        ({"country": b"DE"}, r"'country', row 0: got b'DE', expected a string"),
        ({"country": "\ud83d"}, r"'country', row 0: .*expected valid Unicode"),
        ({"channel": "wep"}, r"'channel', row 0: got 'wep'.*Did you mean 'web'"),
        ({"member": "yes"}, r"'member', row 0: got 'yes', expected a boolean"),
        ({"note": 5}, r"'note', row 0: got 5, expected a string"),
        ({"note": "\udc00"}, r"'note', row 0: .*expected valid Unicode"),
    ],
)
def test_a_wrong_value_is_refused_alike(model: Model, wrong: dict[str, Any], message: str) -> None:
    record = {**RECORD, **wrong}
    with pytest.raises(SchemaError, match=message):
        model.predict(record)
    if not isinstance(wrong.get("amount"), list):
        with pytest.raises(SchemaError, match=message):
            model.predict([record])
        with pytest.raises(SchemaError, match=message.replace("row 0", "row 1")):
            model.predict([RECORD, record])
        with pytest.raises(SchemaError, match=message):
            model.explain(record)


@pytest.mark.parametrize("name", ["amount", "time", "country"])
def test_a_missing_column_is_named(model: Model, served: Served, name: str) -> None:
    record = {key: value for key, value in RECORD.items() if key != name}
    with pytest.raises(SchemaError, match=f"Column '{name}' .* is missing"):
        model.predict(record)
    with pytest.raises(SchemaError, match=f"Row 1: column '{name}' is missing"):
        model.predict([RECORD, record])
    with pytest.raises(SchemaError, match=f"Column '{name}' .* is missing"):
        model.predict(served.frame.drop(columns=name))


@pytest.mark.parametrize("data", [5, None, object(), pd.Series([1.0]), [5], [[]], b"x"])
def test_what_holds_no_records_is_refused(model: Model, data: Any) -> None:
    with pytest.raises(SchemaError):
        model.predict(data)
    with pytest.raises(SchemaError):
        model.explain(data)


@given(
    st.dictionaries(
        st.sampled_from(SCHEMA.names), st.none() | st.text() | st.floats() | st.integers()
    )
)
def test_a_record_of_anything_is_answered_or_refused_in_words(
    model: Model, record: dict[str, Any]
) -> None:
    answers = []
    for data in (record, [record]):
        try:
            answers.append(model.predict(data))
        except SchemaError as error:
            answers.append(str(error))
    one, listed = answers
    if isinstance(one, dict):
        assert 0 <= one["risk"] <= 1
        assert listed == [one]
    else:
        assert isinstance(listed, str)


def test_a_million_characters(model: Model, served: Served) -> None:
    book = {"country": "x" * 1_000_000, "note": "urgent " * 150_000}
    alone = model.predict({**RECORD, **book})
    unseen = {"country": "never seen", "note": "urgent " * 1000}
    assert alone == pytest.approx(model.predict({**RECORD, **unseen}), abs=1e-6)
    among = model.predict([*plain(served.frame), {**RECORD, **book}, *plain(served.frame)])
    assert among[400] == pytest.approx(alone, abs=1e-6)
    assert among[:400] == among[401:]


def test_threads_share_a_model(model: Model, served: Served, expected: pd.DataFrame) -> None:
    rows = plain(served.frame)

    def work(number: int) -> tuple[list[Any], pd.DataFrame, dict[str, float]]:
        singly = [model.predict(rows[(row + 31 * number) % 400]) for row in range(400)]
        return singly, model.predict(served.frame), model.explain(RECORD)

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    singly = [model.predict(row) for row in rows]
    explained = model.explain(RECORD)
    for number, (answers, frame, effects) in enumerate(results):
        assert answers == [singly[(row + 31 * number) % 400] for row in range(400)]
        pd.testing.assert_frame_equal(frame, expected)
        assert effects == explained


def test_explain_is_the_answer_less_the_answer_without_a_column(
    model: Model, served: Served
) -> None:
    record = {**plain(served.frame)[0], "amount": 900.0, "note": "urgent urgent please"}
    effects = model.explain(record)
    assert sorted(effects) == sorted(SCHEMA.names)
    assert list(effects.values()) == sorted(effects.values(), key=abs, reverse=True)
    reference, answer = model.metadata["reference"], model.predict(record)["risk"]
    for name, effect in effects.items():
        other = model.predict({**record, name: reference[name]})["risk"]
        assert effect == pytest.approx(answer - other, abs=1e-6)
    assert effects["note"] > 0.05
    assert set(model.explain(reference).values()) == {0.0}
    assert model.describe()["explanation"]["unit"] == "risk"


def test_many_records_are_explained_as_each_alone(model: Model, served: Served) -> None:
    records = plain(served.frame)[:7]
    alone = [model.explain(record) for record in records]
    assert model.explain(records) == alone
    table = served.frame.head(7).set_index(pd.Index(list("abcdefg")))
    found = model.explain(table)
    assert found.index.equals(table.index)
    assert found.to_dict("records") == [
        {name: pytest.approx(each[name]) for name in found} for each in alone
    ]
    assert model.explain([]) == []


def test_explain_runs_once(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Any] = []

    class Counting:
        def run(self, names: list[str], feeds: dict[str, Any]) -> list[Any]:
            runs.append(feeds)
            return session.run(names, feeds)

    session = model._session
    monkeypatch.setattr(model._explainer, "_session", Counting())
    model.explain(RECORD)
    assert [len(feeds["amount"]) for feeds in runs] == [1 + len(SCHEMA)]


def test_describe_can_be_printed_and_hides_records_of_people(model: Model) -> None:
    described = model.describe()
    assert json.loads(json.dumps(described)) == described
    assert {"application", "decision", "parity", "versions", "columns", "outputs"} <= set(described)
    assert [column["name"] for column in described["columns"]] == SCHEMA.names
    assert described["columns"][0]["unit"] == "EUR"
    assert not {"self_test", "reference"} & set(described)
