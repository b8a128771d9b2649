"""The benchmark: its record, its ratios, its table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from industry_apps.benchmark import (
    benchmark_all,
    long_pairs,
    machine,
    pairs,
    section,
    write_json,
    write_results,
)
from industry_apps.benchmark.hardware import peak_memory_mb
from industry_apps.benchmark.resources import NO_AMX, import_times, scoring_memory, training_step
from industry_apps.benchmark.speed import (
    Measure,
    alternating,
    batch,
    model_alone,
    one_record,
    raw_record,
)
from industry_apps.data import Split, card, catalogue
from industry_apps.errors import ParameterError, UnknownNameError
from industry_apps.evaluation import Published
from industry_apps.finance import FraudDetector
from industry_apps.healthcare import MoleculeGenerator
from industry_apps.runtime.metadata import read_metadata
from industry_apps.training import TrainingOptions
from industry_apps.workflow.parameters import configured, parsed
from industry_apps.workflow.runs import Run, prepared
from tests.benchmark.short_benchmark import KEYS, RATIOS, on_sample, recorded

PARITY = {"rows", "edge_rows", "changed_decisions", "beyond_tolerance", "largest_difference"}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A short run on the sample."""
    return on_sample(FraudDetector.fast(), tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def record(done: Run) -> Mapping[str, Any]:
    """The record of a short benchmark."""
    return recorded(done)


def test_run_carries_the_certificate_of_the_test_part(done: Run) -> None:
    assert done.certificate.rows == len(done.data.test)
    assert done.certificate.holds
    assert done.report.parity == done.certificate.to_dict()
    assert done.path.is_file()


def test_record_is_as_laid_down(record: Mapping[str, Any]) -> None:
    assert set(record) == KEYS
    assert set(record["parity"]) == PARITY
    assert set(record["speed"]) >= RATIOS
    assert all(value > 0 for value in record["speed"].values())
    for row in (record["metrics"], *record["baselines"].values()):
        for estimate in row.values():
            assert estimate["low"] <= estimate["value"] <= estimate["high"]
    assert {"auroc", "average_precision", "card_precision_at_100"} <= set(record["metrics"])
    assert record["seeds"] == [0]
    assert record["seconds"] > 0
    assert record["peak_memory_mb"] > 50


def test_record_names_no_path_and_no_host(record: Mapping[str, Any]) -> None:
    import socket

    text = json.dumps({key: record[key] for key in ("machine", "versions", "speed")})
    assert socket.gethostname() not in text
    assert str(Path.home()) not in text
    assert "tmp" not in text


def test_ratios_are_those_of_the_times(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"file": [2.0, 1.0, 9.0], "bare": [1.0, 1.0, 7.0], "training": [8.0, 12.0, 10.0]}
    monkeypatch.setattr(
        "industry_apps.benchmark.speed.alternating",
        lambda calls, *_: {name: seconds[name] for name in calls},
    )
    ratios = {m.name: m.value for m in one_record(done.application, done.path, done.data.test)}
    assert ratios["one_record_vs_training_path"] == 5  # medians 10 and 2
    assert ratios["one_record_vs_bare_session"] == 2
    in_bulk = batch(done.application, done.path, done.data.test, count=10)
    assert in_bulk[0].value == 8  # best of each


def test_a_batch_that_takes_long_is_smaller(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def once(calls: Mapping[str, Any], *_: int) -> dict[str, list[float]]:
        sizes.append(len(calls["file"]()))
        return {name: [1.0] for name in calls}

    monkeypatch.setattr("industry_apps.benchmark.speed.alternating", once)
    monkeypatch.setattr("industry_apps.benchmark.speed._FIRST", 10)
    for seconds in (1e-9, 1e9):
        monkeypatch.setattr("industry_apps.benchmark.speed._SECONDS", seconds)
        for count in (50, 400):  # a twentieth of them is timed first, ten at most
            batch(done.application, done.path, done.data.test, count=count)
    assert sizes == [2, 10, 50, 400]


def test_one_option_leaves_the_others_as_the_application_has_them() -> None:
    model = configured(MoleculeGenerator, {"training.max_epochs": "3"})
    assert model.get_params()["training"] == replace(
        MoleculeGenerator.defaults["training"], max_epochs=3
    )
    assert MoleculeGenerator.defaults["training"] != TrainingOptions()


def test_data_are_prepared_where_an_application_has_to() -> None:
    class Prepares:
        def prepare(self, frame: pd.DataFrame) -> pd.DataFrame:
            return frame.assign(doubled=2 * frame["x"])

    frame = pd.DataFrame({"x": [1.0]})
    found = prepared(Prepares(), Split(frame, frame, frame))  # type: ignore[arg-type]
    assert [part["doubled"].tolist() for part in found] == [[2.0]] * 3
    assert list(frame) == ["x"]


def test_alternating_goes_in_blocks() -> None:
    order: list[str] = []
    found = alternating({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 5, 2)
    assert "".join(order) == "ab" + "aabb" + "aabb" + "ab"
    assert {name: len(times) for name, times in found.items()} == {"a": 5, "b": 5}


def test_model_alone_answers_as_the_model(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {}

    def once(calls: Mapping[str, Any], *_: int) -> dict[str, list[float]]:
        answers.update({name: call() for name, call in calls.items()})
        return {name: [1.0] for name in calls}

    monkeypatch.setattr("industry_apps.benchmark.speed.alternating", once)
    assert model_alone(done.application, done.data.test, count=300)[0].value == 1
    exported = np.concatenate([part[0] for part in answers["exported"][0]])[:, 0]
    np.testing.assert_allclose(answers["native"][0], exported, atol=1e-4)


def test_raw_record_needs_a_file_with_state(done: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = raw_record(done.application, done.path, done.data, repetitions=5)
    assert found[0].value > 0
    monkeypatch.setattr(
        "industry_apps.runtime.model.read_metadata",
        lambda stored, name: {**read_metadata(stored, name), "state": None},
    )
    assert raw_record(done.application, done.path, done.data) == []


def test_scoring_memory_is_that_of_a_fresh_process(done: Run) -> None:
    ballast = np.ones(60_000_000)  # 458 MB that a child must not be charged for
    found = scoring_memory(done.path, done.data.test, count=20_000)
    assert peak_memory_mb() > ballast.nbytes / 2**20
    assert 30 < found.value < 400


def test_import_times() -> None:
    package, ratio = import_times(repeats=1)
    assert 0 < package.value < 5
    assert ratio.value > 0.5


def test_training_step_says_when_there_is_no_amx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("industry_apps.benchmark.resources.has_amx", lambda: False)
    assert training_step().value == NO_AMX
    assert training_step().holds is None
    monkeypatch.setattr("industry_apps.benchmark.resources.has_amx", lambda: True)
    assert training_step(steps=1).value > 0


def test_machine_has_no_name() -> None:
    assert set(machine()) == {"cpu", "cores", "amx", "memory_gb", "system"}
    assert machine()["cores"] >= 1


@pytest.mark.parametrize(
    ("measure", "holds", "words"),
    [
        (Measure(name="a", value=41.2, target=40), True, ("41", ">= 40")),
        (Measure(name="a", value=39.0, target=40), False, ("39", ">= 40")),
        (Measure(name="a", value=0.05, unit="s", target=0.1, at_least=False), True,
         ("0.05 s", "<= 0.1 s")),
        (Measure(name="a", value=1234.5, unit="MB", target=1024, at_least=False), False,
         ("1234 MB", "<= 1024 MB")),
        (Measure(name="a", value="no AMX", target=1), None, ("no AMX", ">= 1")),
    ],
)  # fmt: skip
def test_measures(measure: Measure, holds: bool | None, words: tuple[str, str]) -> None:
    assert measure.holds is holds
    assert (measure.found(), measure.wanted()) == words


def test_section_is_no_finer_than_the_interval(record: Mapping[str, Any]) -> None:
    metrics = {"auroc": {"value": 0.87654321, "low": 0.851, "high": 0.912}}
    words = section({**record, "metrics": metrics, "baselines": {}, "comparisons": []})
    assert "| auroc | 0.88 [0.85, 0.91] |" in words
    assert "0.876" not in words


def test_section_names_who_published_a_figure_and_where(record: Mapping[str, Any]) -> None:
    row = Published("their network", "auroc", 0.9, "https://www.example.org/table", False)
    words = section({**record, "published": [asdict(row)]})
    assert "| system | metric | value | same protocol | source |" in words
    cells = r"\| their network \| auroc \| 0\.90? \| no \| "
    assert re.search(cells + r"\[example\.org\]\(https://www\.example\.org/table\) \|", words)


def test_section_compares_with_the_best_baseline(record: Mapping[str, Any]) -> None:
    told = {"metric": "auroc", "verdict": "beats", "baseline": "lightgbm_default"}
    words = section({**record, "comparisons": [told]})
    (line,) = (line for line in words.splitlines() if line.startswith("| auroc |"))
    assert line.endswith("| beats lightgbm_default |")


def test_results_page_is_made_of_the_json_files(record: Mapping[str, Any], tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_json(tmp_path / f"{name}.json", {**record, "data": f"data {name}"})
    words = write_results(tmp_path).read_text(encoding="utf-8")
    assert "[Finance](#finance)" in words
    assert words.index("## Finance\n") < words.index("on data a") < words.index("on data b")
    assert "0 changed decisions" in words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "a.json", "b.json"]


def test_figures_published_for_a_data_set_stand_there_once(
    record: Mapping[str, Any], tmp_path: Path
) -> None:
    row = asdict(Published("their network", "auroc", 0.9, "https://example.org/table", True))
    for model in ("trees", "scorecard"):
        found = {**record, "model": model, "published": [row]}
        write_json(tmp_path / f"{model}.json", found)
    words = write_results(tmp_path).read_text(encoding="utf-8")
    assert words.count("their network") == 1
    assert words.count("Published for the same data") == 1


def test_one_failure_does_not_stop_the_others(record: Mapping[str, Any], tmp_path: Path) -> None:
    write_json(tmp_path / "earlier.json", record)
    chosen = [("no.such_application", "sample"), ("finance.fraud_detection", "no_such_data")]
    found = list(benchmark_all(tmp_path, chosen))
    assert [each[:2] for each in found] == chosen
    assert "Unknown application" in found[0][2]
    assert "Unknown data set" in found[1][2]
    assert "finance.fraud_detection" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_long_benchmarks_of_an_industry_are_left_for_later(
    record: Mapping[str, Any], tmp_path: Path
) -> None:
    took = {
        ("retail.sentiment", "a"): 100.0,
        ("retail.sentiment", "b"): 50.0,
        ("retail.recommendation", "a"): 60.0,
        ("finance.fraud_detection", "a"): 140.0,
        ("finance.fraud_detection", "b"): 200.0,
    }
    for (application, data), seconds in took.items():
        write_json(tmp_path / f"{application}-{data}.json", {**record, "seconds": seconds})
    chosen = [*took, ("finance.credit_scoring", "never measured")]
    assert long_pairs(tmp_path, chosen, seconds=150) == {
        ("retail.sentiment", "a"): 100.0,
        ("finance.fraud_detection", "b"): 200.0,
    }
    assert long_pairs(tmp_path, chosen) == {}


def test_pairs_are_those_that_the_cards_name() -> None:
    assert ("finance.fraud_detection", "finance_vehicle_insurance_fraud") in pairs()
    assert ("finance.credit_scoring", "finance_german_credit") in pairs()
    samples = {data for data in catalogue() if not card(data).applications}
    assert "finance_price_simulator" in samples
    assert not samples & {data for _, data in pairs()}


def test_configured() -> None:
    settings = {"alerts_per_day": "50", "columns": '{"amount": "x"}', "ignore": '["a"]',
                "training.max_epochs": "2", "training.seed": "7"}  # fmt: skip
    detector = configured(FraudDetector, settings)
    assert detector.alerts_per_day == 50.0
    assert detector.columns == {"amount": "x"}
    assert detector.ignore == ("a",)
    assert (detector.training.max_epochs, detector.training.seed) == (2, 7)
    kept = configured(FraudDetector, {"trees.l2": "3"}, fast=True).trees
    assert (kept.l2, kept.rounds) == (3.0, FraudDetector.fast().trees.rounds)
    with pytest.raises(UnknownNameError, match="'model'"):
        configured(FraudDetector, {"modell": "trees"})


@pytest.mark.parametrize(
    ("hint", "text", "value"),
    [
        (int, "3", 3),
        (float, "3", 3.0),
        (float | None, "null", None),
        (bool, "true", True),
        (str, "3", "3"),
        (Literal["a", "b"], "b", "b"),
        (tuple[str, ...], '["a"]', ("a",)),
        (Mapping[str, str] | None, '{"a": "b"}', {"a": "b"}),
    ],
)
def test_parsed(hint: Any, text: str, value: Any) -> None:
    found = parsed(hint, "x", text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("hint", "text"),
    [(int, "3.5"), (int, "true"), (float, "abc"), (bool, "1"), (Literal["a"], "b"),
     (tuple[str, ...], "null"), (float | None, "none")],
)  # fmt: skip
def test_parsed_refuses(hint: Any, text: str) -> None:
    with pytest.raises(ParameterError, match="'x' parameter must be"):
        parsed(hint, "x", text)
