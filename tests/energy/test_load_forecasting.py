"""Load forecasting: local clocks, stuck meters, feeds into the grid, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from industry_apps.energy import LoadForecaster
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.recipes import LearningOptions
from industry_apps.runtime import Model

ZONE = "America/New_York"


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
