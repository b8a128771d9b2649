"""Questions about dispatch beside the benchmark: known costs, rolling commitment, speed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from industry_apps.energy.grid.assessment import dispatch_bootstrap
from industry_apps.energy.grid.cases import Case, Floats
from industry_apps.energy.grid.plans import DispatchPlan
from industry_apps.energy.grid.reading.matpower import parse_case
from industry_apps.energy.grid.sources import case_named
from industry_apps.energy.grid.stand_in import line_limits
from industry_apps.energy.grid.units import rts96_units
from industry_apps.energy.grid_dispatch import GridDispatcher
from industry_apps.evaluation import Report
from industry_apps.evaluation.intervals import BootstrapResult
from industry_apps.evaluation.sections import Section

if TYPE_CHECKING:
    from industry_apps.application import Application
    from industry_apps.data import Dataset

__all__ = ["KNOWN_COSTS", "WINTER_WEEKDAY", "commitment", "known_costs", "measured_costs", "speed"]

#: Case -> cost in $/h of its DC optimal power flow, to the digits that are known.
KNOWN_COSTS = {
    "case5": 17479.896925,
    "case9": 5216.026608,
    "case14": 7642.591777,
    "case24_ieee_rts": 61001.240312,
    "case30": 565.206,
    "case_ieee30": 8343.401732,
    "case39": 41263.940786,
    "case57": 41006.736942,
    "case118": 125947.881418,
    "case_ACTIVSg200": 27479.643306,
    "case300": 706292.324,
    "case1354pegase": 73059.67,
    "case_ACTIVSg2000": 1201320.784,
    "case2869pegase": 132447.247,
}
#: Load of each hour of a weekday in winter in percent of the peak of the day: table 4 of the IEEE
#: Reliability Test System (1979), doi:10.1109/TPAS.1979.319398, weeks 1 to 8 and 44 to 52.
WINTER_WEEKDAY = (
    *(67, 63, 60, 59, 59, 60, 74, 86, 95, 96, 96, 95),
    *(95, 95, 93, 94, 99, 100, 100, 96, 91, 83, 73, 63),
)
#: Peaks of the days that are rolled, as shares of the load of the case.
_DAYS = (0.95, 0.90, 0.85)
_HOURS = 24
_FOLDER = "energy_matpower_cases"
_REPEATS = 20


def known_costs(data: Dataset) -> Section:
    """Solve all cases whose cost is known, and compare.

    Parameters
    ----------
    data : Dataset
        Not looked at: all cases are of one file.
    """
    del data
    names = ((name, case_named(f"{_FOLDER}/{name}.m")) for name in KNOWN_COSTS)
    return _cost_section([_solved(name, case) for name, case in names])


def measured_costs(data: Dataset, full: bool) -> Report:
    """Judge the dispatcher on cases whose cost is known, beside a merit order without lines.

    Parameters
    ----------
    data : Dataset
        Of the card energy_matpower_costs.
    full : bool
        Changes nothing: all cases are solved.
    """
    del full
    rows = data.test[data.test["case"].isin(list(KNOWN_COSTS))]
    texts = zip(rows["case"], rows["text"], strict=True)
    solved = [_solved(name, parse_case(text, name)) for name, text in texts]
    known = np.array([KNOWN_COSTS[each.name] for each in solved])
    ours, merit = (_judged(known, [way(each) for each in solved]) for way in (_plan_of, _merit))
    return Report.beside(
        "GridDispatcher",
        ours,
        {"merit order, lines not looked at": merit},
        split={"test": {"rows": len(rows)}},
        sections=(_cost_section(solved),),
        headline_text=(
            f"{len(solved)} cases are solved; the cost of none differs from the known one by more "
            f"than {max(abs(e.plan.total_cost() / KNOWN_COSTS[e.name] - 1) for e in solved):.1e} "
            "of it."
        ),
        notes=("An interval is over cases, which are few, and no sample of anything.",),
    )


class _Solved(NamedTuple):
    """A case, its plan, and the seconds that took."""

    name: str
    case: Case
    plan: DispatchPlan
    seconds: float


def _solved(name: str, case: Case) -> _Solved:
    started = time.perf_counter()
    plan = GridDispatcher(case=case).plan()
    return _Solved(name, case, plan, time.perf_counter() - started)


def _plan_of(solved: _Solved) -> tuple[float, float]:
    """Cost, and largest overload in MW."""
    return solved.plan.total_cost(), _overload(solved.case, solved.plan)


def _merit(solved: _Solved) -> tuple[float, float]:
    """The same of the cheapest outputs, lines not looked at."""
    plan = GridDispatcher(case=solved.case, lines=False).plan()
    return plan.total_cost(), _overload(solved.case, plan)


def _overload(case: Case, plan: DispatchPlan) -> float:
    network = plan.hours.network
    fed_in = network.feeding @ plan.found.output[0] - case.load - case.shunt
    flow = network.flows(fed_in)
    low, high = line_limits(case)
    return float(max(0.0, np.maximum(flow - high, low - flow).max()))


def _judged(known: Floats, found: list[tuple[float, float]]) -> BootstrapResult:
    cost, overload = np.array(found).T
    return dispatch_bootstrap(known, cost, overload, np.zeros(len(known)))


def _cost_section(solved: list[_Solved]) -> Section:
    rows: list[tuple[object, ...]] = [
        ("case", "buses", "cost", "known", "relative difference", "gap to the bound", "seconds")
    ]
    for name, case, plan, seconds in solved:
        cost, known = plan.total_cost(), KNOWN_COSTS[name]
        gap = plan.found.optimality.gap
        rows.append(
            (name, len(case.buses), round(cost, 6), known, cost / known - 1, gap, round(seconds, 2))
        )
    text = (
        "DC optimal power flow of the cases as they are. The gap is to the bound that the prices "
        "prove, as a share of the cost; the relative difference cannot be below the last digit "
        "that is known."
    )
    return Section("DC optimal power flow: costs", text, rows)


def commitment(data: Dataset) -> Section:
    """Commit the units of case24_ieee_rts, day after day.

    Parameters
    ----------
    data : Dataset
        Not looked at.
    """
    del data
    case = case_named(f"{_FOLDER}/case24_ieee_rts.m")
    dispatcher = GridDispatcher(case=case, units=rts96_units(case))
    shape = np.array(WINTER_WEEKDAY) / 100
    loads = pd.Series(np.concatenate([peak * shape for peak in _DAYS]) * case.load.sum())
    rows: list[tuple[object, ...]] = [
        ("day", "load (MWh)", "generation ($)", "starts ($)", "units started", "gap", "seconds")
    ]
    started = time.perf_counter()
    for day, plan in enumerate(dispatcher.plan_days(loads, hours=_HOURS), start=1):
        costs, seconds = plan.costs().sum(), time.perf_counter() - started
        rows.append(
            (
                day,
                round(float(plan.hours.loads.sum()), 1),
                round(float(costs["generation"]), 2),
                round(float(costs["starts"]), 2),
                int(plan.found.starts.sum()),
                round(plan.found.gap, 5),
                round(seconds, 1),
            )
        )
        started = time.perf_counter()
    text = (
        "Hourly loads of a weekday in winter (IEEE RTS 1979), peaks of 95, 90 and 85 % of the load "
        "of the case; minimum times, ramps and start-up costs of IEEE RTS-96; lines at their "
        "ratings. Each day goes on from the state in which the one before left the units. The gap "
        "is the cost less the proven bound, as a share of the cost."
    )
    return Section("Unit commitment of case24_ieee_rts", text, rows)


def speed(proxy: Application, data: Dataset) -> Section:
    """Time the network beside the solver, on the same records, one after the other.

    Parameters
    ----------
    proxy : Application
        A DispatchProxy, not fitted; a fresh one is.
    data : Dataset
    """
    import tempfile
    from pathlib import Path

    from sklearn.base import clone

    from industry_apps.energy.grid.stand_in import solved_once
    from industry_apps.runtime import Model

    fitted: Any = clone(proxy).fit(data)
    frame = data.test.head(_REPEATS)
    with tempfile.TemporaryDirectory() as folder:
        model = Model(fitted.export(Path(folder) / "dispatch.onnx"))
        records = frame.to_dict("records")
        model.predict(records[0])  # what is made once is made here
        took = []
        for record in records:
            loads = np.array(record["load_mw"], dtype=np.float64)
            started = time.perf_counter()
            solved_once(fitted.network_, loads, [])
            between = time.perf_counter()
            model.predict(record)
            took.append((between - started, time.perf_counter() - between))
        many = pd.concat([data.test] * 5, ignore_index=True)
        started = time.perf_counter()
        model.predict(many)
        each = (time.perf_counter() - started) / len(many)
    solver, single = np.median(np.array(took), axis=0)
    rows: list[tuple[object, ...]] = [
        ("", "ms a record", "times as fast as the solver"),
        ("HiGHS by scipy, one record", round(1e3 * solver, 3), 1.0),
        ("file, one record", round(1e3 * single, 3), round(solver / single, 1)),
        (f"file, {len(many)} records", round(1e3 * each, 3), round(solver / each, 1)),
    ]
    text = (
        "Medians side by side on one machine; the solver starts anew for each record, with the "
        "matrices built, and proves its answer. A solver that is kept warm would be faster."
    )
    return Section("Speed beside the solver", text, rows)
