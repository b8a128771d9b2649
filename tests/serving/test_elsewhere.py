"""Model files in Node, in a container and under systemd."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from industry_apps.runtime import Model
from industry_apps.runtime.zoo import verify
from tests.killing import ROOT

NODE = ROOT / "deploy" / "node" / "predict.js"
NAMES = (
    "finance.credit_scoring",
    "finance.fraud_detection",
    "healthcare.survival",
    "retail.recommendation",
    "retail.sentiment",
)


def node(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run Node; skip where it, or its onnxruntime, is not installed."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    return subprocess.run(
        ["node", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def answer():
    """Runs the example."""
    if node("-e", "require('onnxruntime-node')").returncode:
        pytest.skip(
            "onnxruntime-node is not installed: npm install --ignore-scripts onnxruntime-node, and "
            "name its node_modules in NODE_PATH"
        )
    return lambda *arguments: node(NODE, *arguments)


def near(found: Any, wanted: Any) -> bool:
    """Whether two answers are the same, numbers to six digits."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(near(found[k], wanted[k]) for k in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(near, found, wanted))
    if isinstance(wanted, float) and wanted == wanted:  # noqa: PLR0124
        return abs(found - wanted) <= 1e-6 * max(1.0, abs(wanted))
    return wanted != wanted or found == wanted  # noqa: PLR0124 - NaN is null


@pytest.mark.parametrize("name", NAMES)
def test_an_unchanged_file_answers_in_node_as_it_does_here(answer, name):
    done = answer(verify(name))
    assert done.returncode == 0, done.stderr
    model = Model(name)
    wanted = [model.predict(record) for record in model.metadata["self_test"]["records"]]
    assert near(json.loads(done.stdout), wanted)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": "much"}, "Column 'amount': got \"much\", expected a number"),
        ({"time": None}, "Column 'time': got null, expected a value"),
        ({"time": ...}, "Column 'time' is missing"),
        ({"tiem": 1, "amount": ...}, "Column 'tiem' is not known, and 'amount' is absent"),
    ],
)
def test_a_record_that_node_refuses(answer, change, words):
    name = "finance.fraud_detection"
    record = {**Model(name).metadata["self_test"]["records"][0], **change}
    told = json.dumps({key: value for key, value in record.items() if value is not ...})
    done = answer(verify(name), told)
    assert done.returncode == 2
    assert words in done.stderr


def test_what_is_no_model_file_is_refused_in_node(answer, tmp_path):
    (tmp_path / "text").write_text("no model")
    done = answer(tmp_path / "text")
    assert (done.returncode, done.stderr[:6]) == (2, "error:")


def test_the_unit_is_one():
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    unit = ROOT / "deploy" / "industry-apps.service"
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    wrong = [line for line in done.stderr.splitlines() if "industry-apps.service" in line]
    assert not [line for line in wrong if "not executable" not in line and "Failed" not in line]


def test_options_of_the_recipes_are_those_of_the_command():
    import typer

    from industry_apps.cli.app import app

    told = {p for o in typer.main.get_command(app).commands["serve"].params for p in o.opts}  # type: ignore[attr-defined]
    for name in ("Containerfile", "industry-apps.service"):
        text = (ROOT / "deploy" / name).read_text()
        start = text[text.index("serve") :]
        used = set(re.findall(r"""(?<=[ "])--(?:host|port|keys|state|workers|grpc|tls)\b""", start))
        assert used <= told
        assert "--host" in used
