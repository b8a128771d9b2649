"""Protected columns: no features, and groups that are the same in every table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError
from industry_apps.recipes import feature_columns
from industry_apps.recipes.scorers import Labelled
from industry_apps.schema import Column, Schema

NAMED = Schema(
    (
        Column(name="time", kind="datetime", role="identifier", required=False),
        Column(name="income", kind="number", low=0, required=False),
        Column(name="age", kind="number", unit="years", protected=True, required=False),
        Column(name="sex", kind="category", protected=True, required=False),
        Column(name="paid", kind="boolean", role="identifier", required=False),
    )
)
ROWS = 400


def people(seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "income": random.lognormal(7, 1, ROWS),
            "age": random.integers(18, 80, ROWS).astype(float),
            "sex": random.choice(["f", "m"], ROWS),
            "town": random.choice(["A", "B", "C"], ROWS),
            "children": random.choice([0, 1, 2], ROWS, p=[0.8, 0.15, 0.05]),
            "share": random.random(ROWS),
            "disabled": pd.array(random.choice([True, False, None], ROWS), "boolean"),
            "born": np.datetime64("1950-06-01", "s") + 86_400 * random.integers(0, 18_000, ROWS),
            "paid": random.random(ROWS) < 0.8,
        }
    )  # fmt: skip


def test_protected_columns_are_no_features():
    features, protected = feature_columns(NAMED, people(), protected=("town",))
    assert features.names == ["income", "children", "share", "disabled", "born"]
    assert protected.schema.names == ["age", "sex", "town"]
    assert all(column.required for column in features if column.name in NAMED)


def test_with_consent_they_are_features_and_still_groups():
    features, protected = feature_columns(NAMED, people(), protected=("town",), consent=True)
    assert {"age", "sex", "town"} <= set(features.names)
    assert not any(column.protected for column in features)
    assert list(protected.groups(people())) == ["age", "sex", "town"]


def test_columns_are_chosen_and_left_out():
    features, _ = feature_columns(NAMED, people(), only=("town", "income"))
    assert sorted(features.names) == ["income", "town"]
    features, protected = feature_columns(NAMED, people(), ignore=("born", "income", "town"))
    assert features.names == ["children", "share", "disabled"]
    assert "town" not in protected.groups(people())


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"only": ("age",)}, r"'age' is protected, and asked for.*use_protected=True"),
        ({"only": ("town",), "protected": ("town",)}, "'town' is protected, and asked for"),
        ({"only": ("incme",)}, "'incme'. Did you mean 'income'"),
        ({"protected": ("twon",)}, "'twon'. Did you mean 'town'"),
        ({"ignore": ("Born",)}, "'Born'. Did you mean 'born'"),
        ({"mapped": ("gender",)}, "Unknown column 'gender'"),
        ({"only": ("income",), "ignore": ("income",)}, "no column to learn from. The table has"),
    ],
)
def test_what_cannot_be_done_is_named(asked, message):
    with pytest.raises(ParameterError, match=message):
        feature_columns(NAMED, people(), **asked)


def test_groups_are_words():
    asked = ("town", "children", "share", "disabled", "born")
    frame = people().assign(age=[17, 25, 34.5, 65] * (ROWS // 4))
    groups = feature_columns(NAMED, frame, protected=asked)[1].groups(frame)
    assert set(groups["age"]) == {"<25", "25-34", "65+"}
    assert set(groups["sex"]) == {"f", "m"}
    assert set(groups["disabled"]) == {"", "yes", "no"}
    assert set(groups["town"]) == {"A", "B", "C"}
    children = np.asarray(groups["children"])
    for value, words in enumerate(("less than 1", "1 to less than 2", "2 or more")):
        assert set(children[frame["children"] == value]) == {words}
    share = pd.Series(groups["share"])
    assert share.value_counts().tolist() == pytest.approx([100] * 4, abs=1)
    assert all(words.endswith(("or more",)) or "less than" in words for words in set(share))
    years = pd.Series(groups["born"])
    assert len(set(years)) == 4
    assert (frame.loc[years.str.startswith("less"), "born"].dt.year < 1970).all()


def test_groups_are_learned_once():
    _, protected = feature_columns(NAMED, people(), protected=("share",))
    other = people(seed=1)
    other["share"] = other["share"] / 2
    groups = pd.Series(protected.groups(other)["share"])
    expected = pd.Series(protected.groups(people())["share"])
    assert set(groups) < set(expected)  # of the same names
    few = other.head(3).assign(share=np.nan, age=np.nan, sex=None)
    groups = protected.groups(few)
    assert pd.Series(groups["share"]).isna().all()
    assert pd.Series(groups["age"]).isna().all()
    assert list(groups["sex"]) == ["", "", ""]
    assert list(protected.groups(few.drop(columns=["share", "age"]))) == ["sex"]


def test_a_number_that_never_changes_or_is_missing_is_one_group():
    frame = people().assign(share=1.0, children=np.nan)
    _, protected = feature_columns(NAMED, frame, protected=("share", "children"))
    groups = protected.groups(frame)
    assert set(groups["share"]) == {"any number"}
    assert set(groups["children"]) == {""}


def test_answers_stand_beside_groups():
    frame = people()
    _, protected = feature_columns(NAMED, frame)
    target, risk = ~frame["paid"].to_numpy(), np.linspace(0, 1, ROWS)
    found = protected.answered(
        frame, target, {"model": (risk, risk > 0.5), "file": (risk, risk > 0.4)}, favourable=False
    )
    assert list(found) == ["model", "file"]
    assert list(found["file"].groups) == ["age", "sex"]
    assert found["file"].decision.sum() > found["model"].decision.sum()
    alike = frame.assign(sex="f").drop(columns="age")
    assert protected.answered(alike, target, {"m": (risk, risk > 0.5)}, favourable=False) == {}


def test_reweighing_makes_the_label_independent_of_a_group():
    frame = people()
    woman = (frame["sex"] == "f").to_numpy()
    target = np.random.default_rng(0).random(ROWS) < np.where(woman, 0.6, 0.2)
    _, protected = feature_columns(NAMED, frame)
    rows = protected.reweighed(Labelled({}, target), frame, "sex")
    shares = [np.average(target[part], weights=rows.weight[part]) for part in (woman, ~woman)]
    assert shares == pytest.approx([target.mean()] * 2)
    with pytest.raises(ParameterError, match=r"'mitigate'.*Unknown column 'income'.*age, sex"):
        protected.reweighed(rows, frame, "income")
