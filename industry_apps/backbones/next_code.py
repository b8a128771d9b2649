"""Networks that score every code as the next of a sequence: a transformer, and two towers.

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
    >>> network = SequenceScorer(10, length=5)
    >>> network(torch.tensor([[3, 4, 0]])).shape, network.last(torch.tensor([[3, 4, 0]])).shape
    (torch.Size([1, 3, 10]), torch.Size([1, 65]))
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


def normalised(x: Tensor) -> Tensor:
    """Mean 0 and length sqrt(D) of each representation [.., D]; zeros stay zeros."""
    return functional.layer_norm(x, x.shape[-1:])
