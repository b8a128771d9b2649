"""An isolation forest of normal rows: rows that are soon alone are unlike the others."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.ensembles import forest_to_onnx
from industry_apps.features import GraphBuilder

__all__ = ["IsolatedRows"]

_Floats = NDArray[np.float64]

#: Trees, and rows of each, as in the paper.
_TREES, _ROWS = 100, 256


class IsolatedRows:
    """How few cuts at random set a row apart, against those that rows of its number need.

    The score is above 0 and at most 1; about 0.5 where all rows are alike.

    Parameters
    ----------
    windows : ndarray of float64, shape [N, 1, C]
        Normal rows.
    seed : int

    References
    ----------
    Liu, Ting and Zhou (2008), Isolation forest, ICDM, doi:10.1109/ICDM.2008.17.
    """

    lags = 1

    def __init__(self, windows: _Floats, seed: int) -> None:
        from sklearn.ensemble import IsolationForest

        rows = windows[:, 0].astype(np.float32)
        forest = IsolationForest(
            n_estimators=_TREES, max_samples=min(_ROWS, len(rows)), random_state=seed
        ).fit(rows)
        self._columns = rows.shape[1]
        self._trees = [each.tree_ for each in forest.estimators_]
        self._depths = [_depths(tree) for tree in self._trees]
        self._usual = float(_expected(np.array([min(_ROWS, len(rows))]))[0]) * len(self._trees)

    def score(self, windows: _Floats) -> tuple[_Floats, _Floats]:
        """Windows [N, 1, C] -> scores [N], and changes [N, C], which are not told: 0."""
        rows = windows[:, 0].astype(np.float32)
        total = np.zeros(len(rows))
        for tree, depths in zip(self._trees, self._depths, strict=True):
            total += depths[tree.apply(rows), 0]
        return np.exp2(-total / self._usual), np.zeros(windows[:, 0].shape)

    def write(self, builder: GraphBuilder, windows: str) -> tuple[str, str]:
        """Append the same to a graph."""
        node, constant = builder.node, builder.constant
        rows = node("Squeeze", builder.cast(windows, np.float32), constant(np.array([1])))
        forest = forest_to_onnx(self._trees, self._depths, self._columns)
        total = builder.cast(builder.append(forest, {"features": rows})["margin"], np.float64)
        share = node("Mul", total, constant(np.float64(-np.log(2) / self._usual)))
        none = node("Mul", builder.cast(rows, np.float64), constant(np.float64(0)))
        return node("Exp", share), none


def _depths(tree: Any) -> _Floats:
    """Cuts that lead to each node, and those that its rows would still need, [nodes, 1]."""
    depth = np.zeros(tree.node_count)
    for parent in range(tree.node_count):  # a parent stands before its children
        for child in (tree.children_left[parent], tree.children_right[parent]):
            if child >= 0:
                depth[child] = depth[parent] + 1
    return (depth + _expected(tree.n_node_samples))[:, None]


def _expected(rows: NDArray[Any]) -> _Floats:
    """Mean cuts that set one of so many rows apart (Liu et al., equation 1)."""
    many = np.maximum(rows.astype(np.float64), 3)
    found = 2 * (np.log(many - 1) + np.euler_gamma) - 2 * (many - 1) / many
    return np.where(rows > 2, found, np.where(rows == 2, 1.0, 0.0))
