"""Readings one by one get the answers that a table of them gets, and what is wrong is told."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ModelFileError, ParameterError, SchemaError, UnlikeTrainingWarning
from industry_apps.runtime import Model, SensorState

ANSWERS = ["remaining_life", "remaining_life_low", "remaining_life_high", "health"]


@pytest.fixture
def readings(machines):
    """Two machines whose readings come in turn."""
    test = machines.test.drop(columns="remaining_life")
    names = sorted(test["machine"].unique())[:2]
    return test[test["machine"].isin(names)].sort_values("time", kind="stable")


def answers_of(state, table):
    rows = [state.update(record) for record in table.to_dict("records")]
    return pd.DataFrame(rows, index=table.index)[ANSWERS]


def test_readings_one_by_one_get_the_answers_of_a_table(life_file, estimator, readings):
    streamed = answers_of(SensorState(life_file), readings)
    last = readings.groupby("machine")["time"].idxmax()
    table = life_file.predict(readings)
    np.testing.assert_array_equal(streamed.loc[last], table[ANSWERS])
    # Not at the end alone: after each reading, what the trained model says of what was known then.
    every = estimator.trajectories(readings)
    order = readings.sort_values(["machine", "time"]).index
    np.testing.assert_allclose(streamed.loc[order], every[ANSWERS], rtol=1e-4, atol=1e-4)


def test_memory_is_one_window_a_machine(life_file, readings):
    one = readings[readings["machine"] == readings["machine"].iloc[0]].iloc[0].to_dict()
    state = SensorState(life_file)
    sizes = set()
    for hour in range(3 * life_file.windows.length):
        state.update({**one, "time": pd.Timestamp("2024-01-01") + pd.Timedelta(hours=hour)})
        sizes.add(state._machines[one["machine"]].values.nbytes)
    assert len(sizes) == 1
    assert state.forget(one["machine"])
    assert not state.forget(one["machine"])
    assert state.machines == ()


def test_a_snapshot_goes_on_as_if_nothing_had_happened(life_file, readings, tmp_path):
    half = len(readings) // 2
    state = SensorState(life_file)
    answers_of(state, readings.iloc[:half])
    state.snapshot(tmp_path / "state.npz")
    restored = SensorState.restore(tmp_path / "state.npz", life_file)
    assert restored.machines == state.machines
    going_on = answers_of(state, readings.iloc[half:])
    pd.testing.assert_frame_equal(going_on, answers_of(restored, readings.iloc[half:]))


def test_a_snapshot_that_is_none_is_refused(life_file, readings, tmp_path):
    path = tmp_path / "state.npz"
    state = SensorState(life_file)
    answers_of(state, readings.head(5))
    state.snapshot(path)
    with np.load(path) as stored:
        arrays = dict(stored)
    for name, change in (
        ("counts", lambda a: a * 0),
        ("counts", lambda a: a * 0 + 1),
        ("values", lambda a: a[:, 1:]),
        ("equal", lambda a: a + 100),
        ("times", lambda a: a.astype(np.float64)),
    ):
        np.savez(path, **{**arrays, name: change(arrays[name])})
        with pytest.raises(ModelFileError, match="snapshot of a SensorState"):
            SensorState.restore(path, life_file)
    path.write_bytes(b"nothing")
    with pytest.raises(ModelFileError, match="start anew"):
        SensorState.restore(path, life_file)


def test_late_and_repeated_readings_are_refused_and_change_nothing(life_file, readings):
    state = SensorState(life_file)
    own = readings[readings["machine"] == readings["machine"].iloc[0]].to_dict("records")
    for record in own[:5]:
        answer = state.update(record)
    for late, words in ((own[2], "lies before"), (own[4], "has come already")):
        with pytest.raises(SchemaError, match=rf"'time'.*{words}.*leave out"):
            state.update(late)
    other = SensorState(life_file)
    for record in own[:5]:
        again = other.update(record)
    assert answer == again
    assert state.update(own[5]) == other.update(own[5])


def test_a_machine_may_be_behind_another(life_file, readings):
    state = SensorState(life_file)
    first, second = (each.to_dict("records") for _, each in readings.groupby("machine"))
    state.update(first[-1])
    state.update(second[0])  # its own clock has not begun
    assert len(state.machines) == 2


def test_missing_and_stuck_sensors_are_flagged(life_file, readings):
    state = SensorState(life_file)
    own = readings[readings["machine"] == readings["machine"].iloc[0]].to_dict("records")
    assert "stuck" not in state.update(own[0])["flags"]
    told = state.update({**own[1], "vibration": None})
    assert told["flags"]["missing"] == ["vibration"]
    assert np.isfinite(told["remaining_life"])
    flags = [state.update({**each, "pressure": 7.0})["flags"] for each in own[2:14]]
    assert "stuck" not in flags[2]
    assert flags[-1]["stuck"] == ["pressure"]
    assert "stuck" not in state.update(own[14])["flags"]


@pytest.mark.parametrize("code", [-999.0, 1e30])
def test_what_lies_beyond_training_is_flagged(life_file, readings, code):
    state = SensorState(life_file)
    own = readings[readings["machine"] == readings["machine"].iloc[0]].to_dict("records")
    assert state.update(own[0])["flags"] == {}
    assert state.update({**own[1], "vibration": code})["flags"] == {"beyond": ["vibration"]}
    assert state.update({**own[2], "vibration": None})["flags"] == {"missing": ["vibration"]}


@pytest.mark.parametrize(("reading", "flagged"), [(21.62, False), (22.0, True), (-999.0, True)])
def test_a_sensor_that_hardly_moved_may_move_by_a_hundredth(reading, flagged):
    model = Model("manufacturing.predictive_maintenance")
    assert model.metadata["extremes"]["sensor_6"] == pytest.approx([21.6, 21.61], abs=1e-5)
    record = {**dict.fromkeys(model.schema.inputs().names), "machine": "M1", "cycle": 1}
    flags = SensorState(model).update({**record, "sensor_6": reading})["flags"]
    assert flags.get("beyond", []) == (["sensor_6"] if flagged else [])


def test_no_reading_of_other_machines_lies_beyond(life_file, machines):
    state = SensorState(life_file)
    rows = machines.test.drop(columns="remaining_life").sort_values("time").to_dict("records")
    assert not any("beyond" in state.update(row)["flags"] for row in rows)


def test_a_table_of_codes_is_warned_of(life_file, estimator, readings):
    codes = readings.assign(vibration=-999.0)
    with pytest.warns(UnlikeTrainingWarning, match="'vibration': 100%.*not from"):
        life_file.predict(codes)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnlikeTrainingWarning)
        life_file.predict(readings)


def test_a_removed_setting_is_refused_by_name(life_file, readings):
    record = readings.iloc[0].to_dict()
    with pytest.raises(SchemaError, match="'load'"):
        SensorState(life_file).update({k: v for k, v in record.items() if k != "load"})
    for name in ("machine", "time"):
        with pytest.raises(SchemaError, match=f"'{name}'"):
            SensorState(life_file).update({**record, name: None})


def test_a_file_of_another_kind_is_refused():
    with pytest.raises(ParameterError, match="own last row"):
        SensorState(Model("finance.fraud_detection"))
