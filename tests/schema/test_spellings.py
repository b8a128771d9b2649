"""One value, one spelling: what a level may be written as, and what it may not."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from industry_apps.schema import Column, Schema
from industry_apps.schema.spellings import aliases, tokens_of

CODE = Column("code", "category")


@pytest.mark.parametrize(
    ("level", "same"),
    [
        ("3", ["3.0", " 3", "3 ", " 3.0 "]),
        ("3.0", ["3"]),
        ("0", ["0.0"]),
        ("-9", ["-9.0"]),
        ("true", ["True", "TRUE"]),
        ("False", ["false", "FALSE"]),
        ("US", [" US", "US ", " US ", "us", "Us", "\uff35\uff33"]),
        (" Private", ["Private", "private", "Private "]),
        ("Österreich", ["O\u0308sterreich", "ÖSTERREICH", "österreich"]),
    ],
)
def test_spellings_of_a_level(level: str, same: list[str]) -> None:
    made = aliases((level, "another"))
    assert [made.get(other) for other in same] == [level] * len(same)


@pytest.mark.parametrize(
    ("level", "other"),
    [
        ("3", "03"),
        ("03", "3"),
        ("03", "3.0"),
        ("3", "3.00"),
        ("3.5", "3.50"),
        ("3.50", "3.5"),
        ("250.00", "250"),
        ("1", "True"),
        ("a b", "ab"),
        ("-0", "0"),
    ],
)
def test_what_is_another_level(level: str, other: str) -> None:
    assert other not in aliases((level,))


def test_no_alias_is_of_two_levels() -> None:
    both = aliases(("250", "250.0"))
    assert "250.0 " not in both
    assert "250" not in both
    assert "Us" not in aliases(("us", "US"))
    assert aliases(("us", "US", "de"))["DE"] == "de"


@given(st.lists(st.text(st.sampled_from(" aAbBé0.3"), min_size=1, max_size=4), unique=True))
def test_aliases_are_of_one_level_and_are_none(levels: list[str]) -> None:
    made = aliases(tuple(levels))
    assert not made.keys() & {*levels, ""}
    assert set(made.values()) <= set(levels)


def test_of_many_levels_only_numbers_have_another_spelling() -> None:
    made = aliases((*map(str, range(6_000)), "US"))
    assert made["17.0"] == "17"
    assert "us" not in made


def test_a_token_of_missing_that_was_a_value_is_one() -> None:
    assert tokens_of(["DE", "NA"]) == ("NA",)
    assert tokens_of(["null"]) == ("NULL", "null")
    assert tokens_of(["DE", ""]) == ()
    trained = Schema((CODE,)).as_trained(pd.DataFrame({"code": ["NA", "DE", None]}))
    assert trained["code"].tokens == ("NA",)
    assert Schema.from_json(trained.to_json()) == trained


def test_texts_are_composed() -> None:
    decomposed = unicodedata.normalize("NFD", "Österreich")
    for column in (CODE, Column("note", "text")):
        given = np.array([decomposed, "a"], dtype=object)
        assert column.to_array(given).tolist() == ["Österreich", "a"]
        assert given[0] == decomposed  # what was given stays as it was
    declared = Column("land", "category", categories=(decomposed,))
    assert declared.to_array([decomposed, "Österreich"]).tolist() == ["Österreich"] * 2


def test_large_numbers_of_a_categorical_keep_their_digits_beside_a_missing_value() -> None:
    large = 9_007_199_254_740_993
    for kind in ("Int64", "int64"):
        levels = pd.Index([large, large + 2], dtype=kind)
        values = pd.Series(pd.Categorical.from_codes([0, -1, 1], categories=levels))
        assert CODE.to_array(values).tolist() == [str(large), "", str(large + 2)]
    booleans = pd.Series(pd.Categorical([True, None, False]))
    assert CODE.to_array(booleans).tolist() == ["True", "", "False"]
