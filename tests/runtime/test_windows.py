"""Long tables become windows, each series in its place, and nothing of the future in them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.errors import LeakageError, ParameterError, SchemaError
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.series.long_tables import long_schema
from industry_apps.schema import Column, Schema

SCHEMA = Schema(
    (
        Column(name="close", kind="number", role="history", low=0),
        Column(name="open_today", kind="boolean", role="history", required=False),
        Column(name="held", kind="number", required=False),
        Column(name="sector", kind="category", required=False),
        Column(name="listed", kind="datetime", required=False),
        Column(name="isin", kind="category", role="identifier"),
    )
)
RULE = WindowRule(series="ticker", time="date", length=3)
NAN = float("nan")


def table(**changes: Any) -> dict[str, Any]:
    """Two series over three days; B has no row on the second."""
    columns = {
        "ticker": ["B", "A", "A", "B", "A"],
        "date": ["2024-01-04", "2024-01-03", "2024-01-04", "2024-01-02", "2024-01-02"],
        "close": [9.0, 2.0, 3.0, 7.0, 1.0],
        "held": [0.5, 0.1, None, 0.2, 0.3],
        "sector": ["oil", "tech", "", "gas", "tech"],
    }
    return {**columns, **changes}


def read(**changes: Any) -> Panel:
    return Panel.read(table(**changes), SCHEMA, RULE)


def equal(first: Panel, second: Panel) -> bool:
    return (
        first.times.tolist() == second.times.tolist()
        and first.series.tolist() == second.series.tolist()
        and first.columns.keys() == second.columns.keys()
        and all(
            pd.Series(a.ravel()).equals(pd.Series(second.columns[n].ravel()))
            for n, a in first.columns.items()
        )
    )


def test_series_lie_side_by_side() -> None:
    panel = read()
    day = 86_400
    start = 19_724 * day  # 2024-01-02
    assert panel.times.tolist() == [start, start + day, start + 2 * day]
    assert panel.times.dtype == np.int64
    assert panel.series.tolist() == ["A", "B"]
    assert panel.columns["close"].dtype == np.float32
    np.testing.assert_array_equal(panel.columns["close"], [[1, 7], [2, NAN], [3, 9]])
    assert panel.columns["sector"].tolist() == [["tech", "gas"], ["tech", ""], ["", "oil"]]
    assert np.isnan(panel.columns["open_today"]).all()  # optional, and absent
    assert set(panel.columns) == set(SCHEMA.inputs().names)
    assert panel.present.tolist() == [[True, True], [True, False], [True, True]]


@pytest.mark.parametrize(
    "dates",
    [
        pd.to_datetime(table()["date"]),
        pd.Series(pd.to_datetime(table()["date"])),
        [datetime.fromisoformat(day) for day in table()["date"]],
        [date.fromisoformat(day) for day in table()["date"]],
        np.array(table()["date"], dtype="datetime64[D]"),
        np.array(table()["date"], dtype="datetime64[s]").astype(np.int64),
        np.array(table()["date"]),
        pd.Series(table()["date"], dtype="category"),
    ],
)
def test_times_of_every_type_are_the_same(dates: Any) -> None:
    assert equal(read(date=dates), read())


def test_tables_of_every_form_are_the_same() -> None:
    frame = pd.DataFrame(table(), index=[9, 8, 7, 6, 5])
    assert equal(Panel.read(frame, SCHEMA, RULE), read())
    frame["ticker"] = frame["ticker"].astype("category")
    assert equal(Panel.read(frame.assign(other=1), SCHEMA, RULE), read())
    assert Panel.read(frame.assign(ticker=[2, 1, 1, 2, 1]), SCHEMA, RULE).series.tolist() == [
        "1",
        "2",
    ]


def test_windows_end_before_their_stop_and_are_padded_in_front() -> None:
    panel = read()
    (window,) = panel.window(2, 3, ["close"]).values()
    np.testing.assert_array_equal(window, [[NAN, 1, 2], [NAN, 7, NAN]])
    assert window.flags.c_contiguous
    assert window.dtype == np.float32
    np.testing.assert_array_equal(panel.window(3, 2)["close"], [[2, 3], [NAN, 9]])
    assert np.isnan(panel.window(0, 3)["close"]).all()
    assert set(panel.window(3, 1)) == {"close", "open_today", "held"}  # all that are numbers
    for stop in (-1, 4):
        with pytest.raises(ParameterError, match=r"'stop' .* in \[0, 3\]"):
            panel.window(stop, 3)


def test_features_are_those_of_the_last_row() -> None:
    panel = read()
    names = ["held", "sector", "listed"]
    found = panel.latest(3, names)
    np.testing.assert_array_equal(found["held"], np.array([NAN, 0.5], dtype=np.float32))
    assert found["sector"].tolist() == ["", "oil"]
    np.testing.assert_array_equal(
        panel.latest(2, names)["held"], np.array([0.1, 0.2], dtype=np.float32)
    )
    assert panel.latest(2, names)["sector"].tolist() == ["tech", "gas"]
    nothing = panel.latest(0, names)
    assert np.isnan(nothing["held"]).all()
    assert nothing["sector"].tolist() == ["", ""]


def test_feeds_have_the_shapes_of_the_inputs() -> None:
    feeds = read().feeds(3, SCHEMA, RULE)
    assert list(feeds) == SCHEMA.inputs().names
    assert {name: array.shape for name, array in feeds.items()} == {
        "close": (2, 3),
        "open_today": (2, 3),
        "held": (2, 1),
        "sector": (2, 1),
        "listed": (2, 1),
    }
    assert feeds["listed"].dtype == np.int64


def test_the_series_and_the_time_may_be_inputs_themselves() -> None:
    keys = (Column(name="ticker", kind="category"), Column(name="date", kind="datetime"))
    schema = Schema((*keys, SCHEMA["close"]))
    feeds = Panel.read(table(), schema, RULE).feeds(2, schema, RULE)
    assert feeds["ticker"].ravel().tolist() == ["A", "B"]
    assert np.diff(feeds["date"].ravel()).tolist() == [-86_400]  # B has no row of that day


prices = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(0, 9), st.floats(0, 100, width=32)),
    min_size=1,
    max_size=25,
    unique_by=lambda row: row[:2],
)


def panel_of(rows: list[tuple[str, int, float]]) -> Panel:
    owners, steps, closes = zip(*rows, strict=True)
    long = {"ticker": owners, "date": np.array(steps), "close": closes, "held": closes}
    return Panel.read(long, SCHEMA, RULE)


@given(rows=prices, order=st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_the_order_of_rows_does_not_matter_and_a_frame_says_the_same(rows: Any, order: Any) -> None:
    panel = panel_of(rows)
    for owner, step, close in rows:
        at = panel.times.tolist().index(step), panel.series.tolist().index(owner)
        assert panel.columns["close"][at] == np.float32(close)
    assert panel.present.sum() == len(rows)
    assert equal(Panel.read(panel.to_frame(RULE), SCHEMA, RULE), panel)
    shuffled = list(rows)
    order.shuffle(shuffled)
    assert equal(panel_of(shuffled), panel)


@given(rows=prices, moment=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_the_future_does_not_reach_a_window(rows: Any, moment: int) -> None:
    panel = panel_of(rows)
    stop = int(np.searchsorted(panel.times, moment, side="right"))
    changed = panel_of([(o, t, c + 1 if t > moment else c) for o, t, c in rows])
    for other in (changed, panel.upto(stop)):
        theirs = other.feeds(stop, SCHEMA, RULE)
        for name, ours in panel.feeds(stop, SCHEMA, RULE).items():
            np.testing.assert_array_equal(theirs[name], ours)


@given(rows=prices, moment=st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_a_panel_cut_in_two_is_joined_again(rows: Any, moment: int) -> None:
    before = [row for row in rows if row[1] <= moment]
    after = [row for row in rows if row[1] > moment]
    if before and after:
        assert equal(panel_of(before).joined(panel_of(after)), panel_of(rows))
        with pytest.raises(LeakageError, match=r"The history ends at 1970-01-01T00:00:0"):
            panel_of(after).joined(panel_of(before))


def test_panels_of_other_columns_are_not_joined() -> None:
    other = Schema((SCHEMA["close"],))
    with pytest.raises(SchemaError, match="Read both with the same schema"):
        read().joined(Panel.read(table(), other, RULE))


BERLIN, TOKYO = "Europe/Berlin", "Asia/Tokyo"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"date": ["2024-01-04", "2024-01-03", "2024-01-03", "2024-01-02", "2024-01-02"]},
            r"Series 'A' has 2 rows of 2024-01-03T00:00:00 \(rows 1, 2\), expected one",
        ),
        (
            {"ticker": ["B", "A", None, "B", "A"]},
            r"Column 'ticker', row 2 \(series '', time 2024-01-04T00:00:00\): got no value",
        ),
        (
            {"date": ["2024-01-04", None, "2024-01-04", "2024-01-02", "2024-01-02"]},
            r"Column 'date', row 1 \(series 'A', time NaT\): got no value",
        ),
        (
            {"close": [9.0, -2.0, 3.0, 7.0, 1.0]},
            r"Column 'close', row 1: got .*-2.0.*, expected .* 0",
        ),
        ({name: [] for name in table()}, "the table has no rows"),
        (
            {
                "date": [
                    pd.Timestamp(d, tz=TOKYO if n > 2 else BERLIN)
                    for n, d in enumerate(table()["date"])
                ]
            },
            r"row 3 \(series 'B', .*\): got a time in Asia/Tokyo, expected Europe/Berlin",
        ),
        (
            {
                "date": [
                    pd.Timestamp(d, tz=TOKYO if n == 4 else None)
                    for n, d in enumerate(table()["date"])
                ]
            },
            r"got a time in Asia/Tokyo, expected no time zone .* exchange's local date",
        ),
        (
            {
                "date": [
                    d + ("T00:00+09:00" if n == 2 else "") for n, d in enumerate(table()["date"])
                ]
            },
            r"row 2 \(series 'A', .*got a time in UTC\+09:00, expected no time zone",
        ),
    ],
)
@pytest.mark.parametrize("form", [dict, pd.DataFrame])
def test_bad_tables_are_refused(changes: dict[str, Any], said: str, form: Any) -> None:
    with pytest.raises(SchemaError, match=said):
        Panel.read(form(table(**changes)), SCHEMA, RULE)


def test_columns_of_several_lengths_are_refused() -> None:
    with pytest.raises(SchemaError, match="The columns differ in length"):
        read(close=[1.0])


@pytest.mark.parametrize("name", ["ticker", "date", "close"])
def test_a_column_that_is_missing_is_named(name: str) -> None:
    frame = pd.DataFrame(table()).rename(columns={name: f"{name}s"})
    with pytest.raises(SchemaError, match=f"'{name}' .* is missing. Did you mean .* '{name}s'"):
        Panel.read(frame, SCHEMA, RULE)


def test_one_zone_on_both_sides_of_summer_time_is_one() -> None:
    days = [pd.Timestamp(f"2024-{month}-01", tz=BERLIN) for month in ("01", "03", "05", "07", "09")]
    assert len(read(date=days).times) == 5
    assert len(read(date=pd.Series(days)).times) == 5


def test_a_rule_is_checked_and_travels_as_json() -> None:
    rule = WindowRule(series="ticker", time="date", length=64, together=True)
    plain = {"series": "ticker", "time": "date", "length": 64, "together": True}
    calendar = {"anchor": None, "weekdays": (), "closed": ()}
    further = {"horizon": 0, "step": "", "zone": "", "as_of": "table"}
    forecasts = {"forecasts": (), "issued": ""}
    assert rule.to_dict() == {**plain, **calendar, **further, **forecasts}
    assert WindowRule.from_dict(plain) == rule  # as earlier versions wrote it
    assert WindowRule.from_dict({**rule.to_dict(), "of a later version": 1}) == rule
    with pytest.raises(
        ParameterError, match="'length' parameter of WindowRule must be an int >= 1"
    ):
        WindowRule(series="ticker", time="date", length=0)


def test_the_schema_must_agree_with_the_rule() -> None:
    assert long_schema(SCHEMA, RULE).names[:3] == ["ticker", "date", "close"]
    wrong = Schema((*SCHEMA.columns, Column(name="date", kind="text")))
    with pytest.raises(SchemaError, match="'date' is declared as a text"):
        Panel.read(table(), wrong, RULE)
    with pytest.raises(SchemaError, match="'history', which is for kinds"):
        Column(name="note", kind="text", role="history")


def test_series_with_clocks_of_their_own_end_together():
    rule = WindowRule(series="ticker", time="date", length=2, as_of="series")
    own = Panel.read(table(), SCHEMA, rule)
    # A has three rows and B two, of other days: both end with the last step.
    window = own.window(stop=3, length=3)["close"]
    np.testing.assert_array_equal(window, [[1, 2, 3], [NAN, 7, 9]])
    again = Panel.read(own.to_frame(rule), SCHEMA, rule)
    assert equal(own, again)
    assert own.clocks is not None
    assert again.clocks is not None
    known = own.present
    assert (own.clocks[known] == again.clocks[known]).all()
    # Whatever else is in the table, and when it was: only the order of its own rows counts.
    late = table(date=["2025-01-04", "2024-01-03", "2024-01-04", "2024-01-02", "2024-01-02"])
    assert equal(own, Panel.read(late, SCHEMA, rule))


def test_two_rows_of_a_moment_are_refused_whatever_the_clock():
    rule = WindowRule(series="ticker", time="date", length=2, as_of="series")
    twice = table(date=["2024-01-04", "2024-01-03", "2024-01-03", "2024-01-02", "2024-01-02"])
    with pytest.raises(
        SchemaError, match=r"Series 'A' has 2 rows of 2024-01-03.*rows 1, 2.*'date'"
    ):
        Panel.read(twice, SCHEMA, rule)


def test_clocks_of_their_own_know_no_horizon():
    for further in ({"together": True}, {"step": "day"}, {"horizon": 2, "step": "day"}):
        with pytest.raises(ParameterError, match="clock of its own"):
            WindowRule(series="a", time="b", length=2, as_of="series", **further)
    with pytest.raises(ParameterError, match="'as_of'"):
        WindowRule(series="a", time="b", length=2, as_of="row")
    rule = WindowRule(series="a", time="b", length=2, step="index", as_of="series")
    assert WindowRule.from_dict(rule.to_dict()) == rule
