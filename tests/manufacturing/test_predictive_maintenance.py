"""Machines: whose life is known, what is refused, and what a short record gets."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import worn_machines
from industry_apps.errors import (
    LeakageError,
    LeakageWarning,
    ParameterError,
    SchemaError,
    TrainingError,
)
from industry_apps.features import Change
from industry_apps.manufacturing import RemainingLifeEstimator, remaining_life
from industry_apps.recipes import TreeOptions
from industry_apps.runtime import Model

FEW = TreeOptions(rounds=5, num_leaves=4, min_child_samples=5)


def quick(**parameters):
    return RemainingLifeEstimator.fast().set_params(trees=FEW, **parameters)


@pytest.fixture(scope="module")
def few():
    """Six machines run to failure."""
    return worn_machines(machines=6, usual_life=60, seed=3)


def test_a_machine_is_answered_as_of_its_own_last_reading(estimator, machines):
    test = machines.test
    names = sorted(test["machine"].unique())
    among = estimator.predict(test)
    for name in names[:3]:
        own = test[test["machine"] == name]
        pd.testing.assert_frame_equal(estimator.predict(own), among.loc[[name]], rtol=1e-5)
    ended = test[(test["machine"] != names[0]) | (test["time"] < test["time"].quantile(0.2))]
    assert (among.index == names).all()
    assert len(estimator.predict(ended)) >= len(names) - 1


def test_answers_are_ordered_and_up_to_the_cap(estimator, machines):
    found = estimator.trajectories(machines.test)
    assert (found["remaining_life_low"] <= found["remaining_life"]).all()
    assert (found["remaining_life"] <= found["remaining_life_high"]).all()
    assert found["remaining_life_high"].max() <= 60.0
    np.testing.assert_allclose(found["health"], found["remaining_life"] / 60.0)
    assert len(found) == len(machines.test)


def test_a_window_of_one_reading_is_answered_like_a_new_machine(life_file, machines):
    first = machines.test.groupby("machine").head(1).drop(columns="remaining_life")
    found = life_file.predict(first)
    assert np.isfinite(found.to_numpy()).all()
    assert (found["remaining_life"] > 30).all()
    empty = first.assign(
        **dict.fromkeys(("temperature", "vibration", "pressure", "current", "speed"))
    )
    unknown = life_file.predict(empty.astype({"speed": float}))
    assert unknown.isna().all(axis=None)


def test_late_records_are_learned_from_where_they_do_not_begin_with_the_machine(few):
    frame = few.drop(columns=["load", "ambient"])
    late = frame[frame["remaining_life"] < 25]  # nothing before is known of any
    known = quick(settings=(), whole_records=False).fit(frame)
    new = quick(settings=()).fit(frame)
    error = {
        name: np.abs(each.trajectories(late)["remaining_life"].to_numpy() - _in_order(late)).mean()
        for name, each in {"late": known, "new": new}.items()
    }
    assert error["late"] < error["new"]


def _in_order(frame):
    return frame.sort_values(["machine", "time"])["remaining_life"].to_numpy()


def test_machines_that_have_not_failed_are_said_to_be_so(few):
    running = worn_machines(machines=6, usual_life=200, running=2, seed=3)
    fitted = quick(cap=30.0).fit(running)
    (note,) = (each for each in fitted.life_.notes_ if "not failed" in each)
    assert note.startswith("2 machines have not failed: of their readings")
    part = running[running["machine"] == "M001"]
    told = len(part) - 30  # which ran on for the cap
    assert told > 0
    lives, _ = fitted.life_._labelled(running)
    own = lives.life[lives.owner == 0]
    assert (~np.isnan(own)).sum() == told
    assert np.nanmin(own) >= 30
    with pytest.raises(SchemaError, match=r"machine 'M001'.*nothing says.*column 'failed'"):
        quick().fit(running.drop(columns="failed"))
    with pytest.raises(SchemaError, match=r"machine 'M001'.*nothing says"):
        quick().fit(running.assign(failed=True))


def test_what_cannot_be_learned_from_is_refused(few):
    one = few[few["machine"] == "M001"]
    with pytest.raises(TrainingError, match=r"one machine \('M001'\) alone.*at least two"):
        quick().fit(one)
    with pytest.raises(SchemaError, match=r"names 1 machines.*records of more machines"):
        RemainingLifeEstimator().split(one)
    never = few.assign(remaining_life=np.nan, failed=False)
    with pytest.raises(TrainingError, match="known of no machine, so there is nothing"):
        quick().fit(never)
    still = few[["machine", "time", "remaining_life"]].assign(heat=1.0, flow=np.nan)
    with pytest.raises(TrainingError, match=r"None of the sensors 'heat'.* varies"):
        quick(settings=()).fit(still.assign(flow=still["flow"].astype(float)))
    with pytest.raises(SchemaError, match="no column of numbers beside 'machine', 'time'"):
        quick(settings=()).fit(few[["machine", "time", "remaining_life"]])
    with pytest.raises(SchemaError, match=r"'remaining_life' is missing.*failed=True"):
        quick().fit(few.drop(columns="remaining_life"))
    with pytest.raises(SchemaError, match=r"'presure' is named.*Did you mean 'pressure'"):
        quick(sensors=("presure",)).fit(few)
    with pytest.raises(ParameterError, match="'load' is named among 'sensors' and 'settings'"):
        quick(sensors=("load", "pressure")).fit(few)
    with pytest.raises(ParameterError, match="'features'"):
        quick(features=("pressure",)).fit(few)


@pytest.mark.parametrize(
    "leak", [lambda life: 2 * life + 1, lambda life: -life.clip(upper=30), lambda life: life**2]
)
def test_a_sensor_that_tells_the_life_that_is_left_is_named(few, leak):
    told = few.assign(left=leak(few["remaining_life"]))
    with pytest.warns(LeakageWarning, match="Column 'left' alone tells the life that is left"):
        fitted = quick(cap=30.0).fit(told)
    report = fitted.evaluate(told.assign(machine="X" + told["machine"]))
    assert any("Column 'left' alone tells" in note for note in report.notes)
    assert any("'left' alone" in note for note in fitted._facts()["notes"])
    chosen = ("temperature", "vibration", "pressure")
    with warnings.catch_warnings():
        warnings.simplefilter("error", LeakageWarning)
        quick(cap=30.0, sensors=chosen).fit(told)  # the remedy
        quick(cap=30.0).fit(few)


def test_constant_and_missing_sensors_are_left_out_of_the_file_and_said(few, tmp_path):
    table = few.assign(lamp=1.0, lost=np.full(len(few), np.nan))
    fitted = quick().fit(table)
    assert any("'lamp'" in note for note in fitted.life_.notes_)
    model = Model(fitted.export(tmp_path / "life.onnx"))
    assert "lamp" not in model.schema
    assert "lost" not in model.schema
    assert model.describe()["without_information"] == ["lamp"] or "lost" in str(model.describe())


def test_time_going_back_and_readings_after_the_end_are_refused(few):
    back = few.copy()
    back.loc[10, "time"] = back.loc[5, "time"] - pd.Timedelta(minutes=30)
    with pytest.raises(SchemaError, match=r"machine 'M001'.*rises from"):
        quick().fit(back)
    extra = few[few["remaining_life"] == 0].assign(time=lambda t: t["time"] + pd.Timedelta("1h"))
    with pytest.raises(SchemaError, match="after the end of life"):
        quick().fit(pd.concat([few, extra], ignore_index=True))


def test_machines_are_kept_apart(estimator, machines):
    with pytest.raises(LeakageError, match=r"was learned from.*Split by machine"):
        estimator.evaluate(machines.train)
    with pytest.raises(LeakageError, match="in the validation data"):
        quick().fit(machines.train, machines.train)
    parts = RemainingLifeEstimator().split(machines.train)
    names = [set(part["machine"]) for part in parts]
    assert not set.intersection(*names)
    one = machines.test[machines.test["machine"] == machines.test["machine"].iloc[0]]
    with pytest.raises(SchemaError, match="two or more"):
        estimator.evaluate(one)


def test_numbers_of_cycles_serve_as_times_and_columns_have_names_of_their_own(few, tmp_path):
    order = few.groupby("machine").cumcount() + 1
    mine = few.assign(cycle=order).drop(columns=["time", "remaining_life"])
    mine = mine.rename(columns={"machine": "unit"})
    mine["left"] = remaining_life(mine, machine="unit", time="cycle", failed=True)
    named = {"machine": "unit", "time": "cycle", "remaining_life": "left"}
    own = quick(columns=named).fit(mine)
    usual = quick().fit(few)
    ours = own.predict(mine)
    np.testing.assert_allclose(ours, usual.predict(few), rtol=1e-6)
    assert ours.index.name == "unit"
    model = Model(own.export(tmp_path / "life.onnx"))
    np.testing.assert_allclose(model.predict(mine.drop(columns="left")), ours, rtol=1e-4)
    with pytest.raises(SchemaError, match=r"'M001' has 2 rows of 5 "):
        model.predict(pd.concat([mine, mine[mine["cycle"] == 5]]))


def test_the_remedy_for_times_in_floats_works(few):
    cycle = few.groupby("machine").cumcount() + 1
    usual = quick().fit(few.assign(time=cycle)).predict(few.assign(time=cycle))
    for floats, remedy in (
        (cycle.astype(float), lambda times: times.astype("Int64")),
        (cycle / 4, lambda times: pd.to_datetime(times, unit="h")),
    ):
        table = few.assign(time=floats)
        with pytest.raises(SchemaError, match=r"'time', row 0.*astype\('Int64'\).*unit='h'"):
            quick().fit(table)
        told = table.assign(time=remedy(floats))
        pd.testing.assert_frame_equal(quick().fit(told).predict(told), usual)
    gap = few.assign(time=cycle.astype(float).where(few.index != 7).astype("Int64"))
    with pytest.raises(SchemaError, match=r"'time', row 7.*drop the row"):
        quick().fit(gap)
    quick().fit(gap.drop(index=7))


def test_features_of_ones_own_reach_the_file(few, tmp_path):
    fitted = quick(features=(Change("vibration", 5),)).fit(few)
    assert "change(vibration, 5, 0)" in fitted.life_.recipe_.graph_.names
    model = Model(fitted.export(tmp_path / "life.onnx"))
    np.testing.assert_allclose(model.predict(few), fitted.predict(few), rtol=1e-4)


def test_a_trajectory_is_drawn(estimator, machines):
    name = machines.test["machine"].iloc[0]
    figure = estimator.plot_trajectory(machines.test, name)
    assert name in figure.get_label()
    assert len(figure.axes[0].get_lines()) == 2
    with pytest.raises(SchemaError, match=rf"'nobody'.*machines, such as.*{name}"):
        estimator.plot_trajectory(machines.test, "nobody")


@pytest.mark.parametrize("asked", [3, 3.0, "3", np.int64(3)])
@pytest.mark.parametrize("kind", [int, float, str])
def test_a_machine_with_a_number_for_a_name_is_drawn(estimator, machines, asked, kind):
    numbers = pd.Series(machines.test["machine"].factorize()[0], machines.test.index)
    numbered = machines.test.assign(machine=numbers.astype(kind if kind is not str else "string"))
    assert "3" in estimator.plot_trajectory(numbered, asked).get_label()


def test_the_blend_gives_no_weight_to_what_does_not_help(few):
    recipe = quick().fit(few).life_.recipe_
    assert recipe.weights_ == {"trees": 1.0}
    table = replace(recipe.options, model="trees")
    assert table.folds == 2


def test_readings_not_in_order_of_rows_are_put_in_order(estimator, machines):
    shuffled = machines.test.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(estimator.predict(machines.test), estimator.predict(shuffled))


def test_the_cap_is_a_share_of_the_usual_life_unless_it_is_given(few):
    usual = few.groupby("machine")["remaining_life"].max().median()
    fitted = quick(cap=None).fit(few)
    assert fitted.life_.options.cap == pytest.approx(0.6 * usual, rel=0.01)
    assert fitted.predict(few.groupby("machine").head(1))["remaining_life_high"].max() <= (
        fitted.life_.options.cap
    )
