"""All metrics of a decision in one call, and the precision of alerts checked day by day.

Letters: N rows, E entities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation.costs import Costs, cost_of_rows
from industry_apps.evaluation.intervals import (
    BootstrapResult,
    Estimate,
    bootstrap,
    group_codes,
)
from industry_apps.evaluation.metrics import (
    AUROC,
    AVERAGE_PRECISION,
    BRIER,
    CALIBRATION_ERROR,
    Ranking,
    calibration_metric,
    checked,
    row_weights,
    weighted_mean,
)
from industry_apps.evaluation.problems import Metric, Problem
from industry_apps.evaluation.sections import spaced

#: A yes-or-no decision on a record, by a probability and what the two errors cost.
DECISION = Problem(
    name="decision",
    metrics=(
        AVERAGE_PRECISION,
        AUROC,
        BRIER,
        CALIBRATION_ERROR,
        Metric("expected_cost", "money units per row at the threshold", "low"),
        Metric("*_precision_at_*", "share of the daily checks that find something"),
    ),
    trivial=("prevalence",),
    classes=True,
)


__all__ = [
    "DecisionCurves",
    "EntityDays",
    "decision_bootstrap",
    "decision_metrics",
    "entity_precision_at",
]

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class EntityDays:
    """Which entity and day each row belongs to, for alerts that are checked day by day.

    Parameters
    ----------
    entity : array-like, shape (N,)
        What an alert is about (a customer, a machine).
    day : array-like, shape (N,)
        Anything that sorts: a day number, a date.
    k : int, default 100
        Entities that can be checked a day, at least 1.
    name : str, default "entity"
        The metric is published as ``<name>_precision_at_<k>``.
    """

    entity: npt.ArrayLike
    day: npt.ArrayLike
    k: int = 100
    name: str = "entity"

    @property
    def metric(self) -> str:
        """Name under which the metric is published."""
        return f"{self.name}_precision_at_{self.k}"


class _EntityRanking:
    """Entities of each day sorted once by their highest score of that day."""

    def __init__(self, target: npt.ArrayLike, score: npt.ArrayLike, rows: EntityDays) -> None:
        labels, scores = checked(target, score)
        if rows.k < 1:
            raise ParameterError(f"k, the entities checked a day, must be >= 1. Got {rows.k}.")
        entity = group_codes("entity", rows.entity, len(scores))
        day = group_codes("day", rows.day, len(scores))
        self._k = rows.k
        self._row_of_entity = np.unique(entity, return_index=True)[1]  # [E]
        frame = pd.DataFrame({"day": day, "entity": entity, "score": scores, "positive": labels})
        best = frame.groupby(["day", "entity"], as_index=False).max()
        # Equal scores in the order of the entities: the order of the rows must not matter.
        best = best.sort_values(["day", "score", "entity"], ascending=[True, False, True])
        self._days = [
            (part["entity"].to_numpy(), part["positive"].to_numpy(np.float64))
            for _, part in best.groupby("day")
        ]

    def precision(self, weight: _Floats) -> float:
        left = weight[self._row_of_entity]  # [E], copies of each entity not yet found
        precisions = []
        for entities, positive in self._days:
            copies = left[entities]
            checked = np.clip(self._k - (np.cumsum(copies) - copies), 0, copies)
            found = checked * positive
            left[entities] -= found
            precisions.append(found.sum() / self._k)
        return float(np.mean(precisions))


def entity_precision_at(
    target: npt.ArrayLike,
    score: npt.ArrayLike,
    rows: EntityDays,
    weight: npt.ArrayLike | None = None,
) -> float:
    """Share of the k entities checked a day that were rightly checked, averaged over days.

    Each day every entity gets the highest score of its rows of that day, and the k highest
    are checked. An entity is found when it is checked on a day on which one of its rows is
    positive; it is then not checked again on later days. A day with fewer than k entities
    still counts k checks.

    Parameters
    ----------
    target : array-like of bool, shape (N,)
        Truth.
    score : array-like of float, shape (N,)
        Higher means more likely positive.
    rows : EntityDays
        Entity and day of every row, and k.
    weight : array-like of float, shape (N,), optional
        Copies of each row's entity (equal within an entity; the first row's is taken).

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    SchemaError
        When lengths differ or a score is not finite.
    ParameterError
        When k < 1.

    References
    ----------
    "Card precision top-k" in Le Borgne, Y.-A., Siblini, W., Lebichot, B. and Bontempi, G.
    (2022). Reproducible machine learning for credit card fraud detection: practical
    handbook, chapter 4, section 4. Université Libre de Bruxelles.

    Examples
    --------
    >>> rows = EntityDays(entity=["a", "b", "a", "c"], day=[1, 1, 2, 2], k=1)
    >>> entity_precision_at([True, False, True, True], [0.9, 0.1, 0.8, 0.2], rows)
    1.0
    """
    ranking = _EntityRanking(target, score, rows)
    return ranking.precision(row_weights(weight, len(np.asarray(score))))


def decision_bootstrap(
    target: npt.ArrayLike,
    probability: npt.ArrayLike,
    decision: npt.ArrayLike,
    costs: Costs,
    *,
    groups: npt.ArrayLike | None = None,
    entities: EntityDays | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> BootstrapResult:
    """Compute :func:`decision_metrics` and keep the resamples, for paired comparisons.

    Two systems on the same rows, with the same groups and seed, are compared by
    ``result.minus(other)``.

    Parameters
    ----------
    target, probability, decision, costs, groups, entities, resamples, seed
        As in :func:`decision_metrics`, and so are the errors.

    Examples
    --------
    >>> target, good, poor = [0, 1, 0, 1], [0.1, 0.8, 0.3, 0.9], [0.5, 0.5, 0.5, 0.5]
    >>> model = decision_bootstrap(target, good, [0, 1, 0, 1], Costs())
    >>> other = decision_bootstrap(target, poor, [1, 1, 1, 1], Costs())
    >>> model.minus(other)["auroc"].value
    0.5
    """
    labels, scores = checked(target, probability, both_classes=True)
    cost = cost_of_rows(labels, checked(target, decision)[1] > 0, costs)
    error, ranking = (scores - labels) ** 2, Ranking(labels, scores)
    metrics = {
        "auroc": ranking.auroc,
        "average_precision": ranking.average_precision,
        "brier": lambda weight: weighted_mean(error, weight),
        "calibration_error": calibration_metric(labels, scores, 10),
        "expected_cost": lambda weight: weighted_mean(cost, weight),
    }
    if groups is None and entities is not None:
        groups = entities.entity
    result = bootstrap(metrics, groups, len(scores), resamples=resamples, seed=seed)
    if entities is None:
        return result
    daily = {entities.metric: _EntityRanking(labels, scores, entities).precision}
    return result.joined(
        bootstrap(daily, entities.entity, len(scores), resamples=resamples, seed=seed)
    )


def decision_metrics(
    target: npt.ArrayLike,
    probability: npt.ArrayLike,
    decision: npt.ArrayLike,
    costs: Costs,
    *,
    groups: npt.ArrayLike | None = None,
    entities: EntityDays | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Compute every metric of a decision, each with a 95 % bootstrap interval.

    Parameters
    ----------
    target : array-like of bool, shape (N,)
        Truth; both classes must occur.
    probability : array-like of float, shape (N,)
        In [0, 1].
    decision : array-like of bool, shape (N,)
        Whether an alert was raised.
    costs : Costs
        What a false alarm and a missed positive cost.
    groups : array-like, shape (N,), optional
        Rows of one group are resampled together. When not given: the entities, if there
        are any; otherwise rows are taken as independent.
    entities : EntityDays, optional
        Adds the precision of the daily alerts. Its interval always resamples entities:
        days cannot be exchanged, as who was found earlier is not checked again; the
        interval thus speaks of other entities on these same days.
    resamples, seed : int, default 400 and 0
        Of the bootstrap; same seed, same intervals.

    Returns
    -------
    dict of str to Estimate
        ``auroc``, ``average_precision``, ``brier``, ``calibration_error``,
        ``expected_cost`` and, with `entities`, ``<name>_precision_at_<k>``.

    Raises
    ------
    SchemaError
        When lengths differ, a probability is not finite, or only one class occurs.

    Examples
    --------
    >>> target, p = np.arange(1000) % 10 == 0, np.linspace(0.0, 0.2, 1000)
    >>> print(decision_metrics(target, p, p >= 0.1, Costs())["average_precision"])
    0.10 [0.08, 0.13]
    """
    return decision_bootstrap(
        target,
        probability,
        decision,
        costs,
        groups=groups,
        entities=entities,
        resamples=resamples,
        seed=seed,
    ).estimates()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionWords:
    """What a decision is called where it is no alert.

    Parameters
    ----------
    says, whom : str
        As in "refuses" and "applicants".
    caught, right : str
        Behind "of 90" and behind a share, as in "who default" and "of the refused default".
    """

    says: str
    whom: str
    caught: str
    right: str

    def headline(self, curves: DecisionCurves) -> str:
        """The decisions in one sentence.

        Parameters
        ----------
        curves : DecisionCurves
        """
        target = np.asarray(curves.target, dtype=bool)
        said, right = int(curves.alerts.sum()), int((curves.alerts & target).sum())
        share = f"; {right / said:.0%} {self.right}" if said else ""
        return (
            f"At the threshold {curves.threshold:.3g} the model {self.says} {spaced(said)} of "
            f"{spaced(target.size)} {self.whom}, among them {spaced(right)} of "
            f"{spaced(int(target.sum()))} {self.caught}{share}."
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class DecisionCurves:
    """Rows from which the plots of a report are drawn.

    Parameters
    ----------
    target : ndarray of bool, shape (N,)
        Truth.
    probability : ndarray of float, shape (N,)
        In [0, 1].
    threshold : float
        An alert is raised where probability >= threshold.
    costs : Costs
        What a false alarm and a missed positive cost.
    day : ndarray, shape (N,), optional
        datetime64, or whole day numbers; without it there is no drift plot.

    Raises
    ------
    SchemaError
        When the arrays are empty or differ in length.
    """

    target: npt.NDArray[np.bool_]
    probability: _Floats
    threshold: float
    costs: Costs
    day: npt.NDArray[np.generic] | None = None

    def __post_init__(self) -> None:
        shapes = {np.shape(self.target), np.shape(self.probability)}
        shapes |= set() if self.day is None else {np.shape(self.day)}
        if len(shapes) != 1 or len(self.target) == 0:
            raise SchemaError(
                "target, probability and day must be equally long and not empty. "
                f"Got shapes {sorted(shapes)}."
            )

    @property
    def alerts(self) -> npt.NDArray[np.bool_]:
        """Rows that raise an alert [N]."""
        return np.asarray(self.probability) >= self.threshold
