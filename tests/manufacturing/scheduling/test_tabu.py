"""The tabu search: schedules that are possible, and better the longer it searches."""

from __future__ import annotations

import numpy as np
import pytest

from industry_apps.manufacturing.production_scheduling import ProductionScheduler
from industry_apps.manufacturing.scheduling.dispatching import dispatched
from industry_apps.manufacturing.scheduling.faults import faults_of
from industry_apps.manufacturing.scheduling.jobs import Job, Machine, Operation, Shop
from industry_apps.manufacturing.scheduling.schedule import table_of, value_of
from industry_apps.manufacturing.scheduling.tabu import improved, is_plain


def shop_of(seed: int, jobs: int = 6, machines: int = 5, *, again: bool = False) -> Shop:
    """Jobs that go through all machines in an order of their own; or through some of them twice."""
    draw = np.random.default_rng(seed)
    found = []
    for number in range(jobs):
        order = draw.permutation(machines)
        if again:
            order = draw.integers(0, machines, machines)
        steps = [Operation(machines={f"M{m}": int(draw.integers(0, 30))}) for m in order]
        found.append(Job(name=f"J{number}", operations=steps, release=int(draw.integers(0, 20))))
    return Shop.of(found)


def searched(shop: Shop, looks: int, seed: int = 0):
    """So many times fifty steps."""
    left = iter(range(looks))
    return improved(shop, seed, lambda: next(left, None) is None)


def length(shop, placed) -> float:
    table = table_of(shop, placed)
    assert faults_of(shop, table) == []
    return value_of(shop, table, "makespan")


@pytest.mark.parametrize("again", [False, True], ids=["each_once", "machines_again"])
@pytest.mark.parametrize("seed", range(4))
def test_it_finds_the_best_schedule_of_small_shops(seed, again):
    shop = shop_of(seed, jobs=4, machines=4, again=again)
    best = ProductionScheduler(workers=1).plan(shop.jobs)
    assert best.status == "optimal"
    found = length(shop, searched(shop, 60))
    assert best.makespan <= found <= 1.02 * best.makespan
    assert found <= length(shop, dispatched(shop, "most_work_remaining"))


def test_equal_seeds_give_equal_schedules_and_more_steps_none_that_is_worse():
    shop = shop_of(9, jobs=10, machines=8)
    assert searched(shop, 10, seed=3) == searched(shop, 10, seed=3)
    short, long = (length(shop, searched(shop, looks)) for looks in (2, 60))
    assert long <= short


def test_it_goes_back_to_the_best_schedule_and_on_from_there(monkeypatch):
    monkeypatch.setattr("industry_apps.manufacturing.scheduling.tabu._PATIENCE", 20)
    shop = shop_of(2, jobs=8, machines=6)
    assert length(shop, searched(shop, 40)) <= length(shop, dispatched(shop, "most_work_remaining"))


def test_one_job_and_one_machine_have_nothing_to_change():
    one = Shop.of([Job(name="A", operations=[Operation(machines={"saw": 3})])])
    assert searched(one, 5) == {("A", 0): ("saw", 0)}


def test_what_is_plain():
    job = Job(name="A", operations=[Operation(machines={"saw": 3})])
    assert is_plain(Shop.of([job]))
    assert not is_plain(Shop.of([job], [Machine(name="saw", closed=[(1, 2)])]))
    assert not is_plain(Shop.of([job], [Machine(name="saw", breaks=[(1, 2)])]))
    several = Job(name="A", operations=[Operation(machines={"saw": 3, "axe": 9})])
    assert not is_plain(Shop.of([several]))
    assert not is_plain(Shop.of([Job(name="A", operations=job.operations, deadline=9)]))
