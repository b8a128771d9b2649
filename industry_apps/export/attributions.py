"""What each column contributes to the margin of trees, as a tree ensemble of many targets.

Along the path of a record each split moves the expected margin, and the move is credited to
the column that it tests. The moves of a path are the same for all records that end in its
leaf: each leaf holds one number for each column, and a graph adds them up as it adds margins.

References
----------
Saabas 2014, "Interpreting random forests", https://blog.datadive.net/interpreting-random-forests/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from numpy.typing import NDArray

from industry_apps.export.convert import leaf_targets_to_onnx

if TYPE_CHECKING:
    import lightgbm as lgb

#: Contributions are whole multiples of this, so that a sum in float32 is exact in any order.
STEP = 2.0**-14


@dataclass(frozen=True, eq=False)
class PathContributions:
    """Contributions of groups of features to the margin of a booster.

    Parameters
    ----------
    booster : lightgbm.Booster
        From :func:`industry_apps.export.convert.with_float32_thresholds`.
    groups : sequence of int
        Number of the group of each feature, from 0.
    """

    booster: lgb.Booster
    groups: Sequence[int]

    def apply(self, rows: NDArray[np.float32]) -> NDArray[np.int64]:
        """Features [rows, features] -> contributions [rows, groups], in steps of 2^-14."""
        total = np.zeros((len(rows), max(self.groups) + 1), dtype=np.int64)
        if not len(rows):  # LightGBM divides by their number
            return total
        leaves = np.asarray(self.booster.predict(rows, pred_leaf=True), dtype=np.int64)
        leaves = leaves.reshape(len(rows), -1)  # [rows, trees]
        for tree, root in enumerate(self._roots()):
            moves = dict(_leaf_moves(root, self.groups, {}))
            table = np.zeros((max(moves) + 1, total.shape[1]), dtype=np.int64)
            for leaf, found in moves.items():
                for group, move in found.items():
                    table[leaf, group] = _steps(move)
            total += table[leaves[:, tree]]
        return total

    def to_onnx(self) -> onnx.ModelProto:
        """``features`` [batch, features] float32 -> ``margin`` [batch, groups] float32."""
        moves = [dict(_leaf_moves(root, self.groups, {})) for root in self._roots()]
        weights = [
            {
                leaf: {group: _steps(move) * STEP for group, move in found.items()}
                for leaf, found in tree.items()
            }
            for tree in moves
        ]
        return leaf_targets_to_onnx(self.booster, weights, max(self.groups) + 1)

    def _roots(self) -> list[dict[str, Any]]:
        return [tree["tree_structure"] for tree in self.booster.dump_model()["tree_info"]]


def _steps(move: float) -> int:
    return round(move / STEP)


def _leaf_moves(
    node: dict[str, Any], groups: Sequence[int], moved: dict[int, float]
) -> Iterator[tuple[int, dict[int, float]]]:
    """Yield each leaf of a tree with what each group has moved on the way to it."""
    if "split_feature" not in node:
        yield node.get("leaf_index", 0), moved
        return
    group = groups[node["split_feature"]]
    for side in ("left_child", "right_child"):
        child = node[side]
        move = child.get("internal_value", child.get("leaf_value", 0.0)) - node["internal_value"]
        yield from _leaf_moves(child, groups, {**moved, group: moved.get(group, 0.0) + move})
