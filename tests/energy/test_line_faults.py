"""Faults of lines: the simulation obeys circuit theory, the physics are exact where they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import line_faults
from industry_apps.data.simulators.energy import line_faults as simulation
from industry_apps.data.simulators.energy.line_faults import FAULT_TYPES
from industry_apps.energy import LineFaultLocator
from industry_apps.energy.lines import studies
from industry_apps.energy.lines.physics import LinePhysics
from industry_apps.energy.lines.quantities import METHODS, RECORD, SIGNS
from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.runtime import Model

#: Half way down 10 km of a line, in ohm: zero, positive and negative sequence.
LINE = np.array([[3.0 + 12.0j, 2.0 + 4.0j, 2.0 + 4.0j]])
BEHIND = np.array([[0.5j, 1.0j, 1.0j]])
VOLTS = 11_547.0
PHASES = "abc"


@pytest.fixture(scope="module")
def fitted() -> LineFaultLocator:
    return LineFaultLocator.fast().fit(LineFaultLocator.sample())


@pytest.fixture(scope="module")
def test_part() -> pd.DataFrame:
    return LineFaultLocator.sample().test


@pytest.fixture
def record(test_part: pd.DataFrame) -> pd.DataFrame:
    """Of a fault of one phase."""
    return test_part[test_part["fault_type"] == "BG"].head(1).reset_index(drop=True)


def solved(kind: str, arc: float, ground: float, load: complex = 0.0) -> np.ndarray[Any, Any]:
    """Currents of the phases at the head of the line, for a fault in the middle of it."""
    phases, earthed = simulation._SHAPES[kind]
    legs = np.array([float(name in phases) for name in "ABC"]) / arc
    star = legs.sum() + (1 / ground if earthed else 0)
    fault = (np.diag(legs) - np.outer(legs, legs) / star)[None].astype(complex)
    circuit = simulation._Circuits(
        np.array([VOLTS + 0j]), BEHIND, LINE, np.full((1, 3), load), np.array([10.0])
    )
    return circuit.measured(np.array([0.5]), fault, np.ones(1))[0, 1]


def test_faults_are_those_of_the_textbook() -> None:
    z0, z1, _ = BEHIND[0] + LINE[0] / 2
    # Sequence networks in series, in opposition, and the positive one alone (Anderson 1995).
    earth = 3 * VOLTS / (z0 + 2 * z1 + 3 * (1.5 + 4))
    np.testing.assert_allclose(solved("AG", 1.5, 4.0), [earth, 0, 0], atol=1e-6 * VOLTS)
    between = -1j * np.sqrt(3) * VOLTS / (2 * z1 + 2 * 1.5)
    np.testing.assert_allclose(solved("BC", 1.5, 4.0), [0, between, -between], atol=1e-6 * VOLTS)
    turn = np.exp(-2j * np.pi / 3)
    three = VOLTS / (z1 + 1.5) * np.array([1, turn, turn**2])
    np.testing.assert_allclose(solved("ABC", 1.5, 4.0), three, atol=1e-6 * VOLTS)


def test_voltage_and_current_obey_kirchhoff_where_load_flows() -> None:
    """Solved again by nodes of phases, not of sequences."""
    load = 0.01 - 0.002j
    inverse = simulation._TO_SEQUENCES
    phase = [
        simulation._TO_PHASES @ np.diag(each) @ inverse
        for each in (1 / (BEHIND[0] + LINE[0] / 2), 1 / (LINE[0] / 2 + 1 / load))
    ]
    fault = np.zeros((3, 3), dtype=complex)
    fault[0, 0] = 1 / (1.5 + 4.0)
    source = VOLTS * np.exp(-2j * np.pi / 3 * np.arange(3))
    voltage = np.linalg.solve(phase[0] + phase[1] + fault, phase[0] @ source)
    current = phase[0] @ (source - voltage)
    np.testing.assert_allclose(solved("AG", 1.5, 4.0, load), current, rtol=1e-9, atol=1e-6)


def place(frame: pd.DataFrame) -> dict[str, np.ndarray[Any, Any]]:
    kind = np.array([FAULT_TYPES.index(name) for name in frame["fault_type"]])
    numbers = LinePhysics().place(RECORD.to_arrays(frame), kind)
    return {name: numbers[:, column] for column, name in enumerate(METHODS)}


def test_impedance_methods_err_by_load_and_resistance_alone() -> None:
    exact: dict[str, Any] = {"noise": (0.0, 0.0), "constants": 0.0}
    frame = line_faults(3000, resistance=(0.01, 0.01), **exact)
    share = frame["distance_km"] / frame["length"]
    metal = frame["fault_type"].isin(["AG", "BG", "CG", "ABC"])
    error = {name: np.abs(found - share) for name, found in place(frame).items()}
    # A load without negative sequence or ground of its own is what the method assumes.
    balanced = frame["fault_type"] == "ABC"
    assert error["load_compensated"][balanced].max() < 2e-3
    assert error["reactance"][metal].median() < 0.02
    high = line_faults(3000, resistance=(30.0, 30.0), **exact)
    share = high["distance_km"] / high["length"]
    single = high["fault_type"].isin(["AG", "BG", "CG"])
    mean = {name: np.abs(found - share)[single].mean() for name, found in place(high).items()}
    assert mean["load_compensated"] < mean["takagi"] / 2 < mean["reactance"] / 4


def test_phases_that_are_renamed_rename_the_type_and_nothing_else(
    fitted: LineFaultLocator, test_part: pd.DataFrame
) -> None:
    frame = test_part[test_part["fault_type"].isin(["AG", "AB", "BCG"])]
    turned = frame.copy()
    for column in RECORD.names:
        for old, new in zip(PHASES, "bca", strict=True):
            for end in (f"_{old}", f"_{old}_deg"):
                if column.endswith(end):
                    turned[column.removesuffix(end) + end.replace(f"_{old}", f"_{new}")] = frame[
                        column
                    ]
    before, after = fitted.predict(frame), fitted.predict(turned)
    name = {"AG": "BG", "AB": "BC", "BCG": "CAG"}
    both = before["fault_type"].isin(list(name)) & ~before["unusual"] & ~after["unusual"]
    same = before["fault_type"][both].map(name) == after["fault_type"][both]
    assert same.mean() > 0.97  # trees read the phases as they are called
    kept = both.index[both][same.to_numpy()]
    np.testing.assert_allclose(
        before.loc[kept, "distance_km"], after.loc[kept, "distance_km"], rtol=1e-4, atol=1e-4
    )


def test_distances_lie_in_their_interval_on_the_line(
    fitted: LineFaultLocator, test_part: pd.DataFrame
) -> None:
    found = fitted.predict(test_part)
    given = found["distance_km"].notna()
    assert (given == ((found["fault_type"] != "none") & ~found["unusual"])).all()
    shown = found[given]
    assert (shown["distance_low_km"] <= shown["distance_km"]).all()
    assert (shown["distance_km"] <= shown["distance_high_km"]).all()
    assert (shown["distance_high_km"] <= test_part.loc[shown.index, "length"] * 1.0001).all()


def test_the_report_sets_the_model_beside_impedance_methods(
    fitted: LineFaultLocator,
) -> None:
    report = fitted.evaluate(LineFaultLocator.sample())
    metrics, beside = report.metrics, report.baselines
    assert metrics["distance_error"].value < beside["load_compensated"]["distance_error"].value
    assert beside["takagi"]["distance_error"].value < beside["reactance"]["distance_error"].value
    assert metrics["macro_f1"].value > 0.97
    assert metrics["interval_coverage"].value == pytest.approx(0.9, abs=0.04)
    assert [row["fault"] for row in report.sections[0].records()] == [
        *("one phase", "two phases", "two phases and ground", "three phases")
    ]


def scaled(frame: pd.DataFrame, columns: list[str], factor: float) -> pd.DataFrame:
    return frame.assign(**{name: frame[name] * factor for name in columns})


def named(quantity: str) -> list[str]:
    """Magnitudes of a quantity, now and before."""
    return [f"{when}{quantity}_{phase}" for when in ("", "prefault_") for phase in PHASES]


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("voltage_b", np.nan, "'voltage_b', row 0: got nan"),
        ("prefault_current_c_deg", np.nan, "'prefault_current_c_deg', row 0: got nan"),
        ("x1", 0.0, "'x1', row 0: got 0.0"),
        ("r0", -0.2, "'r0', row 0: got -0.2"),
        ("length", 0.0, "'length', row 0: got 0.0"),
        ("current_a", -5.0, "'current_a', row 0: got -5.0"),
        ("voltage_a_deg", 1_000.0, "'voltage_a_deg', row 0: got 1000.0"),
    ],
)
def test_a_wrong_value_is_refused(
    fitted: LineFaultLocator, record: pd.DataFrame, column: str, value: float, words: str
) -> None:
    with pytest.raises(SchemaError, match=words):
        fitted.predict(record.assign(**{column: value}))


def test_phasors_of_a_phase_that_are_not_there_are_named(
    fitted: LineFaultLocator, record: pd.DataFrame
) -> None:
    with pytest.raises(SchemaError, match="voltage_c"):
        fitted.predict(record.drop(columns=["voltage_c", "voltage_c_deg"]))


def test_kilovolts_are_refused(fitted: LineFaultLocator, record: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match=r"'prefault_voltage_a', row 0.*>= 500.*V"):
        fitted.predict(scaled(record, named("voltage"), 1e-3))


@pytest.mark.parametrize("what", ["kA", "kV of the fault", "swapped", "long", "radians"])
def test_records_unlike_all_others_get_no_distance(
    fitted: LineFaultLocator, record: pd.DataFrame, what: str, tmp_path: Path
) -> None:
    odd = {
        "kA": scaled(record, named("current"), 1e-3),
        "kV of the fault": scaled(record, [f"voltage_{phase}" for phase in PHASES], 1e-3),
        "swapped": record.rename(
            columns=lambda name: (
                name.replace("_b", "_x").replace("_c", "_b").replace("_x", "_c")
                if name in RECORD.names and "current" not in name
                else name
            )
        ),
        "long": scaled(record, ["length"], 12.0),
        "radians": scaled(record, [n for n in RECORD.names if n.endswith("_deg")], np.pi / 180),
    }[what]
    found = fitted.predict(odd)
    assert found["unusual"].all()
    assert found["distance_km"].isna().all()


def test_the_file_says_so_too(
    fitted: LineFaultLocator, test_part: pd.DataFrame, tmp_path: Path
) -> None:
    model = Model(fitted.export(tmp_path / "line.onnx"))
    mixed = pd.concat([test_part.head(20), scaled(test_part.head(20), named("current"), 1e-3)])
    mixed = mixed.reset_index(drop=True)
    ours, theirs = fitted.predict(mixed), model.predict(mixed[RECORD.names])
    pd.testing.assert_frame_equal(
        ours.drop(columns="probabilities"),
        theirs.drop(columns="probabilities"),
        check_dtype=False,
        rtol=1e-4,
        atol=1e-4,
    )
    assert not ours["unusual"].head(20).all()
    assert ours["unusual"].tail(20)[ours["fault_type"].tail(20) != "none"].all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"distance_km": 400.0}, "row 0: got 400 for the type 'BG', expected one from 0 to"),
        ({"distance_km": np.nan}, "row 0: got nan for the type 'BG'"),
        ({"fault_type": "none"}, "for the type 'none', expected none"),
        ({"fault_type": "AC"}, "got 'AC', expected one of"),
    ],
)
def test_labels_that_contradict_each_other_are_refused(
    record: pd.DataFrame, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(SchemaError, match=words):
        LineFaultLocator.fast().fit(record.assign(**change), record)


def test_too_few_faults_are_refused(test_part: pd.DataFrame) -> None:
    few = test_part.groupby("fault_type").head(8)
    with pytest.raises(TrainingError, match="training records of faults; expected 100"):
        LineFaultLocator.fast().fit(few, test_part)
    locator = LineFaultLocator.fast().set_params(coverage=0.99)
    with pytest.raises(TrainingError, match="too few for intervals that hold 99%"):
        locator.fit(test_part, test_part.groupby("fault_type").head(2))


@pytest.mark.parametrize(
    "wrong",
    [{"records": 0}, {"noise": (0.1, 0.0)}, {"resistance": (0.0, 1.0)}, {"constants": 1.0}],
)
def test_the_simulator_refuses_what_it_cannot_draw(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        line_faults(**wrong)


def test_sweeps_show_what_noise_and_resistance_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "_RECORDS", 500)
    monkeypatch.setattr(studies, "NOISES", (0.0, 0.05))
    monkeypatch.setattr(studies, "RESISTANCES", (0.01, 30.0))
    questions, data = LineFaultLocator.fast().studies(), LineFaultLocator.sample()
    (noise,), (resistance,) = (questions[name](data) for name in ("noise", "resistance"))
    exact, noisy = noise.records()
    assert exact["in training"]
    assert not noisy["in training"]
    assert exact["model"] < noisy["model"]  # type: ignore[operator]
    low, high = resistance.records()
    assert low["reactance"] < high["reactance"]  # type: ignore[operator]
    assert high["model"] < high["takagi"]  # type: ignore[operator]
    for section in (noise, resistance):
        assert len(section.figures[0]().axes) == 1


def test_every_sign_has_a_name_of_its_own() -> None:
    assert len(set(SIGNS)) == len(SIGNS)
