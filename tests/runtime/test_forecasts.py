"""Where a forecast begins in a long table, and whose its answers are."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.inputs import table_of
from industry_apps.runtime.series.forecasts import answer_keys, asked_at, question_of
from industry_apps.schema import Column, Schema

RULE = WindowRule(series="shop", time="day", length=4, horizon=2, step="day")
SCHEMA = Schema(
    (
        Column(name="day", kind="datetime", role="known"),
        Column(name="sold", kind="number", role="history"),
        Column(name="price", kind="number", role="known"),
        Column(name="size", kind="number"),
    )
)


def table() -> pd.DataFrame:
    """Two shops; the third of January is in no row, and sales end on the fifth."""
    days = pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-04", "2024-01-05"])
    future = pd.to_datetime(["2024-01-06", "2024-01-07"])
    rows = [
        {"shop": shop, "day": day, "sold": 1.0 + n, "price": 9.0, "size": 3.0}
        for shop in "AB"
        for n, day in enumerate(days)
    ]
    rows += [
        {"shop": shop, "day": day, "sold": None, "price": 8.0, "size": 4.0}
        for shop in "AB"
        for day in future
    ]
    return pd.DataFrame(rows)


def read(frame: pd.DataFrame) -> Panel:
    return Panel.read(frame, SCHEMA, RULE)


def test_a_step_without_a_row_is_a_step():
    panel = read(table())
    assert len(panel.times) == 7
    assert np.isnan(panel.columns["sold"][2]).all()


def test_a_forecast_begins_behind_the_last_known_history():
    panel = read(table())
    stop = asked_at(panel, SCHEMA, RULE)
    assert stop == 5
    feeds = panel.feeds(stop, SCHEMA, RULE)
    assert feeds["sold"].tolist()[0][1:] == pytest.approx([np.nan, 3, 4], nan_ok=True)
    assert feeds["price"].shape == (2, 6)
    assert feeds["price"][0, -2:].tolist() == [8, 8]
    assert feeds["size"][:, 0].tolist() == [4, 4]  # the row of the future says so
    first = feeds["day"].astype("datetime64[s]").astype("datetime64[D]")[0]
    assert first[[0, -1]].astype(str).tolist() == ["2024-01-02", "2024-01-07"]


def test_answers_are_named_by_series_and_future_moment():
    keys = answer_keys(read(table()), 5, RULE)
    assert keys["shop"].tolist() == ["A", "A", "B", "B"]
    assert keys["day"].astype("datetime64[D]").astype(str)[:2].tolist() == [
        "2024-01-06",
        "2024-01-07",
    ]


def test_time_is_known_beyond_the_table():
    frame = table()[["shop", "day", "sold", "size"]].dropna().assign(price=None)
    panel = read(frame)
    assert asked_at(panel, SCHEMA, RULE) == len(panel.times) == 5
    last = answer_keys(panel, 5, RULE)["day"][-1]
    assert str(last) == "2024-01-07T00:00:00"


def test_what_is_known_in_advance_has_to_be_given():
    frame = table()
    frame.loc[frame["day"] == "2024-01-07", "price"] = None
    with pytest.raises(SchemaError, match=r"'price'.*2024-01-07T.*step 2 .*Add rows of the future"):
        asked_at(read(frame), SCHEMA, RULE)


def test_what_is_known_in_advance_has_to_be_given_of_each_series():
    frame = table()
    lacks = (frame["day"] == "2024-01-07") & (frame["shop"] == "B")
    frame.loc[lacks, "price"] = None
    match = r"'price'.*'B' has no value of it at 2024-01-07T.*step 2 .*or leave the series out"
    with pytest.raises(SchemaError, match=match):
        asked_at(read(frame), SCHEMA, RULE)
    with pytest.raises(SchemaError, match=match):
        asked_at(read(frame[~lacks]), SCHEMA, RULE)
    assert asked_at(read(frame[frame["shop"] == "A"]), SCHEMA, RULE) == 5  # the remedy
    never = table()
    never.loc[never["shop"] == "B", "price"] = None  # as in training, maybe
    assert asked_at(read(never), SCHEMA, RULE) == 5


def test_rows_ahead_of_a_series_without_a_past_are_named_where_another_lacks_its_own():
    frame = table().replace({"shop": {"A": "P001", "B": "P002"}})
    ahead = frame["day"] > "2024-01-05"
    for misspelt in (ahead, frame["day"] == "2024-01-07"):  # all of them, or one
        shop = frame["shop"].mask(misspelt & (frame["shop"] == "P001"), "P0O1")
        with pytest.raises(SchemaError, match=r"'P001' has no .*of 'P0O1': .*correct the name"):
            asked_at(read(frame.assign(shop=shop)), SCHEMA, RULE)
    lacking = frame[~(ahead & (frame["shop"] == "P001"))]
    with pytest.raises(SchemaError, match=r"leave the series out\.$"):
        asked_at(read(lacking), SCHEMA, RULE)


def test_a_series_misspelt_ahead_is_refused_and_a_new_one_is_not():
    schema = SCHEMA.without(["price"])
    frame = table().replace({"shop": {"A": "North", "B": "South"}})
    ahead = frame["day"] > "2024-01-05"
    wrong = frame.assign(shop=frame["shop"].mask(ahead & (frame["shop"] == "South"), "sotuh"))
    with pytest.raises(SchemaError, match=r"'shop': 'sotuh' has rows ahead.*Did you mean 'South'"):
        asked_at(Panel.read(wrong, schema, RULE), schema, RULE)
    kept = wrong[wrong["shop"] != "South"]
    assert asked_at(Panel.read(kept, schema, RULE), schema, RULE) == 5  # the remedy
    new = pd.concat([frame, frame[ahead].assign(shop="Sotuh")])
    assert asked_at(Panel.read(new.drop_duplicates(), schema, RULE), schema, RULE) == 5


def test_without_any_history_there_is_no_forecast():
    with pytest.raises(SchemaError, match="No row has a value of 'sold'"):
        asked_at(read(table().assign(sold=None)), SCHEMA, RULE)


def test_a_wrong_date_is_not_laid_out():
    frame = table()
    rule = WindowRule(series="shop", time="day", length=4, step="minute")
    frame = pd.concat([frame, frame.assign(shop="C")])
    frame["day"] = frame["day"].astype("datetime64[s]")
    frame.iloc[0, 1] = pd.Timestamp("1100-01-01").as_unit("s")
    with pytest.raises(SchemaError, match=r"1100-01-01.*Correct the dates"):
        Panel.read(frame, SCHEMA, rule)


def test_two_rows_of_one_step_are_refused():
    frame = table()
    frame.loc[1, "day"] = pd.Timestamp("2024-01-01 12:00")
    with pytest.raises(SchemaError, match="'A' has 2 rows"):
        read(frame)


def test_a_horizon_needs_a_step():
    with pytest.raises(ParameterError, match="'horizon' needs a 'step'"):
        WindowRule(series="shop", time="day", length=4, horizon=2)


def test_panels_join_over_a_gap():
    frame = table()
    early, late = frame[frame["day"] < "2024-01-03"], frame[frame["day"] > "2024-01-03"]
    joined, whole = read(early).joined(read(late)), read(frame)
    assert joined.times.tolist() == whole.times.tolist()
    for name, grid in whole.columns.items():
        np.testing.assert_array_equal(grid, joined.columns[name])


def monthly(moments, **changes) -> tuple[pd.DataFrame, WindowRule]:
    """Rows of one shop at some moments, and a rule that has learned from month ends."""
    rule = replace(RULE, step="month", anchor=(0, 31, 0))
    rows = {"shop": "A", "day": moments, "sold": 1.0, "price": np.nan, "size": 3.0}
    return pd.DataFrame(rows), replace(rule, **changes)


def days_ahead(frame: pd.DataFrame, rule: WindowRule) -> list[str]:
    asked = question_of(frame, SCHEMA, rule)
    fed = asked.feeds["day"][0, -rule.horizon :].astype("datetime64[s]")
    assert fed.tolist() == asked.keys["day"][: rule.horizon].tolist()
    return asked.keys["day"][: rule.horizon].astype("datetime64[D]").astype(str).tolist()


def test_month_ends_are_followed_by_month_ends():
    frame, rule = monthly(pd.date_range("2018-01-31", "2022-12-31", freq="ME"))
    assert days_ahead(frame, rule) == ["2023-01-31", "2023-02-28"]
    frame, rule = monthly(pd.to_datetime(["2022-08-31"]))
    assert days_ahead(frame, rule) == ["2022-09-30", "2022-10-31"]


def test_a_rule_of_an_old_file_has_no_anchor():
    frame, rule = monthly(pd.to_datetime(["2022-07-31", "2022-08-31"]), anchor=None)
    old = {k: v for k, v in rule.to_dict().items() if k not in ("anchor", "weekdays", "closed")}
    assert days_ahead(frame, WindowRule.from_dict(old)) == ["2022-10-01", "2022-10-31"]


def test_a_rule_goes_through_json():
    rule = replace(RULE, anchor=(0,), weekdays=(0, 4), closed=("2024-12-25",))
    assert WindowRule.from_dict(json.loads(json.dumps(rule.to_dict()))) == rule


def test_a_row_off_the_steps_is_refused():
    frame, rule = monthly(pd.to_datetime(["2022-06-30", "2022-07-29", "2022-08-31"]))
    match = r"'day', row 1: got 2022-07-29T.*a Friday, expected the end of a month.*drop the row"
    with pytest.raises(SchemaError, match=match):
        question_of(frame, SCHEMA, rule)
    question_of(frame.drop(1).reset_index(drop=True), SCHEMA, rule)


def test_a_table_of_another_frequency_is_refused():
    rule = replace(RULE, anchor=(0,))
    frame, _ = monthly(pd.date_range("2024-01-01", periods=12, freq="W-MON"))
    with pytest.raises(SchemaError, match=r"'day': all rows lie 7 steps or more apart.*of a day"):
        question_of(frame, SCHEMA, rule)
    between = frame.assign(day=frame["day"] + pd.Timedelta(days=1), sold=np.nan)
    question_of(pd.concat([frame, between], ignore_index=True), SCHEMA, rule)


@pytest.mark.parametrize("anchor", [(), (0, 31, 0)])
def test_an_anchor_belongs_to_its_step(anchor):
    with pytest.raises(ParameterError, match="'anchor' of WindowRule must have 1 ints"):
        replace(RULE, anchor=anchor)
    with pytest.raises(ParameterError, match="'weekdays' and 'closed'"):
        replace(RULE, weekdays=(0, 1))
    with pytest.raises(ParameterError, match="'half-month' needs an 'anchor'"):
        replace(RULE, step="half-month")


BERLIN = pd.date_range("2024-03-25", periods=12, tz="Europe/Berlin")


@pytest.mark.parametrize(
    "moments",
    [
        BERLIN,
        BERLIN.to_pydatetime(),
        [f"2024-01-{day:02}T00:00+09:00" for day in range(1, 13)],
        table_of(pa.table({"day": pa.array(BERLIN.as_unit("us"))}), SCHEMA)["day"],
    ],
)
def test_days_of_a_time_zone_are_refused(moments):
    rule = replace(RULE, anchor=(0,))
    frame, _ = monthly(pd.date_range("2024-03-25", periods=12))
    table = {**frame.to_dict("list"), "day": moments}
    match = r"'day', row 0: got a time in (Europe/Berlin|UTC\+09:00), .*tz_localize\(None\)"
    with pytest.raises(SchemaError, match=match):
        question_of(table, SCHEMA, rule)


def test_the_remedy_for_a_time_zone_counts_local_days():
    rule = replace(RULE, anchor=(0,), weekdays=(0, 1, 2, 3, 4, 5))
    frame, _ = monthly(BERLIN[BERLIN.weekday < 6])
    with pytest.raises(SchemaError, match="Europe/Berlin"):
        question_of(frame, SCHEMA, rule)
    local = frame.assign(day=frame["day"].dt.tz_localize(None))
    assert days_ahead(local, rule) == ["2024-04-06", "2024-04-08"]


def test_times_in_utc_are_welcome():
    rule = replace(RULE, anchor=(0,))
    frame, _ = monthly(pd.date_range("2024-03-25", periods=12, tz="UTC"))
    assert days_ahead(frame, rule) == ["2024-04-06", "2024-04-07"]


def test_a_weekday_that_never_is_open_is_no_gap_and_a_holiday_is_one():
    days = pd.bdate_range("2024-12-16", "2024-12-30").drop(pd.Timestamp("2024-12-25"))
    frame, _ = monthly(days)
    rule = replace(RULE, anchor=(0,), weekdays=(0, 1, 2, 3, 4), length=20)
    sold = question_of(frame, SCHEMA, rule).feeds["sold"][0]
    assert np.isnan(sold).tolist() == [True] * 9 + [False] * 7 + [True] + [False] * 3
    declared = replace(rule, closed=("2024-12-25", "2025-01-01"))
    sold = question_of(frame, SCHEMA, declared).feeds["sold"][0]
    assert np.isnan(sold).tolist() == [True] * 10 + [False] * 10
    assert days_ahead(frame, declared) == ["2024-12-31", "2025-01-02"]
    frame.loc[3, "day"] = pd.Timestamp("2024-12-21")
    with pytest.raises(SchemaError, match=r"row 3: .* a Saturday, expected .* on Monday, Tue"):
        question_of(frame, SCHEMA, rule)
