"""Images in whatever form people hold them, as uint8 arrays [height, width, channels].

Arrays and nested lists need numpy only; PNG and JPEG are decoded by Pillow, where it is
installed. Values of more than 8 bits are mapped onto 0 to 255 by a window, which a model has
learned or was given.
"""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.schema.image_files import (
    LARGEST_SIDE,
    decoded,
    is_pillow,
    pixels_of,
    too_large,
)
from industry_apps.schema.values import UnfitError, attribute, is_missing, is_single

_PACKED = ("shape", "zlib")
_PATHS = (
    "A text is the path of a file only beneath a folder that is named: read the table with "
    "industry_apps.data.read_images(TABLE, columns=(THIS COLUMN,)), or give Model.predict the "
    "folder as `paths`."
)
_LAST = "Move them with numpy.moveaxis(image, 0, -1)."
#: Channels that an image may have before they are taken for one of its sides.
_FEW_CHANNELS = 4


@dataclass(frozen=True, slots=True)
class ImageForm:
    """What the images of a column have in common.

    Parameters
    ----------
    channels : int or None
        How many each has; None for any.
    window : (float, float), optional
        The values that become 0 and 255; None of images of 8 bits.
    low, high : float, optional
        With a window: the least and largest value that an image may hold.

    Examples
    --------
    >>> form = ImageForm.learned([np.array([[0, 900]], dtype=np.uint16)] * 2)
    >>> form
    ImageForm(channels=1, window=(0.0, 900.0), low=-900.0, high=1800.0)
    """

    channels: int | None = None
    window: tuple[float, float] | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def learned(cls, values: Iterable[Any], window: tuple[float, float] | None = None) -> ImageForm:
        """Look at the images that are learned from.

        Grey images and copies of grey in RGB or RGBA are grey together. Of images of more than
        8 bits the window goes from their least to their largest value unless it is given, and
        images may hold values that lie as far outside as these are apart.

        Parameters
        ----------
        values : iterable
            At least one, in any form.
        window : (float, float), optional
            Of images of more than 8 bits.

        Raises
        ------
        UnfitError
            An image is none, or differs from those before it in channels or bits.
        """
        possible: set[int] = set()
        first, low, high = np.dtype(np.uint8), np.inf, -np.inf
        for row, value in enumerate(values):
            with _in_row(row):
                image = with_channels(array_of(value), None)
                deep, readings = image.dtype != np.uint8, _readings(image)
                if row == 0:
                    first, possible = image.dtype, readings
                if deep != (first != np.uint8):
                    raise UnfitError(
                        f"values of {first}, as in row 0, not {image.dtype}",
                        "Give all images as they were taken, or all in 8 bits.",
                    )
                if not possible & readings:
                    raise UnfitError(
                        f"an image of {max(possible)} channels, as those before, not one of "
                        f"{max(readings)}",
                        "Convert all images to the same channels.",
                    )
                possible &= readings
                if deep:
                    low = min(low, float(_finite(image).min()))
                    high = max(high, float(image.max()))
        if first == np.uint8:
            if window is not None:
                raise UnfitError("values of more than 8 bits, which a window is for", "Leave it.")
            return cls(min(possible))
        if low == high:
            raise UnfitError("images whose values differ", "Check how they were read.")
        span = high - low
        return cls(min(possible), window or (low, high), low - span, high + span)


def is_image(value: Any) -> bool:
    """Tell one image from a column of images.

    An array or nested list of two or three dimensions is one image; a column is a sequence
    of images, or an array [rows, height, width, channels].

    Examples
    --------
    >>> is_image(np.zeros((28, 28))), is_image(np.zeros((9, 28, 28, 1)))
    (True, False)
    """
    if issubclass(type(value), bytes | bytearray | str | os.PathLike | Mapping):
        return True
    depth = 0
    while issubclass(type(value), list | tuple):
        depth, value = depth + 1, value[0] if value else None
    if depth:
        return depth in (2, 3) and not issubclass(type(value), bytes | str | Mapping | np.ndarray)
    return attribute(value, "ndim", 0) in (2, 3) or is_single(value)


