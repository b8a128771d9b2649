"""True masks in whatever form people hold them, and which of their values are the region."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.limits import is_number
from industry_apps.schema.images import array_of, one_by_one, with_channels
from industry_apps.schema.values import UnfitError, is_missing

_BACKGROUND = 0.0
#: Colours are counted from here on, behind all greys: red, green and blue as digits.
_COLOURS = float(2**32)
_SAY = "Say which are: region=(value, ...), of colours region=((red, green, blue), ...)."

#: A grey value, or red, green and blue.
Level = float | tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class MaskValues:
    """What the values of masks mean.

    Parameters
    ----------
    region : frozenset of float
        Values of the pixels that are to be found.
    known : frozenset of float
        All values of the masks that were learned from.

    Examples
    --------
    >>> masks = [np.array([[0, 7]]), None]
    >>> MaskValues.learned(masks).read(masks)
    array([array([[False,  True]]), None], dtype=object)
    """

    region: frozenset[float]
    known: frozenset[float]

    @classmethod
    def learned(cls, masks: Collection[Any], region: Collection[Level] | None = None) -> Self:
        """See what values there are: 0 and one other, unless the region is given.

        Parameters
        ----------
        masks : collection
            Grey or RGB, of any number of bits, of truth values or with a palette, which is read
            as its colours; None where nothing is to be found.
        region : collection of float or (int, int, int), optional
            Values or colours that are to be found; all others are not.

        Raises
        ------
        UnfitError
            Which values are the region cannot be told.
        """
        known: set[float] = set()
        for row, mask in enumerate(masks):
            known |= _levels(_values(mask, row))
            others = sorted(known - {_BACKGROUND})
            if region is None and len(others) > 1:
                raise UnfitError(
                    f"masks of 0 and one other value, not of {_listed(others)}: several classes, "
                    "a background that is not 0, or greys that smoothing or a JPEG has made",
                    _SAY,
                    row,
                )
        if region is None and known and _BACKGROUND not in known:
            raise UnfitError("masks with a background of 0", _SAY)
        chosen = known - {_BACKGROUND} if region is None else set(map(_level, region))
        return cls(frozenset(chosen), frozenset(known))

    def read(self, masks: Collection[Any]) -> NDArray[np.object_]:
        """Masks of any form -> (N,), each bool [H, W], None where nothing is to be found.

        Raises
        ------
        UnfitError
            A mask has a value that none had that was learned from.
        """
        found: list[NDArray[np.bool_] | None] = []
        for row, mask in enumerate(masks):
            values = _values(mask, row)
            strange = _levels(values) - self.known - {_BACKGROUND}
            if strange and self.region:
                raise UnfitError(
                    f"the values of the masks that were learned from, {_listed(self.known)}, not "
                    f"{_listed(strange)}",
                    "Write all masks alike, or add such masks to those that are learned from.",
                    row,
                )
            found.append(None if values is None else np.isin(values, list(self.region)))
        return one_by_one(found)


def is_level(value: object) -> bool:
    """Whether something is a value of a mask: a number, or red, green and blue."""
    if isinstance(value, tuple):
        return len(value) == 3 and all(isinstance(c, int) and 0 <= c <= 255 for c in value)
    return is_number(value)


def _values(mask: Any, row: int) -> NDArray[np.float64] | None:
    """The values of a mask [H, W], of colours their number."""
    if not isinstance(mask, np.ndarray | list | tuple) and is_missing(mask):
        return None
    try:
        image = with_channels(array_of(mask), None)
        if image.shape[2] == 1:
            return image[:, :, 0].astype(np.float64)
        colours = with_channels(image, 3).astype(np.float64)
    except UnfitError as wrong:
        raise UnfitError(wrong.expected, wrong.remedy, row) from None
    grey = (colours[:, :, 1:] == colours[:, :, :1]).all(axis=2)
    numbers = _COLOURS + colours @ np.array([2.0**16, 2.0**8, 1.0])
    return np.where(grey, colours[:, :, 0], numbers)


def _levels(values: NDArray[np.float64] | None) -> set[float]:
    return set() if values is None else set(np.unique(values).tolist())


def _level(given: Level) -> float:
    if not isinstance(given, tuple):
        return float(given)
    red, green, blue = given
    return float(red) if red == green == blue else _COLOURS + red * 2.0**16 + green * 2.0**8 + blue


def _told(level: float) -> str:
    if level < _COLOURS:
        return f"{level:g}"
    number = int(level - _COLOURS)
    return str((number >> 16, number >> 8 & 255, number & 255))


def _listed(levels: Collection[float]) -> str:
    return ", ".join(map(_told, sorted(levels)[:4])) + ", ..." * (len(levels) > 4)
