"""What our code adds to a training and to an answer: the same trainings, the same margins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from industry_apps.benchmark import overhead
from industry_apps.benchmark.overhead import fit_vs_bare_estimator, predict_vs_bare_model
from industry_apps.finance import FraudDetector
from industry_apps.recipes import TreeOptions

TREES = TreeOptions(rounds=3, bags=2)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the calls that are timed gave back, each called once."""
    given: dict[str, Any] = {}

    def once(calls: Mapping[str, Any], *_: int) -> dict[str, list[float]]:
        given.update({name: call() for name, call in calls.items()})
        return {name: [1.0] for name in calls}

    monkeypatch.setattr(overhead, "alternating", once)
    return given


def test_the_trainings_of_a_fit_are_done_again(
    answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    texts: list[str] = []
    train = lgb.train

    def told(*given: Any, **options: Any) -> lgb.Booster:
        booster = train(*given, **options)
        texts.append(booster.model_to_string())
        return booster

    monkeypatch.setattr(lgb, "train", told)
    trees = FraudDetector(model="trees", trees=TREES)
    (measure,) = fit_vs_bare_estimator(trees, FraudDetector.sample())
    assert measure.value == 1
    assert measure.holds
    assert "bare" in answers
    recorded, fitted, repeated = texts[:4], texts[4:8], texts[8:]
    assert recorded == fitted == repeated


def test_a_bare_model_answers_as_the_application(answers: dict[str, Any]) -> None:
    data = FraudDetector.sample()
    detector = FraudDetector(model="trees", trees=TREES).fit(data)
    ratio, time = predict_vs_bare_model(detector, data.test, count=50)
    assert (ratio.value, time.key) == (1, "predict_of_1000_ms")
    margins = np.column_stack(answers["bare"][1::2])
    probability = detector.recipe_.platt_.apply(margins)
    np.testing.assert_array_equal(answers["predict"]["fraud_probability"], probability)


def test_there_is_nothing_to_say_of_other_models() -> None:
    assert predict_vs_bare_model(FraudDetector(), FraudDetector.sample().test, count=5) == []
