"""Costs decide when a machine is replaced."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.manufacturing import FailureAlarm


@pytest.fixture(scope="module")
def lives():
    return FailureAlarm.sample()


@pytest.fixture(scope="module")
def alarm(lives):
    return FailureAlarm.fast().fit(lives)


def test_an_alarm_is_a_remaining_life_up_to_the_threshold(alarm, lives):
    found = alarm.predict(lives.test)
    assert found["alarm"].all()  # all have failed
    early = lives.test[lives.test["remaining_life"] > 40]
    assert not alarm.predict(early)["alarm"].any()
    assert alarm.threshold_ > alarm.lead_time


def test_costs_move_the_threshold(lives):
    thresholds = [
        FailureAlarm.fast().set_params(failure_cost=cost).fit(lives).threshold_
        for cost in (1.05, 50.0)
    ]
    assert thresholds[0] < thresholds[1]


def test_it_is_judged_beside_fixed_intervals_and_foresight(alarm, lives):
    report = alarm.evaluate(lives)
    cost = report.metrics["cost_per_life"].value
    assert 1.0 < cost < report.baselines["fixed_interval"]["cost_per_life"].value
    assert report.baselines["run_to_failure"]["cost_per_life"].value == pytest.approx(5.0)
    assert report.metrics["cost_over_foresight"].value == pytest.approx(cost - 1.0)
    policies = {row["policy"] for row in report.sections[0].records()}
    assert "perfect foresight" in policies


def test_records_without_a_failure_cannot_judge(alarm, lives):
    cut = lives.test[lives.test["remaining_life"] > 30]
    with pytest.raises(SchemaError, match="0 records of the test part end with failure"):
        alarm.evaluate(cut)
    train = lives.train[lives.train["remaining_life"] > 30]
    with pytest.raises(TrainingError, match="records of 0 machines end with failure"):
        FailureAlarm.fast().fit(train)


def test_costs_and_lead_must_make_sense(lives):
    for wrong, words in (
        ({"failure_cost": 1.0}, "'failure_cost'.*larger"),
        ({"lead_time": 60.0}, "'lead_time'.*below 'cap'"),
    ):
        with pytest.raises(ParameterError, match=words):
            FailureAlarm.fast().set_params(**wrong).fit(lives)


def test_a_machine_of_which_nothing_is_known_gets_an_alarm(alarm, lives):
    one = lives.test.groupby("machine").head(1)
    sensors = ["temperature", "vibration", "pressure", "current", "speed"]
    unknown = alarm.predict(one.assign(**dict.fromkeys(sensors, np.nan)))
    assert unknown["alarm"].all()
    assert unknown["remaining_life"].isna().all()
