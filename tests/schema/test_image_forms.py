"""The catalogue of forms that an image may have: each is read right, or refused by name."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from industry_apps.data import read_images
from industry_apps.errors import SchemaError
from industry_apps.healthcare import ImagingClassifier
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import ImageForm, pack

draw = np.random.default_rng(0)
GREY = draw.integers(0, 256, (5, 7), dtype=np.uint8)
COLOUR = draw.integers(0, 256, (5, 7, 3), dtype=np.uint8)
DEEP = draw.integers(0, 4096, (5, 7), dtype=np.uint16)
DEEP.flat[:2] = 0, 4095
HOUNSFIELD = (DEEP.astype(np.int16) - 1024).astype(np.int16)
SHARE = (DEEP / 4095).astype(np.float32)
TURNED = np.rot90(GREY, -1)  # as EXIF orientation 6 is to be shown
ORIENTATION = 0x0112


def columns(form: ImageForm) -> Column:
    return Column("scan", "image", nullable=False, channels=form.channels, window=form.window,
                  low=form.low, high=form.high)  # fmt: skip


GREY_MODEL = columns(ImageForm(1))
COLOUR_MODEL = columns(ImageForm(3))
DEEP_MODEL = columns(ImageForm.learned([DEEP]))
HOUNSFIELD_MODEL = columns(ImageForm.learned([HOUNSFIELD], window=(-160, 240)))
SHARE_MODEL = columns(ImageForm.learned([SHARE]))
AS_BYTES = np.rint(DEEP / 4095 * 255).astype(np.uint8)
SOFT_TISSUE = np.rint(np.clip((HOUNSFIELD + 160.0) / 400, 0, 1) * 255).astype(np.uint8)


def copies(grey: np.ndarray, alpha: int | None = None) -> np.ndarray:
    planes = [grey] * 3 + ([] if alpha is None else [np.full_like(grey, alpha)])
    return np.stack(planes, axis=2)


def encoded(image: np.ndarray | Image.Image, form: str = "PNG", **options: object) -> bytes:
    content = io.BytesIO()
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(content, form, **options)
    return content.getvalue()


def oriented(image: np.ndarray, form: str = "PNG") -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return encoded(image, form, exif=exif, **({"quality": 100} if form == "JPEG" else {}))


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)))


def deep_colours() -> bytes:
    """A PNG of RGB with 16 bits a channel, which Pillow reads with 8."""

    def chunk(name: bytes, body: bytes) -> bytes:
        checked = zlib.crc32(name + body)
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checked)

    head = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    body = zlib.compress(b"\0" + struct.pack(">6H", *range(100, 700, 100)))
    parts = chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


BIT = GREY > 127
PALETTE = Image.fromarray(COLOUR).quantize(4)
JPEG = encoded(GREY, "JPEG")
JPEG_OF_COPIES = encoded(copies(GREY), "JPEG")
UPRIGHT = Image.open(io.BytesIO(oriented(GREY)))
HIDDEN = np.ma.masked_array(GREY, BIT)

RIGHT = {
    "uint8 [h, w]": (GREY_MODEL, GREY, GREY),
    "uint8 [h, w, 1]": (GREY_MODEL, GREY[:, :, None], GREY),
    "lists of 0 to 255": (GREY_MODEL, GREY.tolist(), GREY),
    "packed": (GREY_MODEL, pack(GREY), GREY),
    "truth values": (GREY_MODEL, BIT, BIT * np.uint8(255)),
    "RGB copies of grey": (GREY_MODEL, copies(GREY), GREY),
    "RGBA copies of grey": (GREY_MODEL, copies(GREY, 255), GREY),
    "PNG, grey": (GREY_MODEL, encoded(GREY), GREY),
    "PNG, 1 bit": (GREY_MODEL, encoded(BIT), BIT * np.uint8(255)),
    "PNG, grey palette": (GREY_MODEL, encoded(Image.fromarray(GREY).convert("P")), GREY),
    "PNG, RGB copies": (GREY_MODEL, encoded(copies(GREY)), GREY),
    "PNG, RGBA copies": (GREY_MODEL, encoded(copies(GREY, 255)), GREY),
    "PNG, grey with alpha": (GREY_MODEL, encoded(Image.fromarray(GREY).convert("LA")), GREY),
    "PNG, orientation 6": (GREY_MODEL, oriented(GREY), TURNED),
    "JPEG, grey": (GREY_MODEL, JPEG, decoded(JPEG)),
    "JPEG, RGB copies": (GREY_MODEL, JPEG_OF_COPIES, decoded(JPEG_OF_COPIES)[:, :, 0]),
    "JPEG, orientation 6": (
        GREY_MODEL,
        oriented(GREY, "JPEG"),
        np.rot90(decoded(oriented(GREY, "JPEG")), -1),
    ),
    "Pillow": (GREY_MODEL, Image.fromarray(GREY), GREY),
    "Pillow, orientation 6": (GREY_MODEL, UPRIGHT, TURNED),
    "uint8 [h, w, 3]": (COLOUR_MODEL, COLOUR, COLOUR),
    "PNG, RGB": (COLOUR_MODEL, encoded(COLOUR), COLOUR),
    "PNG, RGBA that is opaque": (
        COLOUR_MODEL,
        encoded(Image.fromarray(COLOUR).convert("RGBA")),
        COLOUR,
    ),
    "PNG, palette": (COLOUR_MODEL, encoded(PALETTE), np.asarray(PALETTE.convert("RGB"))),
    "uint16": (DEEP_MODEL, DEEP, AS_BYTES),
    "uint16, lists": (DEEP_MODEL, DEEP.tolist(), AS_BYTES),
    "uint16, RGB copies": (DEEP_MODEL, copies(DEEP), AS_BYTES),
    "uint16, packed": (DEEP_MODEL, pack(AS_BYTES), AS_BYTES),
    "uint16, big-endian": (DEEP_MODEL, DEEP.astype(">u2"), AS_BYTES),
    "PNG, grey of 16 bits": (DEEP_MODEL, encoded(DEEP), AS_BYTES),
    "Pillow, 16 bits": (DEEP_MODEL, Image.fromarray(DEEP), AS_BYTES),
    "int16, window given": (HOUNSFIELD_MODEL, HOUNSFIELD, SOFT_TISSUE),
    "float32": (SHARE_MODEL, SHARE, AS_BYTES),
    "float64": (SHARE_MODEL, SHARE.astype(np.float64), AS_BYTES),
    "Pillow, float": (SHARE_MODEL, Image.fromarray(SHARE), AS_BYTES),
}

PATH = "read_images"
NAMED = {
    "uint16, model of 8 bits": (GREY_MODEL, DEEP, "uint8, 0 to 255), not uint16"),
    "int64, model of 8 bits": (GREY_MODEL, GREY.astype(np.int64), "not int64"),
    "float, model of 8 bits": (GREY_MODEL, SHARE, "not float32"),
    "PNG of 16 bits, model of 8": (GREY_MODEL, encoded(DEEP), "not uint16"),
    "lists of floats": (GREY_MODEL, SHARE.tolist(), "not float64"),
    "8 bits, model of 16": (DEEP_MODEL, GREY, "4095 is white, as in training, not 8 bits"),
    "PNG of 8 bits, model of 16": (DEEP_MODEL, encoded(GREY), "not 8 bits"),
    "shares, model of 16 bits": (DEEP_MODEL, SHARE, "differ by more than a grey"),
    "16 bits, model of shares": (SHARE_MODEL, DEEP, "none beyond -1 and 2, not 0 to 4095"),
    "NaN": (SHARE_MODEL, np.where(BIT, np.nan, SHARE), "finite values"),
    "infinity": (SHARE_MODEL, np.where(BIT, np.inf, SHARE), "finite values"),
    "complex": (SHARE_MODEL, SHARE * 1j, "real numbers, not of complex"),
    "masked": (GREY_MODEL, HIDDEN, "without masked pixels"),
    "colours, grey model": (GREY_MODEL, COLOUR, "not one of 3 channels"),
    "PNG in colours, grey model": (GREY_MODEL, encoded(COLOUR), "not one of 3 channels"),
    "grey, model of colours": (COLOUR_MODEL, GREY, "not one of 1 channels"),
    "transparent, grey model": (GREY_MODEL, encoded(copies(GREY, 90)), "without transparency"),
    "transparent, colours": (COLOUR_MODEL, copies(GREY, 90), "without transparency"),
    "a transparent colour": (
        COLOUR_MODEL,
        encoded(COLOUR, transparency=tuple(map(int, COLOUR[0, 0]))),
        "without transparency",
    ),
    "channels first, colours": (COLOUR_MODEL, np.moveaxis(COLOUR, -1, 0), "numpy.moveaxis"),
    "channels first, grey": (GREY_MODEL, GREY[None], "numpy.moveaxis"),
    "copies, channels first": (GREY_MODEL, np.stack([GREY] * 3), "numpy.moveaxis"),
    "PNG, RGB of 16 bits": (COLOUR_MODEL, deep_colours(), "not 16 bits a channel"),
    "JPEG, CMYK": (
        COLOUR_MODEL,
        encoded(Image.fromarray(COLOUR).convert("CMYK"), "JPEG"),
        "not the mode 'CMYK'",
    ),
    "PNG, animated": (
        GREY_MODEL,
        encoded(
            Image.fromarray(GREY), save_all=True, append_images=[Image.fromarray(255 - GREY)]
        ),
        "not an animation of 2",
    ),
    **{
        form: (COLOUR_MODEL, encoded(COLOUR, form), "PNG or JPEG image that can be read")
        for form in ("BMP", "TIFF", "ICO", "EPS", "GIF", "PPM")
    },
    "a text": (GREY_MODEL, "scan.png", PATH),
    "an absolute path": (GREY_MODEL, "/etc/passwd", PATH),
    "a Path": (GREY_MODEL, Path("scan.png"), PATH),
    "no image": (GREY_MODEL, b"scan.png", "can be read"),
    "a time": (GREY_MODEL, pd.Timestamp("2020-01-01"), "an encoded PNG or JPEG"),
    "no value": (GREY_MODEL, None, "cannot be missing"),
}  # fmt: skip


@pytest.mark.parametrize("form", RIGHT)
def test_a_form_is_read_right(form):
    column, value, expected = RIGHT[form]
    (found,) = Schema((column,)).to_arrays({"scan": [value]})["scan"]
    assert found.dtype == np.uint8
    assert np.array_equal(np.squeeze(found), expected)


@pytest.mark.parametrize("form", NAMED)
def test_a_form_is_refused_by_name(form):
    column, value, words = NAMED[form]
    usual = pack(np.zeros((2, 2, column.channels or 1), np.uint8))
    with pytest.raises(SchemaError, match="Column 'scan', row 1: got ") as raised:
        Schema((column,)).to_arrays({"scan": [usual, value]})
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (COLOUR_MODEL, np.moveaxis(np.moveaxis(COLOUR, -1, 0), 0, -1), COLOUR),
        (GREY_MODEL, np.moveaxis(GREY[None], 0, -1), GREY),
        (COLOUR_MODEL, Image.fromarray(COLOUR).convert("CMYK").convert("RGB"), COLOUR),
        (COLOUR_MODEL, Image.fromarray(GREY).convert("RGB"), copies(GREY)),
        (GREY_MODEL, np.asarray(HIDDEN.filled(0)), HIDDEN.filled(0)),
        (columns(ImageForm.learned([DEEP])), DEEP, AS_BYTES),
    ],
)
def test_what_the_errors_advise_works(column, value, expected):
    (found,) = Schema((column,)).to_arrays({"scan": [value]})["scan"]
    assert np.array_equal(np.squeeze(found), expected)


@pytest.mark.parametrize(
    ("images", "form"),
    [
        ([GREY, copies(GREY), encoded(copies(GREY, 255))], ImageForm(1)),
        ([copies(GREY), COLOUR], ImageForm(3)),
        ([copies(GREY, 255), Image.fromarray(COLOUR)], ImageForm(3)),
        ([copies(GREY, 90)], ImageForm(4)),
        ([draw.integers(0, 9, (64, 64, 13), dtype=np.uint8)], ImageForm(13)),
        ([DEEP, encoded(DEEP)], ImageForm(1, (0.0, 4095.0), -4095.0, 8190.0)),
    ],
)
def test_what_the_images_of_training_have_in_common(images, form):
    assert ImageForm.learned(images) == form


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([COLOUR, GREY], "row 1: got .* an image of 3 channels, as those before, not one of 1"),
        ([GREY, DEEP], "row 1: got .* values of uint8, as in row 0, not uint16"),
        ([np.full((4, 4), 9, np.uint16)], "row 0: got .* images whose values differ"),
        ([np.zeros((3, 64, 64), np.uint8)], r"row 0: .* channels last, not \(3, 64, 64\)"),
        ([np.zeros((13, 64, 64), np.uint8)], "row 0: .* channels last"),
        ([np.zeros((200, 64, 64), np.uint8)], "row 0: .* channels last"),
    ],
)
def test_training_images_that_differ_are_named(images, words):
    with pytest.raises(SchemaError, match=f"Column 'scan', {words}"):
        ImagingClassifier(columns={"image": "scan"})._image_column(pd.DataFrame({"scan": images}))


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "scans"
    (inside / "deeper").mkdir(parents=True)
    (inside / "a.png").write_bytes(encoded(GREY))
    (inside / "deeper" / "b.png").write_bytes(encoded(255 - GREY))
    (tmp_path / "outside.png").write_bytes(encoded(GREY))
    (inside / "link.png").symlink_to(tmp_path / "outside.png")
    (inside / "note.png").write_text("no image")
    os.mkfifo(inside / "pipe.png")
    return inside


def test_paths_lead_to_files_beneath_a_folder(folder):
    named = ["a.png", "deeper/b.png", folder / "a.png", GREY]
    read = read_images(pd.DataFrame({"image": named}, index=list("wxyz")), paths=folder)
    for found, expected in zip(read["image"], (GREY, 255 - GREY, GREY, GREY), strict=True):
        assert np.array_equal(found, expected)
    assert list(read.index) == list("wxyz")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../outside.png", "a path beneath"),
        ("/etc/passwd", "a path beneath"),
        ("link.png", "a path beneath"),
        ("pipe.png", "the path of a file beneath .* pipes and devices are not read"),
        ("deeper", "the path of a file beneath"),
        ("none.png", "the path of a file beneath"),
        ("note.png", "a PNG or JPEG image that can be read"),
        ("a\0.png", "the path of an image"),
    ],
)
def test_other_paths_are_refused(folder, path, words):
    with pytest.raises(SchemaError, match=f"Column 'image', row 1: got .* expected {words}"):
        read_images(pd.DataFrame({"image": ["a.png", path]}), paths=folder)


def test_a_device_is_not_read():
    with pytest.raises(SchemaError, match="devices are not read"):
        read_images(pd.DataFrame({"image": ["zero"]}), paths="/dev")


def test_folders_are_classes_and_tables_lie_beside_their_images(folder):
    root = folder / "classes"
    root.mkdir()
    (folder / "deeper").rename(root / "deeper")
    for skipped in ("deeper/.DS_Store", "deeper/Thumbs.db", ".ipynb_checkpoints/b.png"):
        (root / skipped).parent.mkdir(exist_ok=True)
        (root / skipped).write_bytes(b"")
    found = read_images(root, target="label")
    assert found["label"].tolist() == ["deeper"]
    assert np.array_equal(found["image"][0], 255 - GREY)
    scans = folder / "scans.csv"
    scans.write_text("image,mask\na.png,classes/deeper/b.png\na.png,\n")
    table = read_images(scans, columns=("image", "mask"))
    assert np.array_equal(table["mask"][0], 255 - GREY)
    assert np.isnan(table["mask"][1])
    for wrong in ("deeper/c.tif", "a.png"):  # one without a class would be passed over
        (root / wrong).write_bytes(b"")
        with pytest.raises(SchemaError, match=f"{wrong}' is no PNG or JPEG directly in the folder"):
            read_images(root)
        (root / wrong).unlink()
    with pytest.raises(SchemaError, match="Name the folder"):
        read_images(table)


def test_a_column_of_paths_has_the_name_that_is_given(folder):
    (folder / "scans.csv").write_text("scan\na.png\n")
    for columns in ({}, {"columns": ("scna",)}):
        with pytest.raises(SchemaError, match=r"is not in the table, which has 'scan'.*columns="):
            read_images(folder / "scans.csv", **columns)
    for columns in (("scan",), "scan"):
        found = read_images(folder / "scans.csv", columns=columns)
        assert np.array_equal(found["scan"][0], GREY)


def test_a_training_image_with_one_odd_pixel_is_mended_by_a_window():
    odd = SHARE.copy()
    odd.flat[2] = 1e6

    def read(window):
        form = ImageForm.learned([odd, SHARE], window)
        return columns(form).to_array([odd, SHARE])

    with pytest.raises(SchemaError, match=r"row 1: .*or fit with window=\(BLACK, WHITE\)"):
        read(None)
    assert read((0, 1))[1].std() > 50
