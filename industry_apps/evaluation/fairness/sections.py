"""Fairness by group in words, tables and plots: sections of a report."""

from __future__ import annotations

from functools import partial

from industry_apps.evaluation.fairness.parts import OTHER
from industry_apps.evaluation.fairness.report import FOUR_FIFTHS, GroupFigures, GroupReport
from industry_apps.evaluation.sections import Section


def fairness_sections(report: GroupReport, title: str = "Fairness by group") -> tuple[Section, ...]:
    """Return a report on groups as sections of a `Report`: the two figures, then each attribute.

    Parameters
    ----------
    report : GroupReport
    title : str, default "Fairness by group"
        Begins every heading; tells a report before mitigation from one after it.
    """
    from industry_apps.evaluation.fairness import plots

    good = "decision False, outcome False"
    if report.favourable:
        good = "decision True, outcome True"
    text = (
        f"Favourable is: {good}. selection rate: share of favourable decisions. true and false "
        "positive rate: the same among rows with a favourable and with an adverse outcome. "
        "demographic parity ratio (disparate impact): lowest selection rate over the highest; "
        f"below {FOUR_FIFTHS} the four-fifths rule (29 CFR 1607.4 D) sees adverse impact. "
        "equalized odds difference: the larger of the spreads of the two rates; 0 is equal. "
        "calibration gap: mean predicted less observed share of True outcomes."
    )
    return (
        Section(title, text, report.summary()),
        *(
            Section(
                f"{title}: {attribute}",
                _in_words(found, report.fewest_rows),
                found.table(),
                (partial(plots.rates_plot, found), partial(plots.group_calibration_plot, found)),
            )
            for attribute, found in report.attributes.items()
        ),
    )


def _in_words(found: GroupFigures, fewest_rows: int) -> str:
    """Say which groups lie furthest apart, and which were pooled or left out."""
    words = []
    if len(found.compared) > 1:
        rates = {group: found.groups[group]["selection_rate"].value for group in found.compared}
        low, high = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
        words.append(f"Lowest selection rate: {low}; highest: {high}.")
    if found.pooled:
        groups = ", ".join(f"{group} ({rows} rows)" for group, rows in found.pooled.items())
        words.append(f"Pooled as {OTHER!r}: {groups}.")
    if left_out := [group for group in found.groups if group not in found.compared]:
        words.append(f"Too few rows to be compared: {', '.join(left_out)}.")
    rarer = {g: min(found.positives[g], found.rows[g] - found.positives[g]) for g in found.rows}
    if rare := [group for group in found.compared if rarer[group] < fewest_rows]:
        words.append(
            f"Fewer than {fewest_rows} rows of one outcome, so that the equalized odds "
            f"difference is less certain than its interval says: {', '.join(rare)}."
        )
    return " ".join(words)
