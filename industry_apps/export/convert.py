"""Trained models as ONNX: LightGBM with exact routing, torch networks with a dynamic batch."""

from __future__ import annotations

import io
import logging
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray

from industry_apps.export.ensembles import TreeNode, ensemble_to_onnx
from industry_apps.features.builder import IR_VERSION, OPSET

if TYPE_CHECKING:
    import lightgbm as lgb
    import torch


#: LightGBM reads values up to this size as zero: one that is equal to the threshold below
#: zero, which it puts here, does not pass it. The next float32 is the threshold that tells so.
_ZERO = np.float32(1e-35)
_LARGEST = float(np.finfo(np.float32).max)


def with_float32_thresholds(
    booster: lgb.Booster, leaves: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None
) -> lgb.Booster:
    """Round every split threshold of a booster down to the next float32.

    LightGBM learns thresholds in float64, ONNX holds them in float32. For float32 features
    ``x <= t`` and ``x <= floor32(t)`` are the same test, so the rounded booster answers as
    before, and its ONNX form routes every row alike.

    Parameters
    ----------
    booster : lightgbm.Booster
        Without categorical splits.
    leaves : callable, optional
        What else is to be done to the values of all leaves, of shape [leaves].

    Raises
    ------
    ValueError
        The booster has categorical splits, which compare sets, not thresholds.
    """
    import lightgbm as lgb

    text = booster.model_to_string(num_iteration=booster.best_iteration)
    if text.count("\nnum_cat=") != text.count("\nnum_cat=0\n"):
        raise ValueError("categorical splits cannot be exported; encode categories as numbers")
    text = _rewritten(text, "threshold", _rounded_down)
    if leaves is not None:
        text = _rewritten(text, "leaf_value", leaves)
    # The header lists the byte size of each tree, which rounding changes; LightGBM reads
    # models without it too.
    return lgb.Booster(model_str=re.sub(r"\ntree_sizes=.*", "", text, count=1))


