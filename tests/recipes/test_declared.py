"""Codes of missing values and codes that are names: declared, learned, and in the file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.export.model_card import render_card
from industry_apps.finance import CreditScorer, FraudDetector
from industry_apps.healthcare import OutcomePredictor, SurvivalPredictor
from industry_apps.runtime import Model
from tests.cli.shell import printed, run

TARGETS = {
    CreditScorer: "is_default",
    FraudDetector: "is_fraud",
    OutcomePredictor: "outcome",
    SurvivalPredictor: "event",
}


def loans(rows=3_000, seed=0):
    rng = np.random.default_rng(seed)
    income = rng.lognormal(8, 0.5, rows).round(2)
    bad = rng.random(rows) < 1 / (1 + np.exp(2 * (np.log(income) - 7.5)))
    why = rng.random(rows)
    bad = np.where(why < 0.1, rng.random(rows) < 0.7, bad)  # -9: was not asked
    return pd.DataFrame(
        {
            "income": np.select([why < 0.1, why < 0.2], [-9.0, -8.0], income),
            "purpose": rng.choice(["car", "house", "?"], rows),
            "branch": rng.choice([101, 7, 33], rows),
            "is_default": bad.astype(bool),
        }
    )


def test_codes_outside_the_limits_are_refused_until_they_are_named():
    frame = loans()
    with pytest.raises(SchemaError, match=r"'income'.*got -[89]\.0, expected a number >= 0"):
        CreditScorer.fast().fit(frame)
    CreditScorer.fast().set_params(missing={"income": (-9, -8)}).fit(frame)


@pytest.mark.parametrize("model", ["trees", "scorecard", "network"])
def test_several_codes_are_several_levels_in_the_file_too(model, tmp_path):
    frame = loans()
    scorer = CreditScorer.fast().set_params(model=model, missing=("?", -9, -8))
    parts = scorer.split(frame)
    if model == "network":
        from industry_apps.training import TrainingOptions

        scorer.set_params(training=TrainingOptions(max_epochs=4, progress=False))
    scorer.fit(parts)
    file = Model(scorer.export(tmp_path / "codes.onnx", check=parts))
    base = {"income": 3_000.0, "purpose": "car", "branch": 7}
    rows = [base | {"income": each} for each in (-9, -8, None)]
    risks = [file.predict(row)["default_probability"] for row in rows]
    assert risks[0] > max(risks[1:]) + 0.1
    if model != "network":
        assert file.predict(base | {"purpose": "?"}) == file.predict(base | {"purpose": None})
    assert "missing: " in render_card(file.metadata)
    native = scorer.predict(pd.DataFrame(rows))
    assert np.allclose(native["default_probability"], risks, atol=1e-5)
    with pytest.raises(SchemaError, match=r"'income'.*got -7"):
        file.predict(base | {"income": -7})


def test_a_text_among_numbers_leaves_them_numbers(tmp_path):
    frame = loans().assign(income=lambda f: f["income"].abs().astype(object))
    frame.loc[::10, "income"] = "?"
    frame["further"] = frame["income"].map(str)
    scorer = CreditScorer.fast().set_params(missing=("?",)).fit(frame)
    assert {column.name: column.kind for column in scorer.schema_}["further"] == "number"
    file = Model(scorer.export(tmp_path / "text.onnx"))
    record = frame.iloc[1].to_dict() | {"income": 5e3, "further": 5e3}
    unknown = record | {"income": "?"}
    assert file.predict(unknown) == file.predict(record | {"income": None})
    path = tmp_path / "in.csv"
    pd.DataFrame([unknown]).to_csv(path, index=False)
    file.predict(path, to=tmp_path / "out.csv")
    found = pd.read_csv(tmp_path / "out.csv")["default_probability"].iloc[0]
    assert found == pytest.approx(file.predict(unknown)["default_probability"], abs=1e-6)
    with pytest.raises(SchemaError, match=r"'further'.*got 'x', expected a number"):
        file.predict(record | {"further": "x"})


@pytest.mark.parametrize("kind", TARGETS)
def test_numbers_may_be_names_and_codes_everywhere(kind):
    data = kind.sample()
    rng = np.random.default_rng(0)
    parts = [
        part.assign(
            branch=rng.choice([101, 7, 33], len(part)), grade=rng.integers(-9, 9, len(part))
        )
        for part in (data.train, data.validation)
    ]
    given = {"categories": ("branch",), "missing": {"grade": (-9, -8)}}
    schema = kind.fast().set_params(**given).fit(*parts).schema_
    kinds = {column.name: column.kind for column in schema}
    assert kinds.get("branch", "category") == "category"
    assert all(c.codes == (-9, -8) for c in schema if c.name == "grade")
    for wrong in ({"categories": ("brnach",)}, {"missing": {"brnach": (-9,)}}):
        with pytest.raises(ParameterError, match="Did you mean 'branch'"):
            kind.fast().set_params(**wrong).fit(*parts)
    with pytest.raises(ParameterError, match=r"'missing' parameter .* must be a tuple of numbers"):
        kind.fast().set_params(missing={"grade": -9}).fit(*parts)


def test_what_a_column_cannot_hold_is_refused():
    frame = loans().assign(told=pd.Timestamp("2024-01-01"))
    for missing, words in (
        ({"told": (-9,)}, "codes for column 'told', a datetime"),
        ({"income": ("?", "x")}, "several texts .* 'categories'"),
    ):
        with pytest.raises(ParameterError, match=words):
            CreditScorer.fast().set_params(missing=missing, ignore=()).fit(frame)


def test_the_command_line_takes_them(tmp_path):
    table, out = tmp_path / "loans.csv", tmp_path / "m.onnx"
    loans().to_csv(table, index=False)
    given = ("--data", table, "--out", out, "--fast", "--json")
    told = ("--set", "missing=?,-9,-8", "--set", "categories=branch")
    found = printed(run("train", "finance.credit_scoring", *given, *told))
    again = printed(run("evaluate", out, "--data", table, "--json"))
    assert again["metrics"]["auroc"]["value"] == found["metrics"]["auroc"]["value"]


def test_a_code_is_no_group_of_people():
    rng = np.random.default_rng(0)
    frame = loans().assign(age=rng.choice([-9.0, 22.0, 40.0, 60.0], 3_000))
    scorer = CreditScorer.fast().set_params(missing=("?", -9, -8))
    parts = scorer.split(frame)
    report = scorer.fit(parts).evaluate(parts)
    groups = set(map(str, report.groups["model"].groups["age"]))
    assert not any("-9" in group for group in groups)
    assert "age" not in scorer.schema_
