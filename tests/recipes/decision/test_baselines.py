"""The baselines."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import TrainingError
from industry_apps.evaluation import auroc
from industry_apps.recipes.decision.baselines import fit_decision_baselines


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(2000, 4)).astype(np.float32)
    target = features[:, 0] + rng.normal(size=2000) > 1.5
    features[rng.random(features.shape) < 0.1] = np.nan
    features[:, 3] = np.nan  # a column without any value
    return features, target


@pytest.fixture(scope="module")
def fitted(rows):
    return fit_decision_baselines(*rows)


def test_each_gives_probabilities_and_says_what_it_is(rows, fitted):
    features, target = rows
    assert list(fitted) == ["prevalence", "logistic_regression", "lightgbm_default"]
    for baseline in fitted.values():
        probability = baseline.predict(features)
        assert probability.shape == (2000,)
        assert probability.dtype == np.float64
        assert probability.min() >= 0
        assert probability.max() <= 1
        assert probability.mean() == pytest.approx(target.mean(), abs=0.01)
        assert baseline.description


def test_the_trivial_one_does_not_rank_and_the_others_do(rows, fitted):
    features, target = rows
    found = {name: auroc(target, baseline.predict(features)) for name, baseline in fitted.items()}
    assert found.pop("prevalence") == 0.5
    assert min(found.values()) > 0.75


def test_same_seed_same_answers(rows, fitted):
    again = fit_decision_baselines(*rows)
    for name, baseline in fitted.items():
        np.testing.assert_array_equal(baseline.predict(rows[0]), again[name].predict(rows[0]))


def test_one_class_cannot_be_learnt():
    with pytest.raises(TrainingError, match="All 5 training rows"):
        fit_decision_baselines(np.zeros((5, 1), np.float32), np.zeros(5))
