"""Reports of many splits of the same rows, or of many seeds on one split, as one.

Figures are means over the runs. Test parts of different splits share rows, and so do their
training parts, so that the runs vary less than independent ones would; the intervals are
corrected for it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from industry_apps.errors import ParameterError
from industry_apps.evaluation.fairness.answers import GroupedAnswers
from industry_apps.evaluation.intervals import Estimate
from industry_apps.evaluation.report import Report
from industry_apps.evaluation.sections import Section

_LEVEL = 0.95
#: The model among the systems whose answers a report holds.
_MODEL = "model"


def resampled_mean(values: Sequence[float], test_share: float) -> Estimate:
    """Mean of a figure over random splits of the same rows, with a corrected interval.

    Parameters
    ----------
    values : sequence of float
        One for each run; at least two.
    test_share : float
        Share of the rows that is tested in one run, in (0, 1).

    References
    ----------
    Nadeau, C. and Bengio, Y. (2003). Inference for the generalization error. Machine Learning
    52, 239-281, doi:10.1023/A:1024068626366: the corrected resampled t interval.

    Examples
    --------
    >>> print(resampled_mean([0.78, 0.80, 0.79, 0.81], test_share=0.1))
    0.80 [0.77, 0.82]
    """
    from scipy.stats import t

    found = np.asarray(values, dtype=np.float64)
    runs = len(found)
    if runs < 2:
        raise ParameterError("A mean over splits needs two runs or more. Use more repeats.")
    spread = math.sqrt((1 / runs + test_share / (1 - test_share)) * found.var(ddof=1))
    wide = float(t.ppf((1 + _LEVEL) / 2, runs - 1)) * spread
    mean = float(found.mean())
    return Estimate(mean, mean - wide, mean + wide)


def merged(reports: Sequence[Report], *, test_share: float, rows_once: int) -> Report:
    """Merge the reports of all runs of a data set that is split many times.

    Parameters
    ----------
    reports : sequence of Report
        One for each run, in order.
    test_share : float
        Share of the rows that is tested in one run, in (0, 1).
    rows_once : int
        So many of the first runs test each row once at most: their rows are joined for
        the figures by group.

    Returns
    -------
    Report
        Without curves and headline: each run has its own. Sections are those of the first run,
        and so are notes, which say so where other runs differ. Where reports hold their answers,
        figures are of those of all folds together.
    """
    first, tested = reports[0], reports[:rows_once]
    if first.pooled:
        return _of_all_folds(tested)

    def means(rows: Sequence[Mapping[str, Estimate]]) -> dict[str, Estimate]:
        return {
            name: resampled_mean([row[name].value for row in rows], test_share) for name in rows[0]
        }

    def differences(baseline: str) -> dict[str, Estimate]:
        theirs = first.baselines[baseline]
        return {
            name: resampled_mean(
                [r.metrics[name].value - r.baselines[baseline][name].value for r in reports],
                test_share,
            )
            for name in first.metrics
            if name in theirs
        }

    titles = [section.title for section in first.sections]
    return replace(
        first,
        model=_models(reports),
        metrics=means([report.metrics for report in reports]),
        baselines={b: means([r.baselines[b] for r in reports]) for b in first.baselines},
        margins={baseline: differences(baseline) for baseline in first.baselines},
        curves=None,
        headline_text="",
        groups={
            system: _joined([r.groups[system] for r in tested if system in r.groups])
            for system in dict.fromkeys(name for r in tested for name in r.groups)
        },
        notes=(
            f"Means over {len(reports)} random splits of the same rows, with corrected resampled "
            "t intervals (Nadeau and Bengio 2003).",
            *(f"{title}: of the first of these runs." for title in titles),
            *_notes(reports),
        ),
    )


def _of_all_folds(reports: Sequence[Report]) -> Report:
    """The report of the answers of all folds of one repeat, each row answered once."""
    first = reports[0]
    found = {
        name: answers.joined([report.pooled[name] for report in reports[1:]]).bootstrap()
        for name, answers in first.pooled.items()
        if all(name in report.pooled for report in reports)
    }
    ours = found.pop(_MODEL)
    others = {name: result.estimates() for name, result in found.items()}
    return replace(
        first,
        model=_models(reports),
        metrics=ours.estimates(),
        baselines=others,
        margins={name: ours.minus(result) for name, result in found.items()},
        curves=None,
        headline_text="",
        pooled={},
        notes=(
            f"Of the answers of {len(reports)} folds together, each row answered by the model that "
            "has not learned from it; intervals are over what is kept in one fold.",
            *(f"{section.title}: of the first of these folds." for section in first.sections),
            *_notes(reports),
        ),
    )


def over_seeds(reports: Sequence[Report]) -> Report:
    """Merge the reports of several trainings on one split, each with a seed of its own.

    Parameters
    ----------
    reports : sequence of Report
        At least one; all of the same test rows.

    Returns
    -------
    Report
        Values and ends of intervals are means over the seeds: an interval says what other test
        rows would do. What other seeds do is a section of its own. Curves and the other
        sections are those of the first.
    """
    first = reports[0]

    def means(rows: Sequence[Mapping[str, Estimate]]) -> dict[str, Estimate]:
        ends = ("value", "low", "high")
        return {
            name: Estimate(
                *(float(np.mean([getattr(row[name], end) for row in rows])) for end in ends)
            )
            for name in rows[0]
        }

    spread = [(name, *(report.metrics[name].value for report in reports)) for name in first.metrics]
    header = ("metric", *(f"seed {number}" for number in range(1, len(reports) + 1)))
    return replace(
        first,
        model=_models(reports),
        metrics=means([report.metrics for report in reports]),
        baselines={b: means([r.baselines[b] for r in reports]) for b in first.baselines},
        margins={b: means([r.margins[b] for r in reports]) for b in first.margins},
        sections=(
            Section("Seeds", "The same split, trained anew.", [header, *spread]),
            *first.sections,
        ),
        headline_text="",
        notes=(
            f"Means over {len(reports)} trainings with seeds of their own, on one split; an "
            "interval is the mean of theirs, over test rows.",
            *(f"{section.title}: of the first of these." for section in first.sections),
            *_notes(reports),
        ),
    )


def _models(reports: Sequence[Report]) -> str:
    """Name of the model, or of all that answered in some run."""
    return " or ".join(dict.fromkeys(report.model for report in reports))


def _notes(reports: Sequence[Report]) -> list[str]:
    """Notes of the first run, those marked that are not the same in all."""
    return [
        note
        if all(note in report.notes for report in reports)
        else f"{note} (Of the first run; others differ.)"
        for note in reports[0].notes
    ]


def _joined(parts: Sequence[GroupedAnswers]) -> GroupedAnswers:
    return parts[0].joined(parts[1:])
