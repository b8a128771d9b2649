"""Where a forecast begins in a long table, and whose its answers are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.forecasts import answer_keys, asked_at
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
