"""The file: whole or not at all, and with everything about the model inside."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest

from industry_apps.data.hashing import frame_sha256
from industry_apps.errors import ModelFileError, ParameterError
from industry_apps.export import export_model, write_model_file
from industry_apps.export.model_file import (
    SELF_TEST_ROWS,
    library_versions,
    reference_of,
    self_test_of,
)
from industry_apps.export.parity import Certificate
from industry_apps.runtime import Model
from industry_apps.schema import Column, Schema
from tests.tiny_model import OUTPUTS, SCHEMA, Served, fitted, records


def metadata_of(path: Path) -> dict[str, Any]:
    """As any program reads it that knows ONNX and not this package."""
    return {prop.key: json.loads(prop.value) for prop in onnx.load(path).metadata_props}


def test_the_file_says_all_about_itself(served: Served) -> None:
    found = metadata_of(served.path)
    assert found["application"] == "tests.tiny"
    assert found["decision"] == {"threshold": 0.4}
    assert Schema.from_json(found["schema"]) == SCHEMA
    assert Schema.from_json(found["outputs"]) == OUTPUTS
    assert Certificate(**found["parity"]) == served.certificate
    assert served.certificate.holds
    assert served.certificate.rows == 300
    assert served.certificate.edge_rows > 50
    assert {"python", "numpy", "onnxruntime", "lightgbm"} <= set(found["versions"])
    assert found["versions"] == library_versions()
    assert len(found["self_test"]["records"]) == SELF_TEST_ROWS
    assert set(found["self_test"]["answers"]) == set(OUTPUTS.names)


def test_inputs_and_outputs_have_their_names_and_a_free_batch(served: Served) -> None:
    graph = onnx.load(served.path).graph
    shapes = {
        value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.output)
    }
    assert shapes == {name: ["batch", 1] for name in (*SCHEMA.names, *OUTPUTS.names)}
    assert not any(tensor.external_data for tensor in graph.initializer)


def test_the_self_test_replays_real_records(served: Served) -> None:
    stored = metadata_of(served.path)["self_test"]
    frame = pd.DataFrame(stored["records"]).astype({"time": "datetime64[s]"})
    answers = served.native(frame)
    np.testing.assert_allclose(answers["risk"], stored["answers"]["risk"], atol=1e-4)
    assert answers["refuse"].tolist() == stored["answers"]["refuse"]
    assert any(record["country"] is None for record in stored["records"])


def test_export_twice_writes_the_same_bytes(served: Served, tmp_path: Path) -> None:
    export_model(served.exportable, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == served.path.read_bytes()


def test_a_failed_self_test_leaves_the_old_file(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(served.path.read_bytes())
    graph = onnx.load(served.path)
    wrong = metadata_of(served.path)
    wrong["self_test"]["answers"]["risk"][7] += 0.01
    with pytest.raises(ModelFileError, match=r"self-test on this machine: row 7, output 'risk'"):
        write_model_file(path, graph, wrong)
    assert path.read_bytes() == served.path.read_bytes()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("key", ["application", "schema", "self_test", "parity", "reference"])
def test_incomplete_metadata_are_not_written(served: Served, tmp_path: Path, key: str) -> None:
    incomplete = metadata_of(served.path)
    del incomplete[key]
    with pytest.raises(ModelFileError, match=f"its metadata lacks {key}"):
        write_model_file(tmp_path / "model.onnx", onnx.load(served.path), incomplete)
    assert list(tmp_path.iterdir()) == []


def test_what_json_cannot_hold_is_not_written(served: Served, tmp_path: Path) -> None:
    metadata = metadata_of(served.path) | {"metrics": {"auroc": float("nan")}}
    with pytest.raises(ValueError, match="JSON"):
        write_model_file(tmp_path / "model.onnx", onnx.load(served.path), metadata)
    assert list(tmp_path.iterdir()) == []


def test_the_graph_is_left_as_it_was(served: Served, tmp_path: Path) -> None:
    before = served.exportable.graph.SerializeToString()
    export_model(served.exportable, tmp_path / "new" / "folder" / "model.onnx")
    assert served.exportable.graph.SerializeToString() == before
    assert not served.exportable.graph.metadata_props


def test_a_wrong_name_is_refused(served: Served, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"ends in \.onnx; got 'model\.bin'"):
        export_model(served.exportable, tmp_path / "model.bin")
    with pytest.raises(ParameterError, match="at least one real record"):
        export_model(served.exportable, tmp_path / "model.onnx", served.frame.head(0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rows", [1, 2, 15, 17])
def test_few_records_are_enough(served: Served, tmp_path: Path, rows: int) -> None:
    certificate = export_model(served.exportable, tmp_path / "m.onnx", served.frame.head(rows))
    assert certificate.rows == rows
    stored = metadata_of(tmp_path / "m.onnx")["self_test"]
    assert len(stored["records"]) == min(rows, SELF_TEST_ROWS)


def test_records_of_other_types_can_be_exported_too(tmp_path: Path) -> None:
    frame = records(1500, seed=0)
    exportable, _, _ = fitted(frame)
    seconds = frame["time"].astype("datetime64[s]")
    odd = pd.DataFrame(
        {
            "amount": frame["amount"].astype(object).where(frame["amount"].notna(), None),
            "time": [None if pd.isna(t) else t.isoformat() + "+02:00" for t in seconds],
            "country": np.where(frame["country"].isna(), np.nan, 7.0),
            "channel": pd.Categorical(frame["channel"]),
            "member": frame["member"].astype("boolean"),
            "note": frame["note"].astype("string"),
        }
    )
    export_model(exportable, tmp_path / "text.onnx", odd)
    export_model(
        exportable, tmp_path / "seconds.onnx", odd.assign(time=seconds.astype("int64")).dropna()
    )
    reference = metadata_of(tmp_path / "text.onnx")["reference"]
    assert reference["country"] == "7"
    assert reference["time"].startswith("2024-0")
    Model(tmp_path / "seconds.onnx").explain(reference)


def test_a_model_may_answer_with_nothing(served: Served, tmp_path: Path) -> None:
    def native(frame: pd.DataFrame) -> dict[str, Any]:
        answers = served.native(frame)
        return answers | {"risk": np.where(frame["amount"].isna(), np.nan, answers["risk"])}

    graph = onnx.ModelProto()
    graph.CopyFrom(served.exportable.graph)
    for node in graph.graph.node:
        for names in (node.input, node.output):
            names[:] = ["computed" if name == "risk" else name for name in names]
    nothing = onnx.numpy_helper.from_array(np.float32(np.nan), "nothing")
    graph.graph.initializer.append(nothing)
    graph.graph.node.append(onnx.helper.make_node("IsNaN", ["amount"], ["absent"]))
    answer = onnx.helper.make_node("Where", ["absent", "nothing", "computed"], ["risk"])
    graph.graph.node.append(answer)
    export_model(replace(served.exportable, graph=graph, native=native), tmp_path / "m.onnx")
    model = Model(tmp_path / "m.onnx")
    record: dict[str, Any] = {"amount": None, "time": None, "country": None}
    assert np.isnan(model.predict(record)["risk"])
    assert model.predict({**record, "amount": 5.0})["risk"] > 0


def test_the_reference_is_the_typical_record() -> None:
    frame = pd.DataFrame(
        {
            "amount": [3.0, 1.1, 2.5, None],
            "time": ["2020-01-01", "2020-01-03", None, "2020-01-02T03:04:05"],
            "country": ["FR", "DE", "FR", None],
            "member": [True, None, True, False],
        }
    )
    assert reference_of(SCHEMA.to_arrays(frame), SCHEMA) == {
        "amount": 2.5,
        "time": "2020-01-02T03:04:05",
        "country": "FR",
        "channel": None,
        "member": True,
        "note": None,
    }


def test_self_test_records_are_spread_over_the_frame() -> None:
    frame = pd.DataFrame({"x": np.arange(100) / 8})
    schema = Schema((Column(name="x", kind="number"),))
    found = self_test_of(schema.to_arrays(frame), {"y": np.arange(100.0)}, schema)
    assert found["answers"]["y"][0] == 0
    assert found["answers"]["y"][-1] == 99
    assert [record["x"] * 8 for record in found["records"]] == found["answers"]["y"]


def test_data_is_named_by_its_content() -> None:
    frame = records(50, seed=0)
    sha = frame_sha256(frame)
    assert sha == frame_sha256(frame.copy().set_index(np.arange(50) + 7))
    assert len({sha, frame_sha256(frame.iloc[::-1]), frame_sha256(frame.drop(columns="note"))}) == 3
    changed = frame.copy()
    changed.loc[3, "country"] = "IT"
    assert frame_sha256(changed) != sha
    assert frame_sha256(frame.rename(columns={"note": "text"})) != sha


def test_lists_of_a_fixed_size_have_the_median_of_each_place_for_reference() -> None:
    schema = Schema((Column("load", "number", size=2, nullable=False),))
    arrays = schema.to_arrays({"load": [[1.0, 9.0], [2.0, 7.0], [3.0, 8.0]]})
    assert reference_of(arrays, schema) == {"load": [2.0, 8.0]}
