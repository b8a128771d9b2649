"""Point metrics against scikit-learn and against repeated rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation import Costs, auroc, average_precision, brier
from industry_apps.evaluation.costs import cost_optimal_threshold, expected_cost
from industry_apps.evaluation.metrics import calibration_error


@st.composite
def scored_rows(draw):
    """Rows with both classes, scores with many ties, and whole weights."""
    n = draw(st.integers(2, 40))
    target = draw(arrays(bool, n))
    target[:2] = [True, False]
    grid = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])
    score = draw(arrays(float, n, elements=grid | st.floats(0, 1, width=32)))
    weight = draw(arrays(np.int64, n, elements=st.integers(0, 4)))
    weight[:2] = np.maximum(weight[:2], 1)
    return target, score, weight


@given(scored_rows())
def test_ranking_metrics_equal_scikit_learn_with_ties_and_weights(rows):
    target, score, weight = rows
    for ours, oracle in ((auroc, roc_auc_score), (average_precision, average_precision_score)):
        assert ours(target, score) == pytest.approx(oracle(target, score), abs=1e-12)
        weighted = oracle(target, score, sample_weight=weight)
        assert ours(target, score, weight) == pytest.approx(weighted, abs=1e-12)


@given(scored_rows())
def test_brier_equals_scikit_learn(rows):
    target, score, weight = rows
    assert brier(target, score, weight) == pytest.approx(
        brier_score_loss(target, score, sample_weight=weight), abs=1e-12
    )


@given(scored_rows())
def test_a_weight_is_a_repeated_row(rows):
    target, score, weight = rows
    again = np.repeat(np.arange(len(target)), weight)
    for metric in (auroc, average_precision, brier):
        repeated = metric(target[again], score[again])
        assert metric(target, score, weight) == pytest.approx(repeated, abs=1e-12)
    costs, decision = Costs(false_alarm=2, missed=7), score >= 0.5
    assert expected_cost(target, decision, costs, weight) == pytest.approx(
        expected_cost(target[again], decision[again], costs)
    )


@given(scored_rows(), st.randoms())
def test_the_order_of_rows_does_not_matter(rows, random):
    target, score, _ = rows
    order = list(range(len(target)))
    random.shuffle(order)
    for metric in (auroc, average_precision, brier, calibration_error):
        assert metric(target[order], score[order]) == pytest.approx(metric(target, score))


def test_calibration_error_by_hand_and_of_a_constant():
    target = np.array([0, 0, 1, 1, 1, 1, 0, 1], dtype=bool)
    probability = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
    # Two bins of four rows: |0.25 - 0.5| and |0.75 - 0.75|.
    assert calibration_error(target, probability, bins=2) == pytest.approx(0.125)
    assert calibration_error(target, np.full(8, 0.5)) == pytest.approx(0.125)


def test_calibration_error_of_true_probabilities_vanishes_and_of_doubled_ones_does_not():
    rng = np.random.default_rng(0)
    probability = rng.uniform(0, 0.5, 50_000)
    target = rng.random(50_000) < probability
    assert calibration_error(target, probability) < 0.01
    assert calibration_error(target, 2 * probability) == pytest.approx(0.25, abs=0.01)


@settings(max_examples=50)
@given(scored_rows(), st.floats(0.1, 50), st.floats(0.1, 50))
def test_no_threshold_is_cheaper_than_the_optimal_one(rows, false_alarm, missed):
    target, score, _ = rows
    costs = Costs(false_alarm=false_alarm, missed=missed)
    threshold = cost_optimal_threshold(target, score, costs)
    best = expected_cost(target, score >= threshold, costs)
    for other in (*score, *(np.nextafter(score, 2)), 0.0):
        assert best <= expected_cost(target, score >= other, costs) + 1e-9


def test_the_optimal_threshold_keeps_clear_of_known_rows():
    target, score = [False, False, True], [0.0, 0.2, 1.0]
    assert cost_optimal_threshold(target, score, Costs()) == pytest.approx(0.6)
    never = cost_optimal_threshold([False, True], [1.0, 0.0], Costs(false_alarm=9, missed=1))
    assert never > 1.0
    neighbours = [np.nextafter(0.5, 0), 0.5]
    between = cost_optimal_threshold([False, True], neighbours, Costs())
    assert neighbours[0] < between <= neighbours[1]


def test_the_threshold_of_costs_is_where_both_decisions_cost_the_same():
    costs = Costs(false_alarm=3.0, missed=9.0)
    t = costs.threshold
    assert t * costs.missed == pytest.approx((1 - t) * costs.false_alarm)


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        ({"false_alarm": -1.0}, "'false_alarm'.*-1.0"),
        ({"missed": float("nan")}, "'missed'.*nan"),
        ({"missed": float("inf")}, "'missed'.*inf"),
        ({"false_alarm": 0, "missed": 0}, "both 0"),
    ],
)
def test_impossible_costs_are_refused(costs, told):
    with pytest.raises(ParameterError, match=told):
        Costs(**costs)


@pytest.mark.parametrize("metric", [auroc, average_precision])
def test_a_single_class_is_a_clear_error(metric):
    with pytest.raises(SchemaError, match="All 3 rows of the target are negative"):
        metric([False] * 3, [0.1, 0.2, 0.3])


@pytest.mark.parametrize("metric", [auroc, average_precision, brier, calibration_error])
def test_bad_rows_are_named(metric):
    with pytest.raises(SchemaError, match="Row 1 holds nan"):
        metric([True, False], [0.1, np.nan])
    with pytest.raises(SchemaError, match=r"\(2,\) and \(3,\)"):
        metric([True, False], [0.1, 0.2, 0.3])
    with pytest.raises(SchemaError, match="not empty"):
        metric([], [])
