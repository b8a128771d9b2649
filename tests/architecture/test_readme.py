"""README.md tells the truth: its table is generated, its commands exist, its code runs."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from industry_apps.benchmark.sections import results_page
from industry_apps.cli.demo import demonstrate
from industry_apps.errors import IndustryAppsError
from industry_apps.finance import FraudDetector
from industry_apps.registry import APPLICATIONS, application
from tests.architecture.readme import README, RESULTS, ROOT, needed, records, rendered
from tests.cli.shell import run
from tests.serving.commands import command

TEXT = README.read_text(encoding="utf-8")
PAGE = (RESULTS / "README.md").read_text(encoding="utf-8")
LINES_OF_README = 80  # a screen or two, besides the row of each application


def test_the_generated_parts_are_up_to_date():
    assert rendered(TEXT) == TEXT, "Run make readme."
    assert results_page(records()) == PAGE, "Run make readme."


def test_readme_is_short():
    written = [line for line in TEXT.splitlines() if not line.startswith("| ")]
    assert len(written) <= LINES_OF_README


def test_links_to_results_lead_to_a_heading():
    headings = {line[3:].lower() for line in PAGE.splitlines() if line.startswith("## ")}
    named = set(re.findall(r"notebooks/results/README\.md#([a-z]+)", TEXT))
    assert named == headings == {name.partition(".")[0] for name in APPLICATIONS}


def test_no_published_figure_pretends_to_be_exact():
    assert not re.findall(r"\d*\.\d{7,}", PAGE)


@pytest.mark.parametrize("name", APPLICATIONS)
def test_the_columns_that_readme_asks_for_are_needed(name):
    kind = application(name)
    data = kind.sample()
    for column in needed(kind):
        # What is made of a raw column would stand in for it.
        made = kind.read_schema.names if column == getattr(kind, "raw", "") else []
        parts = [part.drop(columns=[column, *made]) for part in (data.train, data.validation)]
        with pytest.raises((IndustryAppsError, KeyError), match=column):  # KeyError: pandas'
            kind.fast().fit(*(part for part in parts if len(part)))


def test_the_demo_prints_what_readme_shows(tmp_path):
    (shown,) = re.findall(r"\$ make demo\n(.*?)\n\$", TEXT, re.DOTALL)
    found = list(demonstrate(FraudDetector(), tmp_path))
    assert shown.count("\n") >= 5
    for line in shown.splitlines():
        # Figures may differ between machines, words may not; "..." stands for what is left out.
        words = re.escape(line).replace(r"\.\.\.", ".*").replace(r"\ ", " ")
        pattern = re.sub(r"\d+(?:(?:\\\.| )\d+)*", r"[\\d.]+(?: \\d+)*", words)
        assert any(re.fullmatch(pattern, said) for said in found), (pattern, found)


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
    (command,) = re.findall(r"```console\nindustry-apps (.*?)```", TEXT, re.DOTALL)
    words = [word for word in command.split() if word != "\\"]
    assert run(*words, "--fast").exit_code == 0
    serves(re.findall(r"`industry-apps ((?:versions|serve) [^`]*)`", TEXT))


def serves(commands: list[str]) -> None:
    """Run the commands that keep, promote and serve the file that was trained."""
    add, promote, serve = map(str.split, commands)
    (_, version) = run(*add).output.split()
    assert run(*promote[:-1], version).exit_code == 0
    with command(*serve[1:]) as server:
        assert server.next("listening")["port"]
        assert server.end() == 0
