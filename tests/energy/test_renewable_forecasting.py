"""Solar and wind forecasts: what is particular to them, and the input that they refuse."""

from __future__ import annotations

import copy
import warnings

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import load
from industry_apps.data.power_records import solar_records, wind_records
from industry_apps.data.time_shifts import find_time_shifts, without_time_shifts
from industry_apps.energy import SolarForecaster, WindForecaster
from industry_apps.energy.renewable.losses import causes_of
from industry_apps.energy.renewable.power_curve import PowerCurve
from industry_apps.errors import ParameterError, SchemaError, UnlikeTrainingWarning
from industry_apps.recipes.power.checks import rated_power
from industry_apps.runtime import Model
from industry_apps.schema import Schema


@pytest.fixture(scope="module")
def sunny():
    return SolarForecaster.sample()


@pytest.fixture(scope="module")
def windy():
    return WindForecaster.sample()


@pytest.fixture(scope="module")
def solar(sunny):
    return SolarForecaster.fast().fit(sunny)


@pytest.fixture(scope="module")
def wind(windy):
    return WindForecaster.fast().fit(windy)


def test_night_is_exactly_zero_and_nothing_exceeds_the_capacity(solar, sunny):
    answers = solar.predict(sunny.test)
    hour = sunny.test["time"].dt.hour
    powers = answers.drop(columns="basis")
    assert (powers[hour.isin([23, 0, 1]).to_numpy()] == 0).all(axis=None)
    assert powers.to_numpy().min() >= 0
    assert powers.to_numpy().max() <= solar.capacity_
    assert (np.diff(powers.iloc[:, 1:].to_numpy(), axis=1) >= 0).all()


def test_slope_is_found(solar):
    physics = solar.recipe_.physics
    assert abs(physics.tilt - 30) <= 5
    assert abs(physics.azimuth - 180) <= 10


def test_without_weather_recent_output_answers_and_says_so(solar, sunny, tmp_path):
    blind = sunny.test.assign(irradiance=np.nan)
    assert set(solar.predict(blind)["basis"]) == {"recent output"}
    noon = sunny.test[sunny.test["time"].dt.hour == 11].head(5)
    at_night = sunny.test[sunny.test["time"].dt.hour == 0].head(5).assign(irradiance=600.0)
    model = Model(solar.export(tmp_path / "solar.onnx"))
    for rows, basis in ((noon, "weather"), (at_night, "recent output")):
        assert set(model.predict(rows)["basis"]) == {basis}


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [("irradiance", -5.0, "irradiance"), ("irradiance", 5000.0, "irradiance")],
)
def test_light_that_cannot_be_is_refused(solar, sunny, column, value, words):
    with pytest.raises(SchemaError, match=words):
        solar.predict(sunny.test.head(3).assign(**{column: value}))


def test_ramps_are_changes_of_the_expected_output(solar, sunny):
    day = sunny.test[sunny.test["lead_hours"] == 24].head(48)
    found = solar.ramps(day, share=0.1)
    assert len(found) == 47
    assert {"up", "down"} <= set(found["ramp"])
    with pytest.raises(SchemaError, match="twice"):
        solar.ramps(sunny.test.head(10))
    gap = solar.ramps(day.iloc[[8, 9, 10, 13, 14]], share=0.01)
    assert gap["change"].isna().tolist() == [False, False, True, False]
    assert gap["ramp"].iloc[2] == ""


@pytest.mark.parametrize("share", [0, -0.1, float("nan"), "a", True])
def test_a_ramp_of_no_size_is_refused(solar, sunny, share):
    with pytest.raises(ParameterError, match=r"'share' parameter of SolarForecaster.ramps must be"):
        solar.ramps(sunny.test.head(3), share=share)


@pytest.mark.parametrize("capacity", [0.0, -1.0])
def test_no_capacity_is_refused(sunny, capacity):
    forecaster = SolarForecaster.fast().set_params(capacity=capacity)
    with pytest.raises(ParameterError, match="capacity"):
        forecaster.fit(sunny)


