"""What a network for masks is trained on: Dice and cross-entropy of images that are moved.

Methods: the soft Dice of Milletari, Navab and Ahmadi, V-Net, 3DV 2016, arXiv:1606.04797, with
the cross-entropy beside it as in Isensee et al., nnU-Net, Nature Methods 2021,
doi:10.1038/s41592-020-01008-z. Written from the papers.

Letters: N images, C channels, H height, W width, K classes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from industry_apps.training.augmentation import Augmentation, augmented

if TYPE_CHECKING:
    import torch

_STILL: dict[str, Any] = {"mirror": False, "rotation": 0.0, "shift": 0.0, "scale": 0.0}
_SAME_LIGHT: dict[str, Any] = {"contrast": 0.0, "brightness": 0.0, "noise": 0.0}


def region_objective(
    change: Augmentation, *, turned: bool
) -> Callable[[torch.nn.Module, tuple[torch.Tensor, ...]], torch.Tensor]:
    """Make the objective of a training: Dice and cross-entropy, in equal parts.

    Parameters
    ----------
    change : Augmentation
        How images are changed in training; what moves them moves their masks alike.
    turned : bool
        They are mirrored and turned by right angles besides.

    Returns
    -------
    callable
        Network and (image [N, C, H, W], share of each pixel in each class [N, K, H, W]) -> loss.
        The network answers log-odds [N, 1, H, W] of one class, of several [N, 1 + K, H, W], the
        first of what is in none.
    """
    moved, lit = replace(change, **_SAME_LIGHT), replace(change, **_STILL)
    return partial(_dice_and_entropy, moved=moved, lit=lit, turned=turned)


def _dice_and_entropy(
    network: torch.nn.Module,
    batch: tuple[torch.Tensor, ...],
    *,
    moved: Augmentation,
    lit: Augmentation,
    turned: bool,
) -> torch.Tensor:
    import torch

    image, region = batch
    classes = region.shape[1]
    if network.training:
        both = augmented(torch.cat([image, region], dim=1), moved)
        both = turned_alike(both) if turned else both
        image, region = augmented(both[:, :-classes], lit), both[:, -classes:]
    marked, entropy = _marked(network(image), region)
    # Of all pixels of the batch together: an image without a region has no Dice of its own.
    pixels = (0, 2, 3)
    dice = (2 * (marked * region).sum(pixels) + 1) / (marked.sum(pixels) + region.sum(pixels) + 1)
    return entropy + 1 - dice.mean()


def _marked(logits: torch.Tensor, region: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Probabilities of the classes [N, K, H, W], and their cross-entropy."""
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    if region.shape[1] == 1:
        return logits.sigmoid(), binary_cross_entropy_with_logits(logits, region)
    outside = 1 - region.sum(dim=1, keepdim=True)
    entropy = cross_entropy(logits, torch.cat([outside, region], dim=1))
    return logits.softmax(dim=1)[:, 1:], entropy


def turned_alike(both: torch.Tensor) -> torch.Tensor:
    """Mirror and turn images at random, each in its own way.

    Parameters
    ----------
    both : torch.Tensor of shape (N, C + K, S, S)
        Square images, their masks as the last channels.

    Examples
    --------
    >>> import torch
    >>> image = torch.rand(4, 1, 6, 6)
    >>> turned = turned_alike(torch.cat([image, image], dim=1))
    >>> bool((turned[:, :1] == turned[:, 1:]).all())
    True
    """
    import torch

    changes: tuple[Callable[[torch.Tensor], torch.Tensor], ...] = (
        lambda x: x.flip(3),
        lambda x: x.flip(2),
        lambda x: x.transpose(2, 3),
    )
    for change in changes:
        chosen = torch.rand(len(both), 1, 1, 1, device=both.device) < 0.5
        both = torch.where(chosen, change(both), both)
    return both
