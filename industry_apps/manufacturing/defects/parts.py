"""Photographs of parts with what is known of their defects, in whatever form that is.

Letters: N parts, H height, W width, C channels, T types of defects, K = T + 1 classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.recipes.imaging.masks import MaskValues, Region
from industry_apps.runtime.boxes import Box
from industry_apps.schema.images import one_by_one
from industry_apps.schema.values import UnfitError, is_missing

__all__ = ["Parts", "boxes_of", "labels_of", "painted"]

#: The name of the only type, where nobody has given names.
DEFECT = "defect"


@dataclass(frozen=True, eq=False, slots=True)
class Parts:
    """Photographs of parts, and what is known of each.

    Parameters
    ----------
    arrays : mapping of str to ndarray of object, shape (N,)
        Columns of images, each uint8 [H, W, C].
    types : ndarray of int, shape (N,)
        0 of a good part, else the number of the type of its defect; of several that of the
        first.
    masks : ndarray of object, shape (N,)
        Each uint8 [H, W], 0 where the part is good, else the number of the type; None where it
        is not known which pixels are defective.
    boxes : ndarray of object, shape (N,)
        Each a list of :class:`Box`; None where there are none.
    groups : ndarray of int, shape (N,)
        Photographs of one part have the same number.
    """

    arrays: Mapping[str, NDArray[Any]]
    types: NDArray[np.intp]
    masks: NDArray[np.object_]
    boxes: NDArray[np.object_]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.types)

    def at(self, rows: NDArray[Any]) -> Parts:
        """Some of them, by number or by whether they are meant."""
        arrays = {name: values[rows] for name, values in self.arrays.items()}
        inner = (self.types, self.masks, self.boxes, self.groups)
        return Parts(arrays, *(values[rows] for values in inner))

    def seen(self) -> pd.DataFrame:
        """What a model may see of them, and the label, as a table."""
        arrays = {name: list(values) for name, values in self.arrays.items()}
        return pd.DataFrame({**arrays, "type": self.types})

    def described(self, types: Sequence[str]) -> dict[str, Any]:
        """Numbers of parts in words."""
        counts = np.bincount(self.types, minlength=len(types) + 1)
        named = dict(zip(("good", *types), map(int, counts), strict=True))
        return {"parts": len(self), **named}


def labels_of(values: Iterable[Any], good: str) -> NDArray[np.object_]:
    """Labels in either form as names: of truth values True is a defect without a name.

    Parameters
    ----------
    values : iterable
        Names of types, ``good`` among them; or truth values.
    good : str

    Raises
    ------
    UnfitError
        A label is missing, another spelling of ``good``, or neither a name nor a truth value.
    """
    named = []
    for row, value in enumerate(values):
        if isinstance(value, bool | np.bool_):
            named.append(DEFECT if value else good)
        elif isinstance(value, str) and value != good and _alike(value, good):
            raise UnfitError(
                f"{good!r}, as 'good' says, or the name of a type of defect",
                f"Write all labels of good parts alike, or say good={value!r}.",
                row,
            )
        elif isinstance(value, str) and value:
            named.append(value)
        else:
            raise UnfitError(
                f"the name of a type of defect, or {good!r}",
                "Look at the part and say what it is, or leave the record out.",
                row,
            )
    return one_by_one(named)


def _alike(one: str, other: str) -> bool:
    return one.strip().casefold() == other.strip().casefold()


def masks_of(
    values: Iterable[Any], known: MaskValues | None, region: Region | None = None
) -> tuple[MaskValues, Any]:
    """True masks in any form -> what their values mean, and (N,) of masks [H, W] or None.

    Parameters
    ----------
    values : iterable
    known : MaskValues, optional
        What was learned before.
    region : tuple or mapping, optional
        As for :meth:`MaskValues.learned`.

    Raises
    ------
    UnfitError
    """
    masks = list(values)
    read = MaskValues.learned(masks, region) if known is None else known
    return read, read.read(masks)


def boxes_of(values: Iterable[Any]) -> NDArray[np.object_]:
    """Boxes of each part, whatever they are written in -> (N,), each a list of Box.

    Parameters
    ----------
    values : iterable
        Of each part a list of (left, top, right, bottom, type) in pixels, empty for a good one.

    Raises
    ------
    UnfitError
        A cell is no such list.
    """
    found = []
    for row, cell in enumerate(values):
        if not isinstance(cell, list | tuple | np.ndarray) and is_missing(cell):
            raise UnfitError("a list of boxes", "Give an empty list for a good part.", row)
        try:
            boxes = [_box(*box) for box in cell]
        except (TypeError, ValueError, IndexError, KeyError):
            raise UnfitError(
                "a list of (left, top, right, bottom, type) in pixels", "Correct it.", row
            ) from None
        wrong = [b for b in boxes if not (0 <= b.left < b.right and 0 <= b.top < b.bottom)]
        if wrong:
            raise UnfitError(
                f"boxes whose left lies before their right, and top before bottom, not {wrong[0]}",
                "Correct it: pixels are counted from the top left corner.",
                row,
            )
        found.append(boxes)
    return one_by_one(found)


def _box(left: Any, top: Any, right: Any, bottom: Any, kind: Any) -> Box:
    return Box(int(left), int(top), int(right), int(bottom), str(kind), 1.0)


def painted(boxes: Sequence[Box], types: Sequence[str], shape: tuple[int, int]) -> NDArray[Any]:
    """Rectangles as a mask [H, W] of the numbers of their types; of two the smaller is on top.

    Parameters
    ----------
    boxes : sequence of Box
    types : sequence of str
    shape : (int, int)

    Examples
    --------
    >>> painted([Box(1, 0, 3, 1, "spur", 1.0)], ["open", "spur"], (2, 4))
    array([[0, 2, 2, 0],
           [0, 0, 0, 0]], dtype=uint8)
    """
    mask = np.zeros(shape, dtype=np.uint8)
    largest_first = sorted(boxes, key=lambda b: (b.left - b.right) * (b.bottom - b.top))
    for box in largest_first:
        mask[box.top : box.bottom, box.left : box.right] = types.index(box.type) + 1
    return mask
