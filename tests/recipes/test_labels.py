"""Labels that are any two values, and what they are taken for."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import card_transactions
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.finance import CreditScorer, FraudDetector
from industry_apps.healthcare import OutcomePredictor, SurvivalPredictor
from industry_apps.retail import SentimentAnalyzer
from tests.cli.shell import printed, run

LABELS = {
    CreditScorer: "is_default",
    FraudDetector: "is_fraud",
    OutcomePredictor: "outcome",
    SurvivalPredictor: "event",
    SentimentAnalyzer: "is_positive",
}
WORDS = [("Bad", ("Good", "Bad")), ("yes", ("no", "yes")), (2, (1, 2)), ("1", (2, 1))]


def relabelled(frame, label, words):
    return frame.assign(**{label: np.where(frame[label].astype(bool), words[1], words[0])})


@pytest.mark.parametrize(
    ("kind", "positive", "words"),
    [(kind, *WORDS[0]) for kind in LABELS] + [(CreditScorer, *each) for each in WORDS[1:]],
)
def test_any_two_labels_are_learned_from(kind, positive, words):
    data = kind.sample()
    parts = [relabelled(part, LABELS[kind], words) for part in (data.train, data.validation)]
    asked = data.test.head(50)
    usual = kind.fast().fit(data.train, data.validation).predict(asked)
    found = kind.fast().set_params(positive=positive).fit(*parts)
    pd.testing.assert_frame_equal(found.predict(asked), usual)
    found.evaluate(relabelled(data.test, LABELS[kind], words))


def test_what_is_no_label_is_named():
    data = CreditScorer.sample()
    parts = [
        relabelled(part, "is_default", ("Good", "Bad")) for part in (data.train, data.validation)
    ]
    with pytest.raises(SchemaError, match=r"'is_default', row 0.*got 'Good'.*with 'positive'"):
        CreditScorer.fast().fit(*parts)
    with pytest.raises(ParameterError, match=r"no row of column 'is_default' holds.*'Bad'"):
        CreditScorer.fast().set_params(positive="bad").fit(*parts)
    third = parts[0].astype({"is_default": object})
    third.loc[7, "is_default"] = "Maybe"
    fitted = CreditScorer.fast().set_params(positive="Bad")
    with pytest.raises(SchemaError, match=r"row 7: got 'Maybe', expected one of two labels"):
        fitted.fit(third)
    fitted.fit(*parts)
    with pytest.raises(SchemaError, match="got 'Maybe', expected one of two labels, 'Bad' or 'Goo"):
        fitted.evaluate(third)
    with pytest.raises(ParameterError, match="'positive' parameter"):
        CreditScorer.fast().set_params(positive=[1]).fit(*parts)


def test_a_stream_knows_them_too():
    frame = card_transactions(customers=150, terminals=200, days=45, radius=15.0, seed=4)
    frame = frame.drop(columns=["scenario", "transaction_id"])
    usual = FraudDetector.fast().split(frame)
    detector = FraudDetector.fast().set_params(positive="Y")
    found = detector.split(relabelled(frame, "is_fraud", ("N", "Y")))
    pd.testing.assert_frame_equal(found.train, usual.train)
    detector.fit(found)


def test_the_command_line_takes_them(tmp_path):
    frame = CreditScorer.sample().train
    table = tmp_path / "loans.csv"
    relabelled(frame, "is_default", (1, 2)).to_csv(table, index=False)
    out = tmp_path / "m.onnx"
    given = ("--data", table, "--out", out, "--fast", "--json", "--set", "positive=2")
    found = printed(run("train", "finance.credit_scoring", *given))
    assert found["split"]["test"]["positives"] > 0
    again = printed(run("evaluate", out, "--data", table, "--json"))
    assert again["metrics"]["auroc"]["value"] == found["metrics"]["auroc"]["value"]
