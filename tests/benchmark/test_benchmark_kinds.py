"""The benchmark of every kind of application: words as decisions, windows, data split often."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from industry_apps.benchmark import measure_speed, section
from industry_apps.benchmark import record as record_module
from industry_apps.benchmark.catalogue_speed import large_catalogue
from industry_apps.benchmark.series_speed import backtest_time, history, many_moments, one_moment
from industry_apps.benchmark.speed import Measure
from industry_apps.data import Dataset, card
from industry_apps.data.resampling import split_resampled
from industry_apps.data.rules import Resampling
from industry_apps.data.simulators import loan_applications
from industry_apps.errors import ParameterError
from industry_apps.export.parity import Certificate
from industry_apps.finance import CreditScorer, FraudDetector, TradingStrategy
from industry_apps.recipes import TreeOptions
from industry_apps.runtime import Model
from industry_apps.workflow import runs as runs_module
from industry_apps.workflow.runs import Run, run, run_all
from industry_apps.workflow.scoring import score
from tests.benchmark.short_benchmark import KEYS, RATIOS, on_sample, recorded


@pytest.fixture(scope="module")
def credit(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short run of an application whose decision is a word, on rows without a time."""
    return on_sample(CreditScorer.fast(), tmp_path_factory.mktemp("credit"))


