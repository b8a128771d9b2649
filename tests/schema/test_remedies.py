"""What the errors of schemas and their values advise, done."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from industry_apps.schema import Column, Schema
from industry_apps.schema.images import pack
from industry_apps.schema.names import Names
from tests.remedies import check_remedy

IMAGE = Column("x", "image", nullable=False, channels=1)
TABLE = Schema((Column("income", "number"), Column("country", "category")))
GREY = np.zeros((4, 4), dtype=np.uint8)
LARGE = np.zeros((70_000, 1), dtype=np.uint8)


class Endless:
    """Values of which nobody knows how many there are."""

    def __getitem__(self, row: int) -> float:
        return 1.0


def png(mode: str, size: tuple[int, int] = (4, 4)) -> bytes:
    to = io.BytesIO()
    Image.new(mode, size).save(to, "PNG")
    return to.getvalue()


def packed_again() -> dict[str, object]:
    return pack(GREY[:, :, None])


DECLARED = [
    ("Rename it.", lambda: Column("", "number"), lambda: Column("age", "number")),
    ("expected one of ('number'", lambda: Column("x", "int"), lambda: Column("x", "number")),
    (
        "expected one of ('feature'",
        lambda: Column("x", "number", role="target"),
        lambda: Column("x", "number"),
    ),
    (
        "Declare it as a feature.",
        lambda: Column("x", "text", role="history"),
        lambda: Column("x", "text", role="feature"),
    ),
    (
        "expected an int >= 1, or None for a list of any length",
        lambda: Column("x", "number", size=0),
        lambda: [Column("x", "number", size=1), Column("x", "number", listed=True)],
    ),
    (
        "Leave its missing values empty.",
        lambda: Column("x", "text", codes=("?",)),
        lambda: Column("x", "text").to_array(["", "said"]),
    ),
    ("Leave them out.", lambda: Column("x", "number", channels=3), lambda: Column("x", "number")),
    ("nullable=False", lambda: Column("x", "image"), lambda: Column("x", "image", nullable=False)),
    (
        "expected an int >= 1, or None for any",
        lambda: Column("x", "image", nullable=False, channels=0),
        lambda: [Column("x", "image", nullable=False, channels=c) for c in (1, None)],
    ),
    (
        "Rename one of them, or copy the column",
        lambda: Schema((Column("x", "number"), Column("x", "number"))),
        lambda: Schema((Column("x", "number"), Column("y", "number"))).to_arrays(
            {"x": [1], "y": [1]}
        ),
    ),
]
TABLES = [
    (
        "Add it, or map your name to it.",
        lambda: TABLE.validate({"income": [1.0]}),
        lambda: TABLE.validate({"income": [1.0], "country": ["DE"]}),
    ),
    (
        "Did you mean the column 'Country'?",
        lambda: TABLE.validate({"income": [1.0], "Country": ["DE"]}),
        lambda: TABLE.validate({"income": [1.0], "country": ["DE"]}),
    ),
    (
        "Rename or drop one.",
        lambda: TABLE.validate(
            pd.DataFrame([[1, "DE", 2]], columns=["income", "country"] * 1 + ["income"])
        ),
        lambda: TABLE.validate(pd.DataFrame([[1, "DE"]], columns=["income", "country"])),
    ),
    (
        "Make them equal.",
        lambda: TABLE.validate({"income": [1.0, 2.0], "country": ["DE"]}),
        lambda: TABLE.validate({"income": [1.0, 2.0], "country": ["DE", "FR"]}),
    ),
    (
        "Give a list or an array as for the other columns.",
        lambda: TABLE.validate({"income": [1.0, 2.0], "country": "DE"}),
        lambda: TABLE.validate({"income": [1.0, 2.0], "country": ["DE", "DE"]}),
    ),
    (
        "Take it out of its list, or give a list of rows in every column.",
        lambda: TABLE.validate({"income": [1.0], "country": "DE"}),
        lambda: TABLE.validate({"income": [1.0], "country": ["DE"]}),
    ),
    (
        "give a list of rows in every column.",
        lambda: TABLE.validate({"income": Endless(), "country": ["DE"]}),
        lambda: TABLE.validate({"income": [Endless()[0]], "country": ["DE"]}),
    ),
    (
        "Rename it; or add 'income', as None where it is not known.",
        lambda: Names(TABLE).check(["incmoe", "country"]),
        lambda: [
            Names(TABLE).check(names) for names in (["income", "country"], ["income", "incmoe"])
        ],
    ),
    (
        "Name the columns as the model does",
        lambda: Names(Schema((Column("income", "number", required=False),))).check(["a", "b"]),
        lambda: Names(Schema((Column("income", "number", required=False),))).check(["income", "b"]),
    ),
]
VALUES = [
    (
        "Correct it, or leave it empty where it is not known.",
        lambda: Column("x", "number").to_array(["many"]),
        lambda: [Column("x", "number").to_array([value]) for value in (7, None, np.nan)],
    ),
    (
        "Write it as true or false, or as 1 or 0.",
        lambda: Column("x", "boolean").to_array(["maybe"]),
        lambda: [Column("x", "boolean").to_array([v]) for v in (True, False, 1, 0)],
    ),
    (
        "Correct the value.",
        lambda: Column("x", "boolean").to_array([2]),
        lambda: Column("x", "boolean").to_array([1]),
    ),
    (
        "Convert it with str() if it is a name.",
        lambda: Column("x", "category").to_array([("a", "b")]),
        lambda: Column("x", "category").to_array([str(("a", "b"))]),
    ),
    (
        "Read the text again with its own encoding.",
        lambda: Column("x", "text").to_array([b"caf\xe9".decode("utf-8", "surrogateescape")]),
        lambda: Column("x", "text").to_array([b"caf\xe9".decode("latin-1")]),
    ),
    (
        "for example with pandas.to_datetime",
        lambda: Column("x", "datetime").to_array(["01.02.2024"]),
        lambda: Column("x", "datetime").to_array(pd.to_datetime(["01.02.2024"], dayfirst=True)),
    ),
    (
        "Convert whole numbers with .astype('Int64'), and others with pandas.to_datetime",
        lambda: Column("x", "datetime").to_array(pd.Series([1.0, None])),
        lambda: [
            Column("x", "datetime").to_array(pd.Series([1.0, None]).astype("Int64")),
            Column("x", "datetime").to_array(pd.to_datetime(pd.Series([0.25]), unit="h")),
        ],
    ),
    (
        "Correct the list.",
        lambda: Column("x", "number", size=2).to_array([[1.0]]),
        lambda: Column("x", "number", size=2).to_array([[1.0, 2.0]]),
    ),
]
COLOUR = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
IMAGES = [
    (
        "leave the record out",
        lambda: IMAGE.to_array([GREY, None]),
        lambda: IMAGE.to_array([GREY]),
    ),
    (
        "Give an array of bytes, or an encoded PNG or JPEG.",
        lambda: IMAGE.to_array([7]),
        lambda: IMAGE.to_array([GREY, png("L")]),
    ),
    (
        "Pack it again.",
        lambda: IMAGE.to_array([{"shape": [1]}]),
        lambda: IMAGE.to_array([packed_again()]),
    ),
    (
        "Correct the lists.",
        lambda: IMAGE.to_array([[[1, 2], [3]]]),
        lambda: IMAGE.to_array([[[1, 2], [3, 4]]]),
    ),
    (
        "Give one image a row.",
        lambda: IMAGE.to_array([np.zeros((2, 4, 4, 1), np.uint8)]),
        lambda: IMAGE.to_array(list(np.zeros((2, 4, 4, 1), np.uint8))),
    ),
    (
        "Leave the record out.",
        lambda: IMAGE.to_array([np.zeros((0, 4), np.uint8), GREY]),
        lambda: IMAGE.to_array([GREY]),
    ),
    ("Make it smaller.", lambda: IMAGE.to_array([LARGE]), lambda: IMAGE.to_array([LARGE[:100]])),
    (
        "Make it smaller.",
        lambda: IMAGE.to_array([png("L", (70_000, 1))]),
        lambda: IMAGE.to_array([png("L", (100, 1))]),
    ),
    (
        "Convert it to the channels of the model",
        lambda: IMAGE.to_array([COLOUR]),
        lambda: IMAGE.to_array([COLOUR.mean(axis=2).astype("uint8")]),
    ),
    (
        "convert it as those were",
        lambda: IMAGE.to_array([np.full((4, 4), 0.5)]),
        lambda: IMAGE.to_array([(np.full((4, 4), 0.5) * 255).astype("uint8")]),
    ),
    (
        "convert it as those were",
        lambda: IMAGE.to_array([png("I;16")]),
        lambda: IMAGE.to_array([np.asarray(Image.open(io.BytesIO(png("I;16"))).convert("L"))]),
    ),
    (
        "Write the file again, as PNG or JPEG.",
        lambda: IMAGE.to_array([png("L")[:40]]),
        lambda: IMAGE.to_array([png("L")]),
    ),
]


@pytest.mark.parametrize(("says", "wrong", "mended"), [*DECLARED, *TABLES, *VALUES, *IMAGES])
def test_what_an_error_advises_works(says, wrong, mended):
    check_remedy(says, wrong, mended)
