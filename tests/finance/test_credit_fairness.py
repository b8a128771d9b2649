"""Fairness of credit scoring: what is protected, what is shown, and what can be mended."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import Dataset
from industry_apps.errors import ParameterError
from industry_apps.finance import CreditScorer
from industry_apps.recipes import TreeOptions
from industry_apps.runtime import Model

QUICK = TreeOptions(rounds=40, learning_rate=0.15)
PROTECTED = {"sex", "age"}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return CreditScorer.sample()


@pytest.fixture(scope="module")
def trees(data) -> CreditScorer:
    return CreditScorer(model="trees", trees=QUICK).fit(data)


@pytest.fixture(scope="module")
def card(data) -> CreditScorer:
    return CreditScorer(model="scorecard").fit(data)


@pytest.fixture(scope="module")
def files(data, trees, card, tmp_path_factory) -> dict[str, Model]:
    folder = tmp_path_factory.mktemp("credit")
    scorers = {"trees": trees, "scorecard": card}
    return {
        name: Model(scorer.export(folder / f"{name}.onnx", check=data), threads=1)
        for name, scorer in scorers.items()
    }


def test_protected_columns_are_never_inputs(data, files, trees, card):
    changed = data.test.assign(sex="female", age=data.test["age"].sample(frac=1).to_numpy())
    without = data.test.drop(columns=["sex", "age"])
    for form, scorer in (("trees", trees), ("scorecard", card)):
        assert PROTECTED.isdisjoint(files[form].schema.names)
        for other in (changed, without):
            pd.testing.assert_frame_equal(scorer.predict(other), scorer.predict(data.test))
            pd.testing.assert_frame_equal(
                files[form].predict(other), files[form].predict(data.test)
            )


def test_protected_columns_need_consent(data, tmp_path):
    with pytest.raises(ParameterError, match=r"'age' is protected.*use_protected=True"):
        CreditScorer(features=("age", "amount")).fit(data)
    with pytest.raises(ParameterError, match="'age'"):
        CreditScorer(model="trees", trees=QUICK, ratios=(("amount", "age"),)).fit(data)
    scorer = CreditScorer(
        model="trees", trees=QUICK, features=("age", "amount"), use_protected=True
    ).fit(data)
    assert Model(scorer.export(tmp_path / "m.onnx")).schema.names == ["amount", "age"]
    every = CreditScorer(model="trees", trees=QUICK, use_protected=True).fit(data)
    assert set(every.schema_.names) >= PROTECTED
    assert set(every.evaluate(data).groups["model"].groups) == PROTECTED


def test_further_columns_can_be_protected(data):
    scorer = CreditScorer(model="trees", trees=QUICK, protected=("housing", "existing_credits"))
    report = scorer.fit(data).evaluate(data)
    assert not {"housing", "existing_credits", *PROTECTED} & set(scorer.schema_.names)
    assert list(report.groups["model"].groups) == ["age", "sex", "housing", "existing_credits"]
    titles = [section.title for section in report.all_sections()]
    assert "Fairness of the model: housing" in titles
    assert "Fairness of the exported file: existing_credits" in titles
    with pytest.raises(ParameterError, match="Did you mean 'housing'"):
        CreditScorer(protected=("houses",)).fit(data)
    with pytest.raises(ParameterError, match=r"'housing' is protected"):
        CreditScorer(protected=("housing",), features=("housing",)).fit(data)


@pytest.mark.parametrize("form", ["trees", "scorecard"])
def test_fairness_of_the_file_is_that_of_the_model(trees, card, data, form):
    report = {"trees": trees, "scorecard": card}[form].evaluate(data)
    assert list(report.groups) == ["model", "exported file"]
    model, file = (report.groups[system].report() for system in report.groups)
    assert model.differences(file) < 1e-6
    figures = model.attributes["sex"]
    assert set(figures.groups) == {"female", "male"}
    answers = report.groups["model"]
    for sex, row in figures.groups.items():
        part = data.test["sex"].to_numpy() == sex
        approved = ~answers.decision[part]
        paid = ~data.test["is_default"].to_numpy()[part]
        assert row["selection_rate"].value == pytest.approx(approved.mean())
        assert row["true_positive_rate"].value == pytest.approx(approved[paid].mean())
        assert row["selection_rate"].low < approved.mean() < row["selection_rate"].high


def test_decisions_of_model_and_file_are_the_same(trees, data):
    groups = trees.evaluate(data).groups
    np.testing.assert_array_equal(groups["model"].decision, groups["exported file"].decision)
    assert groups["model"].favourable is False


def unfair(rows: int, seed: int) -> pd.DataFrame:
    """Applicants whose occupation tells their sex, and women with twice the defaults."""
    random = np.random.default_rng(seed)
    woman = random.random(rows) < 0.5
    occupation = np.where(random.random(rows) < 0.9, woman, ~woman)
    income = random.lognormal(7.5, 0.5, rows)
    logit = -1.0 - 1.2 * (np.log(income) - 7.5) + 1.5 * woman
    return pd.DataFrame(
        {
            "income": income.round(),
            "occupation": np.where(occupation, "nurse", "driver"),
            "sex": np.where(woman, "female", "male"),
            "is_default": random.random(rows) < 1 / (1 + np.exp(-logit)),
        }
    )


@pytest.mark.parametrize("form", ["trees", "scorecard"])
def test_mitigation_is_shown_before_and_after(form):
    train, validation, test = (unfair(rows, seed) for seed, rows in enumerate((1500, 800, 2000)))
    scorer = CreditScorer(model=form, trees=QUICK, mitigate="sex", approval_rate=0.5)
    report = scorer.fit(train, validation).evaluate(test)
    assert list(report.groups) == ["model", "model before mitigation", "exported file"]
    ratio = {
        system: answers.report().attributes["sex"].summary["demographic_parity_ratio"].value
        for system, answers in report.groups.items()
    }
    assert ratio["model"] > ratio["model before mitigation"] + 0.3
    assert ratio["exported file"] == ratio["model"]
    titles = [section.title for section in report.all_sections()]
    assert "Fairness of the model before mitigation: sex" in titles
    with pytest.raises(ParameterError, match=r"'mitigate'.*'income'"):
        CreditScorer(mitigate="income").fit(train, validation)


def test_mitigation_needs_no_label_of_every_group_in_validation(data):
    scorer = CreditScorer(model="trees", trees=QUICK, mitigate="sex")
    few = data.validation[(data.validation["sex"] == "male") | ~data.validation["is_default"]]
    scorer.fit(data.train, few)
    assert scorer.evaluate(data).groups


def test_a_column_that_is_mapped_must_be_there(data):
    # Misspelt, the owner's protected column would become a feature as any other.
    own = data.train.rename(columns={"sex": "GENDER"})
    with pytest.raises(ParameterError, match=r"'GENDR'.*Did you mean 'GENDER'"):
        CreditScorer(columns={"sex": "GENDR"}).fit(own)
    with pytest.raises(ParameterError, match="Did you mean 'sex'"):
        CreditScorer(columns={"sexx": "GENDER"}).fit(own)


def test_a_report_prints_where_a_group_is_alone(trees, data):
    report = trees.evaluate(data.test.assign(sex="female"))
    titles = [section.title for section in report.all_sections()]
    assert "Fairness of the model: age" in titles
    assert "Fairness of the model: sex" not in titles
    alone = trees.evaluate(data.test.assign(sex="female", age=40))
    assert "Fairness" not in str(alone)
    assert trees.evaluate(data.test.drop(columns=["sex", "age"])).groups == {}
