"""Numbers and categories cut into few bins, each with its weight of evidence.

The bins are the best there are: of all ways to join fine bins that keep the limits, the one
with the highest information value is found by dynamic programming.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import LevelSteps, NumberSteps
from industry_apps.features.sources import Source
from industry_apps.recipes.decision.evidence import Evidence, Floats, Outcomes, summed
from industry_apps.recipes.decision.point_masses import point_masses

if TYPE_CHECKING:
    import pandas as pd

    from industry_apps.schema import Column

#: Fine bins from which the bins of an attribute are joined.
_FINE_BINS = 50
#: Levels of a category that are named one by one where a bin is put into words.
_LEVELS_NAMED = 8
_MISSING, _OTHER = "missing", "any other"
_TRUTH = {"less than 1": "no", "1 or more": "yes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BinLimits:
    """What bins must keep to.

    Parameters
    ----------
    most : int
        Bins at most, at least 1.
    smallest : float
        Records, or the sum of their weights, of a bin, at least.
    """

    most: int
    smallest: float


def best_bins(fine: Evidence, limits: BinLimits, direction: int) -> tuple[NDArray[np.int64], float]:
    """Join neighbouring fine bins for the highest information value.

    Exact: with the last bin as its state, the programme sees every pair of neighbours that
    the direction is about. One bin is always allowed.

    Parameters
    ----------
    fine : Evidence
        Fine bins in their order, at least one.
    limits : BinLimits
    direction : {1, -1, 0}
        1: the risk never falls from a bin to the next, so the weight of evidence never
        rises; -1: the contrary; 0: no matter.

    Returns
    -------
    ndarray of int of shape [bins]
        The first fine bin of each bin.
    float
        The information value.

    References
    ----------
    Navas-Palencia 2020, "Optimal binning: mathematical programming formulation",
    arXiv:2001.08025, states the problem; Fisher 1958, "On grouping for maximum homogeneity",
    doi:10.1080/01621459.1958.10501479, solves it for bins without a direction.

    Examples
    --------
    >>> good, bad = np.array([50.0, 48.0, 30.0, 31.0]), np.array([5.0, 6.0, 20.0, 19.0])
    >>> fine = Evidence(good, bad, good.sum(), bad.sum(), 1.0)
    >>> best_bins(fine, BinLimits(most=2, smallest=20), direction=1)[0]
    array([0, 2])
    """
    joined = _joined(fine)
    weight, information = joined.weight, joined.information  # [first, last]
    count = len(fine.good)
    forward = np.triu(np.ones((count, count), dtype=bool))
    allowed = forward & (joined.size >= limits.smallest)
    value = np.full((count, count), -np.inf)  # of the best bins up to and with first..last
    value[0] = np.where(allowed[0], information[0], -np.inf)
    value[0, -1] = information[0, -1]
    steps: list[NDArray[np.int64]] = []  # number of bins -> first of the bin before first..last
    best, found = information[0, -1], (0, 0)
    for more in range(1, min(limits.most, count)):
        longer = np.full_like(value, -np.inf)
        before = np.zeros((count, count), dtype=np.int64)
        for first in range(1, count):
            earlier = value[:first, first - 1]
            order = direction * (weight[:first, first - 1, None] - weight[first])
            reached = np.where(order >= 0, earlier[:, None], -np.inf)  # [first before, last]
            before[first] = reached.argmax(axis=0)
            longer[first] = np.where(
                allowed[first], reached.max(axis=0) + information[first], -np.inf
            )
        value = longer
        steps.append(before)
        if value[:, -1].max() > best + 1e-12:
            best, found = value[:, -1].max(), (more, int(value[:, -1].argmax()))
    more, first = found
    firsts, last = [first], count - 1
    for before in steps[:more][::-1]:
        first, last = int(before[first, last]), first - 1
        firsts.append(first)
    return np.array(firsts[::-1]), float(best)


def _joined(fine: Evidence) -> Evidence:
    """Evidence of every run of fine bins -> [first, last]."""

    def runs(counts: Floats) -> Floats:
        ends = np.cumsum(counts)
        return np.maximum(ends - (ends - counts)[:, None], 0.0)

    return fine.of(runs(fine.good), runs(fine.bad))


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column, or a number derived from columns, in bins.

    Parameters
    ----------
    steps : NumberSteps or LevelSteps
        Its values are the numbers of the bins.
    words : tuple of str
        What each bin holds; of a number "missing" stands behind the intervals, and behind it
        stand the numbers with a bin of their own; the last two of a category
        are "missing" and "any other".
    evidence : Evidence
        Of the bins.
    """

    steps: NumberSteps | LevelSteps
    words: tuple[str, ...]
    evidence: Evidence

    @property
    def name(self) -> str:
        """Name of the attribute, for people."""
        return self.steps.names[0]

    @property
    def information(self) -> float:
        """Information value."""
        return float(self.evidence.information.sum())

    def valued(self, values: Floats) -> NumberSteps | LevelSteps:
        """The steps with the value of each bin -> encoder.

        Parameters
        ----------
        values : ndarray of shape [bins]
        """
        return self.steps.mapped(lambda number: float(values[int(number)]))

    def table(self, points: Floats, column: Column | None) -> pd.DataFrame:
        """One row for each bin that can occur.

        Parameters
        ----------
        points : ndarray of shape [bins]
        column : Column, optional
            The raw column, which may rule out that values are missing or new.
        """
        import pandas as pd

        evidence = self.evidence
        truth = _TRUTH if column is not None and column.kind == "boolean" else {}
        with np.errstate(invalid="ignore"):  # no rate where nothing is
            bad_rate = evidence.bad / evidence.size
        table = pd.DataFrame(
            {
                "attribute": self.name,
                "bin": [truth.get(words, words) for words in self.words],
                "rows": np.rint(evidence.size).astype(np.int64),
                "share": evidence.size / evidence.size.sum(),
                "bad_rate": bad_rate,
                "weight_of_evidence": evidence.weight,
                "information_value": evidence.information,
                "points": points,
            }
        )
        return table[(evidence.size > 0) | ~table["bin"].isin(self._ruled_out(column))]

    def _ruled_out(self, column: Column | None) -> list[str]:
        if column is None:
            return []
        known = isinstance(self.steps, LevelSteps) and set(column.categories) <= {
            *self.steps.levels
        }
        closed = [_OTHER] if column.categories and known else []
        return closed if column.nullable else [*closed, _MISSING]


