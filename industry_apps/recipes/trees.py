"""Gradient-boosted trees that give a record its margin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.export.convert import split_thresholds, trees_to_onnx, with_float32_thresholds
from industry_apps.features import FeatureGraph, GraphBuilder, tree_encoders
from industry_apps.features.sources import Source
from industry_apps.limits import NOT_NEGATIVE, SHARE, check_parameters, integer
from industry_apps.recipes.scorers import NO_DIRECTIONS, Arrays, Labelled
from industry_apps.runtime.progress import Steps
from industry_apps.schema import Schema
from industry_apps.schema.offsets import plus_offset

if TYPE_CHECKING:
    import lightgbm as lgb

#: Seeds of averaged boosters lie so far apart, so that those of repeats do not meet.
SEEDS_APART = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeOptions:
    """Settings of gradient-boosted trees.

    Parameters
    ----------
    rounds : int
        Trees of a booster, at most.
    learning_rate : float
        In (0, 1].
    num_leaves : int
        Leaves of a tree, at least 2.
    min_child_samples : int
        Rows of a leaf, at least.
    feature_fraction : float
        Share of the columns that a tree sees, in (0, 1].
    bagging_fraction : float
        Share of the rows that a tree sees, in (0, 1].
    l2 : float
        Penalty on leaf values.
    bags : int
        Boosters of different seeds whose margins are averaged.
    one_hot : int
        Categories of up to so many levels get a column for each; others the rank of their
        level, or a column each if they are few and have no order.
    patience : int
        Trees without a better validation loss after which to stop; 0 grows all.
    seed : int
    """

    rounds: Annotated[int, integer(1)] = 150
    learning_rate: Annotated[float, SHARE] = 0.08
    num_leaves: Annotated[int, integer(2)] = 8
    min_child_samples: Annotated[int, integer(0)] = 10
    feature_fraction: Annotated[float, SHARE] = 0.5
    bagging_fraction: Annotated[float, SHARE] = 1.0
    l2: Annotated[float, NOT_NEGATIVE] = 1.0
    bags: Annotated[int, integer(1, 100)] = 1
    one_hot: Annotated[int, integer(0)] = 0
    patience: Annotated[int, integer(0)] = 0
    seed: Annotated[int, integer(0)] = 0

    def __post_init__(self) -> None:
        check_parameters(self)

    def bagged(self) -> list[TreeOptions]:
        """Settings of each booster that is averaged: the same, with a seed of its own."""
        return [replace(self, seed=self.seed + SEEDS_APART * bag) for bag in range(self.bags)]

    def regrown(self, boosters: Sequence[lgb.Booster]) -> TreeOptions:
        """Settings to learn from more data: as many trees as were found good, all of them grown."""
        rounds = max(1, round(np.mean([booster.num_trees() for booster in boosters])))
        return replace(self, rounds=rounds, patience=0)

    def parameters(self) -> dict[str, Any]:
        """The settings under LightGBM's names."""
        return {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_child_samples": self.min_child_samples,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": int(self.bagging_fraction < 1),
            "lambda_l2": self.l2,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 0,
            "verbosity": -1,
        }


def grown(
    data: lgb.Dataset,
    options: TreeOptions,
    further: Mapping[str, Any],
    *,
    held_out: lgb.Dataset | None = None,
    loss: Callable[..., Any] | None = None,
    leaves: Callable[[NDArray[np.float64]], NDArray[np.float64]] | None = None,
) -> lgb.Booster:
    """Grow one booster, show how far it is, and round its thresholds to float32.

    Parameters
    ----------
    data : lightgbm.Dataset
    options : TreeOptions
    further : mapping
        Settings under LightGBM's names, such as the objective.
    held_out : lightgbm.Dataset, optional
        What decides when to stop, if patience is not 0.
    loss : callable, optional
        LightGBM's ``feval``.
    leaves : callable, optional
        As of :func:`industry_apps.export.convert.with_float32_thresholds`.
    """
    import lightgbm as lgb

    shown = Steps("growing trees")
    callbacks: list[Any] = [lambda now: shown.at((now.iteration + 1) / now.end_iteration)]
    if options.patience and held_out is not None:
        callbacks.append(lgb.early_stopping(options.patience, verbose=False))
    booster = lgb.train(
        {**options.parameters(), **further},
        data,
        options.rounds,
        valid_sets=None if held_out is None else [held_out],
        feval=loss,
        callbacks=callbacks,
        keep_training_booster=True,  # written as text and read again here
    )
    shown.end()
    return with_float32_thresholds(booster, leaves)