@pytest.fixture(scope="module")
def trading(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short run of an application of windows of series."""
    return on_sample(TradingStrategy.fast(), tmp_path_factory.mktemp("trading"))


def test_record_of_words_as_decisions(credit: Run) -> None:
    found = recorded(credit)
    assert set(found) == KEYS
    assert set(found["speed"]) == RATIOS
    assert {"auroc", "calibration_error", "expected_cost"} <= set(found["metrics"])
    assert "Fairness of the model: sex" in found["sections"]
    assert "auroc" in section(found)


def test_record_of_windows(trading: Run) -> None:
    found = recorded(trading)
    assert set(found) == KEYS
    assert set(found["speed"]) == RATIOS
    assert all(value > 0 for value in found["speed"].values())
    assert {"one_record_ms", "batch_of_1000_ms", "backtest_500x10y_s"} <= set(found["absolute"])
    assert {"sharpe", "max_drawdown"} <= set(found["metrics"])
    assert {"equal_weight", "buy_and_hold"} <= set(found["baselines"])
    assert found["parity"]["rows"] == 25 * found["split"]["test"]["days"]
    assert "sharpe" in section(found)


def test_windows_are_timed_thoroughly(trading: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_module, "CALLS", 1)
    monkeypatch.setattr(record_module, "MOMENTS", 2)
    monkeypatch.setattr(record_module, "run", lambda *_: trading)
    monkeypatch.setattr(record_module, "backtest_time", partial(backtest_time, 5, 30))
    monkeypatch.setattr(record_module, "import_times", lambda: [Measure(name="import", value=1.0)])
    monkeypatch.setattr(record_module, "training_step", lambda: Measure(name="step", value=2.0))
    found = measure_speed(trading.application, "sample")
    assert set(found["speed"]) == RATIOS | {"import", "step"}
    names = [measure["name"] for measure in found["measures"]]
    assert "backtest_500x10y" in names
    json.dumps(found, allow_nan=False)


def test_ratios_of_windows_are_those_of_the_times(
    trading: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = {"training": [8.0, 12.0, 10.0], "file": [2.0, 1.0, 9.0], "bare": [1.0, 1.0, 7.0]}
    monkeypatch.setattr(
        "industry_apps.benchmark.series_speed.alternating",
        lambda calls, *_: {name: seconds[name] for name in calls},
    )
    table = history(trading.data)
    ratios = {m.name: m.value for m in one_moment(trading.application, trading.path, table)}
    assert ratios["one_record_vs_training_path"] == 5  # medians 10 and 2
    assert ratios["one_record_vs_bare_session"] == 2
    in_a_row = many_moments(trading.application, trading.path, table, count=4)
    assert [measure.value for measure in in_a_row] == [8, 1e6 / 4]  # best of each


def test_windows_are_answered_alike_by_all_that_are_timed(
    trading: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers: dict[str, Any] = {}

    def once(calls: Mapping[str, Any], *_: int) -> dict[str, list[float]]:
        answers.update({name: call() for name, call in calls.items()})
        return {name: [1.0] for name in calls}

    monkeypatch.setattr("industry_apps.benchmark.series_speed.alternating", once)
    table = history(trading.data)
    one_moment(trading.application, trading.path, table)
    pd.testing.assert_frame_equal(answers["training"], answers["file"], check_dtype=False)
    for bare, name in zip(answers["bare"], answers["file"], strict=True):
        np.testing.assert_allclose(bare[:, 0], answers["file"][name].to_numpy(), atol=1e-6)
    many_moments(trading.application, trading.path, table, count=3)
    assert len(answers["training"]) == len(answers["file"]) == 3
    for native, exported in zip(answers["training"], answers["file"], strict=True):
        for name, values in native.items():
            np.testing.assert_allclose(values, exported[name], atol=1e-5)


def test_backtest_time() -> None:
    found = backtest_time(assets=5, days=30, repeats=1)
    assert (found.key, found.holds) == ("backtest_500x10y_s", True)


SPLITS = Resampling(repeats=2, folds=2)


@pytest.fixture
def split_often(monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """A data set that is split in four ways, all run in this process."""
    frame = loan_applications(applicants=400, seed=0)
    facts = replace(card("finance_loan_simulator"), resampling=SPLITS)

    def load(_: str, *, run: int) -> Dataset:
        parts = split_resampled(frame, SPLITS, target=facts.target, run=run)
        return Dataset(facts, *parts, sha256="")

    monkeypatch.setattr(runs_module, "card", lambda _: facts)
    monkeypatch.setattr(runs_module, "load", load)
    monkeypatch.setattr(runs_module, "cores", lambda: 1)
    return frame


def test_every_split_is_run_and_all_are_merged(
    split_often: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Run] = []

    def kept(*arguments: Any) -> Run:
        found.append(run(*arguments))
        return found[-1]

    monkeypatch.setattr(runs_module, "run", kept)
    scorer = CreditScorer(model="trees", trees=TreeOptions(rounds=5), seed=5)
    done = run_all(scorer, "finance_loan_simulator", tmp_path / "model.onnx")
    assert len(found) == SPLITS.runs
    assert done.seeds == (5, 6)
    assert [each.seeds for each in found] == [(6,), (5,), (5,), (6,)]  # the last one first
    values = [each.report.metrics["auroc"].value for each in found]
    merged = done.report.metrics["auroc"]
    assert merged.value == pytest.approx(np.mean(values))
    assert merged.low < min(values) <= max(values) < merged.high
    assert done.certificate.rows == 2 * len(split_often)
    assert done.report.parity == done.certificate.to_dict()
    assert done.report.groups["model"].target.sum() == split_often["is_default"].sum()
    assert done.data is found[0].data
    assert Model(done.path).metadata["application"] == scorer.name
    # Between processes, applications go and reports come back.
    sent = pickle.loads(pickle.dumps((scorer, found[0].report, found[0].certificate)))
    assert str(sent[1]) == str(found[0].report)


def test_data_that_are_split_once_are_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "run", lambda *arguments: arguments)
    detector = FraudDetector.fast()
    assert run_all(detector, "sample", Path("x.onnx"))[0] is detector


def test_joined_certificates_keep_the_worst() -> None:
    parts = [
        Certificate(
            rows=10, edge_rows=3, changed_decisions=0, beyond_tolerance=1, largest_difference=2e-4
        ),
        Certificate(
            rows=20, edge_rows=4, changed_decisions=2, beyond_tolerance=0, largest_difference=1e-7
        ),
    ]
    found = Certificate.joined(parts)
    assert (found.rows, found.edge_rows) == (30, 7)
    assert (found.changed_decisions, found.beyond_tolerance) == (2, 1)
    assert found.largest_difference == 2e-4
    assert not found.holds


def test_file_is_scored_as_the_trained_model_was(credit: Run) -> None:
    found = score(Model(credit.path), CreditScorer(), credit.data)
    for name, estimate in found.metrics.items():
        # Single rows are resampled, not the two values of a protected column.
        assert estimate.low == pytest.approx(credit.report.metrics[name].low, abs=1e-4)


def test_file_without_times_is_scored_on_rows_with_times(credit: Run) -> None:
    moments = pd.date_range("2020-01-01", periods=len(credit.data.test), freq="h")
    dated = credit.data.test.assign(time=moments)
    dated.attrs = credit.data.test.attrs
    found = score(Model(credit.path), CreditScorer(), replace(credit.data, test=dated))
    assert found.metrics["auroc"].value > 0.5


def test_positions_are_not_scored_from_a_file(trading: Run) -> None:
    with pytest.raises(ParameterError, match=r"no decisions.*Use TradingStrategy\.evaluate"):
        score(Model(trading.path), TradingStrategy(), trading.data)


def test_large_catalogue_is_answered_beside_implicit() -> None:
    ratio, memory = large_catalogue(users=300, items=500, repeats=1)
    assert ratio.key == "large_catalogue_vs_implicit"
    assert isinstance(ratio.value, float)
    assert ratio.value > 0
    assert (memory.key, memory.holds) == ("large_catalogue_peak_memory_mb", True)
