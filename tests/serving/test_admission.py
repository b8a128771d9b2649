"""A version takes the place of another where every client of the old one can go on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from industry_apps.errors import ModelFileError
from industry_apps.schema import Column, Schema
from industry_apps.schema.values import Kind
from industry_apps.serving.swapping.admission import check_compatible

SOUND = {"size": None, "nullable": False}


def model(column: Column, key: str) -> Any:
    """What the check reads of a model file."""
    columns = {"schema": Schema(()), "outputs": Schema(()), key: Schema((column,))}
    return SimpleNamespace(
        path=Path("new.onnx"), metadata={"application": "tests.tiny"}, windows=None, **columns
    )


def check(key: str, kind: Kind, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Check a version with one column against one before it."""
    check_compatible(*(model(Column("x", kind, **facts), key) for facts in (old, new)))


@pytest.mark.parametrize(
    ("kind", "old", "new", "words"),
    [
        ("boolean", {"nullable": False}, {"nullable": True}, "another tensor to Open Inference"),
        ("number", {}, {"offset": 5.0}, "another tensor to Open Inference"),
        ("number", {}, {"codes": (-1.0,)}, "has other codes"),
        ("number", {"codes": (-1.0,)}, {}, "has other codes"),
        ("number", SOUND | {"rate": 16_000}, SOUND | {"rate": 8_000}, "sound of another rate"),
        ("category", {"size": None}, {"size": None, "least": 2}, "no lists as short as before"),
        ("image", {"nullable": False}, {"nullable": False, "beside": "x0"}, "as large as another"),
    ],
)
def test_a_column_that_clients_would_have_to_send_otherwise_is_refused(kind, old, new, words):
    with pytest.raises(ModelFileError, match=f"its column 'x' .*{words}.*name of its own"):
        check("schema", kind, old, new)


@pytest.mark.parametrize(
    ("kind", "old", "new", "words"),
    [
        ("number", {"unit": "km"}, {"unit": "mile"}, "is in another unit"),
        ("category", {"categories": ("yes", "no")}, {}, "categories that clients do not know"),
        ("category", {"categories": ("yes",)}, {"categories": ("yes", "no")}, "do not know"),
        ("number", {"nullable": False}, {}, "may be missing now"),
        ("boolean", {}, {"nullable": False}, "another datatype to Open Inference"),
        ("number", {}, {"size": 2}, "has another form"),
    ],
)
def test_an_answer_that_clients_would_read_otherwise_is_refused(kind, old, new, words):
    with pytest.raises(ModelFileError, match=f"its answer 'x' .*{words}.*name of its own"):
        check("outputs", kind, old, new)


@pytest.mark.parametrize(
    ("key", "kind", "old", "new"),
    [
        ("schema", "number", {"codes": ("?",)}, {"codes": ("?", "none")}),
        ("schema", "number", {"nullable": False, "low": 1}, {"low": 0}),
        ("schema", "category", {"size": None, "least": 2}, {"size": None}),
        ("outputs", "category", {"categories": ("yes", "no")}, {"categories": ("no",)}),
        ("outputs", "category", {}, {"categories": ("no",), "nullable": False}),
    ],
)
def test_what_takes_more_and_answers_as_before_is_taken(key, kind, old, new):
    check(key, kind, old, new)
