"""True masks in whatever form people hold them, and what their values mean: classes, or none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.limits import is_number
from industry_apps.schema.images import array_of, one_by_one, with_channels
from industry_apps.schema.values import UnfitError, is_missing

#: Name of what belongs to no class; its value is 0 unless others are given.
BACKGROUND = "background"
_NOTHING = 0.0
#: Names of a mapping; in the masks that are answered their codes lie at least two greys apart.
_MOST_CLASSES = 127
#: Colours are counted from here on, behind all greys: red, green and blue as digits.
_COLOURS = float(2**32)
#: From this share of the masks on that a region mostly fills, it may be their background.
_NEARLY_ALL = 0.9
_SAY = (
    "Say which are: region=(value, ...), of colours region=((red, green, blue), ...), of several "
    'classes region={"name": value, ...}.'
)

#: A grey value, or red, green and blue.
Level = float | tuple[int, int, int]
#: Values that are one region, or names of classes with one or several values each.
Region = tuple[Level, ...] | Mapping[str, Level | tuple[Level, ...]]


@dataclass(frozen=True, slots=True)
class MaskValues:
    """What the values of masks mean.

    Parameters
    ----------
    classes : mapping of str to frozenset of float
        Values of the pixels of each class, in the order of their numbers, 1 and on.
    known : frozenset of float
        All values that a mask may have: of classes that are named, theirs and the background's;
        else those of the masks that were learned from.
    named : bool
        Whether somebody has named the classes.

    Examples
    --------
    >>> masks = [np.array([[0, 7]]), None]
    >>> MaskValues.learned(masks).read(masks)
    array([array([[False,  True]]), None], dtype=object)
    >>> MaskValues.learned(masks, {"open": 5, "short": (6, 7)}).read(masks)[0]
    array([[0, 2]], dtype=uint8)
    """

    classes: Mapping[str, frozenset[float]]
    known: frozenset[float]
    named: bool = False

    @classmethod
    def learned(cls, masks: Collection[Any], region: Region | None = None) -> Self:
        """See what values there are: 0 and one other, unless the region is given.

        Parameters
        ----------
        masks : collection
            Grey or RGB, of any number of bits, of truth values or with a palette, which is read
            as its colours; None where nothing is to be found. Truth values are 0 and 255.
        region : tuple of float or (int, int, int), or mapping of str to these, optional
            Values or colours that are to be found; all others are not. Of several classes, name
            -> its value or values: all others are refused, but for those of the name
            ``background``, by default 0.

        Raises
        ------
        UnfitError
            Which values are the region cannot be told.
        """
        if isinstance(region, Mapping):
            return cls._of_names(region)
        known: set[float] = set()
        mostly: list[int] = []  # rows of masks that are not 0 for the most part
        for row, mask in enumerate(masks):
            values = _values(mask, row)
            known |= _levels(values)
            if values is not None and (values != _NOTHING).mean() > 0.5:
                mostly.append(row)
            others = sorted(known - {_NOTHING})
            if region is None and len(others) > 1:
                raise UnfitError(
                    f"masks of 0 and one other value, not of {_listed(others)}: several classes, "
                    "a background that is not 0, or greys that smoothing or a JPEG has made",
                    _SAY,
                    row,
                )
        if region is None and known and _NOTHING not in known:
            raise UnfitError("masks with a background of 0", _SAY)
        chosen = known - {_NOTHING} if region is None else set(map(_level, region))
        if region is None and len(mostly) > _NEARLY_ALL * len(masks):
            raise UnfitError(
                f"a region that is the smaller part of most masks: {_listed(chosen)} is most of "
                f"{len(mostly)} of {len(masks)} masks, as where 0 is the region",
                f"Say which is: region=(0,), or region=({_listed(chosen)},) if it is as large.",
                mostly[0],
            )
        if known - {_NOTHING} and not chosen & known:
            raise UnfitError(
                f"masks that have a value of the region, {_listed(chosen)}: they have "
                f"{_listed(known)}",
                _SAY,
            )
        return cls({"region": frozenset(chosen)}, frozenset(known))

    @classmethod
    def _of_names(cls, region: Mapping[str, Level | tuple[Level, ...]]) -> Self:
        levels = {name: frozenset(map(_level, _several(given))) for name, given in region.items()}
        ground = levels.pop(BACKGROUND, None)
        taken = frozenset[float]().union(*levels.values())
        ground = frozenset({_NOTHING}) - taken if ground is None else ground
        return cls(levels, taken | ground, named=True)

    @property
    def dtype(self) -> type:
        """Of a mask that was read: truth values, of several classes their numbers."""
        return np.uint8 if len(self.classes) > 1 else np.bool_

    def read(self, masks: Collection[Any]) -> NDArray[np.object_]:
        """Masks of any form -> (N,), each [H, W], None where nothing is to be found.

        Each is of truth values; of several classes uint8, 0 for none of them and else the
        number of the class.

        Raises
        ------
        UnfitError
            A mask has a value of which is not known what it means.
        """
        found: list[NDArray[Any] | None] = []
        for row, mask in enumerate(masks):
            values = _values(mask, row)
            strange = _levels(values) - self.known
            if not self.named:
                strange -= {_NOTHING}
            if strange and any(self.classes.values()):
                raise self._unknown(strange, row)
            found.append(None if values is None else self._numbered(values))
        return one_by_one(found)

    def _numbered(self, values: NDArray[np.float64]) -> NDArray[Any]:
        found = np.zeros(values.shape, dtype=np.uint8)
        for number, levels in enumerate(self.classes.values(), 1):
            found[np.isin(values, list(levels))] = number
        return found.astype(self.dtype)

    def _unknown(self, strange: set[float], row: int) -> UnfitError:
        not_these = f"{_listed(self.known)}, not {_listed(strange)}"
        if not self.named:
            return UnfitError(
                f"the values of the masks that were learned from, {not_these}",
                "Write all masks alike, or add such masks to those that are learned from.",
                row,
            )
        ground = self.known.difference(*self.classes.values())
        first = _told(min(strange))
        return UnfitError(
            f"the values of the classes and of the background, {not_these}",
            f'Name the class of {first}, as in region={{"name": ({first},), ...}}, or say that it '
            f'is of none: "{BACKGROUND}": ({_listed({*ground, *strange})}). Greys between two '
            "classes come from smoothing or a JPEG: resize and write masks without.",
            row,
        )


def is_level(value: object) -> bool:
    """Whether something is a value of a mask: a number, or red, green and blue."""
    if isinstance(value, tuple | list):  # a list is how JSON has it
        return len(value) == 3 and all(isinstance(c, int) and 0 <= c <= 255 for c in value)
    return is_number(value)


def is_region(value: object) -> bool:
    """Whether something is a :data:`Region` of which no value means two things."""
    if not isinstance(value, Mapping):
        return isinstance(value, tuple) and len(value) > 0 and all(map(is_level, value))
    if not all(isinstance(name, str) and name for name in value):
        return False
    if not 1 <= len(value.keys() - {BACKGROUND}) <= _MOST_CLASSES:
        return False
    given = [_several(each) for each in value.values()]
    if not all(levels and all(map(is_level, levels)) for levels in given):
        return False
    each = [set(map(_level, levels)) for levels in given]
    return len(set().union(*each)) == sum(map(len, each))


def _several(given: Any) -> Collection[Any]:
    return given if isinstance(given, tuple | list) else (given,)


def _values(mask: Any, row: int) -> NDArray[np.float64] | None:
    """The values of a mask [H, W], of colours their number."""
    if not isinstance(mask, np.ndarray | list | tuple) and is_missing(mask):
        return None
    try:
        image = with_channels(array_of(mask), None)
        if not np.isfinite(image).all():
            raise UnfitError("finite values", "Write a number there, 0 where nothing is marked.")
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
    if not isinstance(given, tuple | list):
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
