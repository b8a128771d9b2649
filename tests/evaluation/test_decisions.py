"""All metrics of a decision, and the precision of daily checks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Costs, EntityDays, auroc
from industry_apps.evaluation.costs import expected_cost
from industry_apps.evaluation.decisions import (
    DecisionCurves,
    decision_bootstrap,
    decision_metrics,
    entity_precision_at,
)


def daily(target, score, entity, day, k, weight=None):
    return entity_precision_at(target, score, EntityDays(entity=entity, day=day, k=k), weight)


def test_entity_precision_by_hand():
    rows = pd.DataFrame(
        [
            # day, entity, score, positive
            (1, "a", 0.9, False),  # a's highest row is negative, its other row positive: found
            (1, "a", 0.2, True),
            (1, "b", 0.8, False),  # checked, nothing there
            (1, "c", 0.7, True),  # third, not checked
            (2, "a", 0.9, True),  # found on day 1, not checked again
            (2, "b", 0.8, True),  # checked again, found
            (2, "c", 0.7, True),  # takes the place of a, found
            (3, "b", 0.9, True),
            (3, "d", 0.1, True),  # the only one left: found, but k stays 2
        ],
        columns=["day", "entity", "score", "positive"],
    )
    columns = rows["positive"], rows["score"], rows["entity"], rows["day"]
    assert daily(*columns, k=2) == pytest.approx(np.mean([1 / 2, 2 / 2, 1 / 2]))


def slow_entity_precision(frame: pd.DataFrame, k: int) -> float:
    found: set[object] = set()
    precisions = []
    for _, day in frame.groupby("day"):
        left = day[~day["entity"].isin(found)]
        best = left.groupby("entity").max().sort_index()
        top = best.sort_values("score", ascending=False, kind="stable").head(k)
        hits = top.index[top["positive"]]
        precisions.append(len(hits) / k)
        found |= set(hits)
    return float(np.mean(precisions))


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.integers(1, 8))
def test_entity_precision_equals_the_plain_way_and_clones_equal_weights(seed, k):
    rng = np.random.default_rng(seed)
    n = 60
    frame = pd.DataFrame(
        {
            "day": rng.integers(0, 5, n),
            "entity": rng.integers(0, 12, n),
            "score": rng.random(n),
            "positive": rng.random(n) < 0.3,
        }
    )
    columns = [frame[name] for name in ("positive", "score", "entity", "day")]
    assert daily(*columns, k=k) == pytest.approx(slow_entity_precision(frame, k))
    copies = rng.integers(1, 3, 12)  # of each entity; every day must stay, so none is 0
    weight = copies[frame["entity"]].astype(float)
    again = frame.loc[frame.index.repeat(weight.astype(int))]
    clone = again.groupby(level=0).cumcount()
    again = again.assign(entity=again["entity"] * 10 + clone)
    # Clones of one entity tie in score, and so stand in the order of the entities.
    assert daily(*columns, k=k, weight=weight) == pytest.approx(slow_entity_precision(again, k))


def test_dates_work_as_days_and_bad_rows_are_refused():
    dates = pd.to_datetime(["2018-08-08", "2018-08-08", "2018-08-09"])
    assert daily([1, 0, 1], [0.9, 0.1, 0.5], ["a", "b", "b"], dates, k=1) == 1.0
    with pytest.raises(ParameterError, match=r"k, the .* Got 0"):
        daily([1, 0], [0.9, 0.1], ["a", "b"], [1, 1], k=0)
    with pytest.raises(SchemaError, match="day must hold one value per row"):
        daily([1, 0], [0.9, 0.1], ["a", "b"], [1], k=1)


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    n = 3000
    target = rng.random(n) < 0.1
    score = 1 / (1 + np.exp(3 - 2 * target - rng.normal(size=n)))
    return target, score, rng.integers(0, 300, n), rng.integers(0, 7, n)


def test_all_metrics_carry_their_names_and_contain_their_value(rows):
    target, score, entity, day = rows
    entities = EntityDays(entity=entity, day=day, k=10, name="card")
    found = decision_metrics(target, score, score >= 0.2, Costs(), entities=entities, resamples=50)
    assert list(found) == [
        "auroc",
        "average_precision",
        "brier",
        "calibration_error",
        "expected_cost",
        "card_precision_at_10",
    ]
    assert all(x.low <= x.value <= x.high for x in found.values())
    assert found["auroc"].value == auroc(target, score)
    assert found["expected_cost"].value == pytest.approx(
        expected_cost(target, score >= 0.2, Costs())
    )
    assert found["card_precision_at_10"].value == daily(target, score, entity, day, k=10)


def test_without_entities_rows_stand_alone_and_with_them_entities_are_drawn(rows):
    target, score, entity, day = rows
    alone = decision_bootstrap(target, score, score >= 0.2, Costs(), resamples=20)
    assert "entity_precision_at_100" not in alone.values
    entities = EntityDays(entity=entity, day=day)
    implied = decision_bootstrap(
        target, score, score >= 0.2, Costs(), entities=entities, resamples=20
    )
    explicit = decision_bootstrap(target, score, score >= 0.2, Costs(), groups=entity, resamples=20)
    np.testing.assert_array_equal(implied.draws["auroc"], explicit.draws["auroc"])
    assert not np.array_equal(implied.draws["auroc"], alone.draws["auroc"])


def test_a_worse_score_loses_the_paired_comparison(rows):
    target, score, *_ = rows
    noisy = np.clip(score + np.random.default_rng(1).normal(scale=0.2, size=score.size), 0, 1)
    model, other = (
        decision_bootstrap(target, s, s >= 0.2, Costs(), resamples=100) for s in (score, noisy)
    )
    margin = model.minus(other)
    assert margin["auroc"].low > 0
    assert margin["brier"].high < 0


def test_a_single_class_cannot_be_judged():
    with pytest.raises(SchemaError, match="All 4 rows of the target are positive"):
        decision_metrics([1] * 4, [0.1] * 4, [1] * 4, Costs())


def test_curves_check_their_lengths():
    with pytest.raises(SchemaError, match="equally long"):
        DecisionCurves(
            target=np.ones(3, bool), probability=np.ones(2), threshold=0.5, costs=Costs()
        )