class TreeScorer:
    """Gradient-boosted trees; the margin is the log-odds.

    Parameters
    ----------
    schema : Schema
    derived : sequence of Source
    options : TreeOptions
    directions : mapping of str to int, optional
        Column or derived number -> 1 where the margin may only rise with it, -1 where it may
        only fall.

    References
    ----------
    Ke et al. 2017, "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS.
    """

    def __init__(
        self,
        schema: Schema,
        derived: Sequence[Source],
        options: TreeOptions,
        directions: Mapping[str, int] = NO_DIRECTIONS,
    ) -> None:
        encoders = tree_encoders(schema, derived, one_hot=options.one_hot)
        self._plan = self.features = FeatureGraph(schema, encoders)
        self.options = options
        self.directions = dict(directions)

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn; validation data decide when to stop, if patience is not 0."""
        import lightgbm as lgb

        self.features = self._plan.learn(train.arrays)
        data = lgb.Dataset(
            self.features.run(train.arrays)["numeric"],
            train.target,
            weight=train.weight,
            params={"verbosity": -1},
        )
        held_out = None
        if self.options.patience and validation is not None:
            rows = self.features.run(validation.arrays)["numeric"]
            held_out = data.create_valid(rows, validation.target)
        constraints = self._constraints()
        self.boosters_ = [
            grown(data, options, constraints, held_out=held_out)
            for options in self.options.bagged()
        ]
        check_grown(self.boosters_, self.options, len(train.target))

    def _constraints(self) -> dict[str, Any]:
        signs = [self.directions.get(name, 0) for name in self.features.names]
        return {"monotone_constraints": signs} if any(signs) else {}

    def refit(self, every: Labelled) -> None:
        """Learn again from more data, with as many trees as were found good."""
        self.options = self.options.regrown(self.boosters_)
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score records as the trained model does -> [rows]."""
        return mean_margin(self.features, self.boosters_, arrays)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        rows = self.features.write(builder, inputs)["numeric"]
        return write_mean_margin(builder, self.boosters_, rows)

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> split thresholds."""
        return thresholds_of(self.features, self.boosters_)


def check_grown(boosters: Sequence[lgb.Booster], options: TreeOptions, rows: int) -> None:
    """Refuse trees that give everybody the same answer.

    Parameters
    ----------
    boosters : sequence of lightgbm.Booster
    options : TreeOptions
        With which they were grown.
    rows : int
        From which they were grown.

    Raises
    ------
    TrainingError
        No tree has a split.
    """
    if not any(booster.feature_importance().any() for booster in boosters):
        raise without_split(options, rows)


def without_split(options: TreeOptions, rows: int) -> TrainingError:
    """The error of trees that found nothing to split on.

    Parameters
    ----------
    options, rows
        As of :func:`check_grown`.
    """
    return TrainingError(
        f"{rows} rows are too few for trees with {options.min_child_samples} rows in a leaf, "
        "or no column tells anything: every answer would be the same. Give more rows, or "
        "fewer rows in a leaf (trees=TreeOptions(min_child_samples=...))."
    )


def mean_margin(
    features: FeatureGraph, boosters: Sequence[lgb.Booster], arrays: Arrays
) -> NDArray[np.float64]:
    """Score records by boosters, as trained -> [rows], of several classes [rows, classes].

    Parameters
    ----------
    features : FeatureGraph
        Writes the rows of the boosters.
    boosters : sequence of lightgbm.Booster
    arrays : mapping of str to ndarray of shape [rows]
    """
    rows = features.run(arrays)["numeric"]
    margins = [booster.predict(rows, raw_score=True) for booster in boosters]
    mean: NDArray[np.float64] = np.mean(margins, axis=0)
    return mean


def write_mean_margin(builder: GraphBuilder, boosters: Sequence[lgb.Booster], rows: str) -> str:
    """Append boosters behind their rows [batch, features] -> their mean margin [batch, outputs].

    Parameters
    ----------
    builder : GraphBuilder
    boosters : sequence of lightgbm.Booster
        From :func:`industry_apps.export.convert.with_float32_thresholds`.
    rows : str
        Tensor.
    """
    margins = [
        builder.append(trees_to_onnx(booster), {"features": rows})["margin"] for booster in boosters
    ]
    return builder.node("Mean", *margins) if len(margins) > 1 else margins[0]


def thresholds_of(
    features: FeatureGraph, boosters: Sequence[lgb.Booster]
) -> dict[str, list[float]]:
    """Raw column -> values on which the routing of boosters turns.

    Parameters
    ----------
    features : FeatureGraph
    boosters : sequence of lightgbm.Booster
    """
    found: dict[str, list[float]] = {}
    for booster in boosters:
        for name, values in zip(features.names, split_thresholds(booster), strict=True):
            if name in features.schema:
                raw = plus_offset(np.array(values), features.schema[name].offset)
                found.setdefault(name, []).extend(raw.tolist())
    return found
