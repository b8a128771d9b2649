"""Finite horizons: the policy of least cost, found again by trying all; what is refused."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from industry_apps.errors import ParameterError
from industry_apps.manufacturing.inventory.demand import (
    DiscreteDemand,
    NormalDemand,
    PoissonDemand,
)
from industry_apps.manufacturing.inventory.finite_horizon import finite_horizon
from industry_apps.manufacturing.inventory.newsvendor import newsvendor, stock_cost

COSTS = {"holding_cost": 1.0, "shortage_cost": 4.0}


@pytest.mark.parametrize("fixed_cost", [0.0, 3.0, 12.0])
@pytest.mark.parametrize("stock", [-3, 0, 7])
def test_no_order_in_any_state_would_be_cheaper(fixed_cost, stock):
    chances, prices, end = {0: 0.3, 1: 0.4, 4: 0.3}, (1.0, 2.0, 0.5), (0.5, 3.0)
    demand = DiscreteDemand(probabilities=chances)

    @cache
    def least(period, have):
        if period == 3:
            return end[0] * have if have > 0 else -end[1] * have
        return min(
            prices[period] * (up - have)
            + fixed_cost * (up > have)
            + stock_cost(demand, up, **COSTS)
            + 0.9 * sum(p * least(period + 1, up - units) for units, p in chances.items())
            for up in range(have, max(have, 0) + 14)
        )

    found = finite_horizon(
        [demand] * 3,
        **COSTS,
        unit_cost=prices,
        fixed_cost=fixed_cost,
        end_costs=end,
        discount=0.9,
        stock=stock,
    )
    assert found.cost == pytest.approx(least(0, stock), rel=1e-9)


def test_one_period_is_the_newsvendor():
    demand = PoissonDemand(mean=6)
    found = finite_horizon([demand], **COSTS)
    assert (found.order_up_to[0], found.cost) == pytest.approx(newsvendor(demand, **COSTS))


def test_an_order_may_be_put_off_until_much_waits():
    found = finite_horizon([PoissonDemand(mean=2)] * 2, **COSTS, fixed_cost=400, end_costs=(1, 4))
    assert found.reorder_points[1] < -40


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"holding_cost": 0}, "'holding_cost'"),
        ({"discount": 1.2}, "'discount'"),
        ({"end_costs": (1.0, -1.0)}, "'waiting'"),
        ({"unit_cost": [1.0, 2.0]}, "'unit_cost'.*3 periods"),
        ({"unit_cost": 9.0}, "In period 2 .* costs 9, and to let it wait 4"),
        ({"fixed_cost": np.nan}, "'fixed_cost'"),
    ],
)
def test_what_has_no_policy_is_refused(wrong, words):
    with pytest.raises(ParameterError, match=words):
        finite_horizon([PoissonDemand(mean=6)] * 3, **{**COSTS, **wrong})


def test_demand_that_is_not_whole_or_negative_is_refused():
    with pytest.raises(ParameterError, match="whole units"):
        finite_horizon([DiscreteDemand(probabilities={0.5: 1.0})], **COSTS)
    with pytest.raises(ParameterError, match="below zero"):
        finite_horizon([NormalDemand(mean=1, sd=3)], **COSTS)
    with pytest.raises(ParameterError, match="demand of finite_horizon"):
        finite_horizon([], **COSTS)