def _rewritten(
    text: str, key: str, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> str:
    """A model as text, with the numbers behind a key changed: those of all trees at once."""
    pieces = re.split(rf"^{key}=(.+)$", text, flags=re.MULTILINE)  # every other one is numbers
    lines = [piece.split() for piece in pieces[1::2]]
    numbers = np.array([float(number) for line in lines for number in line], dtype=np.float64)
    words = iter(map(repr, change(numbers).tolist()))
    for place, line in enumerate(lines):
        pieces[2 * place + 1] = f"{key}={' '.join(islice(words, len(line)))}"
    return "".join(pieces)


def _rounded_down(exact: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):  # beside infinity
        near = exact.astype(np.float32)
    above = (near.astype(np.float64) > exact) | (near == -_ZERO)
    near[above] = np.nextafter(near[above], np.float32(-np.inf))
    return near.astype(np.float64)


def split_thresholds(booster: lgb.Booster) -> list[list[float]]:
    """Thresholds of each feature, sorted: the values on which routing turns.

    Left out are infinite ones, which tell missing values from all others.
    """
    found: list[set[float]] = [set() for _ in range(booster.num_feature())]
    for tree in booster.dump_model()["tree_info"]:
        for node in _walk(tree["tree_structure"]):
            if "split_feature" in node and abs(node["threshold"]) <= _LARGEST:
                found[node["split_feature"]].add(float(node["threshold"]))
    return [sorted(values) for values in found]


def trees_to_onnx(booster: lgb.Booster) -> onnx.ModelProto:
    """Convert a booster to the ONNX of its margins (the sums of the leaves of each output).

    Written here rather than by onnxmltools, whose converter follows a split's default
    direction where LightGBM reads a missing value as zero, and answers with a class.

    Parameters
    ----------
    booster : lightgbm.Booster
        From :func:`with_float32_thresholds`.

    Returns
    -------
    onnx.ModelProto
        ``features`` [batch, features] float32 -> ``margin`` [batch, outputs] float32: one, or
        one for each class.

    Raises
    ------
    ValueError
        The booster takes zeros for missing values.
    """
    nodes, outputs = _all_nodes(booster), booster.num_model_per_iteration()
    # Trees of a round follow each other, one for each output.
    margins = [(node, node.tree % outputs, node.value) for node in nodes if node.mode == "LEAF"]
    return ensemble_to_onnx(nodes, margins, booster.num_feature(), outputs)


def leaf_targets_to_onnx(
    booster: lgb.Booster, weights: Sequence[Mapping[int, Mapping[int, float]]], targets: int
) -> onnx.ModelProto:
    """Convert a booster whose leaves hold other numbers than its margin, several each.

    Parameters
    ----------
    booster : lightgbm.Booster
        From :func:`with_float32_thresholds`.
    weights : sequence of mapping
        For each tree: number of a leaf, as ``pred_leaf`` gives it -> {target: number}.
    targets : int

    Returns
    -------
    onnx.ModelProto
        ``features`` [batch, features] float32 -> ``margin`` [batch, targets] float32.
    """
    nodes = _all_nodes(booster)
    found = [
        (node, target, weight)
        for node in nodes
        if node.mode == "LEAF"
        for target, weight in weights[node.tree][node.leaf].items()
    ]
    if not found:  # no tree has a split, and an ensemble without numbers cannot be written
        found = [(next(node for node in nodes if node.mode == "LEAF"), 0, 0.0)]
    return ensemble_to_onnx(nodes, found, booster.num_feature(), targets)


def _all_nodes(booster: lgb.Booster) -> list[TreeNode]:
    return [
        node
        for tree in booster.dump_model()["tree_info"]
        for node in _nodes(tree["tree_index"], tree["tree_structure"])
    ]


def _nodes(tree: int, root: dict[str, Any]) -> list[TreeNode]:
    """Nodes of one tree, numbered in the order in which they are met."""
    order = list(_walk(root))
    number = {id(node): position for position, node in enumerate(order)}
    return [
        TreeNode(tree, position, "LEAF", value=node["leaf_value"], leaf=node.get("leaf_index", 0))
        if "split_feature" not in node
        else TreeNode(
            tree,
            position,
            "BRANCH_LEQ",
            feature=node["split_feature"],
            value=node["threshold"],
            left=number[id(node["left_child"])],
            right=number[id(node["right_child"])],
            missing_left=_missing_left(node),
        )
        for position, node in enumerate(order)
    ]


def _missing_left(node: dict[str, Any]) -> bool:
    if node["missing_type"] == "Zero":
        raise ValueError("trees trained with zero_as_missing cannot be exported")
    # Where a feature was never missing in training, LightGBM reads a missing value as zero.
    if node["missing_type"] == "None":
        return bool(node["threshold"] >= 0)
    return bool(node["default_left"])


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    if "split_feature" in node:
        yield from _walk(node["left_child"])
        yield from _walk(node["right_child"])


def network_to_onnx(
    network: torch.nn.Module,
    example: Sequence[torch.Tensor],
    input_names: Sequence[str],
    *,
    dynamo: bool = True,
    axes: Sequence[Mapping[int, str]] | None = None,
    output_names: Sequence[str] = ("output",),
) -> onnx.ModelProto:
    """Convert a network, with a dynamic batch.

    Parameters
    ----------
    network : torch.nn.Module
        Called with the tensors of ``example``; returns one tensor, or a tuple of them.
    example : sequence of tensors of shape [batch, ...]
        At least two rows, so that the batch is not taken for a constant.
    input_names : sequence of str
    dynamo : bool, default=True
        Read the network's code, by ``torch.export``. False follows one run of it: for networks
        that compute sizes from their inputs, such as lengths of packed sequences, which
        ``torch.export`` refuses. What such a network decides by the values of an input is then
        decided as for the example.
    axes : sequence of mapping of int to str, optional
        For each input the axes of any size, named; by default the first, as "batch". For
        ``dynamo`` only.
    output_names : sequence of str
        One for each tensor that the network returns.

    Returns
    -------
    onnx.ModelProto
        The inputs -> the outputs.
    """
    names = list(input_names), list(output_names)
    with _quiet_exporter():
        if dynamo:
            free = axes or [{0: "batch"}] * len(input_names)
            model = _read_code(network.eval(), tuple(example), *names, free)
        else:
            model = _follow_run(network.eval(), tuple(example), *names)
    model.ir_version = IR_VERSION
    _forget_origins(model.graph)
    return model


def _forget_origins(graph: onnx.GraphProto) -> None:
    """Take out the lines of code that the exporter notes beside each part, with their paths."""
    graph.ClearField("metadata_props")
    for part in (*graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def _read_code(
    network: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    names: list[str],
    outputs: list[str],
    axes: Sequence[Mapping[int, str]],
) -> onnx.ModelProto:
    import torch

    sizes = {name: torch.export.Dim(name) for free in axes for name in free.values()}
    program = torch.onnx.export(
        network,
        example,
        dynamo=True,
        opset_version=OPSET,
        input_names=names,
        output_names=outputs,
        dynamic_shapes=tuple({axis: sizes[name] for axis, name in a.items()} for a in axes),
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    return program.model_proto


def _follow_run(
    network: torch.nn.Module,
    example: tuple[torch.Tensor, ...],
    names: list[str],
    outputs: list[str],
) -> onnx.ModelProto:
    import torch

    written: Any = io.BytesIO()  # which it takes, though its types do not say so
    torch.onnx.export(
        network,
        example,
        written,
        dynamo=False,
        opset_version=OPSET,
        input_names=names,
        output_names=outputs,
        dynamic_axes={name: {0: "batch"} for name in [*names, *outputs]},
    )
    return onnx.load_from_string(written.getvalue())


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Without torch's advice on torchvision, on its other exporter, and on constants of a run."""
    import torch

    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"torch|onnxscript|copyreg")
            warnings.filterwarnings("ignore", ".*legacy TorchScript.*", DeprecationWarning)
            warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)
            yield
    finally:
        logger.setLevel(level)
