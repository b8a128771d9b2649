"""A sample of ``make hostile``: damaged model files are refused by name, or answer equally."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HOSTILE = Path(__file__).parents[1] / "hostile" / "model_files.py"


@pytest.mark.parametrize("name", ["finance.credit_scoring.scorecard", "retail.recommendation"])
def test_damaged_files_are_refused_or_answer_equally(name: str) -> None:
    command = [sys.executable, str(HOSTILE), "--files", name, "--flips", "60", "--cuts", "20"]
    done = subprocess.run(
        [*command, "--processes", "1"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    flips, resealed, cuts = (line.split()[2:] for line in done.stdout.splitlines()[-3:])
    assert flips == ["0", "60", "0", "0", "0", "0", "0"]
    assert cuts == ["0", "20", "0", "0", "0", "0", "0"]
    assert sum(map(int, resealed)) == 60
    assert int(resealed[0]) > 0  # what nobody reads may be changed on purpose
