"""Detection at a false-positive rate: against a plain count, ties, rates that say nothing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation.detection import DetectionCurve, detection_at, detection_metrics


def _rows(seed: int = 0, digits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.random(3000) < 0.2
    return np.round(rng.normal(size=3000) + 2 * labels, digits), labels


@pytest.mark.parametrize("digits", [0, 1, 6])
@pytest.mark.parametrize("rate", [0.001, 0.01, 0.1])
def test_agrees_with_the_curve_of_scikit_learn(rate: float, digits: int) -> None:
    scores, labels = _rows(digits=digits)
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    found = detection_at(scores, labels, rate, resamples=20)
    assert found.share.value == pytest.approx(true[false <= rate].max())
    assert found.false_alarms <= rate * found.negatives
    alarms = scores >= found.threshold
    assert (alarms & labels).sum() == found.detected
    assert (alarms & ~labels).sum() == found.false_alarms
    assert found.share.low <= found.share.value <= found.share.high


def test_weights_count_rows_as_often() -> None:
    scores, labels = _rows()
    weight = np.random.default_rng(1).integers(0, 3, len(scores)).astype(float)
    repeated = np.repeat(np.arange(len(scores)), weight.astype(int))
    curve, copies = (
        DetectionCurve(scores, labels),
        DetectionCurve(scores[repeated], labels[repeated]),
    )
    for rate in (0.01, 0.05):
        ones = np.ones(len(repeated))
        assert curve.detection(rate)(weight) == copies.detection(rate)(ones)
        assert curve.partial_auroc(rate)(weight) == pytest.approx(copies.partial_auroc(rate)(ones))


def test_partial_area_of_a_random_and_of_a_perfect_score() -> None:
    labels = np.arange(4000) % 2 == 0
    perfect = detection_metrics(labels.astype(float), labels, partial=0.05, resamples=2).values
    constant = detection_metrics(np.ones(4000), labels, partial=0.05, resamples=2).values
    assert perfect["partial_auroc_to_5_percent"] == 1
    assert constant["partial_auroc_to_5_percent"] == pytest.approx(0.025)
    assert constant["detection_at_1_percent"] == 0  # all are alarms, or none


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 0.001])
def test_a_rate_that_says_nothing_is_refused(rate: float) -> None:
    scores, labels = np.arange(200.0), np.arange(200) % 2 == 0
    with pytest.raises(ParameterError, match=r"100 negative rows.*or a rate of 0\.01 or more"):
        detection_at(scores, labels, rate)


def test_one_class_and_missing_scores_are_refused() -> None:
    with pytest.raises(SchemaError, match="no ranking"):
        detection_at([0.1, 0.2], [True, True], 0.5)
    with pytest.raises(SchemaError, match="finite"):
        detection_at([0.1, np.nan], [True, False], 0.5)
