"""U-Net: an image in, a value for each of its pixels out.

Method: Ronneberger, Fischer and Brox, U-Net: Convolutional Networks for Biomedical Image
Segmentation, MICCAI 2015, doi:10.1007/978-3-319-24574-4_28. Written from the paper.

What differs from the paper: convolutions keep the size, so that the answer has the size of the
image, which is padded by its own edge to a multiple of what the network halves; batch
normalisation behind each convolution; bilinear upsampling and a convolution in place of the
transposed convolution, which leaves checkerboards; small widths; and the first layer may take
blocks of pixels together, with the last one giving them back (Shi et al. 2016,
arXiv:1609.05158), which divides the cost by the pixels of a block.

Letters: N images, C channels, H height, W width, O outputs, D levels that halve the size.

Parameters of the defaults: 450 thousand; 556 million multiply-adds for 128 x 128 pixels,
141 million with ``block=2``.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from industry_apps.limits import integer, wrong_parameter


class UNet(nn.Module):
    """Contract an image to its meaning, and expand it again beside what was seen on the way.

    Parameters
    ----------
    channels : int, default=1
        Channels C of the image.
    outputs : int, default=1
        Values O for each pixel, as logits.
    width : int, default=16
        Channels of the first level; each level below has twice as many.
    depth : int, default=3
        Levels D that halve the size.
    block : int, default=1
        Pixels a side that the first layer takes together.
    dropout : float, default=0.0
        Share of the channels of the lowest level that are left out in training.

    Raises
    ------
    ParameterError
        When a number is below 1.

    Notes
    -----
    ``forward(x)`` takes float32 [N, C, H, W] of any size and returns [N, O, H, W].

    References
    ----------
    Ronneberger et al. (2015), doi:10.1007/978-3-319-24574-4_28.

    Examples
    --------
    >>> UNet(width=4, depth=2)(torch.zeros(2, 1, 30, 17)).shape
    torch.Size([2, 1, 30, 17])
    """

    def __init__(
        self,
        channels: int = 1,
        outputs: int = 1,
        *,
        width: int = 16,
        depth: int = 3,
        block: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        sizes = {
            "channels": channels,
            "outputs": outputs,
            "width": width,
            "depth": depth,
            "block": block,
        }
        check_sizes(type(self).__name__, sizes)
        self.block, self.depth = block, depth
        self.multiple = block * 2**depth
        self.gather = nn.PixelUnshuffle(block)
        self.spread = nn.PixelShuffle(block)
        widths = [width * 2**level for level in range(depth + 1)]
        self.down = nn.ModuleList(
            _two_convolutions(before, after)
            for before, after in pairwise([channels * block**2, *widths])
        )
        self.narrow = nn.ModuleList(nn.Conv2d(below, above, 1) for above, below in pairwise(widths))
        self.up = nn.ModuleList(_two_convolutions(2 * above, above) for above in widths[:-1])
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(width, outputs * block**2, 1)

    def forward_features(self, x: Tensor) -> Tensor:
        """Return what is known of each block of pixels before the last layer."""
        return self.expand(self.contract(x))  # [N, width, H', W']

    def contract(self, x: Tensor) -> list[Tensor]:
        """Return what is seen on each level, the first one the widest and shallowest."""
        seen: list[Tensor] = []
        x = self.gather(padded(x, self.multiple))  # [N, C * block², H', W']
        for level, convolve in enumerate(self.down):
            x = convolve(x if level == 0 else functional.max_pool2d(x, 2))
            seen.append(x)
        return seen

    def expand(self, levels: list[Tensor]) -> Tensor:
        """Return what is known of each block of pixels, from what :meth:`contract` has seen."""
        seen = list(levels)
        x = self.dropout(seen.pop())  # [N, width * 2^D, H' / 2^D, W' / 2^D]
        for level in reversed(range(len(seen))):
            narrowed = self.narrow[level](x)  # before the upsampling: a quarter of the work
            wide = functional.interpolate(narrowed, scale_factor=2.0, mode="bilinear")
            x = self.up[level](torch.cat([wide, seen[level]], dim=1))
        return x

    def forward(self, x: Tensor) -> Tensor:
        """Return a logit for each output and pixel [N, O, H, W]."""
        return self.of_pixels(self.head(self.forward_features(x)), x)

    def of_pixels(self, blocks: Tensor, x: Tensor) -> Tensor:
        """Return logits [N, O, H, W] of those of blocks, of an image [N, C, H, W]."""
        logits: Tensor = self.spread(blocks)
        return logits[:, :, : x.shape[2], : x.shape[3]]


def padded(x: Tensor, multiple: int) -> Tensor:
    """Repeat the last row and column until both sides are a multiple.

    Parameters
    ----------
    x : torch.Tensor of shape (N, C, H, W)
    multiple : int

    Examples
    --------
    >>> padded(torch.zeros(1, 1, 5, 8), 4).shape
    torch.Size([1, 1, 8, 8])
    """
    height, width = x.shape[2], x.shape[3]
    # By indexing and not by `pad`, whose amounts exporters take for constants.
    rows = torch.arange((height + multiple - 1) // multiple * multiple, device=x.device)
    columns = torch.arange((width + multiple - 1) // multiple * multiple, device=x.device)
    return x[:, :, rows.clamp(max=height - 1)][:, :, :, columns.clamp(max=width - 1)]


def check_sizes(owner: str, sizes: dict[str, int]) -> None:
    """Refuse sizes of a network that are not whole numbers of 1 or more.

    Parameters
    ----------
    owner : str
        Name of the network.
    sizes : dict of str to int

    Raises
    ------
    ParameterError
        Names the first that is not.
    """
    limit = integer(1)
    for name, size in sizes.items():
        if not limit.holds(size):
            raise wrong_parameter(owner, name, limit.words, size)


def _two_convolutions(before: int, after: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs in (before, after):
        layers += [
            nn.Conv2d(inputs, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
