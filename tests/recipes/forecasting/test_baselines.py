"""Baselines of forecasts against hand-made series."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.recipes.forecasting.evaluation.baselines import (
    seasonal_mean,
    seasonal_naive,
    statistical,
)

LEVELS = (0.1, 0.5, 0.9)


def test_the_naive_forecast_repeats_the_latest_season():
    history = np.array([[1.0], [2], [3], [4], [5], [6]])
    assert seasonal_naive(history, 4, 3, LEVELS)[0, :, 1].tolist() == [4, 5, 6, 4]


def test_a_gap_takes_the_value_of_a_season_before():
    history = np.array([[1.0], [2], [3], [np.nan], [5], [np.nan]])
    assert seasonal_naive(history, 3, 3, LEVELS)[0, :, 1].tolist() == [1, 5, 3]


def test_nothing_known_is_forecast_as_nothing():
    assert (seasonal_naive(np.full((2, 1), np.nan), 3, 7, LEVELS) == 0).all()


def test_the_mean_is_over_the_latest_seasons():
    history = np.arange(1.0, 9.0)[:, None]
    assert seasonal_mean(history, 2, 2, LEVELS, periods=2)[0, :, 1].tolist() == [6, 7]


def test_quantiles_are_those_of_the_errors_in_the_history():
    draw = np.random.default_rng(0)
    history = 100 + draw.normal(size=(2000, 1))
    found = seasonal_naive(history, 1, 1, LEVELS)[0, 0]
    assert found[2] - found[1] == pytest.approx(1.2816 * 2**0.5, rel=0.1)
    assert (np.diff(found) > 0).all()


def test_a_statistical_model_finds_the_season():
    pytest.importorskip("statsforecast")
    season = np.tile([10.0, 20, 30, 40], 12)
    draw = np.random.default_rng(0)
    history = np.stack([season + draw.normal(size=48), 2 * season + draw.normal(size=48)], axis=1)
    history[5, 0] = np.nan
    found = statistical("auto_ets", history, 4, 4, LEVELS)
    assert found.shape == (2, 4, 3)
    assert found[0, :, 1] == pytest.approx([10, 20, 30, 40], abs=3)
    assert found[1, :, 1] == pytest.approx([20, 40, 60, 80], abs=3)
    assert (np.diff(found, axis=2) > 0).all()
