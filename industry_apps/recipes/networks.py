"""Networks that give a record its margin: supervised ones, and one of ordinary records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.convert import network_to_onnx
from industry_apps.features import FeatureGraph, GraphBuilder, dense_encoders, network_encoders
from industry_apps.features.sources import Source
from industry_apps.recipes.scorers import Arrays, Labelled
from industry_apps.schema import Schema
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

#: Rows of one forward pass outside training.
_ROWS_A_PASS = 16_384
#: Added to a reconstruction error before its logarithm.
_SMALLEST_ERROR = 1e-6


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
        self._plan = self.features = FeatureGraph(schema, network_encoders(schema, derived))
        self.backbone = backbone
        self.options = options

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn; validation data decide when to stop."""
        from industry_apps.backbones import FTTransformer, TabularMLP
        from industry_apps.training import fit_network, seeded

        self.features = self._plan.learn(train.arrays)
        network_class = TabularMLP if self.backbone == "mlp" else FTTransformer
        with seeded(self.options.seed):
            self.network_ = network_class(len(self.features.names), self.features.cardinalities)
        parts = [
            None
            if part is None
            else (
                *self._tensors(part.arrays),
                part.target.astype(np.float32),
                _weights(part).astype(np.float32),
            )
            for part in (train, validation)
        ]
        self.history_ = fit_network(self.network_, parts[0], parts[1], _cross_entropy, self.options)

    def refit(self, every: Labelled) -> None:
        """Learn again from more data, for as many epochs as were found good."""
        self.options = self.options.for_epochs(self.history_.best_epoch)
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score records as the trained model does -> [rows]."""
        return forward(self.network_, self._tensors(arrays))

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
        """None: a network has no split thresholds."""
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
        self._plan = self.features = FeatureGraph(schema, dense_encoders(schema, derived))
        self.options = options

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn from the ordinary records; validation data decide when to stop."""
        from industry_apps.backbones import DenoisingAutoencoder, ReconstructionError
        from industry_apps.training import fit_network, seeded

        ordinary = _ordinary(train)
        self.features = self._plan.learn(ordinary)
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
        self.options = self.options.for_epochs(self.history_.best_epoch)
        self.fit(every, None)

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score records as the trained model does -> [rows]."""
        error = forward(self.network_, (self.features.run(arrays)["numeric"],))
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
        """None: a network has no split thresholds."""
        return {}


def _weights(part: Labelled) -> NDArray[np.float64]:
    return np.ones(len(part.target)) if part.weight is None else part.weight


def _ordinary(part: Labelled) -> Arrays:
    return {name: values[~part.target] for name, values in part.arrays.items()}


def _cross_entropy(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits

    *inputs, target, weight = batch
    return binary_cross_entropy_with_logits(network(*inputs)[:, 0], target, weight)


def _restoration(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return (network(batch[0]) - batch[0]).square().mean()


def forward(network: torch.nn.Module, tensors: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
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
    return builder.cast(builder.part(tensor, 0, 0), dtype)
