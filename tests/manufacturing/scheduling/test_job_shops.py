"""The benchmark of the scheduler, by the one door of all benchmarks."""

from __future__ import annotations

from functools import partial

import pytest

from industry_apps.benchmark import benchmark, section
from industry_apps.manufacturing import InventoryPlanner, ProductionScheduler
from industry_apps.manufacturing.scheduling import job_shops


@pytest.mark.real_data("manufacturing_jsplib")
def test_a_search_is_a_benchmark_without_parity(monkeypatch):
    monkeypatch.setattr(job_shops, "USUAL", ("ft06", "la01", "la05"))
    quick = partial(job_shops.measure, scheduler=ProductionScheduler(seconds=5.0))
    monkeypatch.setattr(job_shops, "measure", quick)
    found = benchmark(InventoryPlanner(), "manufacturing_jsplib")
    assert found["application"] == "manufacturing.supply_chain"
    assert found["parity"] is None
    assert found["speed"] == {}
    assert found["metrics"]["mean_gap"]["value"] == 0
    assert found["metrics"]["share_proven"]["value"] == 1
    assert found["baselines"]["shortest_operation"]["mean_gap"]["value"] > 0
    rows = found["sections"]["Instances"]["table"]
    assert [row["makespan"] for row in rows] == [55, 666, 593]
    told = section(found)
    assert "mean gap to the best known makespan 0.00 %" in told
    assert "to search and evaluate" in told
    assert "Exported file" not in told
