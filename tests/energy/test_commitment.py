"""Unit commitment: starts, minimum times, ramps, and a state that goes on to the next day."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from industry_apps.energy import GridDispatcher, UnitLimits, rts96_units
from industry_apps.energy.grid.cases import Case
from industry_apps.energy.grid.example import example_case
from industry_apps.energy.grid.reading.matpower import parse_case
from industry_apps.energy.grid.reserve import Reserve
from industry_apps.energy.grid.sources import case_named
from industry_apps.energy.grid.units import RTS96, UnitState
from industry_apps.errors import ParameterError, SchemaError, UnknownNameError
from tests.energy.grids import case_of, text_of

DAY = pd.Series([250.0, 210, 200, 220, 300, 400, 460, 480, 450, 380, 330, 270], name="load")


def table(**changed: object) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "generator": ["g1", "g2", "g3", "g4", "g5"],
            "min_up_h": [4, 4, 3, 2, 1],
            "min_down_h": [4, 4, 3, 2, 1],
            "ramp_mw_per_h": [60.0, 50.0, 70.0, 80.0, np.inf],
            "start_cost": [2000.0, 1200.0, 300.0, 250.0, 50.0],
            **changed,
        }
    )


@pytest.fixture(scope="module")
def case() -> Case:
    return example_case()


@pytest.fixture(scope="module")
def units(case: Case) -> UnitLimits:
    return UnitLimits.from_table(table(), case)


def kept(running: np.ndarray, output: np.ndarray, units: UnitLimits, case: Case) -> None:
    """Minimum times and ramps of a whole schedule, counted by hand."""
    gens = case.generators
    assert (output[~running] == pytest.approx(0, abs=1e-6)) if (~running).any() else True
    low, high = np.where(running, gens.least, 0), np.where(running, gens.most, 0)
    assert (output >= low - 1e-6).all()
    assert (output <= high + 1e-6).all()
    for unit in range(len(gens)):
        runs = running[:, unit].astype(int)
        changes = np.flatnonzero(np.diff(runs)) + 1
        for begin, end in pairwise(changes):
            least = units.up[unit] if runs[begin] else units.down[unit]
            assert end - begin >= least
        edge = max(gens.least[unit], min(units.ramp[unit], gens.most[unit]))
        for hour in range(1, len(output)):
            step = abs(output[hour, unit] - output[hour - 1, unit])
            both = runs[hour] and runs[hour - 1]
            assert step <= (units.ramp[unit] if both else edge) + 1e-6


def test_days_go_on_from_the_state_of_the_one_before(case: Case, units: UnitLimits) -> None:
    loads = pd.concat([DAY, 0.7 * DAY, DAY], ignore_index=True)
    dispatcher = GridDispatcher(case=case, units=units, gap=0.01)
    plans = list(dispatcher.plan_days(loads, hours=12))
    assert len(plans) == 3
    running = np.vstack([plan.running().to_numpy() for plan in plans])
    output = np.vstack([plan.to_frame().to_numpy() for plan in plans])
    kept(running, output, units, case)
    assert not running.all()
    missed = np.vstack([plan.found.shed - plan.found.surplus for plan in plans])
    np.testing.assert_allclose((output.sum(axis=1) + missed.sum(axis=1)), loads, atol=1e-5)
    for plan in plans:
        assert plan.found.optimality.holds
        assert plan.found.gap <= 0.01
    starts = np.diff(running.astype(int), axis=0, prepend=running[:1].astype(int)) > 0
    told = np.vstack([plan.found.starts for plan in plans])
    assert (starts == told).all()
    paid = sum(plan.costs()["starts"].sum() for plan in plans)
    assert paid == pytest.approx(float((starts @ units.start_cost).sum()))


def test_the_schedule_is_the_best_of_all() -> None:
    # Two units, four hours: every schedule tried by hand.
    case = case_of(gen=((1, 100, 30), (2, 80, 10)), cost=("2 0 0 3 0 10 200", "2 0 0 3 0 30 20"))
    units = UnitLimits(
        up=np.array([2, 1]),
        down=np.array([2, 1]),
        ramp=np.array([np.inf, np.inf]),
        start_cost=np.array([500.0, 60.0]),
    )
    loads = np.array([20.0, 90.0, 120.0, 25.0])
    state = UnitState(
        running=np.array([False, True]), hours=np.array([5, 5]), output=np.array([0.0, 20.0])
    )
    best = np.inf
    for code in range(2**8):
        runs = np.array([(code >> place) & 1 for place in range(8)]).reshape(4, 2)
        cost = 0.0
        before = state.running.astype(int)
        for hour in range(4):
            started = (runs[hour] == 1) & (before == 0)
            cost += float(started @ units.start_cost) + float(runs[hour] @ [200, 20])
            low, high = runs[hour] * [30, 10], runs[hour] * [100, 80]
            first = np.clip(loads[hour] - low[1], low[0], high[0])
            second = loads[hour] - first
            if not low[1] - 1e-9 <= second <= high[1] + 1e-9:
                cost = np.inf
                break
            cost += 10 * first + 30 * second
            before = runs[hour]
        path = np.r_[0, runs[:, 0]]
        changes = np.flatnonzero(np.diff(path))
        if any(b - a < 2 for a, b in pairwise(changes)):
            continue
        best = min(best, cost)
    share = case.load / case.load.sum()
    plan = GridDispatcher(case=case, units=units, gap=1e-6, lines=False).plan(
        np.outer(loads, share), state=state
    )
    assert plan.total_cost() == pytest.approx(best)


def test_what_was_just_started_keeps_running(case: Case, units: UnitLimits) -> None:
    runs = np.array([True, True, True, False, False])
    state = UnitState(
        running=runs,
        hours=np.array([9, 9, 1, 9, 9]),
        output=np.array([150.0, 60.0, 5.0, 0.0, 0.0]),
    )
    plan = GridDispatcher(case=case, units=units, gap=0.02).plan(
        pd.Series([220.0, 200.0, 200.0, 200.0]), state=state
    )
    assert plan.running()["g3"].tolist()[:2] == [True, True]  # two more hours of three
    first = plan.to_frame().iloc[0].to_numpy() - state.output
    assert (np.abs(first[:3]) <= units.ramp[:3] + 1e-6).all()


def test_reserve_makes_more_units_run(case: Case, units: UnitLimits) -> None:
    dispatcher = GridDispatcher(case=case, units=units, gap=0.01)
    reserve = Reserve(up=np.full(len(DAY), 100.0), down=np.zeros(len(DAY)))
    plan = dispatcher.plan(DAY, reserve=reserve)
    most = np.where(plan.running(), case.generators.most, 0).sum(axis=1)
    room = most - plan.to_frame().to_numpy().sum(axis=1) + plan.found.lacking[:, 0]
    assert (room >= 100 - 1e-6).all()
    assert plan.total_cost() >= dispatcher.plan(DAY).total_cost() * (1 - 0.01)
    assert "within" in str(plan)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ramp_mw_per_h": [60, np.nan, 70, 80, 90]}, "Column 'ramp_mw_per_h', row 1: got nan"),
        ({"ramp_mw_per_h": [60, 0, 70, 80, 90]}, "Column 'ramp_mw_per_h', row 1: got 0"),
        ({"min_up_h": [1, 2, None, 1, 1]}, "Column 'min_up_h', row 2"),
        ({"min_up_h": [1, 2, 2.5, 1, 1]}, "Column 'min_up_h', row 2: got 2.5"),
        ({"start_cost": [1, 2, -1, 1, 1]}, "Column 'start_cost', row 2: got -1"),
        ({"generator": ["g1", "g1", "g3", "g4", "g5"]}, "'g1' is there 2 times"),
    ],
)
def test_units_with_gaps_are_refused(case: Case, changed: dict[str, object], words: str) -> None:
    with pytest.raises(SchemaError) as raised:
        UnitLimits.from_table(table(**changed), case)
    assert words in str(raised.value)


def test_missing_ramps_of_a_case_are_never_zero(case: Case) -> None:
    with pytest.raises(SchemaError, match="A missing ramp is not 0") as raised:
        UnitLimits.from_case(case, up=np.ones(5), down=np.ones(5))
    assert "'ramp_agc'" in str(raised.value)
    # The remedy works.
    assert np.isinf(UnitLimits.from_table(table(ramp_mw_per_h=[np.inf] * 5), case).ramp).all()
    with pytest.raises(UnknownNameError, match="g9"):
        UnitLimits.from_table(table(generator=["g9", "g2", "g3", "g4", "g5"]), case)
    with pytest.raises(SchemaError, match=r"'ramp_mw_per_h' .* is missing"):
        UnitLimits.from_table(table().drop(columns="ramp_mw_per_h"), case)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"ramp": [60, np.nan, 70, 80, 90]}, "Column 'ramp', row 1: got nan, expected MW/h > 0"),
        ({"ramp": [60, 0, 70, 80, 90]}, "Column 'ramp', row 1: got 0"),
        ({"ramp": pd.date_range("2024", periods=5)}, "Column 'ramp', row 0: got Timestamp"),
        ({"up": [1, 1.7, 1, 1, 1]}, "Column 'up', row 1: got 1.7, expected a whole number"),
        ({"up": [1, -1, 1, 1, 1]}, "Column 'up', row 1: got -1.0, expected a number >= 0"),
        ({"down": [1, 1, 1]}, "'down' of shape (3,)"),
        ({"down": [1, 1, 1, 1, 10**9]}, "Column 'down', row 4: got 1000000000"),
        ({"start_cost": [0, 0, -500, 0, 0]}, "Column 'start_cost', row 2: got -500"),
        ({"start_cost": [0, 0, None, 0, 0]}, "Column 'start_cost', row 2: got None"),
    ],
)
def test_limits_that_cannot_be_are_refused(changed: dict[str, object], words: str) -> None:
    given = {name: [1] * 5 for name in ("up", "down", "ramp", "start_cost")}
    assert UnitLimits(**given).up.dtype == np.int64  # type: ignore[arg-type]
    with pytest.raises(SchemaError) as raised:
        UnitLimits(**{**given, **changed})  # type: ignore[arg-type]
    assert words in str(raised.value)


def test_minimum_times_beside_a_case_are_neither_cut_nor_stretched() -> None:
    wide = text_of().replace("1 100 1 100 0", "1 100 1 100 0 " + "0 " * 6 + "5 0 0 0 0")
    wide = wide.replace("1 100 1 80 0", "1 100 1 80 0 " + "0 " * 6 + "2 0 0 0 0")
    case = parse_case(wide, "wide")
    assert UnitLimits.from_case(case, up=[1, 2], down=[3, 0]).ramp.tolist() == [300, 120]
    for up, down, words in (
        ([1.7, 2], [3, 1], "'up', row 0: got 1.7"),
        ([1, 2], [-3, 1], "'down', row 0: got -3"),
        ([1, 2], [3], r"'down' of shape \(1,\)"),
    ):
        with pytest.raises(SchemaError, match=words):
            UnitLimits.from_case(case, up=up, down=down)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"running": [True, 2]}, "Column 'running', row 1: got 2"),
        ({"hours": [0, 1]}, "Column 'hours', row 0: got 0.0, expected a number >= 1"),
        ({"output": [5.0, np.nan]}, "Column 'output', row 1: got nan"),
        ({"output": [5.0, 3.0]}, "Column 'output', row 1: got 3 MW of a generator that stands"),
        ({"output": [5.0]}, "'output' of shape (1,)"),
    ],
)
def test_states_that_cannot_be_are_refused(changed: dict[str, object], words: str) -> None:
    given = {"running": [True, False], "hours": [1, 1], "output": [5.0, 0.0]}
    assert UnitState(**given).running.dtype == bool  # type: ignore[arg-type]
    with pytest.raises(SchemaError) as raised:
        UnitState(**{**given, **changed})  # type: ignore[arg-type]
    assert words in str(raised.value)


def at(*times: str) -> pd.Series:
    return pd.Series([300.0, 380, 420, 500][: len(times)], index=pd.to_datetime(list(times)))


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (("00:00", "01:00", "01:00", "02:00"), "row 2: got '2024-10-27 01:00:00' again"),
        (
            ("00:00", "01:00", "09:00"),
            "row 2: got '2024-10-27 09:00:00', and '2024-10-27 01:00:00'",
        ),
        (("02:00", "01:00", "00:00"), "row 1: got '2024-10-27 01:00:00'"),
        (("00:00", "00:30", "01:00"), "row 1: got '2024-10-27 00:30:00'"),
    ],
)
def test_rows_that_are_not_an_hour_each_are_refused(
    case: Case, units: UnitLimits, times: tuple[str, ...], words: str
) -> None:
    loads = at(*(f"2024-10-27 {each}" for each in times))
    table = pd.DataFrame(np.outer(loads, case.load / 420), loads.index, columns=case.buses)
    dispatcher = GridDispatcher(case=case, units=units)
    for given in (loads, table, loads.set_axis(loads.index.strftime("%Y-%m-%dT%H:%M"))):
        with pytest.raises(SchemaError, match=f"Index of the loads, {words[:6]}"):
            dispatcher.plan(given)
    with pytest.raises(SchemaError) as raised:
        list(dispatcher.plan_days(loads, hours=1))
    assert words in str(raised.value)
    # The remedy works: a mean of each hour, in order, with gaps filled.
    mended = loads.sort_index().resample("h").mean().interpolate()
    assert len(dispatcher.plan(mended).index) == len(mended)


def test_clocks_that_are_set_are_no_gap_once_the_zone_is_told(
    case: Case, units: UnitLimits
) -> None:
    dispatcher = GridDispatcher(case=case, units=units)
    for times in (
        ("2024-10-27 01:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 03:00"),
        ("2024-03-31 00:00", "2024-03-31 01:00", "2024-03-31 03:00"),
    ):
        with pytest.raises(SchemaError, match="Where clocks were set, give times with their zone"):
            dispatcher.plan(at(*times))
        told = at(*times).tz_localize("Europe/Berlin", ambiguous="infer")
        assert dispatcher.plan(told).index.equals(told.index)


def test_without_units_hours_may_be_left_out_but_not_overlap(case: Case) -> None:
    dispatcher = GridDispatcher(case=case)
    assert len(dispatcher.plan(at("2024-01-09 09:00", "2024-01-02 09:00")).index) == 2
    with pytest.raises(SchemaError, match="expected times an hour apart"):
        dispatcher.plan(at("2024-01-01 01:00", "2024-01-01 00:15", "2024-01-01 00:00"))
    with pytest.raises(SchemaError, match="row 1: got 'a' again"):
        dispatcher.plan(pd.Series([900.0, 950.0], index=["a", "a"]))


def test_days_are_of_arrays_too_and_keep_their_reserve(case: Case, units: UnitLimits) -> None:
    loads = np.outer(DAY, case.load / case.load.sum())
    reserve = Reserve(up=np.linspace(20, 90, len(DAY)), down=np.zeros(len(DAY)))
    plans = list(
        GridDispatcher(case=case, units=units, gap=0.02).plan_days(loads, hours=8, reserve=reserve)
    )
    assert [plan.index.tolist() for plan in plans] == [list(range(8)), list(range(8, 12))]
    kept = np.vstack([plan.found.reserve + plan.found.lacking for plan in plans])
    assert (kept[:, 0] >= reserve.up - 1e-6).all()
    dispatcher = GridDispatcher(case=case, units=units)
    for hours in (0, -3, 1.5):
        with pytest.raises(ParameterError, match=r"'hours' parameter .* must be an int >= 1"):
            list(dispatcher.plan_days(DAY, hours=hours))  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="Reserve is given for 12 hours, loads for 11"):
        list(dispatcher.plan_days(DAY.head(11), reserve=reserve))


def test_states_and_reserve_have_to_fit(case: Case, units: UnitLimits) -> None:
    state = UnitState(
        running=np.ones(2, dtype=bool), hours=np.ones(2, dtype=np.int64), output=np.zeros(2)
    )
    with pytest.raises(SchemaError, match="The state is of 2 generators"):
        GridDispatcher(case=case, units=units).plan(state=state)
    high = UnitState(running=[True] * 5, hours=[9] * 5, output=[30.0, 240.0, 0, 0, 0])
    with pytest.raises(SchemaError, match=r"row 1 \(g2\): got 240 MW, expected 10 to 180 MW"):
        GridDispatcher(case=case, units=units).plan(state=high)
    # What a ramp reaches is planned: a capacity that fell since.
    assert units.ramp[1] == 50
    near = UnitState(running=[True] * 5, hours=[9] * 5, output=[30.0, 220.0, 0, 0, 0])
    assert GridDispatcher(case=case, units=units).plan(state=near).to_frame()["g2"][0] >= 170
    # Below its least output by more than its ramp, a unit may stop, if it has run long enough.
    steep = replace(units, ramp=np.minimum(units.ramp, 0.4 * case.generators.least + 1e-3))
    low = UnitState(running=[True] * 5, hours=[99] * 5, output=np.zeros(5))
    plan = GridDispatcher(case=case, units=steep).plan(state=low)
    assert plan.to_frame()[["g1", "g2"]].iloc[0].tolist() == [0, 0]
    with pytest.raises(SchemaError, match=r"row \d \(\w+\): got 0 MW"):
        GridDispatcher(case=case, units=steep).plan(state=replace(low, hours=[1] * 5))
    with pytest.raises(SchemaError, match="no limits of units"):
        GridDispatcher(case=case).plan(state=state)
    with pytest.raises(SchemaError, match="Reserve is given for 2 hours, loads for 1"):
        GridDispatcher(case=case).plan(reserve=Reserve(up=np.zeros(2), down=np.zeros(2)))
    with pytest.raises(SchemaError, match="limits of units are of 5 units, the case has 2"):
        GridDispatcher(case=case_of(), units=units).plan()


@pytest.mark.real_data("energy_matpower_cases")
def test_units_of_the_reliability_test_system_are_recognised() -> None:
    case = case_named("energy_matpower_cases/case24_ieee_rts.m")
    units = rts96_units(case)
    assert len(units.up) == 33
    biggest = int(np.flatnonzero(case.generators.most == 350)[0])
    assert (units.up[biggest], units.down[biggest], units.ramp[biggest]) == (24, 48, 240)
    assert units.start_cost[biggest] == pytest.approx(4468 * 1.2)
    # Six hours of a morning.
    hours = np.array([0.6, 0.6, 0.74, 0.86, 0.95, 0.96])
    plan = GridDispatcher(case=case, units=units, gap=0.02).plan(
        pd.Series(0.9 * case.load.sum() * hours)
    )
    assert plan.found.gap <= 0.02
    assert plan.shedding().empty


def test_other_capacities_are_no_units_of_the_test_system(case: Case) -> None:
    assert RTS96["U76"].up == 8
    with pytest.raises(SchemaError, match="row 1: no unit of the Reliability Test System has 260"):
        rts96_units(case)
