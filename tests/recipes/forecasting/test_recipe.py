"""The recipe of a forecast: calibration, the weights of an ensemble, plans and tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import store_sales
from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes import LearningOptions, TreeOptions
from industry_apps.recipes.forecasting.models.scaled import ScaledWindows, TreeQuantiles, weights_of
from industry_apps.recipes.forecasting.plans import STEP_PLANS, plan_of, step_of
from industry_apps.recipes.forecasting.recipe import (
    ForecastOptions,
    ForecastRecipe,
    conformal_offsets,
)
from industry_apps.recipes.forecasting.records import covariates, rule_of, split_by_horizon
from industry_apps.recipes.forecasting.totals.hierarchy import aggregated, with_totals
from industry_apps.runtime import Panel, WindowRule
from industry_apps.schema import Column, Schema
from industry_apps.training import TrainingOptions

LEVELS = (0.1, 0.5, 0.9)
SCHEMA = Schema(
    (
        Column(name="time", kind="datetime", role="known", nullable=False),
        Column(name="quantity", kind="number", role="history", low=0),
        Column(name="price", kind="number", role="known"),
    )
)
RULE = WindowRule(series="series", time="time", length=28, horizon=3, step="day")
TREES = TreeOptions(rounds=15, num_leaves=8, learning_rate=0.2)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return Panel.read(store_sales(stores=2, products=4, days=120), SCHEMA, RULE)


def recipe(**options: object) -> ForecastRecipe:
    learning = LearningOptions(origins=8)
    chosen = ForecastOptions(**{"trees": TREES, "learning": learning, **options})
    return ForecastRecipe(SCHEMA, RULE, "quantity", chosen)


def test_conformal_offsets_give_the_coverage_that_is_asked_for():
    draw = np.random.default_rng(0)
    came = draw.normal(size=(4000, 2)).astype(np.float32)
    forecast = np.broadcast_to(np.float32([-0.3, 0, 0.3]), (4000, 2, 3))
    offsets = conformal_offsets(forecast, came, LEVELS)
    later = draw.normal(size=4000)
    low, high = -0.3 + offsets[0, 0], 0.3 + offsets[0, 2]
    assert ((low <= later) & (later <= high)).mean() == pytest.approx(0.8, abs=0.02)
    assert (offsets[:, 1] == 0).all()


def test_steps_far_ahead_are_calibrated_by_themselves():
    draw = np.random.default_rng(0)
    came = (draw.normal(size=(3000, 4)) * [1, 1, 5, 5]).astype(np.float32)
    offsets = conformal_offsets(np.zeros((3000, 4, 3), dtype=np.float32), came, LEVELS)
    assert offsets[3, 2] > 3 * offsets[0, 2] > 0


def test_few_outcomes_shift_the_quantiles_together():
    came = np.array([[1.0, np.nan, 3.0]], dtype=np.float32)
    offsets = conformal_offsets(np.zeros((1, 3, 3), dtype=np.float32), came, LEVELS)
    assert offsets[:, 2].tolist() == [3.0] * 3


def test_an_ensemble_leaves_out_what_does_not_help():
    came = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    windows = ScaledWindows(inputs={}, target=came, weight=np.ones(200))
    right = np.repeat(came[:, :, None], 3, axis=2)
    assert weights_of([right + 3, right, right - 5], windows, LEVELS).tolist() == [0, 1, 0]
    both = weights_of([right + 1, right - 1], windows, LEVELS)
    assert both == pytest.approx([0.5, 0.5], abs=0.1)


@pytest.mark.parametrize("model", ["trees", "ridge", "periodic", "dlinear", "tcn", "ensemble"])
def test_the_graph_answers_as_the_recipe(panel: Panel, model: str):
    training = TrainingOptions(max_epochs=1, progress=False)
    fitted = recipe(model=model, training=training).fit(panel)
    builder = GraphBuilder()
    inputs = builder.inputs(SCHEMA.inputs(), RULE.length, RULE.horizon)
    for number, tensor in enumerate(fitted.write(builder, inputs)[0]):
        builder.output(tensor, f"q{number}", np.float32, RULE.horizon)
    feeds = panel.feeds(100, SCHEMA, RULE)
    ours, theirs = fitted.forecast(feeds), np.stack(builder.session().run(None, feeds), axis=2)
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)
    assert (np.diff(ours, axis=2) >= 0).all()
    assert (ours >= 0).all()


def test_an_answer_stays_within_the_limits_of_its_column_alone():
    """A load may be negative, a demand is not."""
    draw = np.random.default_rng(0)
    times = pd.date_range("2024-01-01", periods=120, freq="D")
    wave = 10 * np.sin(np.arange(120) * 2 * np.pi / 7) + draw.normal(size=120)
    table = pd.DataFrame({"series": "a", "time": times, "quantity": wave, "price": 1.0})
    found = {}
    for low in (None, 0.0):
        schema = replace(SCHEMA, columns=(SCHEMA["time"], replace(SCHEMA["quantity"], low=low)))
        options = ForecastOptions(model="ridge", learning=LearningOptions(origins=60, every=1))
        values = table.assign(quantity=table["quantity"].clip(lower=low))
        of = Panel.read(values, schema, RULE)
        fitted = ForecastRecipe(schema, RULE, "quantity", options).fit(of)
        every = [fitted.forecast(of.feeds(stop, schema, RULE)) for stop in range(100, 120)]
        found[low] = np.concatenate(every)
    assert found[None].min() < -5
    assert found[0.0].min() == 0


def test_ridge_regression_finds_the_law_of_a_series():
    """An oscillation follows from its last values exactly."""
    step = np.arange(200)
    waves = np.stack([np.sin(0.7 * step + k) + k for k in range(8)])
    schema = Schema((SCHEMA["time"], Column("quantity", "number", role="history")))
    names, times = np.repeat(list("abcdefgh"), 200), pd.date_range("2024-01-01", periods=200)
    table = {"series": names, "time": np.tile(times, 8), "quantity": waves.ravel()}
    of = Panel.read(pd.DataFrame(table), schema, RULE)
    options = ForecastOptions(model="ridge", learning=LearningOptions(origins=100, every=1))
    fitted = ForecastRecipe(schema, RULE, "quantity", options).fit(of.upto(190))
    found = fitted.forecast(of.feeds(195, schema, RULE))[:, :, 1]
    assert np.abs(found - of.columns["quantity"][195:198].T).max() < 0.02


def test_zeros_are_forecast_as_zeros_and_a_constant_as_itself(panel: Panel):
    fitted = recipe().fit(panel)
    feeds = panel.feeds(100, SCHEMA, RULE)
    feeds["quantity"][0], feeds["quantity"][1] = 0, 50
    found = fitted.forecast(feeds)
    assert (found[0] == 0).all()
    assert found[1] == pytest.approx(np.full((3, 3), 50.0), rel=0.02)


def test_a_short_history_is_refused(panel: Panel):
    with pytest.raises(TrainingError, match=r"7 steps are too short.*longer history"):
        recipe().fit(panel.upto(7))


def test_hardly_any_outcome_is_refused(panel: Panel):
    few = {**panel.columns, "quantity": panel.columns["quantity"].copy()}
    few["quantity"][:, 1:] = np.nan
    with pytest.raises(TrainingError, match=r"Only \d+ quantities are known.*100 are needed"):
        recipe().fit(Panel(panel.times, panel.series, few, panel.calendar))


def test_trees_learn_the_quantiles_of_noise():
    draw = np.random.default_rng(0)
    rows = draw.normal(size=(4000, 1)).astype(np.float32)
    target = (rows + draw.normal(size=(4000, 1))).astype(np.float32)
    windows = ScaledWindows(inputs={"rows": rows}, target=target, weight=np.ones(4000))
    options = TreeOptions(rounds=60, num_leaves=8, learning_rate=0.1, min_child_samples=50)
    model = TreeQuantiles(1, LEVELS, options)
    model.fit(windows, windows)
    found = model.forecast(windows.inputs)
    shares = (target[:, :, None] <= found).mean(axis=(0, 1))
    assert shares == pytest.approx(LEVELS, abs=0.04)
    assert np.corrcoef(found[:, 0, 1], rows[:, 0])[0, 1] > 0.95


@pytest.mark.parametrize("step", list(STEP_PLANS))
def test_every_step_has_a_plan_that_can_be_written(step: str):
    usual = STEP_PLANS[step]
    anchor = (1, 15, 0) if step == "half-month" else None
    rule = replace(RULE, step=step, length=usual.length, anchor=anchor)
    plan = plan_of(SCHEMA, rule, target="quantity", horizon=2, history=5000)
    assert plan.known == ("price",)
    assert max(plan.means, default=0) <= plan.length
    from industry_apps.recipes.forecasting.windows.graph import ForecastGraph

    feeds = {
        "quantity": np.ones((2, plan.length), dtype=np.float32),
        "price": np.ones((2, plan.length + 2), dtype=np.float32),
        "time": np.zeros((2, plan.length + 2), dtype=np.int64),
    }
    rows = ForecastGraph(SCHEMA, plan, ("rows",)).run(feeds)["rows"]
    assert rows.shape[0] == 4


def test_calendar_is_looked_at_once_it_has_been_seen_twice():
    asked = {"target": "quantity", "horizon": 7}
    assert plan_of(SCHEMA, RULE, history=30, **asked).calendar == ("weekday",)
    assert plan_of(SCHEMA, RULE, history=800, **asked).calendar == ("weekday", "day", "month")


def moments(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[s]").astype(np.int64)


def test_the_step_is_read_off_the_table():
    assert step_of(moments("2024-01-01", "2024-01-02", "2024-01-05", "2024-01-06"), "t") == "day"
    assert step_of(moments("2024-01-01T00", "2024-01-01T01", "2024-01-01T02"), "t") == "hour"
    with pytest.raises(SchemaError, match=r"'t' lie 3 days apart.*step='day'"):
        step_of(moments("2024-01-01", "2024-01-04", "2024-01-07"), "t")
    with pytest.raises(SchemaError, match="one moment only"):
        step_of(moments("2024-01-01"), "t")


def test_covariates_are_described_by_what_they_hold():
    frame = pd.DataFrame({"promo": [True], "price": [1.0], "shop": ["A"], "text": ["x"]})
    found = covariates(frame, {"known": ("promo", "price"), "feature": ("shop",)})
    assert [(c.name, c.kind, c.role) for c in found] == [
        ("promo", "boolean", "known"),
        ("price", "number", "known"),
        ("shop", "category", "feature"),
    ]
    with pytest.raises(SchemaError, match=r"'text', first value: got 'x'.*0 and 1"):
        covariates(frame, {"known": ("text",)})
    with pytest.raises(SchemaError, match=r"'prize'.*Did you mean 'price'"):
        covariates(frame, {"known": ("prize",)})
    with pytest.raises(ParameterError, match="'price' is named twice"):
        covariates(frame, {"known": ("price",), "history": ("price",)})


def test_a_table_is_split_by_its_last_horizons():
    days = pd.date_range("2024-01-01", periods=20, freq="D")
    frame = pd.DataFrame({"series": "A", "time": days, "quantity": 1.0})
    seconds = days.to_numpy().astype("datetime64[s]").astype(np.int64)
    rule = rule_of(seconds, ("series", "time"), step=None, horizon=3, history=None)
    parts = split_by_horizon(frame, seconds, rule)
    assert [len(part) for part in parts] == [14, 3, 3]
    long = rule_of(seconds, ("series", "time"), step=None, horizon=6, history=None)
    with pytest.raises(SchemaError, match="less than four times the horizon of 6"):
        split_by_horizon(frame, seconds, long)


def test_totals_add_quantities_and_average_prices():
    frame = pd.DataFrame(
        {
            "series": ["A", "B", "A", "B"],
            "time": ["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-02"],
            "quantity": [1.0, 2.0, 3.0, np.nan],
            "price": [2.0, 4.0, 2.0, 4.0],
            "shop": ["x", "x", "x", "x"],
        }
    )
    sums = with_totals(frame, "series", ("shop",))
    assert list(sums.index) == ["shop=x", "total"]
    found = aggregated(frame, sums, SCHEMA, ("series", "time", "quantity"))
    total = found[found["series"] == "total"]
    assert total["price"].tolist() == [3.0, 3.0]
    assert total["quantity"].iloc[0] == 3.0
    assert np.isnan(total["quantity"].iloc[1])
    with pytest.raises(SchemaError, match="'A' has 2 values of 'time'"):
        with_totals(frame, "series", ("time",))
    with pytest.raises(ParameterError, match="'by' parameter names 'region'"):
        with_totals(frame, "series", ("region",))


def test_a_flat_line_is_left_out_and_said(panel: Panel):
    fitted = recipe(model="ridge", flat_steps=5).fit(panel)
    feeds = panel.feeds(100, SCHEMA, RULE)
    gap = {name: values.copy() for name, values in feeds.items()}
    stuck = {name: values.copy() for name, values in feeds.items()}
    gap["quantity"][0, 10:16] = np.nan
    stuck["quantity"][0, 10:16] = 7.0
    stuck["quantity"][1, 10:14] = stuck["quantity"][1, 14] + 1  # four are none yet
    assert fitted.has_flat(stuck).tolist()[:2] == [True, False]
    for feed in (stuck, gap):  # a missing value among them ends no run
        feed["quantity"][0, 12] = np.nan
    assert fitted.has_flat(stuck).tolist()[:2] == [True, False]
    np.testing.assert_array_equal(fitted.forecast(stuck)[0], fitted.forecast(gap)[0])
