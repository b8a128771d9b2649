"""What is true of credit scoring alone; the rest is in the conformance suite."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from industry_apps.data import Dataset, load
from industry_apps.errors import LeakageError, ParameterError, SchemaError, TrainingError
from industry_apps.evaluation.costs import expected_cost
from industry_apps.finance import CreditScorer
from industry_apps.recipes import ScorecardOptions, TreeOptions
from industry_apps.runtime import Model
from industry_apps.training import TrainingOptions

QUICK = TreeOptions(rounds=40, learning_rate=0.15)
SHORT = TrainingOptions(max_epochs=1, batch_size=512, progress=False)
GERMAN = "finance_german_credit"
NAMES = {"amount": "LOAN", "income": "SALARY", "age": "YEARS", "sex": "GENDER", "is_default": "BAD"}
PROTECTED = {"sex", "age"}
DIRECTIONS = {"past_delays": 1, "income": -1}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return CreditScorer.sample()


@pytest.fixture(scope="module")
def trees(data) -> CreditScorer:
    return CreditScorer(model="trees", trees=QUICK, monotone=DIRECTIONS).fit(data)


@pytest.fixture(scope="module")
def card(data) -> CreditScorer:
    return CreditScorer(model="scorecard", monotone=DIRECTIONS).fit(data)


@pytest.fixture(scope="module")
def files(data, trees, card, tmp_path_factory) -> dict[str, Model]:
    folder = tmp_path_factory.mktemp("credit")
    scorers = {"trees": trees, "scorecard": card}
    return {
        name: Model(scorer.export(folder / f"{name}.onnx", check=data), threads=1)
        for name, scorer in scorers.items()
    }


def odds(probability):
    return (1 - probability) / probability


@pytest.mark.parametrize("form", ["trees", "scorecard"])
def test_the_file_answers_as_the_trained_model(data, files, trees, card, form):
    scorer = {"trees": trees, "scorecard": card}[form]
    assert scorer.parity_.holds
    assert scorer.parity_.rows == len(data.test)
    expected, found = scorer.predict(data.test), files[form].predict(data.test)
    assert list(found) == ["default_probability", "score", "decision", "reasons"]
    assert list(expected) == list(found)
    for name in found:
        if expected[name].dtype.kind == "O":
            assert (found[name] == expected[name]).all(), name
        else:
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=2e-3)
    one = files[form].predict(data.test.iloc[7].to_dict())
    assert one["decision"] == expected["decision"].iloc[7]
    assert set(expected["decision"]) == {"approve", "refuse"}


@pytest.mark.parametrize("model", ["stack", "network"])
def test_further_models_export_exactly(data, tmp_path, model):
    part = data.train.head(400), data.validation.head(200)
    scorer = CreditScorer(model=model, trees=QUICK, training=SHORT).fit(*part)
    found = Model(scorer.export(tmp_path / "m.onnx", check=data)).predict(data.test)
    assert scorer.parity_.holds
    assert list(found) == ["default_probability", "score", "decision", "reasons"]


@pytest.mark.parametrize("form", ["trees", "scorecard"])
def test_the_score_rises_by_the_points_that_double_the_odds(files, data, form):
    found = files[form].predict(data.test)
    expected = 600 + 20 * np.log2(odds(found["default_probability"].astype(float)) / 50)
    np.testing.assert_allclose(found["score"], expected, atol=0.05)


def test_the_scale_is_the_one_asked_for(data):
    options = ScorecardOptions(base_score=500, base_odds=10, points_to_double_odds=40)
    for model in ("trees", "scorecard"):
        scorer = CreditScorer(model=model, trees=QUICK, scorecard=options)
        found = scorer.fit(data).predict(data.test)
        expected = 500 + 40 * np.log2(odds(found["default_probability"]) / 10)
        np.testing.assert_allclose(found["score"], expected, atol=1e-3)


def test_points_of_the_bins_add_up_to_the_score(card, data):
    table = card.points()
    assert table["points"].dtype.kind == "i"
    points = card.recipe_.scorecard().points(card.schema_.to_arrays(data.test))
    np.testing.assert_array_equal(sum(points.values()), card.predict(data.test)["score"])
    for attribute, found in points.items():
        assert set(found) <= set(table.loc[table["attribute"] == attribute, "points"])
    assert PROTECTED.isdisjoint(table["attribute"])


def test_reasons_are_the_attributes_that_cost_the_most_points_against_the_approved(
    card, data, files
):
    arrays = card.schema_.to_arrays(pd.concat([data.train, data.test]))
    points = pd.DataFrame(card.recipe_.scorecard().points(arrays))
    approved = card.predict(data.train)["decision"].to_numpy() == "approve"
    usual = points[: len(data.train)][approved].mean()
    lost = (usual - points[len(data.train) :]).reset_index(drop=True)
    found = files["scorecard"].predict(data.test)
    explained = files["scorecard"].explain(data.test)[list(lost)]
    np.testing.assert_allclose(explained.to_numpy(), lost.to_numpy(), atol=2**-13)
    for row, reasons in enumerate(found["reasons"]):
        most = lost.iloc[row].nlargest(len(reasons)).to_numpy()
        np.testing.assert_allclose(lost.loc[row, reasons], most, atol=2**-13)
        assert len(reasons) == min(3, (explained.iloc[row] > 0).sum())  # never filled up
    stated = files["scorecard"].describe()["explanation"]
    assert "favourable answer" in stated["reference"]
    assert stated["unit"] == "points lost"


def test_the_report_states_base_rate_and_refused_share(trees, data):
    report = trees.evaluate(data)
    refused = (trees.predict(data.test)["decision"] == "refuse").mean()
    note = next(each for each in report.notes if each.startswith("Base rate"))
    assert f"{data.test['is_default'].mean():.1%}" in note
    assert f"missed one 5, {refused:.1%}" in note


def test_every_form_names_reasons_of_a_refusal(trees, data, tmp_path):
    found = trees.predict(data.test)
    refused = found[found["decision"] == "refuse"]
    assert len(refused)
    assert refused["reasons"].map(len).gt(0).mean() > 0.95
    silent = CreditScorer.fast().set_params(reasons=0).fit(data)
    assert list(silent.predict(data.test)) == ["default_probability", "score", "decision"]
    assert silent.export(tmp_path / "silent.onnx").exists()


def test_the_table_of_points_is_printed_plotted_and_kept_as_csv(card, trees, data, tmp_path):
    report = card.evaluate(data)
    (section,) = (each for each in report.all_sections() if each.title == "Points")
    attributes = card.points()["attribute"].unique()
    figures = [draw() for draw in section.figures]
    assert [figure.get_label() for figure in figures] == [f"Points of {a}" for a in attributes]
    assert "\nPoints\n" in str(report)
    card.points().to_csv(tmp_path / "points.csv", index=False)
    again = pd.read_csv(tmp_path / "points.csv", keep_default_na=False)
    assert again["points"].tolist() == card.points()["points"].tolist()
    assert not any(each.title == "Points" for each in trees.evaluate(data).all_sections())
    with pytest.raises(ParameterError, match=r"'trees' has no table of points.*model='scorecard'"):
        trees.points()


@pytest.mark.parametrize("form", ["trees", "scorecard"])
@pytest.mark.parametrize("rate", [0.3, 0.8])
def test_the_approval_rate_is_kept(data, form, rate):
    scorer = CreditScorer(model=form, trees=QUICK, approval_rate=rate).fit(data)
    found = scorer.predict(data.validation)
    approved = found["decision"] == "approve"
    # Records of the same points are treated alike, so a few rows more may be approved.
    ties = (found["score"] == found.loc[approved, "score"].min()).sum()
    assert rate * len(found) - 1 <= approved.sum() <= rate * len(found) + max(ties, 2)
    assert found.loc[approved, "score"].min() > found.loc[~approved, "score"].max()


def test_the_decision_follows_the_cost_matrix(data):
    shares = []
    for costs in ((1.0, 5.0), (1.0, 1.0), (5.0, 1.0)):
        scorer = CreditScorer(
            model="trees", trees=QUICK, default_cost=costs[0], refusal_cost=costs[1]
        ).fit(data)
        found, target = scorer.predict(data.validation), data.validation["is_default"]
        wrong = np.where(target, costs[0], costs[1])
        cost = (wrong * ((found["decision"] == "refuse") != target)).mean()
        for other in found["default_probability"].quantile(np.linspace(0, 1, 40)):
            refused = found["default_probability"] >= other
            assert cost <= (wrong * (refused != target)).mean() + 1e-9
        shares.append((found["decision"] == "refuse").mean())
    assert shares[0] < shares[1] < shares[2]


def test_the_report_costs_what_the_decisions_cost(trees, data):
    report, found = trees.evaluate(data), trees.predict(data.test)
    scorer = CreditScorer()
    expected = expected_cost(
        data.test["is_default"],
        (found["decision"] == "refuse"),
        trees.recipe_.options.costs,
    )
    assert (scorer.default_cost, scorer.refusal_cost) == (5, 1)
    assert report.metrics["expected_cost"].value == pytest.approx(expected)
    assert report.metrics["auroc"].low > 0.57
    assert any("no reject inference" in note for note in report.notes)


@pytest.mark.parametrize("form", ["trees", "scorecard"])
def test_directions_are_kept_by_model_and_file(files, trees, card, data, form):
    scorer = {"trees": trees, "scorecard": card}[form]
    values = {"past_delays": np.arange(30), "income": np.linspace(0, 12_000, 30)}
    many = pd.concat([data.test.iloc[[3]]] * 30, ignore_index=True)
    for column, direction in DIRECTIONS.items():
        varied = many.assign(**{column: values[column]})
        for answers in (scorer.predict(varied), files[form].predict(varied)):
            risk = direction * answers["default_probability"].to_numpy()
            assert (np.diff(risk) >= -1e-7).all()
            assert risk[-1] > risk[0]


def test_a_direction_of_no_number_is_refused(data):
    for column, words in (("past_delay", "past_delays"), ("housing", "housing"), ("age", "age")):
        for form in ("trees", "scorecard", "stack"):
            with pytest.raises(ParameterError, match=words):
                CreditScorer(model=form, monotone={column: 1}).fit(data)
    with pytest.raises(ParameterError, match="'network' keeps no direction"):
        CreditScorer(model="network", monotone=DIRECTIONS).fit(data)


@pytest.mark.parametrize("column", ["income", "amount"])
def test_negative_money_is_refused(data, files, trees, column):
    wrong = data.test.copy()
    wrong.loc[4, column] = -250.0
    message = (
        rf"Column '{column}', row 4: got .*-250\.0.*, expected a number >= 0 currency\. "
        "Correct the value"
    )
    for answer in (trees.predict, trees.evaluate, files["trees"].predict, CreditScorer().fit):
        with pytest.raises(SchemaError, match=message):
            answer(wrong)


def test_a_single_class_is_refused_and_nothing_looks_fitted(data):
    paid = data.train[~data.train["is_default"]]
    for form in ("trees", "scorecard"):
        scorer = CreditScorer(model=form, trees=QUICK)
        for parts in ((paid, data.validation), (paid,), (data.train, paid)):
            with pytest.raises(TrainingError):
                scorer.fit(*parts)
        with pytest.raises(NotFittedError):
            scorer.predict(data.test)


def test_too_few_defaults_for_folds_are_refused(data):
    bad = data.train["is_default"]
    few = pd.concat([data.train[bad].head(3), data.train[~bad].head(300)])
    with pytest.raises(TrainingError, match=r"3 positive"):
        CreditScorer(model="trees", trees=QUICK).fit(few)


def test_columns_may_have_names_of_their_owner(data, tmp_path):
    parts = [part.rename(columns=NAMES) for part in (data.train, data.validation, data.test)]
    scorer = CreditScorer(model="trees", trees=QUICK, columns=NAMES).fit(*parts[:2])
    model = Model(scorer.export(tmp_path / "own.onnx"))
    assert {"LOAN", "SALARY"} <= set(model.schema.names)
    assert not {"YEARS", "GENDER", "BAD"} & set(model.schema.names)
    assert set(scorer.evaluate(parts[2]).groups["model"].groups) == {"YEARS", "GENDER"}
    ours = CreditScorer(model="trees", trees=QUICK).fit(data.train, data.validation)
    np.testing.assert_array_equal(
        scorer.predict(parts[2])["default_probability"],
        ours.predict(data.test)["default_probability"],
    )
    with pytest.raises(SchemaError, match=r"'SALARY', row 0: got .*-1"):
        scorer.predict(parts[2].assign(SALARY=-1.0))


def test_a_column_that_is_left_out_must_be_there(data):
    with pytest.raises(ParameterError, match="Did you mean 'purpose'"):
        CreditScorer(ignore=("purposes",)).fit(data)
    scorer = CreditScorer(model="trees", trees=QUICK, ignore=("purpose", "sex")).fit(data)
    assert "purpose" not in scorer.schema_.names
    assert "purpose" not in scorer.evaluate(data).groups["model"].groups


def test_no_feature_left_is_refused(data):
    with pytest.raises(ParameterError, match="no column to learn from"):
        CreditScorer().fit(data.train[["sex", "age", "is_default"]])


def test_a_missing_label_is_named(data):
    with pytest.raises(SchemaError, match="'is_default'"):
        CreditScorer().fit(data.train.drop(columns="is_default"))


def test_applications_with_a_time_are_split_by_it(data, tmp_path):
    random = np.random.default_rng(0)
    rows = pd.concat([data.train, data.validation, data.test], ignore_index=True)
    rows["time"] = pd.Timestamp("2023-01-01") + pd.to_timedelta(
        random.permutation(len(rows)), unit="h"
    )
    scorer = CreditScorer(model="trees", trees=QUICK)
    parts = scorer.split(rows)
    assert parts.train["time"].max() < parts.validation["time"].min()
    assert parts.validation["time"].max() < parts.test["time"].min()
    scorer.fit(pd.concat([parts.train, parts.validation]))
    assert scorer.split_["train"]["last"] < scorer.split_["validation"]["first"]
    report = scorer.evaluate(parts.test)
    assert report.curves.day is not None
    with pytest.raises(LeakageError, match="'time'"):
        scorer.evaluate(parts.validation)
    assert "time" not in Model(scorer.export(tmp_path / "m.onnx")).schema.names
    # Without a time the rows are independent, and split at random with equal shares.
    parts = scorer.split(rows.drop(columns="time"))
    shares = [part["is_default"].mean() for part in parts]
    assert np.ptp(shares) < 0.01


def test_the_runtime_explains_an_answer(files, data):
    record = {**data.test.iloc[0].to_dict(), "past_delays": 3}
    for model in files.values():
        effects = model.explain(record)
        assert set(effects) >= set(model.schema.names)
        assert effects["past_delays"] > 0.5
        assert list(effects.values()) == sorted(effects.values(), key=lambda e: -abs(e))


def test_limits_are_checked(data):
    for wrong in (
        {"approval_rate": 0.0},
        {"approval_rate": 1.0},
        {"default_cost": -1.0},
        {"model": "forest"},
        {"monotone": {"amount": 2}},
        {"reasons": 11},
        {"use_protected": "yes"},
    ):
        (name,) = wrong
        with pytest.raises(ParameterError, match=f"'{name}' parameter of CreditScorer"):
            CreditScorer(**wrong).fit(data)


@pytest.mark.real_data(GERMAN)
@pytest.mark.parametrize("form", ["trees", "scorecard"])
def test_german_credit(tmp_path, form):
    german = load(GERMAN, run=3)
    scorer = CreditScorer(model=form, trees=QUICK).fit(german)
    report = scorer.evaluate(german)
    assert report.metrics["auroc"].value > 0.7
    assert set(report.groups["model"].groups) == {"sex", "age", "foreign_worker"}
    assert "Fairness of the exported file: age" in str(report)
    names = Model(scorer.export(tmp_path / "german.onnx", check=german)).schema.names
    assert scorer.parity_.changed_decisions == 0
    assert not {"sex", "age", "foreign_worker"} & set(names)
