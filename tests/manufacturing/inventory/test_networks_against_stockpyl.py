"""Systems of several stages: the same answers as the library stockpyl; see there."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from industry_apps.errors import ParameterError
from industry_apps.manufacturing.inventory.demand import NormalDemand, PoissonDemand
from industry_apps.manufacturing.inventory.guaranteed_service import Stage, guaranteed_service
from industry_apps.manufacturing.inventory.serial import serial_base_stocks

pytestmark = [
    pytest.mark.real_data("manufacturing_stockpyl_inventory"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning"),
]
equal = partial(pytest.approx, rel=1e-6, abs=1e-6)

#: Instances without an answer here, and why.
NOT_ANSWERED = {
    "figure_6_12": "a tree without times",
    "rosling_figure_1": "an assembly without costs: there is nothing to weigh",
    "assembly_3_stage": "an assembly whose last stage adds no value: where stock is kept is open",
    "rong_atan_snyder_figure_1a": "stages with several customers: only heuristics are known",
    "rong_atan_snyder_figure_1b": "stages with several customers: only heuristics are known",
    "rong_atan_snyder_figure_1c": "stages with several customers: only heuristics are known",
}


def test_of_seventy_all_but_six_are_answered(instances):
    assert len(instances) == 70
    named = set(
        re.findall(
            r"\w+", " ".join(map(Path.read_text, Path(__file__).parent.glob("*stockpyl*.py")))
        )
    )
    assert set(instances) <= named
    assert set(NOT_ANSWERED) <= set(instances)


@pytest.mark.parametrize("name", NOT_ANSWERED)
def test_what_is_not_answered_lacks_an_answer(name, path, oracle):
    network = oracle("instances").load_instance(name, path)
    nodes, (last, *others) = network.nodes, network.sink_nodes
    told = {
        "tree without times": all(node.processing_time is None for node in nodes),
        "without costs": not any(node.local_holding_cost for node in nodes),
        "adds no value": last.local_holding_cost
        == sum(node.local_holding_cost or 0 for node in last.predecessors()),
        "several customers": bool(others) and any(len(node.successors()) > 1 for node in nodes),
    }
    assert next(holds for words, holds in told.items() if words in NOT_ANSWERED[name])


def test_a_stage_that_adds_no_value_is_refused():
    """As the assembly's last one, once its two equal suppliers are taken as one (Rosling 1989)."""
    with pytest.raises(ParameterError, match="echelon_holding_costs"):
        serial_base_stocks(
            NormalDemand(mean=5, sd=1),
            echelon_holding_costs=[0, 2],
            lead_times=[1, 2],
            shortage_cost=20,
        )


SERIAL = "example_6_1 problem_6_1 problem_6_2a problem_6_2b problem_6_2a_adj problem_6_2b_adj"
SONG = "problem_6_16 shang_song_1 shang_song_9 shang_song_17 shang_song_25"


@pytest.mark.parametrize("name", [*SERIAL.split(), *SONG.split()])
def test_serial_system_on_the_same_grid(name, path, oracle, monkeypatch):
    module = oracle("ssm_serial")
    monkeypatch.setattr(module, "find_nearest", nearest)  # theirs needs numpy below 2
    network = oracle("instances").load_instance(name, path)
    stages = [network.sink_nodes[0]]
    while upstream := stages[-1].predecessors():
        stages.append(upstream[0])
    # Two instances have local costs alone, in the reverse order: a stage costs more than its
    # supplier, and half of what it costs in the instance whose periods are twice as long.
    if stages[0].echelon_holding_cost is None:
        local = sorted((each.local_holding_cost for each in stages), reverse=True)
        for stage, here, before in zip(stages, local, [*local[1:], 0], strict=True):
            stage.echelon_holding_cost = here - before
    levels, cost = module.optimize_base_stock_levels(network=network, x_num=200, d_num=20)
    source = stages[0].demand_source
    ours = serial_base_stocks(
        PoissonDemand(mean=source.mean)
        if source.type == "P"
        else NormalDemand(mean=source.mean, sd=source.standard_deviation),
        echelon_holding_costs=[each.echelon_holding_cost for each in stages],
        lead_times=[each.shipment_lead_time or 0 for each in stages],
        shortage_cost=stages[0].stockout_cost,
        points=200,
        demand_points=20,
    )
    assert ours.cost == equal(cost)
    assert ours.levels == equal([levels[each.index] for each in stages])


def nearest(array, values, _sorted=False, index=None):
    """Places of the nearest entries of a sorted array."""
    asked = np.atleast_1d(np.asarray(values, dtype=float))
    above = np.clip(np.searchsorted(array, asked), 0, len(array) - 1)
    below = np.maximum(above - 1, 0)
    closer = np.abs(asked - array[below]) < np.abs(asked - array[above])
    found = np.where(closer, below, above)
    return int(found[0]) if np.ndim(values) == 0 else found


# Figure 6.12 has no times.
TREES = "example_6_3 problem_6_7 problem_6_8 problem_6_9 example_6_5 figure_6_14"


@pytest.mark.parametrize("name", TREES.split())
def test_guaranteed_service(name, path, oracle):
    module = oracle("gsm_tree")
    tree = oracle("instances").load_instance(name, path)
    for node in tree.sink_nodes:
        source = node.demand_source  # a mean that safety stock does not need; a stage without any
        source.mean, source.standard_deviation = source.mean or 0, source.standard_deviation or 0
    _, cost = module.optimize_committed_service_times(tree)
    full = module.preprocess_tree(tree)
    stages = {
        str(node.index): Stage(
            processing_time=int(node.processing_time or 0),
            holding_cost=node.local_holding_cost,
            demand_mean=node.demand_source.mean or 0.0,
            demand_sd=node.demand_source.standard_deviation or 0.0,
            safety_factor=node.demand_bound_constant,
            supplier_time=int(node.external_inbound_cst),
            promised_time=min(int(node.external_outbound_cst), 10_000),
        )
        for node in full.nodes
    }
    links = [(str(a), str(b)) for a, b in tree.edges]
    plan = guaranteed_service(stages, links)
    assert plan.cost == equal(cost)
    for supplier, customer in links:
        assert plan.stages[supplier].service_time <= plan.stages[customer].supplier_time
    theirs = oracle("gsm_helpers")
    times = {int(name): each.service_time for name, each in plan.stages.items()}
    assert theirs.solution_cost_from_cst(full, times) == equal(cost)
