"""Windows that are cut from photographs for training: small defects in large images.

A network sees all of an image when it answers; it learns from windows of it, in which a defect of
some pixels counts as much as in a small photograph. Letters: N images, C channels, H height, W
width, S pixels a side of a window, B windows of a batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.runtime.boxes import RegionBoxes

if TYPE_CHECKING:
    import torch

__all__ = ["UNKNOWN", "Sheets", "balanced"]

#: In a mask: whether the pixel is defective is not known.
UNKNOWN = 255
_MARKED = RegionBoxes(types=("defective",))


@dataclass(frozen=True, eq=False)
class Sheets:
    """Normalised images with their masks, from which windows are cut.

    Parameters
    ----------
    pixels : list of ndarray of float16, shape (C, H, W)
    masks : list of ndarray of uint8, shape (H, W)
        Number of the type of each pixel, 0 where it is good, ``UNKNOWN`` where that is unknown.
    types : ndarray of int, shape (N,)
        Of each image as a whole.
    side : int
        Pixels S of a window.
    """

    pixels: Sequence[NDArray[np.float16]]
    masks: Sequence[NDArray[np.uint8]]
    types: NDArray[np.intp]
    side: int

    def windows(self) -> NDArray[np.int64]:
        """Windows side by side that cover all images -> [rows, 3]: image, top and left."""
        found = []
        for number, mask in enumerate(self.masks):
            tops, lefts = (_places(length, self.side) for length in mask.shape)
            found += [(number, top, left) for top in tops for left in lefts]
        return np.array(found, dtype=np.int64).reshape(-1, 3)

    def centred(self) -> NDArray[np.int64]:
        """Windows that have a region of defective pixels in their middle -> [rows, 3].

        As many as there are regions: a window that cuts one off shows what it is of no longer.
        """
        found = []
        for number, mask in enumerate(self.masks):
            marked = (mask > 0) & (mask != UNKNOWN)
            boxes = _MARKED.of(marked, marked) if marked.any() else []
            found += [
                (number, (top + bottom - self.side) // 2, (left + right - self.side) // 2)
                for left, top, right, bottom, *_ in boxes
            ]
        return np.array(found, dtype=np.int64).reshape(-1, 3)

    def kinds(self, windows: NDArray[np.int64]) -> NDArray[np.int64]:
        """What each window shows -> [rows]: 0 a good part, else the number of a type.

        Parameters
        ----------
        windows : ndarray of int, shape (rows, 3)
        """
        found = np.zeros(len(windows), dtype=np.int64)
        for row, (number, top, left) in enumerate(windows):
            rows, columns = (slice(max(0, first), first + self.side) for first in (top, left))
            part = self.masks[number][rows, columns]
            known = part[(part > 0) & (part != UNKNOWN)]
            if len(known):
                found[row] = np.bincount(known).argmax()
            elif (part == UNKNOWN).any():  # the image is known as a whole
                found[row] = self.types[number]
        return found

    def cut(self, windows: torch.Tensor, *, moved: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Cut windows -> pixels [B, C, S, S] and masks [B, S, S].

        Parameters
        ----------
        windows : torch.Tensor of int64, shape (B, 3)
        moved : bool
            Each by up to a quarter of its side, at random, within its image.
        """
        import torch

        places = windows.clone()
        if moved:
            most = self.side // 4
            places[:, 1:] += torch.randint(-most, most + 1, (len(windows), 2))
        found = [self._window(*place) for place in places.tolist()]
        pixels = torch.from_numpy(np.stack([each[0] for each in found]).astype(np.float32))
        return pixels, torch.from_numpy(np.stack([each[1] for each in found]))

    def _window(self, number: int, top: int, left: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """One window; where an image is smaller, its last row and column are repeated."""
        mask = self.masks[number]
        rows, columns = (
            np.minimum(
                np.clip(first, 0, max(0, length - self.side)) + np.arange(self.side), length - 1
            )
            for first, length in zip((top, left), mask.shape, strict=True)
        )
        at = np.ix_(rows, columns)
        return self.pixels[number][:, rows[:, None], columns[None]], mask[at]


def balanced(
    kinds: NDArray[np.int64], draws: int, good_share: float, seed: int
) -> NDArray[np.int64]:
    """Draw rows so that good parts have a share and all types the same one of the rest.

    Parameters
    ----------
    kinds : ndarray of int, shape (rows,)
        0 of good parts.
    draws : int
    good_share : float
        In (0, 1).
    seed : int

    Returns
    -------
    ndarray of int, shape (draws,)
        Numbers of rows, none of a kind more often than another by more than one.

    Examples
    --------
    >>> rows = balanced(np.array([0, 0, 0, 0, 1, 2]), 8, 0.5, seed=0)
    >>> np.bincount(rows).tolist()
    [1, 1, 1, 1, 2, 2]
    """
    draw = np.random.default_rng(seed)
    there = np.unique(kinds)
    bad = there[there > 0]
    shares = {0: good_share, **dict.fromkeys(bad.tolist(), (1 - good_share) / max(1, len(bad)))}
    total = sum(shares[kind] for kind in there.tolist())
    chosen = []
    for kind in there.tolist():
        rows = draw.permutation(np.flatnonzero(kinds == kind))
        chosen.append(np.resize(rows, max(1, round(draws * shares[kind] / total))))
    return draw.permutation(np.concatenate(chosen))


def _places(length: int, side: int) -> list[int]:
    """Where windows begin that cover a length, evenly spread."""
    count = max(1, -(-length // side))
    return np.linspace(0, max(0, length - side), count).round().astype(int).tolist()
