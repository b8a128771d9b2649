"""The certificate holds for equal answers and for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError, ParityError
from industry_apps.export import certify, convert, export_model, parity
from industry_apps.export.edges import edge_rows
from industry_apps.export.parity import Answers
from industry_apps.finance import FraudDetector
from industry_apps.runtime.metadata import TOLERANCE
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import one_by_one
from tests.tiny_model import SCHEMA, Served, fitted, records

FRAME = pd.DataFrame({"x": [0.1, 0.2, 0.3, 0.4]})
EDGES = pd.DataFrame({"x": [0.6, np.nan]})


def native(frame: pd.DataFrame) -> Answers:
    risk = frame["x"].to_numpy(dtype=np.float64)
    return {"risk": risk, "refuse": risk >= 0.25}


def changed(output: str, change: Callable[[Any], Any], at: float) -> Callable[..., Answers]:
    """A model that answers as `native`, but one record otherwise."""

    def exported(frame: pd.DataFrame) -> Answers:
        answers = {name: values.copy() for name, values in native(frame).items()}
        row = frame["x"].to_numpy() == at
        answers[output][row] = change(answers[output][row])
        return answers

    return exported


def test_equal_models_are_certified() -> None:
    found = certify(native, native, FRAME, EDGES)
    assert found.holds
    assert found.to_dict() == {
        "rows": 4,
        "edge_rows": 2,
        "changed_decisions": 0,
        "beyond_tolerance": 0,
        "largest_difference": 0.0,
        "tolerance": TOLERANCE,
    }


def test_a_small_difference_is_measured() -> None:
    found = certify(native, changed("risk", lambda x: x + 5e-5, at=0.2), FRAME, EDGES)
    assert found.holds
    assert found.largest_difference == pytest.approx(5e-5)


@pytest.mark.parametrize("at", [0.3, 0.6])  # a row of data, and an edge row
@pytest.mark.parametrize(
    ("output", "change"),
    [
        ("refuse", np.logical_not),
        ("risk", lambda x: x + 2e-4),
        ("risk", lambda x: x - 2e-4),
        ("risk", lambda x: x * np.nan),
        ("risk", lambda x: x * np.inf),
    ],
)
def test_one_changed_answer_is_refused_and_shown(
    output: str, change: Callable[[Any], Any], at: float
) -> None:
    with pytest.raises(ParityError) as caught:
        certify(native, changed(output, change, at), FRAME, EDGES)
    message = str(caught.value)
    assert f"in 1 of {4 if at == 0.3 else 2} rows, so it was not written" in message
    assert f"First: {{'x': {at}}}; trained model {{'risk': " in message


def test_images_are_shortened_where_a_difference_is_shown() -> None:
    images = one_by_one(np.zeros((4, 90, 90), dtype=np.uint8))
    frame = FRAME.assign(image=images)
    with pytest.raises(ParityError, match="fit it again with another seed or model") as caught:
        certify(
            lambda frame: {"map": images[: len(frame)], "yes": np.zeros(len(frame), bool)},
            lambda frame: {"map": images[: len(frame)], "yes": np.ones(len(frame), bool)},
            frame,
            frame.head(0),
        )
    assert len(str(caught.value)) < 1_000


def test_a_number_where_the_model_has_none_is_refused() -> None:
    def filled(frame: pd.DataFrame) -> Answers:
        return {**native(frame), "risk": native(frame)["risk"].copy()} | {
            "risk": np.nan_to_num(native(frame)["risk"], nan=0.5)
        }

    with pytest.raises(ParityError, match="in 1 of 2 rows"):
        certify(native, filled, FRAME, EDGES)


@pytest.mark.parametrize(
    "other", [np.ones((2, 1), np.float32), np.ones((2, 2), np.float64), np.ones((2, 2), bool)]
)
def test_answers_of_another_shape_or_kind_are_refused(other):
    ours = {"risk": np.ones((2, 2), np.float32)}
    if other.dtype == np.float64:  # of another precision alone, they are compared
        assert not parity._differences(ours, {"risk": other})[1].any()
        return
    with pytest.raises(ParityError, match="Output 'risk' is"):
        parity._differences(ours, {"risk": other})


def test_other_outputs_are_refused() -> None:
    with pytest.raises(ParityError, match=r"file has the outputs \['risk'\], the model \['refuse"):
        certify(native, lambda frame: {"risk": native(frame)["risk"]}, FRAME, EDGES)


def test_no_edges_and_no_rows() -> None:
    assert certify(native, native, FRAME, FRAME.head(0)).edge_rows == 0
    assert certify(native, native, FRAME.head(0), EDGES).rows == 0


def test_edge_rows_hold_what_converters_get_wrong(served: Served) -> None:
    frame = records(100, seed=3)
    edges = edge_rows(SCHEMA, frame, {"amount": [10.5, 99.25]})
    assert list(edges) == SCHEMA.names
    amounts = set(edges["amount"].dropna())
    exact = np.float32([10.5, 99.25])
    assert amounts >= set(exact.tolist())
    assert amounts >= set(np.nextafter(exact, np.float32(np.inf)).tolist())
    assert amounts >= set(np.nextafter(exact, np.float32(-np.inf)).tolist())
    assert {0.0, 1e6} <= amounts  # the limits of the column
    assert all(edges[name].isna().any() for name in SCHEMA.names)
    assert edges.isna().all(axis=1).sum() == 1  # everything is missing at once
    assert {"never seen before", "ß"} <= set(edges["country"])
    assert edges["country"].str.len().max() == 10_000
    assert {"web", "shop"} <= set(edges["channel"])  # the only values allowed
    assert {"", "!?"} <= set(edges["note"])
    assert edges["note"].str.len().max() == 10_000
    assert {True, False} <= set(edges["member"])
    assert min(edges["time"].dropna()) < pd.Timestamp("1902")
    SCHEMA.validate(edges)


def test_edge_rows_respect_the_limits_of_their_columns() -> None:
    strict = Schema(
        (
            Column(name="share", kind="number", low=0, high=1, nullable=False),
            Column(name="name", kind="category", nullable=False),
        )
    )
    frame = pd.DataFrame({"share": [0.5], "name": ["a"]})
    edges = edge_rows(strict, frame, {"share": [-3.0, 0.25, 1.0, 7.0]})
    strict.validate(edges)
    assert {0.0, 0.25, 1.0} <= set(edges["share"])
    assert not edges.isna().any(axis=None)
    with pytest.raises(ParameterError, match="at least one real record"):
        edge_rows(strict, frame.head(0), {})


@pytest.mark.parametrize("damage", ["a leaf", "thresholds", "missing values go the other way"])
def test_a_wrong_converter_is_refused_and_leaves_nothing(
    damage: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = convert.trees_to_onnx

    def wrong(booster: Any) -> Any:
        model = real(booster)
        (trees,) = [n for n in model.graph.node if n.op_type == "TreeEnsembleRegressor"]
        attributes = {attribute.name: attribute for attribute in trees.attribute}
        if damage == "a leaf":
            attributes["target_weights"].floats[0] += 0.5
        elif damage == "thresholds":  # by the least that float32 can tell
            exact = np.array(attributes["nodes_values"].floats, dtype=np.float32)
            attributes["nodes_values"].floats[:] = np.nextafter(exact, np.float32(-np.inf))
        else:
            sides = attributes["nodes_missing_value_tracks_true"].ints
            sides[:] = [1 - side for side in sides]
        return model

    monkeypatch.setattr("tests.tiny_model.trees_to_onnx", wrong)
    exportable, _, _ = fitted(records(1500, seed=0))
    with pytest.raises(ParityError, match="answers differently"):
        export_model(exportable, tmp_path / "tiny.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_application_refuses_a_wrong_converter(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = FraudDetector.fast().fit(FraudDetector.sample())
    real = convert.trees_to_onnx

    def wrong(booster: Any) -> Any:
        model = real(booster)
        for node in model.graph.node:
            for attribute in node.attribute:
                if attribute.name == "target_weights":
                    attribute.floats[0] *= 3
        return model

    monkeypatch.setattr("industry_apps.recipes.trees.trees_to_onnx", wrong)
    target = tmp_path / "fraud.onnx"
    target.write_bytes(b"the file of yesterday")
    with pytest.raises(ParityError, match="answers differently"):
        detector.export(target)
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"the file of yesterday"
    monkeypatch.undo()
    detector.export(target)
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() != b"the file of yesterday"


def test_pixels_on_the_threshold_are_counted_and_more_of_them_refused():
    frame, none = pd.DataFrame({"image": range(3)}), pd.DataFrame()

    def masks(changed: int):
        made = one_by_one(np.zeros((3, 200, 100), np.uint8))
        made[1][0, :changed] = 255
        return {"mask": made}

    found = certify(lambda _: masks(0), lambda _: masks(2), frame, none)
    assert (found.changed_pixels, found.largest_difference, found.holds) == (2, 2 / 20_000, True)
    assert found.to_dict()["changed_pixels"] == 2
    with pytest.raises(ParityError, match="answers differently in 1 of 3 rows"):
        certify(lambda _: masks(0), lambda _: masks(3), frame, none)


def test_certificates_say_nothing_of_pixels_where_there_are_none():
    frame = pd.DataFrame({"x": [1.0]})
    answers = {"score": np.array([0.5])}
    found = certify(lambda _: answers, lambda _: answers, frame, pd.DataFrame())
    assert "changed_pixels" not in found.to_dict()
