"""A denoising autoencoder of feature rows.

Method: Vincent et al., Extracting and Composing Robust Features with Denoising Autoencoders,
ICML 2008, doi:10.1145/1390156.1390294. Written from the paper.

What differs from it: the noise is Gaussian, which suits standardised numbers (the paper sets
inputs to zero), and the network is symmetric with two hidden layers and SiLU.

Letters: N rows, F features, W width of the hidden layers, L width of the latent code.

Parameters of the default with F = 30: 13.4 thousand.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class DenoisingAutoencoder(nn.Module):
    """Learn rows by restoring them from a noisy copy.

    Parameters
    ----------
    features : int
        Number of features F, standardised numbers.
    width : int, default=64
        Width W of the hidden layers.
    latent : int, default=8
        Width L of the latent code; below F, or the network may copy its input.
    noise : float, default=0.1
        Standard deviation of the Gaussian noise added in training, in units of the features.

    Notes
    -----
    ``forward(x)`` takes float32 [N, F] without missing values and returns the restored rows
    [N, F]. Noise is added in training mode only.

    References
    ----------
    Vincent et al. (2008), doi:10.1145/1390156.1390294.

    Examples
    --------
    >>> network = DenoisingAutoencoder(5)
    >>> rows = torch.zeros(3, 5)
    >>> network(rows).shape, network.reconstruction_error(rows).shape
    (torch.Size([3, 5]), torch.Size([3]))
    """

    def __init__(
        self, features: int, *, width: int = 64, latent: int = 8, noise: float = 0.1
    ) -> None:
        super().__init__()
        self.noise = noise
        self.encoder = _layers(features, width, latent)
        self.decoder = _layers(latent, width, features)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the latent code [N, L] of the rows [N, F], without noise."""
        code: Tensor = self.encoder(x)  # [N, L]
        return code

    def forward(self, x: Tensor) -> Tensor:
        """Return the rows [N, F] restored; in training mode, from a noisy copy."""
        noisy = x + self.noise * torch.randn_like(x) if self.training else x
        restored: Tensor = self.decoder(self.encoder(noisy))  # [N, F]
        return restored

    def reconstruction_error(self, x: Tensor) -> Tensor:
        """Return the mean squared error [N] of each row; the same in either mode."""
        return _row_error(x, self.decoder(self.encoder(x)))


class ReconstructionError(nn.Module):
    """Present ``reconstruction_error`` as ``forward``, which is what exporters trace.

    Parameters
    ----------
    autoencoder : DenoisingAutoencoder
        The trained network.

    Examples
    --------
    >>> score = ReconstructionError(DenoisingAutoencoder(5).eval())
    >>> score(torch.zeros(3, 5)).shape
    torch.Size([3])
    """

    def __init__(self, autoencoder: DenoisingAutoencoder) -> None:
        super().__init__()
        self.autoencoder = autoencoder

    def forward(self, x: Tensor) -> Tensor:
        """Return the error [N] of the rows [N, F]."""
        return self.autoencoder.reconstruction_error(x)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence [N] of codes [N, L] from the standard normal, in nats.

    Examples
    --------
    >>> divergence(torch.tensor([[0.0, 2.0]]), torch.zeros(1, 2))
    tensor([2.])
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)


def _layers(inputs: int, width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, width),
        nn.SiLU(),
        nn.Linear(width, width),
        nn.SiLU(),
        nn.Linear(width, outputs),
    )


def _row_error(x: Tensor, restored: Tensor) -> Tensor:
    return (x - restored).square().mean(dim=1)  # [N]
