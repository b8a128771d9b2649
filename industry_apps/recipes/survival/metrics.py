"""How well survival curves rank, predict and are calibrated, where some times are censored.

A time is censored where the event had not happened when the follow-up ended. Letters: N rows,
E events, T times, H horizons.

References
----------
Harrell et al. 1996, doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4; Uno et
al. 2011, doi:10.1002/sim.4154 (the C-index); Graf et al. 1999,
doi:10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5 (the Brier score).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap, wilson
from industry_apps.evaluation.metrics import calibration_bins
from industry_apps.evaluation.problems import Metric, Problem

#: The time to an event.
SURVIVAL = Problem(
    name="survival",
    metrics=(
        Metric("c_index", "share of pairs in which who had the event first has the higher risk"),
        Metric("c_index_uno", "the same, whatever the censoring"),
        Metric(
            "integrated_brier",
            "mean squared error of the survival curve, weighted for censoring",
            "low",
        ),
        Metric(
            "survival_calibration_error", "mean gap between predicted and observed survival", "low"
        ),
    ),
    trivial=("kaplan_meier",),
    classes=True,
)


__all__ = [
    "FollowUp",
    "StepCurve",
    "SurvivalAnswers",
    "SurvivalScale",
    "brier_weights",
    "calibration_groups",
    "greenwood",
    "integrated_brier_of_rows",
    "kaplan_meier",
    "survival_bootstrap",
]

_Floats = npt.NDArray[np.float64]

#: Risks closer than this are equal.
_TIED = 1e-8
#: Groups of equal size, by predicted survival, whose observed survival is compared.
_GROUPS = 10
#: Rows of such a group, at least.
_FEWEST = 20
#: Of predicted survival; what differs less is equal.
_DECIMALS = 9
#: Of rows beyond the scale, which count nothing, the share that is followed may be 0.
_LEAST_FOLLOWED = 1e-6


@dataclass(frozen=True, eq=False)
class FollowUp:
    """How long each row was followed, and whether the event ended it.

    Parameters
    ----------
    time : ndarray of shape [N]
        >= 0, in any unit.
    event : ndarray of bool of shape [N]
        False: censored.
    """

    time: _Floats
    event: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.time.shape != self.event.shape or self.time.ndim != 1 or not len(self.time):
            raise SchemaError(
                f"time and event must be equally long and not empty. Got the shapes "
                f"{self.time.shape} and {self.event.shape}."
            )

    def __len__(self) -> int:
        return len(self.time)

    def part(self, chosen: npt.NDArray[np.generic]) -> FollowUp:
        """Some of the rows, by mask or number."""
        return FollowUp(self.time[chosen], self.event[chosen])


@dataclass(frozen=True, eq=False)
class StepCurve:
    """A curve that is 1 at time 0 and steps down at times.

    Parameters
    ----------
    times : ndarray of shape [steps]
        Rising.
    values : ndarray of shape [steps]
        From each time on.
    """

    times: _Floats
    values: _Floats

    def at(self, time: npt.ArrayLike) -> _Floats:
        """Values at times, the step at a time included."""
        place = np.searchsorted(self.times, np.asarray(time, dtype=np.float64), side="right")
        return np.append(1.0, self.values)[place]

    def before(self, time: npt.ArrayLike) -> _Floats:
        """Values just before times, the step at a time not included."""
        place = np.searchsorted(self.times, np.asarray(time, dtype=np.float64), side="left")
        return np.append(1.0, self.values)[place]


def kaplan_meier(
    follow_up: FollowUp, weight: _Floats | None = None, *, censoring: bool = False
) -> StepCurve:
    """Share that has not had the event, by Kaplan and Meier.

    Parameters
    ----------
    follow_up : FollowUp
    weight : ndarray of shape [N], optional
        How often each row counts.
    censoring : bool
        The share that is not yet censored instead, events at a time coming before censorings.

    Examples
    --------
    >>> curve = kaplan_meier(FollowUp(np.array([1.0, 2.0, 3.0]), np.array([True, False, True])))
    >>> curve.at([0.5, 1, 3]).round(2).tolist()
    [1.0, 0.67, 0.0]
    """
    weight = np.ones(len(follow_up)) if weight is None else weight
    times, place = np.unique(follow_up.time, return_inverse=True)
    events = np.bincount(place, weights=weight * follow_up.event, minlength=len(times))
    every = np.bincount(place, weights=weight, minlength=len(times))
    at_risk = np.cumsum(every[::-1])[::-1]
    ended = events
    if censoring:
        ended, at_risk = every - events, at_risk - events
    share = np.divide(ended, at_risk, out=np.zeros(len(times)), where=at_risk > 0)
    return StepCurve(times, np.cumprod(1 - share))


def greenwood(follow_up: FollowUp, horizon: float) -> tuple[float, float]:
    """Interval of 95 % for Kaplan and Meier's survival at a time, on the scale of log(-log).

    Where nobody or everybody had the event by then, there is no such scale: the interval is
    then Wilson's, of the rows whose state at the time is known, and (0, 1) where none is.

    Parameters
    ----------
    follow_up : FollowUp
    horizon : float

    References
    ----------
    Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, section 1.4,
    doi:10.1002/9781118032985.
    """
    times, place = np.unique(follow_up.time, return_inverse=True)
    events = np.bincount(place, weights=follow_up.event)
    at_risk = np.cumsum(np.bincount(place)[::-1])[::-1]
    early = (times <= horizon) & (events > 0) & (at_risk > events)
    variance = float((events[early] / (at_risk[early] * (at_risk[early] - events[early]))).sum())
    survival = float(kaplan_meier(follow_up).at(horizon))
    if not 0 < survival < 1 or not variance:
        known = int((follow_up.event | (follow_up.time >= horizon)).sum())
        if not known:
            return 0.0, 1.0
        low, high = wilson(np.array([survival]), np.array([known]))
        return max(float(low[0]), 0.0), min(float(high[0]), 1.0)
    width = 1.96 * float(np.sqrt(variance)) / -np.log(survival)
    return float(survival ** np.exp(width)), float(survival ** np.exp(-width))


@dataclass(frozen=True, eq=False)
class SurvivalScale:
    """Where survival is judged, and how likely a row is still followed there.

    Parameters
    ----------
    times : ndarray of shape [T]
        Rising, over which the Brier score is integrated; rows of training were followed for
        longer.
    horizons : tuple of float, of length H
    censoring : StepCurve
        Of training rows.
    """

    times: _Floats
    horizons: tuple[float, ...]
    censoring: StepCurve

    @classmethod
    def of(
        cls, follow_up: FollowUp, horizons: tuple[float, ...], points: int = 64
    ) -> SurvivalScale:
        """Times from the 5 % to the 95 % quantile of the event times of training rows.

        They end before, where nobody is followed for as long: from where all are censored on,
        nothing is known.
        """
        low, high = np.quantile(follow_up.time[follow_up.event], (0.05, 0.95))
        censoring = kaplan_meier(follow_up, censoring=True)
        followed = censoring.times[censoring.values > 0]
        high = min(high, followed.max(initial=low))
        return cls(np.linspace(low, max(high, low + 1e-6), points), horizons, censoring)


@dataclass(frozen=True, eq=False)
class SurvivalAnswers:
    """What a system says of rows.

    Parameters
    ----------
    risk : ndarray of shape [N]
        The higher, the sooner.
    curves : ndarray of shape [N, T]
        Survival at the times of a scale.
    horizons : ndarray of shape [N, H]
        Survival at its horizons.
    """

    risk: _Floats
    curves: _Floats
    horizons: _Floats


def survival_bootstrap(
    follow_up: FollowUp,
    answers: SurvivalAnswers,
    scale: SurvivalScale,
    groups: npt.ArrayLike | None = None,
    *,
    resamples: int = 400,
    seed: int = 0,
) -> BootstrapResult:
    """All metrics of survival on rows, and on resamples of them.

    ``c_index``: Harrell's, the share of pairs in which who had the event first has the higher
    risk. ``c_index_uno``: Uno's, which does not depend on the censoring, up to the last time
    of the scale. ``integrated_brier``: mean squared error of the survival curve, weighted for
    censoring. ``survival_calibration_error``: mean gap of predicted and Kaplan-Meier survival
    over tenths of the rows and horizons.

    Parameters
    ----------
    follow_up : FollowUp
    answers : SurvivalAnswers
    scale : SurvivalScale
    groups : array-like of shape [N], optional
        Whose row each is, where patients have several: they are drawn with all of theirs.
    resamples, seed : int
        As in :func:`industry_apps.evaluation.bootstrap`.
    """
    last = float(scale.times[-1])
    certain = 1 / np.maximum(scale.censoring.before(follow_up.time), _LEAST_FOLLOWED) ** 2
    brier = integrated_brier_of_rows(follow_up, answers.curves, scale)
    metrics: dict[str, Callable[[_Floats], float]] = {
        "c_index": _Pairs(follow_up, answers.risk).concordance,
        "c_index_uno": _Pairs(follow_up, answers.risk, certain, last).concordance,
        "integrated_brier": lambda weight: float(weight @ brier / weight.sum()),
        "survival_calibration_error": _calibration_metric(follow_up, answers, scale),
    }
    return bootstrap(metrics, groups, len(follow_up), resamples=resamples, seed=seed)


class _Pairs:
    """Pairs of an event and a row that was followed for longer.

    Memory grows with events times rows: 8 bytes each.
    """

    def __init__(
        self,
        follow_up: FollowUp,
        risk: _Floats,
        weight: _Floats | None = None,
        last: float = np.inf,
    ) -> None:
        time, event = follow_up.time, follow_up.event
        self._first = np.flatnonzero(event & (time < last))  # [E]
        one = time[self._first, None]
        comparable = (time > one) | ((time == one) & ~event)  # [E, N]
        gap = risk[self._first, None] - risk
        tied = np.abs(gap) <= _TIED
        self._comparable = comparable.astype(np.float32)
        self._ordered = (comparable * np.where(tied, 0.5, gap > 0)).astype(np.float32)
        self._weight = np.ones(len(self._first)) if weight is None else weight[self._first]

    def concordance(self, weight: _Floats) -> float:
        rows, first = weight.astype(np.float32), weight[self._first] * self._weight
        pairs = float(first @ (self._comparable @ rows))
        return float(first @ (self._ordered @ rows)) / pairs if pairs else float("nan")


def integrated_brier_of_rows(follow_up: FollowUp, curves: _Floats, scale: SurvivalScale) -> _Floats:
    """What each row adds to the integrated Brier score -> [N]; their mean is the score.

    Parameters
    ----------
    follow_up : FollowUp
    curves : ndarray of shape [N, T]
        Survival at the times of the scale.
    scale : SurvivalScale
    """
    alive, weight = brier_weights(follow_up, scale)
    error, times = weight * (curves - alive) ** 2, scale.times
    found: _Floats = np.trapezoid(error, times, axis=1) / (times[-1] - times[0])
    return found


def brier_weights(follow_up: FollowUp, scale: SurvivalScale) -> tuple[_Floats, _Floats]:
    """Whether each row is known to live at each time, and how much its square counts: [N, T] each.

    Rows whose state at a time is not known count nothing there; the others for them, by how
    likely a row is still followed: just before its event, or beyond the time.

    Parameters
    ----------
    follow_up : FollowUp
    scale : SurvivalScale
    """
    time, times = follow_up.time[:, None], scale.times
    happened = (time <= times) & follow_up.event[:, None]
    before = np.maximum(scale.censoring.before(follow_up.time), _LEAST_FOLLOWED)[:, None]
    at_times = np.maximum(scale.censoring.at(times), _LEAST_FOLLOWED)
    return (time > times).astype(np.float64), happened / before + (time > times) / at_times


def calibration_groups(predicted: _Floats) -> list[npt.NDArray[np.intp]]:
    """Rows in up to ten groups of about equal size, by rising predicted survival.

    Rows with equal predictions are in one group, so that the order of rows does not matter.

    Parameters
    ----------
    predicted : ndarray of shape [N]
    """
    bins = calibration_bins(predicted.round(_DECIMALS), min(_GROUPS, len(predicted) // _FEWEST))
    return [np.flatnonzero(bins == each) for each in np.unique(bins)]


def _calibration_metric(
    follow_up: FollowUp, answers: SurvivalAnswers, scale: SurvivalScale
) -> Callable[[_Floats], float]:
    cells = [
        (horizon, rows, follow_up.part(rows), answers.horizons[rows, place])
        for place, horizon in enumerate(scale.horizons)
        for rows in calibration_groups(answers.horizons[:, place])
    ]

    def gap(weight: _Floats) -> float:
        total = found = 0.0
        for horizon, rows, part, predicted in cells:
            share = weight[rows]
            if share.sum():
                observed = float(kaplan_meier(part, share).at(horizon))
                found += share.sum() * abs(observed - float(share @ predicted / share.sum()))
                total += share.sum()
        return found / total

    return gap
