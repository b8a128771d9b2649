"""Convolutional networks of images: residual and ConvNeXt-style, with a stem for small images.

He, Zhang, Ren, Sun (2016), Deep Residual Learning for Image Recognition, arXiv:1512.03385; Hu,
Shen, Sun (2018), Squeeze-and-Excitation Networks, arXiv:1709.01507; Liu et al. (2022), A ConvNet
for the 2020s, arXiv:2201.03545; class activation maps: Zhou et al. (2016), Learning Deep Features
for Discriminative Localization, arXiv:1512.04150. Written from the papers.

Different from the papers: images up to 64 pixels get a stem of one 3 x 3 convolution in place of
7 x 7 and pooling, which would leave nothing of them; the last stages keep the size where the map
would be too coarse to show a place; the residual networks may carry squeeze-and-excitation in every
block, and their width is free.

Letters: B images, C channels, H and W pixels, F features, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["BLOCKS", "ConvNet", "MappedNetworks", "SqueezeExcitation", "convnet"]

BlockName = Literal["basic", "bottleneck", "convnext"]

_EXPANSION = 4  # of a bottleneck's output and of a ConvNeXt block's hidden layer
_STEM_STRIDE = 4  # of the stem for large images
_FEWEST_CELLS, _FEWEST_OF_LARGE = 6, 7  # a side of the map of a small and of a large image
#: Pixels of a side up to which the stem keeps them.
SMALL = 64


class SqueezeExcitation(nn.Module):
    """Weigh each channel by what all of the image says of it: [B, F, H, W] -> the same.

    Parameters
    ----------
    features : int
    reduction : int
        The hidden layer is so many times narrower, and at least 4 wide.
    """

    def __init__(self, features: int, reduction: int = 8) -> None:
        super().__init__()
        hidden = max(4, features // reduction)
        self.squeeze = nn.Conv2d(features, hidden, 1)
        self.excite = nn.Conv2d(hidden, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Channels times their weights."""
        mean = x.mean((2, 3), keepdim=True)  # [B, F, 1, 1]
        return x * torch.sigmoid(self.excite(functional.relu(self.squeeze(mean))))


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut: [B, inputs, H, W] -> [B, features, H', W'].

    Parameters
    ----------
    inputs, features : int
    stride : int
    squeeze : bool
        With squeeze-and-excitation.
    """

    expansion = 1

    def __init__(self, inputs: int, features: int, stride: int, squeeze: bool) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            *_normed(inputs, features, 3, stride),
            nn.ReLU(),
            *_normed(features, features, 3, 1),
            *([SqueezeExcitation(features)] if squeeze else []),
        )
        self.shortcut = _shortcut(inputs, features, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Add what is learned to what came in."""
        return functional.relu(self.convolutions(x) + self.shortcut(x))


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3, 1 x 1 beside a shortcut: [B, inputs, H, W] -> [B, 4 features, H', W'].

    Parameters
    ----------
    inputs, features, stride, squeeze
        As for :class:`BasicBlock`.
    """

    expansion = _EXPANSION

    def __init__(self, inputs: int, features: int, stride: int, squeeze: bool) -> None:
        super().__init__()
        wide = features * _EXPANSION
        self.convolutions = nn.Sequential(
            *_normed(inputs, features, 1, 1),
            nn.ReLU(),
            *_normed(features, features, 3, stride),
            nn.ReLU(),
            *_normed(features, wide, 1, 1),
            *([SqueezeExcitation(wide)] if squeeze else []),
        )
        self.shortcut = _shortcut(inputs, wide, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Add what is learned to what came in."""
        return functional.relu(self.convolutions(x) + self.shortcut(x))


