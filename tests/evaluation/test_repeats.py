"""Many splits as one report: the published interval, means, joined rows."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from industry_apps.errors import ParameterError
from industry_apps.evaluation import Estimate, Report, Section, merged
from industry_apps.evaluation.fairness.answers import GroupedAnswers
from industry_apps.evaluation.repeats import over_seeds, resampled_mean

VALUES = st.lists(st.floats(-10, 10), min_size=2, max_size=30)


@given(values=VALUES, test_share=st.floats(0.01, 0.9))
def test_the_interval_is_that_of_nadeau_and_bengio(values, test_share):
    # Section 3: sigma^2 (1 / J + n2 / n1) stands for the variance of the mean of J splits,
    # n1 rows of which are learned from and n2 tested; J - 1 degrees of freedom.
    n1, n2, splits = 1 - test_share, test_share, len(values)
    variance = (1 / splits + n2 / n1) * np.var(values, ddof=1)
    half = t.ppf(0.975, splits - 1) * math.sqrt(variance)
    found = resampled_mean(values, test_share)
    assert found.value == pytest.approx(np.mean(values))
    assert found.high - found.value == pytest.approx(half, abs=1e-9)
    assert found.value - found.low == pytest.approx(half, abs=1e-9)


def test_ten_times_ten_folds_as_in_the_papers():
    # Bouckaert and Frank 2004 write 1 / (k r) + n2 / n1 with n2 / n1 = 1 / 9 for ten folds.
    values = np.random.default_rng(0).normal(0.8, 0.04, 100)
    found = resampled_mean(values.tolist(), 0.1)
    half = t.ppf(0.975, 99) * math.sqrt((1 / 100 + 1 / 9) * values.var(ddof=1))
    assert found.high - found.low == pytest.approx(2 * half)


def test_it_covers_where_the_plain_interval_does_not():
    # Means of random tenths of the same rows differ little; the mean of all of them varies
    # from one table to the next as the mean of the table does.
    random = np.random.default_rng(1)
    covered = plain = 0
    for _ in range(200):
        table = random.normal(size=100)
        means = [random.permutation(table)[:10].mean() for _ in range(60)]
        found = resampled_mean(means, 0.1)
        covered += found.low <= 0 <= found.high
        half = 1.96 * np.std(means, ddof=1) / math.sqrt(len(means))
        plain += abs(np.mean(means)) <= half
    assert plain < 120
    assert covered > 180


def test_one_run_is_no_mean():
    with pytest.raises(ParameterError, match="two runs or more"):
        resampled_mean([0.8], 0.1)


def exact(**values: float) -> dict[str, Estimate]:
    return {name: Estimate(value, value, value) for name, value in values.items()}


def answers(seed: int, group: str = "sex") -> GroupedAnswers:
    random = np.random.default_rng(seed)
    risk = random.random(40)
    return GroupedAnswers(
        target=random.random(40) < risk,
        probability=risk,
        decision=risk > 0.5,
        groups={group: random.choice(["f", "m"], 40)},
        favourable=False,
    )


def report(run: int, **changed: object) -> Report:
    given = {
        "application": "a",
        "data": "d",
        "model": "m",
        "metrics": exact(auroc=0.80 + 0.01 * run, expected_cost=0.5 - 0.02 * run),
        "baselines": {"plain": exact(auroc=0.78 + 0.01 * run, expected_cost=0.5)},
        "groups": {"model": answers(run), "file": answers(run)},
        "notes": ("Kept.",),
    }
    return Report(**{**given, **changed})


def test_reports_are_merged():
    found = merged([report(run) for run in range(4)], test_share=0.25, rows_once=2)
    assert found.metrics["auroc"].value == pytest.approx(0.815)
    expected = resampled_mean([0.5, 0.48, 0.46, 0.44], 0.25)
    assert found.metrics["expected_cost"].low == pytest.approx(expected.low)
    assert found.baselines["plain"]["auroc"].value == pytest.approx(0.795)
    # Differences are paired: they do not vary where both vary alike.
    margin = found.margins["plain"]["auroc"]
    assert (margin.value, margin.low, margin.high) == pytest.approx((0.02, 0.02, 0.02))
    verdicts = {each.metric: each.verdict for each in found.comparisons()}
    assert verdicts["auroc"] == "beats"
    assert found.curves is None
    assert found.notes[-1] == "Kept."
    assert "4 random splits" in found.notes[0]


def test_rows_of_the_first_runs_are_joined_for_the_groups():
    found = merged([report(run) for run in range(4)], test_share=0.25, rows_once=2)
    joined = found.groups["model"]
    np.testing.assert_array_equal(
        joined.probability, np.concatenate([answers(run).probability for run in range(2)])
    )
    assert joined.report().differences(found.groups["file"].report()) == 0
    assert "Fairness of the model: sex" in json.loads(found.to_json())["sections"]


def test_runs_without_groups_are_passed_over():
    reports = [report(0, groups={}), report(1), report(2)]
    found = merged(reports, test_share=0.3, rows_once=3)
    assert len(found.groups["model"].target) == 80
    assert merged(reports[:1] * 2, test_share=0.3, rows_once=2).groups == {}


def test_sections_are_those_of_the_first_run_and_said_to_be():
    reports = [report(run, sections=(Section("Points", f"run {run}"),)) for run in range(2)]
    found = merged(reports, test_share=0.3, rows_once=2)
    assert [section.text for section in found.sections] == ["run 0"]
    assert "Points: of the first of these runs." in found.notes


@pytest.mark.parametrize(
    "joined", [over_seeds, lambda reports: merged(reports, test_share=0.3, rows_once=2)]
)
def test_what_differs_between_runs_is_said_to(joined):
    runs = [
        report(run, model="ab"[run], headline_text=f"run {run}", notes=("Kept.", f"Of {run}."))
        for run in range(2)
    ]
    found = joined([replace(run, margins=run.baselines) for run in runs])
    assert found.notes[-2:] == ("Kept.", "Of 0. (Of the first run; others differ.)")
    assert found.model == "a or b"
    assert found.headline().startswith("a or b reaches auroc")
