"""Records with parts, here words and their letters, are explained part by part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ModelFileError, SchemaError
from industry_apps.export.model_file import write_model_file
from industry_apps.features import GraphBuilder
from industry_apps.runtime import Model
from industry_apps.runtime.parts import LEFT_OUT, NONE, PARTS
from industry_apps.schema import Column, Schema

SCHEMA = Schema((Column("word", "text"),))
OUTPUTS = Schema((Column("worth", "number"), Column("twice", "number"), Column("short", "boolean")))
WORTH = {"a": 1.0, "b": 2.0, "c": 4.0}
STATED = {
    "part": "letter",
    "answers": ["worth", "twice"],
    "method": "The worth less that without the letter.",
    "reference": "the word without it",
    "unit": "points",
}


def graph(optional: bool = True) -> Any:
    """The sum of what the letters of a word are worth."""
    builder = GraphBuilder()
    word = builder.inputs(SCHEMA)["word"]
    left_out = builder.constant(np.array([[NONE]]))
    if optional:
        left_out = builder.optional_input(LEFT_OUT, np.array([[NONE]]))
    letters = builder.node(
        "Tokenizer",
        builder.node("Reshape", word, builder.constant(np.array([-1]))),
        domain="com.microsoft",
        attributes={"mark": 0, "mincharnum": 1, "pad_value": "", "tokenexp": "[abc]"},
    )  # [batch, letters]
    worth = builder.node(
        "LabelEncoder",
        letters,
        domain="ai.onnx.ml",
        attributes={"keys_strings": [*WORTH], "values_floats": [*WORTH.values()]}
        | {"default_float": 0.0},
    )
    places = builder.constant(np.arange(8)[None, :])
    wide = builder.part(builder.node("Pad", worth, builder.constant(np.array([0, 0, 0, 8]))), 0, 8)
    kept = builder.cast(
        builder.node("Not", builder.node("Equal", places, left_out)), np.float32
    )  # [batch, 8]
    one = builder.constant(np.array([1]))
    total = builder.node("ReduceSum", builder.node("Mul", wide, kept), one)
    builder.output(total, "worth", np.float32)
    builder.output(builder.node("Add", total, total), "twice", np.float32)
    short = builder.node("Less", total, builder.constant(np.float32(9)))
    builder.output(short, "short", np.bool_)
    builder.output(letters, PARTS, np.object_, None)
    return builder.model()


def written(folder: Path, *, optional: bool = True, **stated: Any) -> Model:
    answers = {"worth": [3.0], "twice": [6.0], "short": [True]}
    facts = {
        "application": "toy.words",
        "schema": SCHEMA.to_json(),
        "outputs": OUTPUTS.to_json(),
        "parity": {"rows": 1},
        "reference": {"word": "ab"},
        "self_test": {"records": [{"word": "ab"}], "answers": answers},
        "rows_a_run": 2,
        "explanation": STATED | stated,
    }
    write_model_file(folder / "words.onnx", graph(optional), facts)
    return Model(folder / "words.onnx")


def test_each_part_adds_the_answer_less_that_without_it(tmp_path):
    model = written(tmp_path)
    assert model.predict({"word": "cab"}) == {"worth": 7.0, "twice": 14.0, "short": True}
    found = model.explain({"word": "cabba"})
    worth = [WORTH[letter] for letter in "cabba"]
    twice = [2 * each for each in worth]
    assert found == {"symbol": [*"cabba"], "worth": worth, "twice": twice}
    assert model.explain([{"word": "cabba"}, {"word": "a"}])[0] == found
    assert model.describe()["explanation"] == {
        k: STATED[k] for k in ("method", "reference", "unit")
    }


def test_a_table_is_explained_on_its_index_and_the_place_of_each_part(tmp_path):
    model = written(tmp_path)
    index = pd.MultiIndex.from_tuples([("x", 1), ("x", 1)], names=["book", None])
    found = model.explain(pd.DataFrame({"word": ["ab", "c"]}, index=index))
    assert found.index.names == ["book", None, "letter"]
    assert found.index.tolist() == [("x", 1, 0), ("x", 1, 1), ("x", 1, 0)]
    assert found["worth"].tolist() == [1.0, 2.0, 4.0]
    with pytest.raises(SchemaError, match=r"'word', row 1: got '!', .* whose letters can be read"):
        model.explain(pd.DataFrame({"word": ["ab", "!"]}))


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"answers": []}, "explained are"),
        ({"answers": ["short"]}, r"explained are \['short'\]"),
        ({"answers": ["other"]}, "its graph takes .* gives .*, expected .*'other'"),
        ({"answers": "worth"}, "'explanation' is .*, expected columns, or answers and their part"),
        ({"columns": ["word"]}, "'explanation' is .*, expected columns, or answers and their part"),
        ({"optional": False}, "its graph has no input '/left_out'"),
    ],
)
def test_a_file_that_cannot_be_explained_as_it_says_is_refused(tmp_path, stated, told):
    with pytest.raises(ModelFileError, match=told):
        written(tmp_path, **stated)
