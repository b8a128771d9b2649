"""Models of scaled windows: quantiles of each step ahead, by trees or by a network.

Letters in shapes: N windows, H steps of the horizon, Q quantiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.forecasting.windows.nodes import reshaped
from industry_apps.recipes.trees import TreeOptions, grown, write_mean_margin

#: Fewer known steps than this tell a model nothing.
FEWEST_OUTCOMES = 100
#: Leaves are multiples of one over this.
_LEAF_STEPS = 2**18


@dataclass(frozen=True, eq=False, kw_only=True)
class ScaledWindows:
    """Windows as models take them, with what came.

    Parameters
    ----------
    inputs : mapping of str to ndarray
        Of :class:`industry_apps.recipes.forecasting.windows.graph.ForecastGraph`: ``rows`` [N x H,
        features], ``past`` [N, L, channels], ``known`` [N, L + H, channels], ``codes`` [N, C].
    target : ndarray of float32 of shape [N, H]
        Scaled; NaN where it is not known.
    weight : ndarray of shape [N]
    """

    inputs: Mapping[str, NDArray[Any]]
    target: NDArray[np.float32]
    weight: NDArray[np.float64]


class QuantileModel(Protocol):
    """What learns quantiles of scaled windows."""

    def fit(self, train: ScaledWindows, held_out: ScaledWindows) -> None:
        """Learn; the windows held out, which are later, may decide when to stop."""

    def refit(self, every: ScaledWindows) -> None:
        """Learn again from all windows, for as long as was found good."""

    def forecast(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Scaled quantiles -> [N, H, Q]."""

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> str:
        """Append the model to a graph -> tensor [batch, H, Q]."""


class TreeQuantiles:
    """Gradient-boosted trees on the rows of all windows and steps; boosters for each quantile.

    Parameters
    ----------
    horizon : int
    quantiles : sequence of float
    options : TreeOptions

    References
    ----------
    Ke et al. 2017, "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS.
    One model of many series, answering each step by a feature of its own, is what won the
    M5 competition: Makridakis, Spiliotis and Assimakopoulos (2022), "M5 accuracy
    competition: results, findings, and conclusions", IJF 38, 1346-1364,
    doi:10.1016/j.ijforecast.2021.11.013.
    """

    def __init__(self, horizon: int, quantiles: Sequence[float], options: TreeOptions) -> None:
        self.horizon = horizon
        self.quantiles = tuple(quantiles)
        self.options = options

    def fit(self, train: ScaledWindows, held_out: ScaledWindows) -> None:
        """Grow all rounds; the windows held out have no say."""
        del held_out
        self._learn(train)

    def refit(self, every: ScaledWindows) -> None:
        """Learn again from all windows."""
        self._learn(every)

    def _learn(self, train: ScaledWindows) -> None:
        import lightgbm as lgb

        target = train.target.reshape(-1)
        known = ~np.isnan(target)
        check_outcomes(int(known.sum()))
        data = lgb.Dataset(
            train.inputs["rows"][known],
            target[known],
            weight=np.repeat(train.weight, self.horizon)[known],
            params={"verbosity": -1},
            free_raw_data=False,
        )
        self._boosters = [
            [
                grown(data, options, {"objective": "quantile", "alpha": quantile}, leaves=_whole)
                for options in self.options.bagged()
            ]
            for quantile in self.quantiles
        ]

    def forecast(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Scaled quantiles -> [N, H, Q]."""
        columns = [
            np.mean([each.predict(inputs["rows"], raw_score=True) for each in bag], axis=0)
            for bag in self._boosters
        ]
        found = np.stack(columns, axis=1).astype(np.float32)
        return found.reshape(-1, self.horizon, len(self.quantiles))

    def write(self, builder: GraphBuilder, tensors: Mapping[str, str]) -> str:
        """Append the boosters to a graph -> tensor [batch, H, Q]."""
        columns = [write_mean_margin(builder, bag, tensors["rows"]) for bag in self._boosters]
        together = builder.concat(columns)  # [batch x H, Q]
        return reshaped(builder, together, -1, self.horizon, len(self.quantiles))


def _whole(leaves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Round leaves to multiples of a power of two, so that float32 adds them without error.

    Sums of scaled quantiles stay below 32, and 5 bits before the point and 18 behind it fit
    into a float32: the file then adds up what the trained model does, in whatever order.
    """
    return np.rint(leaves * _LEAF_STEPS) / _LEAF_STEPS


def check_outcomes(known: int) -> None:
    """Refuse to learn from hardly anything.

    Parameters
    ----------
    known : int
        Steps behind a window of history whose quantity is known.

    Raises
    ------
    TrainingError
    """
    if known < FEWEST_OUTCOMES:
        raise TrainingError(
            f"Only {known} quantities are known that lie behind a history; {FEWEST_OUTCOMES} are "
            "needed. Give a longer history or more series, or a shorter horizon."
        )


def weights_of(
    forecasts: Sequence[NDArray[np.float32]],
    windows: ScaledWindows,
    quantiles: Sequence[float],
    rounds: int = 20,
) -> NDArray[np.float64]:
    """Weights of models in their mean, so that the pinball loss of held-out windows is least.

    One model after the other is added to the mean, that which helps most, with return; so
    weights are shares of ``rounds``, and what does not help gets none.

    Parameters
    ----------
    forecasts : sequence of ndarray of shape [N, H, Q]
        Of each model.
    windows : ScaledWindows
        What came.
    quantiles : sequence of float
    rounds : int
        Models that are added.

    Returns
    -------
    ndarray of shape [models], sum 1

    References
    ----------
    Caruana et al. (2004). Ensemble selection from libraries of models. ICML,
    doi:10.1145/1015330.1015432.
    """
    counts = np.zeros(len(forecasts))
    total = np.zeros(forecasts[0].shape, dtype=np.float64)
    for added in range(1, rounds + 1):
        losses = [pinball_of((total + each) / added, windows, quantiles) for each in forecasts]
        best = int(np.argmin(losses))
        counts[best] += 1
        total += forecasts[best]
    return counts / rounds


def pinball_of(forecast: NDArray[Any], windows: ScaledWindows, quantiles: Sequence[float]) -> float:
    """Mean pinball loss of scaled quantiles [N, H, Q], by the weights of the windows."""
    error = windows.target[:, :, None].astype(np.float64) - forecast
    levels = np.asarray(quantiles)
    loss = np.maximum(levels * error, (levels - 1) * error).mean(axis=2)
    weight = np.where(np.isnan(loss), 0, windows.weight[:, None])
    return float((np.nan_to_num(loss) * weight).sum() / weight.sum())