def test_a_plant_without_a_place_is_refused(sunny):
    with pytest.raises(ParameterError, match="latitude and longitude"):
        SolarForecaster().fit(sunny)


@pytest.mark.parametrize("capacity", [5000.0, 0.005])
def test_one_unit_for_another_is_refused(sunny, capacity):
    forecaster = SolarForecaster.fast().set_params(capacity=capacity)
    with pytest.raises(SchemaError, match="kW for MW"):
        forecaster.fit(sunny)


def test_records_of_a_moment_twice_are_refused(sunny):
    twice = pd.concat([sunny.train, sunny.train.iloc[[100]]], ignore_index=True)
    with pytest.raises(SchemaError, match="rows 100 and 6912"):
        SolarForecaster.fast().fit(twice, sunny.validation)


def _on_the_wall(frame: pd.DataFrame) -> pd.DataFrame:
    """Output as of a meter that follows the clock on the wall of Berlin from April on."""
    late = []
    for _, part in frame.groupby("lead_hours"):
        behind = part["power"].shift(1, fill_value=0.0)
        summer = part["time"] >= "2022-03-27"
        late.append(part.assign(power=part["power"].where(~summer, behind)))
    return pd.concat(late).sort_index()


def test_clock_on_the_wall_is_found_and_refused_or_corrected(sunny, solar):
    wrong = _on_the_wall(sunny.train)
    with pytest.raises(SchemaError, match="60 minutes behind from 2022-03-2"):
        SolarForecaster.fast().fit(wrong)
    forecaster = SolarForecaster.fast().set_params(time_shifts="correct")
    forecaster.fit(wrong)
    assert "60 minutes behind" in forecaster.time_shifts_[0]
    physics = forecaster.recipe_.physics
    assert abs(physics.azimuth - solar.recipe_.physics.azimuth) <= 10


def test_weather_in_another_zone_is_refused_even_where_output_would_be_corrected(sunny):
    moved = sunny.train.assign(time=sunny.train["time"] + pd.Timedelta(hours=2))
    forecaster = SolarForecaster.fast().set_params(time_shifts="correct")
    with pytest.raises(SchemaError, match="irradiance is 120 minutes behind"):
        forecaster.fit(moved)


def test_weather_asked_about_at_other_times_is_named(sunny, solar):
    asked = sunny.test[sunny.test["lead_hours"] == 24]
    light = ["irradiance", "irradiance_before", "irradiance_after"]
    moved = asked.assign(**{name: np.roll(asked[name], 3) for name in light})
    with pytest.warns(UnlikeTrainingWarning, match=r"irradiance is 180 minutes behind from 2022-0"):
        solar.predict(moved)
    zone = asked.assign(time=asked["time"] + pd.Timedelta(hours=6))
    with pytest.warns(UnlikeTrainingWarning, match=r"irradiance is 360 minutes behind"):
        solar.predict(zone)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for few in (asked, asked.head(24), asked.iloc[[0, 5, 900]]):
            solar.predict(few)


def test_recent_output_in_another_unit_is_refused_or_named(sunny, solar, windy, wind, tmp_path):
    for fitted, data in ((solar, sunny), (wind, windy)):
        model = Model(fitted.export(tmp_path / "power.onnx"))
        recent = {name: 1000 * data.test[name] for name in fitted.recent}
        for answer in (fitted.predict, model.predict):
            with pytest.raises(SchemaError, match=r"'recent_power', row \d+"):
                answer(data.test.assign(**recent))
        with pytest.warns(UnlikeTrainingWarning, match=r"_power': values are 0.00"):
            fitted.predict(data.test.assign(**{name: x / 1e6 for name, x in recent.items()}))


