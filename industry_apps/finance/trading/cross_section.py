"""Which series of a moment will do better than the others: learned from panels of series.

PanelFeatures are windows of history, ranked among the series of the moment; outcomes are ranked
too, so that a model learns who does better and not when all do well.

Letters in shapes: M moments, S series, F features, T times of a panel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.export.convert import network_to_onnx, trees_to_onnx
from industry_apps.features import GraphBuilder
from industry_apps.features.series import Channel, SequenceGraph, SeriesGraph
from industry_apps.features.signals import Signal
from industry_apps.recipes.networks import forward
from industry_apps.recipes.trees import TreeOptions, check_grown, grown
from industry_apps.runtime import Panel
from industry_apps.runtime.progress import progress
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

SeriesModel = Literal["trees", "linear", "network", "transformer"]

_Floats = NDArray[np.float64]

#: Fewer outcomes than this tell a model nothing.
_FEWEST_OUTCOMES = 500
_RIDGE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossSectionOptions:
    """What a cross-sectional forecaster is made of.

    Parameters
    ----------
    model : {"trees", "linear", "network", "transformer"}
        Gradient-boosted trees and ridge regression of the signals; a temporal
        convolutional network and a patch transformer of the channels.
    signals : tuple of Signal
    channels : tuple of channels
        Of the sequence that networks read.
    steps : int
        Length of that sequence.
    needed : Signal
        A series is answered where this is known, and not missing.
    trees : TreeOptions
    training : TrainingOptions
    """

    model: SeriesModel = "trees"
    signals: tuple[Signal, ...]
    channels: tuple[Channel, ...] = ()
    steps: int = 64
    needed: Signal
    trees: TreeOptions = field(default_factory=TreeOptions)
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(max_epochs=10))


class CrossSectionForecaster:
    """Forecasts how far each series will be above or below the others of its moment.

    Parameters
    ----------
    options : CrossSectionOptions
    """

    def __init__(self, options: CrossSectionOptions) -> None:
        self.options = options
        self._needed = SeriesGraph([options.needed], ranked=False)
        missing = 0.0 if options.model == "linear" else np.nan
        self._graph: SeriesGraph | SequenceGraph
        if options.model in ("network", "transformer"):
            self._graph = SequenceGraph(options.channels, options.steps)
        else:
            self._graph = SeriesGraph(options.signals, missing=missing)

    @property
    def history(self) -> int:
        """How many of the last steps are read."""
        return max(self._graph.history, self._needed.history)

    def features(self, panel: Panel) -> PanelFeatures:
        """Compute what the model sees at each moment of a panel, from what was known then.

        Parameters
        ----------
        panel : Panel
        """
        parts = [self.seen(windows) for windows in self._windows(panel)]
        return PanelFeatures(
            np.concatenate([part.inputs for part in parts]),
            np.concatenate([part.known for part in parts]),
        )

    def signal(self, panel: Panel, signal: Signal) -> _Floats:
        """One signal as a forecast -> [M, S]; NaN where it is not known."""
        graph = SeriesGraph([signal])
        found = [graph.run(windows)[:, 0] for windows in self._windows(panel)]
        return np.array(found, dtype=np.float64)

    def _windows(self, panel: Panel) -> Iterator[dict[str, NDArray[np.float32]]]:
        columns = sorted({*self._graph.columns, *self._needed.columns})
        moments = len(panel.times)
        done = ((stop, stop / moments) for stop in range(1, moments + 1))
        for stop in progress(done, f"features of {moments} moments"):
            yield panel.window(stop, self.history, columns)

    def seen(self, windows: Mapping[str, NDArray[Any]]) -> PanelFeatures:
        """Compute what the model sees at one moment.

        Parameters
        ----------
        windows : mapping of str to ndarray of shape [S, length]
        """
        known = ~np.isnan(self._needed.run(windows)[:, 0])
        return PanelFeatures(self._graph.run(windows)[None], known[None])

    def fit(self, features: PanelFeatures, outcome: _Floats) -> CrossSectionForecaster:
        """Learn from moments whose outcome is known; the last fifth decides when a network stops.

        Parameters
        ----------
        features : PanelFeatures
        outcome : ndarray of shape [M, S]
            What came of each series; NaN where it is not known.

        Raises
        ------
        TrainingError
            Too few outcomes are known, or too few for a single split of the trees.
        """
        rows, target = _rows(features, outcome)
        if len(target) < _FEWEST_OUTCOMES:
            raise TrainingError(
                f"Only {len(target)} outcomes are known of a series that has "
                f"{self._needed.history} steps behind it and another beside it; "
                f"{_FEWEST_OUTCOMES} are needed. Give a longer history or more series."
            )
        options = self.options
        if options.model == "trees":
            self._model: _Model = _Trees(rows, target, options.trees, self._graph.names)
        elif options.model == "linear":
            self._model = _Linear(rows, target)
        else:
            # Not a fifth of all moments: no outcome of the latest is known yet.
            told = np.flatnonzero((features.known & ~np.isnan(outcome)).sum(axis=1) > 1)
            cut = told[4 * len(told) // 5]
            parts = slice(0, cut), slice(cut, None)
            train, held_out = (_rows(features.of(part), outcome[part]) for part in parts)
            self._model = _Network(train, held_out, options)
        return self

    def forecast(self, features: PanelFeatures) -> _Floats:
        """Forecast ranks, as :func:`ranked` gives them -> [M, S]; NaN where not answered."""
        shape = features.known.shape
        found = np.full(shape, np.nan)
        found[features.known] = self._model.predict(features.inputs[features.known])
        return found

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Column -> float32 tensor [batch, length], the batch being all series of a moment.

        Returns
        -------
        str
            Forecast, tensor [batch, 1]; NaN where a series is not answered.
        """
        forecast = self._model.write(builder, self._graph.write(builder, inputs))
        unknown = builder.node("IsNaN", self._needed.write(builder, inputs))
        return builder.node("Where", unknown, builder.constant(np.float32(np.nan)), forecast)


