"""Which columns raise a model's answer, read off trees that imitate the model.

Any model can be asked: trees learn its margin, and the path of a record through them says what
each column adds to or takes from the mean answer. How well they imitate is measured on records
that they have not learned from, and stands beside the reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.attributions import PathContributions
from industry_apps.export.convert import with_float32_thresholds
from industry_apps.features import FeatureGraph, GraphBuilder, tree_encoders
from industry_apps.features.sources import Source
from industry_apps.recipes.scorers import Arrays
from industry_apps.recipes.trees import TreeOptions, thresholds_of
from industry_apps.schema import Schema

#: Trees of the imitation: few and small, as each leaf holds a number for each column.
_TREES = TreeOptions(rounds=150, learning_rate=0.1, num_leaves=12, feature_fraction=0.7)


class TreeReasons:
    """Trees that imitate a margin, and name the columns that raise it most.

    Parameters
    ----------
    schema : Schema
        The raw columns that the model sees.
    count : int
        Columns that are named for each record, >= 1.
    derived : tuple of Source
        Numbers computed from columns; they count for their first column.

    References
    ----------
    Craven and Shavlik 1996, "Extracting tree-structured representations of trained networks",
    NIPS 8; Saabas 2014, as in :mod:`industry_apps.export.attributions`.
    """

    def __init__(self, schema: Schema, count: int, derived: tuple[Source, ...] = ()) -> None:
        self._plan = self.features = FeatureGraph(schema, tree_encoders(schema, derived))
        self.count = min(count, len(schema.inputs()))

    def fit(
        self,
        margin: Callable[[Arrays], NDArray[np.float64]],
        known: Arrays,
        unseen: Arrays,
        *,
        seed: int = 0,
    ) -> TreeReasons:
        """Learn to imitate a margin, a function of raw columns of shape [rows] -> [rows].

        Parameters
        ----------
        margin : callable
        known : mapping of str to ndarray of shape [rows]
            To learn from.
        unseen : mapping of str to ndarray of shape [rows]
            To measure ``fidelity_`` on: the share of the margin's variance that is imitated.
        seed : int
        """
        import lightgbm as lgb

        self.features = self._plan.learn(known)
        rows, target = self.features.run(known)["numeric"], margin(known)
        self.columns_ = sorted(set(self.features.origins))
        groups = [self.columns_.index(origin) for origin in self.features.origins]
        settings = {**_TREES.parameters(), "objective": "regression", "seed": seed}
        data = lgb.Dataset(rows, target, params={"verbosity": -1})
        booster = with_float32_thresholds(
            lgb.train(settings, data, _TREES.rounds, keep_training_booster=True)
        )
        self.contributions_ = PathContributions(booster, groups)
        wanted, found = margin(unseen), booster.predict(self.features.run(unseen)["numeric"])
        spread = float(np.var(wanted))
        self.fidelity_ = 1 - float(np.mean((wanted - found) ** 2)) / spread if spread else 1.0
        return self

    def apply(self, arrays: Arrays) -> NDArray[np.object_]:
        """Columns that raise the margin most, falling -> [rows, count]; "" where no more do."""
        found = self.contributions_.apply(self.features.run(arrays)["numeric"])
        order = np.argsort(-found, axis=1, kind="stable")[:, : self.count]
        named = np.array(self.columns_, dtype=object)[order]
        return np.where(np.take_along_axis(found, order, axis=1) > 0, named, "")

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append the reasons to a graph -> string tensor [batch, count]."""
        rows = self.features.write(builder, inputs)["numeric"]
        found = builder.append(self.contributions_.to_onnx(), {"features": rows})["margin"]
        values, places = builder.largest(found, self.count)
        named = builder.node(
            "Gather", builder.constant(np.array(self.columns_, dtype=object)), places
        )
        raises = builder.node("Greater", values, builder.constant(np.float32(0)))
        return builder.node(
            "Where", raises, named, builder.constant(np.array([[""]], dtype=object))
        )

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the reasons turn."""
        return thresholds_of(self.features, [self.contributions_.booster])

    def note(self, margin: str) -> str:
        """How well the reasons fit the model, in words; ``margin`` names what they imitate."""
        return (
            "Reasons come from trees that imitate the model; they share "
            f"{self.fidelity_:.0%} of the variance of its {margin} on records that they have not "
            "learned from."
        )


def with_reasons(outputs: Schema, reasons: TreeReasons | None) -> Schema:
    """Outputs whose column ``reasons`` has as many values as are named; without it for none."""
    if reasons is None:
        return outputs.without(["reasons"])
    return Schema(tuple(c.in_lists(reasons.count) if c.name == "reasons" else c for c in outputs))
