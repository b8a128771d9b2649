"""Networks that forecast every step of a horizon at once, as quantiles.

All read the same three tensors and give the same answer, so that one recipe trains any of them:
``forward(past, known, codes)`` with float32 [N, L, P], float32 [N, L+H, K] and int64 [N, C]
-> float32 [N, H, Q], the quantiles rising. K and C may be 0.

Methods: temporal fusion transformer and N-HiTS, see :mod:`industry_apps.backbones.fusion`; Das
et al., Long-term Forecasting with TiDE: Time-series Dense Encoder, 2023, arXiv:2304.08424, for
the head behind the shared encoders of time (a vector for each step ahead, joined with what is
known of that step, and a linear way around the network); Zeng et al., Are Transformers
Effective for Time Series Forecasting?, 2023, arXiv:2205.13504, for the decomposition-linear one.

Letters: N windows, L steps of the past, H steps ahead, P channels of the past, K channels known
in advance, C categories, E width of their embeddings, D width of the network, M width of one
step ahead, Q quantiles.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.backbones.fusion import (
    CategoryEmbeddings,
    FusionTransformer,
    HierarchicalInterpolation,
)
from industry_apps.backbones.temporal import (
    PatchTransformer,
    ReversibleInstanceNorm,
    TemporalConvNet,
)
from industry_apps.backbones.window_spec import NetworkSize, NetworkSpec

#: Networks of :func:`build_forecaster`.
Kind = Literal["tft", "nhits", "patch", "tcn", "dlinear"]

_STEP_WIDTH = 16
_LONGEST_PATCH = 24
#: Steps of the moving mean that is the trend of a window.
_TREND = 25


class HorizonNetwork(nn.Module):
    """An encoder of the past, and a head that answers each step ahead from what is known of it.

    Parameters
    ----------
    encoder : {"patch", "tcn"}
        :class:`PatchTransformer` or :class:`TemporalConvNet`, over past and known channels.
    spec : NetworkSpec
    size : NetworkSize

    Examples
    --------
    >>> spec = NetworkSpec(length=28, horizon=7, known_channels=2)
    >>> network = HorizonNetwork("tcn", spec, NetworkSize(width=16))
    >>> network(torch.zeros(5, 28, 1), torch.zeros(5, 35, 2), torch.zeros(5, 0).long()).shape
    torch.Size([5, 7, 3])
    """

    def __init__(
        self, encoder: Literal["patch", "tcn"], spec: NetworkSpec, size: NetworkSize
    ) -> None:
        super().__init__()
        self.spec = spec
        channels = spec.past_channels + spec.known_channels
        self.encoder = _encoder(encoder, channels, spec.length, size)
        self.encoder.head = nn.Identity()  # the head is here
        self.categories = CategoryEmbeddings(spec)
        self.unroll = nn.Linear(size.width + self.categories.width, spec.horizon * _STEP_WIDTH)
        self.step = nn.Sequential(
            nn.Linear(_STEP_WIDTH + spec.known_channels, size.width),
            nn.GELU(),
            nn.Dropout(size.dropout),
            nn.Linear(size.width, len(spec.quantiles)),
        )
        self.direct = nn.Linear(spec.length, spec.horizon)
        nn.init.zeros_(self.direct.weight)  # the way around begins as silence
        nn.init.zeros_(self.direct.bias)

    def forward(self, past: Tensor, known: Tensor, codes: Tensor) -> Tensor:
        """Return the quantiles [N, H, Q]."""
        length, horizon = self.spec.length, self.spec.horizon
        channels = torch.cat([past, known[:, :length]], dim=2)  # [N, L, P+K]
        features = self.encoder.forward_features(channels)  # [N, D]
        if self.categories.width:
            features = torch.cat([features, self.categories(codes)], dim=1)  # [N, D+E]
        steps = self.unroll(features).unflatten(1, (horizon, _STEP_WIDTH))  # [N, H, M]
        steps = self.step(torch.cat([steps, known[:, length:]], dim=2))  # [N, H, Q]
        answer: Tensor = steps + self.direct(past[:, :, 0]).unsqueeze(2)  # [N, H, Q]
        return answer


class DecompositionLinear(nn.Module):
    """Trend and remainder of a window, each by a linear layer from the past to the horizon.

    Further columns of the past, categories, and what is known of a step ahead are added by
    linear layers of their own.

    Parameters
    ----------
    spec : NetworkSpec

    References
    ----------
    Zeng et al. (2023), arXiv:2205.13504, where the trend is a moving mean of 25 steps, filled up
    at the ends by the first and last value, and weights begin as the mean of the window.

    Examples
    --------
    >>> network = DecompositionLinear(NetworkSpec(length=48, horizon=24))
    >>> network(torch.ones(5, 48, 1), torch.zeros(5, 72, 0), torch.zeros(5, 0).long()).shape
    torch.Size([5, 24, 3])
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        self.trend, self.rest = (nn.Linear(spec.length, spec.horizon) for _ in range(2))
        for layer in (self.trend, self.rest):
            nn.init.constant_(layer.weight, 1 / spec.length)
        self.categories = CategoryEmbeddings(spec)
        if spec.past_channels > 1:
            self.others = nn.Linear((spec.past_channels - 1) * spec.length, spec.horizon)
        if self.categories.width:
            self.level = nn.Linear(self.categories.width, spec.horizon)
        if spec.known_channels:
            self.step = nn.Linear(spec.known_channels, len(spec.quantiles))
        self.spread = nn.Parameter(torch.zeros(spec.horizon, len(spec.quantiles)))

    def forward(self, past: Tensor, known: Tensor, codes: Tensor) -> Tensor:
        """Return the quantiles [N, H, Q]."""
        values = past[:, :, 0]  # [N, L]
        ends = (values[:, :1].expand(-1, _TREND // 2), values[:, -1:].expand(-1, _TREND // 2))
        longer = torch.cat([ends[0], values, ends[1]], dim=1)
        trend = functional.avg_pool1d(longer.unsqueeze(1), _TREND, stride=1).squeeze(1)  # [N, L]
        point = self.trend(trend) + self.rest(values - trend)  # [N, H]
        if self.spec.past_channels > 1:
            point = point + self.others(past[:, :, 1:].flatten(1))
        if self.categories.width:
            point = point + self.level(self.categories(codes))
        answer: Tensor = point.unsqueeze(2) + self.spread
        if self.spec.known_channels:
            answer = answer + self.step(known[:, self.spec.length :])
        return answer


class RisingQuantiles(nn.Module):
    """Sort the quantiles that a network answers, so that none lies above a higher one.

    Sorting brings estimated quantiles no farther from the true ones.

    Parameters
    ----------
    network : torch.nn.Module
        Returns [N, H, Q].

    References
    ----------
    Chernozhukov, Fernandez-Val and Galichon (2010), Quantile and Probability Curves Without
    Crossing, doi:10.3982/ECTA7880.

    Examples
    --------
    >>> RisingQuantiles(nn.Identity())(torch.tensor([[[2.0, 1.0]]]))
    tensor([[[1., 2.]]])
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> Tensor:
        """Return [N, H, Q], rising along Q."""
        return torch.sort(self.network(*inputs), dim=-1).values


def build_forecaster(kind: Kind, spec: NetworkSpec, size: NetworkSize) -> nn.Module:
    """Build a network that takes ``(past, known, codes)`` and returns rising quantiles.

    Parameters
    ----------
    kind : {"tft", "nhits", "patch", "tcn", "dlinear"}
        :class:`FusionTransformer`, :class:`HierarchicalInterpolation`,
        :class:`HorizonNetwork` over patches or convolutions, or :class:`DecompositionLinear`.
    spec : NetworkSpec
    size : NetworkSize

    Examples
    --------
    >>> network = build_forecaster("patch", NetworkSpec(24, 6), NetworkSize())
    >>> network(torch.zeros(5, 24, 1), torch.zeros(5, 30, 0), torch.zeros(5, 0).long()).shape
    torch.Size([5, 6, 3])
    """
    network: nn.Module
    if kind == "tft":
        network = FusionTransformer(spec, size)
    elif kind == "nhits":
        network = HierarchicalInterpolation(spec, size)
    elif kind == "dlinear":
        network = DecompositionLinear(spec)
    else:
        network = HorizonNetwork(kind, spec, size)
    return RisingQuantiles(ReversibleInstanceNorm(network) if size.normalise else network)


def _encoder(kind: str, channels: int, length: int, size: NetworkSize) -> Any:
    if kind == "tcn":
        kernel = 3
        levels = math.ceil(math.log2(1 + (length - 1) / (2 * (kernel - 1))))  # sees all steps
        return TemporalConvNet(
            channels,
            width=size.width,
            levels=max(1, levels),
            kernel_size=kernel,
            dropout=size.dropout,
        )
    patch = max(1, min(_LONGEST_PATCH, length // 6))
    return PatchTransformer(
        channels,
        length,
        patch=patch,
        stride=max(1, patch // 2),
        width=size.width,
        depth=size.depth,
        dropout=size.dropout,
    )
