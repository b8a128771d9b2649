"""A random survival forest whose leaves hold cumulative hazards, written as one node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import require
from industry_apps.export.ensembles import forest_thresholds, forest_to_onnx
from industry_apps.features import FeatureGraph, GraphBuilder, tree_encoders
from industry_apps.recipes.scorers import Arrays
from industry_apps.recipes.survival.curve import lived_and_ended
from industry_apps.recipes.survival.models import Followed
from industry_apps.runtime.progress import tracked
from industry_apps.schema import Schema
from industry_apps.schema.offsets import plus_offset

#: Leaves of a tree, about, at most.
_MOST_LEAVES = 400


class SurvivalForest:
    """Trees grown on resamples of the rows by log-rank tests; the mean of their hazards.

    scikit-survival grows the trees. A leaf holds the cumulative hazard of its rows at the
    edges, and the forest answers with the mean over the trees, which is a sum of leaves: the
    node for ensembles of trees writes it exactly. A test compares numbers of events by
    interval of the grid, which is fast, and no worse where each holds events.

    Parameters
    ----------
    schema : Schema
    edges : ndarray of shape [K]
        Ends of the intervals, rising, above 0.
    trees : int
    leaf : int
        Rows of a leaf, at least; of many rows more, so that the file stays small.
    columns : float
        Share of the columns that are tried at a split, in (0, 1].
    seed : int

    References
    ----------
    Ishwaran et al. 2008, "Random survival forests", doi:10.1214/08-AOAS169.
    """

    def __init__(
        self,
        schema: Schema,
        edges: NDArray[np.float64],
        *,
        trees: int = 100,
        leaf: int = 15,
        columns: float = 0.5,
        seed: int = 0,
    ) -> None:
        self._plan = self.features = FeatureGraph(schema, tree_encoders(schema))
        self.edges = edges
        self.trees = trees
        self.leaf = leaf
        self.columns = columns
        self.seed = seed

    def fit(self, train: Followed, validation: Followed | None) -> None:
        """Learn; nothing is decided on validation data.

        Raises
        ------
        MissingExtraError
        """
        tree, util = (
            require(f"sksurv.{name}", extra="healthcare", needed_by="a random survival forest")
            for name in ("tree", "util")
        )
        self.features = self._plan.learn(train.arrays)
        rows = self._rows(train.arrays)
        interval = np.searchsorted(self.edges, train.follow_up.time) + 1.0
        target = util.Surv.from_arrays(train.follow_up.event, interval)
        lived, ended = lived_and_ended(train.follow_up, self.edges)
        draw = np.random.default_rng(self.seed)
        self.trees_, self.hazards_ = [], []
        for _ in tracked(range(self.trees), "growing trees"):
            drawn = draw.integers(len(rows), size=len(rows))
            grown = tree.SurvivalTree(
                min_samples_leaf=max(self.leaf, len(rows) // _MOST_LEAVES),
                max_features=self.columns,
                low_memory=True,  # the curves of its leaves are ours
                random_state=int(draw.integers(2**31)),
            )
            self.trees_.append(grown.fit(rows[drawn], target[drawn]).tree_)
            leaves = self.trees_[-1].apply(rows[drawn])
            size = self.trees_[-1].node_count
            self.hazards_.append(_hazards(leaves, lived[drawn], ended[drawn], size))

    def refit(self, every: Followed) -> None:
        """Learn again from more data."""
        self.fit(every, None)

    def log_survival(self, arrays: Arrays) -> NDArray[np.float64]:
        """Logarithm of the survival curve at the edges -> [rows, K]."""
        rows = self._rows(arrays)
        found = np.zeros((len(rows), len(self.edges)))
        for tree, hazards in zip(self.trees_, self.hazards_, strict=True):
            found -= hazards[tree.apply(rows)]
        return found / len(self.trees_)

    def _rows(self, arrays: Arrays) -> NDArray[np.float32]:
        rows: NDArray[np.float32] = self.features.run(arrays)["numeric"]
        return rows

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and forest to a graph -> tensor [batch, K]."""
        share = [-hazards / len(self.trees_) for hazards in self.hazards_]
        model = forest_to_onnx(self.trees_, share, len(self.features.names))
        rows = self.features.write(builder, inputs)["numeric"]
        return builder.append(model, {"features": rows})["margin"]

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> split thresholds."""
        names = self.features.names
        found = zip(names, forest_thresholds(self.trees_, len(names)), strict=True)
        schema = self.features.schema
        return {
            name: plus_offset(np.array(values), schema[name].offset).tolist()
            for name, values in found
            if name in schema
        }


def _hazards(
    leaves: NDArray[np.intp], lived: NDArray[Any], ended: NDArray[Any], nodes: int
) -> NDArray[np.float64]:
    """Cumulative hazard of the rows of each node [nodes, K], the share that had the event."""
    events, spared = (np.zeros((nodes, lived.shape[1])) for _ in range(2))
    np.add.at(events, leaves, ended)
    np.add.at(spared, leaves, lived)
    share = np.divide(events, events + spared, out=np.zeros_like(events), where=events > 0)
    return share.cumsum(axis=1)
