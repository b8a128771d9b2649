"""A step model is a file from somewhere, too: what it says of itself is checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from industry_apps.errors import ModelFileError
from industry_apps.runtime import SequenceWriter
from industry_apps.runtime.writer import WRITER

FACTS: dict[str, Any] = {
    "notation": "smiles",
    "tokens": ["", "", "C", "N"],
    "begin": 0,
    "end": 1,
    "length": 5,
    "never": [0],
    "state": 2,
}


def step_model(facts: Any) -> bytes:
    """Scores of four tokens by the code before, and the state as it was."""
    helper, kinds = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["code"], ["number"], to=kinds.FLOAT),
            helper.make_node("MatMul", ["number", "weights"], ["scores"]),
            helper.make_node("Concat", ["scores", "state"], ["output"], axis=1),
        ],
        "step",
        [
            helper.make_tensor_value_info("code", kinds.INT64, ["batch", 1]),
            helper.make_tensor_value_info("state", kinds.FLOAT, ["batch", 2]),
        ],
        [helper.make_tensor_value_info("output", kinds.FLOAT, ["batch", 6])],
        [onnx.numpy_helper.from_array(np.ones((1, 4), np.float32), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(model, {WRITER: facts if isinstance(facts, str) else json.dumps(facts)})
    return bytes(model.SerializeToString())


def test_a_sound_one_writes(tmp_path: Path) -> None:
    (tmp_path / "step.onnx").write_bytes(step_model(FACTS))
    for source in (tmp_path / "step.onnx", step_model(FACTS)):
        written = SequenceWriter(source).sample(5)
        assert len(written) == 5
        assert set("".join(written)) <= {"C", "N"}


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        FACTS | {"tokens": "CN"},
        FACTS | {"tokens": [1, 2, 3, 4]},
        FACTS | {"end": 4},
        FACTS | {"begin": -1},
        FACTS | {"never": ["x"]},
        FACTS | {"length": 10**9},
        FACTS | {"state": 3},
        FACTS | {"notation": None},
        {key: value for key, value in FACTS.items() if key != "state"},
    ],
)
def test_what_it_may_not_say_is_refused(tmp_path: Path, wrong: Any) -> None:
    path = tmp_path / "step.onnx"
    path.write_bytes(step_model(wrong))
    with pytest.raises(ModelFileError, match=r"step\.onnx is damaged or not ours"):
        SequenceWriter(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    for content in (b"", b"no model", step_model(FACTS)[:-40]):
        with pytest.raises(ModelFileError, match=r"no step model|damaged or no model"):
            SequenceWriter(content)
