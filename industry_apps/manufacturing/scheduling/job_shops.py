"""The scheduler on the public job shops, beside rules of priority and the best known makespans."""

from __future__ import annotations

import os
import time

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import Dataset
from industry_apps.evaluation import Report
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.sections import Section
from industry_apps.manufacturing.production_scheduling import ProductionScheduler
from industry_apps.manufacturing.scheduling.dispatching import Rule, dispatched
from industry_apps.manufacturing.scheduling.jobs import Shop
from industry_apps.runtime.progress import progress

#: ft06 and ft10, and eight of those with most operations, of each family that has hard ones.
USUAL = ("ft06", "ft10", "abz7", "abz8", "abz9", "swv01", "swv03", "yn1", "yn2", "yn4")
#: All of these families under ``--full``: 42 instances.
FAMILIES = ("abz", "ft", "orb", "swv", "yn")
RULES: tuple[Rule, ...] = ("shortest_operation", "most_work_remaining")

_Floats = NDArray[np.float64]


def measure(data: Dataset, full: bool, *, scheduler: ProductionScheduler | None = None) -> Report:
    """Search a schedule of each instance.

    Parameters
    ----------
    data : Dataset
        Of the card manufacturing_jsplib.
    full : bool
        All 42 of :data:`FAMILIES`, and not the ten of :data:`USUAL`.
    scheduler : ProductionScheduler, optional
        By default 30 seconds and two workers an instance.
    """
    scheduler = scheduler or ProductionScheduler(seconds=30.0, workers=2)
    names = [
        name
        for name in data.test["instance"].unique()
        if (name.startswith(FAMILIES) if full else name in USUAL)
    ]
    rows = []
    done = ((name, (n + 1) / len(names)) for n, name in enumerate(names))
    for name in progress(done, f"schedules of {len(names)} job shops"):
        table = data.test[data.test["instance"] == name].reset_index(drop=True)
        rows.append({"instance": name, **_row(table, scheduler)})
    found = pd.DataFrame(rows)
    cpu = found["cpu_seconds"].mean()
    offered = scheduler.seconds * scheduler.workers
    return Report.beside(
        f"tabu search and CP-SAT, {scheduler.seconds:g} s, {scheduler.workers} workers",
        _judged(found["makespan"], found["bound"], found),
        {rule: _judged(found[rule], None, found) for rule in RULES},
        split={"test": {"instances": len(found), "operations": int(found["operations"].sum())}},
        sections=(
            Section(
                "Instances",
                "Makespan beside the best known, and the bound that was proven.",
                found.drop(columns=list(RULES)),
            ),
        ),
        notes=(
            f"An instance got {cpu:.0f} of at most {offered:g} seconds of processor time on "
            "average, which those that are proven early do not need; the load of the machine was "
            f"{os.getloadavg()[0]:.1f} at the end.",
        ),
        headline_text=(
            f"{len(found)} job shops; mean gap to the best known makespan "
            f"{100 * (found['makespan'] / found['best_known'] - 1).mean():.2f} %."
        ),
    )


def _row(table: pd.DataFrame, scheduler: ProductionScheduler) -> dict[str, object]:
    """Facts of one instance, and what was found."""
    shop = Shop.of(table)
    before = time.process_time()
    schedule = scheduler.plan(table)
    rules: dict[str, object] = {rule: _makespan(shop, rule) for rule in RULES}
    return {
        "jobs": len(shop.jobs),
        "machines": len(shop.machines),
        "operations": len(table),
        "best_known": int(table["best_known"].iloc[0]),
        "makespan": schedule.makespan,
        "gap": schedule.makespan / int(table["best_known"].iloc[0]) - 1,
        "bound": int(schedule.bound),
        "status": schedule.status,
        "seconds": round(schedule.seconds, 1),
        "cpu_seconds": round(time.process_time() - before, 1),
        **rules,
    }


def _makespan(shop: Shop, rule: Rule) -> int:
    operations = shop.operations
    placed = dispatched(shop, rule)
    return max(
        start + operations[key].machines[machine] for key, (machine, start) in placed.items()
    )


def _judged(makespan: pd.Series, bound: pd.Series | None, found: pd.DataFrame) -> BootstrapResult:
    """The metrics, and again on resamples of the instances."""
    gap = (makespan / found["best_known"] - 1).to_numpy()
    values: dict[str, _Floats] = {"mean_gap": gap}
    if bound is not None:
        values["share_proven"] = np.array(found["status"] == "optimal", dtype=np.float64)
        values["bound_gap"] = (1 - bound / makespan).to_numpy()
    metrics = {
        name: lambda weight, each=each: float(weight @ each / weight.sum())
        for name, each in values.items()
    }
    return bootstrap(metrics, None, len(gap))
