"""Networks for tables: a residual MLP and an FT-Transformer, with categorical embeddings.

Method: "ResNet" and "FT-Transformer" of Gorishniy et al., Revisiting Deep Learning Models
for Tabular Data, NeurIPS 2021, arXiv:2106.11959. Written from the paper.

What differs from the paper: the residual MLP normalises with LayerNorm, not BatchNorm (no
running statistics, so short trainings and small last batches are sound, and one row answers
as it does in a batch); the categories share one embedding width; the smaller default widths
suit CPUs.

Letters: N rows, F numeric features, C category columns, E width of an embedding, D width of
the network, T tokens (1 + F + C), H attention heads.

Parameters of the defaults with F = 30 and C = 4 columns of 20 categories: TabularMLP 208
thousand, FTTransformer 110 thousand.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.errors import ParameterError


class TabularMLP(nn.Module):
    """Residual multilayer perceptron over numbers and embedded categories.

    Parameters
    ----------
    numeric : int
        Number of numeric features F; 0 is allowed when there are categories.
    cardinalities : sequence of int
        Number of codes of each of the C category columns, those for "unseen" and "missing"
        included; may be empty.
    width : int, default=128
        Width D of the network, at least 1.
    depth : int, default=3
        Number of residual blocks, at least 1.
    dropout : float, default=0.1
        Share of the hidden units dropped in training, in [0, 1).
    embedding : int, default=8
        Width E of the embedding of one category.
    outputs : int, default=1
        Number of outputs a row, without activation.

    Notes
    -----
    ``forward(numeric, categories)`` takes float32 [N, F] without missing values and int64
    [N, C] ([N, 0] where there is none) and returns float32 [N, outputs]. Codes must lie in
    0 <= code < cardinality: the feature graph guarantees it, and the network does not check.

    References
    ----------
    Gorishniy et al. (2021), Revisiting Deep Learning Models for Tabular Data,
    arXiv:2106.11959.

    Examples
    --------
    >>> network = TabularMLP(2, [3, 5])
    >>> network(torch.zeros(4, 2), torch.zeros(4, 2, dtype=torch.int64)).shape
    torch.Size([4, 1])
    """

    def __init__(
        self,
        numeric: int,
        cardinalities: Sequence[int],
        *,
        width: int = 128,
        depth: int = 3,
        dropout: float = 0.1,
        embedding: int = 8,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        _check_columns("TabularMLP", numeric, cardinalities)
        self.embed = _CategoryEmbedding(cardinalities, embedding)
        self.stem = nn.Linear(numeric + len(cardinalities) * embedding, width)
        self.blocks = nn.Sequential(*(_ResidualBlock(width, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, outputs)

    def forward_features(self, numeric: Tensor, categories: Tensor) -> Tensor:
        """Return the representation [N, D] that the head reads."""
        embedded = self.embed(categories).flatten(1)  # [N, C*E]
        x = torch.cat([numeric, embedded], dim=1)  # [N, F + C*E]
        x = self.blocks(self.stem(x))  # [N, D]
        return functional.relu(self.norm(x))

    def forward(self, numeric: Tensor, categories: Tensor) -> Tensor:
        """Return the outputs [N, outputs], without activation."""
        answer: Tensor = self.head(self.forward_features(numeric, categories))  # [N, outputs]
        return answer


class FTTransformer(nn.Module):
    """Transformer over one token per column (feature tokenizer and transformer).

    Parameters
    ----------
    numeric : int
        Number of numeric features F; 0 is allowed when there are categories.
    cardinalities : sequence of int
        Number of codes of each of the C category columns, those for "unseen" and "missing"
        included; may be empty.
    width : int, default=64
        Width D of a token, a multiple of ``heads``.
    depth : int, default=3
        Number of transformer blocks, at least 1.
    heads : int, default=8
        Number of attention heads H.
    dropout : float, default=0.1
        Share of attention weights and hidden units dropped in training, in [0, 1).
    outputs : int, default=1
        Number of outputs a row, without activation.

    Notes
    -----
    Inputs, outputs and the guarantee on codes are those of :class:`TabularMLP`. Cost grows
    with the square of the number of columns.

    References
    ----------
    Gorishniy et al. (2021), Revisiting Deep Learning Models for Tabular Data,
    arXiv:2106.11959.

    Examples
    --------
    >>> network = FTTransformer(2, [3], width=16, heads=2)
    >>> network.forward_features(torch.zeros(4, 2), torch.zeros(4, 1, dtype=torch.int64)).shape
    torch.Size([4, 16])
    """

    def __init__(
        self,
        numeric: int,
        cardinalities: Sequence[int],
        *,
        width: int = 64,
        depth: int = 3,
        heads: int = 8,
        dropout: float = 0.1,
        outputs: int = 1,
    ) -> None:
        super().__init__()
        _check_columns("FTTransformer", numeric, cardinalities)
        if width % heads:
            raise ParameterError(
                f"The 'width' parameter of FTTransformer must be a multiple of heads={heads}. "
                f"Got {width} instead."
            )
        columns = numeric + len(cardinalities)
        bound = width**-0.5  # the paper's initialisation of the tokenizer
        self.scale = nn.Parameter(torch.empty(numeric, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(1 + columns, width).uniform_(-bound, bound))
        self.embed = _CategoryEmbedding(cardinalities, width)
        self.blocks = nn.Sequential(*(_AttentionBlock(width, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, outputs)

    def forward_features(self, numeric: Tensor, categories: Tensor) -> Tensor:
        """Return the representation [N, D] that the head reads."""
        numbers = numeric.unsqueeze(-1) * self.scale  # [N, F, D]
        tokens = torch.cat([numbers, self.embed(categories)], dim=1)  # [N, F+C, D]
        # The first token, that of the whole row, consists of its bias alone.
        x = functional.pad(tokens, (0, 0, 1, 0)) + self.bias  # [N, T, D]
        x = self.blocks(x)
        return functional.relu(self.norm(x[:, 0]))  # [N, D]

    def forward(self, numeric: Tensor, categories: Tensor) -> Tensor:
        """Return the outputs [N, outputs], without activation."""
        answer: Tensor = self.head(self.forward_features(numeric, categories))  # [N, outputs]
        return answer


class _CategoryEmbedding(nn.Module):
    """One table for all category columns: column c reads rows offset[c] + code."""

    offsets: Tensor

    def __init__(self, cardinalities: Sequence[int], width: int) -> None:
        super().__init__()
        offsets = list(accumulate(cardinalities, initial=0))
        self.width = width
        self.table = nn.Embedding(offsets[-1], width) if cardinalities else None
        # Not saved: the constructor knows them.
        self.register_buffer("offsets", torch.tensor(offsets[:-1]).long(), persistent=False)

    def forward(self, categories: Tensor) -> Tensor:
        """[N, C] -> [N, C, E]."""
        if self.table is None:
            return self.offsets.new_zeros((categories.shape[0], 0, self.width), dtype=torch.float32)
        embedded: Tensor = self.table(categories + self.offsets)  # [N, C, E]
        return embedded


class _ResidualBlock(nn.Module):
    """x + Dropout(Linear(Dropout(ReLU(Linear(Norm(x))))))."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, D] -> [N, D]."""
        change: Tensor = self.layers(x)
        return x + change


