"""Loading a model file: what is refused, and what a serving machine has to have."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from industry_apps.errors import (
    MissingExtraError,
    ModelFileError,
    ParameterError,
    UnknownNameError,
)
from industry_apps.export import export_model
from industry_apps.runtime import Model
from tests.tiny_model import OUTPUTS, SCHEMA, Served, fitted, records


def tampered(served: Served, tmp_path: Path, change: Any) -> Path:
    stored = onnx.load(served.path)
    change(stored)
    onnx.save(stored, tmp_path / "tampered.onnx")
    return tmp_path / "tampered.onnx"


def change_weights(stored: onnx.ModelProto) -> None:
    (weights,) = [
        attribute.floats
        for node in stored.graph.node
        for attribute in node.attribute
        if attribute.name == "target_weights"
    ]
    weights[:] = [weight * 1.5 for weight in weights]


def change_initializer(stored: onnx.ModelProto) -> None:
    for tensor in stored.graph.initializer:
        array = onnx.numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.shape == (1, 1):  # the weight of the calibration
            tensor.CopyFrom(onnx.numpy_helper.from_array(array * 2, tensor.name))


def change_properties(key: str, value: str | None) -> Any:
    def change(stored: onnx.ModelProto) -> None:
        kept = {p.key: p.value for p in stored.metadata_props if p.key != key}
        onnx.helper.set_model_props(stored, kept if value is None else kept | {key: value})

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_weights, "does not answer its self-test on this machine: row .*, output 'risk'"),
        (change_initializer, "does not answer its self-test"),
        (change_properties("self_test", '{"records": [], "answers": {}}'), "carries no self-test"),
        (change_properties("self_test", None), "not written by industry_apps.*lacks self_test"),
        (change_properties("schema", "{half"), "metadata of tampered.onnx are damaged"),
        (lambda stored: stored.ClearField("metadata_props"), "lacks application, schema, outputs"),
        (lambda stored: stored.graph.node.pop(), "cannot be loaded by onnxruntime"),
    ],
)
def test_a_tampered_file_is_refused(
    served: Served, tmp_path: Path, change: Any, message: str
) -> None:
    with pytest.raises(ModelFileError, match=message):
        Model(tampered(served, tmp_path, change))


@pytest.mark.parametrize("content", [b"", b"no model", b"PK\x03\x04" * 99])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"model\.onnx cannot be loaded by onnxruntime"):
        Model(tmp_path / "model.onnx")


def test_half_a_file_is_refused(served: Served, tmp_path: Path) -> None:
    whole = served.path.read_bytes()
    (tmp_path / "model.onnx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelFileError):
        Model(tmp_path / "model.onnx")


def test_what_is_not_there_is_told_from_what_has_no_such_name(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"There is no model file .*absent\.onnx"):
        Model(tmp_path / "absent.onnx")
    with pytest.raises(UnknownNameError, match=r"Unknown model 'finance\.froud'"):
        Model("finance.froud")


def test_a_provider_that_is_not_there_names_what_to_install(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ParameterError, match=r"Unknown provider 'tpu'; choose from \['cpu'"):
        Model(served.path, provider="tpu")  # type: ignore[arg-type]
    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(MissingExtraError, match="Install onnxruntime-gpu instead of onnxruntime"):
        Model(served.path, provider="cuda")
    with pytest.raises(MissingExtraError, match="Install onnxruntime-openvino instead"):
        Model(served.path, provider="openvino")


def test_a_provider_that_does_not_start_is_not_replaced_in_silence(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("this machine has CUDA")
    names = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: names)
    with (
        pytest.warns(match="not in available provider names"),
        pytest.raises(MissingExtraError, match="has 'cuda', but cannot start it"),
    ):
        Model(served.path, provider="cuda")


def test_every_file_has_its_own_schema(tmp_path: Path) -> None:
    frame = records(1500, seed=0).drop(columns="note").assign(note="")
    exportable, _, _ = fitted(frame)
    export_model(exportable, tmp_path / "other.onnx")
    model = Model(tmp_path / "other.onnx")
    assert model.schema == SCHEMA
    assert model.outputs == OUTPUTS


SERVING = """
import json, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is not installed here", name=name)

sys.meta_path.insert(0, Blocker())
{code}
"""
TRAINING = ["torch", "sklearn", "lightgbm", "onnx", "lightning", "scipy", "matplotlib", "pooch"]


def serve(blocked: list[str], code: str, *arguments: str) -> Any:
    done = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            SERVING.format(blocked=blocked, code=code),
            *arguments,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_serving_machine_needs_numpy_and_onnxruntime_only(served: Served, model: Model) -> None:
    code = """
from industry_apps.runtime import Model
model = Model(sys.argv[1], threads=1)
record = json.loads(sys.argv[2])
print(json.dumps([model.predict(record), model.predict([record]), model.explain(record),
                  [a.tolist() for a in model.predict({k: [v] for k, v in record.items()}).values()],
                  sorted(model.describe())]))
"""
    record = {"amount": 612, "time": "2024-02-03T23:10:00", "country": "DE", "note": "urgent"}
    found = serve([*TRAINING, "pandas", "pyarrow"], code, str(served.path), json.dumps(record))
    answer = model.predict(record)
    assert found[:3] == [answer, [answer], model.explain(record)]
    assert found[3] == [[answer["risk"]], [answer["refuse"]]]
    assert found[4] == sorted(model.describe())


def test_a_serving_machine_scores_files_with_pandas_and_pyarrow(
    served: Served, model: Model, tmp_path: Path
) -> None:
    served.frame.to_parquet(tmp_path / "in.parquet")
    code = """
import pandas
from industry_apps.runtime import Model
model = Model(sys.argv[1], threads=1)
rows = model.predict(sys.argv[2], to=sys.argv[3])
frame = pandas.read_csv(sys.argv[3])
print(json.dumps([rows, frame["risk"].tolist(), model.predict(frame.head(3)).shape]))
"""
    paths = str(tmp_path / "in.parquet"), str(tmp_path / "out.csv")
    rows, risk, shape = serve(TRAINING, code, str(served.path), *paths)
    assert (rows, shape) == (400, [3, 2])
    np.testing.assert_allclose(risk, model.predict(served.frame)["risk"], rtol=1e-6)


def test_the_runtime_imports_numpy_and_onnxruntime_and_nothing_else() -> None:
    code = """
import numpy, onnxruntime
before = set(sys.modules)
from industry_apps.runtime import Model
more = {name.split(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(more - set(sys.stdlib_module_names))))
"""
    assert set(serve([], code)) <= {"industry_apps", "numpy"}
