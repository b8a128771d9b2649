"""The same answers as the library stockpyl, on its instances, whose inputs a mirror holds.

stockpyl is no requirement of this package, as it asks for a Sphinx of 2022; where it is not
installed (pip install --no-deps stockpyl jsonpickle tabulate), these tests are skipped.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from industry_apps.manufacturing.inventory import eoq, supply_risk
from industry_apps.manufacturing.inventory.demand import (
    DiscreteDemand,
    LognormalDemand,
    NormalDemand,
    PoissonDemand,
)
from industry_apps.manufacturing.inventory.finite_horizon import finite_horizon
from industry_apps.manufacturing.inventory.lot_sizing import wagner_whitin
from industry_apps.manufacturing.inventory.newsvendor import (
    base_stock,
    newsvendor,
    newsvendor_of_prices,
)
from industry_apps.manufacturing.inventory.policies import (
    r_q_policy,
    s_s_policy,
    s_s_power_approximation,
)

FOLDER = "manufacturing_stockpyl_inventory"
pytestmark = [
    pytest.mark.real_data(FOLDER),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning"),
]
equal = partial(pytest.approx, rel=1e-6, abs=1e-6)


def renamed(data, **names):
    """The inputs under our names; ``stockout_cost`` is ``shortage_cost`` everywhere."""
    names = {"stockout_cost": "shortage_cost", "demand_rate": "demand", **names}
    return {names.get(name, name): value for name, value in data.items()}


@pytest.mark.parametrize("name", ["example_3_1", "problem_3_1"])
def test_economic_order_quantity(name, instances, oracle):
    theirs = oracle("eoq").economic_order_quantity(**instances[name])
    assert eoq.economic_order_quantity(**renamed(instances[name])) == equal(theirs)


@pytest.mark.parametrize("name", ["example_3_8", "problem_3_2b"])
def test_order_quantity_with_backorders(name, instances, oracle):
    quantity, share, cost = oracle("eoq").economic_order_quantity_with_backorders(**instances[name])
    order, waits = eoq.order_quantity_with_backorders(**renamed(instances[name]))
    assert (*order, waits) == equal((quantity, cost, share))


def test_economic_production_quantity(instances, oracle):
    data = instances["problem_3_22"]
    theirs = oracle("eoq").economic_production_quantity(**data)
    assert eoq.economic_order_quantity(**renamed(data, production_rate="production")) == equal(
        theirs
    )


@pytest.mark.parametrize("name", ["example_3_5", "problem_3_12"])
def test_order_quantity_with_discounts(name, instances, oracle):
    data = instances[name]
    quantity, _, cost = oracle("eoq").economic_order_quantity_with_all_units_discounts(**data)
    ours = eoq.order_quantity_with_discounts(**renamed(data, holding_cost_rate="holding_rate"))
    assert ours == equal((quantity, cost))


@pytest.mark.parametrize(
    "name",
    ["scmo_jrp_ex", "spp_jrp", "silver_jrp", "scmo_jrp_hw_1", "scmo_jrp_hw_2", "scmo_jrp_hw_3"],
)
def test_joint_replenishment(name, instances, oracle):
    data = instances[name]
    theirs = oracle("eoq").joint_replenishment_problem_silver_heuristic(**data)
    names = {"shared_fixed_cost": "shared_cost", "individual_fixed_costs": "fixed_costs"}
    ours = eoq.joint_replenishment(**renamed(data, **names, demand_rates="demands"))
    assert ours.quantities == equal(theirs[0])
    assert (ours.cycle, list(ours.multiples), ours.cost) == (
        equal(theirs[1]),
        theirs[2],
        equal(theirs[3]),
    )


@pytest.mark.parametrize("name", ["example_3_9", "problem_3_27", "problem_3_29", "scmo_ww_hw_c"])
def test_wagner_whitin(name, instances, oracle):
    data = dict(instances[name])
    orders, cost, *_ = oracle("wagner_whitin").wagner_whitin(**data)
    data.pop("num_periods")
    plan = wagner_whitin(data.pop("demand"), **renamed(data, purchase_cost="unit_cost"))
    assert plan.cost == equal(cost)
    assert plan.orders.tolist() == equal([float(each) for each in orders[1:]])


@pytest.mark.parametrize("name", ["example_4_1", "example_4_3", "problem_4_1", "example_4_4"])
def test_newsvendor_of_normal_demand(name, instances, oracle):
    data = dict(instances[name])
    theirs = oracle("newsvendor").newsvendor_normal(**data)
    demand = NormalDemand(mean=data.pop("demand_mean"), sd=data.pop("demand_sd"))
    ours = base_stock(demand, **renamed({"lead_time": 0, **data}))
    assert ours == equal(theirs)
    if "lead_time" not in data:
        assert newsvendor(demand, **renamed(data)) == ours


def test_newsvendor_of_a_network(path, oracle):
    """The one node of the network form of example 4.1."""
    network = oracle("instances").load_instance("example_4_1_network", path)
    node, source = network.nodes[0], network.nodes[0].demand_source
    costs = {"holding_cost": node.local_holding_cost, "stockout_cost": node.stockout_cost}
    spread = {"demand_mean": source.mean, "demand_sd": source.standard_deviation}
    theirs = oracle("newsvendor").newsvendor_normal(**costs, **spread)
    demand = NormalDemand(mean=source.mean, sd=source.standard_deviation)
    assert newsvendor(demand, **renamed(costs)) == equal(theirs)


@pytest.mark.parametrize("name", ["example_4_2", "problem_4_3b"])
def test_newsvendor_of_prices(name, instances, oracle):
    data = instances[name]
    theirs = oracle("newsvendor").newsvendor_normal_explicit(**data)
    ours = newsvendor_of_prices(
        NormalDemand(mean=data["demand_mean"], sd=data["demand_sd"]),
        unit_cost=data["purchase_cost"],
        price=data["revenue"],
        salvage=data["salvage_value"],
    )
    assert ours == equal(theirs)


def test_newsvendor_of_other_demand(instances, oracle):
    module, lognormal = oracle("newsvendor"), instances["problem_4_8b"]
    poisson, listed = dict(instances["problem_4_8a"]), dict(instances["problem_4_7b"])
    theirs = module.newsvendor_poisson(**poisson)
    ours = newsvendor(PoissonDemand(mean=poisson.pop("demand_mean")), **renamed(poisson))
    assert ours == equal(theirs)

    chances = {int(units): chance for units, chance in listed.pop("demand_pmf").items()}
    theirs = module.newsvendor_discrete(**listed, demand_pmf=chances)
    assert newsvendor(DiscreteDemand(probabilities=chances), **renamed(listed)) == equal(theirs)

    from scipy.stats import lognorm

    costs = {name: lognormal[name] for name in ("holding_cost", "stockout_cost")}
    frozen = lognorm(s=lognormal["sigma"], scale=np.exp(lognormal["mu"]))
    level, _ = module.newsvendor_continuous(**costs, demand_distrib=frozen)
    ours = newsvendor(
        LognormalDemand(log_mean=lognormal["mu"], log_sd=lognormal["sigma"]), **renamed(costs)
    )
    short, over = oracle("loss_functions").lognormal_loss(
        level, lognormal["mu"], lognormal["sigma"]
    )
    assert ours == equal((level, costs["holding_cost"] * over + costs["stockout_cost"] * short))


@pytest.mark.parametrize("name", ["example_4_7", "problem_4_31"])
def test_s_s_policy_of_poisson_demand(name, instances, oracle):
    data = dict(instances[name])
    theirs = oracle("ss").s_s_discrete_exact(**data, use_poisson=True)
    ours = s_s_policy(PoissonDemand(mean=data.pop("demand_mean")), **renamed(data))
    assert ours == equal(theirs)


@pytest.mark.parametrize("name", ["example_4_8", "problem_4_32"])
def test_s_s_power_approximation(name, instances, oracle):
    data = dict(instances[name])
    theirs = oracle("ss").s_s_power_approximation(**data)
    demand = NormalDemand(mean=data.pop("demand_mean"), sd=data.pop("demand_sd"))
    assert s_s_power_approximation(demand, **renamed(data))[:2] == equal(theirs)


@pytest.mark.parametrize("name", ["problem_4_29", "problem_4_30"])
def test_finite_horizon(name, instances, oracle):
    data = dict(instances[name])
    # Its tails are cut at four standard deviations, unless it is told otherwise.
    points, up_to, cost, *_ = oracle("finite_horizon").finite_horizon_dp(
        **data, d_spread=8, s_spread=8
    )
    demand = NormalDemand(mean=data["demand_mean"], sd=data["demand_sd"])
    ours = finite_horizon(
        [demand] * data["num_periods"],
        holding_cost=data["holding_cost"],
        shortage_cost=data["stockout_cost"],
        unit_cost=data["purchase_cost"],
        fixed_cost=data["fixed_cost"],
        end_costs=(data["terminal_holding_cost"], data["terminal_stockout_cost"]),
        discount=data["discount_factor"],
        stock=data["initial_inventory_level"],
    )
    assert ours.cost == equal(cost)
    assert list(ours.reorder_points) == list(points[1:])
    assert list(ours.order_up_to) == list(up_to[1:])


@pytest.mark.parametrize("name", ["problem_5_2", "example_5_8"])
def test_r_q_policy_of_poisson_demand(name, instances, oracle):
    data = dict(instances[name])
    theirs = oracle("rq").r_q_poisson_exact(**data)
    ours = r_q_policy(PoissonDemand(mean=data.pop("demand_mean")), **renamed(data))
    assert ours == equal(theirs)


@pytest.mark.parametrize("name", ["example_5_1", "problem_5_1", "problem_5_3"])
def test_r_q_policy_of_normal_demand_is_no_dearer_than_approximations(name, instances, oracle):
    """The library has the exact cost of a policy, and approximations of the best one."""
    data, module = dict(instances[name]), oracle("rq")
    demand = NormalDemand(mean=data["demand_mean"], sd=data["demand_sd"])
    costs = {name: value for name, value in data.items() if not name.startswith("demand")}
    ours = r_q_policy(demand, **renamed(costs))
    assert ours.cost == equal(module.r_q_cost(*ours[:2], **data))
    others = {name: value for name, value in data.items() if name != "fixed_cost"}
    point = module.r_q_optimal_r_for_q(ours.order_quantity, **others, tol=1e-9)
    assert ours.reorder_point == pytest.approx(point, abs=1e-4)
    for rule in ("eil", "eoqb", "eoqss", "loss_function"):
        low, quantity = getattr(module, f"r_q_{rule}_approximation")(**data)[:2]
        assert ours.cost <= module.r_q_cost(low, quantity, **data) + 1e-9


def test_supply_that_fails(instances, oracle, monkeypatch):
    module = oracle("supply_uncertainty")
    monkeypatch.setattr(module, "log", math.log)  # theirs is numpy's, which has no base
    for name in ("example_9_1", "problem_9_8"):
        quantity, cost = module.eoq_with_disruptions(**instances[name])
        ours = supply_risk.order_quantity_with_disruptions(**renamed(instances[name]))
        assert ours.cost == equal(cost)
        # Theirs searches to 1e-5; at a minimum the quantity moves by the root of what costs do.
        assert ours.quantity == pytest.approx(quantity, rel=1e-4)
    data = instances["example_9_3"]
    names = {"disruption_prob": "disruption_probability", "recovery_prob": "recovery_probability"}
    ours = supply_risk.base_stock_with_disruptions(**renamed(data, **names))
    assert ours == equal(module.newsvendor_with_disruptions(**data))


@pytest.mark.parametrize(
    ("name", "additive"),
    [
        ("example_9_4", True),
        ("problem_9_4a", True),
        ("example_9_5", False),
        ("problem_9_4b", False),
    ],
)
def test_order_quantity_with_yield(name, additive, instances, oracle):
    kind = "additive" if additive else "multiplicative"
    module = oracle("supply_uncertainty")
    theirs = getattr(module, f"eoq_with_{kind}_yield_uncertainty")(**instances[name])
    ours = eoq.order_quantity_with_yield(**renamed(instances[name]), additive=additive)
    assert ours == equal(theirs)


@pytest.mark.parametrize("name", ["example_9_6", "problem_9_5"])
def test_newsvendor_with_yield(name, instances, oracle):
    from scipy.stats import uniform

    data = dict(instances[name])
    low, high = data.pop("yield_lo"), data.pop("yield_hi")
    losses = oracle("loss_functions")
    theirs = oracle("supply_uncertainty").newsvendor_with_additive_yield_uncertainty(
        **data,
        yield_distribution=uniform(low, high - low),
        loss_function=lambda x: losses.uniform_loss(x, low, high),
    )
    ours = supply_risk.newsvendor_with_yield(**renamed(data), yield_low=low, yield_high=high)
    assert ours == equal(theirs)
