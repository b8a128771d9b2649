"""Forecasting networks of pytorch-forecasting behind three plain tensors, without its data sets.

``forward(past, known, codes)`` as in :mod:`industry_apps.backbones.forecasters`.

Methods: Lim et al., Temporal Fusion Transformers for Interpretable Multi-horizon Time Series
Forecasting, 2021, doi:10.1016/j.ijforecast.2021.03.012, and Challu et al., N-HiTS: Neural
Hierarchical Interpolation for Time Series Forecasting, 2023, arXiv:2201.12886, both as
pytorch-forecasting implements them (MIT licence), whose networks are built here directly.

Letters: N windows, L steps of the past, H steps ahead, P channels of the past, K channels known
in advance, C categories, E width of their embeddings, Q quantiles.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.backbones.window_spec import NetworkSize, NetworkSpec

_STACKS = 3


class CategoryEmbeddings(nn.Module):
    """Codes [N, C] -> embeddings side by side [N, E]."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        pairs = zip(spec.cardinalities, spec.embedding_sizes, strict=True)
        self.embeddings = nn.ModuleList(nn.Embedding(*pair) for pair in pairs)
        self.width = sum(spec.embedding_sizes)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the embeddings [N, E]."""
        embedded = [embed(codes[:, column]) for column, embed in enumerate(self.embeddings)]
        return torch.cat(embedded, dim=1)


class FusionTransformer(nn.Module):
    """pytorch-forecasting's TemporalFusionTransformer behind three plain tensors.

    Besides the channels it reads how far each step lies from the first one ahead, as
    pytorch-forecasting's own data set offers (``add_relative_time_idx``).

    Parameters
    ----------
    spec : NetworkSpec
    size : NetworkSize
        Its ``width`` is ``hidden_size``, its ``depth`` ``lstm_layers``; there is one attention
        head for every 8 of the width, and ``hidden_continuous_size`` is half of it.

    Examples
    --------
    >>> spec = NetworkSpec(length=24, horizon=6, cardinalities=(7, 30))
    >>> network = FusionTransformer(spec, NetworkSize(width=16, depth=1)).eval()
    >>> network(torch.zeros(5, 24, 1), torch.zeros(5, 30, 0), torch.zeros(5, 2).long()).shape
    torch.Size([5, 6, 3])
    """

    time: Tensor

    def __init__(self, spec: NetworkSpec, size: NetworkSize) -> None:
        from pytorch_forecasting.metrics import QuantileLoss
        from pytorch_forecasting.models import TemporalFusionTransformer

        super().__init__()
        self.spec = spec
        ahead = torch.arange(spec.length + spec.horizon) - spec.length
        self.register_buffer("time", (ahead / spec.length)[None, :, None], persistent=False)
        past = [f"past_{channel}" for channel in range(spec.past_channels)]
        known = [f"known_{channel}" for channel in range(spec.known_channels)] + ["time"]
        categories = [f"category_{column}" for column in range(len(spec.cardinalities))]
        self.network = _quietly(
            TemporalFusionTransformer,
            hidden_size=size.width,
            lstm_layers=size.depth,
            dropout=size.dropout,
            output_size=len(spec.quantiles),
            loss=QuantileLoss(list(spec.quantiles)),  # asked for its number of quantiles only
            attention_head_size=size.width // 8,
            max_encoder_length=spec.length,
            static_categoricals=categories,
            time_varying_reals_encoder=past + known,
            time_varying_reals_decoder=known,
            x_reals=past + known,
            x_categoricals=categories,
            hidden_continuous_size=size.width // 2,
            embedding_sizes={
                name: pair
                for name, *pair in zip(
                    categories, spec.cardinalities, spec.embedding_sizes, strict=True
                )
            },
            logging_metrics=nn.ModuleList(),
            output_transformer=_as_it_is,
        )
        for name in ("lstm_encoder", "lstm_decoder"):
            setattr(self.network, name, _FullLSTM(getattr(self.network, name)))

    def forward(self, past: Tensor, known: Tensor, codes: Tensor) -> Tensor:
        """Return the quantiles [N, H, Q]."""
        answer: Tensor = self.network(self.inputs(past, known, codes))["prediction"]
        return answer

    def inputs(self, past: Tensor, known: Tensor, codes: Tensor) -> dict[str, Tensor]:
        """Return the seven tensors that TemporalFusionTransformer reads."""
        length, horizon = self.spec.length, self.spec.horizon
        count = past.shape[0]
        unknown = functional.pad(past, (0, 0, 0, horizon))  # [N, L+H, P], zeros ahead
        time = self.time.expand(count, -1, -1)  # [N, L+H, 1]
        reals = torch.cat([unknown, known, time], dim=2)  # [N, L+H, P+K+1]
        return {
            "encoder_cat": codes.unsqueeze(1).expand(-1, length, -1),  # [N, L, C]
            "encoder_cont": reals[:, :length],
            "decoder_cat": codes.unsqueeze(1).expand(-1, horizon, -1),  # [N, H, C]
            "decoder_cont": reals[:, length:],
            "encoder_lengths": codes.new_full((count,), length),
            "decoder_lengths": codes.new_full((count,), horizon),
            "target_scale": past.new_ones(count, 2),  # scaling is not the network's
        }


class HierarchicalInterpolation(nn.Module):
    """pytorch-forecasting's N-HiTS network behind three plain tensors.

    Parameters
    ----------
    spec : NetworkSpec
    size : NetworkSize
        Its ``depth`` is the number of blocks in each of the three stacks.

    Examples
    --------
    >>> spec = NetworkSpec(length=48, horizon=24)
    >>> network = HierarchicalInterpolation(spec, NetworkSize(depth=1))
    >>> network(torch.zeros(5, 48, 1), torch.zeros(5, 72, 0), torch.zeros(5, 0).long()).shape
    torch.Size([5, 24, 3])
    """

    def __init__(self, spec: NetworkSpec, size: NetworkSize) -> None:
        from pytorch_forecasting.models.nhits.sub_modules import NHiTS

        super().__init__()
        self.spec = spec
        self.categories = CategoryEmbeddings(spec)
        pools = _pooling(spec)
        # Coarse stacks interpolate more widely than they pool, as pytorch-forecasting chooses.
        coarseness = [min(spec.horizon, int(pool**1.5)) for pool in pools]
        self.network = NHiTS(
            context_length=spec.length,
            prediction_length=spec.horizon,
            output_size=[len(spec.quantiles)],
            static_size=self.categories.width,
            encoder_covariate_size=spec.past_channels - 1 + spec.known_channels,
            decoder_covariate_size=spec.known_channels,
            static_hidden_size=self.categories.width,
            n_blocks=_STACKS * [size.depth],
            n_layers=_STACKS * [2],
            hidden_size=_STACKS * [[size.width, size.width]],
            pooling_sizes=pools,
            downsample_frequencies=coarseness,
            pooling_mode="max",
            interpolation_mode="linear",
            dropout=size.dropout,
            activation="ReLU",
            initialization="lecun_normal",
            batch_normalization=False,
            shared_weights=False,
            naive_level=True,
        )
        self.network.blocks = nn.ModuleList(map(_AnyBatch, self.network.blocks))

    def forward(self, past: Tensor, known: Tensor, codes: Tensor) -> Tensor:
        """Return the quantiles [N, H, Q]."""
        length = self.spec.length
        seen = torch.cat([past[:, :, 1:], known[:, :length]], dim=2)  # [N, L, P-1+K]
        answer: Tensor = self.network(
            past[:, :, :1],
            past.new_ones(past.shape[0], length),
            seen,
            known[:, length:],
            self.categories(codes) if self.categories.width else None,
        )[0]  # [N, H, Q]
        return answer


class _FullLSTM(nn.Module):
    """An LSTM of sequences that are all of one length: these need not be packed by length."""

    def __init__(self, lstm: nn.LSTM) -> None:
        super().__init__()
        self.lstm = nn.LSTM(
            lstm.input_size,
            lstm.hidden_size,
            num_layers=lstm.num_layers,
            dropout=lstm.dropout,
            batch_first=True,
        )

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor], **_lengths: object) -> Any:
        # An expanded tensor has no memory layout of its own, which some devices refuse.
        return self.lstm(x, tuple(part.contiguous() for part in state))


class _AnyBatch(nn.Module):
    """A block of N-HiTS computed without the number of windows, which a file would freeze."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.block = block

    def forward(
        self, encoder_y: Tensor, encoder_x_t: Tensor, decoder_x_t: Tensor, x_s: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        block = self.block
        pooled = block.pooling_layer(encoder_y.transpose(1, 2))  # [N, 1, pools]
        parts = [pooled.flatten(1), encoder_x_t.flatten(1), decoder_x_t.flatten(1)]
        if x_s is not None:
            parts.append(block.static_encoder(x_s))
        theta = block.layers(torch.cat(parts, dim=1))  # [N, L + Q*knots]
        backcast, knots = theta[:, : block.context_length], theta[:, block.context_length :]
        backcast, forecast = block.basis(
            backcast, knots.reshape(-1, block.n_theta), encoder_x_t, decoder_x_t
        )  # [N, L], [N*Q, H]
        forecast = forecast.unflatten(0, (-1, sum(block.output_size)))  # [N, Q, H]
        return backcast.unsqueeze(2), forecast.transpose(1, 2)


def _pooling(spec: NetworkSpec) -> list[int]:
    """Steps that each stack pools, falling: from about half the horizon to one or two."""
    widest = math.log2(max(2.0, spec.horizon / 2))
    shares = [stack / (_STACKS - 1) for stack in range(_STACKS)]
    pools = [round(2 ** round(0.49 + (widest - 0.49) * share)) for share in shares]
    return [min(pool, spec.length) for pool in reversed(pools)]


def _quietly(network: Callable[..., nn.Module], **parameters: Any) -> nn.Module:
    """Build without Lightning's advice on checkpoints that are never written."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is an instance of `nn.Module`.*")
        return network(**parameters)


def _as_it_is(output: dict[str, Tensor]) -> Tensor:
    """Output transformer of pytorch-forecasting that transforms nothing."""
    return output["prediction"]
