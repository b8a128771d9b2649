"""Ensembles of trees as one ONNX node, and forests as scikit-learn grows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder

_LARGEST = float(np.finfo(np.float32).max)


class TreeNode(NamedTuple):
    """A node of a tree of an ensemble: a leaf, or a test of a feature against a value."""

    tree: int
    id: int
    mode: str
    feature: int = 0
    value: float = 0.0
    left: int = 0
    right: int = 0
    missing_left: bool = False
    leaf: int = 0


def ensemble_to_onnx(
    nodes: Sequence[TreeNode],
    weights: Sequence[tuple[TreeNode, int, float]],
    features: int,
    targets: int,
) -> onnx.ModelProto:
    """Write an ensemble: the sum of what the leaves of its trees hold.

    Parameters
    ----------
    nodes : sequence of TreeNode
    weights : sequence of (TreeNode, int, float)
        A leaf, a target, and what the leaf adds to it.
    features, targets : int

    Returns
    -------
    onnx.ModelProto
        ``features`` [batch, features] float32 -> ``margin`` [batch, targets] float32.
    """
    builder = GraphBuilder()
    margin = builder.node(
        "TreeEnsembleRegressor",
        builder.input("features", np.float32, features),
        domain="ai.onnx.ml",
        attributes={
            "n_targets": targets,
            "nodes_treeids": [node.tree for node in nodes],
            "nodes_nodeids": [node.id for node in nodes],
            "nodes_modes": [node.mode for node in nodes],
            "nodes_featureids": [node.feature for node in nodes],
            "nodes_values": [0.0 if node.mode == "LEAF" else node.value for node in nodes],
            "nodes_truenodeids": [node.left for node in nodes],
            "nodes_falsenodeids": [node.right for node in nodes],
            "nodes_missing_value_tracks_true": [int(node.missing_left) for node in nodes],
            "target_ids": [target for _, target, _ in weights],
            "target_treeids": [node.tree for node, _, _ in weights],
            "target_nodeids": [node.id for node, _, _ in weights],
            "target_weights": [float(weight) for _, _, weight in weights],
        },
    )
    builder.output(margin, "margin", np.float32, targets)
    return builder.model("trees")


def forest_to_onnx(
    trees: Sequence[Any], values: Sequence[NDArray[np.float64]], features: int
) -> onnx.ModelProto:
    """Convert a forest as scikit-learn grows them, whose leaves hold several numbers each.

    Its trees test float32 features against float64 thresholds; these are rounded down to the
    next float32, which is the same test.

    Parameters
    ----------
    trees : sequence of sklearn.tree._tree.Tree
        Attribute ``tree_`` of each estimator.
    values : sequence of ndarray of shape [nodes, targets]
        For each tree what its nodes hold; those of leaves are read.
    features : int

    Returns
    -------
    onnx.ModelProto
        ``features`` [batch, features] float32 -> ``margin`` [batch, targets] float32: the sum
        over the trees.
    """
    nodes = [node for number, tree in enumerate(trees) for node in _nodes(number, tree)]
    weights = [
        (node, target, float(value))
        for node in nodes
        if node.mode == "LEAF"
        for target, value in enumerate(values[node.tree][node.id])
    ]
    return ensemble_to_onnx(nodes, weights, features, values[0].shape[1])


def forest_thresholds(trees: Sequence[Any], features: int) -> list[list[float]]:
    """Thresholds of each feature of a forest, sorted: the values on which routing turns.

    Parameters
    ----------
    trees : sequence of sklearn.tree._tree.Tree
    features : int
    """
    found: list[set[float]] = [set() for _ in range(features)]
    for number, tree in enumerate(trees):
        for node in _nodes(number, tree):
            if node.mode != "LEAF" and abs(node.value) <= _LARGEST:
                found[node.feature].add(node.value)
    return [sorted(values) for values in found]


def _nodes(number: int, tree: Any) -> list[TreeNode]:
    """Nodes of one tree, by their places in it."""
    columns = zip(
        tree.children_left.tolist(),
        tree.children_right.tolist(),
        tree.feature.tolist(),
        _rounded_down(tree.threshold).tolist(),
        tree.missing_go_to_left.tolist(),
        strict=True,
    )
    return [
        TreeNode(number, place, "LEAF")
        if left < 0
        else TreeNode(number, place, "BRANCH_LEQ", feature, value, left, right, bool(missing))
        for place, (left, right, feature, value, missing) in enumerate(columns)
    ]


def _rounded_down(values: NDArray[np.float64]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # beside infinity
        near = values.astype(np.float32)
    return np.where(near > values, np.nextafter(near, np.float32(-np.inf)), near)
