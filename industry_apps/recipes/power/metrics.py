"""How good forecasts of power are, as shares of the capacity; intervals by day.

Letters in shapes: N records, Q quantiles.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation import Metric, Problem
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap

#: Output of a plant, its mean and quantiles.
POWER = Problem(
    name="power",
    metrics=(
        Metric("rmse", "root of the mean squared error of the mean, % of capacity", "low", best=0),
        Metric("mae", "mean absolute error of the median, % of capacity", "low", best=0),
        Metric("pinball", "mean loss of the quantiles, % of capacity", "low", best=0),
        Metric("bias", "mean of forecast less output, % of capacity", "near"),
        Metric("coverage_*", "share of outcomes between the outer quantiles", "near"),
    ),
    trivial=("climatology",),
)

_Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class PowerAnswers:
    """Forecasts beside what came, as shares of the capacity.

    Parameters
    ----------
    answers : ndarray of shape [N, 1 + Q]
        Mean and quantiles; quantiles are NaN where a system has none but its median.
    levels : sequence of float
        Of the quantiles, 0.5 among them.
    came : ndarray of shape [N]
    day : ndarray of shape [N]
        Records of a day are drawn together.
    """

    answers: _Floats
    levels: Sequence[float]
    came: _Floats
    day: NDArray[np.int64]

    def rows(self, chosen: NDArray[np.bool_]) -> PowerAnswers:
        """Some of the records."""
        return PowerAnswers(
            answers=self.answers[chosen],
            levels=self.levels,
            came=self.came[chosen],
            day=self.day[chosen],
        )

    def bootstrap(self, resamples: int = 400) -> BootstrapResult:
        """Metrics on all records and on resampled days."""
        return bootstrap(self._metrics(), self.day, len(self.came), resamples=resamples)

    def _metrics(self) -> dict[str, Callable[[_Floats], float]]:
        error = 100 * (self.answers - self.came[:, None])  # [N, 1 + Q]
        median = 1 + list(self.levels).index(0.5)
        found = {
            "rmse": lambda weight: _mean(error[:, 0] ** 2, weight) ** 0.5,
            "mae": _mean_of(np.abs(error[:, median])),
        }
        if not np.isnan(self.answers).any():
            level = np.array(self.levels)
            short = -error[:, 1:]
            found["pinball"] = _mean_of(np.maximum(level * short, (level - 1) * short).mean(axis=1))
            low, high = self.answers[:, 1], self.answers[:, -1]
            inside = (low <= self.came) & (self.came <= high)
            found[f"coverage_{round(100 * (level[-1] - level[0]))}"] = _mean_of(inside)
        return {**found, "bias": _mean_of(error[:, 0])}


def _mean(values: NDArray[Any], weight: _Floats) -> float:
    return float(weight @ values / weight.sum())


def _mean_of(values: NDArray[Any]) -> Callable[[_Floats], float]:
    return lambda weight: _mean(values, weight)
