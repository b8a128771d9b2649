"""Networks that score every code as the next of a sequence: a transformer, and two towers.

And what such a network is asked, as networks of their own: one step, a whole sequence.

Methods: Kang and McAuley, Self-Attentive Sequential Recommendation, ICDM 2018,
arXiv:1808.09781; Covington, Adams and Sargin, Deep Neural Networks for YouTube Recommendations,
RecSys 2016, doi:10.1145/2959100.2959190. Written from the papers.

What differs from the papers: every code is scored, none is sampled, so that the loss is the
cross-entropy over all of them; what stands for a sequence is normalised before it is multiplied
with the codes, so that no score is unbounded; the second tower reads attributes of a code beside
its embedding, which is dropped at random in training, so that a code without a past is scored
by its attributes.

Letters: B sequences, T codes of each, C codes, D width, A attributes.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.backbones.transformer import SequenceEncoder
from industry_apps.limits import DROPOUT, check_limits, integer

_EMBEDDING_SCALE = 0.05


class NextCode(nn.Module):
    """What both networks share: scores [B, T, C] of what follows each code of a sequence.

    ``forward(codes)`` takes int64 [B, T], 0 behind the end; code 0 is scored too, and means
    nothing.
    """

    @abstractmethod
    def steps(self, codes: Tensor) -> Tensor:
        """Stand for the sequence up to each code: [B, T, D]."""

    @abstractmethod
    def candidates(self) -> tuple[Tensor, Tensor]:
        """What stands for each code [C, D], and what is added to its score [C]."""

    def forward(self, codes: Tensor) -> Tensor:
        """Return the scores [B, T, C]."""
        table, bias = self.candidates()
        scores: Tensor = self.steps(codes) @ table.T + bias
        return scores

    def last(self, codes: Tensor) -> Tensor:
        """Stand for the whole sequence [B, D + 1]; the last number is 1, for the bias of a code.

        All numbers are 0 for an empty sequence.
        """
        real = (codes != 0).to(torch.float32)
        ends = real * (1 - functional.pad(real[:, 1:], (0, 1)))  # 1 at the last code
        whole = (ends.unsqueeze(2) * self.steps(codes)).sum(dim=1)  # [B, D]
        return torch.cat([whole, ends.sum(dim=1, keepdim=True)], dim=1)


class SequenceScorer(NextCode):
    """A causal transformer whose output is compared with the embedding of every code.

    Parameters
    ----------
    cardinality : int
        Number of codes C, at least 2; 0 is padding.
    width, depth, heads, length, dropout
        As of :class:`SequenceEncoder`.

    Examples
    --------
    >>> network = SequenceScorer(10, length=5).eval()
    >>> codes = torch.tensor([[3, 4]])
    >>> network(codes).shape, network.last(codes).shape
    (torch.Size([1, 2, 10]), torch.Size([1, 65]))
    >>> state = torch.zeros(1, network.state_size)
    >>> for place in range(2):
    ...     scores, state = network.step(codes[:, place : place + 1], state)
    >>> torch.allclose(scores, network(codes)[:, -1], atol=1e-5)
    True
    """

    def __init__(
        self,
        cardinality: int,
        *,
        width: int = 64,
        depth: int = 2,
        heads: int = 2,
        length: int = 50,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.encoder = SequenceEncoder(
            cardinality,
            width=width,
            depth=depth,
            heads=heads,
            length=length,
            dropout=dropout,
            causal=True,
        )
        self.bias = nn.Parameter(torch.zeros(cardinality))

    def steps(self, codes: Tensor) -> Tensor:
        """Stand for the sequence up to each code: [B, T, D]."""
        return normalised(self.encoder(codes))

    @property
    def state_size(self) -> int:
        """Numbers S of the state before the first code."""
        return self.encoder.state_size

    def step(self, code: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores [B, C] of what follows a code [B, 1], and the state behind it.

        The state grows by S with each code; see :meth:`SequenceEncoder.step`.
        """
        x, state = self.encoder.step(code, state)
        table, bias = self.candidates()
        return normalised(x) @ table.T + bias, state

    def candidates(self) -> tuple[Tensor, Tensor]:
        """Return what stands for each code [C, D], and what is added to its score [C]."""
        return self.encoder.embed.weight, self.bias


