"""Follow-ups that may be censored, and the survival that Kaplan and Meier estimate from them.

A time is censored where the event had not happened when the follow-up ended. Letters: N rows,
B vectors of weights.

References
----------
Kaplan and Meier 1958, "Nonparametric estimation from incomplete observations",
doi:10.1080/01621459.1958.10501452.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import wilson

__all__ = ["FollowUp", "StepCurve", "SurvivalAt", "greenwood", "kaplan_meier"]

_Floats = npt.NDArray[np.float64]


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

    def part(self, chosen: npt.NDArray[np.generic] | slice) -> FollowUp:
        """Some of the rows, by mask, number or slice."""
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


class SurvivalAt:
    """Kaplan and Meier's survival of the same rows at one time, by many vectors of weights.

    The rows are sorted once; each vector then costs a cumulative sum over those that were
    followed no longer than the time.

    Parameters
    ----------
    follow_up : FollowUp
    horizon : float
        The time.

    Examples
    --------
    >>> follow_up = FollowUp(np.array([1.0, 2.0, 3.0]), np.array([True, False, True]))
    >>> SurvivalAt(follow_up, 2.0)(np.array([[1, 1, 1], [2, 0, 1]])).round(2).tolist()
    [0.67, 0.33]
    """

    def __init__(self, follow_up: FollowUp, horizon: float) -> None:
        early = np.flatnonzero(follow_up.time <= horizon)
        self._early = early[np.argsort(follow_up.time[early], kind="stable")]
        time, event = follow_up.time[self._early], follow_up.event[self._early]
        self._ended = np.flatnonzero(event)
        at, self._first = np.unique(time[event], return_index=True)
        self._before = np.searchsorted(time, at)

    def __call__(self, weight: npt.ArrayLike) -> _Floats:
        """Whole weights [B, N] -> survival [B]."""
        weight = np.asarray(weight, dtype=np.float64)
        early = _taken(weight, self._early)
        ended = _cumulated(_taken(early, self._ended))
        events = np.diff(_taken(ended, np.append(self._first, len(self._ended))), axis=1)
        at_risk = weight.sum(axis=1, keepdims=True) - _taken(_cumulated(early), self._before)
        share = np.divide(events, at_risk, out=np.zeros_like(events), where=at_risk > 0)
        found: _Floats = (1 - share).prod(axis=1)
        return found


def _taken(values: _Floats, places: npt.NDArray[np.intp]) -> _Floats:
    """Columns by number; several times as fast as an index, which checks bounds."""
    # Nothing can be taken of nothing, not even nothing.
    return values.take(places, axis=1, mode="clip") if len(places) else values[:, :0]


def _cumulated(weight: _Floats) -> _Floats:
    """Sums of the first 0, 1, 2, ... columns."""
    found = np.zeros((len(weight), weight.shape[1] + 1))
    np.cumsum(weight, axis=1, out=found[:, 1:])
    return found
