"""Models that give a record a margin: the higher, the more likely the answer is yes.

Each holds its feature graph, learns from arrays of raw columns, and writes itself into a
graph, so that a recipe can hold one of them or several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.convert import (
    network_to_onnx,
    split_thresholds,
    trees_to_onnx,
    with_float32_thresholds,
)
from industry_apps.features import (
    FeatureGraph,
    GraphBuilder,
    Source,
    dense_encoders,
    network_encoders,
    tree_encoders,
)
from industry_apps.limits import NOT_NEGATIVE, SHARE, Limit, check_limits, integer
from industry_apps.schema import Schema
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

Arrays = Mapping[str, NDArray[Any]]

#: Rows of one forward pass outside training.
_ROWS_A_PASS = 16_384
#: Added to a reconstruction error before its logarithm.
_SMALLEST_ERROR = 1e-6


@dataclass(frozen=True, slots=True)
class Labelled:
    """Records with their answers.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [rows]
        Raw columns as :meth:`Schema.to_arrays` makes them.
    target : ndarray of bool of shape [rows]
    """

    arrays: Arrays
    target: NDArray[np.bool_]


def joined(first: Labelled, second: Labelled) -> Labelled:
    """Both, one after the other."""
    return Labelled(
        {name: np.concatenate([first.arrays[name], second.arrays[name]]) for name in first.arrays},
        np.concatenate([first.target, second.target]),
    )


class Scorer(Protocol):
    """What a decision recipe needs of a model."""

    @property
    def features(self) -> FeatureGraph:
        """The fitted feature graph."""
        ...

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn; validation data decide when to stop."""
        ...

    def refit(self, every: Labelled) -> None:
        """Learn again from more data, for as long as was found good."""
        ...

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score records as the trained model does -> [rows]."""
        ...

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        ...

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the answer turns, for the parity check."""
        ...


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
    l2 : float
        Penalty on leaf values.
    patience : int
        Trees without a better validation loss after which to stop; 0 grows all.
    seed : int
    """

    rounds: int = 400
    learning_rate: float = 0.04
    num_leaves: int = 8
    min_child_samples: int = 10
    feature_fraction: float = 0.5
    l2: float = 1.0
    patience: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)

    def parameters(self) -> dict[str, Any]:
        """The settings under LightGBM's names."""
        return {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_child_samples": self.min_child_samples,
            "feature_fraction": self.feature_fraction,
            "lambda_l2": self.l2,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 0,
            "verbosity": -1,
        }


_LIMITS: dict[str, Limit] = {
    "rounds": integer(1),
    "learning_rate": SHARE,
    "num_leaves": integer(2),
    "min_child_samples": integer(0),
    "feature_fraction": SHARE,
    "l2": NOT_NEGATIVE,
    "patience": integer(0),
    "seed": integer(0),
}


