"""Networks of surfaces: which pixels are defective, of which type, and what the part is.

Method: a U-Net (Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28) gives each pixel the
log-odds of being defective and of each type; what it knows of all pixels together decides on the
part, so that labels of parts and masks of pixels teach one network (as in Božič, Tabernik and
Skočaj 2021, Mixed supervision for surface-defect detection, arXiv:2104.06064). Patches that are
remembered of good parts: Roth et al. 2022, Towards total recall in industrial anomaly detection,
arXiv:2106.08265. Written from the papers.

What differs from the papers: the network is small and begins with random weights; the memory
holds what a network sees that was trained on defects pasted into good parts, not on photographs
of other things; and a part is judged by how unevenly its places lie from what is remembered, too,
not by the place alone that is furthest.

Letters: N images, C channels, H height, W width, T types, K = T + 1 classes, the first of them
"good", F features, M remembered patches.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.backbones.unet import UNet, check_sizes

__all__ = ["AnomalyNet", "DefectNet", "KnownNet", "PatchMemory"]

#: Log-odds that a pixel is defective, before anything is learned: few are.
_RARE = -3.0
#: Blocks of pixels that the surest part of an image is made of.
_SUREST = 16
#: Places a side of a window of which a memory of patches judges the unevenness.
_WINDOW = 16
#: Keeps the logarithm of the area of a type finite.
_NO_AREA = 1e-4


class DefectNet(nn.Module):
    """Tell defective pixels, their types, and what the part is.

    Parameters
    ----------
    channels : int
        Channels C of an image.
    types : int
        Types T of defects.
    width, depth, block : int
        Of the :class:`UNet`.
    pairs : bool
        The input is an image and its reference, one behind the other: [N, 2 C, H, W].

    Raises
    ------
    ParameterError
        When a number is below 1.

    Notes
    -----
    ``forward(x)`` takes float32 [N, C, H, W] of any size and returns the log-odds of pixels
    [N, 1 + T, H, W] (first of being defective, then of the types among each other), those of the
    part [N, K] but for a constant, and what is seen of patches [N, F, H', W'].

    Examples
    --------
    >>> network = DefectNet(1, 5, width=4, depth=2).eval()
    >>> [tuple(found.shape) for found in network(torch.zeros(2, 1, 30, 17))]
    [(2, 6, 30, 17), (2, 6), (2, 24, 8, 6)]
    """

    def __init__(
        self,
        channels: int,
        types: int,
        *,
        width: int = 16,
        depth: int = 4,
        block: int = 2,
        pairs: bool = False,
    ) -> None:
        super().__init__()
        check_sizes(type(self).__name__, {"channels": channels, "types": types})
        self.pairs, self.types = pairs, types
        inputs = 3 * channels if pairs else channels
        self.unet = UNet(inputs, 1 + types, width=width, depth=depth, block=block)
        described = 2 * width + types + 1
        self.part = nn.Sequential(nn.BatchNorm1d(described), nn.Linear(described, types + 1))
        with torch.no_grad():
            bias = self.unet.head.bias
            assert bias is not None
            bias.zero_()[: block**2] = _RARE

    @property
    def stride(self) -> float:
        """Pixels from one patch to the next."""
        return float(self.unet.block * 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return log-odds of pixels, log-odds of the part, and what is seen of patches."""
        levels = self.contract(x)
        features = self.unet.expand(levels)  # [N, width, H', W']
        blocks, pixels = self._places(features, x)
        areas = (pixels[:, 1:].softmax(1) * pixels[:, :1].sigmoid()).mean((2, 3))  # [N, T]
        means = features.mean((2, 3)), features.amax((2, 3))
        known = *means, torch.log(areas + _NO_AREA), self.surest(blocks)
        return pixels, self.part(torch.cat(known, dim=1)), patches(levels)

    def contract(self, x: Tensor) -> list[Tensor]:
        """What is seen on each level; of pairs, of the difference, too."""
        if self.pairs:
            image, reference = x.chunk(2, dim=1)
            x = torch.cat([x, (image - reference).abs()], dim=1)  # [N, 3 C, H, W]
        return self.unet.contract(x)

    def places(self, levels: list[Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
        """Log-odds of blocks of being defective [N, 1, H', W'], and of pixels [N, 1 + T, H, W]."""
        return self._places(self.unet.expand(levels), x)

    def _places(self, features: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        blocks = self.unet.head(features)
        # The first channels are those of being defective, one for each pixel of a block.
        bad = blocks[:, : self.unet.block**2].amax(1, keepdim=True)
        return bad, self.unet.of_pixels(blocks, x)

    def surest(self, blocks: Tensor) -> Tensor:
        """Mean log-odds of the blocks that are surest [N, 1], of those of all [N, 1, H', W']."""
        return surest(blocks, min(_SUREST, 4**self.unet.depth))


def surest(scores: Tensor, count: int) -> Tensor:
    """Mean of the largest values of each map.

    Parameters
    ----------
    scores : torch.Tensor of shape (N, 1, H, W)
    count : int
        At most H W.

    Examples
    --------
    >>> surest(torch.arange(32.0).reshape(1, 1, 4, 8), 16)
    tensor([[23.5000]])
    """
    return scores.flatten(1).topk(count, dim=1).values.mean(1, keepdim=True)


def apart(distances: Tensor) -> Tensor:
    """Logarithm of each distance beside the mean of its image.

    The light of a photograph, and its noise, stretch all its distances alike.

    Parameters
    ----------
    distances : torch.Tensor of shape (N, 1, H, W)
    """
    logarithm = distances.log()
    return logarithm - logarithm.mean((2, 3), keepdim=True)


def unevenness(logarithms: Tensor) -> Tensor:
    """Mean size of the values of a window of a map, of the window where it is largest [N, 1].

    Good parts look alike all over; where one is defective, its distances spread.

    Parameters
    ----------
    logarithms : torch.Tensor of shape (N, 1, H, W)
        Of :func:`apart`.

    Examples
    --------
    >>> unevenness(torch.full((1, 1, 16, 16), -2.0))
    tensor([[2.]])
    """
    # What lies beyond the border counts as even: few places there are no evidence.
    means = functional.avg_pool2d(logarithms.abs(), _WINDOW, _WINDOW // 4, _WINDOW // 2)
    return means.amax((2, 3))


def patches(levels: list[Tensor]) -> Tensor:
    """What two levels see of each place of the higher one, each smoothed over its neighbours.

    Parameters
    ----------
    levels : list of torch.Tensor
        As :meth:`DefectNet.contract` sees them: [N, F, H, W] each.
    """
    smooth = [
        functional.avg_pool2d(level, 3, 1, 1, count_include_pad=False) for level in levels[1:3]
    ]
    wide = functional.interpolate(smooth[1], scale_factor=2.0, mode="nearest")
    return torch.cat([smooth[0], wide], dim=1)


class PatchMemory(nn.Module):
    """Distance of each patch from the nearest of those that are remembered.

    Parameters
    ----------
    centre, scale : torch.Tensor of shape (F,)
        What is taken from each feature, and what it is then multiplied by.
    patches : torch.Tensor of shape (M, F)
        Remembered patches, so scaled.

    Notes
    -----
    ``forward(seen)`` takes float32 [N, F, H', W'] and returns distances [N, 1, H', W'].

    Examples
    --------
    >>> memory = PatchMemory(torch.zeros(2), torch.ones(2), torch.tensor([[0.0, 0.0]]))
    >>> round(memory(torch.tensor([3.0, 4.0]).reshape(1, 2, 1, 1)).item(), 2)
    5.0
    """

    centre: Tensor
    scale: Tensor
    patches: Tensor
    lengths: Tensor

    def __init__(self, centre: Tensor, scale: Tensor, patches: Tensor) -> None:
        super().__init__()
        self.register_buffer("centre", centre)
        self.register_buffer("scale", scale)
        self.register_buffer("patches", patches)
        self.register_buffer("lengths", patches.square().sum(1))  # [M]

    def forward(self, seen: Tensor) -> Tensor:
        """Return the distance of each place from the nearest patch."""
        rows = (seen.movedim(1, -1) - self.centre) * self.scale  # [N, H', W', F]
        square = self.lengths - 2 * rows @ self.patches.T  # [N, H', W', M]
        least = square.amin(-1) + rows.square().sum(-1)  # [N, H', W']
        # Numbers of some tens whose difference is near 0: below this it is rounding alone.
        return (least.clamp(min=0.0) + 1e-2).sqrt()[:, None]


class KnownNet(nn.Module):
    """A :class:`DefectNet` as it answers: log-odds of pixels and of the part.

    Parameters
    ----------
    network : DefectNet
    """

    def __init__(self, network: DefectNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return [N, 1 + T, H, W] and [N, K]."""
        pixels, part, _ = self.network(x)
        return pixels, part


class AnomalyNet(nn.Module):
    """Scores of places and of the part by what a network has learned, by a memory, or by both.

    Parameters
    ----------
    network : DefectNet
        Of one type of defect.
    memory : PatchMemory or None
    by_network : bool
        Whether the network scores, too.

    Notes
    -----
    ``forward(x)`` takes float32 [N, C, H, W] and returns a map [N, maps, H, W] of each scorer and
    scores [N, scores]: of the network its surest places; of the memory its furthest places, and
    how unevenly all lie.

    Examples
    --------
    >>> scores = AnomalyNet(DefectNet(1, 1, width=4, depth=2), None).eval()
    >>> [tuple(found.shape) for found in scores(torch.zeros(2, 1, 20, 30))]
    [(2, 1, 20, 30), (2, 1)]
    """

    def __init__(
        self, network: DefectNet, memory: PatchMemory | None, *, by_network: bool = True
    ) -> None:
        super().__init__()
        self.network, self.memory, self.by_network = network, memory, by_network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps and scores."""
        levels = self.network.contract(x)
        blocks, pixels = self.network.places(levels, x)
        maps, scores = [], []
        if self.by_network:
            maps.append(pixels[:, :1])
            scores.append(self.network.surest(blocks))
        if self.memory is not None:
            far = self.memory(patches(levels))  # [N, 1, H', W']
            scores.append(surest(far, min(_SUREST, 4 ** (self.network.unet.depth - 1))))
            scores.append(unevenness(apart(far)))
            wide = functional.interpolate(far, scale_factor=self.network.stride, mode="bilinear")
            maps.append(wide[:, :, : x.shape[2], : x.shape[3]])
        return torch.cat(maps, dim=1), torch.cat(scores, dim=1)
