"""Networks that learn normal operation alone: one restores a window, one tells its last row.

Letters in shapes: N windows, L rows of a window, C columns, D = L C.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.convert import network_to_onnx
from industry_apps.features import GraphBuilder
from industry_apps.recipes.anomaly.scorers import Quadratic
from industry_apps.training import TrainingOptions

if TYPE_CHECKING:
    import torch

__all__ = ["TRAINING", "RestoredWindow", "ToldRow"]

_Floats = NDArray[np.float64]

TRAINING = TrainingOptions(
    max_epochs=60, least_steps=1_000, batch_size=64, learning_rate=2e-3, precision="float32"
)
#: Standardised numbers are cut here before a network sees them: what it does beyond is unknown.
_WIDEST = 10.0
#: Windows of one pass outside training.
_WINDOWS_A_PASS = 4_096
#: A residual is never taken for smaller than this share of the variance of its column.
_LEAST_VARIANCE = 1e-4


class _Network:
    """A network between standardised windows and numbers of its own."""

    network_: torch.nn.Module

    def _run(self, windows: _Floats) -> _Floats:
        """Windows -> what the network answers."""
        import torch

        cut = np.clip(windows, -_WIDEST, _WIDEST).astype(np.float32)
        with torch.inference_mode():
            parts = [
                self.network_(torch.from_numpy(cut[start : start + _WINDOWS_A_PASS]))
                for start in range(0, max(len(cut), 1), _WINDOWS_A_PASS)
            ]
        return torch.cat(parts).double().numpy()

    def _write(self, builder: GraphBuilder, windows: str, shape: tuple[int, ...]) -> str:
        """Append the network -> what it answers, float64."""
        import torch

        ends = (builder.constant(np.float64(end)) for end in (-_WIDEST, _WIDEST))
        cut = builder.cast(builder.node("Clip", windows, *ends), np.float32)
        model = network_to_onnx(self.network_, (torch.zeros(3, *shape),), ["windows"])
        return builder.cast(builder.append(model, {"windows": cut})["output"], np.float64)


class RestoredWindow(_Network):
    """The squared error of an autoencoder; a change is that of the column, with its sign.

    Parameters
    ----------
    windows : ndarray of float64, shape [N, L, C]
        Normal ones, to learn from.
    options : TrainingOptions

    References
    ----------
    Vincent et al. (2008), doi:10.1145/1390156.1390294; of processes: Yan, Guo, Tian and Chen
    (2016), Nonlinear and robust statistical process monitoring based on variant autoencoders,
    doi:10.1016/j.chemolab.2016.08.007.
    """

    def __init__(self, windows: _Floats, options: TrainingOptions) -> None:
        from industry_apps.backbones import DenoisingAutoencoder
        from industry_apps.training import fit_network, seeded

        self.lags, self._columns = windows.shape[1:]
        flat = np.clip(windows.reshape(len(windows), -1), -_WIDEST, _WIDEST).astype(np.float32)
        width = flat.shape[1]
        with seeded(options.seed):
            self.network_ = DenoisingAutoencoder(
                width, width=min(2 * width, 128), latent=max(1, min(width // 3, 32))
            )
        fit_network(self.network_, (flat,), None, _restoration, options)

    def score(self, windows: _Floats) -> tuple[_Floats, _Floats]:
        """Windows [N, L, C] -> scores [N], and changes [N, C]."""
        flat = windows.reshape(len(windows), -1)
        apart = (flat - self._run(flat)).reshape(windows.shape)
        return (apart**2).mean(axis=(1, 2)), (apart * np.abs(apart)).mean(axis=1)

    def write(self, builder: GraphBuilder, windows: str) -> tuple[str, str]:
        """Append the same to a graph."""
        node, one = builder.node, builder.constant(np.array([1]))
        flat = node("Reshape", windows, builder.constant(np.array([0, -1])))
        restored = self._write(builder, flat, (self.lags * self._columns,))
        apart = node("Sub", flat, restored)
        shape = builder.constant(np.array([0, self.lags, self._columns]))
        squares = node("Reshape", node("Mul", apart, node("Abs", apart)), shape)
        changes = node("ReduceMean", squares, one, attributes={"keepdims": 0})
        return node("ReduceMean", node("Mul", apart, apart), one), changes


class ToldRow(_Network):
    """How far the last row is from what a temporal network tells of it by the rows before.

    The error is measured in the covariance of the errors in training (its Mahalanobis distance),
    and explained as that of any linear image is.

    Parameters
    ----------
    windows : ndarray of float64, shape [N, L, C]
        Normal ones of two rows or more, to learn from.
    options : TrainingOptions

    References
    ----------
    Bai, Kolter and Koltun (2018), arXiv:1803.01271; a forecast whose error is the score: Malhotra
    et al. (2015), Long short term memory networks for anomaly detection in time series, ESANN.
    """

    def __init__(self, windows: _Floats, options: TrainingOptions) -> None:
        from industry_apps.backbones import TemporalConvNet
        from industry_apps.training import fit_network, seeded

        self.lags, columns = windows.shape[1:]
        cut = np.clip(windows, -_WIDEST, _WIDEST).astype(np.float32)
        levels = max(1, int(np.ceil(np.log2((self.lags - 1) / 4 + 1))))
        with seeded(options.seed):
            self.network_ = TemporalConvNet(columns, columns, width=32, levels=levels)
        rows = (np.ascontiguousarray(cut[:, :-1]), np.ascontiguousarray(cut[:, -1]))
        fit_network(self.network_, rows, None, _squared_error, options)
        apart = windows[:, -1] - self._run(windows[:, :-1])
        covariance = apart.T @ apart / len(apart)
        variance, axes = np.linalg.eigh(covariance)
        least = _LEAST_VARIANCE * float(variance.max())
        self._distance = Quadratic(1, (axes / np.sqrt(np.maximum(variance, least))).T)

    def score(self, windows: _Floats) -> tuple[_Floats, _Floats]:
        """Windows [N, L, C] -> scores [N], and changes [N, C]."""
        return self._distance.score((windows[:, -1] - self._run(windows[:, :-1]))[:, None])

    def write(self, builder: GraphBuilder, windows: str) -> tuple[str, str]:
        """Append the same to a graph."""
        columns = self._distance.image.shape[1]
        before = builder.part(windows, 0, self.lags - 1)
        told = self._write(builder, before, (self.lags - 1, columns))
        last = builder.part(windows, self.lags - 1, self.lags)
        wide = builder.node("Unsqueeze", told, builder.constant(np.array([1])))
        return self._distance.write(builder, builder.node("Sub", last, wide))


def _restoration(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return (network(batch[0]) - batch[0]).square().mean()


def _squared_error(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
    return (network(batch[0]) - batch[1]).square().mean()
