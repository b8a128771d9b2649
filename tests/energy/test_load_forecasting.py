"""Load forecasting: local clocks, stuck meters, feeds into the grid, and what is refused."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from industry_apps.energy import LoadForecaster
from industry_apps.errors import ParameterError, SchemaError, UnlikeTrainingWarning
from industry_apps.recipes import LearningOptions
from industry_apps.runtime import Model

ZONE = "America/New_York"
DAY = pd.Timedelta(days=1)


def hours(first: str, last: str) -> pd.DataFrame:
    """Loads that follow the clock on the wall, and go below zero at noon."""
    times = pd.date_range(first, last, freq="h", tz=ZONE, inclusive="left")
    turn = 2 * np.pi * times.hour.to_numpy() / 24
    noise = np.random.default_rng(0).normal(0, 0.5, len(times))
    frame = pd.DataFrame({"area": "A", "time": times, "load": 40 + 60 * np.cos(turn) + noise})
    return frame.assign(time=frame["time"].dt.tz_convert("UTC"))


def small(**parameters: object) -> LoadForecaster:
    learning = LearningOptions(origins=40, held_out=5)
    chosen = {"model": "ridge", "horizon": 24, "history": 168, "zone": ZONE, **parameters}
    return LoadForecaster(learning=learning, baselines=(), **chosen)


@pytest.fixture(scope="module")
def fitted() -> LoadForecaster:
    return small().fit(hours("2023-01-01", "2023-03-01"))


def test_the_shape_of_the_day_follows_the_clock_on_the_wall(fitted: LoadForecaster):
    """The clock is put forward on 12 March: by UTC, the day begins an hour earlier."""
    found = fitted.predict(hours("2023-02-20", "2023-03-13"))["load_p50"]
    shown = found.index.get_level_values("time")
    assert shown[0] == pd.Timestamp("2023-03-13")
    wave = 40 + 60 * np.cos(2 * np.pi * shown.hour.to_numpy() / 24)
    assert np.abs(found.to_numpy() - wave).max() < 5


def test_a_day_of_23_hours_has_23_answers(fitted: LoadForecaster):
    found = fitted.predict(hours("2023-02-20", "2023-03-12"))
    assert len(found) == 23
    assert pd.Timestamp("2023-03-12T02:00") not in found.index.get_level_values("time")


def test_loads_may_be_negative(fitted: LoadForecaster):
    found = fitted.predict(hours("2023-02-01", "2023-03-01"))
    assert found["load_p50"].min() < -15
    assert not found["flat_history"].any()


def test_the_file_counts_hours_by_the_clock_too(fitted: LoadForecaster, tmp_path: Path):
    table = hours("2023-02-20", "2023-03-12")
    table.loc[table.index[-60:-50], "load"] = 33.0
    model = Model(fitted.export(tmp_path / "load.onnx"))
    ours, theirs = fitted.predict(table), model.predict(table)
    assert theirs["flat_history"].all()
    assert len(theirs) == 23
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=1e-4, atol=1e-3)


def test_a_stuck_meter_is_answered_as_a_gap(fitted: LoadForecaster):
    table = hours("2023-02-01", "2023-03-01")
    stuck, gap = table.copy(), table.copy()
    rows = table.index[-30:-10]
    stuck.loc[rows, "load"], gap.loc[rows, "load"] = 20.0, np.nan
    ours, theirs = fitted.predict(stuck), fitted.predict(gap)
    assert ours["flat_history"].all()
    assert not theirs["flat_history"].any()
    pd.testing.assert_series_equal(ours["load_p50"], theirs["load_p50"])
    assert np.abs(ours["load_p50"] - fitted.predict(table)["load_p50"]).max() < 15


def test_a_stuck_meter_with_missing_values_is_found(fitted: LoadForecaster):
    table = hours("2023-02-01", "2023-03-01")
    stuck = table.copy()
    rows = table.index[-24:]
    stuck.loc[rows, "load"] = np.where(np.arange(24) % 5 == 0, np.nan, 20.0)
    found = fitted.predict(stuck)
    assert found["flat_history"].all()
    assert np.abs(found["load_p50"] - fitted.predict(table)["load_p50"]).max() < 15


def test_loads_that_are_flat_each_night_are_refused_or_learned():
    table = hours("2023-01-01", "2023-03-01")
    night = table["time"].dt.tz_convert(ZONE).dt.hour < 9
    closed = table.assign(load=table["load"].where(~night, 0.0))
    words = r"'load', series 'A': 3\d% of the values lie in runs of 8 .* the longest of 9 times 0"
    with pytest.raises(SchemaError, match=words):
        small().fit(closed)
    found = small(flat_steps=10).fit(closed).predict(closed)
    assert not found["flat_history"].any()
    assert np.abs(found["load_p50"].to_numpy()[:9]).max() < 3


def test_loads_that_never_change_are_refused():
    table = hours("2023-01-01", "2023-03-01").assign(load=0.0)
    with pytest.raises(SchemaError, match=r"'A': 100% of the values lie in runs .* flat_steps=0"):
        small().fit(table)
    assert (small(flat_steps=0).fit(table).predict(table)["load_p50"] == 0).all()


def test_an_hour_that_the_clock_skips_is_refused(fitted: LoadForecaster):
    table = hours("2023-02-20", "2023-03-13")
    table["time"] = table["time"].dt.tz_convert(ZONE).dt.tz_localize(None)
    table.loc[table.index[-1], "time"] = pd.Timestamp("2023-03-12T02:00")
    with pytest.raises(SchemaError, match=r"2023-03-12T02:00:00, which the clock in America/New"):
        fitted.predict(table)


def test_hours_of_a_zone_need_the_name_of_it():
    table = hours("2023-01-01", "2023-02-20")
    table["time"] = table["time"].dt.tz_convert(ZONE)
    with pytest.raises(SchemaError, match=r"got a time in America/New_York, expected none or UTC"):
        small(zone="").fit(table)


def test_an_unknown_zone_or_member_is_refused():
    table = hours("2023-01-01", "2023-02-20")
    with pytest.raises(ParameterError, match=r"'zone' .* 'America/New_York'"):
        small(zone="New York").fit(table)
    with pytest.raises(ParameterError, match=r"'members' .* two or more of"):
        small(members=("ridge",)).fit(table)


def test_kilowatts_among_megawatts_are_refused(fitted: LoadForecaster):
    table = hours("2023-02-01", "2023-03-01")
    mixed = table.copy()
    mixed.loc[mixed["time"] >= pd.Timestamp("2023-02-15T05:00Z"), "load"] *= 1000
    words = r"'load', series 'A': from 2023-02-15T00:00:00 on values are \S+ times those"
    with pytest.raises(SchemaError, match=words):
        fitted.predict(mixed)
    with pytest.raises(SchemaError, match=words):
        small().fit(mixed)


def test_a_table_in_kilowatts_is_named(fitted: LoadForecaster):
    table = hours("2023-02-01", "2023-03-01")
    with pytest.warns(UnlikeTrainingWarning, match=r"'load', series 'A': values are \S+ times"):
        found = fitted.predict(table.assign(load=1000 * table["load"]))
    np.testing.assert_allclose(
        found["load_p50"], 1000 * fitted.predict(table)["load_p50"], rtol=1e-3
    )


def test_hours_of_another_zone_are_named(fitted: LoadForecaster):
    """Times without a zone are those of the clock; here they are of UTC, five hours ahead."""
    table = hours("2023-02-01", "2023-03-01")
    wrong = table.assign(time=table["time"].dt.tz_localize(None))
    with pytest.warns(UnlikeTrainingWarning, match=r"of the day is that of training 5 hours later"):
        fitted.predict(wrong)


def test_what_is_known_ahead_is_named_where_it_is_shifted():
    table = hours("2023-01-01", "2023-03-02").assign(time=lambda t: t["time"].dt.tz_localize(None))
    turn = 2 * np.pi * table["time"].dt.hour.to_numpy() / 24
    table["temperature"] = (
        5 - 8 * np.cos(turn - 1) + np.random.default_rng(1).normal(0, 1, len(turn))
    )
    fitted = small(zone="", known=("temperature",)).fit(table[:-24])
    ask = table.assign(load=table["load"].where(table.index < len(table) - 24))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(ask)
    ahead = ask.index[-24:]
    ask.loc[ahead, "temperature"] = np.roll(ask.loc[ahead, "temperature"], 6)
    with pytest.warns(UnlikeTrainingWarning, match=r"'temperature', series 'A': .* 6 hours later"):
        fitted.predict(ask)
    with pytest.raises(SchemaError, match=r"'temperature' is known in advance, .* step 1 of the"):
        fitted.predict(ask.assign(time=ask["time"].where(ask.index < ahead[0], ask["time"] + DAY)))


def test_duplicated_hours_are_refused_and_missing_ones_are_gaps(fitted: LoadForecaster):
    table = hours("2023-02-01", "2023-03-01")
    twice = pd.concat([table, table.iloc[[100]]], ignore_index=True)
    with pytest.raises(SchemaError, match=r"'A' has 2 rows of 2023-02-05T04:00:00 \(rows 100, 672"):
        fitted.predict(twice)
    fewer = table.drop(index=table.index[300:330])
    assert len(fitted.predict(fewer)) == 24
    assert np.abs(fitted.predict(fewer)["load_p50"] - fitted.predict(table)["load_p50"]).max() < 10


def test_the_hour_that_comes_twice_in_autumn_is_the_mean_of_both():
    table = hours("2022-09-20", "2022-11-10")
    fitted = small(zone=ZONE).fit(table)
    (row,) = table.index[table["time"] == pd.Timestamp("2022-11-06T05:00Z")]
    apart, equal = table.copy(), table.copy()
    apart.loc[[row, row + 1], "load"] = [50.0, 70.0]
    equal.loc[[row, row + 1], "load"] = 60.0
    pd.testing.assert_frame_equal(fitted.predict(apart), fitted.predict(equal))
