"""Models of remaining life as a share of the cap: boosted trees, and networks of the backbones.

Letters in shapes: N windows, F features, T readings that a network sees, C channels.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.convert import network_to_onnx
from industry_apps.features import GraphBuilder
from industry_apps.recipes.networks import forward
from industry_apps.recipes.trees import TreeOptions, check_grown, grown, write_mean_margin
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

NetworkKind = Literal["tcn", "gru", "patch"]
Inputs = Mapping[str, NDArray[Any]]
_Floats = NDArray[np.float64]

#: Readings of a patch, and from one to the next.
_PATCH = 5


class LifeModel(Protocol):
    """What learns the share of the cap that is left."""

    #: The tensor of the feature graph that it takes.
    takes: str

    def fit(self, inputs: NDArray[np.float32], target: _Floats, weight: _Floats) -> None:
        """Learn from windows."""

    def predict(self, inputs: NDArray[np.float32]) -> _Floats:
        """Share of the cap -> [N]."""

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> str:
        """Append the model to a graph -> tensor [batch, 1]."""


class TreeLife:
    """Gradient-boosted trees of the statistics of a window.

    Parameters
    ----------
    options : TreeOptions

    References
    ----------
    Ke et al. 2017, "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS.
    """

    takes = "rows"

    def __init__(self, options: TreeOptions) -> None:
        self.options = options

    def fit(self, inputs: NDArray[np.float32], target: _Floats, weight: _Floats) -> None:
        """Grow all rounds, by the squared error."""
        import lightgbm as lgb

        data = lgb.Dataset(
            inputs, target, weight=weight, params={"verbosity": -1}, free_raw_data=False
        )
        bags = self.options.bagged()
        self.boosters_ = [grown(data, each, {"objective": "regression"}) for each in bags]
        check_grown(self.boosters_, self.options, len(target))

    def predict(self, inputs: NDArray[np.float32]) -> _Floats:
        """Share of the cap -> [N]."""
        answers = [booster.predict(inputs, raw_score=True) for booster in self.boosters_]
        mean: _Floats = np.mean(answers, axis=0)
        return mean

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> str:
        """Append the boosters to a graph -> tensor [batch, 1]."""
        return write_mean_margin(builder, self.boosters_, tensors[self.takes])


class NetworkLife:
    """A network of the last readings.

    Parameters
    ----------
    kind : {"tcn", "gru", "patch"}
        Temporal convolutions, gated recurrent units with attention, or a transformer of patches.
    options : TrainingOptions
    """

    takes = "channels"

    def __init__(self, kind: NetworkKind, options: TrainingOptions) -> None:
        self.kind = kind
        self.options = options

    def fit(self, inputs: NDArray[np.float32], target: _Floats, weight: _Floats) -> None:
        """Learn for all epochs, by the squared error: the learning rate falls to zero."""
        from industry_apps.training import fit_network, seeded

        with seeded(self.options.seed):
            self.network_ = self._made(*inputs.shape[1:])
        rows = (inputs, target.astype(np.float32), weight.astype(np.float32))
        self.history_ = fit_network(self.network_, rows, None, _squared_error, self.options)
        self._shape = inputs.shape[1:]

    def _made(self, steps: int, channels: int) -> torch.nn.Module:
        from industry_apps.backbones import AttentiveGRU, PatchTransformer, TemporalConvNet

        if self.kind == "gru":
            return AttentiveGRU(channels)
        if self.kind == "patch":
            patch = min(_PATCH, steps)
            return PatchTransformer(channels, steps, patch=patch, stride=patch, dropout=0.2)
        levels = max(1, int(np.ceil(np.log2(steps / 4 + 1))))
        return TemporalConvNet(channels, levels=levels, dropout=0.2)

    def predict(self, inputs: NDArray[np.float32]) -> _Floats:
        """Share of the cap -> [N]."""
        return forward(self.network_, (inputs,))

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> str:
        """Append the network to a graph -> tensor [batch, 1]."""
        import torch

        example = (torch.zeros(3, *self._shape),)
        # The newer exporter has no recurrent units of a batch that is not known.
        model = network_to_onnx(self.network_, example, [self.takes], dynamo=self.kind != "gru")
        return builder.append(model, {self.takes: tensors[self.takes]})["output"]


def _squared_error(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    inputs, target, weight = batch
    return (weight * (network(inputs)[:, 0] - target).square()).sum() / weight.sum()
