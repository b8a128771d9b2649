"""Amounts of which float32 holds too few digits: theirs, and what the stream tells of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from industry_apps.finance import FraudDetector
from industry_apps.runtime import Model, TransactionState

LEVEL = 1e9


def transactions(rows: int = 2500) -> pd.DataFrame:
    """Amounts about a level of which a few units decide."""
    rng = np.random.default_rng(0)
    amount = LEVEL + rng.integers(0, 100, rows)
    return pd.DataFrame(
        {
            "customer": rng.choice([f"C{k}" for k in range(20)], rows),
            "terminal": rng.choice([f"T{k}" for k in range(20)], rows),
            "time": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows), unit="h"),
            "amount": amount,
            "is_fraud": amount > LEVEL + 85,
        }
    )


def test_the_stream_keeps_the_digits_of_a_mean():
    state = TransactionState()
    usual = {"customer": "A", "terminal": "T"}
    state.update({**usual, "time": "2024-01-01", "amount": LEVEL + 1})
    row = state.update({**usual, "time": "2024-01-02", "amount": LEVEL + 4})
    assert row["customer_mean_amount_7d"] == LEVEL + 2.5
    table = transactions(200)
    found = TransactionState().enrich(table)
    each = TransactionState()
    streamed = pd.DataFrame([each.update(record) for record in table.to_dict("records")])
    for name in each.columns:
        np.testing.assert_array_equal(found[name], streamed[name])


@pytest.mark.filterwarnings("ignore:Column 'amount' alone separates")
def test_fraud_told_by_a_few_units(tmp_path: Path):
    detector = FraudDetector.fast()
    split = detector.split(transactions())
    detector.fit(split.train, split.validation)
    model = Model(detector.export(tmp_path / "fraud.onnx"))
    types = {each.name: each.type for each in ort.InferenceSession(model.path).get_inputs()}
    assert types["amount"] == types["customer_mean_amount_30d"] == "tensor(double)"
    assert types["customer_count_30d"] == "tensor(float)"
    found = model.predict(split.test)["fraud_probability"]
    assert roc_auc_score(split.test["is_fraud"], found) > 0.99
    np.testing.assert_allclose(found, detector.predict(split.test)["fraud_probability"], atol=1e-5)
    record = split.test.iloc[0].to_dict()
    assert model.predict(record)["fraud_probability"] == pytest.approx(found.iloc[0], abs=1e-6)
