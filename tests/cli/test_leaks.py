"""A column that alone tells the outcome ends the command, unless somebody says what it is."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import card_transactions, worn_machines
from industry_apps.runtime.zoo import verify
from tests.cli.shell import run


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(0)
    income = rng.lognormal(8, 0.5, 1_500)
    bad = rng.random(1_500) < 1 / (1 + np.exp(2 * (np.log(income) - 7.5)))
    path = tmp_path_factory.mktemp("leaks") / "loans.csv"
    frame = pd.DataFrame({"income": income, "is_default": bad, "scenario": bad * 7})
    frame.to_csv(path, index=False)
    return path


def train(table, out, *further):
    given = ("--data", table, "--out", out, "--fast", "--json", *further)
    return run("train", "finance.credit_scoring", *given)


def test_it_ends_with_3_and_writes_nothing(table, tmp_path):
    done = train(table, tmp_path / "m.onnx")
    assert done.exit_code == 3
    assert "Column 'scenario' alone separates" in done.stderr
    assert "--yes" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_text_ends_it_too(table, tmp_path):
    frame, rng = pd.read_csv(table), np.random.default_rng(0)
    words = [" ".join(rng.choice(["call", "paid", "late", "desk"], 9)) for _ in range(len(frame))]
    told = np.where(frame.pop("scenario"), " collections", "")
    path = tmp_path / "in.csv"
    frame.assign(memo=np.char.add(words, told)).to_csv(path, index=False)
    done = train(path, tmp_path / "m.onnx")
    assert done.exit_code == 3
    assert "Column 'memo' alone separates" in done.stderr
    assert train(path, tmp_path / "m.onnx", "--set", "ignore=memo").exit_code == 0
    assert train(path, tmp_path / "m.onnx", "--yes").exit_code == 0


def test_yes_goes_on_and_the_report_says_so(table, tmp_path):
    done = train(table, tmp_path / "m.onnx", "--yes")
    assert done.exit_code == 0
    assert any("'scenario' alone" in note for note in json.loads(done.stdout)["notes"])


def test_a_number_that_tells_a_life_ends_it_and_the_remedy_works(tmp_path):
    frame = worn_machines(machines=8, usual_life=60, seed=3)
    frame.assign(left=2 * frame["remaining_life"] + 1).to_csv(tmp_path / "in.csv", index=False)

    def life(*further):
        given = ("--data", tmp_path / "in.csv", "--out", tmp_path / "m.onnx", "--fast", *further)
        return run("train", "manufacturing.predictive_maintenance", *given)

    done = life()
    assert done.exit_code == 3
    assert "Column 'left' alone tells" in done.stderr
    assert life("--set", 'sensors=["temperature", "vibration"]').exit_code == 0


def test_what_is_ignored_does_not_end_it(table, tmp_path):
    done = train(table, tmp_path / "m.onnx", "--set", "ignore=scenario")
    assert done.exit_code == 0
    assert not any("'scenario'" in note for note in json.loads(done.stdout)["notes"])


def test_the_remedy_for_missing_state_columns_works(tmp_path):
    table, out, model = (
        tmp_path / "raw.csv",
        tmp_path / "out.csv",
        verify("finance.fraud_detection"),
    )
    frame = card_transactions(customers=150, terminals=200, days=45, radius=15.0, seed=4)
    frame.drop(columns=["scenario", "transaction_id"]).to_csv(table, index=False)
    refused = run("predict", model, table, out)
    assert refused.exit_code == 2
    assert "--enrich" in refused.stderr
    assert run("predict", model, table, out, "--enrich").exit_code == 0
