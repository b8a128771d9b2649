"""Numbers as times from the shell: what unit they are in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from industry_apps.data.simulators import card_transactions
from tests.cli.shell import printed, run, sentence

NAME = "finance.fraud_detection"


def in_unit(times: pd.Series, unit: str) -> pd.Series:
    if unit == "YYYYMMDD":
        return times.dt.strftime("%Y%m%d").astype(np.int64)
    return times.astype(f"datetime64[{unit}]").astype(np.int64)


@pytest.fixture(scope="module")
def dated() -> pd.DataFrame:
    frame = card_transactions(customers=250, terminals=300, days=45, radius=15.0, seed=4)
    return frame.assign(time=frame["time"].dt.normalize()).drop(columns="scenario")


def trained(frame: pd.DataFrame, folder: Path, *options: str) -> Path:
    """A model file trained by the command, beside its table and the answers to that."""
    table, path = folder / "own.csv", folder / "own.onnx"
    frame.to_csv(table, index=False)
    printed(run("train", NAME, "--data", table, "--out", path, "--fast", *options, "--json"))
    printed(run("predict", path, table, folder / "answers.csv", "--enrich", "--json"))
    return path


def metrics_of(model: Path) -> object:
    """What the command finds of a model on the table beside it."""
    return printed(run("evaluate", model, "--data", model.parent / "own.csv", "--json"))["metrics"]


@pytest.fixture(scope="module")
def plain(dated: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(dated, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def usual(plain: Path) -> object:
    return metrics_of(plain)


@pytest.mark.parametrize(
    ("unit", "said"), [("ms", "ms"), ("YYYYMMDD", "time=YYYYMMDD"), ("s", "time=s")]
)
def test_a_table_of_numbers_as_times_is_learned_from_as_one_of_times(
    dated, plain: Path, usual: object, tmp_path: Path, unit: str, said: str
):
    frame = dated.assign(time=in_unit(dated["time"], unit))
    model = trained(frame, tmp_path, "--unit", said)
    found, expected = (
        pd.read_csv(path.parent / "answers.csv").drop(columns="time") for path in (model, plain)
    )
    pd.testing.assert_frame_equal(found, expected)
    assert metrics_of(model) == usual


def test_the_remedy_of_the_error_is_an_option(dated, plain: Path, tmp_path: Path):
    table = tmp_path / "own.csv"
    dated.assign(time=in_unit(dated["time"], "YYYYMMDD")).to_csv(table, index=False)
    train = ("train", NAME, "--data", table, "--out", tmp_path / "own.onnx", "--fast")
    option = "--unit time=YYYYMMDD"
    assert option in sentence(run(*train))
    assert run(*train, *option.split()).exit_code == 0
    assert option in sentence(run("evaluate", plain, "--data", table))
    judged = run("evaluate", plain, "--data", table, *option.split())
    assert "learns from data up to 2018" in sentence(judged)  # the times are read; it knows them


@pytest.mark.parametrize("said", [("days",), ("amount=ms",), ("ms", "s"), ("=ms",)])
def test_a_unit_that_is_none_is_refused(dated, tmp_path: Path, said: tuple[str, ...]):
    table = tmp_path / "own.csv"
    dated.to_csv(table, index=False)
    options = [word for each in said for word in ("--unit", each)]
    train = ("train", NAME, "--data", table, "--out", tmp_path / "own.onnx", "--fast")
    assert "--unit" in sentence(run(*train, *options))