def number_attribute(
    source: Source,
    numbers: NDArray[Any],
    outcomes: Outcomes,
    limits: BinLimits,
    directions: Sequence[int] = (1, -1),
    codes: Sequence[float] = (),
) -> Attribute:
    """Cut a number into the best bins; where it is missing is a bin of its own.

    Parameters
    ----------
    source : Source
    numbers : ndarray of shape [rows]
        Of float32, or of float64 where the column has an offset; NaN where missing.
    outcomes : Outcomes
    limits : BinLimits
        Not for the bin of the missing, which is as small as it is.
    directions : sequence of {1, -1, 0}
        As in :func:`best_bins`; the best of them is taken. One alone is somebody's wish, which
        only codes are left out of.
    codes : sequence of float
        Numbers that stand for a missing value.

    Notes
    -----
    A point mass (:func:`point_masses`) and a code have a bin of their own, which is as small as
    it is, and which no direction is about; a code that training has not seen is missing.
    """
    present, kind = set(np.unique(numbers).tolist()), numbers.dtype.type
    named = [float(kind(code)) for code in codes]
    unnamed = numbers[~np.isnan(numbers) & ~np.isin(numbers, named)]
    masses = point_masses(unnamed, codes_only=len(directions) == 1)
    points = [*(code for code in named if code in present), *masses]
    inner = np.where(np.isin(numbers, points), kind(np.nan), numbers)
    known = np.sort(inner[~np.isnan(inner)])
    # Quantiles that are values themselves: 0, 1 and 30 days stay what people know.
    places = np.unique(np.arange(1, _FINE_BINS) * len(known) // _FINE_BINS)
    edges = np.unique(known[places[places < len(known)]])
    edges = edges[np.isfinite(edges) & (edges > known[:1])]
    double = kind is np.float64
    bins = tuple(range(len(edges) + 1))
    fine = NumberSteps(source, tuple(edges.tolist()), bins, len(bins), double=double)
    every = outcomes.in_bins(fine.apply(inner), len(edges) + 2)
    counted = every.of(every.good[:-1], every.bad[:-1])
    firsts, _ = max(
        (best_bins(counted, limits, direction) for direction in directions),
        key=lambda found: found[1],
    )
    kept = tuple(edges[firsts[1:] - 1].tolist())
    count = len(firsts)
    unseen = [code for code in named if code not in present]
    steps = NumberSteps(
        source,
        kept,
        tuple(range(count)),
        count,
        points=(*points, *unseen),
        point_values=(*range(count + 1, count + 1 + len(points)), *[count] * len(unseen)),
        double=double,
    )
    exactly = (f"exactly {text}" for text in _texts(points, kind))
    words = (*_intervals(_texts(kept, kind)), _MISSING, *exactly)
    return Attribute(steps, words, outcomes.in_bins(steps.apply(numbers), len(words)))


def category_attribute(
    column: str, texts: NDArray[np.object_], outcomes: Outcomes, limits: BinLimits
) -> Attribute:
    """Group the levels of a category into the best bins; the missing and others have their own.

    Levels too rare to be told apart are one. In the order of their risk the best groups are
    neighbours.

    Parameters
    ----------
    column : str
    texts : ndarray of shape [rows]
        "" where missing.
    outcomes : Outcomes
    limits : BinLimits
        Not for the bin of the missing, which is as small as it is.

    References
    ----------
    Fisher 1958, as in :func:`best_bins`: why sorting first loses nothing.
    """
    levels = tuple(sorted({*texts.tolist()} - {""}))
    count = len(levels)
    single = LevelSteps(column, levels, tuple(range(count)), count, count)
    every = outcomes.in_bins(single.apply(texts), count + 1)
    known = every.of(every.good[:-1], every.bad[:-1])
    rare = known.size < limits.smallest / 2
    pooled = every.of(known.good[rare].sum(), known.bad[rare].sum())
    risk = np.where(rare, -pooled.weight, -known.weight)
    rank = np.unique(risk, return_inverse=True)[1]  # levels of the same risk are one
    size = summed(rank, known.size)
    middle = (np.cumsum(size) - size / 2) / max(size.sum(), 1e-9)
    fine = np.unique((middle * _FINE_BINS).astype(np.int64), return_inverse=True)[1][rank]
    counted = every.of(summed(fine, known.good), summed(fine, known.bad))
    firsts, _ = best_bins(counted, limits, direction=0)
    bins = np.searchsorted(firsts, fine, side="right") - 1
    steps = LevelSteps(
        column, levels, tuple(bins.tolist()), other=len(firsts) + 1, missing=len(firsts)
    )
    named = np.array(levels, dtype=object)
    words = (*(_listed(named[bins == number]) for number in range(len(firsts))), _MISSING, _OTHER)
    return Attribute(steps, words, outcomes.in_bins(steps.apply(texts), len(words)))


def _texts(numbers: Sequence[float], kind: type) -> list[str]:
    return [str(kind(number)).removesuffix(".0") for number in numbers]


def _intervals(texts: Sequence[str]) -> list[str]:
    if not texts:
        return ["any number"]
    between = [f"{low} to less than {high}" for low, high in pairwise(texts)]
    return [f"less than {texts[0]}", *between, f"{texts[-1]} or more"]


def _listed(levels: Sequence[str]) -> str:
    named, more = ", ".join(levels[:_LEVELS_NAMED]), len(levels) - _LEVELS_NAMED
    return f"{named} and {more} more" if more > 0 else named or "any level"
