"""A model against the best of its baselines, in one metric."""

from __future__ import annotations

from dataclasses import dataclass

from industry_apps.evaluation.intervals import Estimate


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric of the model against the best baseline.

    Parameters
    ----------
    metric, baseline : str
        Which metric, and which baseline is best in it.
    verdict : str
        "beats", "does not beat" or "cannot be told apart from".
    margin : Estimate or None
        Model minus baseline, paired; None when only the two intervals were known.
    """

    metric: str
    baseline: str
    verdict: str
    margin: Estimate | None

    def __str__(self) -> str:
        by = "" if self.margin is None else f" (difference {self.margin})"
        return f"{self.verdict} {self.baseline}{by}"
