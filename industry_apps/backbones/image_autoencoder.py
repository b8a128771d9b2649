"""A convolutional variational autoencoder of small images.

Method: Kingma and Welling, Auto-Encoding Variational Bayes, ICLR 2014, arXiv:1312.6114, with
the class told to the decoder as in Kingma et al., Semi-supervised Learning with Deep
Generative Models, NeurIPS 2014, arXiv:1406.5298. Written from the papers.

What differs from the papers: convolutions in place of perceptrons; the encoder is not told the
class, so that it can be asked about images whose class nobody knows.

Letters: N images, C channels, H height, W width, K classes, L width of the latent code.

Parameters of the defaults for 28 x 28 pixels: 348 thousand, 13 million multiply-adds.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from industry_apps.backbones.unet import check_sizes, padded

_HALVINGS = 2


class ConvolutionalVAE(nn.Module):
    """Learn images through a latent code that is drawn from a normal distribution.

    Parameters
    ----------
    height, width : int
        Pixels H and W of the images.
    channels : int, default=1
        Channels C of the images.
    classes : int, default=1
        What an image may show; 1 when nothing is told apart.
    filters : int, default=32
        Channels of the first convolution; the second has twice as many.
    latent : int, default=16
        Width L of the latent code.

    Raises
    ------
    ParameterError
        When a number is below 1.

    Notes
    -----
    ``forward(x, label)`` takes float32 [N, C, H, W], about in [-1, 1], and int64 [N], and
    returns the restored images [N, C, H, W], the mean [N, L] and the logarithm of the variance
    [N, L] of the code. The code is drawn in training mode only; in eval mode it is its mean.

    References
    ----------
    Kingma and Welling (2014), arXiv:1312.6114.

    Examples
    --------
    >>> network = ConvolutionalVAE(9, 28, filters=4, latent=2)
    >>> parts = network(torch.zeros(3, 1, 9, 28), torch.zeros(3, dtype=torch.int64))
    >>> [tuple(part.shape) for part in parts]
    [(3, 1, 9, 28), (3, 2), (3, 2)]
    """

    def __init__(
        self,
        height: int,
        width: int,
        *,
        channels: int = 1,
        classes: int = 1,
        filters: int = 32,
        latent: int = 16,
    ) -> None:
        super().__init__()
        sizes = {"height": height, "width": width, "channels": channels, "classes": classes}
        check_sizes(type(self).__name__, {**sizes, "filters": filters, "latent": latent})
        self.shape = (channels, height, width)
        self.classes = classes
        self.latent = latent
        shrunk = 2**_HALVINGS
        low = (2 * filters, math.ceil(height / shrunk), math.ceil(width / shrunk))
        self.encoder = nn.Sequential(
            *_halving(channels, filters),
            *_halving(filters, 2 * filters),
            nn.Flatten(),
            nn.Linear(math.prod(low), 2 * latent),
        )
        self.label = nn.Embedding(classes, latent)
        self.decoder = nn.Sequential(
            nn.Linear(2 * latent, math.prod(low)),
            nn.SiLU(),
            nn.Unflatten(1, low),
            *_doubling(2 * filters, filters),
            *_doubling(filters, filters),
            nn.Conv2d(filters, channels, 3, padding=1),
        )

    def forward_features(self, x: Tensor) -> Tensor:
        """Return the mean [N, L] of the latent code of the images [N, C, H, W]."""
        return self.encode(x)[0]

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of the code, [N, L] each."""
        mean, log_variance = self.encoder(padded(x, 2**_HALVINGS)).chunk(2, dim=1)
        return mean, log_variance

    def decode(self, code: Tensor, label: Tensor) -> Tensor:
        """Return images [N, C, H, W] of codes [N, L] and classes [N]."""
        _, height, width = self.shape
        images: Tensor = self.decoder(torch.cat([code, self.label(label)], dim=1))
        return images[:, :, :height, :width]

    def forward(self, x: Tensor, label: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the restored images, and mean and log variance of their codes."""
        mean, log_variance = self.encode(x)
        code = mean
        if self.training:
            code = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decode(code, label), mean, log_variance


def _halving(before: int, after: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(before, after, 4, stride=2, padding=1), nn.SiLU()


def _doubling(before: int, after: int) -> tuple[nn.Module, ...]:
    # Pixels from channels: no checkerboard, and the convolution runs on the small image.
    return nn.Conv2d(before, 4 * after, 3, padding=1), nn.PixelShuffle(2), nn.SiLU()
