"""A column beside the label: named by fit, report and card; and who stands on which side."""

from __future__ import annotations

import warnings
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import card_transactions
from industry_apps.errors import LeakageError, LeakageWarning, ParameterError, SchemaError
from industry_apps.export.model_card import render_card
from industry_apps.finance import CreditScorer, FraudDetector
from industry_apps.runtime import Model


def loans(rows=2_000, seed=0):
    rng = np.random.default_rng(seed)
    income = rng.lognormal(8, 0.5, rows)
    bad = rng.random(rows) < 1 / (1 + np.exp(2 * (np.log(income) - 7.5)))
    return pd.DataFrame({"income": income, "amount": rng.uniform(1, 9, rows), "is_default": bad})


def leaking(frame):
    return frame.assign(scenario=np.where(frame["is_default"], "S7", "none"))


def test_a_column_that_alone_separates_is_named(tmp_path):
    frame = leaking(loans())
    parts = CreditScorer.fast().split(frame)
    with pytest.warns(LeakageWarning, match="Column 'scenario' alone separates .* 'ignore'"):
        scorer = CreditScorer.fast().fit(parts)
    with pytest.warns(LeakageWarning, match="Every baseline separates"):
        report = scorer.evaluate(parts)
    assert any("'scenario' alone" in note for note in report.notes)
    assert any("Every baseline" in note for note in report.notes)
    model = Model(scorer.export(tmp_path / "leak.onnx"))
    assert "'scenario' alone separates" in render_card(model.metadata)


def test_a_text_that_holds_the_outcome_is_named(tmp_path):
    frame, rng = loans(), np.random.default_rng(0)
    words = [" ".join(rng.choice(["call", "paid", "late", "desk", "note"], 9)) for _ in range(2000)]
    told = np.where(frame["is_default"], " written off in May", "")
    parts = CreditScorer.fast().split(frame.assign(memo=np.char.add(words, told)))
    with pytest.warns(LeakageWarning, match="Column 'memo' alone separates .* 'ignore'"):
        scorer = CreditScorer.fast().fit(parts)
    assert scorer.schema_["memo"].kind == "text"
    with pytest.warns(LeakageWarning, match="Every baseline separates"):
        report = scorer.evaluate(parts)
    assert any("'memo' alone" in note for note in report.notes)
    model = Model(scorer.export(tmp_path / "leak.onnx"))
    assert "'memo' alone separates" in render_card(model.metadata)


def test_applicants_raise_no_alerts():
    frame = loans().assign(time=pd.date_range("2020-01-01", periods=2000, freq="12h"))
    parts = CreditScorer.fast().split(frame)
    report = CreditScorer.fast().fit(parts).evaluate(parts)
    page = report._repr_html_().lower()
    assert "flagged at random" in page
    assert "rightly flagged" in page  # over time
    assert "alert" not in str(report).lower() + page
    assert " the model refuses " in report.headline()
    assert " of 400 applicants, among them " in report.headline()
    assert report.headline().endswith("% of the refused default.")


def test_ignored_it_is_not():
    parts = CreditScorer.fast().split(leaking(loans()))
    scorer = CreditScorer.fast().set_params(ignore=("scenario",)).fit(parts)  # warnings are errors
    assert scorer.separating_ == ()
    assert not scorer.evaluate(parts).baselines["logistic_regression"]["auroc"].value > 0.99


def test_fraud_ignores_its_own_columns_too():
    data = FraudDetector.sample()
    train = data.train.assign(amount=data.train["is_fraud"] + 1.0)
    with pytest.warns(LeakageWarning, match="'amount' alone"):
        FraudDetector.fast().fit(train, data.validation)
    fitted = FraudDetector.fast().set_params(ignore=("amount",)).fit(train, data.validation)
    assert "amount" not in fitted.schema_
    with pytest.raises(ParameterError, match="Did you mean 'amount'"):
        FraudDetector.fast().set_params(ignore=("amuont",)).fit(train, data.validation)


def test_a_group_of_two_values_is_no_subject():
    frame = loans(300).assign(group=np.arange(300) % 2)
    parts = CreditScorer.fast().split(frame)
    assert len(parts.test) == 60
    assert "group" in CreditScorer.fast().fit(parts).schema_


