"""What the errors of the command line advise, done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.cli.shell import run, sentence
from tests.workflow.test_own_tables import COLUMNS, NAME, stays

Words = Callable[[Path], tuple[object, ...]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables, and a model of the first."""
    to = tmp_path_factory.mktemp("remedies")
    table = stays()
    table.to_csv(to / "stays.csv", index=False)
    table.to_csv(to / "stays.txt", index=False)
    table.rename(columns={"back": "returned"}).to_csv(to / "renamed.csv", index=False)
    table.assign(back=table["back"].map({0: "home", 1: "readmitted"})).to_csv(
        to / "words.csv", index=False
    )
    table.assign(user=table.index // 4).to_csv(to / "users.csv", index=False)
    pd.concat([table, table.head(9).assign(Alter="n.k.")]).to_csv(to / "codes.csv", index=False)
    pd.concat([table, table.head(9).assign(Alter=None)]).to_csv(to / "empty.csv", index=False)
    assert run(*train("stays.csv")(to)).exit_code == 0
    return to


def train(
    table: str, *options: str, columns: tuple[str, ...] = COLUMNS, out: str = "m.onnx"
) -> Words:
    return lambda to: (
        *("train", NAME, "--data", to / table, "--out", to / out, "--fast"),
        *(*columns, *options),
    )


def predict(table: str, out: str, *options: str) -> Words:
    return lambda to: ("predict", to / "m.onnx", to / table, to / out, *options)


CASES: list[tuple[str, Words, Words]] = [
    (
        "Write to another one.",
        predict("stays.csv", "stays.csv"),
        predict("stays.csv", "answers.csv"),
    ),
    (
        "the name must end in .csv or .parquet",
        predict("stays.csv", "answers.txt"),
        predict("stays.csv", "answers.parquet"),
    ),
    (
        "Leave --enrich out.",
        predict("stays.csv", "answers.csv", "--enrich"),
        predict("stays.csv", "answers.csv"),
    ),
    (
        "say what it is called, with 'columns' (--column in the shell)",
        train("renamed.csv"),
        train("renamed.csv", "--column", "outcome=returned"),
    ),
    ("Convert it, or rename it", train("stays.txt"), train("stays.csv")),
    ("Check the path.", train("stay.csv"), train("stays.csv")),
    ("ends in .onnx", train("stays.csv", out="m.bin"), train("stays.csv")),
    (
        "name the one that means yes with 'positive' (--set positive=LABEL in the shell)",
        train("words.csv"),
        train("words.csv", "--set", "positive=readmitted"),
    ),
    (
        "or 'columns' for a patient",
        train("users.csv"),
        train("users.csv", "--column", "patient=user"),
    ),
    ("name it in 'ignore'", train("users.csv"), train("users.csv", "--set", "ignore=user")),
    ("leave it empty where it is not known", train("codes.csv"), train("empty.csv")),
    (
        "expected --set NAME=VALUE",
        train("stays.csv", "--set", "seed"),
        train("stays.csv", "--set", "seed=3"),
    ),
    (
        "Did you mean 'reasons'",
        train("stays.csv", "--set", "reason=2"),
        train("stays.csv", "--set", "reasons=2"),
    ),
    (
        "Did you mean 'rounds'?",
        train("stays.csv", "--set", "trees.round=9"),
        train("stays.csv", "--set", "trees.rounds=9"),
    ),
    (
        "Did you mean 'finance.fraud_detection'",
        lambda _: ("describe", "finance.fraud_detectoin"),
        lambda _: ("describe", "finance.fraud_detection"),
    ),
    (
        "Did you mean 'finance_german_credit'",
        lambda _: ("data", "show", "finance_german_credits"),
        lambda _: ("data", "show", "finance_german_credit"),
    ),
]


@pytest.mark.parametrize(("says", "wrong", "mended"), CASES, ids=[case[0] for case in CASES])
def test_what_an_error_advises_works(folder: Path, says: str, wrong: Words, mended: Words) -> None:
    said = run(*wrong(folder))
    assert says in sentence(said)
    done = run(*mended(folder))
    assert done.exit_code == 0, done.output


def test_a_name_that_no_model_file_has_is_refused_before_anything_is_learned(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("industry_apps.healthcare.OutcomePredictor.fit", None)
    assert "Rename it." in sentence(run(*train("stays.csv", out="m.bin")(folder)))