def to_images(values: Any, form: ImageForm) -> NDArray[np.object_]:
    """Check the images of a column.

    Parameters
    ----------
    values : sequence of shape [rows]
        Of arrays [height, width] or [height, width, channels], of the same as nested lists, of
        encoded PNG or JPEG (bytes), of images of Pillow, or of what :func:`pack` made; or an
        array [rows, height, width, channels]. A model of grey images takes copies of grey in
        RGB and RGBA, one of RGB takes RGBA; nothing of either may be transparent.
    form : ImageForm

    Returns
    -------
    ndarray of object, shape [rows]
        Of uint8 arrays [height, width, channels], which may differ in height and width.

    Raises
    ------
    UnfitError
    """
    made = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):
        with _in_row(row):
            image = with_channels(array_of(value), form.channels)
            if form.window is not None and not isinstance(value, Mapping):  # packed ones are done
                is_list = isinstance(value, list | tuple)
                made[row] = _windowed(image.astype(np.int64) if is_list else image, form)
            elif image.dtype != np.uint8:
                raise UnfitError(
                    f"whole numbers of 8 bits (uint8, 0 to 255), not {image.dtype}",
                    "The model has learned from images of 8 bits: convert it as those were, or fit "
                    "the model to images as they are, of which it learns the window.",
                )
            else:
                made[row] = image
    return made


def blank(rows: int, channels: int | None) -> NDArray[np.object_]:
    """Black images of one pixel, shape [rows]."""
    made = np.empty(rows, dtype=object)
    for row in range(rows):
        made[row] = np.zeros((1, 1, channels or 1), dtype=np.uint8)
    return made


def pack(image: NDArray[np.uint8]) -> dict[str, Any]:
    """An image as JSON values, which a record may hold in its place.

    Examples
    --------
    >>> unpack(pack(np.full((2, 3, 1), 7, dtype=np.uint8))).shape
    (2, 3, 1)
    """
    squeezed = zlib.compress(np.ascontiguousarray(image).tobytes(), level=9)
    return {"shape": list(image.shape), "zlib": base64.b64encode(squeezed).decode("ascii")}


