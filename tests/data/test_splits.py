"""Splits keep time, delay and groups apart; leaks are refused with a remedy."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.data.leakage import check_leakage
from industry_apps.data.splits import (
    split_by_group,
    split_by_time,
    split_latest,
    split_off_latest,
    split_official,
    split_random,
)
from industry_apps.errors import LeakageError, ParameterError, SchemaError

DAYS = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=40, freq="D")})
WEEKS = {
    "time": "time",
    "train": ("2024-01-15", "2024-01-22"),
    "validation": ("2024-01-01", "2024-01-08"),
    "test": ("2024-01-29", "2024-02-05"),
    "delay": 7,
}


def test_periods_are_half_open():
    split = split_by_time(DAYS, **WEEKS)
    assert split.train["time"].agg(["min", "max"]).dt.day.tolist() == [15, 21]
    assert len(split.test) == 7
    assert split.test.index.tolist() == list(range(7))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"delay": 8}, "labels of the train period.*Begin the test at 2024-01-30"),
        ({"validation": ("2024-01-22", "2024-01-29")}, "labels of the validation period"),
        ({"validation": ("2024-01-14", "2024-01-16")}, "inside the training period"),
        ({"test": ("2024-01-20", "2024-01-24"), "delay": 0}, "labels of the train period"),
    ],
)
def test_periods_that_leak_are_refused(change, message):
    with pytest.raises(LeakageError, match=message):
        split_by_time(DAYS, **(WEEKS | change))


def test_periods_without_rows_are_refused():
    with pytest.raises(SchemaError, match="No row lies in the test period"):
        split_by_time(DAYS, **(WEEKS | {"test": ("2025-01-01", "2025-02-01")}))
    with pytest.raises(SchemaError, match=r"test period .* is empty"):
        split_by_time(DAYS, **(WEEKS | {"test": ("2024-02-01", "2024-02-01")}))


def handbook_test(frame: pd.DataFrame, start: int) -> list[int]:
    """Rows of the test by the words of the handbook: 7 days of training from day `start`."""
    day = (frame["time"] - frame["time"].min()).dt.days
    known = set(frame.loc[day.between(start, start + 6) & frame["bad"], "who"])
    kept: list[int] = []
    for d in range(7):
        known |= set(frame.loc[(day == start + 7 + d - 1) & frame["bad"], "who"])
        today = frame[day == start + 14 + d]
        kept += today.loc[~today["who"].isin(known), "row"].tolist()
    return kept


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_known_entities_are_left_out_as_in_the_handbook(seed):
    rng = np.random.default_rng(seed)
    rows = 300
    frame = pd.DataFrame(
        {
            "time": pd.Timestamp("2024-01-01")
            + pd.to_timedelta(np.sort(np.r_[0, rng.integers(0, 35 * 86_400, rows - 1)]), unit="s"),
            "who": rng.integers(0, 25, rows),
            "bad": rng.random(rows) < 0.1,
            "row": np.arange(rows),
        }
    )
    periods = {
        "train": ("2024-01-15", "2024-01-22"),
        "validation": ("2024-01-08", "2024-01-15"),
        "test": ("2024-01-29", "2024-02-05"),
    }
    split = split_by_time(frame, time="time", **periods, delay=7, known=("who", "bad"))
    assert split.test["row"].tolist() == handbook_test(frame, 14)
    assert split.validation["row"].tolist() == handbook_test(frame, -7)


@settings(max_examples=50, deadline=None)
@given(st.integers(20, 200), st.integers(0, 3), st.integers(0, 100))
def test_latest_rows_are_the_test(rows, delay, seed):
    hours = np.random.default_rng(seed).integers(0, 24 * 120, rows)
    frame = pd.DataFrame({"time": pd.Timestamp("2024-01-01") + pd.to_timedelta(hours, unit="h")})
    split = split_latest(frame, time="time", delay=delay)
    check_leakage(split.train, split.validation, time="time", delay=delay)
    check_leakage(split.validation, split.test, time="time", delay=delay)
    assert split.test["time"].max() == frame["time"].max()
    assert abs(len(split.test) - 0.2 * rows) <= 0.2 * rows


def test_official_parts():
    frame = pd.DataFrame({"x": [1, 2, 3, 4], "part": ["test", "train", "train", "validation"]})
    split = split_official(frame, part="part")
    assert [part["x"].tolist() for part in split] == [[2, 3], [4], [1]]
    with pytest.raises(SchemaError, match="'dev'; expected train"):
        split_official(frame.replace("validation", "dev"), part="part")


def test_groups_stay_together():
    frame = pd.DataFrame({"machine": np.arange(200) % 20, "x": np.arange(200)})
    split = split_by_group(frame, group="machine", seed=1)
    assert [part["machine"].nunique() for part in split] == [12, 4, 4]
    assert sum(map(len, split)) == 200
    check_leakage(split.train, split.test, group="machine")
    check_leakage(split.validation, split.test, group="machine")


def test_a_subject_is_the_same_as_number_and_as_text():
    known = pd.DataFrame({"who": [1, 2, None]})
    with pytest.raises(LeakageError, match="such as '1'"):
        check_leakage(known, pd.DataFrame({"who": ["1", "3"]}), group="who")
    check_leakage(known, pd.DataFrame({"who": ["3", None]}), group="who")


def test_times_that_are_none_cannot_be_compared():
    days = pd.DataFrame({"day": [1, 2]})
    with pytest.raises(SchemaError, match=r"'day' is of the type int64.*to_datetime"):
        check_leakage(days, days, time="day")


def test_random_split_keeps_shares_and_repeats():
    frame = pd.DataFrame({"x": np.arange(500), "bad": np.arange(500) % 5 == 0})
    split = split_random(frame, target="bad", seed=3)
    assert [len(part) for part in split] == [300, 100, 100]
    assert [part["bad"].mean() for part in split] == [0.2, 0.2, 0.2]
    assert sorted(pd.concat(split)["x"]) == list(range(500))
    again = split_random(frame, target="bad", seed=3)
    pd.testing.assert_frame_equal(split.test, again.test)
    assert not split.test.equals(split_random(frame, target="bad", seed=4).test)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("when", pd.date_range("2024-01-01", periods=10), "'when' is a time.*split_latest"),
        ("Date", ["2024"] * 10, "'Date' is a time"),
        ("seen", [f"2024-01-{day:02} 08:00" for day in range(1, 11)], "'seen' is a time"),
        ("seen", [date(2024, 1, day) for day in range(1, 11)], "'seen' is a time"),
        ("customer", list("aabbccddee"), "'customer' names a subject.*split_by_group"),
        ("patient_id", [1, 2, 3, 4, 5] * 2, "'patient_id' names a subject"),
    ],
)
def test_random_split_of_dependent_rows_is_refused(column, values, message):
    frame = pd.DataFrame({column: values, "bad": [True, False] * 5})
    with pytest.raises(LeakageError, match=message):
        split_random(frame, target="bad")


@pytest.mark.parametrize("split", [split_latest, split_off_latest])
def test_texts_in_iso_8601_are_times(split):
    texts = DAYS.assign(time=DAYS["time"].dt.strftime("%Y-%m-%d"), row=np.arange(len(DAYS)))
    dated = DAYS.assign(row=np.arange(len(DAYS)))
    for ours, theirs in zip(split(dated, time="time"), split(texts, time="time"), strict=True):
        assert ours["row"].tolist() == theirs["row"].tolist()
    with pytest.raises(SchemaError, match=r"Column 'time', row 2.*got 'soon', expected a time"):
        split(texts.assign(time=["2024-01-01", "2024-01-02", "soon", "x"] * 10), time="time")


@pytest.mark.parametrize("values", [[1, 2] * 10, ["a", "b", "c", "d"] * 5 * 20])
def test_few_values_that_come_again_often_are_no_subjects(values):
    frame = pd.DataFrame({"group": values, "bad": [True, False] * (len(values) // 2)})
    assert len(split_random(frame, target="bad").train) == 0.6 * len(values)


def test_an_ignored_column_does_not_decide_a_split():
    frame = pd.DataFrame({"customer": list("aabbccddee"), "bad": [True, False] * 5})
    assert len(split_random(frame, target="bad", ignore=("customer",)).train) == 6


def test_random_split_accepts_a_subject_with_one_row_each():
    frame = pd.DataFrame({"customer": range(20), "bad": [True, False] * 10})
    assert len(split_random(frame, target="bad").train) == 12


@pytest.mark.parametrize("shares", [(0.0, 0.2), (0.5, 0.5), (0.2, 1.0)])
def test_shares_are_checked(shares):
    validation, test = shares
    with pytest.raises(ParameterError, match="together below 1"):
        split_by_group(DAYS, group="time", validation=validation, test=test)


def test_leaks_are_named():
    first, later = DAYS.iloc[:20], DAYS.iloc[25:]
    check_leakage(first, later, time="time", delay=6)
    with pytest.raises(LeakageError, match=r"begin at 2024-01-26.*up to 2024-01-20.*7 days"):
        check_leakage(first, later, time="time", delay=7)
    with pytest.raises(LeakageError, match="split_by_time"):
        check_leakage(first, first, time="time")
    with pytest.raises(LeakageError, match="'time': 1 values, such as '2024-01-20"):
        check_leakage(first, DAYS.iloc[19:], group="time")
