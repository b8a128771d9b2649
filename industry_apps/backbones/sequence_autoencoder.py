"""A variational autoencoder of sequences of codes.

Methods: Bowman et al., Generating Sentences from a Continuous Space, CoNLL 2016,
arXiv:1511.06349, for the recurrent autoencoder and the codes that are hidden from its decoder;
Gomez-Bombarelli et al., Automatic Chemical Design Using a Data-Driven Continuous Representation
of Molecules, ACS Central Science 2018, doi:10.1021/acscentsci.7b00572, for its use on molecules.
Written from the papers.

What differs from the papers: the latent code is told from the mean of the reader's states beside
its last one, and to the decoder at every step beside its first state.

Letters: B sequences, T codes of each, C codes, L width of the latent code, S numbers of a state.

Parameters of the defaults with a cardinality of 40: 1.6 million.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.backbones.recurrent import RecurrentWriter
from industry_apps.limits import DROPOUT, check_limits, integer


class SequenceVAE(nn.Module):
    """Learn sequences through a latent code that is drawn from a normal distribution.

    Parameters
    ----------
    cardinality : int
        Number of codes C, at least 2; 0 is padding.
    units : int, default=384
        Of the two recurrent layers: one reads, one writes.
    latent : int, default=64
        Width L of the latent code.
    hidden : float, default=0.1
        Share of the codes that the decoder is not shown in training, in [0, 1), so that it
        relies on the latent code.

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Notes
    -----
    ``forward(codes)`` takes int64 [B, T], 0 behind the end, and returns the scores [B, T - 1, C]
    of what follows each code but the last, the mean [B, L] and the logarithm of the variance
    [B, L] of the latent code, which is drawn in training mode only; in eval mode it is its mean.
    ``writer`` writes from the states of :meth:`state`.

    Examples
    --------
    >>> network = SequenceVAE(10, units=8, latent=2).eval()
    >>> codes = torch.tensor([[2, 4, 5, 3], [2, 4, 3, 0]])
    >>> [tuple(part.shape) for part in network(codes)]
    [(2, 3, 10), (2, 2), (2, 2)]
    >>> network.state(network.encode(codes)[0]).shape[1] == network.writer.state_size
    True
    """

    def __init__(
        self, cardinality: int, *, units: int = 384, latent: int = 64, hidden: float = 0.1
    ) -> None:
        super().__init__()
        self.latent, self.hidden = latent, hidden
        check_limits(self, {"latent": integer(1), "hidden": DROPOUT})
        self.writer = RecurrentWriter(cardinality, units=units, dropout=0.0, context=latent)
        width = self.writer.width
        self.reader = nn.GRU(width, units, batch_first=True)
        self.code = nn.Linear(2 * units, 2 * latent)
        self.first = nn.Linear(latent, units)

    def encode(self, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of the latent code, [B, L] each."""
        states = self.reader(self.writer.embed(codes.long()))[0]  # [B, T, H]
        real = (codes != 0).to(states.dtype)
        ends = real * (1 - functional.pad(real[:, 1:], (0, 1)))  # 1 at the last code
        count = real.sum(dim=1, keepdim=True).clamp(min=1)
        pooled = [(places.unsqueeze(2) * states).sum(dim=1) for places in (real / count, ends)]
        mean, log_variance = self.code(torch.cat(pooled, dim=1)).chunk(2, dim=1)
        return mean, log_variance

    def state(self, latent: Tensor) -> Tensor:
        """Return the state [B, S] from which the writer writes a latent code [B, L]."""
        return torch.cat([torch.tanh(self.first(latent)), latent], dim=1)

    def forward(self, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the scores, and mean and log variance of the latent code."""
        mean, log_variance = self.encode(codes)
        latent, shown = mean, codes[:, :-1]
        if self.training:
            latent = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
            shown = shown * (torch.rand(shown.shape, device=shown.device) >= self.hidden)
        return self.writer(shown, self.state(latent)), mean, log_variance
