"""What networks of defects are trained on: pixels, types and parts, or defects that are pasted.

Methods: soft Dice (Milletari et al. 2016, arXiv:1606.04797) with cross-entropy of pixels, as in
nnU-Net (Isensee et al. 2021, doi:10.1038/s41592-020-01008-z); types are learned among defective
pixels alone. Letters: B windows, C channels, S pixels a side, T types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from industry_apps.manufacturing.defects.pasting import pasted
from industry_apps.manufacturing.defects.windows import UNKNOWN, Sheets
from industry_apps.recipes.imaging.mask_training import turned_alike
from industry_apps.training.augmentation import Augmentation, augmented

if TYPE_CHECKING:
    import torch

__all__ = ["Objective", "defect_loss", "known_defects", "pasted_defects"]

Objective = Callable[["torch.nn.Module", "tuple[torch.Tensor, ...]"], "torch.Tensor"]

_STILL: dict[str, Any] = {"mirror": False, "rotation": 0.0, "shift": 0.0, "scale": 0.0}
_SAME_LIGHT: dict[str, Any] = {"contrast": 0.0, "brightness": 0.0, "noise": 0.0}
#: How much the types of pixels count beside whether they are defective: of pairs, where nothing
#: else tells the type, and of single images, of which the whole part does.
_OF_TYPES = {True: 1.0, False: 0.3}
_SMOOTHING = 0.05
#: Share of the pairs that lie exactly one on the other.
_ALIGNED = 0.5


def known_defects(
    sheets: tuple[Sheets, Sheets],
    change: Augmentation,
    *,
    turned: bool,
    pairs: bool,
    misaligned: int = 0,
) -> Objective:
    """Make the objective of a training on known defects.

    Parameters
    ----------
    sheets : (Sheets, Sheets)
        To learn from, and to validate on.
    change : Augmentation
        What moves windows moves their masks alike.
    turned : bool
        They are mirrored and turned by right angles besides.
    pairs : bool
        The first half of the channels are the image, the others its reference: each is lit in a
        way of its own.
    misaligned : int
        Pixels by which half of the references are displaced at most.

    Returns
    -------
    callable
        Network and (windows [B, 3], types [B]) -> loss.
    """
    moved, lit = replace(change, **_SAME_LIGHT), replace(change, **_STILL)

    def loss(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        windows, types = batch
        pixels, mask = sheets[0 if network.training else 1].cut(windows, moved=network.training)
        if network.training:
            pixels, mask = _moved(pixels, mask, moved, turned=turned)
            halves = list(pixels.chunk(2 if pairs else 1, dim=1))
            if pairs and misaligned:
                halves[1] = _displaced(halves[1], misaligned)
            pixels = _cat([augmented(half, lit) for half in halves])
        return defect_loss(network, pixels, mask, types, pairs=pairs)

    return loss


def pasted_defects(
    sheets: tuple[Sheets, Sheets], change: Augmentation, *, turned: bool
) -> Objective:
    """Make the objective of a training on defects that are pasted into good parts.

    Parameters
    ----------
    sheets : (Sheets, Sheets)
        Of good parts; those to validate on have their defects pasted already.
    change, turned
        As for :func:`known_defects`.
    """
    moved, lit = replace(change, **_SAME_LIGHT), replace(change, **_STILL)

    def loss(network: torch.nn.Module, batch: tuple[torch.Tensor, ...]) -> torch.Tensor:
        windows, types = batch
        pixels, mask = sheets[0 if network.training else 1].cut(windows, moved=network.training)
        if network.training:
            pixels, _ = _moved(pixels, mask, moved, turned=turned)
            pixels, bad = pasted(augmented(pixels, lit))
            mask, types = bad.to(mask.dtype), bad.flatten(1).any(1).to(types.dtype)
        return defect_loss(network, pixels, mask, types)

    return loss


def defect_loss(
    network: torch.nn.Module,
    pixels: torch.Tensor,
    mask: torch.Tensor,
    types: torch.Tensor,
    *,
    pairs: bool = False,
) -> torch.Tensor:
    """Loss of the pixels, of their types, and of the parts.

    Parameters
    ----------
    network : torch.nn.Module
        A :class:`industry_apps.backbones.DefectNet`.
    pixels : torch.Tensor of shape (B, C, S, S)
    mask : torch.Tensor of uint8, shape (B, S, S)
        ``UNKNOWN`` counts nowhere.
    types : torch.Tensor of int64, shape (B,)
        Of the windows as a whole.
    pairs : bool
        What a pair is as a whole follows from its places, and is not learned.
    """
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

    found, part, _ = network(pixels.contiguous(memory_format=torch.channels_last))
    found, part = found.float(), part.float()
    known = (mask != UNKNOWN).float()
    defective = ((mask > 0) & (mask != UNKNOWN)).float()
    odds = found[:, 0]
    entropy = binary_cross_entropy_with_logits(odds, defective, known, reduction="sum")
    marked = odds.sigmoid() * known
    # Of all pixels of the batch together: a good part has no Dice of its own.
    dice = (2 * (marked * defective).sum() + 1) / (marked.sum() + defective.sum() + 1)
    loss: torch.Tensor = entropy / (known.sum() + 1) + 1 - dice
    chosen = defective > 0
    if found.shape[1] > 2 and chosen.any():
        of_types = found[:, 1:].movedim(1, -1)[chosen]  # [pixels, T]
        loss = loss + _OF_TYPES[pairs] * cross_entropy(of_types, mask[chosen].long() - 1)
    return loss if pairs else loss + cross_entropy(part, types, label_smoothing=_SMOOTHING)


def _moved(
    pixels: torch.Tensor, mask: torch.Tensor, change: Augmentation, *, turned: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows and masks, moved alike; a pixel of a mask takes the value of the nearest one."""
    import torch
    from torch.nn.functional import affine_grid, grid_sample

    both = torch.cat([pixels, mask[:, None].float()], dim=1)
    both = turned_alike(both) if turned else both
    pixels, mask = both[:, :-1], both[:, -1:]
    if change.rotation or change.shift or change.scale:
        count = len(pixels)
        angle = change.rotation * torch.pi / 180 * (2 * torch.rand(count) - 1)
        size = 1 + change.scale * (2 * torch.rand(count) - 1)
        cosine, sine = angle.cos() / size, angle.sin() / size
        shift = 2 * change.shift * (2 * torch.rand(count, 2) - 1)
        rows = torch.stack(
            [
                torch.stack([cosine, -sine, shift[:, 0]], dim=1),
                torch.stack([sine, cosine, shift[:, 1]], dim=1),
            ],
            dim=1,
        )
        grid = affine_grid(rows, list(pixels.shape), align_corners=False)
        settings: dict[str, Any] = {"padding_mode": "border", "align_corners": False}
        pixels = grid_sample(pixels, grid, **settings)
        mask = grid_sample(mask, grid, mode="nearest", **settings)
    return pixels, mask[:, 0].round().to(torch.uint8)


def _displaced(pixels: torch.Tensor, most: int) -> torch.Tensor:
    """Half of the windows moved by up to so many pixels each way; their edges are repeated."""
    import torch
    from torch.nn.functional import pad

    count, side = len(pixels), pixels.shape[-1]
    places = torch.randint(0, 2 * most + 1, (count, 2))
    places[torch.rand(count) < _ALIGNED] = most
    wide = pad(pixels, (most,) * 4, mode="replicate")
    return torch.stack(
        [
            each[:, top : top + side, left : left + side]
            for each, (top, left) in zip(wide, places.tolist(), strict=True)
        ]
    )


def _cat(parts: list[torch.Tensor]) -> torch.Tensor:
    import torch

    return torch.cat(parts, dim=1)
