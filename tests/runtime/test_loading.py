"""Loading a model file: what is refused, and what a serving machine has to have."""

from __future__ import annotations

import copy
import hashlib
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pandas as pd
import pytest

from industry_apps.errors import (
    MissingExtraError,
    ModelFileError,
    ParameterError,
    UnknownNameError,
)
from industry_apps.export import export_model
from industry_apps.runtime import Model
from industry_apps.runtime.loading import seal
from tests.tiny_model import OUTPUTS, SCHEMA, Served, fitted, records


def tampered(served: Served, tmp_path: Path, change: Any, *, sealed: bool = True) -> Path:
    """The file with a change; whoever makes one on purpose writes its digest, too."""
    stored = onnx.load(served.path)
    change(stored)
    content = stored.SerializeToString()
    if sealed and any(prop.key == "sha256" for prop in stored.metadata_props):
        content = seal(content)
    (tmp_path / "tampered.onnx").write_bytes(content)
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


def change_column(key: str, value: Any, *, of: str = "schema") -> Any:
    def change(stored: onnx.ModelProto) -> None:
        (columns,) = [json.loads(p.value) for p in stored.metadata_props if p.key == of]
        columns[0][key] = value
        change_properties(of, json.dumps(columns))(stored)

    return change


def add_functions(stored: onnx.ModelProto) -> None:
    node = onnx.helper.make_node("Identity", ["x"], ["y"])
    opset = [onnx.helper.make_opsetid("", 20)]
    stored.functions.append(onnx.helper.make_function("ours", "f", ["x"], ["y"], [node], opset))


def add_training(stored: onnx.ModelProto) -> None:
    stored.training_info.add().algorithm.name = "steps"


def add_external_data(stored: onnx.ModelProto) -> None:
    tensor = stored.graph.initializer[0]
    tensor.external_data.add(key="location", value="/etc/passwd")


def add_location(stored: onnx.ModelProto) -> None:
    """In a tensor that is an attribute of a node of an inner graph."""
    inner = onnx.GraphProto(name="inner")
    node = inner.node.add(op_type="Constant")
    node.attribute.add(name="value").t.data_location = onnx.TensorProto.EXTERNAL
    stored.graph.node[0].attribute.add(name="then_branch").g.CopyFrom(inner)


def nest(stored: onnx.ModelProto) -> None:
    graph = onnx.GraphProto(name="inner")
    for _ in range(20):
        outer = onnx.GraphProto(name="outer")
        outer.node.add(op_type="If").attribute.add(name="then_branch").g.CopyFrom(graph)
        graph = outer
    stored.graph.node.extend(graph.node)


def add_context(stored: onnx.ModelProto) -> None:
    stored.graph.node.add(op_type="EPContext", domain="com.microsoft")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_weights, "does not answer its self-test on this machine: row .*, output 'risk'"),
        (change_initializer, "does not answer its self-test"),
        (change_properties("self_test", '{"records": [], "answers": {}}'), "carries no self-test"),
        (change_properties("self_test", None), "not written by industry_apps.*lacks self_test"),
        (change_properties("schema", "{half"), "metadata of tampered.onnx are damaged: 'schema'"),
        (change_properties("parity", "[" * 10**5), "'parity' is no JSON .*recursion"),
        (change_properties("parity", '{"rows": NaN}'), "'parity' is no JSON .*NaN is no number"),
        (change_properties("parity", "[]"), "'parity' is \\[\\], expected an object of numbers"),
        (
            change_properties("tolerance", "1e9"),
            "'tolerance' is 1000000000.0, expected a number ab",
        ),
        (change_properties("tolerance", "0.05"), "0.05, expected 0.0001 without a stated 'loss'"),
        (change_properties("rows_a_run", "0"), "'rows_a_run' is 0, expected a whole number from 1"),
        (change_properties("tolerence", "1"), "'tolerence' is 1, expected no key that the format"),
        (change_properties("format", "3"), "has format 3, .* reads formats up to 2. Install a new"),
        (change_properties("format", "true"), "'format' is True, expected a whole number"),
        (change_properties("format", None), "'sha256' is .*, expected none without a number"),
        (change_properties("sha256", None), "'sha256' is None, expected a value in every file"),
        (
            change_properties("reference", '{"amount": "x"}'),
            r"tampered\.onnx is damaged or not ours",
        ),
        (change_properties("state", '{"window": [1]}'), r"tampered\.onnx is damaged or not ours"),
        (
            change_column("size", 10**12),
            "column 0, size is 1000000000000, expected null or a whole",
        ),
        (change_column("kind", "nothing"), "SchemaError: Column 'amount' has kind 'nothing'"),
        (change_column("name", "amout"), r"its graph takes \['amount', .* expected \['amout',"),
        (change_column("size", 5, of="outputs"), r"'risk' is declared to hold 5 values, and"),
        (change_column("more", 1), "column 0, more is 1, expected no such key"),
        (lambda stored: stored.ClearField("metadata_props"), "lacks application, schema, outputs"),
        (lambda stored: stored.graph.node.pop(), "cannot be loaded by onnxruntime"),
        (add_functions, "functions of its own, which files of industry_apps have not"),
        (add_training, "a graph for training, which files of industry_apps have not"),
        (add_external_data, "weights in another file, which files of industry_apps have not"),
        (add_location, "weights in another file, which files of industry_apps have not"),
        (nest, "nested deeper than 32 messages"),
        (add_context, "an operator that reads other files"),
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
    with pytest.raises(ModelFileError, match=r"model\.onnx (is damaged or no|was not written)"):
        Model(tmp_path / "model.onnx")


