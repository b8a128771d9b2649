"""A problem as reports see it: its metrics, which of them decides, and the trivial baseline.

A problem is declared where its metrics are defined; nothing else has to know of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """What a figure of a report means.

    Parameters
    ----------
    name : str
        As in the report; ``*`` stands for any text, as in ``card_precision_at_*``.
    meaning : str
        In a few words.
    better : {"high", "low", "near"}
        Whether a high or a low value is good; "near" is a metric that should come near a value,
        in which nobody is best.
    best : float, optional
        The value of answers that are all right, where it tells that they are.
    """

    name: str
    meaning: str
    better: Literal["high", "low", "near"] = "high"
    best: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is asked of a model, and how it is judged.

    Parameters
    ----------
    name : str
    metrics : tuple of Metric
        The first one that a report has decides.
    trivial : tuple of str
        Baselines that know nothing, one for each kind of target; a model has to beat it. Empty
        where an honest negative is an accepted result.
    classes : bool
        Whether the target has classes: of one alone nothing can be learned.

    Examples
    --------
    >>> ranking = Problem(name="ranking", metrics=(Metric("auroc", "share of pairs"),))
    >>> ranking.decisive(["brier", "auroc"]), ranking.sign("brier")
    ('auroc', 1.0)
    """

    name: str
    metrics: tuple[Metric, ...] = ()
    trivial: tuple[str, ...] = ()
    classes: bool = False

    def metric(self, name: str) -> Metric:
        """What is declared of a metric; of one that is not, that a high value is good."""
        for metric in self.metrics:
            if fnmatchcase(name, metric.name):
                return metric
        return Metric(name, "")

    def sign(self, name: str) -> float:
        """1 where a high value of the metric is good, -1 where a low one is."""
        return -1.0 if self.metric(name).better == "low" else 1.0

    def has_direction(self, name: str) -> bool:
        """Whether a system can be best in the metric."""
        return self.metric(name).better != "near"

    def decisive(self, found: Iterable[str]) -> str:
        """The metric that decides, of those that a report has."""
        names = set(found)
        return next(metric.name for metric in self.metrics if metric.name in names)

    def trivial_of(self, baselines: Iterable[str]) -> str | None:
        """The trivial baseline of a report; None where none has to be beaten."""
        names = set(baselines)
        return next((name for name in self.trivial if name in names), None)
