"""Studies: what an application asks beyond its benchmark, recorded and written as tables."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from industry_apps.benchmark import section, study, write_json, write_results
from industry_apps.data import Dataset
from industry_apps.data.simulators import card_transactions
from industry_apps.errors import ParameterError, UnknownNameError
from industry_apps.evaluation import Estimate, Section
from industry_apps.finance import FraudDetector


class Asking(FraudDetector):
    """Asks how many records there are."""

    def studies(self) -> dict[str, Callable[[Dataset], tuple[Section, ...]]]:
        return {"record_count": self._counted}

    @staticmethod
    def _counted(data: Dataset) -> tuple[Section, ...]:
        rows = [["records", "share_of_test"], [len(data.test), Estimate(0.2514, 0.2, 0.3)]]
        return (Section("How many", "Counted.", rows), Section("Nothing"))


def test_a_study_is_a_record_and_a_table(tmp_path: Path) -> None:
    application = Asking()
    found = study(application, "record_count", "sample")
    count = len(application.sample().test)
    assert found["study"]["How many"] == {
        "text": "Counted.",
        "table": [{"records": count, "share_of_test": {"value": 0.2514, "low": 0.2, "high": 0.3}}],
    }
    told = section(found)
    assert told.startswith("## finance.fraud_detection on sample: study of record count\n")
    assert "### How many\n\nCounted.\n\n| records | share of test |\n| --- | --- |" in told
    assert "| 0.25 [0.20, 0.30] |" in told
    command = "industry-apps benchmark finance.fraud_detection --data sample --study record_count"
    assert f"`{command}`" in told
    write_json(tmp_path / "finance.fraud_detection-sample-record_count.json", found)
    page = write_results(tmp_path).read_text(encoding="utf-8")
    assert "### finance.fraud_detection on sample\n\n#### Study of record count\n" in page
    assert "##### How many\n\nCounted.\n\n| records | share of test |" in page


def test_who_asks_nothing_has_no_study() -> None:
    with pytest.raises(ParameterError, match=r"finance.fraud_detection has no study"):
        study(FraudDetector(), "record_count", "sample")


def test_a_study_needs_data_that_are_split(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    card_transactions(customers=250, terminals=300, days=45, radius=15.0, seed=4).to_csv(path)
    with pytest.raises(ParameterError, match="A study needs data that are split already"):
        study(Asking(), "record_count", str(path))


def test_a_question_nobody_has_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match=r"Unknown study 'record'.*Known: record_count"):
        study(Asking(), "record", "sample")