def test_a_change_that_answers_equally_is_damage_all_the_same(
    served: Served, tmp_path: Path
) -> None:
    def rename(stored: onnx.ModelProto) -> None:
        stored.doc_string = "changed"

    with pytest.raises(ModelFileError, match=r"its digest is .*, expected '.*' as it was written"):
        Model(tampered(served, tmp_path, rename, sealed=False))
    assert Model(tampered(served, tmp_path, rename)).schema == SCHEMA  # on purpose


def test_a_file_in_the_place_of_another_is_told_by_its_sha256(
    served: Served, tmp_path: Path
) -> None:
    right = hashlib.sha256(served.path.read_bytes()).hexdigest()
    assert Model(served.path, sha256=right.upper()).schema == SCHEMA
    other = tampered(served, tmp_path, lambda stored: stored.MergeFromString(b"\x32\x01x"))
    with pytest.raises(ModelFileError, match=rf"not the file that was asked for.* {right}"):
        Model(other, sha256=right)


def test_a_file_that_never_ends_is_refused(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A loop that goes on as long as an input is there, instead of the first node."""

    def loop(stored: onnx.ModelProto) -> None:
        def scalar(name: str, kind: int) -> onnx.ValueInfoProto:
            return onnx.helper.make_tensor_value_info(name, kind, [])

        whole, yes = onnx.TensorProto.INT64, onnx.TensorProto.BOOL
        takes = [scalar("count", whole), scalar("going", yes), scalar("kept", whole)]
        gives = [scalar("goes_on", yes), scalar("keeps", whole)]
        same = [
            onnx.helper.make_node("Identity", [before], [after])
            for before, after in (("going", "goes_on"), ("kept", "keeps"))
        ]
        # What goes on depends on an input, or it would be worked out at once.
        nodes = [
            onnx.helper.make_node("Shape", ["amount"], ["shape"]),
            onnx.helper.make_node("ReduceMax", ["shape"], ["largest"], keepdims=0),
            onnx.helper.make_node("Cast", ["largest"], ["is_some"], to=yes),
            onnx.helper.make_node(
                "Loop",
                ["", "is_some", "largest"],
                ["never"],
                body=onnx.helper.make_graph(same, "again", takes, gives),
            ),
        ]
        stored.graph.output.append(scalar("never", whole))
        stored.graph.node.extend(nodes)

    monkeypatch.setattr("industry_apps.runtime.loading.SECONDS", 0.5)
    with pytest.raises(ModelFileError, match="does not answer its self-test"):
        Model(tampered(served, tmp_path, loop))


def test_copies_and_pickles_answer_equally(served: Served, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(served.path.read_bytes())
    model = Model(path, threads=1)
    copies = [copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))]
    expected = model.predict(served.frame)
    for other in copies:
        pd.testing.assert_frame_equal(other.predict(served.frame), expected)
        assert other.metadata == model.metadata
        other.metadata["notes"] = ["changed"]
    assert "notes" not in model.metadata
    path.write_bytes(tampered(served, tmp_path, change_properties("notes", '["x"]')).read_bytes())
    with pytest.raises(ModelFileError, match=r"is another file than when it was loaded.* Load it"):
        pickle.dumps(model)
    path.unlink()
    with pytest.raises(ModelFileError, match="cannot be read"):
        pickle.dumps(model)
    pd.testing.assert_frame_equal(copy.deepcopy(model).predict(served.frame), expected)


def test_a_description_obeys_nothing_and_is_a_copy(served: Served, tmp_path: Path) -> None:
    words = json.dumps("a\x1b[2J\u202eb\nc")
    model = Model(tampered(served, tmp_path, change_properties("summary", words)))
    described = model.describe()
    assert described["summary"] == "a\\x1b[2J\\u202eb\nc"
    described["columns"][0]["name"] = "changed"
    described["decision"]["threshold"] = 0
    assert model.describe()["columns"][0]["name"] == "amount"
    assert model.metadata["decision"] == {"threshold": 0.4}
    assert not {"format", "sha256", "own_facts"} & set(described)


def test_files_of_before_the_digest_load(served: Served, tmp_path: Path) -> None:
    def old(stored: onnx.ModelProto) -> None:
        for key in ("format", "sha256", "own_facts"):
            change_properties(key, None)(stored)

    answers = Model(tampered(served, tmp_path, old)).predict(served.frame)
    pd.testing.assert_frame_equal(answers, Model(served.path).predict(served.frame))


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
from industry_apps.runtime.loading import seal
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
from industry_apps.runtime.loading import seal
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
from industry_apps.runtime.loading import seal
more = {name.split(".")[0] for name in set(sys.modules) - before}
print(json.dumps(sorted(more - set(sys.stdlib_module_names))))
"""
    assert set(serve([], code)) <= {"industry_apps", "numpy"}