def test_ignore_and_subject_decide():
    frame = loans(600).assign(client=np.arange(600) % 200)
    with pytest.raises(LeakageError, match=r"'client' names a subject .*'subject'"):
        CreditScorer.fast().split(frame)
    with pytest.raises(LeakageError, match="'client' names a subject"):
        CreditScorer.fast().fit(frame)
    parts = CreditScorer.fast().set_params(ignore=("client",)).split(frame)
    assert set(parts.train["client"]) & set(parts.test["client"])
    assert "client" not in CreditScorer.fast().set_params(ignore=("client",)).fit(frame).schema_
    apart = CreditScorer.fast().set_params(subject="client")
    parts = apart.split(frame)
    assert not set(parts.train["client"]) & set(parts.test["client"])
    assert "client" not in apart.fit(parts).schema_
    apart.evaluate(parts)
    with pytest.raises(LeakageError, match="'client'"):
        apart.evaluate(parts.train)
    with pytest.raises(ParameterError, match="Did you mean 'client'"):
        apart.set_params(subject="clinet").fit(parts)


def test_equal_rows_on_both_sides_are_counted():
    frame = loans(600)
    parts = CreditScorer.fast().split(frame)
    scorer = CreditScorer.fast().fit(parts)
    assert not any("equal a record" in note for note in scorer.evaluate(parts).notes)
    twice = pd.concat([parts.test, parts.train.head(7)])
    notes = scorer.evaluate(twice).notes
    assert any(note.startswith("7 of 127 records to judge on (5.5%) equal") for note in notes)


def test_texts_are_times_in_a_split():
    frame = loans(300).assign(time=pd.date_range("2024-01-01", periods=300, freq="D"))
    texts = frame.assign(time=frame["time"].dt.strftime("%Y-%m-%d"))
    for ours, theirs in zip(CreditScorer().split(frame), CreditScorer().split(texts), strict=True):
        assert ours.index.equals(theirs.index)
        assert ours["income"].tolist() == theirs["income"].tolist()


@pytest.mark.parametrize("kind", [CreditScorer, FraudDetector])
def test_samples_do_not_leak(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error", LeakageWarning)
        kind.fast().fit(kind.sample())


def test_two_roles_may_share_a_column(tmp_path):
    frame = loans(900).rename(columns={"amount": "LIMIT_BAL"})
    scorer = CreditScorer.fast().set_params(columns={"amount": "LIMIT_BAL", "limit": "LIMIT_BAL"})
    parts = scorer.split(frame)
    model = Model(scorer.fit(parts).export(tmp_path / "one.onnx", check=parts))
    assert model.schema.names.count("LIMIT_BAL") == 1
    with pytest.raises(SchemaError, match=r"'LIMIT_BAL' is declared twice.*second name"):
        scorer.set_params(columns={"time": "LIMIT_BAL", "limit": "LIMIT_BAL"}).fit(parts)


def test_a_stream_of_one_name_is_refused_and_a_copy_is_not():
    frame = card_transactions(customers=150, terminals=200, days=45, radius=15.0, seed=4)
    frame = frame.drop(columns=["scenario", "transaction_id", "terminal"])
    detector = FraudDetector.fast().set_params(columns={"terminal": "customer"})
    with pytest.raises(ParameterError, match=r"'customer' for customer and terminal.* a copy"):
        detector.split(frame)
    detector.set_params(columns=None).split(frame.assign(terminal=frame["customer"]))


def test_decimals_and_dates_of_a_parquet_file(tmp_path):
    frame = loans(600)
    days = pd.date_range("2020-01-01", periods=600, freq="D")
    frame = frame.assign(since=days.date, fee=[Decimal(f"{each:.2f}") for each in frame["amount"]])
    scorer = CreditScorer.fast()
    model = Model(scorer.fit(frame).export(tmp_path / "m.onnx"))
    kinds = {column.name: column.kind for column in scorer.schema_}
    assert (kinds["since"], kinds["fee"]) == ("datetime", "number")
    frame.to_parquet(tmp_path / "in.parquet")
    model.predict(tmp_path / "in.parquet", to=tmp_path / "out.parquet")
    found = pd.read_parquet(tmp_path / "out.parquet")["default_probability"]
    assert np.allclose(found, scorer.predict(frame)["default_probability"], atol=1e-5)
    one = model.predict(frame.iloc[0].to_dict())["default_probability"]
    assert one == pytest.approx(found.iloc[0], abs=1e-6)