@dataclass(frozen=True, eq=False)
class PanelFeatures:
    """What a model sees at some moments.

    Parameters
    ----------
    inputs : ndarray of float32 of shape [M, S, F] or [M, S, steps, channels]
    known : ndarray of bool of shape [M, S]
        Which series are answered.
    """

    inputs: NDArray[np.float32]
    known: NDArray[np.bool_]

    def of(self, moments: slice | NDArray[np.bool_]) -> PanelFeatures:
        """Some of the moments."""
        return PanelFeatures(self.inputs[moments], self.known[moments])


def ranked(outcome: _Floats) -> _Floats:
    """Ranks among the outcomes of a moment, with mean 0 and standard deviation 1.

    Ranks, since a few wild outcomes must not decide what is learned. An outcome alone has
    none.

    Parameters
    ----------
    outcome : ndarray of shape [M, S]
        NaN where it is not known.
    """
    from scipy.stats import rankdata

    count = (~np.isnan(outcome)).sum(axis=1, keepdims=True)
    places = rankdata(outcome, axis=1, nan_policy="omit")
    scores = ((places - 0.5) / np.maximum(count, 1) - 0.5) * math.sqrt(12)
    return np.where(count > 1, scores, np.nan)


def walk_forward(
    fit: Callable[[slice], Callable[[slice], _Floats]],
    *,
    first: int,
    last: int,
    every: int,
    embargo: int,
) -> _Floats:
    """Forecast moments in blocks, each by a model that knows only what came before it.

    Parameters
    ----------
    fit : callable
        Moments to learn from -> function that forecasts moments, [M, S].
    first, last : int
        Moments [first, last) are forecast.
    every : int
        Moments after which the model learns again, > 0.
    embargo : int
        So many moments before a block are not learned from: their outcome lies in it.

    References
    ----------
    Lopez de Prado, M. (2018). Advances in Financial Machine Learning, chapter 7: purging and
    embargo.
    """
    parts = []
    for start in range(first, last, every):
        forecast = fit(slice(0, max(start - embargo, 0)))
        parts.append(forecast(slice(start, min(start + every, last))))
    return np.concatenate(parts)