class ConvNeXtBlock(nn.Module):
    """Depthwise 7 x 7, then a hidden layer at each place: [B, inputs, H, W] -> [B, features, ..].

    Parameters
    ----------
    inputs, features, stride, squeeze
        As for :class:`BasicBlock`; where size or width change, a strided convolution comes first.
    """

    expansion = 1

    def __init__(self, inputs: int, features: int, stride: int, squeeze: bool) -> None:
        super().__init__()
        changed = stride > 1 or inputs != features
        self.entry: nn.Module = nn.Identity()
        if changed:
            self.entry = nn.Sequential(
                nn.GroupNorm(1, inputs), nn.Conv2d(inputs, features, stride, stride)
            )
        hidden = features * _EXPANSION
        self.layers = nn.Sequential(
            nn.Conv2d(features, features, 7, padding=3, groups=features),
            nn.GroupNorm(1, features),  # a layer norm that exports as one node
            nn.Conv2d(features, hidden, 1),
            nn.GELU(),
            nn.Conv2d(hidden, features, 1),
            *([SqueezeExcitation(features)] if squeeze else []),
        )
        self.scale = nn.Parameter(torch.full((1, features, 1, 1), 0.1))

    def forward(self, x: Tensor) -> Tensor:
        """Add what is learned, scaled, to what came in."""
        x = self.entry(x)
        return x + self.scale * self.layers(x)


_Block = type[BasicBlock] | type[Bottleneck] | type[ConvNeXtBlock]
_BLOCKS: dict[BlockName, _Block] = {
    "basic": BasicBlock,
    "bottleneck": Bottleneck,
    "convnext": ConvNeXtBlock,
}


