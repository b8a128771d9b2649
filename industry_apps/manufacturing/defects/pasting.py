"""Defects that are pasted into photographs of good parts, so that a network can learn without any.

Pits, scratches, stains, pieces of other parts and areas of another finish, each of random place,
size and strength: what they have in common with real defects is that they do not belong there.
Methods: Li et al. 2021, CutPaste, arXiv:2104.04015; Zavrtanik et al. 2021, DRAEM,
arXiv:2108.07610. Written from the papers.

What differs from the papers: no textures of other data sets are pasted; strokes and ellipses stand
beside irregular shapes, and everything is drawn on tensors, a batch at a time.

Letters: B images, C channels, S pixels a side.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["pasted"]

_GRIDS = (3, 6, 12, 24)
#: Share of the images that are left as they are.
_LEFT = 0.3
#: How many standard deviations of the pixels a pasted shade departs from what is there.
_FAINTEST, _STRONGEST = 0.7, 3.0


def pasted(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Paste a defect into most images, by torch's generator.

    Parameters
    ----------
    pixels : torch.Tensor of shape (B, C, S, S)
        Of good parts, normalised: mean near 0, deviation near 1.

    Returns
    -------
    pixels : torch.Tensor of shape (B, C, S, S)
    mask : torch.Tensor of bool, shape (B, S, S)

    Examples
    --------
    >>> import torch
    >>> _ = torch.manual_seed(0)
    >>> good = torch.zeros(8, 1, 32, 32)
    >>> bad, mask = pasted(good)
    >>> bool((bad != good).any()), bool((bad == good)[~mask[:, None]].all())
    (True, True)
    """
    import torch
    from torch.nn.functional import avg_pool2d

    count = len(pixels)
    kinds = _ellipses, _strokes, _patches, _areas
    shapes = torch.stack([draw(pixels) for draw in kinds])  # [4, B, 1, S, S]
    kind = torch.randint(0, len(shapes), (count,))
    shape = shapes[kind, torch.arange(count)] * (torch.rand(count, 1, 1, 1) >= _LEFT)
    # Soft edges inside of the shape: what lies beside it stays as it was.
    soft = avg_pool2d(shape, 3, 1, 1, count_include_pad=False) * shape
    strength = soft * (0.6 + 0.4 * torch.rand(count, 1, 1, 1))
    changed = pixels + strength * (_contents(pixels) - pixels)
    return changed, shape[:, 0] > 0


def _contents(pixels: torch.Tensor) -> torch.Tensor:
    """What is pasted: other parts turned round, a darker or brighter shade, or another texture."""
    import torch
    from torch.nn.functional import interpolate

    count, side = len(pixels), pixels.shape[-1]
    turned = pixels[torch.randperm(count)].flip(2).roll(side // 3, 3)
    sign = torch.where(torch.rand(count, 1, 1, 1) < 0.5, -1.0, 1.0)
    shade = sign * (_FAINTEST + (_STRONGEST - _FAINTEST) * torch.rand(count, 1, 1, 1).square())
    flat = pixels.mean((2, 3), keepdim=True) + shade
    grain = interpolate(torch.randn(count, 1, side // 4, side // 4), size=(side, side))
    choices = torch.stack(
        [turned, pixels + shade, (0.3 * pixels + flat), flat + 0.7 * grain.expand_as(pixels)]
    )
    return choices[torch.randint(0, len(choices), (count,)), torch.arange(count)]


def _grid(pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Distances down and across from a random place, turned by a random angle [B, 1, S, S]."""
    import torch

    count, side = len(pixels), pixels.shape[-1]
    line = torch.arange(side, dtype=torch.float32)
    centre = (0.05 + 0.9 * torch.rand(2, count, 1, 1, 1)) * side
    down, across = line[:, None] - centre[0], line[None] - centre[1]
    angle = torch.rand(count, 1, 1, 1) * math.pi
    along = down * angle.cos() + across * angle.sin()
    beside = across * angle.cos() - down * angle.sin()
    return along, beside, _lengths(count, 2.0, side / 3)


def _lengths(count: int, least: float, most: float) -> torch.Tensor:
    """Random lengths, as many small ones as large ones [B, 1, 1, 1]."""
    import torch

    return least * (max(most, least) / least) ** torch.rand(count, 1, 1, 1)


def _ellipses(pixels: torch.Tensor) -> torch.Tensor:
    """Pits and stains."""
    along, beside, length = _grid(pixels)
    width = length * (0.3 + 0.7 * _uniform(length))
    return ((along / length).square() + (beside / width).square() <= 1).float()


def _strokes(pixels: torch.Tensor) -> torch.Tensor:
    """Scratches and cracks: thin, bent."""
    along, beside, length = _grid(pixels)
    bend = _uniform(length) * 4 * (along / (4 + 8 * _uniform(length))).sin()
    width = _lengths(len(pixels), 0.7, 3.0)
    return (((beside + bend).abs() <= width) & (along.abs() <= 2 * length + 4)).float()


def _patches(pixels: torch.Tensor) -> torch.Tensor:
    """Irregular areas: smooth noise above a level, within an ellipse about its place."""
    import torch
    from torch.nn.functional import interpolate

    count, side = len(pixels), pixels.shape[-1]
    noise = torch.stack(
        [
            interpolate(torch.randn(count, 1, size, size), size=(side, side), mode="bilinear")
            for size in _GRIDS
        ]
    )
    chosen = noise[torch.randint(0, len(_GRIDS), (count,)), torch.arange(count)]
    along, beside, length = _grid(pixels)
    near = (along.square() + beside.square()) <= (2 * length + 6).square()
    return ((chosen > 0.4) & near).float()


def _areas(pixels: torch.Tensor) -> torch.Tensor:
    """What lies behind an edge, on its smaller side; most edges run along the window."""
    import torch

    count, side = len(pixels), pixels.shape[-1]
    line = torch.arange(side, dtype=torch.float32)
    centre = (0.15 + 0.7 * torch.rand(2, count, 1, 1, 1)) * side
    down, across = line[:, None] - centre[0], line[None] - centre[1]
    spread = torch.where(torch.rand(count, 1, 1, 1) < 0.6, 0.05, 0.5)
    angle = torch.randint(0, 4, (count, 1, 1, 1)) * (math.pi / 2)
    angle = angle + spread * torch.randn(count, 1, 1, 1)
    along = down * angle.cos() + across * angle.sin()
    beside = across * angle.cos() - down * angle.sin()
    wave = side / 20 * _uniform(angle) * (8 * beside / side).sin()
    behind = along > wave
    # Of two areas nothing says which belongs there: the network is asked for the smaller one.
    larger = behind.float().mean((2, 3), keepdim=True) > 0.5
    return (behind ^ larger).float()


def _uniform(like: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.rand(like.shape)
