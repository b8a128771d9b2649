"""Metrics of answers about parts: what they are, which are stopped, which pixels are marked.

Letters: N parts, H height, W width, K classes, L levels of a map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from industry_apps.evaluation.costs import Costs, cost_of_rows
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.labels import ACCURACY, class_f1
from industry_apps.evaluation.metrics import (
    AUROC,
    AVERAGE_PRECISION,
    Ranking,
    weighted_mean,
)
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.recipes.anomaly.metrics import ANOMALIES
from industry_apps.recipes.imaging.mask_metrics import MASKS

__all__ = ["DEFECTS", "KnownAnswers", "PlaceCounts"]

_LEVELS = 256
_Floats = npt.NDArray[np.float64]

#: Defects of parts: by class, by score, by box, by pixel, as the regime has them.
DEFECTS = Problem(
    name="defects",
    metrics=(
        Metric("box_f1", "balance of precision and recall of boxes whose type is right"),
        Metric("macro_f1", "mean over the classes of the balance of precision and recall"),
        AUROC,
        AVERAGE_PRECISION,
        ACCURACY,
        *(ANOMALIES.metric(name) for name in ("auroc_*", "detection_rate", "false_alarm_rate")),
        Metric("expected_cost", "money units per part at the threshold", "low"),
        Metric("pixel_auroc", "share of pairs of a defective and a good pixel told apart"),
        MASKS.metric("dice"),
        Metric("box_precision", "share of the boxes found that are there, with the right type"),
        Metric("box_recall", "share of the boxes that are found, with the right type"),
        Metric("box_f1_any_type", "as box_f1, whatever the types"),
    ),
    trivial=("prior", "constant", "no_boxes"),
    classes=True,
)


@dataclass(frozen=True, eq=False, slots=True)
class PlaceCounts:
    """Pixels of each part, by the value of the map at them: enough for the area and for Dice.

    Parameters
    ----------
    good, bad : ndarray of float, shape (N, 256)
        Pixels without and with a defect at which the map has each value.
    marked, both : ndarray of float, shape (N,)
        Pixels that the mask marks, and of these the defective ones.
    """

    good: _Floats
    bad: _Floats
    marked: _Floats
    both: _Floats

    @classmethod
    def of(cls, truth: Sequence[Any], masks: Sequence[Any], maps: Sequence[Any]) -> Self:
        """Count pixels; a part whose defective pixels are not known counts nothing.

        Parameters
        ----------
        truth : sequence of ndarray of int, shape (H, W), or None
        masks, maps : sequence of ndarray of uint8, shape (H, W)
        """
        good, bad = (np.zeros((len(truth), _LEVELS)) for _ in range(2))
        sums = np.zeros((2, len(truth)))
        for row, (true, mask, heat) in enumerate(zip(truth, masks, maps, strict=True)):
            if true is None:
                continue
            is_bad, is_marked = np.asarray(true) > 0, np.asarray(mask) > 0
            values = np.asarray(heat)
            good[row] = np.bincount(values[~is_bad], minlength=_LEVELS)
            bad[row] = np.bincount(values[is_bad], minlength=_LEVELS)
            sums[:, row] = is_marked.sum(), (is_marked & is_bad).sum()
        return cls(good, bad, *sums)

    def metrics(self) -> dict[str, Callable[[_Floats], float]]:
        """Functions of weights of the parts."""
        return {"pixel_auroc": self._area, "dice": self._dice}

    def _area(self, weight: _Floats) -> float:
        good, bad = weight @ self.good, weight @ self.bad
        below = np.cumsum(good) - good
        pairs = good.sum() * bad.sum()
        return float((bad @ (below + good / 2)) / pairs) if pairs else float("nan")

    def _dice(self, weight: _Floats) -> float:
        total = float(weight @ (self.marked + self.bad.sum(axis=1)))
        return 2 * float(weight @ self.both) / total if total else float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class KnownAnswers:
    """Answers about parts whose classes are known; those of several folds can be joined.

    Parameters
    ----------
    types : ndarray of int, shape (N,)
        True class; 0 is good.
    said : ndarray of int, shape (N,)
        The likeliest class.
    score : ndarray of float, shape (N,)
        Probability of a defect.
    alarm : ndarray of bool, shape (N,)
        Whether the part is stopped.
    groups : ndarray, shape (N,)
        Photographs of one part are resampled together.
    costs : Costs
    places : PlaceCounts, optional
    """

    types: npt.NDArray[np.intp]
    said: npt.NDArray[np.intp]
    score: _Floats
    alarm: npt.NDArray[np.bool_]
    groups: npt.NDArray[Any]
    costs: Costs
    places: PlaceCounts | None = None

    def joined(self, others: Sequence[Self]) -> Self:
        """These and others, of other parts, as one; groups are alike where they are called alike.

        Parameters
        ----------
        others : sequence of KnownAnswers
        """
        every = [self, *others]
        columns = {
            name: np.concatenate([getattr(each, name) for each in every])
            for name in ("types", "said", "score", "alarm", "groups")
        }
        places = [each.places for each in every if each.places is not None]
        joined = None
        if len(places) == len(every):
            joined = PlaceCounts(
                *(
                    np.concatenate([getattr(each, field.name) for each in places])
                    for field in fields(PlaceCounts)
                )
            )
        return type(self)(**columns, costs=self.costs, places=joined)

    def bootstrap(self, *, resamples: int = 400, seed: int = 0) -> BootstrapResult:
        """Compute all metrics, and keep the resamples for paired comparisons.

        Parameters
        ----------
        resamples, seed : int, default 400 and 0

        Returns
        -------
        BootstrapResult
            ``macro_f1`` over the classes that occur, ``accuracy``, ``auroc`` and
            ``average_precision`` of defective against good parts, ``detection_rate``,
            ``false_alarm_rate`` and ``expected_cost`` at the threshold; ``pixel_auroc`` and
            ``dice`` where masks are known.
        """
        bad = self.types > 0
        right = (self.said == self.types).astype(np.float64)
        each = [(self.types == k, self.said == k) for k in np.unique(self.types)]
        alarm = self.alarm.astype(np.float64)
        cost = cost_of_rows(bad, self.alarm, self.costs)
        ranking = Ranking(bad, self.score)
        metrics: dict[str, Callable[[_Floats], float]] = {
            "macro_f1": lambda w: float(np.mean([class_f1(*pair, w) for pair in each])),
            "auroc": ranking.auroc,
            "average_precision": ranking.average_precision,
            "accuracy": lambda w: weighted_mean(right, w),
            "detection_rate": lambda w: _mean(alarm, w * bad),
            "false_alarm_rate": lambda w: _mean(alarm, w * ~bad),
            "expected_cost": lambda w: weighted_mean(cost, w),
        }
        if self.places is not None:
            metrics |= self.places.metrics()
        return bootstrap(metrics, self.groups, len(bad), resamples=resamples, seed=seed)


def _mean(values: _Floats, weight: _Floats) -> float:
    return weighted_mean(values, weight) if weight.sum() else float("nan")


def kinds_of(types: npt.NDArray[np.intp], names: Sequence[str]) -> Mapping[str, Any]:
    """Which parts have a defect of each type that occurs, by its name.

    Parameters
    ----------
    types : ndarray of int, shape (N,)
    names : sequence of str
        Of all classes.
    """
    return {names[k]: types == k for k in np.unique(types) if k > 0}
