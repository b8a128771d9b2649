"""Dispatch: costs equal to known ones, proven; and what cannot be served is shed, bus by bus."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from industry_apps.energy import GridDispatcher, UnitLimits
from industry_apps.energy.grid.cases import Case
from industry_apps.energy.grid.example import example_case
from industry_apps.energy.grid.network import Network
from industry_apps.energy.grid.optimality import check_optimality
from industry_apps.energy.grid.programs import ProgramBuilder
from industry_apps.energy.grid.reserve import Reserve
from industry_apps.energy.grid.solving import solve
from industry_apps.energy.grid.sources import case_named
from industry_apps.energy.grid.studies import KNOWN_COSTS
from industry_apps.errors import InfeasibleError, ParameterError, SchemaError, UnknownNameError
from tests.energy.grids import BUS, case_of

MATPOWER = "energy_matpower_cases"


@pytest.mark.real_data(MATPOWER)
@pytest.mark.parametrize("name", sorted(KNOWN_COSTS))
def test_costs_are_the_known_ones(name: str) -> None:
    plan = GridDispatcher(case=case_named(f"{MATPOWER}/{name}.m")).plan()
    assert plan.total_cost() == pytest.approx(KNOWN_COSTS[name], rel=1e-6)
    assert plan.found.optimality.holds
    assert plan.shedding().empty


@pytest.mark.real_data(MATPOWER)
@pytest.mark.parametrize("name", ["case33bw", "case69"])
def test_cases_that_convert_units_by_code_are_refused(name: str) -> None:
    with pytest.raises(SchemaError, match=f"Case '{name}', line .* is code"):
        case_named(f"{MATPOWER}/{name}.m")


def test_cheapest_first_without_limits() -> None:
    plan = GridDispatcher(case=case_of(), lines=False).plan()
    assert plan.to_frame().to_numpy().tolist() == [[100, 0]]
    assert plan.prices().to_numpy() == pytest.approx(10, abs=10)  # g1 is full: 10 to 20
    more = GridDispatcher(case=case_of(), lines=False).plan({2: 70, 3: 50})
    assert more.to_frame().to_numpy() == pytest.approx(np.array([[100, 20]]))
    assert more.prices().to_numpy() == pytest.approx(20)


def test_a_full_line_makes_prices_differ() -> None:
    # Two thirds of what goes from 1 to 2 take the line between them.
    case = case_of(branch=((1, 2, 0.1, 30), (2, 3, 0.1, 0), (1, 3, 0.1, 0)))
    plan = GridDispatcher(case=case).plan()
    flows = plan.flows().iloc[0]
    assert flows["1-2"] == pytest.approx(30)
    assert plan.binding()["line"].tolist() == ["1-2"]
    prices = plan.prices().iloc[0]
    assert prices[1] == pytest.approx(10)
    assert prices[2] == pytest.approx(20)
    assert prices[3] == pytest.approx(15)  # a MW more at 3: half from each
    # Balance at every bus.
    fed_in = np.array([plan.to_frame()["g1"][0], plan.to_frame()["g2"][0] - 60, -40])
    out = np.array([flows["1-2"] + flows["1-3"], flows["2-3"] - flows["1-2"], 0])
    assert fed_in[:2] == pytest.approx(out[:2])


def test_prices_are_what_a_megawatt_more_costs() -> None:
    case = example_case()
    dispatcher = GridDispatcher(case=case)
    plan = dispatcher.plan()
    for bus in range(len(case.buses)):
        step = np.zeros(len(case.buses))
        step[bus] = 1e-3
        more = (dispatcher.plan(case.load + step).total_cost() - plan.total_cost()) / 1e-3
        assert plan.prices().iloc[0, bus] == pytest.approx(more, rel=1e-4)


def test_demand_beyond_capacity_is_shed_and_named() -> None:
    case = example_case()
    plan = GridDispatcher(case=case, shedding_price=5_000).plan(2 * case.load)
    table = plan.shedding()
    capacity_and_lines = plan.to_frame().to_numpy().sum()
    assert table["shed"].sum() == pytest.approx(2 * case.load.sum() - capacity_and_lines)
    assert table["shed"].sum() > 100
    assert set(table["bus"]) <= set(case.buses.tolist())
    assert (table["shed"] <= table["load"] + 1e-6).all()
    assert table["price"].to_numpy() == pytest.approx(5_000)
    assert table["lines"][0] == plan.binding()["line"].tolist()
    assert "g2" in table["generators"][0]
    assert plan.costs()["shedding"][0] == pytest.approx(5_000 * table["shed"].sum())
    told = str(plan)
    assert "MW is shed, at the buses" in told
    assert "Full lines: 1-4" in told


def test_shedding_is_cheaper_than_a_plant_that_costs_more() -> None:
    case = case_of(
        cost=("2 0 0 3 0 10 0", "2 0 0 3 0 900 0"), bus=((1, 3, 0), (2, 2, 80), (3, 1, 40))
    )
    plan = GridDispatcher(case=case, shedding_price=500).plan()
    assert plan.to_frame().to_numpy() == pytest.approx(np.array([[100, 0]]))
    assert plan.shedding()["shed"].sum() == pytest.approx(20)


def test_least_outputs_above_the_load_are_left_over_and_named() -> None:
    case = case_of(gen=((1, 100, 80), (2, 80, 50)))
    plan = GridDispatcher(case=case, surplus_price=40).plan()
    table = plan.surplus()
    assert table["surplus"].sum() == pytest.approx(30)
    assert table["generators"][0] == ["g1", "g2"]
    assert plan.costs()["surplus"][0] == pytest.approx(40 * 30)
    assert "MW is left over" in str(plan)
    assert plan.prices().to_numpy() == pytest.approx(-40)


def shifted(rating: float) -> Case:
    """A phase shifter of 60 degrees in a loop."""
    branch = ((1, 2, 0.1, rating, 0, 60, 1, 0, 0), (2, 3, 0.1, 0), (1, 3, 0.1, rating))
    return case_of(branch=branch)


def with_shunt(shunt: float, **tables: object) -> Case:
    """A case whose bus 3 has a shunt conductance, which is no load that can be shed."""
    return replace(case_of(**tables), shunt=np.array([0, 0, shunt]))


CONFLICTS = {
    "a phase shifter": (
        {"case": shifted(20)},
        r"Hour 0: .* line 1-2 \(table 'branch', row 1\) 262.4 MW beyond its rating \(rateA\) of 20 "
        r"MW; .* row 3\) 362.4 MW .*Correct these values",
    ),
    "angles": (
        {
            "case": case_of(
                branch=(
                    (1, 2, 0.1, 0, 0, 0, 1, 10, 20),
                    (1, 2, 0.1, 0, 0, 0, 1, -5, 5),
                    (2, 3, 0.1, 0),
                )
            )
        },
        r"beyond its limits of angles \(angmin (10, angmax 20|-5, angmax 5) degrees\)",
    ),
    "a shunt behind a line": (
        {"case": with_shunt(30, branch=((1, 2, 0.1, 0), (2, 3, 0.1, 10)))},
        r"line 2-3 \(table 'branch', row 2\) 20.0 MW beyond its rating \(rateA\) of 10 MW",
    ),
    "a shunt beyond all capacity": (
        {"case": with_shunt(3000), "lines": False},
        r"the grid without 2820.0 MW of its shunt conductance \(Gs\)",
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
@pytest.mark.parametrize("committed", [False, True])
def test_limits_that_contradict_each_other_are_named(name: str, committed: bool) -> None:
    parameters, words = CONFLICTS[name]
    units = UnitLimits(up=[1, 1], down=[1, 1], ramp=[np.inf, np.inf], start_cost=[0, 0])
    with pytest.raises(InfeasibleError, match=words):
        GridDispatcher(**parameters, units=units if committed else None).plan()
    # The remedy works: the rating is raised by what it is passed by.
    assert GridDispatcher(case=shifted(20 + 363)).plan().shedding().empty


def test_what_runs_without_a_look_at_lines_is_chosen_again_with_them() -> None:
    bus, gen = ((1, 3, 0), (2, 2, 60), (3, 1, 0)), ((1, 200, 0), (3, 80, 20))
    case = with_shunt(30, bus=bus, gen=gen, branch=((1, 2, 0.1, 0), (2, 3, 0.1, 10)))
    units = UnitLimits(up=[1, 1], down=[1, 1], ramp=[np.inf, np.inf], start_cost=[0, 0])
    plan = GridDispatcher(case=case, units=units).plan()  # g2 alone serves the shunt behind 2-3
    assert plan.to_frame().to_numpy() == pytest.approx(np.array([[70, 20]]))


def test_the_report_of_what_is_shed_always_says_why() -> None:
    line = (2, 3, 0.1, 0)
    held = case_of(
        gen=((1, 100, 0),), cost=("2 0 0 3 0 10 0",), branch=((1, 2, 0.1, 0, 0, 0, 1, -1, 1), line)
    )
    plan = GridDispatcher(case=held).plan()
    assert plan.binding().round(2).to_numpy().tolist() == [[0, "1-2", 17.45, 17.45]]
    assert plan.shedding()["lines"][0] == ["1-2"]
    assert plan.shedding()["fed"].all()
    alone = GridDispatcher(
        case=case_of(gen=((1, 100, 0),), cost=("2 0 0 3 0 10 0",), branch=(line,))
    )
    assert not alone.plan().shedding()["fed"].any()
    assert "No generator is in the islands of the buses 2, 3." in str(alone.plan())
    dear = GridDispatcher(case=case_of(), shedding_price=5).plan()
    assert "It is the cheapest by the prices of the plan" in str(dear)


def test_islands_are_balanced_each_for_itself() -> None:
    case = case_of(
        bus=((1, 3, 30), (2, 2, 60), (3, 1, 40)),
        branch=((2, 3, 0.1, 0),),
        gen=((1, 100, 0), (2, 80, 0)),
    )
    plan = GridDispatcher(case=case).plan()
    assert len(Network(case).references) == 2
    assert plan.to_frame().to_numpy() == pytest.approx(np.array([[30, 80]]))
    assert plan.shedding()["shed"].sum() == pytest.approx(20)
    assert not plan.shedding()["bus"].isin([1]).any()
    assert plan.prices()[1][0] == pytest.approx(10)


def test_phase_shifts_and_limits_of_angles_are_kept() -> None:
    line = (2, 3, 0.1, 0)
    shifted = case_of(branch=((1, 2, 0.1, 0, 0, 5, 1, 0, 0), line, (1, 3, 0.1, 0)))
    network = Network(shifted)
    angles = GridDispatcher(case=shifted).plan().found.angles[0]
    flow = 1000 * (angles[0] - angles[1] - np.deg2rad(5))
    assert GridDispatcher(case=shifted).plan().flows()["1-2"][0] == pytest.approx(flow)
    fed_in = np.array([100.0, -60.0, -40.0])
    assert network.flows(fed_in)[0] == pytest.approx(flow)
    held = case_of(branch=((1, 2, 0.1, 0, 0, 0, 1, -1, 1), line, (1, 3, 0.1, 0)))
    plan = GridDispatcher(case=held).plan()
    assert abs(plan.found.angles[0, 0] - plan.found.angles[0, 1]) <= np.deg2rad(1) + 1e-9
    assert plan.to_frame()["g2"][0] > 1


def test_distribution_factors_give_the_flows_of_the_angles() -> None:
    case = example_case()
    network = Network(case)
    fed_in = np.random.default_rng(0).normal(size=9)
    fed_in -= fed_in.mean()
    np.testing.assert_allclose(network.shifts() @ fed_in, network.flows(fed_in), atol=1e-9)


def test_segments_cost_as_their_function() -> None:
    case = case_of(cost=("1 0 0 3 0 0 50 500 100 2000", "2 0 0 2 20 0"))
    plan = GridDispatcher(case=case, lines=False).plan()
    assert plan.to_frame().to_numpy() == pytest.approx(np.array([[50, 50]]))
    assert plan.total_cost() == pytest.approx(1500)


def test_reserve_takes_room_that_energy_would_use() -> None:
    case = case_of(gen=((1, 100, 0), (2, 30, 0)))
    reserve = Reserve(up=np.array([25.0]), down=np.array([10.0]))
    plan = GridDispatcher(case=case, lines=False).plan(reserve=reserve)
    assert plan.found.reserve[0] == pytest.approx([25, 10])
    assert plan.to_frame().to_numpy().sum() == pytest.approx(100)
    assert 130 - plan.to_frame().to_numpy().sum() >= 25
    lacking = GridDispatcher(case=case, lines=False, reserve_price=7).plan(
        reserve=Reserve(up=np.array([50.0]), down=np.array([0.0]))
    )
    assert lacking.found.lacking[0] == pytest.approx([20, 0])
    assert lacking.costs()["reserve"][0] == pytest.approx(140)
    assert "20.0 MW of upward" in str(lacking)


def test_reserve_comes_from_the_quantiles_of_the_forecast() -> None:
    frame = pd.DataFrame({"p05": [90.0, 80.0], "p50": [100.0, 100.0], "p95": [120.0, 101.0]})
    reserve = Reserve.from_quantiles(low=frame["p05"], middle=frame["p50"], high=frame["p95"])
    assert reserve.up.tolist() == [20, 1]
    assert reserve.down.tolist() == [10, 20]
    with pytest.raises(SchemaError, match="'middle', row 1: got 100 MW, above 'high', 99"):
        Reserve.from_quantiles(low=[1, 2], middle=[100, 100], high=[100, 99])
    with pytest.raises(SchemaError, match="'high', row 0: got nan"):
        Reserve.from_quantiles(low=[1], middle=[2], high=[float("nan")])
    with pytest.raises(SchemaError, match=r"'low' of shape \(2,\), 'middle' of shape \(1,\)"):
        Reserve.from_quantiles(low=[1, 2], middle=[2], high=[3])
    with pytest.raises(SchemaError, match="'low', row 0: got 'a', expected a finite number"):
        Reserve.from_quantiles(low=["a"], middle=[2], high=[3])


@pytest.mark.parametrize(
    ("up", "down", "words"),
    [
        ([float("nan")], [0], "Column 'up', row 0: got nan, expected a finite number"),
        ([1, -50], [0, 0], "Column 'up', row 1: got -50.0, expected a number >= 0"),
        ([1], [float("inf")], "Column 'down', row 0: got inf, expected a finite number"),
        ([1], [0, 1], "'up' of shape (1,), 'down' of shape (2,); expected a list of one value"),
        (1.0, 2.0, "'up' of shape (), 'down' of shape (); expected a list of one value"),
    ],
)
def test_reserve_that_cannot_be_is_refused(up: object, down: object, words: str) -> None:
    with pytest.raises(SchemaError) as raised:
        Reserve(up=up, down=down)  # type: ignore[arg-type]
    assert words in str(raised.value)


def test_loads_come_as_tables_totals_or_arrays() -> None:
    case, dispatcher = example_case(), GridDispatcher(case=example_case())
    index = pd.date_range("2024-01-01", periods=2, freq="h")
    table = pd.DataFrame([case.load, 0.8 * case.load], index=index, columns=case.buses)
    totals = table.sum(axis=1)
    text = table.rename(columns=str)[[str(bus) for bus in reversed(case.buses)]]
    expected = dispatcher.plan(table).to_frame()
    for loads in (text, totals):
        pd.testing.assert_frame_equal(dispatcher.plan(loads).to_frame(), expected)
    array = dispatcher.plan(table.to_numpy()).to_frame()
    np.testing.assert_allclose(array.to_numpy(), expected.to_numpy())
    assert expected.index.equals(index)


@pytest.mark.parametrize(
    ("loads", "words"),
    [
        (np.array([1.0, np.nan, 3.0]), "Column '2' of the loads: got nan"),
        (
            np.array([[1.0, 2.0, 3.0], [1.0, 2.0, np.inf]]),
            "Column '3' of the loads, row 1: got inf",
        ),
        (np.array([1.0, 2.0]), "shape (2,), expected 3 values a row"),
        (["a", "b", "c"], "holds other values than numbers"),
        ({2: 60}, "Column '3' is missing from the loads"),
        (pd.DataFrame({2: [1.0], 3: ["x"]}), "Column '3' of the loads, row 0 (index 0): got 'x'"),
        (pd.Series([100.0, np.nan]), "Series of loads, row 1 (index 1): got nan"),
        (pd.Series(pd.date_range("2024", periods=2)), "row 0 (index 0): got Timestamp("),
        (np.full(3, "2024-01-01", "M8[D]"), "holds other values than numbers"),
        (np.zeros((0, 3)), "shape (0, 3), expected an hour at least"),
        (pd.Series([], dtype=float), "has no values"),
        (pd.DataFrame({2: [], 3: []}), "has no rows"),
        (pd.DataFrame([[1.0, 2.0, 3.0]], columns=["2", 2, "3"]), "is there twice"),
    ],
)
def test_missing_and_odd_loads_are_refused(loads: object, words: str) -> None:
    with pytest.raises(SchemaError) as raised:
        GridDispatcher(case=case_of()).plan(loads)  # type: ignore[arg-type]
    assert words in str(raised.value)


def test_an_unknown_bus_is_refused_with_those_near() -> None:
    with pytest.raises(UnknownNameError, match="has no bus 22"):
        GridDispatcher(case=case_of()).plan({2: 60, 3: 40, 22: 5})
    told = GridDispatcher(case=case_of()).plan(pd.DataFrame({2.0: [60], 3.0: [40]}))
    assert told.hours.loads.tolist() == [[0, 60, 40]]
    with pytest.raises(UnknownNameError, match=r"has no bus 2\.5"):
        GridDispatcher(case=case_of()).plan({2.5: 60, 3: 40})


def test_a_case_has_one_load_for_each_bus() -> None:
    assert case_of().with_load([1, 2, 3]).load.tolist() == [1, 2, 3]
    with pytest.raises(SchemaError, match=r"shape \(2, 3\), expected one value for each of the 3"):
        case_of().with_load(np.ones((2, 3)))


def test_parameters_outside_their_limits_are_refused() -> None:
    with pytest.raises(ParameterError, match="shedding_price"):
        GridDispatcher(case=case_of(), shedding_price=0).plan()
    with pytest.raises(ParameterError, match="case"):
        GridDispatcher(case="case30.m").plan()  # type: ignore[arg-type]


def test_a_total_cannot_be_spread_over_no_load() -> None:
    empty = case_of(bus=tuple((n, kind, 0) for n, kind, _ in BUS))
    with pytest.raises(SchemaError, match="sum to 0 MW"):
        GridDispatcher(case=empty).plan(pd.Series([100.0]))


def test_squares_are_solved_to_the_last_digit() -> None:
    builder = ProgramBuilder()
    builder.columns("x", (2,), most=100.0, cost=[10.0, 12.0], square=[0.1, 0.05])
    builder.rows("sum", (1,), {"x": np.ones((1, 2))}, 70.0, 70.0)
    found = solve(builder.program())
    # 10 + .2 a = 12 + .1 b, a + b = 70
    assert found.x == pytest.approx([30, 40], abs=1e-9)
    assert found.prices == pytest.approx([16], abs=1e-9)
    assert found.optimality.holds


def test_the_check_sees_wrong_answers_and_wrong_prices() -> None:
    builder = ProgramBuilder()
    builder.columns("x", (2,), most=100.0, cost=[10.0, 12.0], square=[0.1, 0.05])
    builder.rows("sum", (1,), {"x": np.ones((1, 2))}, 70.0, 70.0)
    program = builder.program()
    right, price = np.array([30.0, 40.0]), np.array([16.0])
    assert check_optimality(program, right, price).holds
    dearer = check_optimality(program, np.array([31.0, 39.0]), price)
    assert not dearer.holds
    assert dearer.gap > 1e-6
    assert not check_optimality(program, np.array([30.0, 39.0]), price).holds
    assert not check_optimality(program, right, np.array([15.0])).holds


def test_no_answer_is_an_error_of_its_own() -> None:
    builder = ProgramBuilder()
    builder.columns("x", (1,), most=1.0)
    builder.rows("sum", (1,), {"x": np.ones((1, 1))}, 2.0, 2.0)
    with pytest.raises(InfeasibleError):
        solve(builder.program())


def test_the_plot_shows_all_hours() -> None:
    case = example_case()
    plan = GridDispatcher(case=case).plan(pd.Series([300.0, 420.0, 900.0]))
    figure = plan.plot()
    top, bottom = figure.axes
    names = [text.get_text() for text in top.get_legend().get_texts()]
    assert "load" in names
    assert "load shed" in names
    assert bottom.get_xlim() == (0, 3)
