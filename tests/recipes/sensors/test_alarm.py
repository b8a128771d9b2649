"""What policies of replacement cost, against numbers that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import SchemaError, TrainingError
from industry_apps.recipes.sensors.alarm import (
    AlarmCosts,
    Outcome,
    Records,
    assess_alarm,
    best_interval,
    check_several,
    learn_threshold,
    left_at_replacement,
)
from industry_apps.recipes.sensors.interval import LifeInterval
from industry_apps.recipes.sensors.metrics import Judged, nasa_score

COSTS = AlarmCosts(failure=10.0, replacement=1.0, lead=2.0)


@pytest.fixture
def records():
    lives = [np.arange(n, -1, -1.0) for n in (9, 19, 29)]
    return Records(np.concatenate(lives), np.append(0, np.cumsum([len(each) for each in lives])))


def test_the_first_alarm_counts_and_comes_a_lead_before(records):
    answer = records.life + np.where(records.life == 12, -9, 0)  # one false alarm, in two of them
    assert left_at_replacement(answer, 5.0, records, 2.0).tolist() == [3, 10, 10]
    assert left_at_replacement(records.life, 1.0, records, 2.0).tolist() == [-1, -1, -1]
    assert np.isnan(left_at_replacement(records.life, -1.0, records, 2.0)).all()


def test_cost_per_life_is_that_of_the_renewal(records):
    left = left_at_replacement(records.life, 5.0, records, 2.0)
    outcome = Outcome.of(left, records.lives, COSTS)
    assert outcome.used.tolist() == [6, 16, 26]
    assert outcome.per_life() == pytest.approx(3 * 1.0 * 19 / 48)
    assert Outcome.of(np.zeros(3), records.lives, COSTS).per_life() == 1.0  # foresight
    assert Outcome.of(np.full(3, np.nan), records.lives, COSTS).per_life() == 10.0


def test_the_threshold_of_an_answer_that_is_right_is_the_lead(records):
    found = learn_threshold(records.life, records, COSTS, cap=20.0)
    assert 2.0 <= found < 3.2
    shifted = learn_threshold(records.life + 4, records, COSTS, cap=20.0)
    assert 6.0 <= shifted < 7.2
    with pytest.raises(TrainingError, match="at least two"):
        learn_threshold(
            records.life[:10], Records(records.life[:10], records.starts[:2]), COSTS, 9.0
        )


def test_the_best_interval_of_equal_lives_is_just_before_their_end():
    assert best_interval(np.full(5, 40.0), COSTS) == pytest.approx(40, abs=0.2)
    widely = np.array([1.0, 100.0] * 20)
    cheap = AlarmCosts(failure=1.01, replacement=1.0, lead=0.0)
    assert best_interval(widely, cheap) >= 100


def test_a_report_has_the_policies_side_by_side(records):
    report = assess_alarm(
        records.life, records, threshold=3.0, interval=9.0, costs=COSTS, model="trees"
    )
    table = {row["policy"]: row for row in report.sections[0].records()}
    assert table["perfect foresight"]["cost per life"] == 1.0
    assert table["run to failure"]["failed"] == 3
    assert report.metrics["cost_per_life"].value == table["alarm"]["cost per life"]
    assert report.metrics["missed_failures"].value == 0
    one = Records(records.life[:10], records.starts[:2])
    with pytest.raises(SchemaError, match="1 records of the test part end with failure"):
        check_several(one)


def test_the_interval_holds_as_often_as_it_says():
    draw = np.random.default_rng(0)
    machine = np.repeat(np.arange(60), 50)
    answer = draw.uniform(0, 1, len(machine))
    came = np.clip(answer + draw.normal(0, 0.02 + 0.1 * answer), 0, 1)
    found = LifeInterval.of(answer, came, machine, 0.9)
    fresh = draw.uniform(0, 1, 20_000)
    outcome = np.clip(fresh + draw.normal(0, 0.02 + 0.1 * fresh), 0, 1)
    low, high = found.apply(fresh)
    assert np.mean((low <= outcome) & (outcome <= high)) == pytest.approx(0.9, abs=0.02)
    wide = (high - low)[(fresh > 0.6) & (fresh < 0.7)].mean()
    assert wide > 2 * (high - low)[(fresh > 0.1) & (fresh < 0.2)].mean()


def test_metrics_are_of_the_last_reading_or_of_all():
    judged = Judged(
        life=np.array([150.0, 140.0, 20.0, 10.0]), machine=np.array([0, 0, 1, 1]), cap=125.0
    )
    found = judged.bootstrap(np.array([125.0, 115.0, 25.0, 13.0])).values
    assert found["rmse"] == pytest.approx(np.sqrt((100 + 9) / 2))
    assert found["rmse_uncapped"] == pytest.approx(np.sqrt((625 + 9) / 2))
    assert found["mae_all"] == pytest.approx((0 + 10 + 5 + 3) / 4)
    assert found["nasa_score"] == pytest.approx(np.exp(10 / 13) - 1 + np.exp(0.3) - 1)
    assert nasa_score(np.array([20.0])) > nasa_score(np.array([-20.0]))
