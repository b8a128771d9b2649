"""The report of one evaluation: a model beside its baselines and the published numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from industry_apps.data.cards import Published
from industry_apps.evaluation.comparison import Comparison
from industry_apps.evaluation.findings import Findings
from industry_apps.evaluation.intervals import BootstrapResult, Estimate
from industry_apps.evaluation.sections import aligned, describe, plain
from industry_apps.whole_file import whole_file

__all__ = ["Comparison", "Published", "Report"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Report(Findings):
    """Everything that one evaluation found out; prints as a table.

    Parameters
    ----------
    model : str
        What answered.
    metrics : mapping of str to Estimate
        The model's.
    application, data : str
        What was asked, and of which data; ``Application.evaluate`` fills them in.
    problem : Problem
        What the metrics mean, and which values of them are good.
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
    pooled : mapping of str to Pooled
        System -> its answers; "model" is the model. Those of several folds are judged as one.
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

    @classmethod
    def beside(
        cls, model: str, ours: BootstrapResult, others: Mapping[str, BootstrapResult], **found: Any
    ) -> Self:
        """Set a model beside its baselines, with paired margins.

        Parameters
        ----------
        model : str
        ours : BootstrapResult
            Of the model.
        others : mapping of str to BootstrapResult
            Baseline -> the same resamples.
        **found
            Other fields.
        """
        return cls(
            model=model,
            metrics=ours.estimates(),
            baselines={name: other.estimates() for name, other in others.items()},
            margins={name: ours.minus(other) for name, other in others.items()},
            **found,
        )

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
            title = "published for the same data"
            if not all(row.same_protocol for row in self.published):
                title += " (* above: measured with another protocol)"
            blocks.append([title, *(f"  {line}" for line in aligned(self.published_table()))])
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


def _numbers(row: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {name: value.to_dict() for name, value in row.items()}
