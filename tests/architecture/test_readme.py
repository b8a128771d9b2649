"""README.md tells the truth: its tables are generated, its commands exist, its code runs."""

from __future__ import annotations

import re

import pandas as pd

from industry_apps.finance import FraudDetector
from tests.architecture.readme import README, ROOT, rendered

TEXT = README.read_text(encoding="utf-8")


def test_tables_are_up_to_date():
    assert rendered(TEXT) == TEXT, "Run make readme."


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        named = re.findall(r"\bmake ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"))
        assert set(named) <= targets


def test_code_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    yours = {"time": "booked_at", "amount": "eur", "is_fraud": "chargeback"}
    data = FraudDetector.sample()
    raw = pd.concat([data.train, data.validation, data.test])[["customer", "terminal", *yours]]
    raw.rename(columns=yours).assign(channel="web").to_csv("transactions.csv", index=False)
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert blocks
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert "fraud_probability" in capsys.readouterr().out
