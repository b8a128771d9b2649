"""Models of single records: unlike normal ones, or trees that are told how unlike they are.

Letters: N records, D numbers that a record becomes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.export.convert import split_thresholds
from industry_apps.features import FeatureGraph, GraphBuilder, range_encoders, tree_encoders
from industry_apps.recipes.anomaly.scorers import Scorer as Unlike
from industry_apps.recipes.scorers import Arrays, Labelled, part_of
from industry_apps.recipes.trees import (
    TreeOptions,
    check_grown,
    grown,
    write_mean_margin,
)
from industry_apps.schema import Schema
from industry_apps.schema.offsets import plus_offset

__all__ = ["ResidualTrees", "UnlikeNormal"]

_Floats = NDArray[np.float64]

#: Scores that are smaller are alike: the logarithm of a distance of 0.
_LEAST = 1e-6
#: Rows of normal records that a distance is learned from, at least.
_FEWEST = 10


class UnlikeNormal:
    """How unlike the normal records one is; nothing is learned from others.

    Numbers are shares of the range of their logarithm, categories a column each: another category
    is as far as the whole range in each of two columns. The margin is the logarithm of the score.

    Parameters
    ----------
    schema : Schema
    learn : callable
        Normal rows [N, 1, D] -> what scores others.
    """

    def __init__(self, schema: Schema, learn: Callable[[_Floats], Unlike]) -> None:
        self._plan = self.features = FeatureGraph(schema, range_encoders(schema))
        self._learn = learn

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn from the records that are not positive."""
        del validation
        normal = part_of(train, np.flatnonzero(~train.target))
        if len(normal.target) < _FEWEST:
            raise TrainingError(
                f"{len(normal.target)} records are normal traffic, and {_FEWEST} are needed to "
                "learn from. Give more of them."
            )
        self.features = self._plan.learn(normal.arrays)
        self.scorer_ = self._learn(self._rows(normal.arrays))

    def refit(self, every: Labelled) -> None:
        """Learn again from more records."""
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> _Floats:
        """Score records as the trained model does -> [N]."""
        rows = self._rows(arrays)
        if not len(rows):
            return np.zeros(0)
        score, _ = self.scorer_.score(rows)
        return np.log(np.maximum(score, 0.0) + _LEAST)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> float32 [batch, 1]."""
        node, constant = builder.node, builder.constant
        numbers = self.features.write(builder, inputs)["numeric"]
        rows = node("Unsqueeze", builder.cast(numbers, np.float64), constant(np.array([1])))
        score, _ = self.scorer_.write(builder, rows)
        known = node("Max", score, constant(np.float64(0)))
        return builder.cast(
            node("Log", node("Add", known, constant(np.float64(_LEAST)))), np.float32
        )

    def thresholds(self) -> dict[str, list[float]]:
        """None: a score has no steps that matter."""
        return {}

    def _rows(self, arrays: Arrays) -> _Floats:
        return self.features.run(arrays)["numeric"].astype(np.float64)[:, None]


class ResidualTrees:
    """Gradient-boosted trees of the columns, and of how unlike normal records one is.

    In training, the distance of a normal record is that to the other half of the normal ones.

    Parameters
    ----------
    schema : Schema
    options : TreeOptions
    unlike : callable
        Makes the model of the distance.
    """

    def __init__(
        self, schema: Schema, options: TreeOptions, unlike: Callable[[], UnlikeNormal]
    ) -> None:
        encoders = tree_encoders(schema, one_hot=options.one_hot)
        self._plan = self.features = FeatureGraph(schema, encoders)
        self.options, self._make = options, unlike

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn; validation data decide when to stop, if patience is not 0."""
        import lightgbm as lgb

        self.features = self._plan.learn(train.arrays)
        self.unlike_ = self._make()
        self.unlike_.fit(train, None)
        rows = self._beside(train.arrays, self._held_out_distance(train))
        data = lgb.Dataset(rows, train.target, params={"verbosity": -1})
        held_out = None
        if self.options.patience and validation is not None:
            distance = self.unlike_.margin(validation.arrays)
            held_out = data.create_valid(
                self._beside(validation.arrays, distance), validation.target
            )
        self.boosters_ = [
            grown(data, each, {}, held_out=held_out) for each in self.options.bagged()
        ]
        check_grown(self.boosters_, self.options, len(train.target))

    def refit(self, every: Labelled) -> None:
        """Learn again from more data, with as many trees as were found good."""
        self.options = self.options.regrown(self.boosters_)
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> _Floats:
        """Score records as the trained model does -> [N]."""
        rows = self._beside(arrays, self.unlike_.margin(arrays))
        margins = [booster.predict(rows, raw_score=True) for booster in self.boosters_]
        mean: _Floats = np.mean(margins, axis=0)
        return mean

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features, distance and trees to a graph -> [batch, 1]."""
        columns = self.features.write(builder, inputs)["numeric"]
        distance = self.unlike_.write(builder, inputs)
        return write_mean_margin(builder, self.boosters_, builder.concat([columns, distance]))

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> split thresholds."""
        found: dict[str, list[float]] = {}
        for booster in self.boosters_:
            for name, values in zip(
                self.features.names, split_thresholds(booster)[:-1], strict=True
            ):
                if name in self.features.schema:
                    raw = plus_offset(np.array(values), self.features.schema[name].offset)
                    found.setdefault(name, []).extend(raw.tolist())
        return found

    def _beside(self, arrays: Arrays, distance: _Floats) -> NDArray[np.float32]:
        columns = self.features.run(arrays)["numeric"]
        return np.column_stack([columns, distance.astype(np.float32)])

    def _held_out_distance(self, train: Labelled) -> _Floats:
        """The distance of each record to normal ones that it is not among."""
        half = np.zeros(len(train.target), dtype=np.int64)
        normal = np.flatnonzero(~train.target)
        half[normal] = np.arange(len(normal)) % 2
        found = np.empty(len(train.target))
        for place in (0, 1):
            others = self._make()
            others.fit(part_of(train, np.flatnonzero(~train.target & (half != place))), None)
            asked = np.flatnonzero(half == place)
            found[asked] = others.margin(part_of(train, asked).arrays)
        return found


def constant_score(margin: NDArray[Any], what: str) -> None:
    """Refuse scores that are all the same.

    Parameters
    ----------
    margin : ndarray of shape [N]
    what : str
        Whose scores they are.

    Raises
    ------
    TrainingError
    """
    if len(margin) and not np.ptp(margin) > 0:
        raise TrainingError(
            f"Each of {len(margin)} records gets the same score from {what}: it tells nothing. "
            "Give columns that vary in normal traffic, or another model."
        )
