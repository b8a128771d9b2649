"""What one evaluation found out: figures beside those of baselines and of others, by metric."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from industry_apps.data.cards import Published
from industry_apps.errors import ParameterError
from industry_apps.evaluation.comparison import Comparison
from industry_apps.evaluation.decisions import DecisionCurves
from industry_apps.evaluation.fairness.answers import GroupedAnswers
from industry_apps.evaluation.fairness.sections import fairness_sections
from industry_apps.evaluation.intervals import Estimate, rounded
from industry_apps.evaluation.pooled import Pooled
from industry_apps.evaluation.problems import Problem
from industry_apps.evaluation.sections import Section, describe, spaced

_NO_INTERVAL_DIGITS = 3
#: Events, or rows, below which answers that are all right tell too little.
FEWEST_EVENTS = 50
_ALL_BUT_RIGHT = 0.01
_UNDECLARED = Problem(name="")


@dataclass(frozen=True, eq=False, kw_only=True)
class Findings:
    """What a `Report` shows; see there for the fields."""

    model: str
    metrics: Mapping[str, Estimate]
    application: str = ""
    data: str = ""
    problem: Problem = _UNDECLARED
    split: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    margins: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    parity: Mapping[str, Any] | None = None
    curves: DecisionCurves | None = field(default=None, repr=False)
    sections: tuple[Section, ...] = field(default=(), repr=False)
    groups: Mapping[str, GroupedAnswers] = field(default_factory=dict, repr=False)
    pooled: Mapping[str, Pooled] = field(default_factory=dict, repr=False)
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
            for section in fairness_sections(answers.report(), f"Fairness of the {system}")
        )

    def comparisons(self) -> tuple[Comparison, ...]:
        """Compare the model, metric by metric, with the baseline that is best in it."""
        return tuple(
            self._compare(metric, value)
            for metric, value in self.metrics.items()
            if self.problem.has_direction(metric)
            and any(metric in baseline for baseline in self.baselines.values())
        )

    def _compare(self, metric: str, mine: Estimate) -> Comparison:
        sign = self.problem.sign(metric)
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

    def separated(self) -> str:
        """Say that every baseline that learns is all but right, or nothing.

        All but right is an error of at most a hundredth of that of the trivial baseline: an area
        under the curve of 0.995.
        """
        trivial = self.problem.trivial_of(self.baselines)
        learned = [name for name in self.baselines if name != trivial]
        if trivial is None or not learned or self._judged_on() < FEWEST_EVENTS:
            return ""
        for metric in self.problem.metrics:
            if metric.best is None or any(metric.name not in b for b in self.baselines.values()):
                continue
            errors = {n: abs(b[metric.name].value - metric.best) for n, b in self.baselines.items()}
            if all(errors[name] <= _ALL_BUT_RIGHT * errors[trivial] for name in learned):
                return (
                    f"Every baseline separates the outcomes ({metric.name} of nearly "
                    f"{metric.best:g}: {', '.join(learned)}): either the question is easy, or the "
                    "columns tell what is known only after the outcome. Look at the columns, and "
                    "leave such out of the table, or name them in 'ignore' where there is one."
                )
        return ""

    def _judged_on(self) -> int:
        """Records of the test part; of two outcomes, those with the rarer one."""
        test = self.split.get("test", {})
        count = next((each for each in test.values() if isinstance(each, int)), 0)
        events = test.get("positives", test.get("events"))
        return count if events is None else min(events, count - events)

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
            name = f"{metric} (lower)" if self.problem.sign(metric) < 0 else metric
            table.append([name, *(str(row.get(metric, "-")) for row in systems.values())])
        best = {metric: self._best_published(metric) for metric in self.metrics}
        if any(best.values()):
            table[0].append("published")
            for line, metric in zip(table[1:], self.metrics, strict=True):
                line.append(self.published_value(best[metric]))
        return table

    def _best_published(self, metric: str) -> Published | None:
        sign = self.problem.sign(metric)
        rows = [row for row in self.published if row.metric == metric]
        return max(rows, key=lambda row: (row.same_protocol, sign * row.value), default=None)

    def published_value(self, row: Published | None) -> str:
        """Return a published number no finer than our interval; * marks another protocol."""
        if row is None:
            return "-"
        text = self._published_number(row)
        return text if row.same_protocol else f"{text} *"

    def _published_number(self, row: Published) -> str:
        ours = self.metrics.get(row.metric)
        return ours.written(row.value) if ours else rounded(row.value, _NO_INTERVAL_DIGITS)

    def published_table(self) -> list[list[str]]:
        """Return what others reached on the same data as text cells, header first."""
        rows = [
            [
                row.system,
                row.metric,
                self._published_number(row),
                "yes" if row.same_protocol else "no",
                row.source,
            ]
            for row in self.published
        ]
        return [["system", "metric", "value", "same protocol", "source"], *rows]

    def split_lines(self) -> list[tuple[str, str]]:
        """Return each part of the split and its description in words."""
        return [(part, describe(found)) for part, found in self.split.items()]
