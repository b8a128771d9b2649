"""The command line: what a person or a program gets to see, and the exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import industry_apps
from industry_apps.data.simulators import card_transactions
from industry_apps.registry import APPLICATIONS, application
from tests.cli.shell import printed, run, sentence

NAME = "finance.fraud_detection"
OWN = {"time": "when", "customer": "card", "amount": "TX_AMOUNT", "is_fraud": "label"}
COLUMNS = [word for ours, theirs in OWN.items() for word in ("--column", f"{ours}={theirs}")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli")


@pytest.fixture(scope="module")
def model(folder: Path) -> Path:
    """A model file, trained by the command."""
    path = folder / "fraud.onnx"
    train = run("train", NAME, "--data", "sample", "--out", path, "--fast", "--json")
    found = printed(train)
    assert found["path"] == str(path)
    assert found["parity"]["changed_decisions"] == 0
    assert {"auroc", "average_precision"} <= set(found["metrics"])
    assert "logistic_regression" in found["baselines"]
    return path


@pytest.fixture(scope="module")
def own_table(folder: Path) -> Path:
    """Raw transactions under other names, times as text."""
    frame = card_transactions(customers=250, terminals=300, days=45, radius=15.0, seed=4)
    frame = frame.drop(columns=["scenario", "transaction_id"]).rename(columns=OWN)
    path = folder / "own.csv"
    frame.to_csv(path, index=False)
    return path


def test_version() -> None:
    assert run("--version").stdout.strip() == industry_apps.__version__


def test_help_names_every_command() -> None:
    help_text = run("--help").stdout
    commands = ("list", "data", "train", "evaluate", "predict", "describe", "models", "benchmark")
    for command in (*commands, "demo"):
        assert command in help_text


def test_list() -> None:
    found = {each["name"]: each for each in printed(run("list", "--json"))}
    assert set(found) == set(APPLICATIONS)
    assert found[NAME]["class"] == "industry_apps.finance.FraudDetector"
    assert found[NAME]["traits"]["streaming"]
    assert found[NAME]["summary"].endswith(".")
    assert found[NAME]["question"].endswith("?")


def test_list_in_words_has_a_line_an_application() -> None:
    header, *lines = run("list").stdout.splitlines()
    assert header.split() == ["application", "question"]
    assert [line.split()[0] for line in lines] == sorted(APPLICATIONS)
    assert all(line.endswith("?") for line in lines)
    assert max(map(len, lines)) <= 80


def test_every_application_has_a_question_that_fits_a_line() -> None:
    questions = [application(name).question for name in APPLICATIONS]
    assert all(text.endswith("?") and len(text) <= 39 for text in questions)


def test_a_plugged_in_application_is_listed_by_its_summary(monkeypatch) -> None:
    monkeypatch.setattr("industry_apps.finance.FraudDetector.question", "")
    assert f"{NAME}  " in run("list").stdout
    assert "Probability that a transaction is" in run("list").stdout


def test_data_list() -> None:
    ids = [each["id"] for each in printed(run("data", "list", "--json"))]
    assert "finance_card_simulator" in ids
    lines = run("data", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines[1:] if not line.startswith(" ")] == ids
    assert max(map(len, lines)) <= 80


def test_data_show() -> None:
    found = printed(run("data", "show", "finance_german_credit", "--json"))
    assert found["licence"] == "CC BY 4.0"
    words = run("data", "show", "finance_german_credit").stdout
    assert all(caveat.split(":")[0][:30] in words for caveat in found["caveats"])


def test_models_that_come_with_the_package() -> None:
    found = {each["name"]: each for each in printed(run("models", "list", "--json"))}
    fraud = found[NAME]
    assert fraud["data"] == "finance_card_simulator"
    assert fraud["bytes"] > 50_000
    _, *lines = run("models", "list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(found)
    (line,) = (line for line in lines if line.startswith(f"{NAME} "))
    name, first = next(iter(fraud["metrics"].items()))
    assert line.endswith(f"  card_simulator        {name} {first['text'].split()[0]}")
    assert max(map(len, lines)) <= 80


def test_data_fetch_of_a_simulated_set() -> None:
    assert printed(run("data", "fetch", "finance_card_simulator", "--json")) == []


def test_data_verify_tells_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INDUSTRY_APPS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INDUSTRY_APPS_DATA", str(tmp_path))
    name = "finance_vehicle_insurance_fraud"
    absent = run("data", "verify", name)
    assert absent.exit_code == 2
    (tmp_path / name).mkdir()
    (tmp_path / name / "fraud_oracle.csv").write_text("not,it\n")
    damaged = run("data", "verify", name)
    assert damaged.exit_code == 1
    assert "sha256" in damaged.stderr


def test_evaluate_agrees_with_training(model: Path, folder: Path) -> None:
    page = folder / "report.html"
    found = printed(run("evaluate", model, "--data", "sample", "--html", page, "--json"))
    told = printed(run("describe", model, "--json"))["metrics"]
    for name, estimate in found["metrics"].items():
        assert estimate["value"] == pytest.approx(told[name]["value"], abs=1e-5)
    assert "<html" in page.read_text(encoding="utf-8").lower()


def test_describe_in_words(model: Path) -> None:
    words = run("describe", model).stdout
    assert NAME in words
    assert "fraud_probability" in words


def test_own_table_from_training_to_answers(own_table: Path, folder: Path) -> None:
    path, answered = folder / "own.onnx", folder / "answers.csv"
    words = run(
        "train", NAME, "--data", own_table, "--out", path, "--fast", *COLUMNS,
        "--missed-cost", "10", "--alerts-per-day", "5", "--set", "trees.rounds=20",
    )  # fmt: skip
    assert words.exit_code == 0, words.output
    assert str(path) in words.stdout
    assert "own.csv" in words.stdout
    told = printed(run("describe", path, "--json"))
    assert told["decision"]["missed_cost"] == 10
    found = printed(run("evaluate", path, "--data", own_table, *COLUMNS, "--json"))
    assert found["metrics"]["auroc"]["value"] > 0.7
    rows = printed(run("predict", path, own_table, answered, "--enrich", "--json"))["rows"]
    table = pd.read_csv(answered)
    assert len(table) == rows > 1000
    assert {"when", "fraud_probability", "alert"} <= set(table.columns)
    without = run("predict", path, own_table, answered)
    assert without.exit_code == 2
    assert "card_count_1d" in without.stderr


def test_windows_from_training_to_answers(folder: Path) -> None:
    from industry_apps.finance import TradingStrategy

    name, path, table = "finance.algorithmic_trading", folder / "t.onnx", folder / "prices.csv"
    data = TradingStrategy.sample()
    prices = pd.concat([data.train, data.validation, data.test])
    prices.rename(columns={"ticker": "symbol"}).to_csv(table, index=False)
    columns = ("--column", "ticker=symbol")
    trained = printed(
        run("train", name, "--data", table, "--out", path, "--fast", *columns, "--json")
    )
    assert {"sharpe", "max_drawdown"} <= set(trained["metrics"])
    assert trained["parity"]["changed_decisions"] == 0
    assert printed(run("describe", path, "--json"))["windows"]["series"] == "symbol"
    words = run("predict", path, table, folder / "positions.csv").stdout
    answers = pd.read_csv(folder / "positions.csv")
    assert f"Answered {len(answers)} series" in words
    assert answers["symbol"].tolist() == sorted(prices["ticker"].unique())
    assert {"position", "is_tradable"} <= set(answers.columns)
    told = sentence(run("evaluate", path, "--data", table, *columns))
    assert "TradingStrategy.evaluate" in told


def test_models(model: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    zoo = folder / "zoo"
    zoo.mkdir()
    (zoo / "fraud.onnx").write_bytes(model.read_bytes())
    import hashlib

    from industry_apps.runtime import zoo as module

    entry = {"file": "fraud.onnx", "sha256": hashlib.sha256(model.read_bytes()).hexdigest()}
    (zoo / "index.json").write_text(json.dumps({NAME: entry}), encoding="utf-8")
    monkeypatch.setattr(module, "bundled", lambda _: zoo)
    assert [each["name"] for each in printed(run("models", "list", "--json"))] == [NAME]
    assert printed(run("models", "show", NAME, "--json"))["file"] == "fraud.onnx"
    assert printed(run("models", "verify", "--json"))[0]["error"] == ""
    assert printed(run("describe", NAME, "--json"))["application"] == NAME
    (zoo / "fraud.onnx").write_bytes(b"damaged")
    assert "damaged: see models verify" in run("models", "list").stdout
    verdict = run("models", "verify")
    assert verdict.exit_code == 1
    assert "sha256" in verdict.stdout


def test_demo(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from industry_apps.finance import FraudDetector

    monkeypatch.setattr("industry_apps.cli.app.kind_of", lambda name: FraudDetector.fast)
    words = run("demo", "--out", folder / "demo")
    assert words.exit_code == 0, words.output
    assert "0 changed decisions" in words.stdout
    assert (folder / "demo" / "model.onnx").is_file()
    assert (folder / "demo" / "report.html").is_file()
    assert str(folder / "demo" / "report.html") in words.stdout


BAD_FILES = {
    "broken.csv": b"time,amount,is_fraud\n2020-01-01,1,0\n2020-01-02,2,1,4,5\n",
    "binary.csv": b"\x00\xff\xfe\x80",
    "empty.csv": b"",
    "broken.parquet": b"hello",
    "notes.txt": b"hello",
    "nocolumn.csv": b"when,amount,is_fraud\n2020-01-01,1,0\n",
    "badtime.csv": b"time,amount,is_fraud\n2020-01-01,1,0\n2020-13-45,2,1\n",
}


@pytest.fixture(scope="module")
def bad(folder: Path) -> Path:
    """Files of which none can be used."""
    for name, content in BAD_FILES.items():
        (folder / name).write_bytes(content)
    (folder / "bad.onnx").write_bytes(b"not a model")
    return folder


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("broken.csv", "broken.csv"),
        ("binary.csv", "binary.csv"),
        ("empty.csv", "empty.csv"),
        ("broken.parquet", "broken.parquet"),
        ("notes.txt", "notes.txt"),
        ("nocolumn.csv", "'time'"),
        ("badtime.csv", "2020-13-45"),
        ("absent.csv", "absent.csv"),
    ],
)
def test_a_table_that_cannot_be_used(bad: Path, model: Path, name: str, told: str) -> None:
    out = bad / "never.onnx"
    assert told in sentence(run("train", NAME, "--data", bad / name, "--out", out))
    assert not out.exists()
    assert sentence(run("predict", model, bad / name, bad / "never.csv"))
    assert not (bad / "never.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("train", "finance.fraud", "--data", "sample"), "finance.fraud_detection"),
        (("train", NAME, "--data", "finance_card_simulater"), "finance_card_simulator"),
        (("train", NAME, "--data", "sample", "--model", "tree"), "trees"),
        (("train", NAME, "--data", "sample", "--seed", "abc"), "int"),
        (("train", NAME, "--data", "sample", "--set", "colums=1"), "'columns'"),
        (("train", NAME, "--data", "sample", "--set", "trees.round=1"), "'rounds'"),
        (("train", NAME, "--data", "sample", "--set", "seed.x=1"), "no options"),
        (("train", NAME, "--data", "sample", "--set", "seed"), "NAME=VALUE"),
        (("train", NAME, "--data", "sample", "--alerts-per-day", "-3"), "alerts_per_day"),
    ],
)
def test_arguments_that_cannot_be_used(arguments: tuple[str, ...], told: str) -> None:
    assert told in sentence(run(*arguments, "--out", "never.onnx"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("predict", "absent.onnx", "a.csv", "b.csv"), "absent.onnx"),
        (("predict", "finance.fraud", "a.csv", "b.csv"), "Unknown model"),
        (("evaluate", "absent.onnx", "--data", "sample"), "absent.onnx"),
        (("benchmark", "finance.fraud"), "finance.fraud_detection"),
        (("benchmark",), "--all"),
        (("benchmark", "--all", "--fast"), "Give --out"),
        (("demo", "--application", "finance.fraud"), "finance.fraud_detection"),
        (("data", "verify", "nothing"), "finance_card_simulator"),
        (("models", "show", "nothing"), "Unknown model"),
    ],
)
def test_names_that_are_not_there(arguments: tuple[str, ...], told: str) -> None:
    assert told in sentence(run(*arguments))


def test_a_file_that_is_no_model(bad: Path) -> None:
    told = sentence(run("describe", bad / "bad.onnx"))
    assert "bad.onnx" in told
    assert sentence(run("predict", bad / "bad.onnx", bad / "broken.csv", bad / "x.csv"))


def test_a_model_file_that_learned_from_later_data(model: Path, folder: Path) -> None:
    past = folder / "past.csv"
    days = pd.date_range("2001-01-01", periods=200, freq="D").astype(str)
    pd.DataFrame({"time": days, "amount": 1.0, "is_fraud": 0}).to_csv(past, index=False)
    told = sentence(run("evaluate", model, "--data", past))
    assert "learns from data up to 2018" in told
    assert "whose labels are known 7 days later" in told


def test_failed_parity_gives_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    from industry_apps.errors import ParityError

    def refuse(*_: object, **__: object) -> None:
        raise ParityError("The exported file answers differently.")

    monkeypatch.setattr("industry_apps.workflow.runs.run", refuse)
    found = run("train", NAME, "--data", "sample", "--out", "never.onnx")
    assert found.exit_code == 1
    assert found.stderr == "error: The exported file answers differently.\n"


def test_interruption_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("industry_apps.cli.app.kind_of", interrupted)
    found = run("train", NAME, "--data", "sample", "--out", "never.onnx")
    assert found.exit_code == 130
    assert found.stderr == "error: interrupted\n"


def test_unknown_option() -> None:
    found = run("train", NAME, "--frobnicate", "3")
    assert found.exit_code == 2
    assert "--frobnicate" in found.stderr


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    package = Path(industry_apps.__file__).parents[1]
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(package)},
        check=False,
    )


def test_as_a_process_of_its_own() -> None:
    found = process("-m", "industry_apps.cli.app", "data", "verify", "nothing")
    assert found.returncode == 2
    assert found.stderr.startswith("error: Unknown data set 'nothing'.")
    assert found.stdout == ""


def test_import_loads_nothing_heavy() -> None:
    heavy = ("torch", "sklearn", "pandas", "onnxruntime", "onnx", "lightgbm", "rich.table")
    found = process(
        "-c",
        f"import sys, industry_apps.cli.app; print([m for m in {heavy} if m in sys.modules])",
    )
    assert found.stdout.strip() == "[]"
