"""The report as one HTML page: no script, no external address, plots drawn inline."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable
from html import escape

import matplotlib
from matplotlib.figure import Figure

from industry_apps.evaluation import plots
from industry_apps.evaluation.comparison import Comparison
from industry_apps.evaluation.decisions import DecisionCurves
from industry_apps.evaluation.findings import Findings
from industry_apps.evaluation.intervals import Estimate
from industry_apps.evaluation.sections import Section, describe, text_of

__all__ = ["fragment", "page"]

# Plot, title, how to read it.
_PLOTS: tuple[tuple[Callable[[DecisionCurves], Figure], str, str], ...] = (
    (
        plots.precision_recall_plot,
        "Precision and recall",
        "Up is fewer false alarms, right is fewer misses; the dot is where this model decides, "
        "the dashed line is what flagging at random would reach.",
    ),
    (
        plots.calibration_plot,
        "Calibration",
        "On the dashed line a predicted 5 % comes true in 5 % of cases; below it the model "
        "promises too much. Each point holds a tenth of the expected positives; below, its rows.",
    ),
    (
        plots.cost_plot,
        "Cost against threshold",
        "The lower the better; the dot is the threshold in use, the dashed line the cost of "
        "flagging nothing.",
    ),
    (
        plots.drift_plot,
        "Over time",
        "The two lines should move together: where they part, the model no longer fits the "
        "world. Below, what was flagged in each period, and how much of it rightly.",
    ),
)

_COLOURS = {
    plots.INK: "currentColor",
    plots.BLUE: "var(--blue)",
    plots.ORANGE: "var(--orange)",
    plots.GREEN: "var(--green)",
}

_TONE = {"beats": "good", "does not beat": "bad", "cannot be told apart from": "even"}

_STYLE = """
.iareport{--ink:#1f2328;--soft:#59636e;--line:#d8dee4;--card:#fff;--ground:#f5f7f9;
--blue:#0072b2;--orange:#d55e00;--green:#00865f;--red:#b3261e;
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;
color:var(--ink);background:var(--ground);padding:2rem 1rem;color-scheme:light dark}
@media(prefers-color-scheme:dark){.iareport{--ink:#e6edf3;--soft:#9aa4af;--line:#333b45;
--card:#181d24;--ground:#0e1217;--blue:#4aa8e0;--orange:#f08a3c;--green:#34c495;--red:#ff8a80}}
.iareport,.iareport *{box-sizing:border-box}
.iareport>*{max-width:70rem;margin-inline:auto}
.iareport h1{font-size:1.5rem;margin:0 auto .1rem}
.iareport h2{font-size:1.05rem;margin:0 0 .6rem}
.iareport .sub{color:var(--soft);margin:0 auto 1rem}
.iareport .lead{font-size:1.15rem;border-left:4px solid var(--blue);padding-left:.9rem;
margin:0 auto 1.4rem}
.iareport section{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:1.1rem 1.3rem;margin-bottom:1.1rem;overflow-x:auto}
.iareport table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;
color:inherit}
.iareport tr,.iareport tbody tr:nth-child(odd){background:none}
.iareport th,.iareport td{padding:.4rem .9rem .4rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--line)}
.iareport tbody tr:last-child>*{border-bottom:0}
.iareport thead th{color:var(--soft);font-weight:600;font-size:.85rem}
.iareport tbody th{font-weight:600}
.iareport td.own{font-weight:600;white-space:nowrap}
.iareport small{display:block;color:var(--soft);font-weight:400}
.iareport small small{font-size:1em}
.iareport .range{white-space:nowrap}
.iareport .good{color:var(--green)}.iareport .bad{color:var(--red)}
.iareport .even{color:var(--soft)}
.iareport .plots{display:grid;gap:1.1rem;
grid-template-columns:repeat(auto-fit,minmax(min(28rem,100%),1fr))}
.iareport .plots section{margin:0}
.iareport figure{margin:0}.iareport svg{width:100%;height:auto;display:block;color:var(--ink)}
.iareport figcaption{color:var(--soft);font-size:.9rem;margin-top:.5rem}
.iareport dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem;margin:0}
.iareport dt{color:var(--soft)}.iareport dd{margin:0}.iareport ul{margin:0;padding-left:1.2rem}
"""


def page(report: Findings) -> str:
    """Return the whole HTML document of a report.

    Parameters
    ----------
    report : Findings
        What to show; every text in it is escaped.
    """
    title = escape(f"{report.application} on {report.data}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{title}</title><style>body{{margin:0}}</style></head>\n"
        f"<body>{fragment(report)}</body></html>\n"
    )


def fragment(report: Findings) -> str:
    """Return the report as one HTML element with its own style, for a notebook or a page.

    Parameters
    ----------
    report : Findings
        What to show; every text in it is escaped.
    """
    parts = [
        f"<h1>{escape(report.application)}</h1>",
        f'<p class="sub">{escape(report.model)} on {escape(report.data)}</p>',
        f'<p class="lead">{_unbroken(escape(report.headline()))}</p>',
        _section("Metrics", _metric_table(report)),
    ]
    if report.published:
        parts.append(_section("Published for the same data", _published_table(report)))
    if report.curves is not None:
        parts.append(f'<div class="plots">{_plots(report.curves)}</div><p></p>')
    parts += [_section(section.title, _contents(section)) for section in report.all_sections()]
    facts = [*report.split_lines()]
    if report.parity:
        facts.append(("exported file", describe(report.parity)))
    if facts:
        parts.append(_section("Data and parity", _definitions(facts)))
    if report.notes:
        notes = "".join(f"<li>{escape(note)}</li>" for note in report.notes)
        parts.append(_section("Notes", f"<ul>{notes}</ul>"))
    body = "\n".join(parts)
    return f'<style>{_STYLE}</style>\n<main class="iareport">\n{body}\n</main>'


def _unbroken(text: str) -> str:
    """Keep the groups of a long number on one line."""
    return re.sub(r"(?<=\d) (?=\d{3}\b)", "\u00a0", text)


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _table(header: Iterable[str], rows: Iterable[str]) -> str:
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in header)
    return f"<table><thead><tr>{names}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _metric_table(report: Findings) -> str:
    header, *lines = report.metric_table()
    verdicts = {found.metric: found for found in report.comparisons()}
    rows = []
    for metric, (_, own, *others) in zip(report.metrics, lines, strict=True):
        meaning = report.problem.metric(metric).meaning
        if report.problem.sign(metric) < 0:
            meaning = f"{meaning}; lower is better".removeprefix("; ")
        cells = [f'<th scope="row">{escape(metric)}<small>{escape(meaning)}</small></th>']
        cells.append(f'<td class="own">{_estimate(own)}</td>')
        cells += [f"<td>{_estimate(cell)}</td>" for cell in others]
        if verdicts:
            found = verdicts.get(metric)
            cells.append("<td>-</td>" if found is None else _verdict(found))
        rows.append(f"<tr>{''.join(cells)}</tr>")
    if verdicts:
        header.append("against the best baseline")
    return _table((name.replace("_", " ") for name in header), rows)


def _estimate(cell: str) -> str:
    value, _, interval = cell.partition(" ")
    return f'{escape(value)} <small class="range">{escape(interval)}</small>'


def _verdict(found: Comparison) -> str:
    words = escape(f"{found.verdict} {found.baseline.replace('_', ' ')}")
    margin = (
        "" if found.margin is None else f"<small>difference {_estimate(str(found.margin))}</small>"
    )
    return f'<td class="{_TONE[found.verdict]}">{words}{margin}</td>'


def _published_table(report: Findings) -> str:
    rows = []
    for row in report.published:
        ours = str(report.metrics.get(row.metric, "-"))
        protocol = "same protocol" if row.same_protocol else "* another protocol"
        rows.append(
            f'<tr><th scope="row">{escape(row.system)}<small>{escape(row.source)}</small></th>'
            f"<td>{escape(row.metric)}</td><td>{escape(report.published_value(row))}</td>"
            f'<td class="own">{_estimate(ours)}</td><td>{protocol}</td></tr>'
        )
    return _table(("system", "metric", "published", "this model", "measured with"), rows)


def _definitions(facts: Iterable[tuple[str, str]]) -> str:
    return f"<dl>{''.join(f'<dt>{escape(k)}</dt><dd>{escape(v)}</dd>' for k, v in facts)}</dl>"


def _plots(curves: DecisionCurves) -> str:
    shown = [row for row in _PLOTS if curves.day is not None or row[0] is not plots.drift_plot]
    return "".join(
        _section(title, _figure(draw(curves), title, caption)) for draw, title, caption in shown
    )


def _contents(section: Section) -> str:
    """Return the words, the table and the figures of a section of the task's own."""
    parts = [f"<p>{escape(words)}</p>" for words in section.text.split("\n\n") if words]
    if section.table is not None:
        rows = [
            f'<tr><th scope="row">{_cell(first)}</th>'
            f"{''.join(f'<td>{_cell(value)}</td>' for value in others)}</tr>"
            for first, *others in section.rows()[1:]
        ]
        parts.append(_table(section.cells()[0], rows))
    drawn = [draw() for draw in section.figures]
    figures = [_figure(figure, section.title, str(figure.get_label())) for figure in drawn]
    return "".join(parts) + (f'<div class="plots">{"".join(figures)}</div>' if figures else "")


def _cell(value: object) -> str:
    return _estimate(str(value)) if isinstance(value, Estimate) else escape(text_of(value))


def _figure(figure: Figure, title: str, caption: str) -> str:
    told = f"Plot: {title}. {caption}".strip()
    words = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure role="img" aria-label="{escape(told)}">{_svg(figure)}{words}</figure>'


def _svg(figure: Figure) -> str:
    """Draw a figure as an SVG element whose colours follow the page (light or dark)."""
    drawn = io.StringIO()
    # Text stays text (readable by machines, small), and the same figure gives the same page.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "report"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    svg = drawn.getvalue()[drawn.getvalue().index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # Numbered ids would occur once per plot of the page; hashed ones name equal contents.
    svg = re.sub(r' id="[A-Za-z0-9]+_\d+"', "", svg)
    svg = svg.replace("<svg ", '<svg aria-hidden="true" ', 1)
    for colour, variable in _COLOURS.items():
        svg = svg.replace(colour, variable)
    return svg
