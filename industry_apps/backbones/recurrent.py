"""Recurrent networks: one writes sequences of codes, one after the other; one reads windows.

Methods: Cho et al., Learning Phrase Representations using RNN Encoder-Decoder, EMNLP 2014,
arXiv:1406.1078, for the gated unit; Segler et al., Generating Focused Molecule Libraries, ACS
Central Science 2018, doi:10.1021/acscentsci.7b00512, for its use on molecules; Bahdanau et al.,
Neural Machine Translation by Jointly Learning to Align and Translate, ICLR 2015, arXiv:1409.0473,
for the attention over the states of a window, which here has one learned query. Written from the
papers.

Letters: B sequences, T codes of each, C codes, D width, L layers, H units, K numbers of a context,
S numbers of a state; N windows, W channels.

Parameters of the defaults: RecurrentWriter with a cardinality of 40, 910 thousand; AttentiveGRU
with W = 8, 17 thousand.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.limits import DROPOUT, check_limits, integer


class RecurrentWriter(nn.Module):
    """Score every code as the next of a sequence.

    Parameters
    ----------
    cardinality : int
        Number of codes C, at least 2; 0 is padding.
    width : int, default=64
        Width D of an embedding.
    units : int, default=512
        H of a layer.
    depth : int, default=1
        Layers L.
    dropout : float, default=0.1
        Of embeddings, and between layers, in [0, 1).
    context : int, default=0
        Numbers K that stand beside every code, the same throughout a sequence: the end of the
        state.

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Notes
    -----
    ``forward(codes)`` takes int64 [B, T] and returns the scores [B, T, C] of what follows each
    code, from a state of zeros or the one that is given. ``step`` does the same for one code and
    the state behind the codes before it.

    Examples
    --------
    >>> network = RecurrentWriter(10, units=8).eval()
    >>> codes = torch.tensor([[2, 4, 5]])
    >>> state = torch.zeros(1, network.state_size)
    >>> for place in range(3):
    ...     scores, state = network.step(codes[:, place : place + 1], state)
    >>> torch.allclose(scores, network(codes)[:, -1], atol=1e-6)
    True
    """

    def __init__(
        self,
        cardinality: int,
        *,
        width: int = 64,
        units: int = 512,
        depth: int = 1,
        dropout: float = 0.1,
        context: int = 0,
    ) -> None:
        super().__init__()
        self.cardinality, self.width, self.units = cardinality, width, units
        self.depth, self.dropout, self.context = depth, dropout, context
        limits = dict.fromkeys(("width", "units", "depth"), integer(1))
        limits |= {"cardinality": integer(2), "dropout": DROPOUT, "context": integer(0)}
        check_limits(self, limits)
        self.embed = nn.Embedding(cardinality, width, padding_idx=0)
        self.drop = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            nn.GRU(width + context if layer == 0 else units, units, batch_first=True)
            for layer in range(depth)
        )
        self.scores = nn.Linear(units, cardinality)

    @property
    def state_size(self) -> int:
        """Numbers S that stand for what came before: L H + K."""
        return self.depth * self.units + self.context

    def forward(self, codes: Tensor, state: Tensor | None = None) -> Tensor:
        """Return the scores [B, T, C] of what follows each code, from a state [B, S]."""
        if state is None and self.context:
            state = torch.zeros(len(codes), self.state_size, device=codes.device)
        x = self.drop(self.embed(codes.long()))
        befores: list[Tensor | None] = [None] * self.depth
        if state is not None:
            *befores, context = state.split(self._parts, dim=1)
            x = torch.cat([x, context[:, None].expand(-1, x.shape[1], -1)], dim=2)
        for layer, before in zip(self.layers, befores, strict=True):
            x = self.drop(layer(x, None if before is None else before[None].contiguous())[0])
        answer: Tensor = self.scores(x)
        return answer

    def step(self, code: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores [B, C] of what follows a code [B, 1], and the state [B, S] behind it."""
        *befores, context = state.split(self._parts, dim=1)
        x = torch.cat([self.embed(code[:, 0].long()), context], dim=1)
        states = []
        for layer, before in zip(self.layers, befores, strict=True):
            x = _gated(layer, x, before)
            states.append(x)
        return self.scores(x), torch.cat([*states, context], dim=1)

    @property
    def _parts(self) -> list[int]:
        return [self.units] * self.depth + [self.context]


class AttentiveGRU(nn.Module):
    """Gated recurrent units over the steps of a window, and attention over their states.

    Parameters
    ----------
    channels : int
        Number of channels W, at least 1.
    outputs : int, default=1
        Number of outputs a window, without activation.
    units : int, default=48
        H of the recurrent layer, at least 1.
    dropout : float, default=0.2
        Of what the head reads, in [0, 1).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Notes
    -----
    ``forward(x)`` takes float32 [N, T, W] without missing values, oldest step first, of any
    T >= 1, and returns float32 [N, outputs]: of the last state, and of the mean of all states by
    their attention.

    Examples
    --------
    >>> AttentiveGRU(3, outputs=2)(torch.zeros(5, 28, 3)).shape
    torch.Size([5, 2])
    """

    def __init__(
        self, channels: int, outputs: int = 1, *, units: int = 48, dropout: float = 0.2
    ) -> None:
        super().__init__()
        self.channels, self.outputs = channels, outputs
        self.units, self.dropout = units, dropout
        counts = dict.fromkeys(("channels", "outputs", "units"), integer(1))
        check_limits(self, counts | {"dropout": DROPOUT})
        self.embed = nn.Linear(channels, units)
        self.layer = nn.GRU(units, units, batch_first=True)
        self.attention = nn.Linear(units, 1)
        self.hidden = nn.Linear(2 * units, units)
        self.drop = nn.Dropout(dropout)
        self.head = nn.Linear(units, outputs)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the representation [N, H] that the head reads."""
        states, _ = self.layer(functional.relu(self.embed(x)))  # [N, T, H]
        share = torch.softmax(self.attention(torch.tanh(states)), dim=1)  # [N, T, 1]
        mean = (share * states).sum(dim=1)  # [N, H]
        both = self.drop(torch.cat([states[:, -1], mean], dim=1))
        hidden: Tensor = functional.relu(self.hidden(both))
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs [N, outputs], without activation."""
        answer: Tensor = self.head(self.forward_features(x))
        return answer


def _gated(layer: nn.Module, x: Tensor, before: Tensor) -> Tensor:
    """One step of a gated recurrent unit: [B, D], [B, H] -> [B, H]."""
    assert isinstance(layer, nn.GRU)
    weights: dict[str, Tensor] = dict(layer.named_parameters())
    told, kept = (
        functional.linear(value, weights[f"weight_{name}_l0"], weights[f"bias_{name}_l0"])
        for name, value in (("ih", x), ("hh", before))
    )  # [B, 3 H]
    told_reset, told_update, told_new = told.chunk(3, dim=1)
    reset, update, new = kept.chunk(3, dim=1)
    reset, update = torch.sigmoid(told_reset + reset), torch.sigmoid(told_update + update)
    changed = torch.tanh(told_new + reset * new)
    return (1 - update) * changed + update * before
