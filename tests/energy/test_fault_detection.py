"""Plants: what is found, what is said of it, and what odd readings get."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import load
from industry_apps.data.simulators import reactor_runs
from industry_apps.energy import PlantFaultDetector
from industry_apps.energy.plant.metrics import Alarms, JudgedReadings
from industry_apps.errors import (
    DataNotFoundError,
    LeakageError,
    ParameterError,
    SchemaError,
    TrainingError,
)
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.anomaly.recipe import AnomalyOptions, AnomalyRecipe
from industry_apps.runtime import Model, SensorState
from industry_apps.schema import Column, Schema


def quick(**parameters):
    few = TreeOptions(rounds=10, num_leaves=4)
    return PlantFaultDetector.fast().set_params(trees=few, **parameters)


@pytest.fixture(scope="module")
def plant():
    return PlantFaultDetector.sample()


@pytest.fixture(scope="module")
def detector(plant):
    return quick().fit(plant)


@pytest.fixture(scope="module")
def model(detector, plant, tmp_path_factory):
    return Model(detector.export(tmp_path_factory.mktemp("plant") / "plant.onnx", check=plant))


@pytest.fixture(scope="module")
def usual(plant):
    """A normal run that nothing was learned from."""
    runs = plant.test.groupby("run")["fault"].nunique()
    name = next(
        run
        for run in runs.index[runs == 1]
        if (plant.test.loc[plant.test["run"] == run, "fault"] == "normal").all()
    )
    return plant.test[plant.test["run"] == name].drop(columns="fault").reset_index(drop=True)


def with_tag(run, tag, values, rows=slice(-30, None)):
    odd = run.copy()
    odd.loc[odd.index[rows], tag] = values
    return odd


def test_streaming_is_the_file_and_the_file_is_the_model(detector, model, usual):
    part = usual.head(60)
    state = SensorState(model)
    streamed = pd.DataFrame([state.update(each) for each in part.to_dict("records")])
    flags = streamed.pop("flags")
    batch = detector.trajectories(part).reset_index(drop=True)
    pd.testing.assert_frame_equal(streamed, batch[list(streamed)], check_dtype=False, rtol=1e-4)
    assert not any(flags)
    assert (batch["state"].head(model.metadata["lags"] - 1) == "not known").all()
    assert (batch["state"] != "not known").sum() == len(part) - model.metadata["lags"] + 1


def test_limits_travel_with_the_file(detector, model):
    told = model.metadata
    assert told["threshold"] == pytest.approx(detector.plant_.model_.detection.threshold_.value)
    assert told["threshold_set_by"] == "three_sigma"
    assert told["faults"] == list(detector.plant_.model_.diagnosis.faults_)


def test_a_sensor_off_its_relations_is_named_with_its_sign(detector, usual):
    for by in (15.0, -15.0):
        odd = with_tag(usual, "reactor_temperature", usual["reactor_temperature"].tail(30) + by)
        (found,) = detector.predict(odd).to_dict("records")
        assert found["alarm"]
        assert found["tag"] == "reactor_temperature"
        assert np.sign(found["contribution"]) == np.sign(by)
        told = detector.contributions(odd).iloc[0]
        assert told.abs().idxmax() == found["tag"]
        assert told[found["tag"]] == pytest.approx(found["contribution"], rel=1e-4)


def test_a_tag_in_another_unit_raises_an_alarm_that_names_it(model, usual):
    fahrenheit = with_tag(
        usual, "feed_temperature", (usual["feed_temperature"] - 273.15) * 1.8 + 32, slice(None)
    )
    (found,) = model.predict(fahrenheit).to_dict("records")
    assert found["alarm"]
    assert found["score"] > 100
    assert found["tag"] == "feed_temperature"
    assert found["state"] == "not seen before"


def test_a_state_far_from_all_that_was_learned_is_said_to_be_new(detector, usual):
    odd = usual.copy()
    for tag, by in (("level", 0.5), ("feed_flow", -0.4), ("product_concentration", 0.6)):
        odd.loc[odd.index[-40:], tag] += by
    assert detector.predict(odd)["state"].tolist() == ["not seen before"]


def test_a_dropped_value_is_not_known_and_flagged(detector, model, usual):
    holed = usual.copy()
    holed.loc[holed.index[-1], "level"] = np.nan
    (found,) = detector.predict(holed).to_dict("records")
    assert found["state"] == "not known"
    assert np.isnan(found["score"])
    assert found["alarm"]  # somebody has to look
    state = SensorState(model)
    records = usual.tail(12).to_dict("records")
    for record in records[:-1]:
        state.update(record)
    told = state.update({**records[-1], "level": None})
    assert told["flags"] == {"missing": ["level"]}
    with pytest.raises(SchemaError, match="'level'"):
        detector.predict(usual.drop(columns="level"))


def test_a_stuck_sensor_is_found_and_named(detector, model, usual):
    stuck = with_tag(usual, "level", usual["level"].iloc[-40], slice(-40, None))
    found = detector.stuck_tags(stuck)
    assert found["tag"].tolist() == ["level"]
    assert found["equal"].tolist() == [40]
    assert detector.stuck_tags(usual).empty  # analysers hold their number for three readings
    state = SensorState(model)
    last = [state.update(record) for record in stuck.tail(50).to_dict("records")][-1]
    assert last["flags"] == {"stuck": ["level"]}


def test_time_that_goes_back_is_refused_in_a_stream_and_twice_in_a_table(detector, model, usual):
    state = SensorState(model)
    first, second = usual.head(2).to_dict("records")
    state.update(second)
    with pytest.raises(SchemaError, match=r"lies before.*Feed the readings"):
        state.update(first)
    with pytest.raises(SchemaError, match="has 2 rows of"):
        detector.predict(pd.concat([usual, usual.tail(1)], ignore_index=True))
    shuffled = usual.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(detector.predict(shuffled), detector.predict(usual))


def test_constant_tags_are_left_out_and_said(plant):
    still = plant.train.assign(speed=1480.0)
    held = plant.validation.assign(speed=1480.0)
    fitted = quick().fit(still, held)
    assert "speed" not in fitted.schema_.names
    assert any("'speed'" in note for note in fitted.plant_.notes_)
    with pytest.raises(TrainingError, match="varies"):
        quick(tags=("speed",)).fit(still, held)


def test_normal_rows_alone_are_enough_and_two_faults_tell_one_from_another(plant):
    normal = plant.train[plant.train["fault"] == "normal"]
    fitted = quick().fit(normal)
    found = fitted.predict(plant.test.drop(columns="fault"))
    assert list(found.columns) == ["alarm", "score", "tag", "contribution", "state"]
    assert set(found["state"]) <= {"normal", "fault"}
    assert any("not diagnosed" in note for note in fitted.plant_.notes_)


def test_what_cannot_be_learned_from_is_refused(plant):
    unsaid = plant.train.copy()
    unsaid.loc[5, "fault"] = None
    with pytest.raises(SchemaError, match=r"Column 'fault', row \d+: no value.*'normal'"):
        quick().fit(unsaid, plant.validation)
    with pytest.raises(SchemaError, match=r"Column .fault. is missing\. Add it.*'normal'"):
        quick().fit(plant.train.drop(columns="fault"), plant.validation)
    with pytest.raises(TrainingError, match="none is 'usual'"):
        quick(normal="usual").fit(plant.train, plant.validation)
    with pytest.raises(LeakageError, match="validation data and in those of training"):
        quick().fit(plant.train, plant.train)
    with pytest.raises(SchemaError, match=r"'levle'.*Did you mean 'level'"):
        quick(tags=("levle",)).fit(plant.train, plant.validation)
    for name in ("run", "time", "fault"):
        with pytest.raises(SchemaError, match=f"'{name}' is named as a tag, and says whose"):
            quick(tags=(name, "level")).fit(plant.train, plant.validation)
    words = plant.train.replace({"fault": {"feed rich": "not known"}})
    with pytest.raises(SchemaError, match="a word of the answers"):
        quick().fit(words, plant.validation)
    with pytest.raises(SchemaError, match="needs 4 or more"):
        quick().split(plant.train[plant.train["run"].isin(["R01", "R02"])])


def test_a_test_needs_labels_both_kinds_of_rows_and_runs_of_its_own(detector, plant, usual):
    with pytest.raises(SchemaError, match="'fault' is missing"):
        detector.evaluate(usual)
    with pytest.raises(SchemaError, match="no row at which a fault was active"):
        detector.evaluate(usual.assign(fault="normal"))
    with pytest.raises(LeakageError, match="was learned from"):
        detector.evaluate(plant.train)
    renamed = plant.train.assign(run="x" + plant.train["run"])
    beside = pd.concat([plant.test, renamed[renamed["run"] == "xR01"]], ignore_index=True)
    for known in (renamed, beside):
        with pytest.raises(
            LeakageError, match=r"Run 'xR\d+' .* 100% of its readings .*Leave it out"
        ):
            detector.evaluate(known)
    # The remedy works, and readings that were lost are none that were learned from.
    tags = plant.test.columns.difference(["run", "time", "fault"])
    lost = plant.test.assign(**{name: np.nan for name in tags}).head(40).assign(run="R99")
    detector.evaluate(pd.concat([plant.test, lost], ignore_index=True))


def test_tags_follow_a_plant_that_moves_only_where_they_are_named(detector, usual):
    moved = usual.assign(feed_temperature=usual["feed_temperature"] + 0.8)
    later = detector.updated(moved, ("feed_temperature",), memory=50, bound=2.0)
    before, after = (each.trajectories(moved)["score"].mean() for each in (detector, later))
    assert after < before
    told = later.moved_.set_index("column").loc["feed_temperature"]
    assert told["shift"] > 0.2
    assert not told["stuck"]
    assert detector.moved_.empty
    stuck = detector.updated(usual.assign(level=1.0), ("level",), memory=50)
    assert stuck.moved_["stuck"].tolist() == [True]
    with pytest.raises(ParameterError, match="'memory'"):
        detector.updated(usual, ("level",), memory=0.5)
    with pytest.raises(ParameterError, match=r"'speed' is not watched.* Name some of .*'level'"):
        detector.updated(usual, ("speed",))
    with pytest.raises(ParameterError, match=r"'tags' parameter .* a tuple of names. Got 'level'"):
        detector.updated(usual, "level")


def test_the_nearest_normal_reading_is_told(detector, plant):
    known = plant.train[plant.train["fault"] == "normal"].groupby("run").head(50)
    found = detector.nearest_normal(known)
    assert (found["normal_run"] == found.index).all()
    assert found["difference"].max() < 1e-6


def test_plots_show_contributions_and_delays(detector, plant):
    figure = detector.plot_contributions(plant.test, plant.test["run"].iloc[-1])
    assert "explain" in figure.get_label()
    with pytest.raises(SchemaError, match="'R99'"):
        detector.plot_contributions(plant.test, "R99")
    (draw,) = detector.evaluate(plant).sections[0].figures
    assert "Delay" in draw().get_label()


def test_rates_delays_and_diagnosis_are_counted_as_they_are_meant():
    fault = np.array(["normal"] * 4 + ["a"] * 4 + ["normal"] * 2 + ["b"] * 2, dtype=object)
    run = np.repeat([0, 1], [8, 4])
    score = np.array([0, 2, 0, 0, 0, 0, 1, 3, 0, 0, 0, 0.5])
    likely = np.array(["a"] * 6 + ["b"] * 6, dtype=object)
    judged = JudgedReadings(run=run, fault=fault, normal="normal", learned=("a", "b"))
    alarms = Alarms(score, likely)
    found = judged.bootstrap(alarms).estimates()
    assert found["mean_detection_rate"].value == pytest.approx(0.25)
    assert found["false_alarm_rate"].value == pytest.approx(1 / 6)
    assert judged.delays(alarms) == [(4, 2, True), (10, 2, False)]
    assert found["macro_f1"].value == pytest.approx((2 / 3 + 2 / 3) / 2)
    rows = judged.by_fault(alarms)
    assert [row[:4] for row in rows] == [["a", 4, 0.5, 2.0], ["b", 2, 0.0, None]]


def test_the_simulated_reactor_is_the_same_each_time_and_labels_begin_at_the_onset():
    one, two = (reactor_runs(readings=60, onset=20, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    faulty = one[one["fault"] != "normal"]
    assert faulty.groupby("run").size().unique().tolist() == [40]
    with pytest.raises(ParameterError, match="onset"):
        reactor_runs(readings=60, onset=60)


def tennessee_eastman():
    try:
        return load("energy_manufacturing_tep")
    except DataNotFoundError as error:
        pytest.skip(f"no mirror of the Tennessee Eastman data: {error}")


def test_thresholds_from_training_rows_promise_far_too_few_false_alarms_and_are_refused():
    data = tennessee_eastman()
    tags = [name for name in data.train if name.startswith("xm")]
    schema = Schema(tuple(Column(name, "number", role="history") for name in tags))
    normal, held_out = (
        {name: part[name].to_numpy(dtype=np.float32) for name in tags}
        for part in (data.train[data.train["run"] == "d00"], data.validation)
    )
    options = AnomalyOptions(model="dynamic_pca", lags=3, smoothing=1, variance=0.9)
    with pytest.raises(LeakageError, match="raises false alarms that nobody expects"):
        AnomalyRecipe(options).fit(schema, [normal], [normal])
    recipe = AnomalyRecipe(options).fit(schema, [normal], [held_out])
    known, other = (
        recipe.answer(
            {n: np.lib.stride_tricks.sliding_window_view(v, 3) for n, v in run.items()}
        ).score
        for run in (normal, held_out)
    )
    promised = np.quantile(known, 0.99)  # 1 % false alarms, by the rows that were learned from
    assert (other > promised).mean() > 0.1


def test_tennessee_eastman_is_read_as_it_is_judged():
    data = tennessee_eastman()
    assert sorted(data.validation["run"].unique()) == ["d00_te first half"]
    assert len(data.test) == 480 + 21 * 960
    begins = data.test[data.test["fault"] == "fault 05"].groupby("run")["time"].min()
    assert begins.to_dict() == {"d05_te": 160}
    chosen = ["d00_te", "d04_te", "d05_te"]
    few = data.test[data.test["run"].isin(chosen)]
    normal = data.train[data.train["run"] == "d00"]
    detector = PlantFaultDetector(lags=5, smoothing=1).fit(normal, data.validation)
    report = detector.evaluate(few)
    assert report.metrics["mean_detection_rate"].value > 0.99
    assert report.metrics["false_alarm_rate"].value < 0.01
    assert any("160 normal ones that are those of another run" in note for note in report.notes)
