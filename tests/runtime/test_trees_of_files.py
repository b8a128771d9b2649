"""Trees that lead back are refused before onnxruntime follows them for ever."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from industry_apps.runtime.trees import _varints, check_trees
from industry_apps.runtime.wire import WireError, look

NODES: dict[str, Any] = {
    "nodes_nodeids": [0, 1, 2, 0, 1, 300],
    "nodes_truenodeids": [1, 0, 0, 1, 0, 0],
    "nodes_falsenodeids": [2, 0, 0, 300, 0, 0],
    "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_GT", "LEAF", "LEAF"],
    "nodes_values": [0.5] * 6,
}


def check(kind: str = "TreeEnsembleRegressor", **changes: Any) -> None:
    node = onnx.helper.make_node(kind, ["x"], ["y"], domain="ai.onnx.ml", **(NODES | changes))
    model = onnx.ModelProto()
    model.graph.node.append(node)
    content = model.SerializeToString()
    (place,) = look(content).trees
    check_trees(content, place)


@pytest.mark.parametrize("kind", ["TreeEnsembleRegressor", "TreeEnsembleClassifier"])
def test_trees_that_lead_downwards_are_sound(kind: str) -> None:
    check(kind)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nodes_truenodeids": [0, 0, 0, 1, 0, 0]}, "leads back"),
        ({"nodes_falsenodeids": [2, 0, 0, 0, 0, 0]}, "leads back"),
        ({"nodes_falsenodeids": [-1, 0, 0, 300, 0, 0]}, "leads back"),
        ({"nodes_modes": ["BRANCH_LEQ"] * 6}, "leads back"),
        ({"nodes_modes": ["BRANCH_LEQ"] * 5}, "lacks nodes"),
        ({"nodes_modes": ["BRANCH_ODD", *NODES["nodes_modes"][1:]]}, "neither a leaf nor"),
        ({"nodes_nodeids": None}, "lacks nodes"),
    ],
)
def test_trees_that_lead_back_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(WireError, match=message):
        check(**changes)


def test_numbers_are_read_as_protobuf_writes_them() -> None:
    numbers = [0, 1, 127, 128, 300, 2**31, 2**63 - 1, -1, -(2**63)]
    attribute = onnx.helper.make_attribute("some", numbers)
    written = attribute.SerializeToString()
    tags = written[written.index(0x40) : written.rindex(b"\xa0\x01")]
    assert _varints(tags)[1::2].tolist() == numbers
    assert _varints(b"").dtype == np.int64
