"""Figures about dispatch that are no benchmark of a file: they are computed as they say."""

from __future__ import annotations

import pytest

from industry_apps.data import load
from industry_apps.energy import DispatchProxy
from industry_apps.energy.grid import studies

FEW = ("case5", "case14", "case30")


@pytest.mark.real_data("energy_matpower_cases")
def test_the_dispatcher_is_judged_beside_a_merit_order(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {name: studies.KNOWN_COSTS[name] for name in FEW}
    monkeypatch.setattr(studies, "KNOWN_COSTS", known)
    (measure,) = DispatchProxy().searches().values()
    data = load("energy_matpower_costs")
    assert len(data.train) == 0
    report = measure(data, False)
    assert abs(report.metrics["mean_gap"].value) < 1e-6
    assert report.metrics["feasible"].value == 1
    # The merit order overloads the line of case5 that binds.
    assert report.baselines["merit order, lines not looked at"]["feasible"].value < 1
    (section,) = report.sections
    assert [row["case"] for row in section.records()] == ["case14", "case30", "case5"]


@pytest.mark.real_data("energy_matpower_cases")
def test_days_are_committed_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "_DAYS", (0.6, 0.55))
    monkeypatch.setattr(studies, "WINTER_WEEKDAY", (90, 100, 95))
    monkeypatch.setattr(studies, "_HOURS", 3)
    rows = studies.commitment(DispatchProxy.sample()).records()
    assert [row["day"] for row in rows] == [1, 2]
    assert rows[1]["load (MWh)"] == pytest.approx(2850 * 0.55 * 2.85, abs=0.1)
    assert all(row["gap"] <= 0.002 for row in rows)


def test_the_file_is_timed_beside_the_solver() -> None:
    section = studies.speed(DispatchProxy.fast(), DispatchProxy.sample())
    solver, single, batch = section.records()
    assert solver["times as fast as the solver"] == 1
    assert batch["ms a record"] > 0
    assert single["times as fast as the solver"] == pytest.approx(
        solver["ms a record"] / single["ms a record"], rel=0.1
    )
