"""The report of one evaluation: a model beside its baselines and the published numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from industry_apps.data.cards import Published
from industry_apps.errors import ParameterError
from industry_apps.evaluation.decisions import DecisionCurves
from industry_apps.evaluation.grouped import GroupedAnswers
from industry_apps.evaluation.intervals import Estimate, rounded
from industry_apps.evaluation.meanings import LOWER_IS_BETTER, NO_DIRECTION
from industry_apps.evaluation.sections import Section, plain, spaced
from industry_apps.whole_file import whole_file

__all__ = ["Comparison", "Published", "Report"]

_NO_INTERVAL_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric of the model against the best baseline.

    Parameters
    ----------
    metric, baseline : str
        Which metric, and which baseline is best in it.
    verdict : str
        "beats", "does not beat" or "cannot be told apart from".
    margin : Estimate or None
        Model minus baseline, paired; None when only the two intervals were known.
    """

    metric: str
    baseline: str
    verdict: str
    margin: Estimate | None

    def __str__(self) -> str:
        by = "" if self.margin is None else f" (difference {self.margin})"
        return f"{self.verdict} {self.baseline}{by}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """Everything that one evaluation found out; prints as a table.

    Parameters
    ----------
    application, data, model : str
        What was asked, of which data, and what answered.
    metrics : mapping of str to Estimate
        The model's.
    split : mapping of str to mapping
        Name of the part -> description (rows, positives, dates).
    baselines : mapping of str to mapping of str to Estimate
        Baseline -> the same metrics.
    margins : mapping of str to mapping of str to Estimate
        Baseline -> model minus baseline, paired (``BootstrapResult.minus``). Where it is
        missing, a verdict needs intervals that do not touch.
    published : tuple of Published
        What others reached.
    parity : mapping, optional
        The certificate of the exported file.
    curves : DecisionCurves, optional
        Rows for the plots of a decision and for its headline.
    sections : tuple of Section
        What only this task has: further tables, words and figures.
    groups : mapping of str to GroupedAnswers
        System -> its answers beside protected groups, for sections on fairness.
    headline_text : str
        The finding in one sentence, where it is not the one about alerts.
    notes : tuple of str
        What a reader has to know to read the numbers rightly.

    Raises
    ------
    ParameterError
        When two sections have the same title.

    Examples
    --------
    >>> report = Report(
    ...     application="example",
    ...     data="rows",
    ...     model="trees",
    ...     metrics={"auroc": Estimate(0.91, 0.89, 0.93)},
    ...     baselines={"prevalence": {"auroc": Estimate(0.5, 0.5, 0.5)}},
    ... )
    >>> print(report)
    example on rows
    model  trees
    <BLANKLINE>
    metric  model              prevalence
    auroc   0.91 [0.89, 0.93]  0.500 [0.500, 0.500]
    <BLANKLINE>
    against the best baseline
      auroc  beats prevalence
    """

    application: str
    data: str
    model: str
    metrics: Mapping[str, Estimate]
    split: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    margins: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    parity: Mapping[str, Any] | None = None
    curves: DecisionCurves | None = field(default=None, repr=False)
    sections: tuple[Section, ...] = field(default=(), repr=False)
    groups: Mapping[str, GroupedAnswers] = field(default_factory=dict, repr=False)
    headline_text: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        titles = [section.title for section in self.sections]
        if twice := {title for title in titles if titles.count(title) > 1}:
            raise ParameterError(
                f"The 'sections' of a Report must have different titles. Got {sorted(twice)} more "
                "than once; give each its own."
            )

    def all_sections(self) -> tuple[Section, ...]:
        """Return the sections, those on fairness made of the answers to groups."""
        return (*self.sections, *self._fairness)

    @cached_property
    def _fairness(self) -> tuple[Section, ...]:
        return tuple(
            section
            for system, answers in self.groups.items()
            for section in answers.report().sections(f"Fairness of the {system}")
        )

    def comparisons(self) -> tuple[Comparison, ...]:
        """Compare the model, metric by metric, with the baseline that is best in it."""
        return tuple(
            self._compare(metric, value)
            for metric, value in self.metrics.items()
            if metric not in NO_DIRECTION
            and any(metric in baseline for baseline in self.baselines.values())
        )

    def _compare(self, metric: str, mine: Estimate) -> Comparison:
        sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
        others = {name: row[metric] for name, row in self.baselines.items() if metric in row}
        best = max(others, key=lambda name: sign * others[name].value)
        margin = self.margins.get(best, {}).get(metric)
        if margin is not None:
            least, most = sorted((sign * margin.low, sign * margin.high))
        else:
            theirs = others[best]
            least, most = mine.low - theirs.high, mine.high - theirs.low
            least, most = sorted((sign * least, sign * most))
        verdict = "cannot be told apart from"
        if least > 0:
            verdict = "beats"
        elif most < 0:
            verdict = "does not beat"
        return Comparison(metric, best, verdict, margin)

    def headline(self) -> str:
        """Return the finding in one sentence."""
        if self.headline_text:
            return self.headline_text
        if self.curves is None:
            name, value = next(iter(self.metrics.items()))
            return f"{self.model} reaches {name} {value} on {self.data}."
        curves = self.curves
        target = np.asarray(curves.target, dtype=bool)
        alerts, positives = int(curves.alerts.sum()), int(target.sum())
        right = int((curves.alerts & target).sum())
        share = f"; {right / alerts:.0%} of the alerts are right" if alerts else ""
        return (
            f"At the threshold {curves.threshold:.3g} the model raises {spaced(alerts)} alerts on "
            f"{spaced(target.size)} rows and catches {spaced(right)} of {spaced(positives)} "
            f"positives{share}."
        )

    def metric_table(self) -> list[list[str]]:
        """Return the table of metrics as text cells, header first."""
        systems = {"model": self.metrics, **self.baselines}
        table = [["metric", *systems]]
        for metric in self.metrics:
            name = f"{metric} (lower)" if metric in LOWER_IS_BETTER else metric
            table.append([name, *(str(row.get(metric, "-")) for row in systems.values())])
        best = {metric: self._best_published(metric) for metric in self.metrics}
        if any(best.values()):
            table[0].append("published")
            for line, metric in zip(table[1:], self.metrics, strict=True):
                line.append(self.published_value(best[metric]))
        return table

    def _best_published(self, metric: str) -> Published | None:
        sign = -1.0 if metric in LOWER_IS_BETTER else 1.0
        rows = [row for row in self.published if row.metric == metric]
        return max(rows, key=lambda row: (row.same_protocol, sign * row.value), default=None)

    def published_value(self, row: Published | None) -> str:
        """Return a published number no finer than our interval; * marks another protocol."""
        if row is None:
            return "-"
        ours = self.metrics.get(row.metric)
        text = rounded(row.value, ours.digits if ours else _NO_INTERVAL_DIGITS)
        return text if row.same_protocol else f"{text} *"

    def split_lines(self) -> list[tuple[str, str]]:
        """Return each part of the split and its description in words."""
        return [(part, describe(found)) for part, found in self.split.items()]

    def __str__(self) -> str:
        head = [f"{self.application} on {self.data}"]
        head += aligned([["model", self.model], *map(list, self.split_lines())])
        if self.curves is not None or self.headline_text:
            head.append(self.headline())
        blocks = [head, aligned(self.metric_table())]
        if found := self.comparisons():
            lines = aligned([[f"  {c.metric}", str(c)] for c in found])
            blocks.append(["against the best baseline", *lines])
        blocks += [
            [part for part in (section.title, section.text) if part] + aligned(section.cells())
            for section in self.all_sections()
        ]
        if self.published:
            rows = [
                [f"  {row.system}", row.metric, self.published_value(row), row.source]
                for row in self.published
            ]
            title = "published"
            if not all(row.same_protocol for row in self.published):
                title += " (* measured with another protocol)"
            blocks.append([title, *aligned(rows)])
        if self.parity:
            blocks.append([f"exported file: {describe(self.parity)}"])
        if self.notes:
            blocks.append([f"note: {note}" for note in self.notes])
        return "\n\n".join("\n".join(block) for block in blocks)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as the benchmark's JSON object lays it down (without curves)."""
        return {
            "application": self.application,
            "data": self.data,
            "split": {part: dict(found) for part, found in self.split.items()},
            "model": self.model,
            "metrics": _numbers(self.metrics),
            "baselines": {name: _numbers(row) for name, row in self.baselines.items()},
            "comparisons": [
                {
                    "metric": found.metric,
                    "baseline": found.baseline,
                    "verdict": found.verdict,
                    "margin": found.margin and found.margin.to_dict(),
                }
                for found in self.comparisons()
            ],
            "published": [asdict(row) for row in self.published],
            "parity": None if self.parity is None else dict(self.parity),
            "sections": {
                section.title: {"text": section.text, "table": section.records()}
                for section in self.all_sections()
            },
            "notes": list(self.notes),
        }

    def to_json(self, path: str | Path | None = None) -> str:
        """Return the report as JSON, and write it to `path` when one is given.

        Parameters
        ----------
        path : str or Path, optional
            File to (over)write, whole or not at all.
        """
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=plain)
        if path is not None:
            with whole_file(Path(path)) as aside:
                aside.write_text(text + "\n", encoding="utf-8")
        return text

    def to_html(self, path: str | Path) -> Path:
        """Write one page that needs nothing else: no network, no other file, no script.

        Parameters
        ----------
        path : str or Path
            File to (over)write, whole or not at all.

        Returns
        -------
        Path
            The file.
        """
        from industry_apps.evaluation.page import page

        with whole_file(Path(path)) as aside:
            aside.write_text(page(self), encoding="utf-8")
        return Path(path)

    def _repr_html_(self) -> str:
        from industry_apps.evaluation.page import fragment

        return fragment(self)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines with aligned columns.

    Examples
    --------
    >>> aligned([["a", "1"], ["long", "2"]])
    ['a     1', 'long  2']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def describe(found: Mapping[str, Any]) -> str:
    """Return a mapping in words: counts before their name, anything else after it.

    Examples
    --------
    >>> describe({"rows": 58264, "from": "2018-08-08", "share": 0.00661})
    '58 264 rows, from 2018-08-08, share 0.00661'
    """
    words = []
    for key, value in found.items():
        name = key.replace("_", " ")
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
            words.append(f"{spaced(int(value))} {name}")
        elif isinstance(value, (float, np.floating)):
            words.append(f"{name} {value:.3g}")
        else:
            words.append(f"{name} {value}")
    return ", ".join(words)


def _numbers(row: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {name: value.to_dict() for name, value in row.items()}
