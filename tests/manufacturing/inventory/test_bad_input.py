"""What is refused, and what is answered, where the numbers of an inventory are odd."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.errors import ParameterError
from industry_apps.manufacturing.infeasible import InfeasiblePlanError
from industry_apps.manufacturing.inventory.capacitated import LotProduct, capacitated_lots
from industry_apps.manufacturing.inventory.demand import (
    DiscreteDemand,
    NormalDemand,
    PoissonDemand,
    discretised_normal,
)
from industry_apps.manufacturing.inventory.eoq import economic_order_quantity
from industry_apps.manufacturing.inventory.guaranteed_service import Stage, guaranteed_service
from industry_apps.manufacturing.inventory.lot_sizing import wagner_whitin
from industry_apps.manufacturing.inventory.newsvendor import (
    base_stock,
    newsvendor,
    newsvendor_of_prices,
    stock_cost,
)
from industry_apps.manufacturing.inventory.policies import r_q_policy, s_s_policy
from industry_apps.manufacturing.inventory.serial import serial_base_stocks

COSTS = {"holding_cost": 1.0, "shortage_cost": 9.0}


def test_negative_demand_of_a_discretised_normal_is_refused_or_put_to_zero():
    wide = NormalDemand(mean=5, sd=4)
    with pytest.raises(ParameterError, match=r"below zero with a probability of 0\.085; .*'zero'"):
        discretised_normal(wide)
    with pytest.raises(ParameterError, match=r"Give discretised_normal\(demand, negative='zero'\)"):
        s_s_policy(wide, fixed_cost=5, **COSTS)
    put = discretised_normal(wide, negative="zero")
    assert s_s_policy(put, fixed_cost=5, **COSTS).order_up_to > 5
    assert min(put.probabilities) == 0
    assert put.mean > wide.mean
    assert math.fsum(put.probabilities.values()) == pytest.approx(1, abs=1e-12)
    narrow = discretised_normal(NormalDemand(mean=50, sd=8))
    assert narrow.mean == pytest.approx(50, abs=1e-6)
    with pytest.raises(ParameterError, match=r"demand of -1 units .* expected demands >= 0"):
        DiscreteDemand(probabilities={-1: 0.5, 1: 0.5})
    with pytest.raises(ParameterError, match=r"sum to 0\.9; expected 1"):
        DiscreteDemand(probabilities={0: 0.4, 1: 0.5})


def test_zero_lead_time_is_the_newsvendor():
    demand = NormalDemand(mean=50, sd=8)
    assert base_stock(demand, lead_time=0, **COSTS) == newsvendor(demand, **COSTS)
    policy = r_q_policy(demand, fixed_cost=100, lead_time=0, **COSTS)
    steady = math.sqrt(2 * 100 * 50 * 10 / 9)  # nothing is left to chance: backorders alone
    assert policy.order_quantity == pytest.approx(steady)
    assert policy.reorder_point == pytest.approx(-steady / 10)
    whole = r_q_policy(PoissonDemand(mean=5), fixed_cost=10, lead_time=0, **COSTS)
    assert whole.reorder_point < 0
    with pytest.raises(ParameterError, match=r"'lead_time' parameter of base_stock .* Got -1"):
        base_stock(demand, lead_time=-1, **COSTS)
    with pytest.raises(ParameterError, match="must not all be 0"):
        serial_base_stocks(demand, echelon_holding_costs=[1, 1], lead_times=[0, 0], shortage_cost=9)


def test_negative_opening_stock_is_due_in_the_first_period():
    plan = wagner_whitin([90, 120], holding_cost=2, fixed_cost=500, opening_stock=-30)
    assert plan.orders.tolist() == [240, 0]
    full = wagner_whitin([90, 120], holding_cost=2, fixed_cost=500, opening_stock=150)
    assert full.orders.tolist() == [0, 60]
    assert full.stock.tolist() == [60, 0]
    assert full.cost == 2 * 60 + 500
    product = LotProduct(
        name="A", demand=[90, 120], holding_cost=2, setup_cost=500, opening_stock=-30
    )
    table = capacitated_lots([product], capacity=1000).table
    assert table["lot"].tolist() == pytest.approx([240, 0])


def test_negative_and_missing_demand_names_the_period():
    words = r"'demand' parameter of wagner_whitin .* Got -5 in period 1"
    with pytest.raises(ParameterError, match=words):
        wagner_whitin([90, -5], holding_cost=2, fixed_cost=500)
    with pytest.raises(ParameterError, match="in period 0"):
        wagner_whitin([math.nan], holding_cost=2, fixed_cost=500)
    for wrong in (["a"], ["5"], [None], [True], [[1], [1, 2]], "a", {1: 2}):
        with pytest.raises(ParameterError, match=r"finite numbers >= 0\. Got .* in period 0"):
            wagner_whitin(wrong, holding_cost=2, fixed_cost=500)
    taken = wagner_whitin(pd.Series([90, 120]), holding_cost=np.float32(2), fixed_cost=500)
    assert taken.orders.tolist() == [210, 0]
    with pytest.raises(ParameterError, match=r"one number for each of 2 periods.*\(3,\)"):
        wagner_whitin([1, 2], holding_cost=[1, 1, 1], fixed_cost=5)


def test_what_has_no_best_answer_is_refused():
    with pytest.raises(ParameterError, match="expected salvage < unit_cost < price"):
        newsvendor_of_prices(NormalDemand(mean=5, sd=1), unit_cost=2, price=3, salvage=2)
    with pytest.raises(ParameterError, match="'holding_cost' parameter of newsvendor"):
        newsvendor(NormalDemand(mean=5, sd=1), holding_cost=0, shortage_cost=1)
    with pytest.raises(ParameterError, match="the capacity binds"):
        economic_order_quantity(fixed_cost=1, holding_cost=1, demand=10, production=10)
    with pytest.raises(ParameterError, match="Demand is always 0"):
        s_s_policy(PoissonDemand(mean=0), fixed_cost=1, **COSTS)


def of(**given) -> LotProduct:
    return LotProduct(**{"name": "A", "demand": [90, 120, 80], "holding_cost": 2, **given})


def test_capacity_below_demand_names_period_and_amount():
    with pytest.raises(InfeasiblePlanError) as caught:
        capacitated_lots([of()], capacity=[100, 100, 200])
    assert "the capacity binds, by period 1 (counted from 0) 10 more than the 100" in str(
        caught.value
    )
    assert "storage" not in str(caught.value)
    # The remedies work: more capacity, and orders that may wait.
    assert capacitated_lots([of()], capacity=[100, 110, 200]).is_optimal
    waiting = capacitated_lots([of(shortage_cost=5)], capacity=[100, 100, 200])
    assert waiting.table["waiting"].tolist() == pytest.approx([0, 10, 0])


def test_storage_that_binds_is_named_beside_capacity():
    with pytest.raises(InfeasiblePlanError) as caught:
        capacitated_lots([of()], capacity=[400, 0, 0], storage=10)
    assert re.search("capacity binds, by period 1 .*, or the storage binds", str(caught.value))
    assert capacitated_lots([of()], capacity=[400, 0, 0], storage=200).is_optimal


def why(product: LotProduct, **limits) -> str:
    with pytest.raises(InfeasiblePlanError) as caught:
        capacitated_lots([product], **limits)
    return str(caught.value)


def test_remedies_are_those_that_help():
    late = of(demand=[90, 150])
    words = why(late, capacity=100)
    assert "delivers all demand in time" in words
    assert words.endswith("Raise it, or lower demand.")
    waiting = of(demand=[90, 150], shortage_cost=3)
    words = why(waiting, capacity=100)
    assert "delivers all demand by the last period" in words
    assert words.endswith("Raise it, or lower demand.")
    assert capacitated_lots([of(demand=[90, 110])], capacity=100).is_optimal
    assert capacitated_lots([waiting], capacity=140).is_optimal
    helped = why(of(), capacity=[100, 100, 200])
    assert "lower or delay demand, or give products a shortage_cost" in helped
    assert capacitated_lots([of(demand=[90, 110, 90])], capacity=[100, 100, 200]).is_optimal


def test_an_opening_stock_that_does_not_fit_is_blamed_itself():
    full = of(demand=[10, 20], opening_stock=100)
    words = why(full, capacity=100, storage=20)
    assert words.endswith("Raise it, or give less opening stock.")
    assert capacitated_lots([full], capacity=100, storage=90).is_optimal
    assert capacitated_lots([of(demand=[10, 20], opening_stock=30)], capacity=9, storage=20)
    assert why(of(demand=[0, 20], opening_stock=-30), capacity=10).endswith(" Raise it.")
    owed = why(of(demand=[0, 0], opening_stock=-15), capacity=10)
    assert owed.endswith(" Raise it, or give products a shortage_cost, so that orders may wait.")
    both = why(of(demand=[10, 20, 150], opening_stock=100), capacity=10, storage=20)
    assert both.endswith(" Raise both.")


def test_capacitated_lots_without_a_limit_are_those_of_wagner_and_whitin():
    draw = np.random.default_rng(0)
    for _ in range(5):
        demand = draw.integers(0, 100, 8).astype(float).tolist()
        exact = wagner_whitin(demand, holding_cost=2, fixed_cost=120)
        product = of(demand=demand, setup_cost=120)
        plan = capacitated_lots([product], capacity=1e4, gap=1e-9)
        assert plan.cost == pytest.approx(exact.cost, abs=1e-3)
        assert plan.bound <= plan.cost + 1e-6


def test_two_products_share_capacity_and_set_ups_take_time():
    both = [of(setup_time=20), of(name="B", setup_time=20, opening_stock=300)]
    plan = capacitated_lots(both, capacity=140)
    used = plan.table.groupby("period")["capacity_used"].sum()
    assert (used <= 140 + 1e-6).all()
    assert plan.table.query("product == 'B'")["lot"].sum() == 0
    with pytest.raises(ParameterError, match="Two products are called 'A'"):
        capacitated_lots([of(), of()], capacity=1)


def test_a_cyclic_network_names_the_circle():
    stages = {name: Stage(processing_time=1, holding_cost=1) for name in "ABCD"}
    links = [("A", "B"), ("B", "C"), ("C", "A"), ("C", "D")]
    with pytest.raises(ParameterError, match="closes a circle of stages: C - B - A"):
        guaranteed_service(stages, links)
    with pytest.raises(ParameterError, match=r"Stages 'C' and 'D' are not joined"):
        guaranteed_service(stages, [("A", "B"), ("B", "C")])
    with pytest.raises(ParameterError, match="Did you mean"):
        guaranteed_service({"mill": stages["A"]}, [("mill", "mil")])
    with pytest.raises(ParameterError, match="closes a circle"):
        guaranteed_service(stages, [("A", "A")])
    with pytest.raises(ParameterError, match="There is no stage"):
        guaranteed_service({}, [])


def test_guaranteed_service_is_the_best_of_all_times_that_are_allowed():
    """All service times of small trees, tried one by one."""
    draw = np.random.default_rng(1)
    for _ in range(6):
        stages, links = _random_tree(draw)
        plan = guaranteed_service(stages, links)
        assert plan.cost == pytest.approx(_by_trial(stages, links), abs=1e-9)


def _random_tree(draw):
    names = [str(n) for n in range(4)]
    links = []
    for place in range(1, 4):
        other = names[draw.integers(place)]
        links.append((names[place], other) if draw.random() < 0.5 else (other, names[place]))
    stages = {
        name: Stage(
            processing_time=int(draw.integers(0, 3)),
            holding_cost=float(draw.integers(1, 9)),
            demand_sd=float(draw.integers(0, 4)),
            promised_time=1 if name not in {a for a, _ in links} else None,
        )
        for name in names
    }
    return stages, links


def _by_trial(stages, links):
    import itertools

    best, names = math.inf, list(stages)
    variance = {}

    def of_all(name):
        behind = [b for a, b in links if a == name]
        variance[name] = stages[name].demand_sd ** 2 + sum(of_all(each) for each in behind)
        return variance[name]

    for name in names:
        of_all(name)
    for promised in itertools.product(range(10), repeat=len(names)):
        times, cost = dict(zip(names, promised, strict=True)), 0.0
        for name, stage in stages.items():
            waits = max([0, *(times[a] for a, b in links if b == name)])
            net = waits + stage.processing_time - times[name]
            late = stage.promised_time is not None and times[name] > stage.promised_time
            cost += math.inf if net < 0 or late else _held(stage, variance[name], net)
        best = min(best, cost)
    return best


def _held(stage, variance, net):
    return stage.holding_cost * stage.safety_factor * math.sqrt(variance * net)


@given(mean=st.floats(0.1, 40), stock=st.integers(-5, 80))
def test_shortage_of_poisson_demand_is_its_sum(mean, stock):
    demand = PoissonDemand(mean=mean)
    listed = demand.written_out()
    assert demand.shortage(stock) == pytest.approx(listed.shortage(stock), abs=1e-8)


@settings(max_examples=10)
@given(mean=st.floats(1, 20), fixed=st.floats(1, 40))
def test_s_s_policy_is_no_dearer_than_its_neighbours(mean, fixed):
    """Against the stationary distribution of the stock, computed another way."""
    demand = PoissonDemand(mean=mean)
    policy = s_s_policy(demand, fixed_cost=fixed, **COSTS)
    cost = _long_run(demand, policy.reorder_point, policy.order_up_to, fixed)
    assert policy.cost == pytest.approx(cost, rel=1e-6)
    for low, high in ((-1, 0), (1, 0), (0, 1), (0, -1)):
        s, up = policy.reorder_point + low, policy.order_up_to + high
        if s < up:
            assert _long_run(demand, s, up, fixed) >= policy.cost - 1e-9


def _long_run(demand: PoissonDemand, low: int, high: int, fixed: float) -> float:
    """Expected cost a period of an (s, S) policy, by the chain of its stocks after ordering."""
    levels = np.arange(low + 1, high + 1)
    chances = np.array(list(demand.written_out().probabilities.values()))
    moves = np.zeros((len(levels), len(levels)))
    orders = np.zeros(len(levels))
    for row, level in enumerate(levels):
        for units, chance in enumerate(chances):
            after = level - units
            moves[row, -1 if after <= low else after - low - 1] += chance
            orders[row] += chance * (after <= low)
    system = np.vstack([moves.T - np.eye(len(levels)), np.ones(len(levels))])
    share = np.linalg.lstsq(system, np.append(np.zeros(len(levels)), 1), rcond=None)[0]
    held = [stock_cost(demand, int(level), **COSTS) for level in levels]
    return float(share @ (np.array(held) + fixed * orders))
