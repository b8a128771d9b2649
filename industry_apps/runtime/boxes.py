"""Boxes around what a mask marks, with numpy alone: the same in training and on a serving machine.

An ONNX graph gives arrays of fixed rank, and how many regions a mask has follows from its
pixels; so a file of defects answers the mask and the map of scores, and this function draws the
boxes of both. The thresholds are in the file.

Method: regions are pixels of one value that touch, also at a corner; each pixel takes the
smallest number among its neighbours, and then the number that this one has (Shiloach and Vishkin
1982, An O(log n) parallel connectivity algorithm, doi:10.1016/0196-6774(82)90008-6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError

__all__ = ["Box", "RegionBoxes", "regions"]

_WHITE = 255.0
#: Each pixel and four of its eight neighbours; the others see it.
_STEPS = ((0, 1), (1, -1), (1, 0), (1, 1))


class Box(NamedTuple):
    """A rectangle around a region.

    Parameters
    ----------
    left, top, right, bottom : int
        Pixels; right and bottom are the first ones beyond it.
    type : str
        That of most of its pixels.
    score : float
        The largest value of the map in the region, in [0, 1].
    """

    left: int
    top: int
    right: int
    bottom: int
    type: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionBoxes:
    """Draws the boxes of a mask.

    Parameters
    ----------
    types : tuple of str
        Names of the values 1, 2, ... of the mask.
    least_score : float
        A region whose largest value is below it gets no box.
    least_pixels : int
        Nor does a smaller region.

    Examples
    --------
    >>> mask = np.array([[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], dtype=np.uint8)
    >>> RegionBoxes(types=("scratch",)).of(mask, mask * np.uint8(255))
    [Box(left=1, top=1, right=3, bottom=3, type='scratch', score=1.0)]
    """

    types: tuple[str, ...]
    least_score: float = 0.0
    least_pixels: int = 1

    @classmethod
    def of_file(cls, metadata: Mapping[str, Any]) -> Self:
        """With the thresholds that a model file holds.

        Parameters
        ----------
        metadata : mapping
            ``Model.metadata``.

        Raises
        ------
        SchemaError
            The file has no regions.
        """
        told = metadata.get("boxes")
        if not isinstance(told, Mapping):
            raise SchemaError(
                f"A file of {metadata.get('application')!r} marks no regions with types. Use one "
                "of manufacturing.defect_detection."
            )
        return cls(
            types=tuple(told["types"]),
            least_score=float(told["least_score"]),
            least_pixels=int(told["least_pixels"]),
        )

    def of(self, mask: Any, heat_map: Any) -> list[Box]:
        """Draw the boxes of one image, the surest first.

        Parameters
        ----------
        mask : array-like of int, shape (H, W)
            0 where nothing is marked, else the number of a type.
        heat_map : array-like of int, shape (H, W)
            Values in [0, 255].

        Raises
        ------
        SchemaError
            They differ in shape, or the mask has a value without a name.
        """
        return [box for pixels, box in self.sized(mask, heat_map) if self.keeps(pixels, box.score)]

    def keeps(self, pixels: int, score: float) -> bool:
        """Whether a region of so many pixels and such a score gets a box."""
        return pixels >= self.least_pixels and score >= self.least_score

    def sized(self, mask: Any, heat_map: Any) -> list[tuple[int, Box]]:
        """Pixels and box of every region, whatever gets one: to choose the thresholds by.

        Parameters
        ----------
        mask, heat_map
            As for :meth:`of`.

        Raises
        ------
        SchemaError
        """
        marked, heat = np.asarray(mask), np.asarray(heat_map)
        self._check(marked, heat)
        # Marked pixels that touch are one region, whatever their types: the most frequent counts.
        numbers = regions((marked > 0).astype(np.uint8))
        rows, columns = np.nonzero(numbers)
        found = numbers[rows, columns] - 1
        count = int(found.max()) + 1 if len(found) else 0
        ends = np.zeros((4, count), dtype=np.intp)
        ends[:2] = max(marked.shape)
        for place, values in ((0, columns), (1, rows)):
            np.minimum.at(ends[place], found, values)
            np.maximum.at(ends[place + 2], found, values + 1)
        scores, votes = np.zeros(count), np.zeros((count, len(self.types) + 1), dtype=np.intp)
        np.add.at(votes, (found, marked[rows, columns].astype(np.intp)), 1)
        kinds = votes.argmax(axis=1)
        np.maximum.at(scores, found, heat[rows, columns] / _WHITE)
        sizes = np.bincount(found, minlength=count)
        surest = np.argsort(-scores, kind="stable")
        places = ends[:, surest].T.tolist()
        return [
            (
                int(sizes[each]),
                Box(left, top, right, bottom, self.types[kinds[each] - 1], float(scores[each])),
            )
            for (left, top, right, bottom), each in zip(places, surest, strict=True)
        ]

    def _check(self, marked: NDArray[Any], heat: NDArray[Any]) -> None:
        if marked.ndim != 2 or marked.shape != heat.shape:
            raise SchemaError(
                f"Got a mask of shape {marked.shape} and a map of shape {heat.shape}; expected two "
                "of one image, [height, width]. Give both as one answer has them."
            )
        if marked.size and int(marked.max()) > len(self.types):
            raise SchemaError(
                f"The mask has the value {int(marked.max())}, and there are {len(self.types)} "
                "types. Take both from one model."
            )

    def of_table(self, masks: Sequence[Any], heat_maps: Sequence[Any]) -> list[list[Box]]:
        """Draw the boxes of each image of a table.

        Parameters
        ----------
        masks, heat_maps : sequence of array-like, shape (H, W)
            Columns of the answers.
        """
        return [self.of(*pair) for pair in zip(masks, heat_maps, strict=True)]


def regions(mask: NDArray[Any]) -> NDArray[np.intp]:
    """Number the regions of a mask: pixels of one value, not 0, that touch, also at a corner.

    Parameters
    ----------
    mask : ndarray of int, shape (H, W)

    Returns
    -------
    ndarray of int, shape (H, W)
        0 where the mask is 0, else from 1 on, in the order of the first pixel of each.

    Examples
    --------
    >>> regions(np.array([[1, 0, 2], [0, 1, 2]]))
    array([[1, 0, 2],
           [0, 1, 2]])
    """
    height, width = mask.shape
    one, other = [], []
    number = np.arange(height * width).reshape(height, width)
    for down, across in _STEPS:
        first = (slice(0, height - down), slice(max(0, -across), width - max(0, across)))
        second = (slice(down, height), slice(max(0, across), width - max(0, -across)))
        touch = (mask[first] == mask[second]) & (mask[first] != 0)
        one.append(number[first][touch])
        other.append(number[second][touch])
    ends = np.concatenate(one), np.concatenate(other)
    root = number.ravel()
    while len(ends[0]):
        low = np.minimum(root[ends[0]], root[ends[1]])
        joined = root.copy()
        for end in ends:  # the root of each pixel, too, so that whole regions join at once
            np.minimum.at(joined, root[end], low)
        while not np.array_equal(joined[joined], joined):
            joined = joined[joined]
        if np.array_equal(joined, root):
            break
        root = joined
    marked = mask.ravel() != 0
    found = np.zeros(height * width, dtype=np.intp)
    found[marked] = np.unique(root[marked], return_inverse=True)[1] + 1
    return found.reshape(height, width)
