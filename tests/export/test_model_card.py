"""Publishing into a zoo: the file, its card and its line in the index belong together."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from industry_apps.errors import ModelFileError
from industry_apps.export import export_model, publish
from industry_apps.runtime import Model
from tests.tiny_model import SCHEMA, Served

DATA = {
    "id": "tests_tiny",
    "sha256": "0" * 64,
    "licence": "CC0-1.0",
    "caveats": ["Simulated."],
    "models_may_be_published": True,
}
FACTS: dict[str, Any] = {
    "application": "tests.tiny",
    "version": "1.2.3",
    "model": "trees",
    "data": DATA,
    "split": {"train": {"rows": 1500, "positives": 300, "first": "2024-01-01", "last": "2024-03"}},
    "metrics": {"auroc": {"value": 0.87654, "low": 0.85, "high": 0.9, "text": "0.88 [0.85, 0.90]"}},
    "decision": {"threshold": 0.4, "capacity_threshold": None},
}


def exported(served: Served, path: Path, **facts: Any) -> Path:
    export_model(replace(served.exportable, facts=FACTS | facts), path)
    return path


def test_a_published_model_is_found_by_its_name(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "onnx_models"
    target = publish(exported(served, tmp_path / "mine.onnx"), shelf)
    assert {path.name for path in shelf.iterdir()} == {
        "tests.tiny.onnx",
        "tests.tiny.md",
        "index.json",
    }
    assert target.read_bytes() == (tmp_path / "mine.onnx").read_bytes()
    entry = json.loads((shelf / "index.json").read_text())["tests.tiny"]
    assert entry["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert entry["bytes"] == target.stat().st_size
    monkeypatch.setattr("industry_apps.runtime.zoo._PACKAGE", tmp_path / "industry_apps")
    assert Model("tests.tiny").metadata["version"] == "1.2.3"


def test_the_index_keeps_other_models_and_follows_a_new_version(
    served: Served, tmp_path: Path
) -> None:
    publish(exported(served, tmp_path / "b.onnx"), tmp_path)
    publish(exported(served, tmp_path / "a.onnx", application="tests.other"), tmp_path)
    first = json.loads((tmp_path / "index.json").read_text())
    assert list(first) == ["tests.other", "tests.tiny"]
    publish(exported(served, tmp_path / "tests.tiny.onnx", version="2"), tmp_path)  # in its place
    second = json.loads((tmp_path / "index.json").read_text())
    assert second["tests.other"] == first["tests.other"]
    assert second["tests.tiny"]["sha256"] != first["tests.tiny"]["sha256"]


def test_the_card_says_what_the_file_says(served: Served, tmp_path: Path) -> None:
    publish(exported(served, tmp_path / "mine.onnx"), tmp_path)
    card = (tmp_path / "tests.tiny.md").read_text(encoding="utf-8")
    for line in (
        "# tests.tiny",
        "| train | 1500 | 300 | 2024-01-01 | 2024-03 |",
        "| auroc | 0.88 [0.85, 0.90] |",
        "- threshold: 0.4",
        "| amount | number | EUR | >= 0 <= 1e+06 |  |",
        "- Simulated.",
    ):
        assert line in card.splitlines(), line
    assert "CC0-1.0" in card
    assert "0 changed decisions" in card
    assert "capacity" not in card
    assert all(f"| {name} |" in card for name in SCHEMA.names)
    rows = [line for line in card.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in rows)


@pytest.mark.parametrize(
    "data", [{"id": "own data", "sha256": ""}, {**DATA, "models_may_be_published": False}]
)
def test_what_may_not_be_published_is_not(
    served: Served, tmp_path: Path, data: dict[str, Any]
) -> None:
    path = exported(served, tmp_path / "mine.onnx", data=data)
    with pytest.raises(ModelFileError, match=r"whose licence does not say that models of it may"):
        publish(path, tmp_path / "onnx_models")
    assert not (tmp_path / "onnx_models").exists()


def test_a_card_says_what_it_is_for_and_what_a_lower_precision_loses(
    served: Served, tmp_path: Path
) -> None:
    loss = {"metric": "auroc", "trained": 0.91234, "file": 0.91111, "most": 0.005}
    path = exported(served, tmp_path / "a.onnx", intended_use="Research.", loss=loss)
    publish(path, tmp_path)
    card = (tmp_path / "tests.tiny.md").read_text()
    assert "## Intended use\n\nResearch." in card
    assert "auroc is 0.9111 in place of 0.9123; 0.005 may be lost" in card
