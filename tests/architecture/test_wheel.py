"""The wheel holds all that the package needs, and works away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_cards_and_zoo_are_in_the_wheel(wheel):
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("datasets", "onnx_models"):
        ours = {f"industry_apps/_{folder}/{path.name}" for path in (ROOT / folder).iterdir()}
        assert ours <= names
    assert not [name for name in names if name.startswith(("tests", "notebooks"))]


def test_the_wheel_works_without_the_checkout(wheel, tmp_path):
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = (
        "import industry_apps; from industry_apps.data import card, catalogue; "
        "from industry_apps.runtime import Model; from industry_apps.runtime.zoo import zoo; "
        "print(industry_apps.__file__, *[card(name).id for name in catalogue()]); "
        "print(*[Model(name).path for name in zoo()])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.split("\n")[:2]
    assert first.startswith(str(tmp_path))
    assert "finance_card_simulator" in first
    assert str(ROOT) not in done.stdout
    assert all(path.startswith(str(tmp_path)) for path in second.split())
