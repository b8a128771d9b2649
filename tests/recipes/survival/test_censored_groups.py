"""Groups that are followed for different times must not seem to fare differently."""

import numpy as np
import pytest

from industry_apps.evaluation.fairness.answers import GroupedAnswers
from industry_apps.recipes.survival.censored_groups import CensoredAnswers
from industry_apps.recipes.survival.metrics import FollowUp

HORIZON = 50.0


def lives(rows: int = 6_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Risk by the horizon, time of the event, and sex, which changes nothing."""
    draw = np.random.default_rng(seed)
    rate = np.exp(draw.normal(-4.5, 0.5, rows))
    return 1 - np.exp(-rate * HORIZON), draw.exponential(1 / rate), draw.choice(["f", "m"], rows)


def answers(censored: bool, seed: int = 0) -> CensoredAnswers:
    risk, time, sex = lives(seed=seed)
    longest = np.where(sex == "f", 60.0, 600.0) * np.random.default_rng(1).random(len(time))
    end = longest if censored else np.full(len(time), np.inf)
    follow_up = FollowUp(np.minimum(time, end), time <= end)
    return CensoredAnswers.of(follow_up, HORIZON, risk, risk > 0.5, {"sex": sex})


def test_who_is_followed_for_less_does_not_seem_to_fare_worse():
    found = answers(censored=True).report().attributes["sex"].groups
    risk, time, sex = lives()
    for group in ("f", "m"):
        true = (time[sex == group] <= HORIZON).mean()
        assert found[group]["observed_rate"].value == pytest.approx(true, abs=0.04)
        gap = found[group]["calibration_gap"]
        assert gap.low < 0.02
        assert gap.high > -0.02
        assert found[group]["mean_probability"].value == pytest.approx(risk[sex == group].mean())


def test_without_censoring_it_is_the_plain_report():
    censored = answers(censored=False)
    plain = GroupedAnswers(
        target=censored.target,
        probability=censored.probability,
        decision=censored.decision,
        groups=censored.groups,
        favourable=True,
    )
    ours, theirs = (each.report().attributes["sex"] for each in (censored, plain))
    for group in ("f", "m"):
        for figure, value in ours.groups[group].items():
            assert value.value == pytest.approx(theirs.groups[group][figure].value), figure
            assert value.low <= value.value <= value.high
    for figure, value in ours.summary.items():
        assert value.value == pytest.approx(theirs.summary[figure].value)
    assert (ours.rows, ours.positives) == (theirs.rows, theirs.positives)


def test_joined_answers_are_those_of_all_rows():
    first, second = answers(censored=True), answers(censored=True, seed=5)
    both = first.joined([second])
    assert len(both.time) == len(both.target) == 12_000
    rows = both.report().attributes["sex"].rows
    parts = [each.report().attributes["sex"].rows for each in (first, second)]
    assert rows["f"] == sum(part["f"] for part in parts)


def test_few_rows_are_pooled_and_one_group_compares_nothing():
    given = answers(censored=True)
    labels = np.where(np.arange(6_000) < 10, "a", np.where(np.arange(6_000) < 15, "b", "c"))
    found = CensoredAnswers.of(
        FollowUp(given.time, given.target), 1.0, given.probability, given.decision, {"w": labels}
    ).report()
    assert found.attributes["w"].pooled == {"a": 10, "b": 5}
    assert found.attributes["w"].compared == ("c",)
    assert np.isnan(found.attributes["w"].summary["demographic_parity_ratio"].value)
