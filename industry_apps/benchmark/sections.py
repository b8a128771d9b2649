"""What was measured, in Markdown: one benchmark, one study, and the page of all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, cast

from industry_apps import registry
from industry_apps.application import Application
from industry_apps.data import card, catalogue
from industry_apps.evaluation import Estimate, Published, Report
from industry_apps.evaluation.sections import Section

_ENDS = ("value", "low", "high")

_TITLE = """# Results

Written by `industry-apps benchmark` from the JSON files beside it; do not edit. Each figure
stands beside its 95 % interval and has no more digits than the interval supports. The verdict
compares the model with the baseline that is best in this metric. * marks a published figure
that was measured with another protocol.
"""

Record = Mapping[str, Any]


def results_page(records: Iterable[Record]) -> str:
    """All benchmarks and studies as one page: by industry, then by application and data set.

    Parameters
    ----------
    records : iterable of mapping
        As :func:`industry_apps.benchmark.benchmark` and :func:`industry_apps.benchmark.study`
        return them.
    """
    ordered = sorted(records, key=lambda each: (each["application"], each["data"], "study" in each))
    found = {
        name: list(several)
        for name, several in groupby(ordered, key=lambda each: industry_of(each["application"]))
    }
    links = ", ".join(f"[{name.capitalize()}](#{name})" for name in found)
    lines = [_TITLE, f"{links}. {_how_to_repeat(ordered)}", ""]
    for name, several in found.items():
        measured = [record for record in several if "study" not in record]
        rows = [row for record in measured for row in summary_rows(record)]
        lines += [f"## {name.capitalize()}", "", *markdown([_SUMMARY, *rows]), ""]
        for (application, data), group in groupby(several, key=_subject):
            lines += [f"### {application} on {data}", "", *_data_set(list(group))]
    return "\n".join(lines)


def industry_of(application: str) -> str:
    """The first part of an application's name."""
    return application.partition(".")[0]


def _subject(record: Record) -> tuple[str, str]:
    return record["application"], record["data"]


def _how_to_repeat(records: Sequence[Record]) -> str:
    hours = sum(record["seconds"] for record in records if "study" not in record) / 3600
    return (
        "One of them again: `industry-apps benchmark APPLICATION --data DATA`; of each industry "
        "those that together take 20 minutes: `make benchmark`; all: `make benchmark FULL=1`, "
        f"{hours:.1f} hours on two shared cores."
    )


_SUMMARY = ["application", "data", "metric", "model", "best baseline", "best published"]


def summary_rows(record: Record) -> Iterator[list[str]]:
    """The metrics of a benchmark that others have published, or its first where none is.

    Parameters
    ----------
    record : mapping
        As :func:`industry_apps.benchmark.benchmark` returns it.
    """
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


def section(record: Record) -> str:
    """One benchmark as Markdown: metrics, verdicts, parity, speed; or one study.

    Parameters
    ----------
    record : mapping
        As :func:`industry_apps.benchmark.benchmark` or :func:`industry_apps.benchmark.study`
        returns it.
    """
    title = f"## {record['application']} on {record['data']}"
    if "study" in record:
        return "\n".join([f"{title}: {_study_title(record)}", "", *_study(record, "###")])
    lines = [f"{title}: {record['model']}", "", *_measured(record), *_published([record], "###")]
    return "\n".join(lines)


def _data_set(records: Sequence[Record]) -> list[str]:
    """What was measured of one application on one data set; what others published once."""
    benchmarks = [record for record in records if "study" not in record]
    lines = []
    for record in benchmarks:
        lines += [
            f"#### {record['model'][0].upper() + record['model'][1:]}",
            "",
            *_measured(record),
        ]
    lines += _published(benchmarks, "####")
    for record in records:
        if "study" in record:
            title = _study_title(record).capitalize()
            lines += [f"#### {title}", "", *_study(record, "#####")]
    return lines


def _published(records: Sequence[Record], level: str) -> list[str]:
    """One table of the figures that others published for the data, each of them once."""
    found = {
        (row.system, row.metric, row.source): cells
        for report in map(report_of, records)
        for row, cells in zip(report.published, report.published_table()[1:], strict=True)
    }
    if not found:
        return []
    header = report_of(records[0]).published_table()[0]
    rows = [[*cells, f"[{_host(source)}]({source})"] for *cells, source in found.values()]
    return [f"{level} Published for the same data", "", *markdown([header, *rows]), ""]


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0].removeprefix("www.") or address


def _measured(record: Record) -> list[str]:
    report = report_of(record)
    machine = record["machine"]
    headline = record.get("headline") or report.headline()
    took = "train, evaluate and export" if record["parity"] else "search and evaluate"
    return [
        *markdown(_with_verdicts(report, record.get("comparisons", []))),
        "",
        *([f"- {headline}"] if headline != report.headline() else []),  # else the table's first row
        f"- Seeds: {', '.join(map(str, record['seeds']))}.",
        *(f"- {part.capitalize()}: {words}." for part, words in report.split_lines()),
        *(_of_the_file(record) if record["parity"] else ()),
        f"- {record['seconds']:.0f} s to {took}; peak memory "
        f"{record['peak_memory_mb']} MB; {machine['cores']} cores of {machine['cpu']}.",
        *(f"- {note}" for note in report.notes),
        "",
    ]


def _of_the_file(record: Record) -> Iterator[str]:
    """Parity and speed, of what is in a model file."""
    parity = record["parity"]
    yield (
        f"- Exported file: {parity['changed_decisions']} changed decisions and "
        f"{parity['beyond_tolerance']} answers beyond tolerance on {parity['rows']} test rows and "
        f"{parity['edge_rows']} edge rows; largest difference "
        f"{parity['largest_difference']:.1g}."
    )
    ratios = ", ".join(
        f"{name.replace('_', ' ')} {value:.2g}"
        for name, value in record["speed"].items()
        if "_vs_" in name and not isinstance(value, str)
    )
    yield f"- Speed: {ratios}."


def _with_verdicts(report: Report, comparisons: Sequence[Record]) -> list[list[str]]:
    """The table of metrics and, where there are baselines, how the model compares."""
    table = report.metric_table()
    if not comparisons:
        return table
    told = {each["metric"]: f"{each['verdict']} {each['baseline']}" for each in comparisons}
    verdicts = ["verdict", *(told.get(metric, "-") for metric in report.metrics)]
    return [[*line, verdict] for line, verdict in zip(table, verdicts, strict=True)]


def _study_title(record: Record) -> str:
    return f"study of {record['question'].replace('_', ' ')}"


def _study(record: Record, level: str) -> list[str]:
    lines = []
    for title, part in record["study"].items():
        lines += [f"{level} {title}", "", part["text"], ""]
        rows: Sequence[Record] = part["table"]
        if rows:
            values = [list(map(_cell, row.values())) for row in rows]
            lines += [*markdown(Section(title, table=[list(rows[0]), *values]).cells()), ""]
    command = record.get("command") or (
        f"industry-apps benchmark {record['application']} --data {record['data']} --study "
        f"{record['question']}"
    )
    machine = f"{record['machine']['cores']} cores of {record['machine']['cpu']}"
    return [*lines, f"- `{command}`: {record['seconds']:.0f} s on {machine}.", ""]


def _cell(value: object) -> object:
    """A value of a table as it was before it was JSON."""
    return _estimate(value) if isinstance(value, Mapping) else value


def report_of(record: Record) -> Report:
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


def markdown(table: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown.

    Parameters
    ----------
    table : sequence of rows of str
        Header first.
    """
    header, *rows = table
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]
