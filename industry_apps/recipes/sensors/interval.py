"""Where the life that is left lies, from the errors on machines that a model has not seen.

Letters in shapes: N windows, K knots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder

_Floats = NDArray[np.float64]

#: Answers are put into so many groups by their size, with so many windows each at least.
_GROUPS, _FEWEST_A_GROUP = 10, 50
#: Knots lie so far apart at least, as a share of the cap.
_APART = 1e-3
#: By how much intervals are widened at a time, until they hold as often as they say.
_WIDER = 1.02
_MOST_STEPS = 100


@dataclass(frozen=True, eq=False)
class LifeInterval:
    """Ends of an interval as a function of the answer; all are shares of the cap.

    The errors of windows with about the same answer have their quantiles at the ends, and between
    the means of these groups the ends are joined. Then all are widened by one factor, until the
    share of windows inside, averaged over machines, is what was asked for: the windows of one
    machine depend on each other, so machines count, not windows.

    Parameters
    ----------
    knots : ndarray of shape [K]
        Answers, rising.
    low, high : ndarray of shape [K]
        What is added to an answer.

    References
    ----------
    Papadopoulos et al. 2002, "Inductive confidence machines for regression",
    doi:10.1007/3-540-36755-1_29; Vovk 2012, "Conditional validity of inductive conformal
    predictors", for groups of their own, arXiv:1209.2673.
    """

    knots: _Floats
    low: _Floats
    high: _Floats

    @classmethod
    def of(
        cls, answer: _Floats, came: _Floats, machine: NDArray[np.int64], coverage: float
    ) -> LifeInterval:
        """Learn from answers [N] to windows of machines that the model has not seen.

        Parameters
        ----------
        answer, came : ndarray of float64, shape [N]
        machine : ndarray of int64, shape [N]
            Whose each window is.
        coverage : float
            Share of windows that are to lie inside.
        """
        error, tail = came - answer, (1 - coverage) / 2
        groups = max(1, min(_GROUPS, len(answer) // _FEWEST_A_GROUP))
        parts = np.array_split(np.argsort(answer, kind="stable"), groups)
        knots = np.array([answer[part].mean() for part in parts])
        knots = np.maximum.accumulate(knots) + _APART * np.arange(groups)
        ends = [np.array([np.quantile(error[part], q) for part in parts]) for q in (tail, 1 - tail)]
        low, high = np.minimum(ends[0], 0.0), np.maximum(ends[1], 0.0)
        if groups == 1:
            knots = np.append(knots, knots + _APART)
            low, high = np.repeat(low, 2), np.repeat(high, 2)
        found = cls(knots, low, high)
        for _ in range(_MOST_STEPS):
            if found._holds(answer, came, machine) >= coverage:
                break
            found = cls(knots, found.low * _WIDER, found.high * _WIDER)
        return found

    def _holds(self, answer: _Floats, came: _Floats, machine: NDArray[np.int64]) -> float:
        low, high = self.apply(answer)
        inside = (low <= came) & (came <= high)
        counts = np.bincount(machine)
        shares = np.bincount(machine, inside)[counts > 0] / counts[counts > 0]
        return float(shares.mean())

    def apply(self, answer: _Floats) -> tuple[_Floats, _Floats]:
        """Answers [N] -> both ends [N], in [0, 1]."""
        low, high = (
            np.clip(answer + np.interp(answer, self.knots, ends), 0, 1)
            for ends in (self.low, self.high)
        )
        return low, high

    def write(self, builder: GraphBuilder, answer: str) -> tuple[str, str]:
        """Answers [batch, 1] -> both ends [batch, 1]."""
        zero, one = (builder.constant(np.float32(end)) for end in (0, 1))
        found = []
        for ends in (self.low, self.high):
            away = builder.interpolate(answer, self.knots[None], ends[None])
            found.append(builder.node("Clip", builder.node("Add", answer, away), zero, one))
        return found[0], found[1]
