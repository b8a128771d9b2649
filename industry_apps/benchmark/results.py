"""All benchmarks in turn, and the page that is written from their JSON files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from industry_apps import registry
from industry_apps.benchmark.sections import results_page
from industry_apps.data import card, catalogue
from industry_apps.whole_file import whole_file

#: What an industry may take where not all is asked for.
_SHORT = 1_200.0


def pairs() -> list[tuple[str, str]]:
    """Every registered application with every data set whose card names it.

    Examples
    --------
    >>> ("finance.fraud_detection", "finance_card_simulator") in pairs()
    True
    """
    return [
        (application, data)
        for application in registry.applications()
        for data in catalogue()
        if application in card(data).applications
    ]


def long_pairs(
    folder: Path, chosen: Sequence[tuple[str, str]], *, seconds: float = _SHORT
) -> dict[tuple[str, str], float]:
    """The benchmarks that take an industry beyond a time, all of its quicker ones counted.

    Parameters
    ----------
    folder : Path
        With what was measured before; what is new there counts as quick.
    chosen : sequence of (application, data)
        As :func:`pairs` makes it.
    seconds : float, default=1200
        For the benchmarks of one industry together.

    Returns
    -------
    dict of (application, data) to float
        Seconds that each took when it was last measured.
    """
    took = {pair: _seconds(_file(folder, *pair)) for pair in chosen}
    spent: dict[str, float] = defaultdict(float)
    found = {}
    for pair, time in sorted(took.items(), key=lambda each: each[1]):
        industry = pair[0].partition(".")[0]
        spent[industry] += time
        if spent[industry] > seconds:
            found[pair] = time
    return found


def _file(folder: Path, application: str, data: str) -> Path:
    return folder / f"{application}-{data}.json"


def _seconds(path: Path) -> float:
    if not path.exists():
        return 0.0
    return float(json.loads(path.read_text(encoding="utf-8"))["seconds"])


def benchmark_all(
    folder: Path, chosen: Sequence[tuple[str, str]], options: Sequence[str] = ()
) -> Iterator[tuple[str, str, str]]:
    """Run benchmarks one after the other, each in a fresh process, and write the page.

    Parameters
    ----------
    folder : Path
        Gets ``<application>-<data>.json`` for each pair that worked, and ``README.md``.
    chosen : sequence of (application, data)
        As :func:`pairs` makes it.
    options : sequence of str
        Further options of the command ``benchmark``.

    Yields
    ------
    application, data, error : str
        After each pair; the error is empty when it worked.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for application, data in chosen:
        path = _file(folder, application, data)
        command = [sys.executable, "-m", "industry_apps", "benchmark", application]
        command += ["--data", data, "--json", "--out", str(path), *options]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        yield application, data, lines[-1] if done.returncode else ""
    write_results(folder)


def write_results(folder: Path) -> Path:
    """Write ``README.md`` from all JSON files of a folder.

    Parameters
    ----------
    folder : Path
        Holds what ``benchmark --out`` wrote.

    Returns
    -------
    Path
        The page.
    """
    records = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"), key=lambda path: path.stem)
    ]
    path = folder / "README.md"
    with whole_file(path) as aside:
        aside.write_text(results_page(records), encoding="utf-8")
    return path
