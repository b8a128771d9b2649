"""Counts of one group and of its resamples, and the figures that follow from them.

Letters: G groups, B bins of probability, R resamples, n rows of the group. The first of
1 + R tables is that of the rows as they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from industry_apps.errors import require
from industry_apps.evaluation.intervals import BootstrapResult, Estimate
from industry_apps.evaluation.metrics import calibration_bins

_MOST_BINS = 10

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Tally:
    """Counts and sums of probabilities of one group, of its rows and of each resample.

    Parameters
    ----------
    counts, sums : ndarray of float, shape (1 + R, B, 2, 2)
        Rows, and their probabilities added up, by bin, target and decision.
    """

    counts: _Floats
    sums: _Floats

    @classmethod
    def drawn(
        cls,
        target: _Bools,
        probability: _Floats,
        decision: _Bools,
        fewest_rows: int,
        resamples: int,
        rng: np.random.Generator,
    ) -> Tally:
        """Resample cells, not rows: their counts are multinomial, their sums nearly normal."""
        n_bins = int(np.clip(len(target) // fewest_rows, 1, _MOST_BINS))
        cell = 4 * calibration_bins(probability, n_bins) + 2 * target + decision  # [n]
        shape = (-1, n_bins, 2, 2)
        own = np.bincount(cell, minlength=4 * n_bins)
        sums = np.bincount(cell, weights=probability, minlength=4 * n_bins)
        mean = sums / np.maximum(own, 1)
        variance = np.bincount(cell, weights=(probability - mean[cell]) ** 2, minlength=4 * n_bins)
        drawn = rng.multinomial(len(target), own / len(target), size=resamples)  # [R, cells]
        noise = rng.standard_normal(drawn.shape) * np.sqrt(drawn * variance / np.maximum(own, 1))
        return cls(
            np.vstack([own, drawn]).astype(np.float64).reshape(shape),
            np.vstack([sums, drawn * mean + noise]).reshape(shape),
        )

    @property
    def rows(self) -> int:
        """Rows of the group."""
        return int(self.counts[0].sum())

    @property
    def positives(self) -> int:
        """Rows of the group with a True target."""
        return int(self.counts[0, :, 1].sum())

    def figures(self, good: int) -> dict[str, Estimate]:
        """Return every figure of the group; `good` is the favourable decision, 0 or 1."""
        own = self.counts[0].sum(axis=0)  # [target, decision]
        excess = self.sums.sum(axis=(2, 3)) - self.counts[:, :, 1].sum(axis=2)  # [1 + R, B]
        calibration = {
            "mean_probability": self.sums.sum(axis=(1, 2, 3)) / self.rows,
            "calibration_gap": excess.sum(axis=1) / self.rows,
            "calibration_error": np.abs(excess).sum(axis=1) / self.rows,
        }
        return {
            "selection_rate": _share(own[:, good].sum(), own.sum()),
            "true_positive_rate": _share(own[good, good], own[good].sum()),
            "false_positive_rate": _share(own[1 - good, good], own[1 - good].sum()),
            "observed_rate": _share(own[1].sum(), own.sum()),
            **percentiles(calibration),
        }


def disparities(tallies: Sequence[Tally], good: int) -> dict[str, Estimate]:
    """Return fairlearn's two figures over groups, with intervals."""
    metrics = require("fairlearn.metrics", extra="train", needed_by="A report by group")
    undefined = Estimate(math.nan, math.nan, math.nan)
    found = {"demographic_parity_ratio": undefined, "equalized_odds_difference": undefined}
    counts = np.array([tally.counts.sum(axis=1) for tally in tallies])  # [G, 1 + R, 2, 2]
    if len(counts) > 1:
        chosen = counts[..., good].sum(axis=-1) / counts.sum(axis=(-2, -1))  # [G, 1 + R]
        with np.errstate(invalid="ignore"):
            ratio = chosen.min(axis=0) / chosen.max(axis=0)
        ratio[0] = _of_fairlearn(metrics.demographic_parity_ratio, counts[:, 0], good)
        found |= percentiles({"demographic_parity_ratio": ratio})
    counts = counts[(counts[:, 0].sum(axis=-1) > 0).all(axis=-1)] if len(counts) else counts
    if len(counts) > 1:
        with np.errstate(invalid="ignore"):
            rates = counts[..., good] / counts.sum(axis=-1)  # [G, 1 + R, target]
        spread = np.ptp(rates, axis=0).max(axis=-1)
        spread[0] = _of_fairlearn(metrics.equalized_odds_difference, counts[:, 0], good)
        found |= percentiles({"equalized_odds_difference": spread})
    return found


def _of_fairlearn(metric: Callable[..., float], counts: _Floats, good: int) -> float:
    """Call a metric of fairlearn on the four kinds of rows of each group, weighted [G, 2, 2]."""
    group, target, decision = np.indices(counts.shape).reshape(3, -1)
    weight = counts.ravel()
    return float(
        metric(target == good, decision == good, sensitive_features=group, sample_weight=weight)
    )


def percentiles(draws: Mapping[str, _Floats]) -> dict[str, Estimate]:
    """Return estimates from values [1 + R], the first on the rows as they are.

    Parameters
    ----------
    draws : mapping of str to ndarray of shape (1 + R,)
    """
    values = {name: float(draw[0]) for name, draw in draws.items()}
    return BootstrapResult(values, {name: draw[1:] for name, draw in draws.items()}).estimates()


def _share(part: float, whole: float) -> Estimate:
    """Return a share of counts with its Wilson interval; undefined when it is one of none."""
    if whole == 0:
        return Estimate(math.nan, math.nan, math.nan)
    interval = binomtest(int(part), int(whole)).proportion_ci(method="wilson")
    return Estimate(float(part / whole), float(interval.low), float(interval.high))
