from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from industry_apps.benchmark import fit_speed
from industry_apps.benchmark.fit_speed import fit_time
from industry_apps.finance import CreditScorer
from industry_apps.recipes import LearningOptions, TreeOptions
from industry_apps.retail import DemandForecaster


def test_a_default_costs_no_more_than_four_plain_fits() -> None:
    data = CreditScorer.sample()
    (measure,) = fit_time(CreditScorer().fit(data), data)
    assert measure.wanted() == "<= 4"
    assert 0 < float(measure.value) < 6  # on a machine with other work


def test_a_forecast_is_set_beside_one_plain_fit_a_quantile(monkeypatch: pytest.MonkeyPatch) -> None:
    data = DemandForecaster.sample()
    few = DemandForecaster(
        horizon=7, learning=LearningOptions(origins=8), trees=TreeOptions(rounds=5, num_leaves=4)
    ).fit(data)

    def once(calls: Mapping[str, Any], *_: int) -> dict[str, list[float]]:
        for call in calls.values():
            call()
        return {name: [6.0 if name == "fit" else 1.0] for name in calls}

    monkeypatch.setattr(fit_speed, "alternating", once)
    (measure,) = fit_time(few, data)
    assert measure.value == 2  # 6 seconds beside three of one each
    assert measure.wanted() == "<= 3"


def test_what_is_no_tree_is_not_compared() -> None:
    data = CreditScorer.sample()
    scorer = CreditScorer(model="scorecard").fit(data)
    assert fit_time(scorer, data) == []
