"""Metrics of forecasts against hand-made numbers."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.errors import SchemaError
from industry_apps.recipes.forecasting.evaluation.metrics import (
    Forecasts,
    forecast_bootstrap,
    mase_scale,
    quantile_losses,
)

LEVELS = (0.1, 0.5, 0.9)


def forecasts(median, came, scale=(1.0, 1.0), width=1.0) -> Forecasts:
    middle = np.asarray(median, dtype=np.float64)[:, None, :]
    quantiles = np.stack([middle - width, middle, middle + width], axis=-1)
    outcome = np.asarray(came, dtype=np.float64)[:, None, :]
    return Forecasts(
        quantiles=quantiles, levels=LEVELS, came=outcome, scale=np.asarray(scale, dtype=float)
    )


def test_metrics_of_two_series():
    asked = forecasts([[10, 10], [20, 20]], [[10, 12], [20, 14]], scale=(1, 2))
    found = forecast_bootstrap(asked).estimates()
    assert found["mase"].value == pytest.approx((1 / 1 + 3 / 2) / 2)
    assert found["mae"].value == pytest.approx(2.0)
    assert found["coverage_80"].value == 0.5
    assert found["bias"].value == pytest.approx(60 / 56 - 1)
    smape = 200 * (2 / 22 + 6 / 34) / 4
    assert found["smape"].value == pytest.approx(smape)
    assert found["pinball"].value == pytest.approx(quantile_losses(asked).mean())


def test_pinball_loss_is_the_definition():
    losses = quantile_losses(forecasts([[10], [10]], [[13], [6]]))[:, 0, 0]
    assert losses[0] == pytest.approx([0.1 * 4, 0.5 * 3, 0.9 * 2])
    assert losses[1] == pytest.approx([0.9 * 3, 0.5 * 4, 0.1 * 5])


def test_the_median_of_what_came_has_the_least_median_loss():
    came = np.random.default_rng(0).gamma(2, 3, 4000)
    losses = {
        guess: quantile_losses(forecasts(np.full((1, 4000), guess), came[None], scale=(1,)))[
            ..., 1
        ].mean()
        for guess in (np.median(came), came.mean(), 3.0, 8.0)
    }
    assert min(losses, key=losses.__getitem__) == np.median(came)


def test_unknown_outcomes_and_series_without_scale_are_left_out():
    asked = forecasts([[10, 10], [5, 5]], [[np.nan, 11], [9, 5]], scale=(1, 0))
    found = forecast_bootstrap(asked).estimates()
    assert found["mase"].value == 1.0
    assert found["mae"].value == pytest.approx((1 + 4 + 0) / 3)


def test_a_forecast_of_nothing_for_nothing_is_no_error():
    found = forecast_bootstrap(forecasts([[0], [0]], [[0], [0]])).estimates()
    assert found["smape"].value == 0.0
    assert np.isnan(found["bias"].value)


def test_margins_are_paired():
    came = np.random.default_rng(1).normal(100, 30, (50, 4))
    ours, theirs = (
        forecast_bootstrap(forecasts(came + error, came, scale=np.ones(50))) for error in (1, 2)
    )
    margin = ours.minus(theirs)["mae"]
    assert (margin.value, margin.low, margin.high) == pytest.approx((-1, -1, -1))


def test_scale_is_the_error_of_the_seasonal_naive_forecast():
    history = np.array([[1.0, 5], [2, 5], [3, 5], [6, 5], [np.nan, 5]])
    assert mase_scale(history, 2).tolist() == [3.0, 0.0]
    assert np.isnan(mase_scale(history[:1], 2)).all()


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(SchemaError, match=r"need quantiles of shape \(2, 1, 2, 3\)"):
        Forecasts(
            quantiles=np.zeros((2, 1, 2, 2)),
            levels=LEVELS,
            came=np.zeros((2, 1, 2)),
            scale=np.ones(2),
        )
    with pytest.raises(SchemaError, match=r"No level is 0\.5"):
        Forecasts(
            quantiles=np.zeros((2, 1, 2, 1)),
            levels=(0.9,),
            came=np.zeros((2, 1, 2)),
            scale=np.ones(2),
        )
