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
from itertools import islice

import numpy as np
import numpy.typing as npt

from industry_apps.evaluation.intervals import BootstrapResult, resampled
from industry_apps.evaluation.metrics import calibration_bins
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.recipes.survival.concordance import Concordance
from industry_apps.recipes.survival.follow_up import (
    FollowUp,
    StepCurve,
    SurvivalAt,
    greenwood,
    kaplan_meier,
)

#: The time to an event.
SURVIVAL = Problem(
    name="survival",
    metrics=(
        Metric(
            "c_index", "share of pairs in which who had the event first has the higher risk", best=1
        ),
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
    "SurvivalAt",
    "SurvivalScale",
    "blocks",
    "brier_weights",
    "calibration_groups",
    "greenwood",
    "integrated_brier_of_rows",
    "kaplan_meier",
    "survival_bootstrap",
]

_Floats = npt.NDArray[np.float64]

#: Weights of resamples that are held at once, and rows of a table with a column for each time.
_CELLS, _BLOCK = 2**22, 2**14
#: Groups of equal size, by predicted survival, whose observed survival is compared.
_GROUPS = 10
#: Rows of such a group, at least.
_FEWEST = 20
#: Of predicted survival; what differs less is equal.
_DECIMALS = 9
#: Of rows beyond the scale, which count nothing, the share that is followed may be 0.
_LEAST_FOLLOWED = 1e-6


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
    measure = _Metrics(follow_up, answers, scale)
    draws: dict[str, list[_Floats]] = {}
    weights = resampled(groups, len(follow_up), resamples=resamples, seed=seed)
    plain = measure(np.ones((1, len(follow_up))))
    while block := list(islice(weights, max(1, _CELLS // len(follow_up)))):
        for name, found in measure(np.stack(block)).items():
            draws.setdefault(name, []).append(found)
    return BootstrapResult(
        {name: float(found[0]) for name, found in plain.items()},
        {name: np.concatenate(found) for name, found in draws.items()},
    )


class _Metrics:
    """All metrics of the same rows by several vectors of weights; what they share is done once."""

    def __init__(self, follow_up: FollowUp, answers: SurvivalAnswers, scale: SurvivalScale) -> None:
        self._pairs = Concordance(follow_up.time, follow_up.event, answers.risk)
        events = follow_up.part(self._pairs.events)
        followed = np.maximum(scale.censoring.before(events.time), _LEAST_FOLLOWED)
        self._uno = np.where(events.time < scale.times[-1], 1 / followed**2, 0)  # [E]
        self._brier = integrated_brier_of_rows(follow_up, answers.curves, scale)
        self._gap = _calibration_metric(follow_up, answers, scale)

    def __call__(self, weight: _Floats) -> dict[str, _Floats]:
        """Weights [B, N] -> {metric: values [B]}."""
        ordered, comparable = self._pairs.sums(weight)
        first = weight.take(self._pairs.events, axis=1)
        return {
            "c_index": _share(first, ordered, comparable),
            "c_index_uno": _share(first * self._uno, ordered, comparable),
            "integrated_brier": weight @ self._brier / weight.sum(axis=1),
            "survival_calibration_error": self._gap(weight),
        }


def _share(first: _Floats, ordered: _Floats, comparable: _Floats) -> _Floats:
    """Share of the pairs of the first in order [B]; NaN where there is none."""
    pairs = np.einsum("be,be->b", first, comparable)
    right = np.einsum("be,be->b", first, ordered)
    return np.divide(right, pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def integrated_brier_of_rows(follow_up: FollowUp, curves: _Floats, scale: SurvivalScale) -> _Floats:
    """What each row adds to the integrated Brier score -> [N]; their mean is the score.

    Parameters
    ----------
    follow_up : FollowUp
    curves : ndarray of shape [N, T]
        Survival at the times of the scale.
    scale : SurvivalScale
    """
    found, times = np.empty(len(follow_up)), scale.times
    for rows in blocks(len(follow_up)):
        alive, weight = brier_weights(follow_up.part(rows), scale)
        error = weight * (curves[rows] - alive) ** 2
        found[rows] = np.trapezoid(error, times, axis=1) / (times[-1] - times[0])
    return found


def blocks(rows: int) -> list[slice]:
    """Rows in parts of which a table with a column for each time stays small.

    Parameters
    ----------
    rows : int
        Number of all rows.

    Examples
    --------
    >>> blocks(20_000)
    [slice(0, 16384, None), slice(16384, 20000, None)]
    """
    starts = range(0, rows, _BLOCK)
    return [slice(start, min(start + _BLOCK, rows)) for start in starts]


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
) -> Callable[[_Floats], _Floats]:
    cells = [
        (SurvivalAt(follow_up.part(rows), horizon), rows, answers.horizons[rows, place])
        for place, horizon in enumerate(scale.horizons)
        for rows in calibration_groups(answers.horizons[:, place])
    ]

    def gap(weight: _Floats) -> _Floats:
        total, found = np.zeros((2, len(weight)))
        for observed, rows, predicted in cells:
            share = weight.take(rows, axis=1)
            size = share.sum(axis=1)
            mean = np.divide(share @ predicted, size, out=np.zeros_like(size), where=size > 0)
            found += size * np.abs(observed(share) - mean)
            total += size
        return found / total

    return gap
