"""Data without an order are split many times, each row being tested as often as any other."""

from __future__ import annotations

import pandas as pd
import pytest

from industry_apps.data import card, load
from industry_apps.data.resampling import split_resampled
from industry_apps.data.rules import Resampling
from industry_apps.errors import LeakageError, ParameterError

ROWS = pd.DataFrame({"number": range(60), "late": [True] * 15 + [False] * 45})


def part_of_run(rule: Resampling, run: int) -> pd.DataFrame:
    return split_resampled(ROWS, rule, target="late", run=run).test


def test_folds_of_a_repeat_test_each_row_once():
    rule = Resampling(repeats=2, folds=5)
    for repeat in (0, 1):
        parts = [part_of_run(rule, repeat * 5 + fold) for fold in range(5)]
        assert sorted(pd.concat(parts)["number"]) == list(range(60))
        assert {part["late"].sum() for part in parts} == {3}
    assert set(part_of_run(rule, 0)["number"]) != set(part_of_run(rule, 5)["number"])


def test_parts_of_a_run_share_no_row():
    rule = Resampling(repeats=3, test=0.2, validation=0.25)
    for run in range(3):
        split = split_resampled(ROWS, rule, target="late", run=run)
        assert [len(part) for part in split] == [36, 12, 12]
        assert sorted(pd.concat(split)["number"]) == list(range(60))


def test_the_same_run_is_the_same_split():
    rule = Resampling(repeats=3, test=0.2)
    pd.testing.assert_frame_equal(part_of_run(rule, 2), part_of_run(rule, 2))
    assert rule.runs == 3
    assert rule.test_share == 0.2


def test_a_run_that_is_not_there_is_refused():
    with pytest.raises(ParameterError, match="3 ways, 0 to 2; got 3"):
        part_of_run(Resampling(repeats=3, test=0.2), 3)
    with pytest.raises(ParameterError, match="is run in 1 ways; there is no run 1"):
        load("finance_card_simulator", run=1)


def test_rows_with_a_time_are_not_split_at_random():
    with pytest.raises(LeakageError, match="'date' is a time"):
        split_resampled(
            ROWS.assign(date=pd.Timestamp("2020-01-01")),
            Resampling(repeats=1, test=0.2),
            target="late",
        )


def test_shares_within_each_user_are_rounded_down():
    frame = pd.DataFrame({"user": list("aaaaaaaabbbbc"), "item": range(13), "rating": 1})
    rule = Resampling(repeats=2, test=0.25, within="user")
    first, second = (split_resampled(frame, rule, target="rating", run=run) for run in (0, 1))
    assert first.train["user"].value_counts().to_dict() == {"a": 6, "b": 3}
    assert first.test["user"].value_counts().to_dict() == {"a": 2, "b": 1, "c": 1}
    assert sorted([*first.train["item"], *first.test["item"]]) == list(range(13))
    assert first.test["item"].tolist() != second.test["item"].tolist()


def test_every_choice_of_groups_is_tested_once():
    rows = pd.DataFrame({"number": range(24), "who": [*"abcdef"] * 4})
    rule = Resampling(repeats=20, test=0.5, group="who", left_out=3)
    splits = [split_resampled(rows, rule, target="who", run=run) for run in range(20)]
    tested = {tuple(sorted(split.test["who"].unique())) for split in splits}
    assert len(tested) == 20
    for split in splits:
        assert not set(split.train["who"]) & set(split.test["who"])
        assert len(split.train) == len(split.test) == 12
        assert split.validation.empty
    with pytest.raises(ParameterError, match="20 ways, not in 6"):
        split_resampled(rows, Resampling(repeats=6, group="who", left_out=3), target="who")


def test_more_splits_are_there_where_all_are_asked_for():
    rule = Resampling(repeats=3, full=8, test=0.2)
    assert (rule.runs, rule.most_runs) == (3, 8)
    assert len(part_of_run(rule, 7)) == 12
    with pytest.raises(ParameterError, match="8 ways, 0 to 7; got 8"):
        part_of_run(rule, 8)
    halves = card("att_faces")
    assert (halves.runs, halves.most_runs) == (10, 40)  # 20 halves, each learned from once
