"""From which score on to raise an alarm, where no anomaly was ever seen.

A score is a number for each record, part or window, higher where it is less like the normal ones;
where it comes from does not matter here. Of normal records that the scorer has not learned from,
the order of their scores alone says how many alarms others like them will raise, whatever their
distribution: a new score is as likely to lie between any two of n known ones as between any
others. So the alarms above the m-th largest come to m / (n + 1) on average, and their share
follows a beta distribution.

References: Wilks (1941), Determination of sample sizes for setting tolerance limits,
doi:10.1214/aoms/1177731788; Vovk (2012), Conditional validity of inductive conformal predictors,
arXiv:1209.2673.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, TrainingError
from industry_apps.evaluation.costs import Costs, just_above
from industry_apps.evaluation.sections import Section

__all__ = ["AlarmThreshold", "three_sigma_limit"]

_LEVEL = 0.95
#: Standard deviations of control charts, and scores that have a spread.
_SIGMAS, _FEWEST = 3.0, 2
_WAYS = {
    "false_alarm_rate": "No anomaly was seen: the threshold is set at the wanted share of false "
    "alarms, and nothing is known of how many anomalies it finds.",
    "three_sigma": "No anomaly was seen: the threshold is three standard deviations above the mean "
    "of the logarithms of normal scores, or just above the largest where that is higher.",
    "cost": "The threshold is the probability from which on an alarm costs less than none.",
    "given": "The threshold was given.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmThreshold:
    """The score at and above which an alarm is raised, and how many false ones to expect.

    Parameters
    ----------
    value : float
    way : {"false_alarm_rate", "three_sigma", "cost", "given"}
        How it was set.
    rate : float
        Share of normal records that raise an alarm, expected of new ones; NaN where no normal
        records were there to tell.
    low, high : float
        The 95 % interval of that share.
    rows : int
        Normal records that it was told from.

    Examples
    --------
    >>> scores = np.arange(199.0)  # of normal records
    >>> found = AlarmThreshold.at_rate(scores, 0.05)
    >>> found.value, float((scores >= found.value).mean()) < 0.05
    (189.5, True)
    >>> print(found)
    alarm from 189.5 on: 5.0 % false alarms expected [2.1 %, 8.4 %], told from 199 normal records
    """

    value: float
    way: Literal["false_alarm_rate", "three_sigma", "cost", "given"]
    rate: float
    low: float
    high: float
    rows: int

    @classmethod
    def at_rate(
        cls, normal: NDArray[np.floating], rate: float, groups: NDArray[Any] | None = None
    ) -> Self:
        """Set the threshold by normal records alone, at a wanted share of false alarms.

        Parameters
        ----------
        normal : ndarray of shape [rows]
            Scores of normal records that were not learned from; finite.
        rate : float
            In (0, 1).
        groups : ndarray of shape [rows], optional
            Records of one group (a machine, a part) are alike: the interval is then as wide as
            the few groups make it.

        Raises
        ------
        TrainingError
            There are too few normal records to tell such a share.
        """
        if not 0 < rate < 1:
            raise ParameterError(f"A share of false alarms lies in (0, 1). Got {rate!r}.")
        scores = _checked(normal)
        rising, rows = np.sort(scores), len(scores)
        above = math.floor(rate * (rows + 1) + 1e-9)  # alarms raised by the known ones, and one
        if above < 1:
            needed = math.ceil(1 / rate - 1e-9) - 1
            raise TrainingError(
                f"A share of {rate:g} false alarms cannot be told from {rows} normal records to "
                f"choose on: {needed} are needed. Give more of them, or ask for a share of "
                f"{1 / (rows + 1):.3g} or more."
            )
        value = just_above(scores, rising[rows - above])
        return cls(value=value, way="false_alarm_rate", **_expected(scores, value, groups))

    @classmethod
    def three_sigma(cls, normal: NDArray[np.floating], groups: NDArray[Any] | None = None) -> Self:
        """Set the threshold where no normal record is expected, by the spread of their scores.

        It is that of control charts (Shewhart 1931), on the logarithm of the score: three standard
        deviations above the mean, yet above the largest. Where records follow each other, the
        largest of some hundreds alone is too low, as few of them are new.

        Parameters
        ----------
        normal : ndarray of shape [rows]
            Scores > 0 of normal records that were not learned from.
        groups : ndarray of shape [rows], optional
            As for :meth:`at_rate`.

        Raises
        ------
        TrainingError
            There are fewer than two.
        """
        scores = _checked(normal)
        if len(scores) < _FEWEST:
            raise TrainingError(
                f"The spread of scores cannot be told from {len(scores)} normal records; {_FEWEST} "
                "are needed. Give more of them."
            )
        value = max(three_sigma_limit(scores), just_above(scores, scores.max()))
        return cls(value=value, way="three_sigma", **_expected(scores, value, groups))

    @classmethod
    def at_least_cost(
        cls, costs: Costs, normal: NDArray[np.floating], groups: NDArray[Any] | None = None
    ) -> Self:
        """Set the threshold of a calibrated probability where an alarm is the cheaper decision.

        Parameters
        ----------
        costs : Costs
        normal : ndarray of shape [rows]
            Probabilities of normal records that were not learned from.
        groups : ndarray of shape [rows], optional
            As for :meth:`at_rate`.

        References
        ----------
        Elkan (2001), The foundations of cost-sensitive learning, IJCAI, 973-978.
        """
        told = _expected(_checked(normal), costs.threshold, groups)
        return cls(value=costs.threshold, way="cost", **told)

    @classmethod
    def given(
        cls,
        value: float,
        normal: NDArray[np.floating] | None = None,
        groups: NDArray[Any] | None = None,
    ) -> Self:
        """Keep to a threshold of somebody's own.

        Parameters
        ----------
        value : float
        normal : ndarray of shape [rows], optional
            Scores of normal records, to tell how many false alarms to expect.
        groups : ndarray of shape [rows], optional
            As for :meth:`at_rate`.
        """
        scores = np.empty(0) if normal is None else _checked(normal)
        return cls(value=value, way="given", **_expected(scores, value, groups))

    def __str__(self) -> str:
        head = f"alarm from {self.value:.4g} on"
        if not self.rows:
            return head
        low, high = (f"{100 * share:.1f} %" for share in (self.low, self.high))
        return (
            f"{head}: {100 * self.rate:.1f} % false alarms expected [{low}, {high}], told from "
            f"{self.rows} normal records"
        )

    def facts(self) -> dict[str, Any]:
        """As JSON values for the model file."""
        told: dict[str, Any] = {
            "threshold": self.value,
            "threshold_set_by": self.way,
            "normal_records": self.rows,
        }
        if self.rows:
            told["false_alarms_expected"] = [self.rate, self.low, self.high]
        return told

    def section(self, alarms: NDArray[np.bool_], anomalous: NDArray[np.bool_]) -> Section:
        """What the threshold promised, and what came of it, for a report.

        Parameters
        ----------
        alarms, anomalous : ndarray of bool, shape [rows]
            Records to judge on: whether an alarm was raised, and whether it was right.
        """
        usual = int((~anomalous).sum())
        rows: list[tuple[object, ...]] = [("records", "rows", "alarms", "share", "expected")]
        wanted = f"{self.rate:.3f} [{self.low:.3f}, {self.high:.3f}]" if self.rows else None
        for name, part, told in (
            ("normal", ~anomalous, wanted),
            ("anomalous", anomalous, None),
        ):
            count = int(part.sum())
            raised = int((alarms & part).sum())
            rows.append((name, count, raised, raised / count if count else None, told))
        text = f"{_WAYS[self.way]} {str(self).capitalize()}."
        return Section("Alarms", text + ("" if usual else " No record was normal."), rows)


def three_sigma_limit(scores: NDArray[np.float64]) -> float:
    """Three standard deviations above the mean of the logarithms of scores.

    Parameters
    ----------
    scores : ndarray of shape [rows]
        Not negative.

    Examples
    --------
    >>> round(three_sigma_limit(np.exp([-1.0, 1.0])), 3) == round(float(np.exp(3.0)), 3)
    True
    """
    logs = np.log(np.maximum(scores, np.finfo(np.float64).tiny))
    return float(np.exp(logs.mean() + _SIGMAS * logs.std()))


def _checked(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    exact = np.asarray(scores, dtype=np.float64)
    if exact.ndim != 1 or not np.isfinite(exact).all():
        raise ParameterError(
            f"Expected one finite score a record; got an array of shape {exact.shape}, "
            f"{int((~np.isfinite(exact)).sum())} of its numbers not finite."
        )
    return exact


def _expected(
    scores: NDArray[np.float64], value: float, groups: NDArray[Any] | None
) -> dict[str, Any]:
    """Share of false alarms to expect from a threshold, with its interval."""
    from scipy.stats import beta

    rows = len(scores)
    if not rows:
        return {"rate": math.nan, "low": math.nan, "high": math.nan, "rows": 0}
    raised = int((scores >= value).sum())
    rate = (raised + 1) / (rows + 1)
    if groups is not None and len(np.unique(groups)) < rows:
        # As records that do not depend on each other, there are fewer: those of the same variance.
        fewer = rows / _design_effect(scores >= value, groups)
    else:
        fewer = float(rows)
    above = raised / rows * fewer
    # A threshold between two known scores: alarms lie between those of either.
    low = float(beta.ppf((1 - _LEVEL) / 2, above, fewer + 1 - above)) if raised else 0.0
    high = 1.0
    if raised < rows:
        high = float(beta.ppf((1 + _LEVEL) / 2, above + 1, fewer - above))
    return {"rate": rate, "low": low, "high": high, "rows": rows}


def _design_effect(alarms: NDArray[np.bool_], groups: NDArray[Any]) -> float:
    """By how much groups make the variance of a share larger; without an alarm all they can.

    References: Kish (1965), Survey sampling, section 5.4; Rao and Scott (1992), A simple method
    for the analysis of clustered binary data, doi:10.2307/2532311.
    """
    _, number = np.unique(groups, return_inverse=True)
    sizes = np.bincount(number)
    share, rows, count = alarms.mean(), len(alarms), len(sizes)
    most = float((sizes**2).sum() / rows)
    if share in (0.0, 1.0) or count < 2:
        return most
    apart = np.bincount(number, weights=alarms.astype(np.float64)) - share * sizes
    variance = count / (count - 1) * float((apart**2).sum()) / rows**2
    return float(np.clip(variance / (share * (1 - share) / rows), 1.0, most))
