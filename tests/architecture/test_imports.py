"""Who may import whom: by the linter for our files, by subprocess for what they drag in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

import industry_apps

ROOT = Path(__file__).resolve().parents[2]
TRAINING = {
    *("torch", "lightning", "pytorch_lightning", "sklearn", "lightgbm", "scipy", "matplotlib"),
    *("onnx", "onnxscript", "pooch", "pyarrow", "typer", "rich"),
}
HEAVY = {*TRAINING, "numpy", "pandas", "onnxruntime"}


def imported(statement: str) -> set[str]:
    """Top-level names of all modules that a fresh process holds after a statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps([*sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_layers():
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [command, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_no_circle_of_imports():
    graph = grimp.build_graph("industry_apps", exclude_type_checking_imports=False, cache_dir=None)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def test_the_package_and_its_lists_of_names_import_nothing_heavy():
    # Columns are checked by numpy, and whoever asks for them needs it.
    packages = [n for n in industry_apps.__all__ if not n.startswith("_") and n != "schema"]
    names = ", ".join(f"industry_apps.{name}" for name in [*packages, "registry", "errors"])
    assert not imported(f"import industry_apps, {names}") & HEAVY


def test_a_part_of_the_package_is_there_once_the_package_is():
    parts = ", ".join(f"industry_apps.{name}" for name in industry_apps.__all__)
    assert "industry_apps" in imported(f"import industry_apps; {parts}")


@pytest.mark.parametrize(
    ("statement", "needed", "unwanted"),
    [
        (
            "from industry_apps.runtime import Model",
            {"numpy", "onnxruntime"},
            {*TRAINING, "pandas"},
        ),
        ("from industry_apps.runtime import TransactionState", {"numpy"}, {*TRAINING, "pandas"}),
        ("from industry_apps.schema import Schema", {"numpy"}, HEAVY - {"numpy"}),
        (
            "from industry_apps.serving import create_app; create_app({'a': 'retail.sentiment'})",
            {"starlette", "onnxruntime"},
            {*TRAINING, "pandas", "grpc", "cryptography"},
        ),
        ("from industry_apps.versions import Store", {"hashlib"}, {*HEAVY, "cryptography"}),
        ("from industry_apps.finance import FraudDetector", {"pandas"}, {"torch", "lightning"}),
    ],
)
def test_a_name_imports_what_it_needs_and_no_more(statement, needed, unwanted):
    found = imported(statement)
    assert needed <= found
    assert not found & unwanted
