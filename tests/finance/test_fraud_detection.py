"""What is true of fraud detection alone; the rest is in the conformance suite."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import card_transactions
from industry_apps.errors import LeakageError, ParameterError, SchemaError
from industry_apps.finance import FraudDetector
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.tables import decision
from industry_apps.runtime import Model, TransactionState
from industry_apps.training import TrainingOptions

QUICK = TreeOptions(rounds=30, learning_rate=0.2)
SHORT = TrainingOptions(max_epochs=1, batch_size=1024, progress=False)


@pytest.fixture(scope="module")
def own() -> pd.DataFrame:
    """Transactions under names of their owner, with columns of every further kind."""
    random = np.random.default_rng(3)
    frame = card_transactions(customers=80, terminals=300, days=75, radius=15.0, seed=2)
    frame = frame.drop(columns=["scenario", "transaction_id"]).rename(
        columns={"time": "booked_at", "customer": "card", "amount": "eur", "is_fraud": "bad"}
    )
    frame["channel"] = random.choice(["web", "shop", None], len(frame))
    frame["abroad"] = random.random(len(frame)) < 0.2
    frame["note"] = np.where(
        frame["bad"] & (random.random(len(frame)) < 0.5),
        "urgent transfer to a new account please",
        "weekly shopping at the usual place",
    )
    frame["age"] = np.where(
        random.random(len(frame)) < 0.1, np.nan, random.normal(40, 9, len(frame))
    )
    return frame


NAMES = {"time": "booked_at", "customer": "card", "amount": "eur", "is_fraud": "bad"}


@pytest.mark.parametrize(
    ("model", "calibration"),
    [
        ("trees", "isotonic"),
        ("network", "platt"),
        ("transformer", "platt"),
        ("autoencoder", "isotonic"),
        ("stack", "platt"),
    ],
)
def test_every_detector_exports_exactly(own, tmp_path, model, calibration):
    detector = FraudDetector(
        columns=NAMES,
        model=model,
        calibration=calibration,
        alerts_per_day=2,
        trees=QUICK,
        training=SHORT,
    )
    parts = detector.split(own)
    detector.fit(parts.train, parts.validation)
    path = detector.export(tmp_path / "own.onnx", check=parts.test)
    assert detector.parity_.holds
    assert detector.parity_.rows == len(parts.test)
    answers = Model(path).predict(parts.test)
    assert list(answers) == ["fraud_probability", "is_fraud", "alert"]
    assert not (answers["alert"] & ~answers["is_fraud"]).any()


def test_own_columns_become_features_and_are_named_as_the_owner_does(own, tmp_path):
    detector = FraudDetector(columns=NAMES, ignore=("age",), trees=QUICK)
    parts = detector.split(own)
    detector.fit(parts.train, parts.validation)
    model = Model(detector.export(tmp_path / "own.onnx"))
    assert {"booked_at", "eur", "channel", "abroad", "note"} <= set(model.schema.names)
    assert not {"age", "card", "terminal", "bad"} & set(model.schema.names)
    # Half of the fraud says so in its note, which only the words can tell.
    assert detector.evaluate(parts.test).metrics["average_precision"].low > 0.4


def test_the_file_and_a_stream_answer_as_the_table_does(own, tmp_path):
    detector = FraudDetector(columns=NAMES, trees=QUICK)
    parts = detector.split(own)
    model = Model(detector.fit(parts.train, parts.validation).export(tmp_path / "own.onnx"))
    state = TransactionState(**model.metadata["state"])
    streamed = [state.update(record) for record in own.to_dict("records")]
    table = detector.new_state().enrich(own)
    np.testing.assert_allclose(
        [answer["fraud_probability"] for answer in model.predict(streamed)],
        model.predict(table)["fraud_probability"],
        atol=1e-6,
    )


def test_times_may_be_text_and_validation_may_be_left_out(own):
    text = own.assign(booked_at=own["booked_at"].astype(str))
    detector = FraudDetector(columns=NAMES, trees=QUICK)
    parts = detector.split(text)
    learned = pd.concat([parts.train, parts.validation], ignore_index=True)
    detector.fit(learned)
    assert detector.split_["train"]["last"] < detector.split_["validation"]["first"]
    assert len(detector.predict(parts.test)) == len(parts.test)


def test_a_random_split_is_refused(own):
    detector = FraudDetector(columns=NAMES, trees=QUICK)
    rows = detector.new_state().enrich(own).sample(frac=1, random_state=0)
    half = len(rows) // 2
    detector.fit(rows[:half], rows[half : half + half // 2])
    with pytest.raises(LeakageError, match="booked_at"):
        detector.evaluate(rows[half + half // 2 :])


def test_labels_younger_than_the_delay_are_refused(own):
    detector = FraudDetector(columns=NAMES, trees=QUICK)
    parts = detector.split(own)
    detector.fit(parts.train, parts.validation)
    with pytest.raises(LeakageError, match="7 days"):
        detector.evaluate(parts.validation)


def test_raw_transactions_need_their_state(own):
    with pytest.raises(SchemaError, match="split"):
        FraudDetector(columns=NAMES).fit(own)


def test_an_unknown_name_in_columns_is_refused(own):
    detector = FraudDetector(columns={"ammount": "eur"})
    with pytest.raises(ParameterError, match="Did you mean 'amount'"):
        detector.fit(own.rename(columns={"booked_at": "time", "bad": "is_fraud", "eur": "x"}))


def test_dates_without_an_hour_are_no_feature(tmp_path):
    random = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=200).repeat(10)
    size = random.normal(size=len(days))
    claims = pd.DataFrame(
        {"time": days, "size": size, "is_fraud": size + random.normal(size=2000) > 1}
    )
    detector = FraudDetector(trees=QUICK)
    parts = detector.split(claims)
    detector.fit(parts.train, parts.validation)
    assert Model(detector.export(tmp_path / "m.onnx")).schema.names == ["size"]


def test_baselines_learn_from_the_rows_that_the_model_learns_from(own, monkeypatch):
    asked = []

    class Told(decision.DecisionBaselines):
        def fit(self, *rows, refit):
            asked.append(refit)
            return super().fit(*rows, refit=refit)

    monkeypatch.setattr(decision, "DecisionBaselines", Told)
    detector = FraudDetector(columns=NAMES, trees=QUICK)
    parts = detector.split(own)
    detector.fit(parts.train, parts.validation)  # validation is later
    assert asked == []
    detector.evaluate(parts.test)
    assert asked == [True]
