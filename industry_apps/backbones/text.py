"""Networks that give a text one number: convolutions over its words, and attention among them.

Methods: Kim, Convolutional Neural Networks for Sentence Classification, EMNLP 2014,
arXiv:1408.5882; Vaswani et al., Attention Is All You Need, NeurIPS 2017, arXiv:1706.03762;
Gal and Ghahramani, A Theoretically Grounded Application of Dropout in Recurrent Neural Networks,
NeurIPS 2016, arXiv:1512.05287 (words dropped whole). Written from the papers.

What differs from the papers: words start from random vectors, and some are replaced by the
unknown word in training, so that rare words are not learned by heart; the norm of the last
layer is not bounded, since weights decay.

Letters: B texts, T codes of each (0 padding, 1 unknown, 2... words), D width, F filters.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.backbones.transformer import SequenceEncoder
from industry_apps.limits import DROPOUT, check_limits, integer

_UNKNOWN = 1
#: Standard deviation of the vectors of words at the start.
_EMBEDDING_SCALE = 0.1


class TextCNN(nn.Module):
    """Filters over neighbouring words, the strongest answer of each, and a linear layer.

    Parameters
    ----------
    cardinality : int
        Number of codes, at least 2.
    outputs : int, default=1
        Number of outputs a text, without activation.
    width : int, default=128
        Width D of the vector of a word, at least 1.
    filters : int, default=64
        Filters F of each size, at least 1.
    dropout : float, default=0.5
        Share of the strongest answers dropped in training, in [0, 1).
    word_dropout : float, default=0.2
        Share of words replaced by the unknown one in training, in [0, 1).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Notes
    -----
    ``forward(codes)`` takes int64 [B, T] and returns float32 [B, outputs]. Filters see two,
    three and four words.

    References
    ----------
    Kim (2014), arXiv:1408.5882.

    Examples
    --------
    >>> TextCNN(100)(torch.zeros(2, 8, dtype=torch.int64)).shape
    torch.Size([2, 1])
    """

    sizes = (2, 3, 4)

    def __init__(
        self,
        cardinality: int,
        outputs: int = 1,
        *,
        width: int = 128,
        filters: int = 64,
        dropout: float = 0.5,
        word_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.cardinality, self.outputs, self.width = cardinality, outputs, width
        self.filters, self.dropout, self.word_dropout = filters, dropout, word_dropout
        check_limits(
            self,
            {"cardinality": integer(2)}
            | dict.fromkeys(("outputs", "width", "filters"), integer(1))
            | dict.fromkeys(("dropout", "word_dropout"), DROPOUT),
        )
        self.embed = nn.Embedding(cardinality, width, padding_idx=0)
        with torch.no_grad():
            self.embed.weight[1:].normal_(std=_EMBEDDING_SCALE)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(width, filters, size, padding=size - 1) for size in self.sizes
        )
        self.head = nn.Linear(filters * len(self.sizes), outputs)

    def forward_features(self, codes: Tensor) -> Tensor:
        """Return the strongest answer of each filter, [B, F x sizes]."""
        codes = _some_unknown(codes, self.word_dropout if self.training else 0.0)
        words = self.embed(codes).transpose(1, 2)  # [B, D, T]
        words = functional.dropout(words, self.dropout / 2, self.training)
        strongest = [functional.relu(each(words)).amax(dim=2) for each in self.convolutions]
        return torch.cat(strongest, dim=1)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the outputs [B, outputs], without activation."""
        found = functional.dropout(self.forward_features(codes), self.dropout, self.training)
        answer: Tensor = self.head(found)
        return answer


class TextTransformer(nn.Module):
    """A transformer over the words, their mean, and a linear layer.

    Parameters
    ----------
    cardinality : int
        Number of codes, at least 2.
    outputs : int, default=1
        Number of outputs a text, without activation.
    length : int, default=64
        Words that are read, at least 1.
    width, depth : int, default=64 and 1
        As of :class:`SequenceEncoder`.
    dropout : float, default=0.3
        In [0, 1).
    word_dropout : float, default=0.2
        Share of words replaced by the unknown one in training, in [0, 1).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Notes
    -----
    ``forward(codes)`` takes int64 [B, T], T at most ``length``, and returns float32
    [B, outputs].

    References
    ----------
    Vaswani et al. (2017), arXiv:1706.03762.

    Examples
    --------
    >>> TextTransformer(100)(torch.zeros(2, 8, dtype=torch.int64)).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        cardinality: int,
        outputs: int = 1,
        *,
        length: int = 64,
        width: int = 64,
        depth: int = 1,
        dropout: float = 0.3,
        word_dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.outputs, self.dropout, self.word_dropout = outputs, dropout, word_dropout
        limits = {"outputs": integer(1), "dropout": DROPOUT, "word_dropout": DROPOUT}
        check_limits(self, limits)
        self.encoder = SequenceEncoder(
            cardinality, width=width, depth=depth, length=length, dropout=dropout
        )
        self.head = nn.Linear(width, outputs)

    def forward_features(self, codes: Tensor) -> Tensor:
        """Return the mean of the words, [B, D]."""
        codes = _some_unknown(codes, self.word_dropout if self.training else 0.0)
        return self.encoder.pool(codes)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the outputs [B, outputs], without activation."""
        found = functional.dropout(self.forward_features(codes), self.dropout, self.training)
        answer: Tensor = self.head(found)
        return answer


def _some_unknown(codes: Tensor, share: float) -> Tensor:
    """Replace a share of the words by the unknown one."""
    if not share:
        return codes
    lost = (torch.rand(codes.shape, device=codes.device) < share) & (codes > 0)
    return torch.where(lost, torch.full_like(codes, _UNKNOWN), codes)