class ConvNet(nn.Module):
    """Stages of blocks, the mean over the places, one linear layer: [B, C, H, W] -> [B, K].

    Parameters
    ----------
    channels, classes : int
        C and K.
    widths, depths : sequence of int
        Features and blocks of each stage; every stage but the first halves the image, but for
        the last ones where the map would have fewer than 6 x 6 cells, of images over 64 pixels
        fewer than 7 x 7.
    block : {"basic", "bottleneck", "convnext"}
    squeeze : bool
        With squeeze-and-excitation.
    size : int
        Pixels of the sides of the images that it is for; up to 64 the stem keeps the size.
    dropout : float
        Of the features before the linear layer.

    Attributes
    ----------
    stride : int or None
        Pixels from the middle of what a place sees to that of the next, the first at the corner;
        None of ConvNeXt-style blocks, whose places are cells side by side.

    Examples
    --------
    >>> network = ConvNet(1, 2, widths=(8, 16), depths=(1, 1)).eval()
    >>> network(torch.zeros(3, 1, 28, 28)).shape
    torch.Size([3, 2])
    >>> network.class_maps(network.forward_features(torch.zeros(3, 1, 28, 28))).shape
    torch.Size([3, 2, 14, 14])
    """

    def __init__(
        self,
        channels: int,
        classes: int,
        *,
        widths: Sequence[int] = (64, 128, 256, 512),
        depths: Sequence[int] = (2, 2, 2, 2),
        block: BlockName = "basic",
        squeeze: bool = False,
        size: int = 28,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        kind = _BLOCKS[block]
        small = size <= SMALL
        self.stem = _stem(channels, widths[0], small)
        halved = len(widths) - 1
        stem, fewest = (1, _FEWEST_CELLS) if small else (_STEM_STRIDE, _FEWEST_OF_LARGE)
        while halved and size // stem // 2**halved < fewest:
            halved -= 1
        stride = 2**halved * stem
        self.stride = None if block == "convnext" else stride
        features, stages = widths[0], []
        for number, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            for place in range(depth):
                stride = 2 if 0 < number <= halved and not place else 1
                stages.append(kind(features, width, stride, squeeze))
                features = width * kind.expansion
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(features, classes)
        self.apply(_initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Log-odds of the classes [B, K], but for a constant."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> Tensor:
        """Features at each place [B, F, H', W']."""
        return self.stages(self.stem(x))

    def forward_head(self, features: Tensor) -> Tensor:
        """Features [B, F, H', W'] -> [B, K]."""
        return self.head(self.dropout(features.mean((2, 3))))

    def class_maps(self, features: Tensor) -> Tensor:
        """What each place adds to each class [B, K, H', W']: their mean is the answer less bias."""
        return functional.conv2d(features, self.head.weight[:, :, None, None])


class MappedNetworks(nn.Module):
    """Several networks as one, with maps: [B, C, H, W] -> [B, K], [B, K, H', W'] and [B, F].

    Parameters
    ----------
    members : sequence of ConvNet
        Their answers are averaged.
    mirrored : bool
        Each also sees the image with left and right exchanged.

    Examples
    --------
    >>> member = ConvNet(1, 2, widths=(8, 16), depths=(1, 1))
    >>> odds, maps, seen = MappedNetworks([member]).eval()(torch.zeros(3, 1, 28, 28))
    >>> odds.shape, maps.shape, seen.shape
    (torch.Size([3, 2]), torch.Size([3, 2, 14, 14]), torch.Size([3, 16]))
    """

    def __init__(self, members: Sequence[ConvNet], *, mirrored: bool = False) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.mirrored = mirrored

    @property
    def stride(self) -> int | None:
        """That of the members; None where the maps of mirrored images make them symmetric."""
        return None if self.mirrored else cast("ConvNet", self.members[0]).stride

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log-odds of the classes, but for a constant, what each place adds to each, and features.

        The features are those of the first member, as a mean over the places.
        """
        odds, maps, seen = [], [], []
        for turned in (False, True)[: 1 + self.mirrored]:
            view = x.flip(3) if turned else x
            for each in self.members:
                member = cast("ConvNet", each)
                features = member.forward_features(view)
                seen.append(features.mean((2, 3)))
                odds.append(member.forward_head(features))
                found = member.class_maps(features)
                maps.append(found.flip(3) if turned else found)
        return torch.stack(odds).mean(0), torch.stack(maps).mean(0), seen[0]


#: Blocks and depths of the named networks; widths are multiples of the first.
BLOCKS: dict[str, tuple[BlockName, tuple[int, ...]]] = {
    "resnet10": ("basic", (1, 1, 1, 1)),
    "resnet18": ("basic", (2, 2, 2, 2)),
    "resnet50": ("bottleneck", (3, 4, 6, 3)),
    "convnext": ("convnext", (2, 2, 6, 2)),
}


def convnet(
    name: str,
    channels: int,
    classes: int,
    *,
    width: int = 64,
    squeeze: bool = False,
    size: int = 28,
    dropout: float = 0.0,
) -> ConvNet:
    """Make a network by the name of its family.

    Parameters
    ----------
    name : {"resnet10", "resnet18", "resnet50", "convnext"}
    channels, classes : int
    width : int
        Features of the first stage; each further one has twice as many. 64 is the papers'.
    squeeze, size, dropout
        As for :class:`ConvNet`.

    Examples
    --------
    >>> network = convnet("resnet18", 3, 10)
    >>> sum(part.numel() for part in network.parameters()) // 10**6  # millions
    11
    """
    block, depths = BLOCKS[name]
    return ConvNet(
        channels,
        classes,
        widths=[width * 2**stage for stage in range(len(depths))],
        depths=depths,
        block=block,
        squeeze=squeeze,
        size=size,
        dropout=dropout,
    )


def _normed(inputs: int, outputs: int, size: int, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs)]


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if stride == 1 and inputs == outputs:
        return nn.Identity()
    return nn.Sequential(*_normed(inputs, outputs, 1, stride))


def _stem(channels: int, features: int, small: bool) -> nn.Module:
    if small:
        return nn.Sequential(*_normed(channels, features, 3, 1), nn.ReLU())
    return nn.Sequential(
        *_normed(channels, features, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, padding=1)
    )


def _initialise(module: nn.Module) -> None:
    make: Callable[..., Tensor] = nn.init.kaiming_normal_
    if isinstance(module, nn.Conv2d):
        make(module.weight, mode="fan_out", nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