def unpack(packed: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Read what :func:`pack` wrote; raises ValueError when it is anything else."""
    if sorted(packed) != sorted(_PACKED):
        raise ValueError(f"it has the keys {sorted(map(str, packed))}, not {sorted(_PACKED)}")
    shape = tuple(int(size) for size in packed["shape"])
    if not 2 <= len(shape) <= 3 or max(shape) > LARGEST_SIDE or min(shape) < 0:
        raise ValueError(f"its shape is {shape}")
    content = zlib.decompressobj().decompress(
        base64.b64decode(packed["zlib"], validate=True), max(int(np.prod(shape)), 1) + 1
    )
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def are_images(values: NDArray[Any]) -> bool:
    """Tell whether the cells of a column are arrays, as answered images are.

    Examples
    --------
    >>> are_images(one_by_one([np.zeros((2, 3))])), are_images(np.zeros(3))
    (True, False)
    """
    a_cell_each = values.dtype.kind == "O" and values.ndim == 1 and len(values) > 0
    return a_cell_each and isinstance(values[0], np.ndarray)


def changed_pixels(one: Any, other: Any, slack: float = 1.0) -> int:
    """Count the pixels in which two images differ by more than rounding; all where sizes do.

    Examples
    --------
    >>> changed_pixels(np.zeros((2, 3)), [[0, 0, 0], [0, 0, 7]])
    1
    """
    ours, theirs = np.asarray(one), np.asarray(other)
    if ours.shape != theirs.shape:
        return max(ours.size, theirs.size)
    return int((np.abs(ours.astype(np.float64) - theirs) > slack).sum())


def one_by_one(images: Iterable[Any]) -> NDArray[np.object_]:
    """Images of one or of several sizes as a column of objects, shape [rows].

    Examples
    --------
    >>> one_by_one(np.zeros((4, 2, 3))).shape
    (4,)
    """
    rows = list(images)
    made = np.empty(len(rows), dtype=object)
    for row, image in enumerate(rows):
        made[row] = image
    return made


@contextmanager
def _in_row(row: int) -> Iterator[None]:
    """Say in which row an image does not fit."""
    try:
        yield
    except UnfitError as wrong:
        raise UnfitError(wrong.expected, wrong.remedy, row) from None


def array_of(value: Any) -> NDArray[Any]:
    """Any form of one image as an array of numbers, its values as they are.

    Truth values become 0 and 255, and a list of whole numbers from 0 to 255 is of 8 bits.

    Parameters
    ----------
    value : object

    Raises
    ------
    UnfitError
        It is no image.
    """
    if isinstance(value, bytes | bytearray):
        return decoded(value)
    if isinstance(value, Mapping):
        return _unpacked(value)
    if is_pillow(value):
        return pixels_of(value)
    array = value if isinstance(value, np.ndarray) else _nested(value)
    if np.ma.is_masked(array):
        raise UnfitError("an image without masked pixels", "Fill them, or cut them off.")
    if array.dtype.kind not in "buif":
        raise UnfitError(f"an array of real numbers, not of {array.dtype}", "Convert it.")
    return array * np.uint8(255) if array.dtype == np.bool_ else array


def _unpacked(value: Mapping[str, Any]) -> NDArray[np.uint8]:
    try:
        return unpack(value)
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise UnfitError(f"an image as {_PACKED} ({error})", "Pack it again.") from None


def _nested(value: Any) -> NDArray[Any]:
    """An image as lists within lists."""
    if isinstance(value, str | os.PathLike):
        raise UnfitError("an image", _PATHS)
    if not isinstance(value, list | tuple):
        if is_missing(value):
            raise UnfitError("an image", "An image cannot be missing: leave the record out.")
        raise UnfitError("an image", "Give an array of bytes, or an encoded PNG or JPEG.")
    try:
        array = np.array(value)
    except ValueError:
        raise UnfitError("rows of equal length", "Correct the lists.") from None
    whole = array.dtype.kind in "iu" and array.size
    if whole and array.min() >= 0 and array.max() <= np.iinfo(np.uint8).max:
        return array.astype(np.uint8)
    return array


def with_channels(image: NDArray[Any], channels: int | None) -> NDArray[Any]:
    """An image [height, width, channels] of a size that fits.

    Parameters
    ----------
    image : ndarray of shape [height, width] or [height, width, channels]
    channels : int or None
        None for any.

    Raises
    ------
    UnfitError
    """
    shape = "[height, width]" if channels == 1 else f"[height, width, {channels or 'channels'}]"
    expected = f"an image {shape}"
    if image.ndim not in (2, 3):
        raise UnfitError(expected, "Give one image a row.")
    if not image.size:
        raise UnfitError("an image of at least one pixel", "Leave the record out.")
    if max(image.shape[:2]) > LARGEST_SIDE:
        raise too_large(f"{image.shape[1]} x {image.shape[0]}")
    if image.ndim == 2:
        image = image[:, :, None]
    if channels is None:
        if _is_channels_first(image.shape):
            raise UnfitError(f"{expected}, channels last, not {image.shape}", _LAST)
        return image
    if channels in _readings(image):
        return image[:, :, :channels]
    if image.shape[0] == channels or _is_channels_first(image.shape):
        raise UnfitError(f"{expected}, channels last, not {image.shape}", _LAST)
    raise UnfitError(
        f"{expected}, not one of {image.shape[2]} channels",
        "Convert it to the channels of the model, without transparency.",
    )


def _is_channels_first(shape: tuple[int, ...]) -> bool:
    """Whether the last axis looks like a side of the image, and the first like its channels."""
    first, second, last = shape
    if last <= _FEW_CHANNELS:
        return False
    return first <= _FEW_CHANNELS or (first != second and (first < last or second == last))


def _readings(image: NDArray[Any]) -> set[int]:
    """With how many channels an image says the same: grey in copies, colours that are opaque."""
    found = image.shape[2]
    readings = {found}
    if found in (2, 4) and image.dtype.kind in "ui":
        if (image[:, :, -1] != np.iinfo(image.dtype).max).any():
            return readings
        found -= 1
    grey = found == 3 and (image[:, :, 1:3] == image[:, :, :1]).all()
    return readings | {found} | ({1} if grey else set())


def _finite(image: NDArray[Any]) -> NDArray[Any]:
    if not np.isfinite(image).all():
        raise UnfitError("finite values", "Fill what is missing, or cut it off.")
    return image


def _windowed(image: NDArray[Any], form: ImageForm) -> NDArray[np.uint8]:
    """Values mapped onto 0 to 255 by the window; what lies beyond its ends has their grey."""
    assert form.window is not None
    low, high = form.window
    span = f"values of which {low:g} is black and {high:g} is white, as in training"
    if image.dtype == np.uint8:
        raise UnfitError(
            f"{span}, not 8 bits", "Give the image as it was before it was converted to 8 bits."
        )
    values = _finite(image).astype(np.float64)
    least, most = float(values.min()), float(values.max())
    if (form.low is not None and least < form.low) or (form.high is not None and most > form.high):
        raise UnfitError(
            f"{span}, and none beyond {form.low:g} and {form.high:g}, not {least:g} to {most:g}",
            "Scale it as the training images are, or fit the model to such images.",
        )
    found = np.rint(np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    if low <= least < most <= high and found.min() == found.max():
        raise UnfitError(
            f"{span}, which differ by more than a grey, not {least:g} to {most:g}",
            "Scale it as the training images are, or fit with window=(BLACK, WHITE) that shows it.",
        )
    return found