class TreeScorer:
    """Gradient-boosted trees; the margin is the log-odds.

    Parameters
    ----------
    schema : Schema
    derived : sequence of Source
    options : TreeOptions

    References
    ----------
    Ke et al. 2017, "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS.
    """

    def __init__(self, schema: Schema, derived: Sequence[Source], options: TreeOptions) -> None:
        self.features = FeatureGraph(schema, tree_encoders(schema, derived))
        self.options = options

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn; validation data decide when to stop, if patience is not 0."""
        import lightgbm as lgb

        self.features = self.features.learn(train.arrays)
        data = lgb.Dataset(
            self.features.run(train.arrays)["numeric"], train.target, params={"verbosity": -1}
        )
        held_out, callbacks = [], []
        if self.options.patience and validation is not None:
            rows = self.features.run(validation.arrays)["numeric"]
            held_out = [data.create_valid(rows, validation.target)]
            callbacks = [lgb.early_stopping(self.options.patience, verbose=False)]
        booster = lgb.train(
            self.options.parameters(),
            data,
            self.options.rounds,
            valid_sets=held_out,
            callbacks=callbacks,
        )
        self.booster_ = with_float32_thresholds(booster)

    def refit(self, every: Labelled) -> None:
        """Learn again from more data, with as many trees as were found good."""
        self.options = replace(self.options, rounds=self.booster_.num_trees(), patience=0)
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score records as the trained model does -> [rows]."""
        return self.booster_.predict(self.features.run(arrays)["numeric"], raw_score=True)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        rows = self.features.write(builder, inputs)["numeric"]
        return builder.append(trees_to_onnx(self.booster_), {"features": rows})["margin"]

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> split thresholds."""
        found = dict(zip(self.features.names, split_thresholds(self.booster_), strict=True))
        return {name: values for name, values in found.items() if name in self.features.schema}


class NetworkScorer:
    """A tabular network trained on the cross-entropy; the margin is the log-odds.

    Parameters
    ----------
    schema : Schema
    derived : sequence of Source
    backbone : {"mlp", "transformer"}
    options : TrainingOptions
    """

    def __init__(
        self,
        schema: Schema,
        derived: Sequence[Source],
        backbone: Literal["mlp", "transformer"],
        options: TrainingOptions,
    ) -> None:
        self.features = FeatureGraph(schema, network_encoders(schema, derived))
        self.backbone = backbone
        self.options = options

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn; validation data decide when to stop."""
        from industry_apps.backbones import FTTransformer, TabularMLP
        from industry_apps.training import fit_network, seeded

        self.features = self.features.learn(train.arrays)
        network_class = TabularMLP if self.backbone == "mlp" else FTTransformer
        with seeded(self.options.seed):
            self.network_ = network_class(len(self.features.names), self.features.cardinalities)
        parts = [
            None if part is None else (*self._tensors(part.arrays), part.target.astype(np.float32))
            for part in (train, validation)
        ]
        self.history_ = fit_network(self.network_, parts[0], parts[1], _cross_entropy, self.options)

    def refit(self, every: Labelled) -> None:
        """Learn again from more data, for as many epochs as were found good."""
        self.options = replace(self.options, max_epochs=self.history_.best_epoch)
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score records as the trained model does -> [rows]."""
        return _forward(self.network_, self._tensors(arrays))

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        import torch

        names = ["numeric", "codes"]
        example = (
            torch.zeros(2, len(self.features.names)),
            torch.zeros(2, len(self.features.cardinalities), dtype=torch.int64),
        )
        model = network_to_onnx(self.network_, example, names)
        tensors = self.features.write(builder, inputs)
        some = next(iter(tensors.values()))
        for name, dtype in zip(names, (np.float32, np.int64), strict=True):
            if name not in tensors:
                tensors[name] = _no_columns(builder, some, dtype)
        return builder.append(model, {name: tensors[name] for name in names})["output"]

    def thresholds(self) -> dict[str, list[float]]:
        """A network turns nowhere in particular."""
        return {}

    def _tensors(self, arrays: Arrays) -> tuple[NDArray[Any], NDArray[Any]]:
        tensors = self.features.run(arrays)
        rows = len(next(iter(tensors.values())))
        numeric = tensors.get("numeric", np.empty((rows, 0), dtype=np.float32))
        return numeric, tensors.get("codes", np.empty((rows, 0), dtype=np.int64))


class AutoencoderScorer:
    """A denoising autoencoder of ordinary records; the margin is the log of its error.

    It learns from the records whose answer is no, and needs no others.

    Parameters
    ----------
    schema : Schema
    derived : sequence of Source
    options : TrainingOptions
    """

    def __init__(self, schema: Schema, derived: Sequence[Source], options: TrainingOptions) -> None:
        self.features = FeatureGraph(schema, dense_encoders(schema, derived))
        self.options = options

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn from the ordinary records; validation data decide when to stop."""
        from industry_apps.backbones import DenoisingAutoencoder, ReconstructionError
        from industry_apps.training import fit_network, seeded

        ordinary = _ordinary(train)
        self.features = self.features.learn(ordinary)
        rows = self.features.run(ordinary)["numeric"]
        held_out = None
        if validation is not None:
            held_out = (self.features.run(_ordinary(validation))["numeric"],)
        with seeded(self.options.seed):
            autoencoder = DenoisingAutoencoder(rows.shape[1])
        self.history_ = fit_network(autoencoder, (rows,), held_out, _restoration, self.options)
        self.network_ = ReconstructionError(autoencoder)

    def refit(self, every: Labelled) -> None:
        """Learn again from more data, for as many epochs as were found good."""
        self.options = replace(self.options, max_epochs=self.history_.best_epoch)
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score records as the trained model does -> [rows]."""
        error = _forward(self.network_, (self.features.run(arrays)["numeric"],))
        return np.log(error + _SMALLEST_ERROR)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        import torch

        model = network_to_onnx(
            self.network_, (torch.zeros(2, len(self.features.names)),), ["numeric"]
        )
        numeric = self.features.write(builder, inputs)["numeric"]
        error = builder.append(model, {"numeric": numeric})["output"]  # [batch]
        column = builder.node("Unsqueeze", error, builder.constant(np.array([1])))
        return builder.node(
            "Log", builder.node("Add", column, builder.constant(np.float32(_SMALLEST_ERROR)))
        )

    def thresholds(self) -> dict[str, list[float]]:
        """A network turns nowhere in particular."""
        return {}


def _ordinary(part: Labelled) -> Arrays:
    return {name: values[~part.target] for name, values in part.arrays.items()}


def _cross_entropy(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits

    *inputs, target = batch
    return binary_cross_entropy_with_logits(network(*inputs)[:, 0], target)


def _restoration(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return (network(batch[0]) - batch[0]).square().mean()


def _forward(network: torch.nn.Module, tensors: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """One value for each row -> [rows], in passes of bounded memory."""
    import torch

    rows = len(tensors[0])
    with torch.inference_mode():
        passes = [
            network(*(torch.from_numpy(t[start : start + _ROWS_A_PASS]) for t in tensors))
            for start in range(0, max(rows, 1), _ROWS_A_PASS)
        ]
    return torch.cat(passes).reshape(rows).double().numpy()


def _no_columns(builder: GraphBuilder, tensor: str, dtype: type) -> str:
    """A tensor of shape [batch, 0]."""
    zero, one = builder.constant(np.array([0])), builder.constant(np.array([1]))
    return builder.cast(builder.node("Slice", tensor, zero, zero, one), dtype)
