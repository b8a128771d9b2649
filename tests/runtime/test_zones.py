"""Hours by the clock of a zone: days of 23 and 25 hours, in each way of writing the times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.series.forecasts import question_of
from industry_apps.schema import Column, Schema

SCHEMA = Schema((Column("load", "number", role="history"), Column("warm", "number", role="known")))
ZONE = "Europe/Berlin"
RULE = WindowRule(
    series="area", time="time", length=48, horizon=24, step="hour", anchor=(0,), zone=ZONE
)


def hours(first: str, last: str) -> pd.DataFrame:
    """A row for each hour that passes, loads that count up."""
    times = pd.date_range(first, last, freq="h", tz=ZONE)
    values = np.arange(len(times), dtype=float)
    return pd.DataFrame({"area": "A", "time": times, "load": values, "warm": values})


def by_the_wall(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(time=table["time"].dt.tz_localize(None))


def in_utc(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(time=table["time"].dt.tz_convert("UTC"))


def as_text(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(time=[each.isoformat() for each in table["time"]])


FORMS = [lambda table: table, by_the_wall, in_utc]


@pytest.mark.parametrize("form", FORMS)
def test_the_hour_that_comes_twice_is_the_mean_of_both(form):
    table = hours("2024-10-26", "2024-10-27T23:00")
    assert len(table) == 49
    panel = Panel.read(form(table), SCHEMA, RULE)
    assert len(panel.times) == 48
    assert panel.columns["load"][25:28, 0].tolist() == [25, 26.5, 28]


@pytest.mark.parametrize("form", FORMS)
def test_the_hour_that_is_skipped_is_a_gap_and_not_answered(form):
    table = form(hours("2024-03-29", "2024-03-31T23:00"))
    ahead = pd.to_datetime(table["time"], utc=True) >= pd.Timestamp("2024-03-30T23:00", tz="UTC")
    if form is by_the_wall:
        ahead = table["time"] >= "2024-03-31"
    table.loc[ahead, "load"] = np.nan
    asked = question_of(table, SCHEMA, RULE)
    shown = pd.DatetimeIndex(asked.keys["time"])
    assert len(shown) == 23
    assert "2024-03-31T02:00" not in shown
    answers = np.arange(24.0)[None]
    assert asked.rows(answers).tolist() == [0, 1, *range(3, 24)]


def test_times_with_their_offset_as_text_are_told_apart():
    # Each offset is a zone of its own to a table, so texts are given in UTC.
    table = as_text(in_utc(hours("2024-10-26", "2024-10-27T23:00")))
    assert Panel.read(table, SCHEMA, RULE).columns["load"][26, 0] == 26.5


def test_a_time_that_the_clock_never_shows_is_refused():
    table = by_the_wall(hours("2024-03-30", "2024-03-31T05:00"))
    table.loc[27, "time"] = pd.Timestamp("2024-03-31T02:00")
    with pytest.raises(SchemaError, match=r"'time', row 27: got 2024-03-31T02:00:00.*in UTC"):
        Panel.read(table, SCHEMA, RULE)


def test_other_hours_do_not_come_twice():
    table = by_the_wall(hours("2024-10-26", "2024-10-27T23:00"))
    with pytest.raises(SchemaError, match=r"has 2 rows of 2024-10-26T00:00:00"):
        Panel.read(pd.concat([table, table.iloc[:1]]), SCHEMA, RULE)
    thrice = table[table["time"] == "2024-10-27T02:00"].iloc[:1]
    with pytest.raises(SchemaError, match=r"has 3 rows of 2024-10-27T02:00:00"):
        Panel.read(pd.concat([table, thrice]), SCHEMA, RULE)


def test_a_zone_that_nobody_knows_is_refused():
    with pytest.raises(ParameterError, match="'Europe/Atlantis' is not known"):
        WindowRule(series="area", time="time", length=1, zone="Europe/Atlantis")
