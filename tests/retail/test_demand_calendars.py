"""Forecasts of tables whose steps lie somewhere in their week, month, quarter or year."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import SchemaError
from industry_apps.recipes import TreeOptions
from industry_apps.retail import DemandForecaster
from industry_apps.runtime import Model

TREES = TreeOptions(rounds=5, num_leaves=4, learning_rate=0.3)


def table(times: pd.DatetimeIndex, seed: int = 0) -> pd.DataFrame:
    """Four series that are told at all times."""
    values = 50 + np.random.default_rng(seed).normal(0, 3, (4, len(times))).cumsum(axis=1)
    names = np.repeat(list("ABCD"), len(times))
    every = times.append([times] * 3)
    return pd.DataFrame({"series": names, "time": every, "quantity": values.clip(0).ravel()})


def fit(frame: pd.DataFrame, horizon: int = 2, **parameters: object) -> DemandForecaster:
    parameters = {"horizon": horizon, "trees": TREES, "baselines": (), **parameters}
    return DemandForecaster(**parameters).fit(frame)


def written(fitted: DemandForecaster, folder: Path) -> Model:
    return Model(fitted.export(folder / "model.onnx"))


def times_of(answer: pd.DataFrame) -> list[str]:
    found = answer.loc["A"].index
    return [str(each.date()) for each in found]


STEPS = {
    "ME": ["2023-01-31", "2023-02-28"],
    "SME": ["2023-01-15", "2023-01-31"],
    "QE": ["2023-03-31", "2023-06-30"],
    "YE-JUN": ["2023-06-30", "2024-06-30"],
    "W-SUN": ["2023-01-01", "2023-01-08"],
    "B": ["2023-01-02", "2023-01-03"],
}


@pytest.mark.parametrize("name", list(STEPS))
def test_model_and_file_go_on_where_the_steps_lie(name: str, tmp_path: Path):
    frame = table(pd.date_range(end="2022-12-31", periods=120, freq=name))
    fitted = fit(frame)
    model = written(fitted, tmp_path)
    assert model.windows is not None
    assert model.windows.anchor is not None
    answer = model.predict(frame)
    pd.testing.assert_frame_equal(answer, fitted.predict(frame), rtol=1e-4)
    assert times_of(answer) == STEPS[name]
    for path in (tmp_path / "table.csv", tmp_path / "table.parquet"):
        frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)
        pd.testing.assert_frame_equal(model.predict(path), answer)
    moved = frame.assign(time=frame["time"] + pd.Timedelta(hours=5))
    for ask in (fitted.predict, model.predict):
        with pytest.raises(SchemaError, match=r"'time', row 0: got .*T05:00:00.*, as in training"):
            ask(moved)


def test_days_of_a_time_zone_are_refused_everywhere(tmp_path: Path):
    days = pd.date_range("2022-01-03", periods=90)
    days = days[days.weekday < 6]  # closed on Sundays
    local = table(days)
    zoned = local.assign(time=local["time"].dt.tz_localize("Europe/Berlin"))
    for ask in (fit, DemandForecaster(horizon=2).split):
        with pytest.raises(SchemaError, match="Europe/Berlin, expected none or UTC"):
            ask(zoned)
    fitted = fit(zoned.assign(time=zoned["time"].dt.tz_localize(None)))
    model, path = written(fitted, tmp_path), tmp_path / "table.parquet"
    zoned.to_parquet(path)
    zoned.to_csv(path.with_suffix(".csv"), index=False)
    for asked in (zoned, path, path.with_suffix(".csv"), zoned.to_dict("records")):
        with pytest.raises(SchemaError, match=r"'time', row .*(Europe/Berlin|UTC\+02:00)"):
            model.predict(asked)
    assert times_of(model.predict(local)) == ["2022-04-04", "2022-04-05"]
    before_sunday = local[local["time"] <= "2022-04-01"]
    assert times_of(model.predict(before_sunday)) == ["2022-04-02", "2022-04-04"]


def test_a_declared_holiday_is_no_gap():
    days = pd.bdate_range("2022-10-03", "2022-12-30").drop(pd.Timestamp("2022-12-26"))
    fitted = fit(table(days), closed=("2022-12-26", "2023-01-02"))
    assert not np.isnan(fitted.history_.columns["quantity"]).any()
    assert times_of(fitted.predict(table(days))) == ["2023-01-03", "2023-01-04"]


def test_a_table_of_every_second_week_is_not_one_of_weeks():
    frame = table(pd.date_range("2020-01-05", periods=60, freq="2W-SUN"))
    with pytest.raises(SchemaError, match="lie 2 steps of a week apart"):
        fit(frame, step="week")


def test_a_stray_row_is_named_in_training():
    frame = table(pd.date_range("2018-01-31", periods=60, freq="ME"))
    frame.loc[7, "time"] = pd.Timestamp("2018-08-30")
    with pytest.raises(SchemaError, match=r"row 7: got 2018-08-30T.*expected the end of a month"):
        fit(frame)
    assert len(fit(frame.drop(7)).predict(frame.drop(7))) == 8


def test_steps_may_be_numbered(tmp_path: Path):
    frame = table(pd.date_range("2022-01-03", periods=120))
    frame["time"] = np.tile(np.arange(120), 4)
    fitted = fit(frame)
    model = written(fitted, tmp_path)
    answer = fitted.predict(frame)
    assert answer.loc["A"].index.tolist() == [120, 121]
    for name in ("table.csv", "table.parquet"):
        path = tmp_path / name
        frame.to_csv(path, index=False) if name.endswith("csv") else frame.to_parquet(path)
        pd.testing.assert_frame_equal(model.predict(path), answer, rtol=1e-4)
    pd.testing.assert_frame_equal(model.predict(frame), answer, rtol=1e-4)
    rows = model.predict(frame.to_dict("records"))
    assert [row["time"] for row in rows[:2]] == [120, 121]
    parts = fitted.split(frame)
    assert parts.test["time"].unique().tolist() == [118, 119]
    assert "mase" in fit(parts.train).evaluate(parts.validation).metrics
    with pytest.raises(SchemaError, match="2 rows of 7 "):
        model.predict(pd.concat([frame, frame[frame["time"] == 7]], ignore_index=True))


def test_an_index_that_looks_like_days_of_a_sheet_is_asked_about():
    frame = table(pd.date_range("2022-01-03", periods=120))
    frame["time"] = np.tile(np.arange(45_000, 45_120), 4)
    forecaster = DemandForecaster(horizon=2, trees=TREES, baselines=())
    with pytest.raises(SchemaError, match=r"'time', row 0: .* days of a spreadsheet; .*with s if"):
        forecaster.fit(frame)
    assert forecaster.fit(frame, unit="s").predict(frame).loc["A"].index[0] == 45_120
    days = times_of(forecaster.fit(frame, unit="sheet").predict(frame))
    assert days == ["2023-07-13", "2023-07-14"]


def test_a_shop_open_on_three_days_has_weeks_of_three_steps():
    days = pd.date_range("2021-01-04", periods=500)
    frame = table(days[np.isin(days.weekday, (0, 2, 4))])
    with pytest.raises(SchemaError, match=r"lie 2 days apart.*step='day'"):
        fit(frame)
    fitted = fit(frame, step="day", horizon=3)
    assert fitted.windows_.weekdays == (0, 2, 4)
    assert times_of(fitted.predict(frame)) == ["2022-05-20", "2022-05-23", "2022-05-25"]


def test_times_far_from_training_are_refused(tmp_path: Path):
    frame = table(pd.date_range("2022-01-03", periods=120))
    fitted = fit(frame)
    model = written(fitted, tmp_path)
    for years in (-2, 30.5):
        moved = frame.assign(time=frame["time"] + pd.Timedelta(days=years * 366))
        for ask in (fitted.predict, model.predict):
            with pytest.raises(SchemaError, match=r"'time', row 0: .* a time from 2021-.* to 2052"):
                ask(moved)
    moved = frame.assign(time=frame["time"] + pd.Timedelta(days=20 * 364))
    pd.testing.assert_frame_equal(model.predict(moved), fitted.predict(moved), rtol=1e-4)
