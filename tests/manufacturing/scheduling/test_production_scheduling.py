"""Schedules: proven best on shops small enough to try all, and errors that name what binds."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import load
from industry_apps.errors import ParameterError
from industry_apps.manufacturing import ProductionScheduler
from industry_apps.manufacturing.infeasible import InfeasiblePlanError
from industry_apps.manufacturing.scheduling.dispatching import dispatched
from industry_apps.manufacturing.scheduling.faults import faults_of
from industry_apps.manufacturing.scheduling.jobs import Job, Machine, Operation, Shop

SCHEDULER = ProductionScheduler(workers=1, seconds=20.0)


def job(name: str, *steps: tuple[str, int], **more) -> Job:
    operations = [Operation(machines={machine: time}) for machine, time in steps]
    return Job(name=name, operations=operations, **more)


def two_jobs(**more) -> list[Job]:
    return [job("A", ("saw", 3), ("drill", 2), **more), job("B", ("drill", 2), ("saw", 4), **more)]


def best_of_all(shop: Shop, objective: str = "makespan") -> float:
    """The best of all orders in which operations can be put as early as they go."""
    operations, best = shop.operations, np.inf
    pick = [list(operation.machines) for operation in operations.values()]
    for order in itertools.permutations(operations):
        if any(
            order.index((name, n)) > order.index((name, n + 1))
            for name, n in operations
            if (name, n + 1) in operations
        ):
            continue
        for chosen in itertools.product(*pick):
            on = dict(zip(operations, chosen, strict=True))
            best = min(best, _value(shop, operations, order, on, objective))
    return best


def _value(shop, operations, order, on, objective):
    ready = {each.name: each.release for each in shop.jobs}
    free = {name: (0, "") for name in shop.machines}
    for key in order:
        machine, operation = shop.machines[on[key]], operations[key]
        before, family = free[on[key]]
        start = max(ready[key[0]], before + machine.setups.get((family, operation.family), 0))
        duration = operation.machines[on[key]]
        while machine.calendar.conflict(start, machine.calendar.end_of(start, duration)):
            start += 1
        end = machine.calendar.end_of(start, duration)
        ready[key[0]], free[on[key]] = end, (end, operation.family)
    if objective == "makespan":
        return max(ready.values())
    return sum(
        each.weight * max(ready[each.name] - each.due, 0)
        for each in shop.jobs
        if each.due is not None
    )


def random_shop(seed: int) -> Shop:
    """Three jobs of two operations, with everything that a shop may have."""
    draw = np.random.default_rng(seed)
    families = ["", "red", "blue"]
    jobs = []
    for name in "ABC":
        operations = []
        for _ in range(2):
            able = draw.permutation(["M1", "M2"])[: draw.integers(1, 3)]
            operations.append(
                Operation(
                    machines={str(each): int(draw.integers(1, 6)) for each in able},
                    family=str(draw.choice(families)),
                )
            )
        jobs.append(
            Job(
                name=name,
                operations=operations,
                release=int(draw.integers(0, 4)),
                due=int(draw.integers(4, 12)),
                weight=float(draw.integers(1, 4)),
            )
        )
    setups = {pair: int(draw.integers(0, 3)) for pair in itertools.product(families, families)}
    machines = [
        Machine(name="M1", closed=[(5, 7)], breaks=[(9, 11)], setups=setups),
        Machine(name="M2", closed=[(8, 9)], breaks=[(3, 4), (6, 7)]),
    ]
    return Shop.of(jobs, machines)


@pytest.mark.parametrize("objective", ["makespan", "tardiness"])
@pytest.mark.parametrize("seed", range(4))
def test_schedules_of_small_shops_are_the_best_there_are(seed, objective):
    shop = random_shop(seed)
    scheduler = ProductionScheduler(workers=1, objective=objective)
    schedule = scheduler.plan(shop.jobs, list(shop.machines.values()))
    assert schedule.value == pytest.approx(best_of_all(shop, objective))
    assert schedule.status == "optimal"
    assert schedule.bound == pytest.approx(schedule.value)
    assert schedule.gap == pytest.approx(0)
    assert faults_of(shop, schedule.table) == []


def test_a_table_of_operations_is_planned():
    table = pd.DataFrame(
        {
            "job": ["A", "A", "B", "B"],
            "position": [0, 1, 0, 1],
            "machine": ["saw", "drill", "drill", "saw"],
            "duration": [3, 2, 2, 4],
        }
    )
    schedule = SCHEDULER.plan(table)
    assert (schedule.makespan, schedule.status) == (7, "optimal")
    frame = schedule.to_frame()
    assert list(frame) == ["job", "position", "machine", "start", "end", "duration", "family"]
    assert schedule.jobs()["end"].tolist() == [5, 7]
    assert "makespan 7 (proven best)" in str(schedule)


def test_closed_times_stop_an_operation_and_breaks_pause_it():
    jobs = [job("A", ("saw", 4))]
    closed = SCHEDULER.plan(jobs, [Machine(name="saw", closed=[(2, 5)])])
    assert closed.table[["start", "end"]].iloc[0].tolist() == [5, 9]
    paused = SCHEDULER.plan(jobs, [Machine(name="saw", breaks=[(2, 5)])])
    assert paused.table[["start", "end"]].iloc[0].tolist() == [0, 7]


def test_a_job_may_have_fewer_operations_than_there_are_machines_and_none_is_refused():
    jobs = [*two_jobs(), job("C", ("press", 5))]
    assert SCHEDULER.plan(jobs, [Machine(name="idle")]).makespan == 7
    with pytest.raises(ParameterError, match="Job 'D' has no operation"):
        Job(name="D", operations=[])


def test_replanning_leaves_fixed_operations_where_they_are():
    first = SCHEDULER.plan(two_jobs())
    running = first.table[first.table["start"] < 2]
    again = SCHEDULER.plan([*two_jobs(), job("C", ("saw", 1))], fixed=running, warm_start=first)
    kept = again.table.set_index(["job", "position"])["start"]
    for row in running.itertuples():
        assert kept[row.job, row.position] == row.start
    assert again.makespan == 8
    # From the old schedule the search is at least as good, however short it is.
    warm = ProductionScheduler(workers=1, seconds=5.0).plan(two_jobs(), warm_start=first)
    assert warm.makespan <= first.makespan


def test_a_warm_start_of_another_shop_does_no_harm():
    other = SCHEDULER.plan([job("A", ("saw", 30)), job("Z", ("lathe", 2))])
    assert SCHEDULER.plan(two_jobs(), warm_start=other).makespan == 7


@pytest.mark.real_data("manufacturing_jsplib")
def test_several_workers_go_on_near_the_best_schedule_with_its_bound():
    """It is too large to be proven best in the first part of the search."""
    data = load("manufacturing_jsplib").test
    table = data[data["instance"] == "la21"].reset_index(drop=True)
    shop = Shop.of(table)
    rule, operations = dispatched(shop, "most_work_remaining"), shop.operations
    warm = ProductionScheduler(workers=2, seconds=2.0).plan(shop.jobs, warm_start=rule)
    longest = max(
        start + operations[key].machines[machine] for key, (machine, start) in rule.items()
    )
    assert 1046 <= warm.makespan <= longest
    assert 0 < warm.bound <= 1046
    assert faults_of(warm.shop, warm.table) == []


def test_equal_seeds_give_equal_schedules():
    shop = random_shop(1)
    tables = [SCHEDULER.plan(shop.jobs, list(shop.machines.values())).table for _ in range(2)]
    pd.testing.assert_frame_equal(*tables)


def refused(jobs, machines=(), **more) -> str:
    with pytest.raises(InfeasiblePlanError) as caught:
        SCHEDULER.plan(jobs, machines, **more)
    return str(caught.value)


def test_a_deadline_before_the_shortest_time_names_job_and_remedy():
    words = refused([job("A", ("saw", 3), ("drill", 2), deadline=4)])
    assert "The deadline of job 'A' binds" in words
    assert "ends at 5 at the earliest" in words
    assert SCHEDULER.plan([job("A", ("saw", 3), ("drill", 2), deadline=5)]).makespan == 5


def test_deadlines_that_contradict_each_other_are_missed_by_as_little_as_possible():
    jobs = [job("A", ("saw", 3), deadline=3), job("B", ("saw", 4), deadline=5)]
    words = refused(jobs)
    assert "at best the deadline is missed by job 'B' by 2" in words
    assert SCHEDULER.plan([jobs[0], job("B", ("saw", 4), deadline=7)]).makespan == 7


@pytest.mark.parametrize(
    ("machine", "missed", "named"),
    [
        (Machine(name="saw", closed=[(2, 4)]), 3, "could be met without the closed times."),
        (Machine(name="saw", breaks=[(2, 4)]), 1, "could be met without the breaks."),
        (Machine(name="saw", setups={("", "x"): 2}), 1, "could be met without the set-up times."),
    ],
    ids=["closed", "breaks", "setups"],
)
def test_what_makes_a_deadline_impossible_is_named(machine, missed, named):
    operation = Operation(machines={"saw": 4}, family="x")
    jobs = [Job(name="A", operations=[operation], deadline=5)]
    assert SCHEDULER.plan(jobs).makespan == 4
    words = refused(jobs, [machine])
    assert f"missed by job 'A' by {missed}" in words
    assert named in words


def test_release_dates_that_make_deadlines_impossible_are_named():
    jobs = [job("A", ("saw", 3), deadline=6, release=2), job("B", ("saw", 3), deadline=6)]
    assert SCHEDULER.plan([jobs[0], job("B", ("saw", 2), deadline=6)]).makespan == 5
    jobs = [
        job("A", ("saw", 3), deadline=6, release=1),
        job("B", ("saw", 3), deadline=6, release=1),
    ]
    words = refused(jobs)
    assert "All could be met without the release dates" in words


FIXED = {
    "unknown": ({("C", 0): ("saw", 0)}, "operation 0 of job 'C' is not among the jobs"),
    "machine": ({("A", 0): ("drill", 0)}, "is on 'drill'; it can be done on 'saw'"),
    "closed": ({("A", 0): ("saw", 5)}, "which does not work from 6 to 7"),
    "both": (
        {("A", 0): ("saw", 0), ("B", 1): ("saw", 2)},
        "runs on 'saw' from 0 to 3, and the fixed operation 1 of job 'B' from 2 to 6",
    ),
    "order": (
        {("B", 0): ("drill", 20), ("B", 1): ("saw", 10)},
        "starts at 10, before the fixed operation 0 of job 'B', which it follows, ends at 22",
    ),
    "room": ({("A", 1): ("drill", 1)}, "The fixed operation 1 of job 'A' binds"),
}


@pytest.mark.parametrize("case", FIXED)
def test_operations_that_cannot_be_fixed_there_are_named(case):
    fixed, named = FIXED[case]
    machines = [Machine(name="saw", closed=[(6, 7)])] if case == "closed" else []
    assert named in refused(two_jobs(), machines, fixed=fixed)


def test_several_fixed_operations_without_room_between_them():
    jobs = [job("A", ("saw", 2), ("saw", 5), ("saw", 2))]
    fixed = {("A", 0): ("saw", 0), ("A", 2): ("saw", 4)}
    assert "binds: with it on 'saw'" in refused(jobs, fixed=fixed)
    fixed = {("A", 0): ("saw", 0), ("A", 2): ("saw", 7)}
    assert SCHEDULER.plan(jobs, fixed=fixed).makespan == 9


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1 / 3, 1e9, 1e300])
def test_only_how_weights_compare_decides_which_job_is_late(scale):
    scheduler = ProductionScheduler(workers=1, objective="tardiness")
    weights = {"A": scale, "B": 4 * scale}
    jobs = [job(name, ("saw", 10), due=10, weight=weight) for name, weight in weights.items()]
    schedule = scheduler.plan(jobs)
    assert schedule.table["job"].tolist() == ["B", "A"]
    assert schedule.value == pytest.approx(10 * scale)
    assert (schedule.status, schedule.bound) == ("optimal", pytest.approx(10 * scale))


def test_weights_without_a_common_unit_keep_a_bound_and_those_too_far_apart_are_refused():
    draw = np.random.default_rng(0).random(3) + 0.1
    steps = [("A", 5), ("B", 7), ("C", 3)]

    def plan(weights):
        jobs = [
            job(name, ("saw", time), due=4, weight=float(weight))
            for (name, time), weight in zip(steps, weights, strict=True)
        ]
        return ProductionScheduler(workers=1, objective="tardiness").plan(jobs)

    schedule = plan(draw)
    best = best_of_all(schedule.shop, "tardiness")
    assert schedule.value == pytest.approx(best)
    assert schedule.bound <= best
    assert schedule.status == "optimal"
    with pytest.raises(ParameterError, match=r"weights 1e-20 of job 'A' and 1 of job 'B' .* 6e-11"):
        plan([1e-20, 1, 1])
    for remedy in (0, 6e-11):
        assert plan([remedy, 1, 1]).table["job"].iloc[-1] == "A"


def test_faults_of_a_table_are_found():
    """The check that each schedule passes before it is returned finds what is planted."""
    shop = Shop.of(two_jobs(deadline=8), [Machine(name="saw", closed=[(20, 30)])])
    table = SCHEDULER.plan(shop.jobs, list(shop.machines.values())).table
    rows = {(row.job, row.position): row.Index for row in table.itertuples()}

    def faults(**change):
        broken = table.copy()
        for name, (key, value) in change.items():
            broken.loc[rows[key], name] = value
        return "; ".join(faults_of(shop, broken))

    assert faults() == ""
    assert "takes from" in faults(end=(("A", 0), 9))
    assert "before" in faults(start=(("A", 1), 0))
    assert "which cannot do it" in faults(machine=(("A", 1), "saw"))
    late = table.assign(start=table["start"] + 19, end=table["end"] + 19)
    assert "is closed" in "; ".join(faults_of(shop, late))
    assert "after 8" in "; ".join(faults_of(shop, late))
    assert "is not planned" in "; ".join(faults_of(shop, table.iloc[1:]))


def test_a_gantt_chart_is_drawn(tmp_path):
    shop = random_shop(3)
    schedule = SCHEDULER.plan(shop.jobs, list(shop.machines.values()))
    path = tmp_path / "plan.png"
    figure = schedule.gantt(path, title="Shift 1")
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ParameterError, match=r"'xyz' is no format of it\. .* \.svg"):
        schedule.gantt(tmp_path / "plan.xyz")
    schedule.gantt(tmp_path / "plan.SVG")
    assert b"<svg" in (tmp_path / "plan.SVG").read_bytes()
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["M1", "M2"]
    assert axes.get_title(loc="left") == "Shift 1"
    assert {text.get_text() for text in axes.texts} <= {"A", "B", "C"}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["closed", "break"]


@pytest.mark.real_data("manufacturing_jsplib")
def test_the_smallest_public_job_shop_is_solved_and_rules_are_not_better():
    data = load("manufacturing_jsplib").test
    table = data[data["instance"] == "ft06"].reset_index(drop=True)
    schedule = SCHEDULER.plan(table)
    assert (schedule.makespan, schedule.bound) == (55, 55)
    for rule in ("shortest_operation", "most_work_remaining"):
        rows = [
            {
                "job": key[0],
                "position": key[1],
                "machine": machine,
                "start": start,
                "end": start + schedule.shop.operations[key].machines[machine],
                "family": "",
            }
            for key, (machine, start) in dispatched(schedule.shop, rule).items()
        ]
        found = pd.DataFrame(rows)
        assert faults_of(schedule.shop, found) == []
        assert found["end"].max() >= 55
