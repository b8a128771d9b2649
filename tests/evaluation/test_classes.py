"""Metrics of several classes, beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, roc_auc_score

from industry_apps.errors import SchemaError
from industry_apps.evaluation.classes import class_bootstrap
from industry_apps.evaluation.repeats import over_seeds
from industry_apps.evaluation.report import Report


def answers(classes: int, rows: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(classes)
    target = draw.integers(0, classes, rows)
    scores = np.eye(classes)[target] + draw.exponential(1, (rows, classes))
    scores /= scores.sum(axis=1, keepdims=True)
    return target, scores, scores.argmax(axis=1)


@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_are_those_of_scikit_learn(classes):
    target, scores, said = answers(classes)
    found = class_bootstrap(target, scores, said, resamples=5).values
    shown = scores[:, 1] if classes == 2 else scores
    assert found["auroc"] == pytest.approx(roc_auc_score(target, shown, multi_class="ovr"))
    assert found["accuracy"] == pytest.approx((target == said).mean())
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(target, said))
    assert found["macro_f1"] == pytest.approx(f1_score(target, said, average="macro"))


def test_an_absent_class_and_wrong_shapes_are_refused():
    target, scores, said = answers(3)
    with pytest.raises(SchemaError, match="Class 2 does not occur"):
        class_bootstrap(np.minimum(target, 1), scores, said)
    with pytest.raises(SchemaError, match="row of finite probabilities"):
        class_bootstrap(target[1:], scores, said)


def test_seeds_are_averaged_and_shown():
    reports = []
    for seed in range(3):
        target, scores, said = answers(3, 200 + seed)
        ours = class_bootstrap(target, scores, said, resamples=20)
        reports.append(
            Report(
                application="a",
                data="b",
                model="c",
                metrics=ours.estimates(),
                baselines={"same": ours.estimates()},
                margins={"same": ours.minus(ours)},
            )
        )
    merged = over_seeds(reports)
    each = [report.metrics["auroc"] for report in reports]
    assert merged.metrics["auroc"].value == pytest.approx(np.mean([e.value for e in each]))
    assert merged.metrics["auroc"].low == pytest.approx(np.mean([e.low for e in each]))
    assert merged.margins["same"]["accuracy"].value == 0
    assert merged.sections[0].records()[0]["seed 2"] == pytest.approx(each[1].value)
