"""Images in whatever form people hold them, as uint8 arrays [height, width, channels].

Arrays and nested lists need numpy only; PNG and JPEG are decoded by Pillow, where it is
installed.
"""

from __future__ import annotations

import base64
import io
import os
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import require
from industry_apps.schema.values import UnfitError, attribute, is_missing, is_single

#: Pixels of the longer side of an image; a larger one is refused rather than held in memory.
LARGEST_SIDE = 8192

_MODES = ("L", "RGB", "RGBA")  # of Pillow: 8 bits a channel, and nothing to look up
_PACKED = ("shape", "zlib")


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


def to_images(values: Any, channels: int | None) -> NDArray[np.object_]:
    """Check the images of a column.

    Parameters
    ----------
    values : sequence of shape [rows]
        Of uint8 arrays [height, width] or [height, width, channels], of the same as nested
        lists, of encoded PNG or JPEG (bytes), of paths of such files, or of what
        :func:`pack` made; or an array [rows, height, width, channels].
    channels : int or None
        How many they have; None for any.

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
        try:
            made[row] = _checked(_array_of(value), channels)
        except UnfitError as wrong:
            raise UnfitError(wrong.expected, wrong.remedy, row) from None
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


def changed_pixels(one: Any, other: Any) -> int:
    """Count the pixels in which two images differ; all of them where the sizes do.

    Examples
    --------
    >>> changed_pixels(np.zeros((2, 3)), [[0, 0, 0], [0, 0, 7]])
    1
    """
    ours, theirs = np.asarray(one), np.asarray(other)
    if ours.shape != theirs.shape:
        return max(ours.size, theirs.size)
    return int((ours != theirs).sum())


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


def _array_of(value: Any) -> NDArray[Any]:
    """Any form of one image as an array."""
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, bytes | bytearray | str | os.PathLike):
        return _decoded(value)
    if isinstance(value, Mapping):
        try:
            return unpack(value)
        except (ValueError, TypeError, KeyError, zlib.error) as error:
            raise UnfitError(f"an image as {_PACKED} ({error})", "Pack it again.") from None
    if isinstance(value, list | tuple):
        return _nested(value)
    if is_missing(value):
        raise UnfitError("an image", "An image cannot be missing: leave the record out.")
    raise UnfitError("an image", "Give an array of bytes, or an encoded PNG or JPEG.")


def _nested(value: list[Any] | tuple[Any, ...]) -> NDArray[Any]:
    try:
        array = np.array(value)
    except ValueError:
        raise UnfitError("rows of equal length", "Correct the lists.") from None
    whole = array.dtype.kind in "iu" and array.size
    if whole and array.min() >= 0 and array.max() <= np.iinfo(np.uint8).max:
        return array.astype(np.uint8)
    return array


def _checked(image: NDArray[Any], channels: int | None) -> NDArray[np.uint8]:
    """An image [height, width, channels] that fits; raises UnfitError."""
    shape = "[height, width]" if channels == 1 else f"[height, width, {channels or 'channels'}]"
    expected = f"an image {shape}"
    if image.ndim not in (2, 3):
        raise UnfitError(expected, "Give one image a row.")
    if image.ndim == 2:
        image = image[:, :, None]
    height, width, found = image.shape
    if not image.size:
        raise UnfitError("an image of at least one pixel", "Leave the record out.")
    if max(height, width) > LARGEST_SIDE:
        raise UnfitError(f"an image of at most {LARGEST_SIDE} pixels a side", "Make it smaller.")
    if channels is not None and found != channels:
        raise UnfitError(
            f"{expected}, not one of {found} channels", "Convert it to the channels of the model."
        )
    if image.dtype != np.uint8:
        raise UnfitError(
            f"whole numbers of 8 bits (uint8, 0 to 255), not {image.dtype}",
            "Scale it to 0 to 255 as the training images were, and convert it with "
            ".astype('uint8').",
        )
    return image


def _decoded(source: Any) -> NDArray[Any]:
    """The pixels of a PNG or JPEG, given as bytes or as the path of a file."""
    pillow = require("PIL.Image", extra="images", needed_by="reading PNG and JPEG images")
    bombs = (pillow.DecompressionBombError, pillow.DecompressionBombWarning)
    encoded = isinstance(source, bytes | bytearray)
    try:
        # Pillow only warns of images between its limit and twice that: they are too large here.
        with pillow.open(io.BytesIO(source) if encoded else source) as opened:
            if max(opened.size) > LARGEST_SIDE:
                raise UnfitError(
                    f"an image of at most {LARGEST_SIDE} pixels a side, not "
                    f"{opened.size[0]} x {opened.size[1]}",
                    "Make it smaller.",
                )
            if opened.mode not in _MODES:
                raise UnfitError(
                    f"8 bits a channel, grey or RGB (a mode of {_MODES}, not {opened.mode!r})",
                    "Convert it with Pillow's convert().",
                )
            return np.asarray(opened)
    except bombs:
        raise UnfitError(
            f"an image of at most {LARGEST_SIDE} pixels a side", "Make it smaller."
        ) from None
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's words for a damaged file
        raise UnfitError(
            f"a PNG or JPEG image that can be read ({error})",
            "Check the path, or write the file again.",
        ) from None
