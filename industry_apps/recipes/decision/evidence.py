"""The weight of evidence of some bins: how the good and the bad outcomes spread over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How the good and the bad outcomes spread over some bins.

    Parameters
    ----------
    good, bad : ndarray of shape [bins]
        Records in each bin, or the sums of their weights.
    all_good, all_bad : float
        The same over all bins, > 0.
    smoothing : float
        Records, spread as all records are, that are added to each bin.

    References
    ----------
    Good 1950, "Probability and the weighing of evidence"; Siddiqi 2006, "Credit risk
    scorecards".

    Examples
    --------
    >>> evidence = Evidence(np.array([90.0, 10.0]), np.array([10.0, 10.0]), 100.0, 20.0, 1.0)
    >>> evidence.weight.round(2)
    array([ 0.58, -1.55])
    >>> evidence.information.round(2)
    array([0.23, 0.62])
    """

    good: Floats
    bad: Floats
    all_good: float
    all_bad: float
    smoothing: float

    @property
    def size(self) -> Floats:
        """Records, or the sum of their weights, in each bin."""
        return self.good + self.bad

    @property
    def weight(self) -> Floats:
        """Weight of evidence for the good outcome: the log of the ratio of the two shares.

        Smoothing draws it to 0, which it is for an empty bin.
        """
        extra = self.smoothing / (self.all_good + self.all_bad)
        return np.log((self.good / self.all_good + extra) / (self.bad / self.all_bad + extra))

    @property
    def information(self) -> Floats:
        """What each bin adds to the information value; never negative."""
        return (self.good / self.all_good - self.bad / self.all_bad) * self.weight

    def of(self, good: Floats, bad: Floats) -> Evidence:
        """The same outcomes in other bins."""
        return Evidence(good, bad, self.all_good, self.all_bad, self.smoothing)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the records that bins are learned from.

    Parameters
    ----------
    bad : ndarray of bool of shape [rows]
        Both outcomes occur.
    weight : ndarray of shape [rows]
        How much each record counts.
    smoothing : float
        As in :class:`Evidence`, > 0.
    """

    bad: NDArray[np.bool_]
    weight: Floats
    smoothing: float

    def in_bins(self, bins: NDArray[Any], count: int) -> Evidence:
        """Evidence of bins; ``bins`` [rows] holds the number of each record's bin."""
        numbers = bins.astype(np.int64)
        good, bad = (
            summed(numbers, np.where(mask, self.weight, 0.0), count)
            for mask in (~self.bad, self.bad)
        )
        return Evidence(good, bad, good.sum(), bad.sum(), self.smoothing)


def summed(bins: NDArray[np.int64], amounts: Floats, count: int = 1) -> Floats:
    """Sum of the amounts in each bin -> [count, or more where bins go beyond it]."""
    return np.bincount(bins, amounts, count).astype(np.float64)
