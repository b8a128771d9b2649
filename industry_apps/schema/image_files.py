"""PNG and JPEG images as arrays: decoded by Pillow, from bytes or from files beneath a folder.

A text is the path of a file only where somebody names the folder that it lies in. Whoever sends
records to a server names none, so that no record makes it read its own files.
"""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, require
from industry_apps.schema.values import UnfitError

#: Pixels of the longer side of an image; a larger one is refused rather than held in memory.
LARGEST_SIDE = 8192

#: Others are not even tried: some run programs, and most have more forms than can be checked.
_FORMATS = ("PNG", "JPEG")
#: Modes of Pillow -> the one in which their pixels are read without a loss.
_MODES = {mode: mode for mode in ("L", "LA", "RGB", "RGBA", "I", "I;16", "I;16L", "I;16B", "F")}
_MODES |= {"1": "L", "P": "RGB", "PA": "RGBA"}


def too_large(found: str) -> UnfitError:
    """Word the error for an image that has too many pixels."""
    return UnfitError(
        f"an image of at most {LARGEST_SIDE} pixels a side, not {found}", "Make it smaller."
    )


def decoded(source: bytes | bytearray | Path) -> NDArray[Any]:
    """The pixels of a PNG or JPEG: [height, width] or [height, width, channels].

    Parameters
    ----------
    source : bytes or Path

    Raises
    ------
    UnfitError
    """
    pillow = require("PIL.Image", extra="images", needed_by="reading PNG and JPEG images")
    bombs = (pillow.DecompressionBombError, pillow.DecompressionBombWarning)
    file = source if isinstance(source, Path) else io.BytesIO(source)
    try:
        with pillow.open(file, formats=_FORMATS) as opened:
            return pixels_of(opened)
    except bombs:
        raise too_large("more than Pillow opens") from None
    # Pillow's words for a damaged file, and for one of another format.
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        told = str(error).partition(" <")[0].partition(" '")[0]
        raise UnfitError(
            f"a PNG or JPEG image that can be read ({told})",
            "Write the file again, as PNG or JPEG.",
        ) from None


def is_pillow(value: Any) -> bool:
    """Tell an image of Pillow, or its class, without loading it."""
    return hasattr(value, "getexif") and hasattr(value, "tobytes")


def pixels_of(image: Any) -> NDArray[Any]:
    """The pixels of an image of Pillow, upright as its EXIF data say.

    Parameters
    ----------
    image : PIL.Image.Image

    Raises
    ------
    UnfitError
        Pillow would lose something of it.
    """
    upright = require("PIL.ImageOps", extra="images", needed_by="reading images")
    if max(image.size) > LARGEST_SIDE:
        raise too_large(f"{image.size[0]} x {image.size[1]}")
    # Phones add a second view to a JPEG; the first is the picture.
    if getattr(image, "n_frames", 1) > 1 and image.format != "MPO":
        raise UnfitError(
            f"one image, not an animation of {image.n_frames}", "Choose one, and write it alone."
        )
    deep = any("16" in str(tile[3]) for tile in getattr(image, "tile", ()))
    if image.mode not in _MODES or (deep and not image.mode.startswith("I")):
        bits = "16 bits a channel" if deep else f"the mode {image.mode!r}"
        raise UnfitError(
            f"grey, a palette or RGB, of which only grey may have 16 bits, not {bits}",
            "Convert it with Pillow's convert(), or give its values as an array.",
        )
    mode = "RGBA" if image.has_transparency_data else _MODES[image.mode]
    image = upright.exif_transpose(image)
    return np.asarray(image if image.mode == mode else image.convert(mode))


def with_files(table: Any, names: Iterable[str], folder: str | Path) -> Any:
    """A table or record whose texts in some columns are read as image files.

    Parameters
    ----------
    table : DataFrame, mapping of str to sequence, or record
        Not changed.
    names : iterable of str
        Columns of images.
    folder : str or Path
        Paths are relative to it, and lead to nothing outside it.

    Raises
    ------
    SchemaError
        A text is no path of an image beneath the folder.
    """
    read: dict[str, Any] = {}
    for name in names:
        if name in table:
            alone = isinstance(table[name], str | os.PathLike)
            found = [
                _read(cell, folder, name, row) if isinstance(cell, str | os.PathLike) else cell
                for row, cell in enumerate([table[name]] if alone else table[name])
            ]
            read[name] = found[0] if alone else found
    if isinstance(table, Mapping):
        return {**table, **read}
    for name, found in read.items():
        cells = np.empty(len(found), dtype=object)
        for row, cell in enumerate(found):
            cells[row] = cell
        read[name] = cells
    return table.assign(**read)


def _read(path: Any, folder: str | Path, name: str, row: int) -> NDArray[Any]:
    try:
        return decoded(_beneath(Path(folder), path))
    except UnfitError as wrong:
        raise SchemaError(
            f"Column {name!r}, row {row}: got {str(path)!r:.80}, expected {wrong.expected}. "
            f"{wrong.remedy}"
        ) from None


def _beneath(folder: Path, path: Any) -> Path:
    """The file of a path, which is regular, and lies beneath the folder whatever links say."""
    try:
        root = folder.resolve()
        found = (root / path).resolve()
        inside, regular = found.is_relative_to(root), found.is_file()
    except (OSError, ValueError, RuntimeError) as error:  # a null byte, links in a circle
        raise UnfitError(f"the path of an image ({error})", "Correct it.") from None
    if not inside:
        raise UnfitError(
            f"a path beneath {str(folder)!r}",
            "Put the image there, or name the folder that holds all images as `paths`.",
        )
    if not regular:
        raise UnfitError(
            f"the path of a file beneath {str(folder)!r}",
            "Check the path; folders, pipes and devices are not read.",
        )
    return found