def test_light_in_another_unit_is_not_believed(sunny, solar):
    kilo = sunny.test.assign(irradiance=sunny.test["irradiance"] / 1000)
    noon = (kilo["time"].dt.hour == 11).to_numpy()
    with pytest.warns(UnlikeTrainingWarning, match=r"'irradiance': values are 0.00"):
        assert set(solar.predict(kilo)["basis"][noon]) == {"recent output"}
    with pytest.raises(SchemaError, match=r"'irradiance': the median is 0.* expected W/m2"):
        SolarForecaster.fast().fit(sunny.train.assign(irradiance=sunny.train["irradiance"] / 1000))


def test_label_says_where_the_interval_lies(sunny, solar):
    ends = sunny.train.assign(time=sunny.train["time"] + pd.Timedelta(hours=1))
    forecaster = SolarForecaster.fast().set_params(label="right").fit(ends)
    assert forecaster.recipe_.physics.tilt == pytest.approx(solar.recipe_.physics.tilt, abs=5)


def test_rated_power_is_not_that_of_an_outlier():
    power = np.minimum(np.linspace(0, 4000, 5000), 3600)
    power[[5, 50]] = 36_000
    assert rated_power(power) == 3600


def test_shifts_are_found_and_taken_off():
    time = pd.Series(pd.date_range("2024-01-01", periods=24 * 120, freq="h"))
    rng = np.random.default_rng(1)
    light = np.maximum(np.sin((time.dt.hour - 6) * np.pi / 12), 0) * rng.uniform(0.3, 1, len(time))
    late = np.where(np.arange(len(time)) < 24 * 60, light, np.roll(light, 1))
    (shift,) = find_time_shifts(time, late, light)
    assert shift.minutes == 60
    assert abs(int((shift.first - np.datetime64("2024-03-01")).astype(int))) <= 1
    assert not find_time_shifts(time, without_time_shifts(time, late, [shift]), light)
    assert not find_time_shifts(time[:2], light[:2], light[:2])  # shorter than a shift


def test_series_keep_their_gaps_and_refuse_doubles():
    hours = pd.date_range("2024-06-01", periods=96, freq="h")
    series = pd.DataFrame({"time": hours, "power": np.arange(96.0), "irradiance": 1.0})
    series["temperature"] = 9.0
    gap = solar_records(series.drop(index=range(30, 40)))
    row = gap[gap["time"] == hours[82]].iloc[0]
    assert np.isnan(row["same_hour_power"])  # that of hour 34, which is missing
    assert gap[gap["time"] == hours[90]]["same_hour_power"].item() == 42
    with pytest.raises(SchemaError, match="rows 3 and 96"):
        solar_records(pd.concat([series, series.iloc[[3]]]))
    with pytest.raises(SchemaError, match="steps of 60 minutes"):
        solar_records(series.assign(time=[*hours[:-1], hours[-1] + pd.Timedelta(minutes=7)]))
    with pytest.raises(ParameterError, match="multiples"):
        wind_records(series.assign(wind_speed=5.0), step=60, lead_minutes=(90,))


def test_wind_beyond_the_cut_out_is_exactly_zero(wind, windy):
    storm = windy.test.head(20).assign(wind_speed=30.0)
    answers = wind.predict(storm)
    assert (answers.drop(columns="basis") == 0).all(axis=None)
    with pytest.raises(SchemaError, match="wind_speed"):
        wind.predict(windy.test.head(3).assign(wind_speed=-1.0))


def test_far_ahead_without_wind_climatology_answers_and_says_so(wind, windy):
    blind = windy.test.assign(wind_speed=np.nan, wind_direction=np.nan)
    answers = wind.predict(blind)
    far = (blind["lead_minutes"] > 240).to_numpy()
    assert set(answers["basis"][far]) == {"climatology"}
    assert set(answers["basis"][~far]) == {"recent output"}


