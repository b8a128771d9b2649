"""Decisions and calibration group by group: does the model treat people alike.

Letters: N rows, R resamples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation.fairness.parts import group_parts
from industry_apps.evaluation.fairness.tallies import Tally, disparities
from industry_apps.evaluation.intervals import Estimate
from industry_apps.evaluation.metrics import checked
from industry_apps.limits import integer, wrong_parameter

__all__ = ["FOUR_FIFTHS", "GroupFigures", "GroupReport", "bands", "group_report"]

#: A lower ratio of selection rates is generally regarded as evidence of adverse impact:
#: Uniform Guidelines on Employee Selection Procedures (1978), 29 CFR 1607.4 D.
FOUR_FIFTHS = 0.8

_Bools = npt.NDArray[np.bool_]
_Labels = list[Any] | npt.NDArray[Any] | pd.Series | pd.Categorical


@dataclass(frozen=True, eq=False)
class GroupFigures:
    """The figures of one attribute.

    Parameters
    ----------
    rows, positives : mapping of str to int
        Group -> number of rows, and of those with a True target.
    groups : mapping of str to mapping of str to Estimate
        Group -> figure -> value; undefined (NaN) where no row of the group tells it.
    summary : mapping of str to Estimate
        ``demographic_parity_ratio`` and ``equalized_odds_difference``; undefined where
        fewer than two groups are compared.
    compared : tuple of str
        The groups that the summary compares: those with enough rows.
    pooled : mapping of str to int
        Groups too small to stand alone, and their rows: together the group "other (few
        rows)", which is compared when it is large enough itself.
    """

    rows: Mapping[str, int]
    positives: Mapping[str, int]
    groups: Mapping[str, Mapping[str, Estimate]]
    summary: Mapping[str, Estimate]
    compared: tuple[str, ...]
    pooled: Mapping[str, int]

    def table(self) -> pd.DataFrame:
        """Return one line a group: its rows, and an `Estimate` for each figure."""
        lines = {group: {**self._counts(group), **row} for group, row in self.groups.items()}
        return pd.DataFrame.from_dict(lines, orient="index").rename_axis("group")

    def _counts(self, group: str) -> dict[str, int]:
        return {"rows": self.rows[group], "positives": self.positives[group]}

    def to_dict(self) -> dict[str, Any]:
        """Return the figures as JSON values."""
        return {
            "groups": {
                group: {**self._counts(group), **_numbers(row)}
                for group, row in self.groups.items()
            },
            "summary": _numbers(self.summary),
            "compared": list(self.compared),
            "pooled": dict(self.pooled),
        }


@dataclass(frozen=True, eq=False)
class GroupReport:
    """What :func:`group_report` found, attribute by attribute.

    Parameters
    ----------
    attributes : mapping of str to GroupFigures
        Attribute -> its figures.
    favourable : bool
        The decision, and the outcome, that is good for the person.
    fewest_rows : int
        Smaller groups were pooled.
    """

    attributes: Mapping[str, GroupFigures]
    favourable: bool
    fewest_rows: int

    def table(self, attribute: str) -> pd.DataFrame:
        """Return the figures of each group of an attribute, one line a group."""
        return self.attributes[attribute].table()

    def summary(self) -> pd.DataFrame:
        """Return the two figures of each attribute, one line an attribute."""
        lines = {name: dict(found.summary) for name, found in self.attributes.items()}
        return pd.DataFrame.from_dict(lines, orient="index").rename_axis("attribute")

    def differences(self, other: GroupReport) -> float:
        """Return the largest absolute difference of a value between two reports.

        Intervals are not compared. Where one value is undefined and the other is not, the
        difference is infinite.

        Parameters
        ----------
        other : GroupReport
            Of the same rows and attributes, for instance from the answers of the exported file.

        Raises
        ------
        ParameterError
            When the attributes or the rows of their groups differ.
        """
        mine, theirs = _values(self), _values(other)
        if unlike := sorted(mine.keys() ^ theirs.keys()):
            attribute, group, _ = unlike[0]
            raise ParameterError(
                f"Only one of the two reports has the attribute {attribute!r} with the group "
                f"{group!r}. Compare reports of the same rows and attributes."
            )
        return max(_apart(value, theirs[key]) for key, value in mine.items())

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "favourable": self.favourable,
            "fewest_rows": self.fewest_rows,
            "attributes": {name: found.to_dict() for name, found in self.attributes.items()},
        }


def group_report(
    target: npt.ArrayLike,
    probability: npt.ArrayLike,
    decision: npt.ArrayLike,
    groups: Mapping[str, _Labels],
    *,
    favourable: bool,
    fewest_rows: int = 30,
    resamples: int = 1000,
    seed: int = 0,
) -> GroupReport:
    """Compare decisions and calibration between the groups of protected attributes.

    The figures of a group: ``selection_rate`` (share of favourable decisions),
    ``true_positive_rate`` (the same among rows whose outcome is favourable),
    ``false_positive_rate`` (among the others), ``observed_rate`` (share of True targets),
    ``mean_probability``, ``calibration_gap`` (its excess over the observed rate) and
    ``calibration_error`` (in at most ten bins of at least `fewest_rows` rows). Shares have
    Wilson intervals, all else percentile intervals of a bootstrap within each group.

    The two summary figures are fairlearn's ``demographic_parity_ratio`` and
    ``equalized_odds_difference`` of the favourable decision; the latter leaves out groups
    that lack one of the outcomes, for which fairlearn would take a rate of 0. Both compare
    extremes, so on few rows chance alone moves them away from equality, and in resamples
    further than in the rows.

    Parameters
    ----------
    target : array-like of bool, shape (N,)
        The outcome that the probability is about (for instance: did not pay).
    probability : array-like of float, shape (N,)
        Of a True target, in [0, 1].
    decision : array-like of bool, shape (N,)
        True: decided as a True target calls for (for instance: refused).
    groups : mapping of str to array-like of shape (N,)
        Attribute -> label of the group of each row. No label (None, NaN, "") makes the
        group "missing". Ordered categories (see :func:`bands`) keep their order.
    favourable : bool
        Which decision and which outcome are good for the person: False where True means
        refused, True where it means invited.
    fewest_rows : int, default 30
        Smaller groups are pooled as "other (few rows)"; >= 1.
    resamples : int, default 1000
        R, >= 1.
    seed : int, default 0
        Same seed, same intervals.

    Returns
    -------
    GroupReport

    Raises
    ------
    SchemaError
        When lengths differ, a probability is not a number, or an attribute has one group only.
    ParameterError
        When there is no attribute, or a number is outside its limits.
    MissingExtraError
        When fairlearn is not installed.

    References
    ----------
    Hardt, M., Price, E. and Srebro, N. (2016). Equality of opportunity in supervised
    learning. NeurIPS, arXiv:1610.02413.
    Weerts, H. et al. (2023). Fairlearn: assessing and improving fairness of AI systems.
    JMLR 24(257), 1-8.
    Wilson, E. (1927). Probable inference, the law of succession, and statistical
    inference. JASA 22, 209-212, doi:10.1080/01621459.1927.10502953.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sex, risk = rng.choice(["f", "m"], 4000), rng.beta(2, 5, 4000)
    >>> refused = risk > np.where(sex == "f", 0.35, 0.40)
    >>> late = rng.random(4000) < risk
    >>> found = group_report(late, risk, refused, {"sex": sex}, favourable=False)
    >>> print(found.attributes["sex"].summary["demographic_parity_ratio"])
    0.93 [0.89, 0.97]
    """
    labels, scores = checked(target, probability)
    decided = np.asarray(decision).astype(bool)
    _check_shape("decision", decided.shape, labels.shape)
    if not groups:
        raise ParameterError("The 'groups' of group_report must name an attribute. Got none.")
    for name, value in (("fewest_rows", fewest_rows), ("resamples", resamples)):
        if not integer(1).holds(value):
            raise wrong_parameter("group_report", name, integer(1).words, value)
    found = {}
    for attribute, values in groups.items():
        categories = pd.Categorical(values)
        _check_shape(attribute, categories.shape, labels.shape)
        parts, pooled = group_parts(attribute, categories, fewest_rows)
        rng = np.random.default_rng(seed)  # figures of one attribute do not depend on others
        tallies = {
            group: Tally.drawn(
                labels[rows], scores[rows], decided[rows], fewest_rows, resamples, rng
            )
            for group, rows in parts.items()
        }
        counted = {group: each for group, each in tallies.items() if each.rows >= fewest_rows}
        found[attribute] = GroupFigures(
            rows={group: tally.rows for group, tally in tallies.items()},
            positives={group: tally.positives for group, tally in tallies.items()},
            groups={group: tally.figures(int(favourable)) for group, tally in tallies.items()},
            summary=disparities(list(counted.values()), int(favourable)),
            compared=tuple(counted),
            pooled=pooled,
        )
    return GroupReport(found, favourable, fewest_rows)


def bands(values: npt.ArrayLike, edges: Sequence[int]) -> pd.Categorical:
    """Cut a number into groups with names such as "18-25".

    Parameters
    ----------
    values : array-like of float, shape (N,)
        For instance ages in years; NaN stays without a group.
    edges : sequence of int
        Rising; each begins a group, and what lies below the first is one more.

    Returns
    -------
    pandas.Categorical
        Ordered.

    Raises
    ------
    ParameterError
        When the edges are not whole numbers that rise.

    Examples
    --------
    >>> list(bands([17, 18, 25.9, 26, 80], [18, 26, 60]))
    ['<18', '18-25', '18-25', '26-59', '60+']
    """
    steps = list(edges)
    if not steps or steps != sorted({int(edge) for edge in steps}):
        raise ParameterError(
            f"The 'edges' of bands must be whole numbers that rise, at least one. Got {steps}."
        )
    names = [f"<{steps[0]}", *(f"{a}-{b - 1}" for a, b in pairwise(steps)), f"{steps[-1]}+"]
    numbers = np.asarray(values, dtype=np.float64)
    return pd.cut(numbers, [-np.inf, *steps, np.inf], right=False, labels=names)


def _check_shape(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if found != expected:
        raise SchemaError(
            f"{name} must hold one value per row, shape {expected}. Got shape {found}."
        )


def _numbers(row: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {name: value.to_dict() for name, value in row.items()}


def _apart(one: float, other: float) -> float:
    if math.isnan(one) or math.isnan(other):
        return 0.0 if math.isnan(one) and math.isnan(other) else math.inf
    return abs(one - other)


def _values(report: GroupReport) -> dict[tuple[str, str, str], float]:
    """Return all values, and the rows, by attribute, group and figure."""
    found: dict[tuple[str, str, str], float] = {}
    for attribute, figures in report.attributes.items():
        for figure, value in figures.summary.items():
            found[attribute, "", figure] = value.value
        for group, row in figures.groups.items():
            found[attribute, group, "rows"] = figures.rows[group]
            found |= {(attribute, group, figure): value.value for figure, value in row.items()}
    return found
