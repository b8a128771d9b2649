"""Forecasts of quantities of which float32 holds too few digits."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest

from industry_apps.recipes.forecasting.recipe import LearningOptions
from industry_apps.recipes.trees import TreeOptions
from industry_apps.retail import DemandForecaster
from industry_apps.runtime import Model
from industry_apps.training import TrainingOptions


def readings(level: float) -> pd.DataFrame:
    """Meters that count a hundred units up at weekends, and others beside them."""
    rng, days = np.random.default_rng(0), pd.date_range("2023-01-01", periods=150)
    weekend = np.isin(days.weekday, (5, 6))
    return pd.concat(
        pd.DataFrame(
            {
                "series": f"meter {number}",
                "time": days,
                "quantity": level + 100 * weekend + rng.integers(0, 8, len(days)),
                "beside": 2 * level + rng.integers(0, 8, len(days)),
            }
        )
        for number in range(4)
    )


@pytest.mark.parametrize("model", ["trees", "nhits"])
def test_a_forecast_keeps_the_digits(model, tmp_path):
    found = {}
    for level in (1000.0, 1e9):
        forecaster = DemandForecaster(
            model=model,
            horizon=7,
            history=28,
            past=("beside",),
            baselines=(),
            learning=LearningOptions(origins=20),
            trees=TreeOptions(rounds=20, num_leaves=7, learning_rate=0.2),
            training=TrainingOptions(max_epochs=2, progress=False),
        )
        split = forecaster.split(readings(level))
        forecaster.fit(split.train, split.validation)
        known = pd.concat([split.train, split.validation])
        path = forecaster.export(tmp_path / f"{level:g}.onnx")
        served = Model(path).predict(known)
        trained = forecaster.predict(known)
        np.testing.assert_allclose(served - level, trained - level, rtol=1e-4, atol=1e-4)
        came = split.test.set_index(["series", "time"])["quantity"]
        found[level] = (served["quantity_p50"] - came).abs().mean()
        assert np.isfinite(forecaster.evaluate(split.test).metrics["mase"].value)
    session = ort.InferenceSession(path)
    types = {each.name: each.type for each in (*session.get_inputs(), *session.get_outputs())}
    assert set(types.values()) == {"tensor(double)", "tensor(int64)"}
    assert found[1e9] < max(1.5 * found[1000.0], 5)
