"""Networks for windows of series: causal convolutions, and attention over patches of time.

Methods: Bai, Kolter and Koltun, An Empirical Evaluation of Generic Convolutional and Recurrent
Networks for Sequence Modeling, 2018, arXiv:1803.01271; Nie et al., A Time Series is Worth 64
Words: Long-term Forecasting with Transformers, ICLR 2023, arXiv:2211.14730; Kim et al.,
Reversible Instance Normalization for Accurate Time-Series Forecasting against Distribution
Shift, ICLR 2022, openreview.net/forum?id=cGDAkQo1C0p. Written from the papers.

What differs from the papers: the convolutions have a LayerNorm over the channels of each step
before every block, not weight norm, and the answer for the last step computes only the steps
that reach it; a patch holds all channels, not one, since here they are a series and what
explains it, and so the cost does not grow with their number; the last patch ends at the last
step, and what is filled up are the first steps, not the last; attention blocks normalise
first, with LayerNorm, not last with BatchNorm, their tokens are averaged, not joined, before
the head, and positions start as large as the embedded patches; the instance normalisation
has no weights of its own, since a linear layer follows it, and leaves covariates alone.

Letters: N windows, T steps, C channels, D width of the network, P patches.

Parameters of the defaults with C = 8 and T = 64: TemporalConvNet 32 thousand,
PatchTransformer 76 thousand.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.limits import DROPOUT, Limit, check_limits, integer, wrong_parameter

#: Added to the variance of a window, so that a constant series can be divided by its scale.
_LEAST_VARIANCE = 1e-5
#: About the standard deviation of an embedded patch of standardised numbers: with much less,
#: the average over the tokens hardly learns at which step something happened.
_POSITION_SCALE = 0.5
_HEAD_WIDTH = 16
_WIDTH = Limit(
    lambda value: integer(1).holds(value) and value % _HEAD_WIDTH == 0,
    f"an int >= 1 and a multiple of {_HEAD_WIDTH}",
)


class TemporalConvNet(nn.Module):
    """Dilated causal convolutions with residuals: what a step shows depends on no later one.

    Parameters
    ----------
    channels : int
        Number of channels C, at least 1.
    outputs : int, default=1
        Number of outputs a window, without activation.
    width : int, default=32
        Width D of the network, at least 1.
    levels : int, default=5
        Number of residual blocks, in [1, 20]; the dilation doubles from one to the next.
    kernel_size : int, default=3
        Steps under one convolution, at least 2.
    dropout : float, default=0.1
        Share of the hidden units dropped in training, in [0, 1).

    Attributes
    ----------
    receptive_field : int
        Number of last steps that the answer depends on,
        ``1 + 2 * (kernel_size - 1) * (2**levels - 1)``: 125 by default. Choose ``levels`` so
        that it covers the window.

    Raises
    ------
    ParameterError
        When a parameter is outside its limits, or an input does not have C channels.

    Notes
    -----
    ``forward(x)`` takes float32 [N, T, C] without missing values, oldest step first, of any
    T >= 1, and returns float32 [N, outputs]. Steps before the first are read as zeros by every
    convolution.

    References
    ----------
    Bai, Kolter and Koltun (2018), arXiv:1803.01271.

    Examples
    --------
    >>> network = TemporalConvNet(3, outputs=2, levels=4)
    >>> network(torch.zeros(5, 28, 3)).shape, network.receptive_field
    (torch.Size([5, 2]), 61)
    """

    def __init__(
        self,
        channels: int,
        outputs: int = 1,
        *,
        width: int = 32,
        levels: int = 5,
        kernel_size: int = 3,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.channels, self.outputs, self.width = channels, outputs, width
        self.levels, self.kernel_size, self.dropout = levels, kernel_size, dropout
        counts = dict.fromkeys(("channels", "outputs", "width"), integer(1))
        limits = {"levels": integer(1, 20), "kernel_size": integer(2), "dropout": DROPOUT}
        check_limits(self, counts | limits)
        self.receptive_field = 1 + 2 * (kernel_size - 1) * (2**levels - 1)
        self.stem = nn.Linear(channels, width)
        self.blocks = nn.ModuleList(
            _CausalBlock(width, kernel_size, dropout) for _ in range(levels)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, outputs)

    def forward_steps(self, x: Tensor) -> Tensor:
        """Return the representation [N, T, D] of each step, from it and the steps before it."""
        _check_windows(self, x, None, self.channels)
        x = self.stem(x)  # [N, T, D]
        for level, block in enumerate(self.blocks):
            x = block(x, 2**level)
        steps: Tensor = self.norm(x)
        return steps

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the representation [N, D] of the last step, which the head reads."""
        _check_windows(self, x, None, self.channels)
        x = self.stem(x)  # [N, T, D]
        for block in self.blocks:
            # Seen from the last step, later blocks read every second step only: without the
            # others a dilation of one is theirs, and all blocks together cost as much as two.
            x = block(x, 1)
            x = x[:, (x.shape[1] - 1) % 2 :: 2]  # [N, ceil(T / 2), D]
        last: Tensor = self.norm(x[:, -1])  # [N, D]
        return last

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs [N, outputs], without activation."""
        answer: Tensor = self.head(self.forward_features(x))  # [N, outputs]
        return answer


class PatchTransformer(nn.Module):
    """Transformer over one token per patch: some neighbouring steps of all channels.

    Parameters
    ----------
    channels : int
        Number of channels C, at least 1.
    length : int
        Number of steps T of a window.
    outputs : int, default=1
        Number of outputs a window, without activation.
    patch : int, default=16
        Steps of a patch, in [1, T].
    stride : int, default=8
        Steps from one patch to the next, in [1, patch].
    width : int, default=64
        Width D of a token, a multiple of 16: every 16 units make an attention head.
    depth : int, default=2
        Number of transformer blocks, at least 1.
    dropout : float, default=0.1
        Share of attention weights and hidden units dropped in training, in [0, 1).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits, or an input is not of C channels and T steps.

    Notes
    -----
    ``forward(x)`` takes float32 [N, T, C] without missing values, oldest step first, and
    returns float32 [N, outputs]. Where T does not divide into patches, the first patch repeats
    the first step. Cost grows with the square of the number of patches
    P = 1 + ceil((T - patch) / stride).

    References
    ----------
    Nie et al. (2023), arXiv:2211.14730.

    Examples
    --------
    >>> network = PatchTransformer(3, 28, outputs=2, patch=7, stride=7)
    >>> network(torch.zeros(5, 28, 3)).shape, network.forward_features(torch.zeros(5, 28, 3)).shape
    (torch.Size([5, 2]), torch.Size([5, 64]))
    """

    steps: Tensor

    def __init__(
        self,
        channels: int,
        length: int,
        outputs: int = 1,
        *,
        patch: int = 16,
        stride: int = 8,
        width: int = 64,
        depth: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.channels, self.length, self.outputs = channels, length, outputs
        self.patch, self.stride, self.width = patch, stride, width
        self.depth, self.dropout = depth, dropout
        check_limits(
            self,
            dict.fromkeys(("channels", "length", "outputs", "depth"), integer(1))
            | {"width": _WIDTH, "dropout": DROPOUT},
        )
        check_limits(self, {"patch": integer(1, length)})
        check_limits(self, {"stride": integer(1, patch)})
        starts = torch.arange(length - patch, -stride, -stride).flip(0)  # the last ends at T
        steps = starts.unsqueeze(1) + torch.arange(patch)  # [P, patch]
        # Not saved: the constructor knows them.
        self.register_buffer("steps", steps.clamp(min=0), persistent=False)
        self.embed = nn.Linear(patch * channels, width)
        self.positions = nn.Parameter(_POSITION_SCALE * torch.randn(len(steps), width))
        self.blocks = nn.Sequential(*(_attention(width, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, outputs)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the representation [N, D] that the head reads: the mean of the tokens."""
        _check_windows(self, x, self.length, self.channels)
        patches = x[:, self.steps].flatten(2)  # [N, P, patch*C]
        tokens = self.blocks(self.embed(patches) + self.positions)  # [N, P, D]
        mean: Tensor = self.norm(tokens.mean(dim=1))  # [N, D]
        return mean

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs [N, outputs], without activation."""
        answer: Tensor = self.head(self.forward_features(x))  # [N, outputs]
        return answer


class ReversibleInstanceNorm(nn.Module):
    """Show a network windows without level and scale, and give both back to its answer.

    For series of very different or drifting levels, where the answer is in the units of the
    first channel.

    Parameters
    ----------
    network : torch.nn.Module
        Takes [N, T, C] and returns [N, outputs] or [N, steps, outputs]. Further inputs are
        handed to it as they are.
    series : int, default=1
        Number of first channels to normalise, at least 1; each loses the mean and the standard
        deviation that it has in the window. The others (calendar, flags) pass unchanged.

    Raises
    ------
    ParameterError
        When ``series`` is outside its limits.

    Notes
    -----
    ``forward(x)`` takes float32 [N, T, C] and returns what the network does. The variance is
    raised by 1e-5, so channels should vary by clearly more than 0.003; one that is constant
    becomes zeros.

    References
    ----------
    Kim et al. (2022), Reversible Instance Normalization, openreview.net/forum?id=cGDAkQo1C0p.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> network = ReversibleInstanceNorm(TemporalConvNet(1)).eval()
    >>> window = torch.randn(1, 28, 1)
    >>> torch.allclose(network(100 + window), 100 + network(window), atol=1e-4)
    True
    """

    def __init__(self, network: nn.Module, series: int = 1) -> None:
        super().__init__()
        self.network, self.series = network, series
        check_limits(self, {"series": integer(1)})

    def forward(self, x: Tensor, *others: Tensor) -> Tensor:
        """Return the outputs in the units of the first channel."""
        values, covariates = x[..., : self.series], x[..., self.series :]
        last = values[:, -1:]  # [N, 1, series]
        change = values - last  # exact for neighbours: a high level costs no digits of the scale
        mean = change.mean(dim=1, keepdim=True)
        scale = (change.var(dim=1, correction=0, keepdim=True) + _LEAST_VARIANCE).sqrt()
        normal = torch.cat([(change - mean) / scale, covariates], dim=2)  # [N, T, C]
        answer = self.network(normal, *others)  # [N, ..., outputs]
        size, level = scale[:, 0, :1], (mean + last)[:, 0, :1]  # [N, 1]
        if answer.ndim == 3:
            size, level = size.unsqueeze(1), level.unsqueeze(1)
        restored: Tensor = answer * size + level
        return restored


class _CausalBlock(nn.Module):
    """x + Dropout(Conv(Dropout(ReLU(Conv(Norm(x)))))), each step normalised by itself."""

    def __init__(self, width: int, kernel_size: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.conv_in = nn.Conv1d(width, width, kernel_size)
        self.conv_out = nn.Conv1d(width, width, kernel_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, dilation: int) -> Tensor:
        """[N, T, D] -> [N, T, D]."""
        hidden = self.norm(x).transpose(1, 2)  # [N, D, T]
        hidden = self.dropout(functional.relu(_causal(self.conv_in, hidden, dilation)))
        change: Tensor = self.dropout(_causal(self.conv_out, hidden, dilation))
        return x + change.transpose(1, 2)


def _causal(conv: nn.Conv1d, x: Tensor, dilation: int) -> Tensor:
    """[N, D, T] -> [N, D, T], with zeros before the first step."""
    padded = functional.pad(x, (dilation * (conv.kernel_size[0] - 1), 0))
    return functional.conv1d(padded, conv.weight, conv.bias, dilation=dilation)


def _attention(width: int, dropout: float) -> nn.TransformerEncoderLayer:
    return nn.TransformerEncoderLayer(
        width,
        nhead=width // _HEAD_WIDTH,
        dim_feedforward=2 * width,
        dropout=dropout,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )


def _check_windows(network: nn.Module, x: Tensor, length: int | None, channels: int) -> None:
    """Raise where x is not [N, length, channels], or [N, 1 or more, channels] without a length."""
    steps = x.shape[1] if x.ndim == 3 else 0
    if steps != (length or max(steps, 1)) or x.shape[2] != channels:
        words = f"of shape [windows, {length or 'steps'}, {channels}]"
        raise wrong_parameter(type(network).__name__, "x", words, tuple(x.shape))
