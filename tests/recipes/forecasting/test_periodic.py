"""Weights that all phases of a season share, and the ridge regression that is drawn to them."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.recipes.forecasting.models.periodic import periodic_weights

SEASON, LENGTH, HORIZON = 4, 20, 10


def windows(rows: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """A season ahead is the mean of the latest two, whatever the phase, and some noise."""
    rng = np.random.default_rng(0)
    past = rng.normal(size=(rows, LENGTH))
    phases = np.arange(HORIZON) % SEASON
    latest, before = (past[:, LENGTH - SEASON * k + phases] for k in (1, 2))
    return past, (latest + before) / 2 - latest + rng.normal(0, 0.1, (rows, HORIZON))


def solved(penalty: float) -> np.ndarray:
    past, target = windows()
    return periodic_weights(past.T @ past, past.T @ target, SEASON, penalty)


def test_weights_are_those_of_the_season_before():
    found = solved(1e-6)
    for step in range(HORIZON):
        latest = LENGTH - SEASON + step % SEASON
        assert found[latest, step] == pytest.approx(-0.5, abs=0.02)
        assert found[latest - SEASON, step] == pytest.approx(0.5, abs=0.02)
    assert np.abs(found).sum(axis=0) == pytest.approx(1.0, abs=0.2)


def test_phases_share_their_weights():
    found = solved(0.1)
    lags = np.array([[LENGTH - SEASON * k + phase for k in range(2, 6)] for phase in range(4)])
    apart = [found[lags[phase], phase] for phase in range(SEASON)]
    # But for the means about a value, which lie elsewhere.
    np.testing.assert_allclose(apart, np.tile(apart[0], (SEASON, 1)), atol=0.02)


def test_a_large_penalty_leaves_the_latest_season():
    assert np.abs(solved(1e6)).max() < 1e-4


def test_series_that_never_change_have_weights_of_zero():
    nothing = np.zeros((LENGTH, LENGTH)), np.zeros((LENGTH, HORIZON))
    assert not periodic_weights(*nothing, SEASON, 0.1).any()


def test_weights_of_one_level_add_up_to_none():
    """Windows that lie higher are answered higher: no weight goes to the level itself."""
    np.testing.assert_allclose(solved(0.3).sum(axis=0), 0, atol=1e-12)
