"""The learned stand-in: what it guarantees holds for any wish and any load."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from industry_apps.backbones import LineRepair
from industry_apps.data import load
from industry_apps.energy import DispatchProxy, GridDispatcher
from industry_apps.energy.grid.assessment import KEPT_MW, dispatch_bootstrap
from industry_apps.energy.grid.example import example_case
from industry_apps.energy.grid.network import Network
from industry_apps.energy.grid.stand_in import grid_arrays, line_limits, optima
from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.runtime import Model
from tests.energy.grids import BUS, case_of, text_of


@pytest.fixture(scope="module")
def fitted() -> DispatchProxy:
    return DispatchProxy.fast().fit(DispatchProxy.sample())


@pytest.fixture(scope="module")
def loads() -> np.ndarray:
    return np.array(DispatchProxy.sample().test["load_mw"].tolist())


def test_any_wish_is_brought_within_limits_and_balance(loads: np.ndarray) -> None:
    case = example_case()
    arrays = grid_arrays(Network(case), loads)
    repair = LineRepair(arrays)
    rng = np.random.default_rng(0)
    gens = case.generators
    wish = gens.least + rng.uniform(size=(len(loads), 5)) * (gens.most - gens.least)
    found = repair(torch.tensor(wish), torch.tensor(loads))
    output = found.output.numpy()
    assert (output >= gens.least - 1e-9).all()
    assert (output <= gens.most + 1e-9).all()
    np.testing.assert_allclose(output.sum(axis=1), loads.sum(axis=1), atol=1e-9)
    # The overload that is told is the one that the network has.
    network = Network(case)
    flows = network.flows(network.feeding @ output.T - loads.T).T
    low, high = line_limits(case)
    over = np.maximum(flows - high, low - flows).max(axis=1)
    np.testing.assert_allclose(found.overload.numpy()[:, 0], np.maximum(over, 0), atol=1e-9)
    assert (over <= KEPT_MW).mean() > 0.95
    unrepaired = repair(torch.tensor(wish), torch.tensor(loads), lines=False)
    assert (unrepaired.overload.numpy() > KEPT_MW).mean() > 0.3


def test_kept_lines_cost_no_more_than_they_have_to(loads: np.ndarray) -> None:
    case = example_case()
    network = Network(case)
    repair = LineRepair(grid_arrays(network, loads))
    best = optima(network, loads[:30], "test")
    found = repair(torch.tensor(best), torch.tensor(loads[:30]))
    # Optima keep all limits: they stay, but for the margin.
    np.testing.assert_allclose(found.output.numpy(), best, atol=0.5)


def test_optima_are_those_of_the_dispatcher(loads: np.ndarray) -> None:
    case = example_case()
    found = optima(Network(case), loads[:5], "test")
    plans = GridDispatcher(case=case).plan(loads[:5]).to_frame().to_numpy()
    np.testing.assert_allclose(found, plans, atol=1e-5)
    assert np.isnan(optima(Network(case), 3 * loads[:1], "test")).all()


def test_loads_beyond_capacity_are_told(fitted: DispatchProxy) -> None:
    usual = example_case().load
    answers = fitted.predict(pd.DataFrame({"load_mw": [usual.tolist(), (3 * usual).tolist()]}))
    assert answers["feasible"].tolist() == [True, False]
    assert answers["unserved_mw"][1] == pytest.approx(3 * 420 - 750, abs=1e-3)
    assert answers["unserved_mw"][0] == pytest.approx(0, abs=1e-6)
    for factor in (0, -1):  # the least outputs are 30 MW in all
        few = fitted.predict(pd.DataFrame({"load_mw": [(factor * usual).tolist()]}))
        assert few["unserved_mw"][0] == pytest.approx(factor * 420 - 30, abs=1e-3)
        assert not few["feasible"][0]
    assert "least outputs are more than the load" in fitted.outputs["unserved_mw"].description


def test_the_file_answers_as_the_model_and_names_the_grid(
    fitted: DispatchProxy, tmp_path: Path
) -> None:
    path = fitted.export(tmp_path / "dispatch.onnx", check=DispatchProxy.sample())
    assert fitted.parity_.changed_decisions == 0
    model = Model(path)
    decision = model.metadata["decision"]
    assert decision["buses"] == list(range(1, 10))
    assert decision["generators"] == ["g1", "g2", "g3", "g4", "g5"]
    record = {"load_mw": example_case().load.tolist()}
    answer = model.predict(record)
    assert sum(answer["generation_mw"]) == pytest.approx(420, abs=1e-3)
    costs = example_case().generators.costs.of(np.array(answer["generation_mw"]))
    assert answer["cost"] == pytest.approx(costs.sum(), rel=1e-5)
    with pytest.raises(SchemaError, match="expected 9 values"):
        model.predict({"load_mw": [1.0, 2.0]})
    with pytest.raises(SchemaError, match="'load_mw', row 0, position 0: got nan"):
        model.predict({"load_mw": [float("nan"), *[1.0] * 8]})


def test_an_overload_counts_as_a_whole_cost(fitted: DispatchProxy) -> None:
    one = np.ones(4)
    found = dispatch_bootstrap(100 * one, 101 * one, np.array([0, 0, 0, 1.0]), 0 * one)
    assert found.values["mean_gap"] == pytest.approx((3 * 0.01 + 1) / 4)
    assert found.values["feasible"] == 0.75
    report = fitted.evaluate(DispatchProxy.sample().test)
    rivals = {name: row["mean_gap"].value for name, row in report.baselines.items()}
    assert report.metrics["mean_gap"].value < rivals["base dispatch, scaled"] / 3
    assert set(rivals) >= {"nearest record, repaired", "ridge, repaired"}


def test_grids_that_it_cannot_stand_in_for_are_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"load_mw": [[30.0, 60.0, 40.0]] * 40})
    islands = tmp_path / "islands.m"
    islands.write_text(text_of(bus=BUS, branch=((2, 3, 0.1, 0),)))
    with pytest.raises(ParameterError, match="has 2 islands"):
        DispatchProxy(grid=str(islands)).fit(frame)
    segments = tmp_path / "segments.m"
    segments.write_text(text_of(cost=("1 0 0 2 0 0 50 500", "2 0 0 2 20 0")))
    with pytest.raises(ParameterError, match="costs in line segments"):
        DispatchProxy(grid=str(segments)).fit(frame)
    plain = tmp_path / "plain.m"
    plain.write_text(text_of())
    with pytest.raises(TrainingError, match=r"row 0: the loads sum to 300\.0 MW"):
        DispatchProxy(grid=str(plain)).fit(pd.DataFrame({"load_mw": [[100.0] * 3] * 40}))
    with pytest.raises(TrainingError, match="expected 20 at least"):
        DispatchProxy(grid=str(plain)).fit(frame.head(5))
    with pytest.raises(SchemaError, match="expected 3 values"):
        DispatchProxy(grid=str(plain)).fit(pd.DataFrame({"load_mw": [[100.0] * 4] * 40}))


def test_a_grid_without_limits_of_lines_is_balanced(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    drawn = rng.uniform(0.7, 1.2, (60, 3)) * [0.0, 60.0, 40.0]
    plain = tmp_path / "plain.m"
    plain.write_text(text_of())
    proxy = DispatchProxy.fast().set_params(grid=str(plain))
    proxy.fit(pd.DataFrame({"load_mw": list(map(list, drawn))}))
    answers = proxy.predict(pd.DataFrame({"load_mw": list(map(list, drawn))}))
    assert answers["feasible"].all()
    assert case_of().load.sum() == 100


@pytest.mark.real_data("energy_matpower_cases")
def test_cards_draw_loads_around_those_of_their_case() -> None:
    data = load("energy_matpower_cases")
    drawn = np.array(data.test["load_mw"].tolist())
    assert drawn.shape == (600, 30)
    level = drawn.sum(axis=1) / 189.2
    assert 0.72 < level.min() < 0.85
    assert 1.25 < level.max() < 1.43
    assert data.card.settings["grid"] == "energy_matpower_cases/case30.m"