class _AttentionBlock(nn.Module):
    """Pre-norm self-attention and a gated (ReGLU) feed-forward layer."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        hidden = 4 * width // 3  # the paper's factor for gated layers
        self.heads = heads
        self.dropout = dropout
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, 2 * hidden)
        self.feed_out = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """[N, T, D] -> [N, T, D]."""
        x = x + self._attend(self.attention_norm(x))
        gate, value = self.feed_in(self.feed_norm(x)).chunk(2, dim=-1)  # 2 x [N, T, 4D/3]
        hidden = functional.dropout(functional.relu(gate) * value, self.dropout, self.training)
        change: Tensor = self.feed_out(hidden)  # [N, T, D]
        return x + change

    def _attend(self, x: Tensor) -> Tensor:
        qkv = self.query_key_value(x).unflatten(-1, (3, self.heads, -1))  # [N, T, 3, H, D/H]
        query, key, value = qkv.transpose(1, 3).unbind(2)  # 3 x [N, H, T, D/H]
        dropout = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout)
        joined: Tensor = self.mix(mixed.transpose(1, 2).flatten(2))  # [N, T, D]
        return joined


def _check_columns(network: str, numeric: int, cardinalities: Sequence[int]) -> None:
    if numeric < 0 or numeric + len(cardinalities) == 0:
        raise ParameterError(
            f"The 'numeric' parameter of {network} must be an int >= 0, and >= 1 where there are "
            f"no category columns. Got {numeric} instead."
        )
    if any(cardinality < 1 for cardinality in cardinalities):
        raise ParameterError(
            f"The 'cardinalities' parameter of {network} must hold ints >= 1. "
            f"Got {list(cardinalities)} instead."
        )
