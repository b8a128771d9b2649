"""What a generative network says of an image, as a module that exporters trace.

Methods: the evidence lower bound of Kingma and Welling 2014, arXiv:1312.6114, with a spread of
the pixels that is measured (Rybkin et al. 2021, arXiv:2006.13202); the error of a denoiser as
in Graham et al. 2023, arXiv:2211.07740. Written from the papers.

What differs from the papers: the class of the image is not known, so that the smallest value
over the classes counts; and the denoiser is asked once at each of a few steps, with noise that
is always the same, in place of whole chains of denoising.

Letters: N images, C channels, H height, W width, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from industry_apps.backbones.autoencoder import divergence
from industry_apps.backbones.diffusion import Denoiser
from industry_apps.backbones.image_autoencoder import ConvolutionalVAE

_HALF_A_BYTE = 127.5


class EvidenceBound(nn.Module):
    """The smallest negative evidence lower bound over the classes, in nats a pixel.

    Parameters
    ----------
    network : ConvolutionalVAE
    spread : float
        Variance of a pixel about its restored value, > 0.

    Notes
    -----
    ``forward(x)`` takes float32 [N, C, H, W] and returns [N].

    Examples
    --------
    >>> network = ConvolutionalVAE(8, 8, classes=2, filters=4)
    >>> EvidenceBound(network, 0.1)(torch.zeros(3, 1, 8, 8)).shape
    torch.Size([3])
    """

    def __init__(self, network: ConvolutionalVAE, spread: float) -> None:
        super().__init__()
        self.network = network
        self.spread = spread
        self.pixels = math.prod(network.shape)

    def forward(self, x: Tensor) -> Tensor:
        """Return the bound [N] of the images [N, C, H, W], from their mean codes."""
        mean, log_variance = self.network.encode(x)
        errors = [
            (self.network.decode(mean, _all(x, label)) - x).square().mean((1, 2, 3))
            for label in range(self.network.classes)
        ]
        error = torch.stack(errors).amin(0)  # [N]
        likelihood = error / (2 * self.spread) + 0.5 * math.log(2 * math.pi * self.spread)
        return likelihood + divergence(mean, log_variance) / self.pixels


class DenoisingError(nn.Module):
    """The smallest error over the classes with which a denoiser tells an image from noise.

    Parameters
    ----------
    network : Denoiser
    asked : sequence of float
        How much noise it is asked about: shares of all steps, in [0, 1).
    shape : sequence of int
        C, H and W of an image.
    seed : int, default=0
        Of the noise.

    Notes
    -----
    ``forward(x)`` takes float32 [N, C, H, W] and returns [N].

    Examples
    --------
    >>> DenoisingError(Denoiser(width=8), (0.2,), (1, 8, 8))(torch.zeros(3, 1, 8, 8)).shape
    torch.Size([3])
    """

    noise: Tensor
    step: Tensor
    label: Tensor

    def __init__(
        self, network: Denoiser, asked: Sequence[float], shape: Sequence[int], seed: int = 0
    ) -> None:
        super().__init__()
        self.network = network
        kinds = network.label.num_embeddings
        steps = [int(share * len(network.schedule.left)) for share in asked]
        source = torch.Generator().manual_seed(seed)
        noise = torch.randn(len(steps), *shape, generator=source)
        # Every step for every class: one question each, all asked of the network at once.
        self.register_buffer("noise", noise.repeat(kinds, 1, 1, 1))  # [K * steps, C, H, W]
        self.register_buffer("step", torch.tensor(steps).repeat(kinds))  # [K * steps]
        self.register_buffer("label", torch.arange(kinds).repeat_interleave(len(steps)))
        self.kinds = kinds

    def forward(self, x: Tensor) -> Tensor:
        """Return the error [N] of the images [N, C, H, W]."""
        each = len(self.step)
        copies = x[:, None].expand(-1, each, -1, -1, -1)  # [N, K * steps, C, H, W]
        noise = self.noise[None].expand_as(copies).flatten(0, 1)
        step, label = (
            part[None].expand(x.shape[0], -1).flatten() for part in (self.step, self.label)
        )
        question = copies.flatten(0, 1), step, noise
        told = self.network(self.network.schedule.noisy(*question), step, label)
        error = (told - self.network.schedule.velocity(*question)).square().mean((1, 2, 3))
        return error.reshape(-1, self.kinds, each // self.kinds).mean(2).amin(1)


class OfBytes(nn.Module):
    """Present a network of numbers in [-1, 1] as one of bytes.

    Parameters
    ----------
    network : torch.nn.Module
        Called with float32 [N, C, H, W].

    Notes
    -----
    ``forward(image)`` takes uint8 [N, H, W, C] and returns what the network does.

    Examples
    --------
    >>> OfBytes(nn.Flatten())(torch.full((1, 1, 2, 1), 255, dtype=torch.uint8))
    tensor([[1., 1.]])
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        """Return the answer to images [N, H, W, C] of bytes."""
        answer: Tensor = self.network(as_numbers(image))
        return answer


def as_numbers(image: Tensor) -> Tensor:
    """Turn bytes [N, H, W, C] into numbers [N, C, H, W] in [-1, 1].

    Examples
    --------
    >>> as_numbers(torch.zeros(2, 8, 9, 1, dtype=torch.uint8)).shape
    torch.Size([2, 1, 8, 9])
    """
    return image.permute(0, 3, 1, 2).float() / _HALF_A_BYTE - 1


def as_bytes(x: Tensor) -> Tensor:
    """Turn numbers [N, C, H, W], about in [-1, 1], into bytes [N, H, W, C].

    Examples
    --------
    >>> as_bytes(torch.tensor([-2.0, 0.0, 1.0]).reshape(1, 1, 1, 3)).flatten().tolist()
    [0, 128, 255]
    """
    bounded = ((x + 1) * _HALF_A_BYTE).clamp(0, 255)
    return bounded.round().to(torch.uint8).permute(0, 2, 3, 1)


def _all(x: Tensor, value: int) -> Tensor:
    """The same whole number for each image -> int64 [N]."""
    return torch.full_like(x[:, 0, 0, 0], value, dtype=torch.int64)
