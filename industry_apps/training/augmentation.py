"""Images changed at random while a network learns from them, as tensor operations.

The changes are those that MONAI's random transforms make (flip, affine, contrast, shift of
intensity, noise; Cardoso et al. 2022, arXiv:2211.02701) and mixup (Zhang et al. 2018,
arXiv:1710.09412). Letters: B images, C channels, H and W pixels, K classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from industry_apps.limits import NOT_NEGATIVE, Limit, check_parameters, is_number

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Augmentation", "augmented", "mixed"]

_BELOW_ONE = Limit(lambda v: is_number(v) and 0 <= v < 1, "a number in [0, 1)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Augmentation:
    """How much images are changed at random; each is the largest change, 0 for none.

    Parameters
    ----------
    mirror : bool
        Left and right are exchanged in half of the images: not where sides mean something.
    rotation : float
        Degrees, >= 0.
    shift, scale : float
        Shares of the sides of the image, in [0, 1).
    contrast : float
        Of the logarithm of the factor by which an image departs from its mean, >= 0.
    brightness, noise : float
        In standard deviations of the training pixels, >= 0.
    mixup : float
        Both parameters of the beta distribution that mixes two images, >= 0.
    """

    mirror: bool = True
    rotation: Annotated[float, NOT_NEGATIVE] = 10.0
    shift: Annotated[float, _BELOW_ONE] = 0.06
    scale: Annotated[float, _BELOW_ONE] = 0.1
    contrast: Annotated[float, NOT_NEGATIVE] = 0.4
    brightness: Annotated[float, NOT_NEGATIVE] = 0.5
    noise: Annotated[float, NOT_NEGATIVE] = 0.1
    mixup: Annotated[float, NOT_NEGATIVE] = 0.0

    def __post_init__(self) -> None:
        check_parameters(self)


def augmented(images: Tensor, change: Augmentation) -> Tensor:
    """Change images [B, C, H, W] at random, by torch's generator.

    Parameters
    ----------
    images : torch.Tensor of shape (B, C, H, W)
        Normalised: the mean is near 0, the deviation near 1.
    change : Augmentation

    Examples
    --------
    >>> import torch
    >>> augmented(torch.zeros(2, 1, 8, 8), Augmentation(noise=0)).abs().max() < 1
    tensor(True)
    """
    import torch

    images = _moved(images, change)
    if change.contrast:
        mean = images.mean((1, 2, 3), keepdim=True)
        images = (images - mean) * _drawn(images, change.contrast).exp() + mean
    if change.brightness:
        images = images + _drawn(images, change.brightness)
    if change.noise:
        images = images + torch.randn_like(images) * _drawn(images, change.noise).abs()
    return images


def mixed(images: Tensor, target: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Mix each image and its target with another of the batch.

    Parameters
    ----------
    images : torch.Tensor of shape (B, C, H, W)
    target : torch.Tensor of shape (B, K)
        Shares of the classes.
    strength : float
        Parameter of the beta distribution, > 0.
    """
    import torch

    # A beta variable of equal parameters is a gamma variable over the sum of two.
    one, two = torch._standard_gamma(torch.full((2,), strength, device=images.device))
    share = one / (one + two)
    other = torch.randperm(len(images), device=images.device)
    return (
        share * images + (1 - share) * images[other],
        share * target + (1 - share) * target[other],
    )


def _moved(images: Tensor, change: Augmentation) -> Tensor:
    """Mirror, turn, shift and scale, with the border drawn out."""
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    still = not (change.mirror or change.rotation or change.shift or change.scale)
    if still:
        return images
    angle = _drawn(images, math.radians(change.rotation)).flatten()
    size = 1 + _drawn(images, change.scale).flatten()
    side = torch.ones_like(size)
    if change.mirror:
        side = torch.where(torch.rand_like(size) < 0.5, -side, side)
    # The grid runs from -1 to 1: a share of the side is twice that.
    across, down = (2 * _drawn(images, change.shift).flatten() for _ in range(2))
    cosine, sine = angle.cos() / size, angle.sin() / size
    first = torch.stack([cosine * side, -sine, across], dim=1)  # [B, 3]
    second = torch.stack([sine * side, cosine, down], dim=1)
    grid = affine_grid(torch.stack([first, second], dim=1), list(images.shape), False)
    return grid_sample(images, grid, padding_mode="border", align_corners=False)


def _drawn(images: Tensor, most: float) -> Tensor:
    """Evenly between -most and most, one for each image [B, 1, 1, 1]."""
    import torch

    even = torch.rand(len(images), 1, 1, 1, device=images.device, dtype=images.dtype)
    return (2 * even - 1) * most
