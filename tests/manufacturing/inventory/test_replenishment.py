"""Replayed stocks: perfect information costs nothing, and every cost is that of a day's end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from industry_apps.manufacturing.inventory.replenishment import judged, replay

COSTS = {"holding_cost": 1.0, "shortage_cost": 9.0}


@given(lead_time=st.integers(0, 6), seed=st.integers(0, 99))
def test_levels_of_what_will_be_asked_for_cost_nothing(lead_time, seed):
    demand = np.random.default_rng(seed).poisson(5, (20, 3)).astype(float)
    ahead = np.stack([demand[day : day + lead_time + 1].sum(axis=0) for day in range(20)])
    found = replay(ahead, demand, lead_time)
    assert found.net.shape == (20 - lead_time, 3)
    assert np.abs(found.net).max() == pytest.approx(0, abs=1e-9)
    assert found.costs(**COSTS).max() == pytest.approx(0, abs=1e-8)


@given(lead_time=st.integers(0, 4), seed=st.integers(0, 99))
def test_stock_is_what_was_ordered_less_what_was_asked_for(lead_time, seed):
    draw = np.random.default_rng(seed)
    demand = draw.poisson(5, (15, 2)).astype(float)
    found = replay(draw.uniform(10, 60, (15, 2)), demand, lead_time)
    ordered = np.cumsum(found.orders, axis=0)
    asked = np.cumsum(demand[lead_time:], axis=0)
    np.testing.assert_allclose(found.net, ordered - asked, atol=1e-9)
    assert (found.orders >= 0).all()


def test_costs_by_hand():
    """Of 6 units each day, 3 and then 5 and 2 are asked for; orders arrive a day later."""
    found = replay(np.full((3, 1), 6.0), np.array([[3.0], [5.0], [2.0]]), 1)
    assert found.orders.ravel().tolist() == [3, 3]
    assert found.net.ravel().tolist() == [-2, -1]
    assert found.costs(**COSTS).ravel().tolist() == [18, 9]


def test_figures_of_some_items():
    demand = np.tile([[4.0, 1.0]], (10, 1))
    found = replay(np.tile([[5.0, 1.0]], (10, 1)), demand, 0)
    estimates = judged(found, np.array([4.0, 0.0]), **COSTS).estimates()
    assert estimates["regret"].value == pytest.approx(0.5)  # a unit of one item is left over
    assert estimates["scaled_regret"].value == pytest.approx(0.25)  # the other has no scale
    assert estimates["fill_rate"].value == 1
