"""Case files are text: read by their format, and refused where they are something else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from industry_apps.energy import GridDispatcher, read_case
from industry_apps.energy.grid.reading import matpower
from industry_apps.energy.grid.reading.matpower import parse_case
from industry_apps.errors import DataNotFoundError, SchemaError
from tests.energy.grids import BRANCH, BUS, GEN, case_of, text_of


def test_units_and_conventions_are_those_of_the_manual() -> None:
    case = case_of(
        branch=(
            (1, 2, 0.1, 0, 0, 0, 1, -360, 360),
            (2, 3, 0.2, 50, 0.5, 30, 1, -20, 15),
            (1, 3, 0.1, 1e10, 0, 0, 1, 0, 0),
            (1, 3, 0.3, 10, 0, 0, 0, 0, 0),
        )
    )
    branches = case.branches
    assert branches.row.tolist() == [1, 2, 3]  # the fourth is out of service
    # A tap of 0 is 1; susceptance is base / (x * tap).
    np.testing.assert_allclose(branches.susceptance, [1000, 1000, 1000])
    np.testing.assert_allclose(branches.shift, np.deg2rad([0, 30, 0]))
    assert branches.limit.tolist() == [np.inf, 50, np.inf]  # a rating of 0 is none
    np.testing.assert_allclose(branches.angle_low, [-np.inf, np.deg2rad(-20), -np.inf])
    np.testing.assert_allclose(branches.angle_high, [np.inf, np.deg2rad(15), np.inf])
    assert case.notes == ("1 branches are out of service in the file, and left out.",)


def test_costs_are_polynomials_or_segments() -> None:
    case = case_of(cost=("2 5 0 3 0.1 10 7", "1 0 0 3 0 0 50 500 80 1400"))
    costs = case.generators.costs
    # .1 * 20^2 + 10 * 20 + 7, and 500 $/h at 50 MW, then 30 $/MWh.
    np.testing.assert_allclose(costs.of(np.array([20.0, 60.0])), [247, 800])
    np.testing.assert_allclose(costs.slope(np.array([20.0, 60.0])), [14, 30])
    assert case.generators.start_cost.tolist() == [5, 0]


def test_ramps_that_nobody_filled_in_are_missing_not_zero() -> None:
    assert np.isnan(case_of().generators.ramp).all()
    wide = text_of().replace("1 100 1 100 0", "1 100 1 100 0 " + "0 " * 6 + "5 0 0 0 0")
    wide = wide.replace("1 100 1 80 0", "1 100 1 80 0 " + "0 " * 6 + "0 0 0 0 0")
    ramps = parse_case(wide, "wide").generators.ramp
    assert ramps[0] == 5
    assert np.isnan(ramps[1])


def test_isolated_buses_are_left_out_and_named() -> None:
    case = case_of(bus=(*BUS, (4, 4, 5)))
    assert case.buses.tolist() == [1, 2, 3]
    assert "1 isolated buses (type 4) are left out, with 5 MW of load" in case.notes[0]


def test_comments_names_and_rows_of_any_form_are_read() -> None:
    text = text_of(further="mpc.bus_name = {\n'a % b';\n'it;s [';\n};\n").replace(
        "0.9;", "0.9;\t% 100 % [of] a comment", 1
    )
    assert len(parse_case(text, "named").buses) == 3


def test_blocks_of_comments_are_left_out() -> None:
    cheap = "2 0 0 300 -300 1 100 1 500 0;"
    text = text_of(further="%{ is a comment\n%}\n")
    for table, row in (("gen", cheap), ("gencost", "2 0 0 3 0 1 0;")):
        block = f"  %{{\n{row}\n%{{\nnested\n%}}\n{row}\n\t%}} "
        text = text.replace(f"mpc.{table} = [\n", f"mpc.{table} = [\n{block}\n")
    assert cheap in text
    assert GridDispatcher(case=parse_case(text, "commented")).plan().total_cost() == 1000
    with pytest.raises(SchemaError, match=r"Line 22: a block of comments .* Close it") as raised:
        parse_case(text_of(further="%{\nmpc.areas = [1 1];\n"), "open")
    assert "'%}'" in str(raised.value)
    closed = text_of(further="%{\nmpc.areas = [1 1];\n%}")
    assert len(parse_case(closed, "closed").buses) == 3


def test_code_behind_a_value_or_behind_the_function_is_refused() -> None:
    halved = "mpc.bus(:, 3) = mpc.bus(:, 3) / 2;"
    for further in (f"mpc.areas = [1 1]; {halved}", f"mpc.bus_name = {{'a'}}; {halved}"):
        with pytest.raises(SchemaError, match="is code"):
            case_of(further=further)
    for names in ("{'a; b = ]', 'c'}", '{"a}";"b % c\'"}', "{'a' 'b'}'", "{'a' 'b'}' % it's"):
        assert case_of(further=f"mpc.bus_name = {names};").load.sum() == 100
    with pytest.raises(SchemaError, match="is code"):
        case_of(further=f"mpc.bus_name = {{'a' 'b'}}'; {halved}")
    text = text_of()
    place = text.index("mpc.gencost")
    with pytest.raises(SchemaError, match=r"behind 'return'.*Remove"):
        parse_case(text[:place] + "return;\n" + text[place:], "returned")


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"branch": ((1, 2, 0.0, 0),)}, "Table 'branch', row 1, column 'x'"),
        ({"gen": ((1, 100, 0), (2, 10, 20))}, "Table 'gen', row 2, column 'Pmax': got 10.0"),
        ({"gen": ((1, 100, 0), (9, 10, 0))}, "Table 'gen', row 2, column 'bus': got 9.0"),
        ({"branch": (*BRANCH, (1, 7, 0.1, 0))}, "Table 'branch', row 4, column 'tbus': got 7.0"),
        ({"bus": ((1, 3, 0), (1, 2, 60))}, "Table 'bus', row 2, column 'bus_i'"),
        ({"bus": ((1, 3, 0), (2, 2, "NaN"), (3, 1, 1))}, "Table 'bus', row 2, column 'Pd'"),
        ({"bus": ((1, 3, 0), (2, 9, 1), (3, 1, 1))}, "Table 'bus', row 2, column 'type'"),
        ({"cost": ("2 0 0 3 -1 10 0",) * 2}, "a square term >= 0"),
        ({"cost": ("2 0 0 4 1 0 10 0",) * 2}, "degree 2 at most"),
        ({"cost": ("1 0 0 3 0 0 10 100 20 150",) * 2}, "slopes that do not fall"),
        ({"cost": ("1 0 0 2 10 0 0 100",) * 2}, "MW that rise"),
        ({"cost": ("2 0 0 3 0 10 0",)}, "has 1 rows for 2 generators"),
        ({"cost": ("2 0 0 9 0 10 0",) * 2}, "column 'n': got 9.0, expected a whole number from 1"),
        ({"cost": ("2 0 0 NaN 0 10 0",) * 2}, "column 'n': got nan, expected a whole number"),
        ({"cost": ("2 0 0 Inf 0 10 0",) * 2}, "column 'n': got inf, expected a whole number"),
        ({"cost": ("1 0 0 2.5 0 0 50 500",) * 2}, "column 'n': got 2.5"),
        (
            {"branch": (*BRANCH, (1, 2, 0.1, 0, 0, 0, 1, 30, -30))},
            "Table 'branch', row 4, column 'angmin': got 30.0, expected at most angmax",
        ),
        ({"branch": ((1, 2, 0.1, 0, 0, 0, 1, "NaN", 30),)}, "column 'angmin': got nan"),
        ({"gen": ((1, "Inf", 0), (2, 10, 0))}, "column 'Pmax': got inf"),
        ({"further": "mpc.dcline = [1 2 1 0];"}, "the field mpc.dcline is not supported"),
        ({"further": "mpc.bus(:, 3) = mpc.bus(:, 3) / 1e3;"}, "is code"),
        ({"further": "system('rm -rf /');"}, "is code"),
        ({"further": "mpc.baseMVA = 10;"}, "assigned twice"),
        ({"further": "mpc.areas = ["}, "never closed"),
    ],
)
def test_what_cannot_be_right_is_refused_by_name(tables: dict[str, object], words: str) -> None:
    with pytest.raises(SchemaError) as raised:
        case_of(**tables)
    assert words in str(raised.value)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("'2'", "'1'", "mpc.version is '1'"),
        ("mpc.baseMVA = 100", "mpc.baseMVA = 2*50", "mpc.baseMVA is '2*50'"),
        ("mpc.gencost", "mpc.cost", "the field mpc.cost is not supported"),
        ("1 2 0 0.1", "1 2 0 1/10", "got '1/10', expected a number"),
        ("2 2 60 0 0", "2 2 60 0", "Table 'bus', row 2: 12 columns, expected 13"),
    ],
)
def test_expressions_are_not_evaluated(before: str, after: str, words: str) -> None:
    with pytest.raises(SchemaError) as raised:
        parse_case(text_of().replace(before, after), "changed")
    assert words in str(raised.value)


def test_files_are_bounded_and_have_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataNotFoundError, match=r"no file .*none\.m"):
        read_case(tmp_path / "none.m")
    path = tmp_path / "small.m"
    path.write_text(text_of(), encoding="utf-8-sig")  # a mark at the begin is no code
    assert read_case(path).name == "small"
    monkeypatch.setattr(matpower, "MOST_BYTES", 10)
    with pytest.raises(SchemaError, match="bytes, expected at most 10"):
        read_case(path)


def test_any_damage_is_read_or_refused() -> None:
    text = text_of()
    rng = np.random.default_rng(0)
    for _ in range(150):
        start = int(rng.integers(len(text)))
        cut = text[:start] + "".join(rng.choice(list("[]{};'%\n -9eNx="), 3)) + text[start + 4 :]
        with suppress(SchemaError):  # any other error fails the test
            assert np.isfinite(parse_case(cut, "damaged").load).all()


def test_reading_is_not_slow_on_hostile_text() -> None:
    for text in ("[" * 200_000, "mpc.bus = [" + "1 " * 300_000, "%" * 500_000, "'" * 300_000):
        with pytest.raises(SchemaError):
            parse_case(text, "hostile")


def test_generators_know_their_rows() -> None:
    assert case_of(gen=(*GEN, (3, 5, 0)), cost=("2 0 0 2 1 0",) * 3).generator_names == [
        "g1",
        "g2",
        "g3",
    ]
