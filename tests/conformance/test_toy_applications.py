"""An application is one file, one row and one card: two made-up ones need nothing else."""

from __future__ import annotations

import hashlib
import inspect
from importlib.metadata import EntryPoint
from pathlib import Path

import pandas as pd
import pytest

from industry_apps import registry
from industry_apps.data import cards
from industry_apps.runtime import Model
from industry_apps.testing import check_application
from tests.cli.shell import printed, run
from tests.conformance.call_volume import CallVolume, calls
from tests.conformance.late_payment import LatePayment, invoices

CARD = """
id = "{name}"
title = "Made up"
kind = "files"
applications = ["{application}"]
task = "{task}"
licence = "Apache-2.0"
models_may_be_published = true
citation = "Made up."
source = "https://example.org"
target = "{target}"
caveats = ["Made up."]

[[files]]
name = "table.csv"
url = "https://example.org/table.csv"
sha256 = "{sha256}"
bytes = {bytes}

[reading.time]
name = "{time}"
columns = ["{time}"]
format = "%Y-%m-%d{clock}"

[split]
time = "{time}"
train = {train}
validation = {validation}
test = {test}
"""

INVOICES = {
    "name": "toy_invoices",
    "application": "toy.late_payment",
    "task": "binary classification",
    "target": "is_late",
    "time": "issued",
    "clock": " %H:%M:%S",
    "train": '["2024-01-01", "2024-05-01"]',
    "validation": '["2024-05-01", "2024-06-01"]',
    "test": '["2024-06-01", "2024-08-01"]',
}
CALLS = {
    "name": "toy_calls",
    "application": "toy.call_volume",
    "task": "demand forecast",
    "target": "calls",
    "time": "day",
    "clock": "",
    "train": '["2024-01-01", "2024-06-01"]',
    "validation": '["2024-06-01", "2024-06-15"]',
    "test": '["2024-06-15", "2024-08-01"]',
}


def offered(folder: Path, table: pd.DataFrame, facts: dict[str, str]) -> None:
    """Put the file of a data set into a mirror, and its card into the catalogue."""
    file = folder / "mirror" / facts["name"] / "table.csv"
    file.parent.mkdir(parents=True)
    table.to_csv(file, index=False)
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    text = CARD.format(**facts, sha256=sha256, bytes=len(content))
    (folder / "cards" / f"{facts['name']}.toml").write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True)
def package_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entry points and two cards, beside those that there are."""
    (tmp_path / "cards").mkdir()
    for path in cards._folder().glob("*.toml"):
        (tmp_path / "cards" / path.name).symlink_to(path)
    offered(tmp_path, invoices(1700), INVOICES)
    offered(tmp_path, calls(6, 212), CALLS)
    monkeypatch.setattr(cards, "_folder", lambda: tmp_path / "cards")
    monkeypatch.setenv("INDUSTRY_APPS_DATA", str(tmp_path / "mirror"))
    monkeypatch.setenv("INDUSTRY_APPS_CACHE", str(tmp_path / "cache"))
    points = [
        EntryPoint(kind.name, f"{kind.__module__}:{kind.__name__}", registry.ENTRY_POINT_GROUP)
        for kind in (LatePayment, CallVolume)
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


@pytest.mark.parametrize("kind", [LatePayment, CallVolume])
def test_it_passes_every_check(kind):
    results = check_application(kind)
    assert {found.status for found in results} == {"passed"}
    assert len([found for found in results if found.check.startswith("export_parity[")]) == 1


def test_it_is_listed():
    found = {each["name"]: each["question"] for each in printed(run("list", "--json"))}
    for kind in (LatePayment, CallVolume):
        assert found[kind.name] == kind.question


@pytest.mark.parametrize(
    ("facts", "metric", "output"),
    [(INVOICES, "auroc", "late_probability"), (CALLS, "mase", "calls_p50")],
    ids=["table", "series"],
)
@pytest.mark.parametrize("data", ["sample", "card"])
def test_it_is_trained_and_judged_by_the_command_line(tmp_path, facts, metric, output, data):
    path, named = tmp_path / "model.onnx", facts["name"] if data == "card" else data
    words = ("train", facts["application"], "--data", named, "--out", path, "--fast", "--json")
    found = printed(run(*words))
    assert found["parity"]["changed_decisions"] == 0
    assert found["metrics"][metric]["value"] > 0.2
    assert len(found["baselines"]) >= 2
    assert output in Model(path).outputs.names
    if facts is INVOICES:  # a file of decisions can be judged by itself
        judged = printed(run("evaluate", path, "--data", named, "--json"))["metrics"][metric]
        assert judged["value"] == pytest.approx(found["metrics"][metric]["value"])


@pytest.mark.parametrize(("kind", "most"), [(LatePayment, 150), (CallVolume, 200)])
def test_it_is_one_short_file(kind, most):
    lines = Path(inspect.getfile(kind)).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= most
