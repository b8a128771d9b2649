"""What a network for masks is trained on: Dice and cross-entropy of images that are moved.

Methods: the soft Dice of Milletari, Navab and Ahmadi, V-Net, 3DV 2016, arXiv:1606.04797, with
the cross-entropy beside it as in Isensee et al., nnU-Net, Nature Methods 2021,
doi:10.1038/s41592-020-01008-z. Written from the papers.

Letters: N images, C channels, H height, W width.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

#: Standard deviation of the changes of contrast and brightness, in those of the image.
_CONTRAST, _BRIGHTNESS = 0.15, 0.15


def region_objective(
    *, turned: bool
) -> Callable[[torch.nn.Module, tuple[torch.Tensor, ...]], torch.Tensor]:
    """Make the objective of a training: Dice and cross-entropy, in equal parts.

    Parameters
    ----------
    turned : bool
        Images are mirrored and turned in training, and their masks alike.

    Returns
    -------
    callable
        Network and (image [N, C, H, W], share of each pixel in a region [N, 1, H, W]) -> loss.
    """
    return partial(_dice_and_entropy, turned=turned)


def _dice_and_entropy(
    network: torch.nn.Module, batch: tuple[torch.Tensor, ...], *, turned: bool
) -> torch.Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits

    image, region = batch
    if network.training:
        if turned:
            image, region = turned_alike(image, region)
        image = _exposed(image)
    logits = network(image)
    marked = logits.sigmoid()
    # Of all pixels of the batch together: an image without a region has no Dice of its own.
    dice = (2 * (marked * region).sum() + 1) / (marked.sum() + region.sum() + 1)
    loss: torch.Tensor = binary_cross_entropy_with_logits(logits, region) + 1 - dice
    return loss


def turned_alike(image: torch.Tensor, region: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror and turn images at random, each in its own way and its mask with it.

    Parameters
    ----------
    image : torch.Tensor of shape (N, C, S, S)
        Square.
    region : torch.Tensor of shape (N, 1, S, S)

    Examples
    --------
    >>> import torch
    >>> image = torch.rand(4, 1, 6, 6)
    >>> moved, mask = turned_alike(image, image)
    >>> bool((moved == mask).all())
    True
    """
    import torch

    both = torch.cat([image, region], dim=1)
    for change in (_mirrored, _upside_down, _transposed):
        chosen = torch.rand(len(both), 1, 1, 1, device=both.device) < 0.5
        both = torch.where(chosen, change(both), both)
    return both[:, :-1], both[:, -1:]


def _mirrored(x: torch.Tensor) -> torch.Tensor:
    return x.flip(3)


def _upside_down(x: torch.Tensor) -> torch.Tensor:
    return x.flip(2)


def _transposed(x: torch.Tensor) -> torch.Tensor:
    return x.transpose(2, 3)


def _exposed(image: torch.Tensor) -> torch.Tensor:
    """Change contrast and brightness of each image a little."""
    import torch

    contrast, brightness = torch.randn(2, len(image), 1, 1, 1, device=image.device)
    return image * (1 + _CONTRAST * contrast) + _BRIGHTNESS * brightness
