"""Images in all forms, and what is refused."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image

from industry_apps.errors import SchemaError
from industry_apps.runtime.inputs import is_record
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import LARGEST_SIDE, pack, unpack

GREY = Schema((Column(name="scan", kind="image", channels=1, nullable=False),))
COLOUR = Schema((Column(name="scan", kind="image", channels=3, nullable=False),))


def image(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def encoded(array: np.ndarray, form: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.fromarray(array).save(content, form)
    return content.getvalue()


def read(schema: Schema, value: object) -> np.ndarray:
    return schema.to_arrays({"scan": [image(2, 2, schema["scan"].channels), value]})["scan"][1]


def test_all_forms_of_an_image_are_the_same():
    grey = image(5, 7)
    forms = [grey, grey[:, :, None], grey.tolist(), encoded(grey), pack(grey)]
    for form in forms:
        found = read(GREY, form)
        assert found.shape == (5, 7, 1)
        assert found.dtype == np.uint8
        assert np.array_equal(found[:, :, 0], grey)


def test_colours_keep_their_order():
    colour = image(4, 6, 3)
    assert np.array_equal(read(COLOUR, encoded(colour)), colour)
    assert np.array_equal(unpack(json.loads(json.dumps(pack(colour)))), colour)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (image(4, 4, 2), "not one of 2 channels"),
        (encoded(image(4, 4, 3)), "not one of 3 channels"),
        (np.zeros((0, 4), np.uint8), "at least one pixel"),
        ([[]], "at least one pixel"),
        (np.zeros((1, LARGEST_SIDE + 1), np.uint8), "8192 pixels a side"),
        (encoded(np.zeros((LARGEST_SIDE + 1, 1), np.uint8)), "8192 pixels a side, not 1 x 8193"),
        (encoded(image(90, 90))[:200], "can be read"),
        (encoded(image(90, 90), "JPEG")[:200], "can be read"),
        (b"no image", "can be read"),
        ("no such file.png", "only beneath a folder that is named"),
        (np.zeros((4, 4)), "uint8, 0 to 255), not float64"),
        (np.zeros((4, 4), np.uint16), "not uint16"),
        ([[1, 300]], "uint8"),
        ([[1, 2], [3]], "rows of equal length"),
        (image(4), "Give one image a row"),
        (None, "cannot be missing"),
        (np.nan, "cannot be missing"),
        (3.5, "an encoded PNG or JPEG"),
        ({"shape": [2, 2]}, "it has the keys"),
        ({"shape": [9, 9], "zlib": pack(image(2, 2))["zlib"]}, "Pack it again"),
        ({"shape": [10**9, 1], "zlib": ""}, "its shape is"),
    ],
)
def test_what_is_no_image_is_refused(value, words):
    with pytest.raises(SchemaError, match="Column 'scan', row 1: got ") as raised:
        read(GREY, value)
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("value", "one"),
    [
        (image(4, 4), True),
        (image(4, 4, 3), True),
        (image(9, 4, 4, 1), False),
        (image(4, 4).tolist(), True),
        ([image(4, 4)], False),
        ([image(4, 4).tolist(), image(4, 4).tolist()], True),  # of three dimensions: one image
        (image(2, 4, 4, 1).tolist(), False),
        (b"png", True),
        ([b"png"], False),
        ("a.png", True),
        (pack(image(2, 2)), True),
        ([pack(image(2, 2))], False),
    ],
)
def test_one_image_is_told_from_a_column(value, one):
    assert is_record({"scan": value}, GREY) is one
    assert is_record({"scan": value, "mask": image(4, 4), "more": [1, 2]}, GREY) is one


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "image"},
        {"kind": "image", "nullable": False, "required": False},
        {"kind": "image", "nullable": False, "channels": 0},
        {"kind": "number", "channels": 1},
        {"kind": "category", "shape": (2,)},
    ],
)
def test_columns_that_cannot_be_are_refused(wrong):
    with pytest.raises(SchemaError):
        Column(name="scan", **wrong)


def test_answers_that_are_arrays_keep_one_shape():
    heat = Column(name="heat", kind="number", shape=(None, 2), low=0, high=1)
    assert heat.to_array([[[0, 1]], [[1, 0]]]).shape == (2, 1, 2)
    assert heat.to_array([]).shape == (0, 1, 2)
    for wrong, row in (([[[0, 1]], [[1, 0], [1, 0]]], 1), ([[0, 1]], 0), ([[[0, 1]], [[2, 0]]], 1)):
        with pytest.raises(SchemaError, match=f"Column 'heat', row {row}"):
            heat.to_array(wrong)


def test_a_schema_of_images_survives_json():
    schema = GREY.extended([Column(name="heat", kind="number", shape=(None, None))])
    assert Schema.from_json(json.loads(json.dumps(schema.to_json()))) == schema
