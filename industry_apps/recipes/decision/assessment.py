"""The evaluation of decisions: model and baselines on the same rows, with paired margins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.decisions import DecisionCurves, EntityDays, decision_bootstrap
from industry_apps.evaluation.detection import RATES, detection_metrics
from industry_apps.evaluation.intervals import BootstrapResult
from industry_apps.evaluation.report import Report
from industry_apps.features import FeatureGraph, plain_encoders
from industry_apps.recipes.decision.baselines import (
    Baseline,
    fit_decision_baselines,
    fit_one_column,
)
from industry_apps.recipes.decision.recipe import DecisionOptions, DecisionRecipe
from industry_apps.recipes.scorers import Labelled, folds, joined, part_of
from industry_apps.schema import Schema

Arrays = Mapping[str, NDArray[Any]]

#: With fewer days than this, rows are resampled, not days: so few groups tell too little.
_FEWEST_GROUPS = 30


class DecisionBaselines:
    """What a model has to beat: fitted on the same rows, with thresholds of their own.

    Parameters
    ----------
    schema : Schema
    options : DecisionOptions
        How the model that they are held against decides; they decide in the same way.
    """

    def __init__(self, schema: Schema, options: DecisionOptions) -> None:
        self._plain = FeatureGraph(schema, plain_encoders(schema))
        self._options = options
        self.models_: dict[str, Baseline] = {}  # until they are learned, there is none

    def fit(
        self, train: Labelled, validation: Labelled | None = None, *, refit: bool = False
    ) -> DecisionBaselines:
        """Learn from training data; choose each threshold on other data.

        Parameters
        ----------
        train : Labelled
        validation : Labelled, optional
            Without it, thresholds come from folds of the training data.
        refit : bool
            Once the thresholds are found, learn again from both, as the model does.
        """
        if validation is None:
            target, found = train.target, self._cross_fitted(train)
            self._learn(train)
        else:
            self._learn(train)
            target, found = validation.target, self.probabilities(validation.arrays)
        self.thresholds_ = {
            name: self._options.threshold(target, probability)
            for name, probability in found.items()
        }
        if refit and validation is not None:
            self._learn(joined(train, validation))
        return self

    def _learn(self, rows: Labelled) -> None:
        self._features = self._plain.learn(rows.arrays)
        features, alone = self._features.run(rows.arrays)["numeric"], self._options.alone
        self.models_ = fit_decision_baselines(features, rows.target, seed=self._options.trees.seed)
        if alone:
            place = self._features.names.index(alone)
            self.models_[f"{alone}_alone"] = fit_one_column(features, rows.target, place, alone)

    def _cross_fitted(self, rows: Labelled) -> dict[str, NDArray[np.float64]]:
        """Probabilities of rows by baselines that have not seen them."""
        found: dict[str, NDArray[np.float64]] = {}
        for known, held_out in folds(rows, self._options.folds, self._options.trees.seed):
            self._learn(part_of(rows, known))
            answers = self.probabilities(part_of(rows, held_out).arrays)
            for name, probability in answers.items():
                found.setdefault(name, np.empty(len(rows.target)))[held_out] = probability
        return found

    def probabilities(self, arrays: Arrays) -> dict[str, NDArray[np.float64]]:
        """Raw columns of shape [rows] -> {baseline: probability [rows]}."""
        if not self.models_:
            return {}
        rows = self._features.run(arrays)["numeric"]
        return {name: model.predict(rows) for name, model in self.models_.items()}


@dataclass(frozen=True, eq=False, kw_only=True)
class Assessed:
    """What an evaluation needs to know beside the models.

    Parameters
    ----------
    rows : Labelled
        The test rows.
    day : ndarray of int of shape [rows], optional
        Day number, for the drift plot.
    entities : EntityDays, optional
        Whom an alert is about; rows of one entity are not independent.
    groups : ndarray of shape [rows], optional
        Rows of one value depend on each other and are resampled together.
    split, notes
        As in :class:`Report`.
    """

    rows: Labelled
    day: NDArray[np.int64] | None = None
    entities: EntityDays | None = None
    groups: NDArray[Any] | None = None
    split: Mapping[str, Mapping[str, Any]]
    notes: tuple[str, ...] = ()


def assess(recipe: DecisionRecipe, baselines: DecisionBaselines, asked: Assessed) -> Report:
    """Evaluate a fitted recipe and its baselines on the same rows.

    Margins over the baselines are paired: both are measured on the same resamples. Names of
    application and data are left for the caller to fill in.

    Parameters
    ----------
    recipe : DecisionRecipe
        Fitted.
    baselines : DecisionBaselines
        Fitted.
    asked : Assessed
    """
    target, costs = asked.rows.target, recipe.options.costs
    groups = asked.groups
    if (
        groups is None
        and asked.entities is None
        and asked.day is not None
        and len(np.unique(asked.day)) >= _FEWEST_GROUPS
    ):
        groups = asked.day
    probability, decision = recipe.decide(asked.rows.arrays)
    rates = _rates(recipe.options, target)

    def measured(scores: NDArray[np.float64], decided: NDArray[np.bool_]) -> BootstrapResult:
        found = decision_bootstrap(
            target, scores, decided, costs, groups=groups, entities=asked.entities
        )
        if not rates:
            return found
        return found.joined(detection_metrics(scores, target, rates=rates, groups=groups))

    found = measured(probability, decision)
    others = {
        name: measured(other, other >= baselines.thresholds_[name])
        for name, other in baselines.probabilities(asked.rows.arrays).items()
    }
    days = None if asked.day is None else asked.day.astype("datetime64[D]")
    return Report.beside(
        recipe.options.model,
        found,
        others,
        split=asked.split,
        curves=DecisionCurves(
            target=target,
            probability=probability,
            threshold=recipe.threshold_.value,
            costs=costs,
            day=days,
        ),
        notes=(_base_rate(recipe.options, target, decision), *asked.notes),
    )


def _rates(options: DecisionOptions, target: NDArray[np.bool_]) -> tuple[float, ...]:
    """False-positive rates at which detection is judged: those that allow a false alarm."""
    if options.false_positive_rate is None:
        return ()
    wanted = sorted({*RATES, options.false_positive_rate}, reverse=True)
    return tuple(rate for rate in wanted if rate < 1 and rate * (~target).sum() >= 1)


def _base_rate(
    options: DecisionOptions, target: NDArray[np.bool_], decision: NDArray[np.bool_]
) -> str:
    start = f"Base rate: {target.mean():.1%} of the rows have the outcome."
    if options.false_positive_rate is not None:
        false, negatives = int((decision & ~target).sum()), int((~target).sum())
        return (
            f"{start} The threshold was set for {options.false_positive_rate:.2%} of false alarms "
            f"on held-out rows; here it makes {false} among {negatives} ({false / negatives:.2%}), "
            f"and finds {int((decision & target).sum())} of {int(target.sum())}."
        )
    costs = options.costs
    return (
        f"{start} Where a false alarm costs {costs.false_alarm:g} and a missed one "
        f"{costs.missed:g}, {decision.mean():.1%} are decided on as if they had it."
    )
