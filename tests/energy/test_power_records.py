"""Records of the series of a plant: what is known at the issue, what is to come, what is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.power_records import solar_records, wind_records
from industry_apps.errors import ParameterError, SchemaError


def series_of(count: int, step: str) -> pd.DataFrame:
    """Output that counts the steps, under a steady sun and wind."""
    time = pd.date_range("2024-06-01", periods=count, freq=step)
    steady = {"irradiance": 1.0, "temperature": 9.0, "wind_speed": 5.0}
    return pd.DataFrame({"time": time, "power": np.arange(float(count)), **steady})


@pytest.mark.parametrize(("label", "last"), [("left", 58), ("mid", 58), ("right", 59)])
def test_an_interval_that_has_not_ended_at_the_issue_is_not_known(label, last):
    """Of the target 60, an hour ahead, hour 59 ends at the issue by its end alone."""
    series = series_of(96, "h")
    row = solar_records(series, lead_hours=(1,), label=label).iloc[60]
    assert row["recent_power"] == np.mean(np.arange(last - 23, last + 1))
    assert row["same_hour_power"] == 36
    row = solar_records(series, lead_hours=(24,), label=label).iloc[60]
    assert row["same_hour_power"] == (36 if label == "right" else 12)
    row = wind_records(series, lead_minutes=(60,), label=label).iloc[60]
    assert row["recent_power"] == row["hour_power"] == last
    assert row["day_power"] == np.mean(np.arange(last - 23, last + 1))


def test_rows_to_come_are_asked_as_far_as_the_lead_time_goes():
    series = series_of(96, "h")
    series.loc[60:, "power"] = np.nan
    series.loc[30, "power"] = np.nan
    for records in (
        solar_records(series, lead_hours=(24,)),
        wind_records(series, lead_minutes=(1440,)),
    ):
        ahead = records[records["power"].isna()]
        assert ahead["time"].tolist() == series["time"][60:85].tolist()
    last = wind_records(series, lead_minutes=(60, 120)).tail(1)
    assert last[["lead_minutes", "recent_power"]].to_numpy().tolist() == [[120, 59]]
    assert last["time"].item() == series["time"][62]


def test_a_series_without_output_is_refused():
    with pytest.raises(SchemaError, match=r"'power': got no value in 96 rows"):
        solar_records(series_of(96, "h").assign(power=np.nan))


def test_steps_of_a_quarter_of_an_hour():
    series = series_of(4 * 96, "15min")
    row = solar_records(series, lead_hours=(1,), minutes=15).iloc[300]
    assert row["same_hour_power"] == 204
    assert row["recent_power"] == np.mean(np.arange(200, 296))
    with pytest.raises(SchemaError, match=r"row 1: got .* 15 minutes apart: set minutes to it"):
        solar_records(series)


def test_the_step_is_that_of_most_rows():
    hourly = wind_records(series_of(96, "h"), lead_minutes=(60,))
    assert hourly["day_power"].notna().sum() == 96 - 13
    with pytest.raises(ParameterError, match=r"multiples of the step of 60, as \(60, 240, 1440\)"):
        wind_records(series_of(96, "h"))
    with pytest.raises(SchemaError, match="45 minutes apart, expected steps that divide an hour"):
        wind_records(series_of(96, "45min"))


def test_a_step_that_is_given_keeps_gaps_and_no_remedy_is_told_that_fails():
    gappy = series_of(300, "10min").iloc[::2]
    records = wind_records(gappy, lead_minutes=(10, 20), step=np.int64(10))
    near, far = (part for _, part in records.groupby("lead_minutes"))
    assert near["recent_power"].iloc[100] == 198
    assert near["hour_power"].iloc[100] == 196  # of 194, 196 and 198
    assert far["recent_power"].isna().all()  # a gap
    for asked in (solar_records, wind_records):
        with pytest.raises(SchemaError, match="180 minutes apart, expected steps that divide an"):
            asked(series_of(96, "180min"))
    mixed = series_of(96, "15min").assign(wind_speed=5.0)
    mixed.loc[50, "time"] += pd.Timedelta(minutes=7)
    with pytest.raises(SchemaError, match=r"row 1: .*Take means of regular intervals") as told:
        solar_records(mixed)
    assert "set minutes" not in str(told.value)


@pytest.mark.parametrize("step", [0, 45, -10, "a", True])
def test_a_step_that_divides_no_hour_is_refused(step):
    with pytest.raises(ParameterError, match="step must be minutes that divide an hour"):
        wind_records(series_of(96, "10min"), step=step)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"power": "x"}, "'power', row 0: got 'x'"),
        ({"time": "a"}, "'time', row 0: got 'a'"),
        ({"time": pd.NaT}, "'time', row 0"),
    ],
)
def test_a_value_that_is_none_is_refused(change, words):
    with pytest.raises(SchemaError, match=words):
        solar_records(series_of(96, "h").assign(**change))


@pytest.mark.parametrize("rows", [0, 1])
def test_a_series_of_no_step_is_refused(rows):
    with pytest.raises(SchemaError, match="Column 'power'" if rows == 0 else "Column 'time'"):
        wind_records(series_of(96, "h").head(rows))


@pytest.mark.parametrize("leads", [24, "24", (), (0,), (1.5,), ("a",), (True,)])
def test_lead_times_that_are_none_are_refused(leads):
    with pytest.raises(ParameterError, match="lead_hours must be a sequence of whole numbers > 0"):
        solar_records(series_of(96, "h"), lead_hours=leads)


def test_whole_numbers_of_numpy_are_lead_times():
    series = series_of(96, "h")
    told = solar_records(series, lead_hours=np.arange(1, 5), minutes=np.int64(60))
    pd.testing.assert_frame_equal(told, solar_records(series, lead_hours=(1, 2, 3, 4)))


@pytest.mark.parametrize("missing", [pd.NA, None])
def test_missing_values_in_a_column_of_objects_are_read(missing):
    series = series_of(96, "h").astype({"power": object})
    series.loc[90, "power"] = missing
    series.loc[3, "power"] = 123_456_789.123
    records = solar_records(series)
    assert records["power"].isna().sum() == 0
    assert records["power"].max() == 123_456_789.123


def test_times_of_a_zone_and_missing_values_of_pandas_are_read():
    series = series_of(96, "h")
    series.loc[90, "power"] = np.nan
    told = solar_records(series)
    other = series.assign(
        power=series["power"].astype("Int64"),
        time=series["time"].dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin"),
    )
    pd.testing.assert_frame_equal(solar_records(other), told)
