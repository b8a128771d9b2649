"""Forecasts across series: ranks, walking forward, and nothing of what comes later."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import Change, GraphBuilder, Latest, RatioChannel
from industry_apps.finance.trading.cross_section import (
    CrossSectionForecaster,
    CrossSectionOptions,
    dispersion,
    ranked,
    walk_forward,
)
from industry_apps.recipes import TreeOptions
from industry_apps.runtime import Panel
from industry_apps.training import TrainingOptions

OPTIONS = CrossSectionOptions(
    signals=(Change("price", 3), Latest("told")),
    channels=(RatioChannel("price", "price", lag=1, scale=0.02),),
    steps=32,
    needed=Change("price", 5),
    trees=TreeOptions(rounds=10, num_leaves=4, feature_fraction=1.0),
    training=TrainingOptions(max_epochs=1, batch_size=256, progress=False),
)


def options(model: str) -> CrossSectionOptions:
    return replace(OPTIONS, model=model)  # type: ignore[arg-type]


def panel(seed: int = 0, moments: int = 80, series: int = 12) -> Panel:
    """Prices that move at random, and a number that tells the next move, with gaps."""
    random = np.random.default_rng(seed)
    price = 50 * np.exp(np.cumsum(random.normal(0, 0.02, (moments, series)), axis=0))
    told = random.normal(size=price.shape)
    price[:20, 0] = np.nan  # begins late
    price[60:, 1] = np.nan  # ends early
    price[30, 2] = np.nan
    return Panel(
        np.arange(moments) * 86400,
        np.array([f"S{i:02d}" for i in range(series)], dtype=object),
        {"price": price.astype(np.float32), "told": told.astype(np.float32)},
    )


def outcome_of(found: Panel, seed: int = 1) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).normal(size=found.columns["told"].shape)
    outcome = found.columns["told"] + 0.5 * noise
    outcome[-3:] = np.nan
    return outcome.astype(np.float64)


# Ranks.


def test_ranks_have_mean_0_and_deviation_1_and_keep_the_order() -> None:
    outcome = np.random.default_rng(0).standard_cauchy((5, 200))
    scores = ranked(outcome)
    assert_allclose(scores.mean(axis=1), 0, atol=1e-12)
    assert_allclose(scores.std(axis=1), 1, atol=1e-4)
    assert_array_equal(scores.argsort(axis=1), outcome.argsort(axis=1))


def test_a_missing_outcome_has_no_rank_and_an_outcome_alone_neither() -> None:
    nan = np.nan
    scores = ranked(np.array([[3.0, nan, 1.0], [nan, 2.0, nan], [nan, nan, nan], [1.0, 1.0, nan]]))
    half = np.sqrt(12) / 4
    expected = [[half, nan, -half], [nan] * 3, [nan] * 3, [0.0, 0.0, nan]]
    assert_allclose(scores, expected, atol=1e-12)


def test_dispersion_is_the_usual_deviation_at_a_moment() -> None:
    outcome = np.array([[0.1, -0.1, np.nan], [0.3, -0.3, np.nan], [5.0, np.nan, np.nan]])
    assert dispersion(outcome) == pytest.approx(0.2)
    assert dispersion(outcome[2:]) == 0


# Walking forward.


@given(st.integers(1, 40), st.integers(0, 40), st.integers(1, 15), st.integers(0, 20))
def test_every_moment_is_forecast_once_by_a_model_of_before(
    first: int, more: int, every: int, embargo: int
) -> None:
    last, learned = first + more + 1, []

    def fit(known: slice) -> Any:
        assert known.start == 0
        learned.append(known.stop)

        def forecast(asked: slice) -> NDArray[np.float64]:
            assert known.stop <= max(asked.start - embargo, 0)
            moments = np.arange(asked.start, asked.stop, dtype=np.float64)
            return np.column_stack([moments, np.full(len(moments), known.stop)])

        return forecast

    found = walk_forward(fit, first=first, last=last, every=every, embargo=embargo)
    assert_array_equal(found[:, 0], np.arange(first, last))
    assert len(learned) == -(-(last - first) // every)
    begun = first + (found[:, 0] - first) // every * every
    assert_array_equal(found[:, 1], np.maximum(begun - embargo, 0))


# What the model sees.


@pytest.mark.parametrize("model", ["trees", "linear", "network"])
def test_features_of_a_moment_are_those_of_a_panel_that_ends_there(model: str) -> None:
    found, forecaster = panel(), CrossSectionForecaster(options(model))
    features = forecaster.features(found)
    for stop in (1, 9, 31, 80):
        ended = forecaster.features(found.upto(stop))
        assert_array_equal(ended.inputs, features.inputs[:stop])
        assert_array_equal(ended.known, features.known[:stop])


@settings(max_examples=10)
@given(st.integers(0, 10**6), st.integers(0, 79), st.sampled_from(["trees", "linear", "network"]))
def test_later_values_change_no_feature(seed: int, moment: int, model: str) -> None:
    found, random = panel(), np.random.default_rng(seed)
    columns = {name: grid.copy() for name, grid in found.columns.items()}
    for grid in columns.values():
        grid[moment + 1 :] *= random.uniform(0.5, 2, grid[moment + 1 :].shape)
        grid[moment + 1 :][random.random(grid[moment + 1 :].shape) < 0.2] = np.nan
    other = Panel(found.times, found.series, columns)
    forecaster = CrossSectionForecaster(options(model))
    before, after = forecaster.features(found), forecaster.features(other)
    assert_array_equal(before.inputs[: moment + 1], after.inputs[: moment + 1])
    assert_array_equal(before.known[: moment + 1], after.known[: moment + 1])


def test_answered_is_who_has_the_history_that_is_needed() -> None:
    found = panel()
    known = CrossSectionForecaster(options("trees")).features(found).known
    price = ~np.isnan(found.columns["price"])
    expected = np.zeros_like(known)
    expected[5:] = price[5:] & price[:-5]
    assert_array_equal(known, expected)


# Models.


@pytest.mark.parametrize("model", ["trees", "linear"])
def test_the_model_is_written_as_it_forecasts(model: str) -> None:
    found, forecaster = panel(), CrossSectionForecaster(options(model))
    features, outcome = forecaster.features(found), outcome_of(found)
    forecast = forecaster.fit(features, outcome).forecast(features)
    assert_array_equal(np.isnan(forecast), ~features.known)
    builder = GraphBuilder()
    inputs = {name: builder.input(name, np.float32, None) for name in ("price", "told")}
    builder.output(forecaster.write(builder, inputs), "forecast", np.float32)
    session = ort.InferenceSession(builder.model().SerializeToString())
    names = [each.name for each in session.get_inputs()]
    for stop in (5, 25, 40, 80):
        windows = found.window(stop, forecaster.history, names)
        (written,) = session.run(None, windows)
        assert_allclose(written[:, 0], forecast[stop - 1], atol=2e-6)
    kept = features.known & ~np.isnan(outcome)
    assert np.corrcoef(forecast[kept], outcome[kept])[0, 1] > 0.5


@pytest.mark.parametrize("model", ["trees", "linear"])
def test_what_is_not_answered_is_not_learned_from(model: str) -> None:
    found, outcome = panel(), outcome_of(panel())
    forecaster = CrossSectionForecaster(options(model))
    features = forecaster.features(found)
    other = np.where(features.known, outcome, 1e6)
    one, two = (
        CrossSectionForecaster(options(model)).fit(features, each).forecast(features)
        for each in (outcome, other)
    )
    assert_array_equal(one, two)


def test_a_signal_alone_is_its_rank() -> None:
    found = panel()
    signal = CrossSectionForecaster(options("linear")).signal(found, Latest("told"))
    told = found.columns["told"]
    assert_allclose(signal, told.argsort(axis=1).argsort(axis=1) / 11 - 0.5, atol=1e-6)


# Refusals.


@pytest.mark.parametrize("model", ["trees", "linear", "network", "transformer"])
@pytest.mark.parametrize("moments", [2, 10, 40])
def test_too_few_outcomes_are_refused(model: str, moments: int) -> None:
    found, forecaster = panel(), CrossSectionForecaster(options(model))
    features = forecaster.features(found).of(slice(0, moments))
    with pytest.raises(TrainingError, match=r"Only \d+ outcomes.*500.*longer history or more"):
        forecaster.fit(features, outcome_of(found)[:moments])


def test_one_series_has_no_others_to_be_compared_with() -> None:
    found, forecaster = panel(moments=700, series=3), CrossSectionForecaster(options("linear"))
    alone = Panel(found.times, found.series[2:], {n: g[:, 2:] for n, g in found.columns.items()})
    with pytest.raises(TrainingError, match=r"Only 0 outcomes .* another beside it.* more series"):
        forecaster.fit(forecaster.features(alone), outcome_of(alone))


def test_trees_that_cannot_split_say_so() -> None:
    coarse = replace(OPTIONS, trees=TreeOptions(rounds=5, min_child_samples=1000))
    found, forecaster = panel(), CrossSectionForecaster(coarse)
    with pytest.raises(TrainingError, match=r"trees with 1000 rows in a leaf.*min_child_samples"):
        forecaster.fit(forecaster.features(found), outcome_of(found))


def test_a_network_learns_though_nothing_is_known_of_the_latest_moments() -> None:
    found, forecaster = panel(), CrossSectionForecaster(options("network"))
    features, outcome = forecaster.features(found), outcome_of(found)
    outcome[62:] = np.nan  # more than the last fifth, which decides when to stop
    assert np.isfinite(forecaster.fit(features, outcome).forecast(features)[70, 3:]).all()