@pytest.mark.parametrize(
    ("change", "bases"),
    [
        (lambda t: t[t["lead_minutes"] == 10], {10: "recent output", 60: "climatology"}),
        (lambda t: t[t["lead_minutes"] == 1440], {10: "climatology", 1440: "climatology"}),
        (lambda t: t.drop(columns="recent_power"), {10: "climatology", 60: "climatology"}),
        (lambda t: t.drop(columns="wind_speed"), {10: "recent output", 1440: "climatology"}),
    ],
)
def test_a_table_that_tells_less_is_learned_from(windy, tmp_path, change, bases):
    table = change(pd.concat([windy.train, windy.validation], ignore_index=True))
    forecaster = WindForecaster.fast().fit(table)
    asked = windy.test.tail(80)  # few: of many the file says that lead times are unlike training
    model = Model(forecaster.export(tmp_path / "wind.onnx", check=asked))
    by_wind = {"weather"} if "wind_speed" in table else {"recent output", "climatology"}
    assert set(forecaster.predict(asked)["basis"]) == by_wind
    blind = asked.assign(wind_speed=np.nan, recent_power=1900.0)
    answers = model.predict(blind).groupby(blind["lead_minutes"].to_numpy())
    assert {lead: answers.get_group(lead)["basis"].unique().item() for lead in bases} == bases
    far = answers.get_group(1440)  # of which the last output tells nothing that is known
    assert far["power"].max() < 1500 or set(table["lead_minutes"]) != {10}
    if "wind_speed" not in table:
        report = forecaster.evaluate(windy.test)
        assert "Nothing is answered by weather" in report.notes[0]
        with pytest.raises(SchemaError, match="'wind_speed': got none in training"):
            forecaster.losses(windy.test)
        with pytest.raises(SchemaError, match="'wind_speed': got none in training"):
            copy.deepcopy(forecaster).losses(windy.test)


def test_rows_to_come_are_asked_and_left_out_of_training(windy):
    series = windy.train[windy.train["lead_minutes"] == 10]
    series = series[["time", "wind_speed", "wind_direction", "power"]].reset_index(drop=True)
    series.loc[len(series) - 200 :, "power"] = np.nan
    records = WindForecaster.records(series)
    known = records["power"].notna()
    fitted = WindForecaster.fast().fit(records)
    assert sum(part["rows"] for part in fitted.split_.values()) == known.sum()
    answers = fitted.predict(records[~known].drop(columns="power"))
    assert answers["power"].notna().all()
    assert (records[~known]["time"] > records[known]["time"].max()).all()


def test_rows_of_the_wind_that_are_shifted_are_refused(windy):
    frame = pd.concat([windy.train, windy.validation], ignore_index=True)
    parts = [
        part.assign(wind_speed=part["wind_speed"].shift(6))
        for _, part in frame.groupby("lead_minutes")
    ]
    with pytest.raises(SchemaError, match="60 minutes before"):
        WindForecaster.fast().fit(pd.concat(parts).sort_index())


def test_power_curve_is_monotone_and_without_standstill():
    rng = np.random.default_rng(0)
    speed = rng.uniform(0, 20, 20_000)
    share = np.clip((speed - 3) / 9, 0, 1) + rng.normal(0, 0.02, len(speed))
    share[rng.random(len(speed)) < 0.2] = 0.0
    curve = PowerCurve.learned(speed, share)
    assert (np.diff(curve.share) >= 0).all()
    assert np.abs(curve.of(np.array([6.0, 9.0, 15.0])) - [1 / 3, 2 / 3, 1]).max() < 0.02


def test_standstill_and_curtailment_are_told_apart():
    curve = PowerCurve(np.array([3.0, 12.0]), np.array([0.0, 1.0]), np.array([0.01, 0.01]))
    speed = np.full(12, 9.0)
    share = np.array([0.66, 0.67, 0, 0, 0, 0.4, 0.4, 0.4, 0.4, 0.3, 0.66, 0.65])
    assert causes_of(curve, speed, share).tolist() == [
        *["", ""],
        *["standstill"] * 3,
        *["curtailment"] * 4,
        "underperformance",
        *["", ""],
    ]


