"""Answers beside groups: compared, joined, and left out where there is nothing to compare."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError
from industry_apps.evaluation.fairness.answers import GroupedAnswers, set_apart
from industry_apps.evaluation.fairness.report import bands, group_report


def answers(seed: int = 0, rows: int = 300) -> GroupedAnswers:
    random = np.random.default_rng(seed)
    risk = random.random(rows)
    ages = random.integers(18, 80, rows).astype(float)
    ages[:20] = np.nan
    return GroupedAnswers(
        target=random.random(rows) < risk,
        probability=risk,
        decision=risk > 0.4,
        groups={
            "sex": random.choice(np.array(["f", "m", ""], object), rows),
            "age": bands(ages, [30, 50]),
        },
        favourable=False,
    )


def test_the_report_is_that_of_the_rows():
    found = answers()
    expected = group_report(
        found.target, found.probability, found.decision, found.groups, favourable=False
    )
    assert found.report().differences(expected) == 0
    assert list(found.report().attributes) == ["sex", "age"]


def test_joined_answers_are_those_of_all_rows():
    first, second = answers(0), answers(1, rows=500)
    found = first.joined([second])
    assert len(found.target) == 800
    assert found.favourable is False
    report = found.report()
    assert report.attributes["age"].rows["missing"] == 40
    assert list(report.attributes["age"].groups) == ["<30", "30-49", "50+", "missing"]
    approved = ~np.concatenate([first.decision, second.decision])
    women = np.concatenate([np.asarray(each.groups["sex"]) == "f" for each in (first, second)])
    assert report.attributes["sex"].rows["f"] == women.sum()
    rate = report.attributes["sex"].groups["f"]["selection_rate"].value
    assert rate == pytest.approx(approved[women].mean())


def test_an_attribute_with_one_group_is_left_out():
    found = answers()
    alone = replace(found, groups={**found.groups, "sex": np.full(300, "f")})
    assert list(alone.report().attributes) == ["age"]
    # Joined with rows of another group, it sets people apart again.
    assert list(alone.joined([found]).report().attributes) == ["sex", "age"]
    with pytest.raises(ParameterError, match="must name an attribute"):
        replace(found, groups={"sex": np.full(300, "f")}).report()


def test_missing_labels_are_a_group():
    found = set_apart(
        {
            "none": np.array([None, None], object),
            "some": np.array(["f", None], object),
            "bands": pd.cut([1.0, np.nan], [0, 2]),
            "all": ["f", "m"],
        }
    )
    assert list(found) == ["some", "bands", "all"]
