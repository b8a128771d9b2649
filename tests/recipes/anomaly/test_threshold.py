"""Thresholds of scores that were learned from normal records alone."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import ParameterError, TrainingError
from industry_apps.evaluation import Problem
from industry_apps.evaluation.costs import Costs
from industry_apps.recipes.anomaly.metrics import ANOMALIES, anomaly_bootstrap
from industry_apps.recipes.anomaly.threshold import AlarmThreshold


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3])
def test_new_normal_records_raise_as_many_alarms_as_wanted(rate):
    draw = np.random.default_rng(0)
    held, shares = [], []
    for _ in range(300):
        found = AlarmThreshold.at_rate(draw.standard_cauchy(199), rate)  # any distribution will do
        shares.append((draw.standard_cauchy(4_000) >= found.value).mean())
        held.append(found.low <= shares[-1] <= found.high)
    assert np.mean(shares) <= rate * 1.05
    assert np.mean(shares) > rate * 0.4
    assert np.mean(held) > 0.91  # of intervals of 95 %, in 300 trials


def test_records_of_one_group_tell_less():
    draw = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 6)

    def drawn(count):
        """Photographs of parts: six of each are nearly alike."""
        return np.repeat(draw.normal(size=count), 6) + draw.normal(0, 0.1, 6 * count)

    held, alone = [], []
    for _ in range(300):
        scores, new = drawn(40), drawn(700)
        for found, told in ((True, groups), (False, None)):
            threshold = AlarmThreshold.at_rate(scores, 0.1, told)
            inside = threshold.low <= (new >= threshold.value).mean() <= threshold.high
            (held if found else alone).append(inside)
    assert np.mean(alone) < 0.8  # as if there were 240 parts
    assert np.mean(held) > 0.92


@pytest.mark.parametrize("groups", [None, np.repeat(np.arange(5), 4)])
@pytest.mark.parametrize(("value", "low", "high"), [(-1.0, 0.4, 1.0), (99.0, 0.0, 0.6)])
def test_where_all_or_none_raise_an_alarm_the_interval_is_one(value, low, high, groups):
    found = AlarmThreshold.given(value, np.arange(20.0), groups)
    assert low <= found.low <= found.rate <= found.high <= high


def test_no_known_record_sits_on_the_threshold_and_equal_scores_stay_together():
    scores = np.array([0.0] * 15 + [1.0] * 5)
    found = AlarmThreshold.at_rate(scores, 0.1)
    assert found.value > 1.0  # of five equal scores not two alone can be above it
    assert not (scores >= found.value).any()
    constant = AlarmThreshold.at_rate(np.zeros(30), 0.1)
    assert constant.value > 0


def test_too_few_normal_records_are_refused_with_how_many_are_needed():
    with pytest.raises(TrainingError, match=r"0.05 false alarms .* from 18 normal .*: 19 are"):
        AlarmThreshold.at_rate(np.arange(18.0), 0.05)
    assert AlarmThreshold.at_rate(np.arange(19.0), 0.05).value > 18
    with pytest.raises(TrainingError, match=r"a share of 0\.5 or more"):
        AlarmThreshold.at_rate(np.zeros(1), 0.05)


def test_what_is_no_score_or_no_share_is_refused():
    with pytest.raises(ParameterError, match="1 of its numbers not finite"):
        AlarmThreshold.at_rate(np.array([0.0, np.nan]), 0.5)
    with pytest.raises(ParameterError, match=r"in \(0, 1\)"):
        AlarmThreshold.at_rate(np.zeros(9), 1.0)


def test_the_report_says_how_the_threshold_was_set_and_what_came_of_it():
    found = AlarmThreshold.at_rate(np.arange(99.0), 0.05)
    section = found.section(np.array([True, False, True]), np.array([False, False, True]))
    assert "promises nothing of how many anomalies" in section.text
    assert "told from 99 normal records" in section.text
    assert [row["share"] for row in section.records()] == [0.5, 1.0]
    own = AlarmThreshold.given(0.7)
    assert "was given" in own.section(np.ones(1, bool), np.ones(1, bool)).text
    assert own.facts() == {"threshold": 0.7, "threshold_set_by": "given", "normal_records": 0}
    assert found.facts()["false_alarms_expected"][0] == found.rate


def test_costs_set_the_threshold_of_a_probability():
    found = AlarmThreshold.at_least_cost(Costs(false_alarm=1, missed=3), np.linspace(0, 0.5, 101))
    assert (found.value, found.way, found.rows) == (0.25, "cost", 101)
    assert found.low < 0.5 < found.high


def test_metrics_by_kind():
    bad = np.array([0, 0, 0, 1, 1, 1], dtype=bool)
    score = np.array([0.1, 0.2, 0.3, 0.9, 0.25, 0.05])
    kinds = {"crack": np.array([0, 0, 0, 1, 0, 0]), "pit": np.array([0, 0, 0, 0, 1, 1])}
    found = anomaly_bootstrap(bad, score, score > 0.5, kinds=kinds).values
    assert found["auroc_crack"] == 1
    assert found["auroc_pit"] == pytest.approx(2 / 6)
    assert found["auroc"] == pytest.approx(5 / 9)
    assert found["detection_rate"] == pytest.approx(1 / 3)
    assert found["false_alarm_rate"] == 0
    assert isinstance(ANOMALIES, Problem)
    assert all(ANOMALIES.metric(name).meaning for name in found)
