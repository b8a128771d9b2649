"""The tables of README.md, from the registry and from the results of the benchmark.

``python tests/architecture/readme.py`` (``make readme``) writes them into the file; a test
holds that they are up to date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from industry_apps.benchmark.results import report_of
from industry_apps.data import card, catalogue
from industry_apps.registry import APPLICATIONS, application

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RESULTS = ROOT / "notebooks" / "results"


def applications_table() -> str:
    """One row an application: what it answers, what it takes, which data it was tried on."""
    rows = [["application", "answers", "columns", "data"]]
    for name in APPLICATIONS:
        kind = application(name)
        summary = kind.__doc__.strip().partition("\n")[0]
        data = [data_name(each) for each in catalogue() if name in card(each).applications]
        file = f"industry_apps/{name.replace('.', '/')}.py"
        rows.append(
            [f"[`{name}`]({file})", summary, ", ".join(kind.traits.inputs), ", ".join(data)]
        )
    return markdown(rows)


def results_table() -> str:
    """One row a metric that others have published, or the first where there is none."""
    records = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(RESULTS.glob("*.json"))
    ]
    if not records:
        return "Nothing measured yet: `make benchmark` writes the figures that are shown here."
    rows = [["application", "data", "metric", "model", "best baseline", "best published"]]
    measured = [record for record in records if "study" not in record]
    for record in measured:
        rows += result_rows(record)
    hours = sum(record["seconds"] for record in measured) / 3600
    note = (
        "An interval covers 95 %; * was measured with another protocol. One row again: "
        "`industry-apps benchmark APPLICATION --data DATA`; of each industry the rows that "
        "together take 20 minutes: `make benchmark`; all of them: `make benchmark FULL=1`, "
        f"which took {hours:.0f} hours on two shared cores."
    )
    return f"{markdown(rows)}\n\n{note}"


def result_rows(record: Mapping[str, Any]) -> Iterator[list[str]]:
    """The rows of one benchmark, rounded as its report rounds them."""
    report = report_of(record)
    names = {each.metric for each in report.published} & set(report.metrics)
    best = {each.metric: each.baseline for each in report.comparisons()}
    header, *lines = report.metric_table()
    for metric, line in zip(report.metrics, lines, strict=True):
        if metric not in (names or [next(iter(report.metrics))]):
            continue
        cells = dict(zip(header, line, strict=True))
        yield [
            f"`{report.application}` ({report.model})",
            data_name(report.data),
            *(line[0], cells["model"]),
            *(cells.get(each, "-") for each in (best.get(metric, ""), "published")),
        ]


def data_name(name: str) -> str:
    """The id of a data set, with a word where it is simulated."""
    simulated = name in catalogue() and card(name).kind == "simulated"
    return f"{name} (simulated)" if simulated else name


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, its first row the header."""
    header, *rest = rows
    lines = [header, ["---"] * len(header), *rest]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rendered(text: str) -> str:
    """The text of README.md with its tables as they should be."""
    for name, table in (("applications", applications_table()), ("results", results_table())):
        begin, end = f"<!-- {name}: written by make readme -->", f"<!-- end of {name} -->"
        pattern = f"{re.escape(begin)}.*?{re.escape(end)}"
        text, count = re.subn(pattern, lambda _: f"{begin}\n{table}\n{end}", text, flags=re.DOTALL)  # noqa: B023
        if count != 1:
            raise ValueError(f"README.md needs one pair of markers: {begin} ... {end}")
    return text


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
