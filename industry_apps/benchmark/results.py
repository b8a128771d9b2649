"""All benchmarks in turn, and the table that is written from their JSON files."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from industry_apps import registry
from industry_apps.application import Application
from industry_apps.data import card, catalogue
from industry_apps.evaluation import Estimate, Published, Report
from industry_apps.evaluation.sections import Section
from industry_apps.whole_file import whole_file

_ENDS = ("value", "low", "high")
#: What an industry may take where not all is asked for.
_SHORT = 1_200.0

_TITLE = """# Results

Written by `industry-apps benchmark --all` from the JSON files beside it; do not edit.
An interval covers 95 % (bootstrap), and no figure is finer than its interval. * marks a
published figure that was measured with another protocol.
"""


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
    """Run benchmarks one after the other, each in a fresh process, and write the table.

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
        The table.
    """
    records = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"), key=lambda path: path.stem)
    ]
    path = folder / "README.md"
    with whole_file(path) as aside:
        aside.write_text("\n".join([_TITLE, *map(section, records)]), encoding="utf-8")
    return path


def section(record: Mapping[str, Any]) -> str:
    """One benchmark as Markdown: metrics, verdicts, parity, speed; or one study.

    Parameters
    ----------
    record : mapping
        As :func:`industry_apps.benchmark.benchmark` or :func:`industry_apps.benchmark.study`
        returns it.
    """
    if "study" in record:
        return _study(record)
    report = report_of(record)
    parity, machine, speed = record["parity"], record["machine"], record["speed"]
    ratios = ", ".join(
        f"{name.replace('_', ' ')} {value:.2g}"
        for name, value in speed.items()
        if "_vs_" in name and not isinstance(value, str)
    )
    lines = [
        f"## {report.application} on {report.data}: {report.model}",
        "",
        *_markdown(report.metric_table()),
        "",
        f"- Model: {report.model}, seeds {', '.join(map(str, record['seeds']))}.",
        *(f"- {part.capitalize()}: {words}." for part, words in report.split_lines()),
        *(f"- {line['metric']}: {line['verdict']} {line['baseline']}." for line in _told(record)),
        *(
            f"- Published: {row.metric} {report.published_value(row)}, "
            f"[{row.system}]({row.source})."
            for row in report.published
        ),
        f"- Exported file: {parity['changed_decisions']} changed decisions and "
        f"{parity['beyond_tolerance']} answers beyond tolerance on {parity['rows']} test rows and "
        f"{parity['edge_rows']} edge rows; largest difference "
        f"{parity['largest_difference']:.1g}.",
        f"- Speed: {ratios}.",
        f"- {record['seconds']:.0f} s to train, evaluate and export; peak memory "
        f"{record['peak_memory_mb']} MB; {machine['cores']} cores of {machine['cpu']}.",
        *([f"- {record['headline']}"] if record.get("headline") else []),
        *(f"- {note}" for note in report.notes),
        "",
    ]
    return "\n".join(lines)


def _study(record: Mapping[str, Any]) -> str:
    asked = record["question"].replace("_", " ")
    lines = [f"## {record['application']} on {record['data']}: study of {asked}", ""]
    for title, part in record["study"].items():
        lines += [f"### {title}", "", part["text"], ""]
        rows: Sequence[Mapping[str, Any]] = part["table"]
        if rows:
            values = [list(map(_cell, row.values())) for row in rows]
            lines += [*_markdown(Section(title, table=[list(rows[0]), *values]).cells()), ""]
    command = (
        f"industry-apps benchmark {record['application']} --data {record['data']} --study "
        f"{record['question']}"
    )
    machine = f"{record['machine']['cores']} cores of {record['machine']['cpu']}"
    return "\n".join([*lines, f"- `{command}`: {record['seconds']:.0f} s on {machine}.", ""])


def _cell(value: object) -> object:
    """A value of a table as it was before it was JSON."""
    return _estimate(value) if isinstance(value, Mapping) else value


def _told(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = record.get("comparisons", [])
    return found


def report_of(record: Mapping[str, Any]) -> Report:
    """The report of a record again, for its tables and its rounding.

    Parameters
    ----------
    record : mapping
        As :func:`industry_apps.benchmark.benchmark` returns it.
    """
    kind = cast("type[Application]", registry.application(record["application"]))
    return Report(
        application=record["application"],
        data=record["data"],
        model=record["model"],
        problem=kind.problem,
        metrics=_estimates(record["metrics"]),
        split=record["split"],
        baselines={name: _estimates(row) for name, row in record["baselines"].items()},
        published=tuple(Published(**row) for row in record["published"]),
        notes=tuple(record.get("notes", ())),
    )


def _estimates(row: Mapping[str, Mapping[str, float | None]]) -> dict[str, Estimate]:
    return {name: _estimate(value) for name, value in row.items()}


def _estimate(value: Mapping[str, float | None]) -> Estimate:
    found = (value[end] for end in _ENDS)
    return Estimate(*(math.nan if number is None else number for number in found))


def _markdown(table: Sequence[Sequence[str]]) -> list[str]:
    header, *rows = table
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]