class TwoTowers(NextCode):
    """A tower for what came before, without its order, and one for each code.

    Parameters
    ----------
    attributes : Tensor of shape [C, A]
        What is known of each code; A may be 0. Row 0, of padding, is ignored.
    width : int, default=64
        D, at least 1.
    dropout : float, default=0.2
        Share of the embeddings of codes and of hidden units dropped in training, in [0, 1).

    Notes
    -----
    What stands for the codes before is the mean of their towers.

    Examples
    --------
    >>> towers = TwoTowers(torch.zeros(10, 3))
    >>> towers(torch.tensor([[3, 4, 0]])).shape, towers.last(torch.tensor([[3, 4, 0]])).shape
    (torch.Size([1, 3, 10]), torch.Size([1, 65]))
    """

    attributes: Tensor

    def __init__(self, attributes: Tensor, *, width: int = 64, dropout: float = 0.2) -> None:
        super().__init__()
        self.width, self.dropout = width, dropout
        check_limits(self, {"width": integer(1), "dropout": DROPOUT})
        codes, columns = attributes.shape
        self.register_buffer("attributes", attributes)
        self.embed = nn.Embedding(codes, width, padding_idx=0)
        self.describe = nn.Linear(columns, width, bias=False) if columns else None
        self.hidden = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        with torch.no_grad():
            self.embed.weight.mul_(_EMBEDDING_SCALE)

    def steps(self, codes: Tensor) -> Tensor:
        """Stand for the codes up to each: [B, T, D]."""
        table, _ = self.candidates()
        real = (codes != 0).to(table.dtype)
        told = functional.embedding(codes, table) * real.unsqueeze(2)  # [B, T, D]
        count = real.cumsum(dim=1).clamp(min=1).unsqueeze(2)
        mean = normalised(told.cumsum(dim=1) / count)
        return normalised(mean + self.hidden(mean))

    def candidates(self) -> tuple[Tensor, Tensor]:
        """Return what stands for each code [C, D], and nothing that is added to its score [C]."""
        table = self.embed.weight
        if self.training and self.dropout:
            kept = torch.rand(len(table), 1, device=table.device) >= self.dropout
            table = table * kept
        if self.describe is not None:
            table = table + self.describe(self.attributes)
        return table, torch.zeros(len(table), device=table.device)


class WriterStep(nn.Module):
    """One step of a network that writes, as one of its own: scores and state side by side.

    Parameters
    ----------
    writer : SequenceScorer or RecurrentWriter

    Examples
    --------
    >>> step = WriterStep(SequenceScorer(10))
    >>> step(torch.tensor([[2]]), torch.zeros(1, 256)).shape
    torch.Size([1, 522])
    """

    def __init__(self, writer: Any) -> None:
        super().__init__()
        self.writer = writer

    def forward(self, code: Tensor, state: Tensor) -> Tensor:
        """Return [B, C + S]."""
        return torch.cat(self.writer.step(code, state), dim=1)


class SequenceLikelihood(nn.Module):
    """The log-likelihood of whole sequences [B, 1]; what stands at code 0 does not count.

    Parameters
    ----------
    writer : SequenceScorer or RecurrentWriter

    Examples
    --------
    >>> found = SequenceLikelihood(SequenceScorer(10))(torch.tensor([[2, 4, 3, 0]]))
    >>> found.shape
    torch.Size([1, 1])
    """

    def __init__(self, writer: nn.Module) -> None:
        super().__init__()
        self.writer = writer

    def forward(self, codes: Tensor) -> Tensor:
        """Return [B, 1]."""
        codes = codes.long()
        told = torch.log_softmax(self.writer(codes[:, :-1]), dim=2)  # [B, T - 1, C]
        follows = codes[:, 1:]
        taken = told.gather(2, follows.unsqueeze(2))[:, :, 0]
        return (taken * (follows > 0)).sum(dim=1, keepdim=True)


def normalised(x: Tensor) -> Tensor:
    """Mean 0 and length sqrt(D) of each representation [.., D]; zeros stay zeros."""
    return functional.layer_norm(x, x.shape[-1:])