def dispersion(outcome: _Floats) -> float:
    """How far outcomes of one moment usually lie apart: their mean standard deviation.

    Parameters
    ----------
    outcome : ndarray of shape [M, S]
        NaN where it is not known.
    """
    known = (~np.isnan(outcome)).sum(axis=1) > 1
    return float(np.nanstd(outcome[known], axis=1).mean()) if known.any() else 0.0


class _Model(Protocol):
    def predict(self, rows: NDArray[np.float32]) -> _Floats: ...

    def write(self, builder: GraphBuilder, rows: str) -> str: ...


class _Trees:
    def __init__(
        self,
        rows: NDArray[np.float32],
        target: _Floats,
        options: TreeOptions,
        names: Sequence[str],
    ) -> None:
        import lightgbm as lgb

        data = lgb.Dataset(rows, target, params={"verbosity": -1})
        self._booster = grown(data, options, {"objective": "regression"})
        check_grown([self._booster], options, len(target))

    def predict(self, rows: NDArray[np.float32]) -> _Floats:
        return np.asarray(self._booster.predict(rows, raw_score=True))

    def write(self, builder: GraphBuilder, rows: str) -> str:
        return builder.append(trees_to_onnx(self._booster), {"features": rows})["margin"]


class _Linear:
    def __init__(self, rows: NDArray[np.float32], target: _Floats) -> None:
        from sklearn.linear_model import Ridge

        fitted = Ridge(alpha=_RIDGE).fit(rows.astype(np.float64), target)
        self._weights = fitted.coef_.astype(np.float32)
        self._intercept = np.array([fitted.intercept_], dtype=np.float32)

    def predict(self, rows: NDArray[np.float32]) -> _Floats:
        return (rows @ self._weights + self._intercept).astype(np.float64)

    def write(self, builder: GraphBuilder, rows: str) -> str:
        weights = builder.constant(self._weights[:, None])
        return builder.node("Gemm", rows, weights, builder.constant(self._intercept))


class _Network:
    def __init__(
        self,
        train: tuple[NDArray[np.float32], _Floats],
        held_out: tuple[NDArray[np.float32], _Floats],
        options: CrossSectionOptions,
    ) -> None:
        from industry_apps.backbones import PatchTransformer, TemporalConvNet
        from industry_apps.training import fit_network, seeded

        steps, channels = train[0].shape[1:]
        with seeded(options.training.seed):
            self._network: torch.nn.Module = (
                TemporalConvNet(channels)
                if options.model == "network"
                else PatchTransformer(channels, steps)
            )
        parts = [(rows, target.astype(np.float32)) for rows, target in (train, held_out)]
        fit_network(self._network, parts[0], parts[1], _squared_error, options.training)
        self._shape = (2, steps, channels)

    def predict(self, rows: NDArray[np.float32]) -> _Floats:
        return forward(self._network, (rows,))

    def write(self, builder: GraphBuilder, rows: str) -> str:
        import torch

        model = network_to_onnx(self._network, (torch.zeros(self._shape),), ["sequence"])
        return builder.append(model, {"sequence": rows})["output"]


def _squared_error(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    sequence, target = batch
    return (network(sequence)[:, 0] - target).square().mean()


def _rows(features: PanelFeatures, outcome: _Floats) -> tuple[NDArray[Any], _Floats]:
    """Series and moments that are answered, and of which the outcome is known, as rows."""
    scores = ranked(np.where(features.known, outcome, np.nan))
    chosen = ~np.isnan(scores)
    return features.inputs[chosen], scores[chosen]