def test_losses_of_a_series(wind, windy):
    series = windy.test.drop_duplicates("time")
    found = wind.losses(series).set_index("cause")
    assert list(found.index) == ["standstill", "curtailment", "underperformance"]
    assert found["hours"].sum() > 0
    with pytest.raises(SchemaError, match="each once"):
        wind.losses(windy.test)


def test_a_storm_beyond_the_cut_out_is_no_loss(wind, windy):
    series = windy.test.drop_duplicates("time").head(144).assign(wind_speed=30.0, power=0.0)
    assert wind.losses(series)["hours"].sum() == 0


def test_a_gap_is_no_step_of_a_loss(wind):
    time = pd.date_range("2023-06-01", periods=12, freq="10min")
    held = pd.DataFrame({"time": time, "wind_speed": 11.0, "power": 600.0})
    assert wind.losses(held).set_index("cause")["hours"]["curtailment"] == pytest.approx(2)
    pairs = held.iloc[[0, 1, 4, 5, 8, 9]]  # of which no three lie beside each other
    assert wind.losses(pairs).set_index("cause")["hours"]["curtailment"] == 0
    with pytest.raises(SchemaError, match="'time': most rows lie 36 hours apart"):
        wind.losses(held.assign(time=pd.date_range("2023-06-01", periods=12, freq="36h")))
    off = held.assign(time=[*time[:-1], time[-1] + pd.Timedelta(minutes=4)])
    with pytest.raises(SchemaError, match="'time': got 2023-06-01T01:54:00 UTC, expected steps of"):
        wind.losses(off)


def test_losses_in_another_unit_are_refused(wind, windy):
    series = windy.test.drop_duplicates("time").head(288)
    for factor in (1000, 0.001):
        with pytest.raises(SchemaError, match=r"'power': values are .* times those that the wind"):
            wind.losses(series.assign(power=factor * series["power"]))


def test_a_moment_off_the_steps_is_named_with_its_row(windy):
    table = pd.concat([windy.train, windy.validation], ignore_index=True)
    table.loc[40:43, "time"] += pd.Timedelta(seconds=7)
    with pytest.raises(SchemaError, match=r"'time', row 4[0-3]: got .* time_shifts=\"accept\""):
        WindForecaster.fast().fit(table)
    WindForecaster.fast().set_params(time_shifts="accept").fit(table)
    WindForecaster.fast().fit(table.drop(index=range(40, 44)))
    WindForecaster.fast().fit(table.drop(columns="wind_speed"))  # no clocks to compare


def test_a_table_is_read_once_and_doubts_are_told_where_it_is_asked_about(wind, windy, monkeypatch):
    asked = windy.test.assign(day_power=windy.test["day_power"] / 1000)
    read, reads = Schema.to_arrays, []
    counted = lambda schema, frame: reads.append(frame) or read(schema, frame)  # noqa: E731
    monkeypatch.setattr(Schema, "to_arrays", counted)
    with pytest.warns(UnlikeTrainingWarning, match="'day_power'") as told:
        wind.predict(asked)
    assert told[0].filename == __file__
    assert len(reads) == 1


@pytest.mark.real_data("energy_solar_pvdaq50")
def test_summer_time_of_a_real_plant_is_found():
    data = load("energy_solar_pvdaq50")
    table = pd.concat([data.train, data.validation, data.test], ignore_index=True)
    wall = table["time"].dt.tz_localize("UTC").dt.tz_convert("America/Denver")
    summer = wall.map(lambda moment: moment.dst().seconds > 0).to_numpy()
    behind = table["power"].shift(1).where(summer, table["power"])
    found = find_time_shifts(table["time"], behind, table["irradiance"], free_hours=2)
    told = [(str(s.first), s.minutes) for s in found]
    assert [minutes for _, minutes in told] == [60, 60, 60]
    assert told[1][0].startswith("2012-03-1")
    assert told[2][0].startswith("2013-03-")
    assert not find_time_shifts(table["time"], table["power"], table["irradiance"], free_hours=2)
