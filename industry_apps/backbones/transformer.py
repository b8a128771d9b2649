"""Transformer over a sequence of codes: words of a text, items that a customer bought.

Methods: Vaswani et al., Attention Is All You Need, NeurIPS 2017, arXiv:1706.03762; Kang and
McAuley, Self-Attentive Sequential Recommendation, ICDM 2018, arXiv:1808.09781. Written from
the papers.

What differs from the papers: blocks normalise first and use GELU, as later practice has it;
positions are learned, as in the second paper, and counted from the first code, since sequences
are filled up at the end; every position sees itself even where it is padding, so that a sequence
of padding only gives numbers.

Letters: B sequences, T codes of each, D width, H heads.

Parameters of the defaults with a cardinality of 5 000: 391 thousand, 320 thousand of them
embeddings.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.limits import BOOLEAN, DROPOUT, Limit, check_limits, integer, wrong_parameter

#: Standard deviation of embeddings and positions at the start, for every width.
_EMBEDDING_SCALE = 0.05


class SequenceEncoder(nn.Module):
    """Represent every code of a sequence by what stands around it, or before it.

    Parameters
    ----------
    cardinality : int
        Number of codes, at least 2: code 0 is padding, the others are 1 to cardinality - 1.
    width : int, default=64
        Width D of a representation, a multiple of ``heads``.
    depth : int, default=2
        Number of transformer blocks, at least 1.
    heads : int, default=2
        Attention heads H, at least 1.
    length : int, default=64
        Longest sequence, at least 1.
    dropout : float, default=0.2
        Share of embeddings, attention weights and hidden units dropped in training, in [0, 1).
    causal : bool, default=False
        Whether a code sees itself and the codes before it only, as a forecast of the next one
        needs, or the whole sequence.

    Attributes
    ----------
    embed : torch.nn.Embedding
        Its weight [cardinality, D] also serves where an output is scored against every code.

    Raises
    ------
    ParameterError
        When a parameter is outside its limits, or an input is not of [B, T] with T <= length.

    Notes
    -----
    ``forward(codes)`` takes int64 [B, T], shorter sequences filled up with zeros, and returns
    float32 [B, T, D]. Padding is seen by no code; what stands at its own positions has no
    meaning. Cost grows with the square of T.

    References
    ----------
    Vaswani et al. (2017), arXiv:1706.03762; Kang and McAuley (2018), arXiv:1808.09781.

    Examples
    --------
    >>> network = SequenceEncoder(100, length=20)
    >>> codes = torch.tensor([[5, 7, 99, 0], [3, 0, 0, 0]])
    >>> network(codes).shape, network.pool(codes).shape
    (torch.Size([2, 4, 64]), torch.Size([2, 64]))
    """

    def __init__(
        self,
        cardinality: int,
        *,
        width: int = 64,
        depth: int = 2,
        heads: int = 2,
        length: int = 64,
        dropout: float = 0.2,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.cardinality, self.width, self.depth = cardinality, width, depth
        self.heads, self.length, self.dropout, self.causal = heads, length, dropout, causal
        check_limits(self, {"cardinality": integer(2)} | dict.fromkeys(_COUNTS, integer(1)))
        divides = Limit(lambda value: value % heads == 0, f"a multiple of the {heads} heads")
        check_limits(self, {"width": divides, "dropout": DROPOUT, "causal": BOOLEAN})
        self.embed = nn.Embedding(cardinality, width, padding_idx=0)
        self.positions = nn.Parameter(_EMBEDDING_SCALE * torch.randn(length, width))
        self.drop = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(_Block(width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        with torch.no_grad():
            self.embed.weight.mul_(_EMBEDDING_SCALE)

    def forward(self, codes: Tensor) -> Tensor:
        """Return the representation [B, T, D] of each code."""
        if codes.ndim != 2 or not 1 <= codes.shape[1] <= self.length:
            words = f"of shape [sequences, 1 to {self.length} codes]"
            raise wrong_parameter(type(self).__name__, "codes", words, tuple(codes.shape))
        steps = codes.shape[1]
        seen = self._seen(codes)  # [B, 1, T, T]
        x = self.drop(self.embed(codes) + self.positions[:steps])  # [B, T, D]
        for block in self.blocks:
            x = block(x, seen)
        answer: Tensor = self.norm(x)
        return answer

    def pool(self, codes: Tensor) -> Tensor:
        """Return one representation [B, D] a sequence: its mean, or its last code's where causal.

        A sequence of padding only gives zeros.
        """
        steps = self(codes)  # [B, T, D]
        real = (codes != 0).to(steps.dtype)  # [B, T]
        if self.causal:
            after = functional.pad(real[:, 1:], (0, 1))
            weight = real * (1 - after)  # 1 at the last code, since padding stands at the end
        else:
            weight = real / real.sum(dim=1, keepdim=True).clamp(min=1)
        return (weight.unsqueeze(2) * steps).sum(dim=1)

    @property
    def state_size(self) -> int:
        """Numbers S that :meth:`step` keeps of each code: a key and a value a block."""
        return 2 * self.depth * self.width

    def step(self, code: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Represent one more code [B, 1] of a sequence -> [B, D], and the state behind it.

        Parameters
        ----------
        code : Tensor of int64 [B, 1]
        state : Tensor of float32 [B, (1 + t) S]
            Behind t codes; zeros [B, S] before the first. Its first place is blank and seen by
            nobody: so no state is empty, which some runtimes cannot reshape.

        Notes
        -----
        Of a causal encoder, the answer is that of ``forward`` at this place, unless a code is 0.
        """
        past = state.unflatten(1, (-1, self.depth, 2, self.heads, self.width // self.heads))
        x = self.embed(code) + self.positions[past.shape[1] - 1]  # [B, 1, D]
        kept = []
        for layer, block in enumerate(self.blocks):
            assert isinstance(block, _Block)
            x, pair = block.step(x, past[:, 1:, layer])
            kept.append(pair)
        grown = torch.cat([state, torch.cat(kept, dim=1).flatten(1)], dim=1)
        return self.norm(x)[:, 0], grown

    def _seen(self, codes: Tensor) -> Tensor:
        """Whether a position [.., T, 1] sees another [.., 1, T]: bool [B, 1, T, T]."""
        place = torch.arange(codes.shape[1], device=codes.device)
        seen = (codes != 0)[:, None, None, :]  # [B, 1, 1, T]
        if self.causal:
            seen = seen & (place[:, None] >= place)  # [B, 1, T, T]
        return seen | (place[:, None] == place)


_COUNTS = ("width", "depth", "heads", "length")


class _Block(nn.Module):
    """x + Attention(Norm(x)), then x + MLP(Norm(x))."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.norm_hidden = nn.LayerNorm(width)
        self.hidden = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """[B, T, D], [B, 1, T, T] -> [B, T, D]."""
        x = x + self.drop(self._attend(self.norm_attention(x), seen))
        change: Tensor = self.drop(self.hidden(self.norm_hidden(x)))
        return x + change

    def step(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """[B, 1, D], keys and values [B, t, 2, H, D/H] -> [B, 1, D], the new pair [B, 1, ..]."""
        parts = self.query_key_value(self.norm_attention(x)).unflatten(2, (3, self.heads, -1))
        query, pair = parts[:, :, 0], parts[:, :, 1:]  # [B, 1, H, D/H], [B, 1, 2, H, D/H]
        key, value = torch.cat([past, pair], dim=1).unbind(dim=2)  # [B, t + 1, H, D/H] each
        weight = (query * key).sum(dim=3, keepdim=True) * query.shape[3] ** -0.5
        mixed = (weight.softmax(dim=1) * value).sum(dim=1)  # [B, H, D/H]
        x = x + self.join(mixed.flatten(1)).unsqueeze(1)
        return x + self.hidden(self.norm_hidden(x)), pair

    def _attend(self, x: Tensor, seen: Tensor) -> Tensor:
        parts = self.query_key_value(x).unflatten(2, (3, self.heads, -1))  # [B, T, 3, H, D/H]
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # [B, H, T, D/H] each
        share = self.drop.p if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=seen, dropout_p=share
        )
        joined: Tensor = self.join(mixed.transpose(1, 2).flatten(2))  # [B, T, D]
        return joined
