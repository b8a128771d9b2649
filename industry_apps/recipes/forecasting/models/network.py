"""A network among the models of scaled windows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.backbones.window_spec import NetworkSpec
from industry_apps.features import GraphBuilder
from industry_apps.recipes.forecasting.models.networks import (
    TUTORIAL_OPTIONS,
    TUTORIAL_SIZE,
    WindowNetwork,
    WindowTensors,
)
from industry_apps.recipes.forecasting.models.scaled import ScaledWindows, check_outcomes
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    from industry_apps.backbones.forecasters import Kind


class NetworkQuantiles:
    """A network on the pinball loss of all quantiles.

    Parameters
    ----------
    kind : {"tft", "nhits", "patch", "tcn", "dlinear"}
    quantiles : sequence of float
    cardinalities : sequence of int
        Codes of each static category.
    options : TrainingOptions, optional
        None: untuned, with the sizes and the training of the tutorial of pytorch-forecasting.
    seed : int
    """

    def __init__(
        self,
        kind: Kind,
        quantiles: Sequence[float],
        cardinalities: Sequence[int],
        options: TrainingOptions | None,
        seed: int = 0,
    ) -> None:
        self.kind = kind
        self.quantiles = tuple(quantiles)
        self.cardinalities = tuple(cardinalities)
        self.options = replace(options or TUTORIAL_OPTIONS, seed=seed)
        self.size = TUTORIAL_SIZE if options is None else None

    def fit(self, train: ScaledWindows, held_out: ScaledWindows) -> None:
        """Learn; the windows held out decide when to stop."""
        check_outcomes(int((~np.isnan(train.target)).sum()))
        parts = [_tensors(each.inputs, each.target) for each in (train, held_out)]
        spec = NetworkSpec(
            length=train.inputs["past"].shape[1],
            horizon=train.target.shape[1],
            past_channels=train.inputs["past"].shape[2],
            known_channels=train.inputs["known"].shape[2],
            cardinalities=self.cardinalities,
            quantiles=self.quantiles,
        )
        self._network = WindowNetwork(self.kind, spec, self.options, size=self.size)
        self._network.fit(*parts)

    def refit(self, every: ScaledWindows) -> None:
        """Learn again from all windows, for as many epochs as were found good."""
        self._network.refit(_tensors(every.inputs, every.target))

    def forecast(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Scaled quantiles -> [N, H, Q]."""
        return self._network.forecast(_tensors(inputs))

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> str:
        """Append the network to a graph -> tensor [batch, H, Q]."""
        return self._network.write(builder, tensors)


def _tensors(
    inputs: Mapping[str, NDArray[Any]], target: NDArray[np.float32] | None = None
) -> WindowTensors:
    return WindowTensors(inputs["past"], inputs["known"], inputs["codes"], target)
