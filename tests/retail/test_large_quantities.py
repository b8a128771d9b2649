"""Forecasts of quantities of which float32 holds too few digits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest

from industry_apps.errors import SchemaError
from industry_apps.recipes.forecasting.recipe import LearningOptions
from industry_apps.recipes.forecasting.windows.graph import ForecastGraph
from industry_apps.recipes.forecasting.windows.levels import HorizonPlan
from industry_apps.recipes.trees import TreeOptions
from industry_apps.retail import DemandForecaster
from industry_apps.runtime import Model
from industry_apps.schema import Column, Schema


def readings(level: float) -> pd.DataFrame:
    """Meters that count a hundred units up at weekends, and others beside them."""
    rng, days = np.random.default_rng(0), pd.date_range("2023-01-01", periods=90)
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


def test_a_forecast_keeps_the_digits(tmp_path):
    found = {}
    for level in (1000.0, 1e9):
        forecaster = DemandForecaster(
            horizon=7,
            history=28,
            past=("beside",),
            baselines=(),
            learning=LearningOptions(origins=6),
            trees=TreeOptions(rounds=20, num_leaves=7, learning_rate=0.2),
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


def test_trees_and_networks_take_the_differences():
    """The graph of large numbers makes what the graph of their differences makes."""
    roles = {"sold": "history", "beside": "history", "price": "known", "size": "feature"}
    numbers = Schema(tuple(Column(name, "number", role=role) for name, role in roles.items()))
    large = Schema(tuple(replace(column, offset=1e9) for column in numbers))
    plan = HorizonPlan(
        target="sold",
        length=14,
        horizon=3,
        seasons=(7,),
        periods=(2,),
        base_periods=1,
        means=(7,),
        past=("beside",),
        known=("price",),
    )
    draw, steps = np.random.default_rng(0), {"history": 14, "known": 17, "feature": 1}
    feeds = {name: draw.integers(0, 99, (5, steps[role])) for name, role in roles.items()}
    small = {name: values.astype(np.float32) for name, values in feeds.items()}
    raised = {name: values + 1e9 for name, values in feeds.items()}
    for each in (small, raised):
        each["sold"][0, 3] = each["beside"][1] = np.nan
    wanted = ("rows", "past", "known")
    made = [
        ForecastGraph(schema, plan, wanted).learn(given).run(given)
        for schema, given in ((numbers, small), (large, raised))
    ]
    for name, tensor in made[0].items():
        np.testing.assert_array_equal(made[1][name], tensor, err_msg=name)


def test_series_of_several_large_levels_are_refused_and_the_remedy_works():
    forecaster = DemandForecaster.fast()
    forecaster.known = forecaster.past = forecaster.static = ()
    levels = {f"meter {number}": 1e9 * number for number in range(4)}
    table = readings(0.0)
    raised = table.assign(quantity=table["quantity"] + table["series"].map(levels))
    with pytest.raises(SchemaError, match=r"'quantity', series 'meter 3'.*loses up to 107"):
        forecaster.fit(raised)
    lowest = raised.groupby("series")["quantity"].transform("min")
    forecaster.fit(raised.assign(quantity=raised["quantity"] - lowest))
