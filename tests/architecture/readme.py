"""The generated parts of README.md and of the page of results.

``python tests/architecture/readme.py`` (``make readme``) writes them into the files; a test
holds that they are up to date.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from industry_apps.application import Application
from industry_apps.benchmark import write_results
from industry_apps.benchmark.sections import industry_of, markdown
from industry_apps.registry import APPLICATIONS, application

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
RESULTS = ROOT / "notebooks" / "results"

#: What fit needs beyond the required columns and the target; a test holds that it does.
_NEEDED_TO_FIT = {
    "healthcare.survival": ("follow_up_days",),
    "retail.recommendation": ("user",),
}

#: Columns that are named in the table of applications: all of so many, or the first of more.
_MOST_NAMED, _FIRST_NAMED = 10, 4


def applications_table() -> str:
    """One row an application: the question, the class, the columns it needs, where to go on."""
    rows = [["question", "class", "columns it needs", "worked example"]]
    for name in APPLICATIONS:
        kind, industry = application(name), industry_of(name)
        file = f"industry_apps/{name.replace('.', '/')}.py"
        rows.append(
            [
                kind.question,
                f"[`{industry}.{kind.__name__}`]({file})",
                _shortened([f"`{column}`" for column in needed(kind)]),
                f"[{industry}](notebooks/{industry}.ipynb)",
            ]
        )
    return "\n".join(markdown(rows))


def _shortened(names: list[str]) -> str:
    """The first of many names, and how many more there are."""
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{', '.join(names[:_FIRST_NAMED])} and {len(names) - _FIRST_NAMED} more"


def needed(kind: type[Application]) -> list[str]:
    """The columns without which an application does not fit, in the order of its schema."""
    names = {column.name for column in kind.schema if column.required}
    names |= {kind.sample().target, *_NEEDED_TO_FIT.get(kind.name, ())}
    return [column.name for column in kind.schema if column.name in names]


def results_line() -> str:
    """A link to the results of each industry."""
    found = dict.fromkeys(industry_of(record["application"]) for record in records())
    links = [f"[{name}](notebooks/results/README.md#{name})" for name in found]
    return (
        f"{', '.join(links)}: on public data, beside baselines and published figures, with "
        "intervals, parity and speed."
    )


def records() -> list[dict[str, Any]]:
    """What the benchmarks wrote, in the order of the files' names."""
    files = sorted(RESULTS.glob("*.json"), key=lambda path: path.stem)
    return [json.loads(path.read_text(encoding="utf-8")) for path in files]


def rendered(text: str) -> str:
    """The text of README.md with its generated parts as they should be."""
    for name, words in (("applications", applications_table()), ("results", results_line())):
        begin, end = f"<!-- {name}: written by make readme -->", f"<!-- end of {name} -->"
        pattern = f"{re.escape(begin)}.*?{re.escape(end)}"
        text, count = re.subn(pattern, lambda _: f"{begin}\n{words}\n{end}", text, flags=re.DOTALL)  # noqa: B023
        if count != 1:
            raise ValueError(f"README.md needs one pair of markers: {begin} ... {end}")
    return text


if __name__ == "__main__":
    write_results(RESULTS)
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
