"""The evaluation of decisions: model and baselines on the same rows, with paired margins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.decisions import DecisionCurves, EntityDays, decision_bootstrap
from industry_apps.evaluation.report import Report
from industry_apps.features import FeatureGraph, plain_encoders
from industry_apps.recipes.decision.baselines import Baseline, fit_decision_baselines
from industry_apps.recipes.decision.recipe import DecisionOptions, DecisionRecipe
from industry_apps.recipes.scorers import Labelled, folds, joined, part_of
from industry_apps.schema import Schema

Arrays = Mapping[str, NDArray[Any]]

#: With fewer days than this, rows are resampled, not days: so few groups tell too little.
_FEWEST_GROUPS = 30


class DecisionBaselines:
    """What a model has to beat: fitted on the same rows, with thresholds of their own.

    They learn when they are first asked, since whoever trains and exports a model needs none.

    Parameters
    ----------
    schema : Schema
    options : DecisionOptions
        How the model that they are held against decides; they decide in the same way.
    """

    def __init__(self, schema: Schema, options: DecisionOptions) -> None:
        self._plain = FeatureGraph(schema, plain_encoders(schema))
        self._options = options

    def fit(
        self, train: Labelled, validation: Labelled | None = None, *, refit: bool = False
    ) -> DecisionBaselines:
        """Take training data to learn from, and other data to choose each threshold on.

        Parameters
        ----------
        train : Labelled
        validation : Labelled, optional
            Without it, thresholds come from folds of the training data.
        refit : bool
            Once the thresholds are found, learn again from both, as the model does.
        """
        kept = None if validation is None else _columns_of(validation)
        self._rows: tuple[Labelled, Labelled | None] | None = (_columns_of(train), kept)
        self._refit = refit
        return self

    @property
    def models_(self) -> dict[str, Baseline]:
        """Baseline by name."""
        return self._learned()._fitted.models

    @property
    def thresholds_(self) -> dict[str, float]:
        """Baseline -> probability from which on its answer is yes."""
        return self._learned()._thresholds

    def probabilities(self, arrays: Arrays) -> dict[str, NDArray[np.float64]]:
        """Raw columns of shape [rows] -> {baseline: probability [rows]}."""
        return self._learned()._fitted.probabilities(arrays)

    def __getstate__(self) -> dict[str, Any]:
        # Copies hold what was learned, and no training data.
        return self._learned().__dict__ if hasattr(self, "_rows") else self.__dict__

    def _learned(self) -> DecisionBaselines:
        rows = self._rows
        if rows is not None:
            self._learn(*rows)
            self._rows = None  # last, so that another thread finds either rows or models
        return self

    def _learn(self, train: Labelled, validation: Labelled | None) -> None:
        if validation is None:
            target, found = train.target, self._cross_fitted(train)
            fitted = self._fit(train)
        else:
            fitted = self._fit(train)
            target, found = validation.target, fitted.probabilities(validation.arrays)
        self._thresholds = {
            name: self._options.threshold(target, probability)
            for name, probability in found.items()
        }
        if self._refit and validation is not None:
            fitted = self._fit(joined(train, validation))
        self._fitted = fitted

    def _fit(self, rows: Labelled) -> _Fitted:
        features = self._plain.learn(rows.arrays)
        numbers = features.run(rows.arrays)["numeric"]
        seed = self._options.trees.seed
        return _Fitted(features, fit_decision_baselines(numbers, rows.target, seed=seed))

    def _cross_fitted(self, rows: Labelled) -> dict[str, NDArray[np.float64]]:
        """Probabilities of rows by baselines that have not seen them."""
        found: dict[str, NDArray[np.float64]] = {}
        for known, held_out in folds(rows, self._options.trees.seed):
            fitted = self._fit(part_of(rows, known))
            answers = fitted.probabilities(part_of(rows, held_out).arrays)
            for name, probability in answers.items():
                found.setdefault(name, np.empty(len(rows.target)))[held_out] = probability
        return found


def _columns_of(rows: Labelled) -> Labelled:
    """The same rows without what has been computed from them."""
    return replace(rows, arrays=dict(rows.arrays))


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Baselines behind their features."""

    features: FeatureGraph
    models: dict[str, Baseline]

    def probabilities(self, arrays: Arrays) -> dict[str, NDArray[np.float64]]:
        rows = self.features.run(arrays)["numeric"]
        return {name: model.predict(rows) for name, model in self.models.items()}


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
    found = decision_bootstrap(
        target,
        probability,
        decision,
        costs,
        groups=groups,
        entities=asked.entities,
    )
    others = {
        name: decision_bootstrap(
            target,
            other,
            other >= baselines.thresholds_[name],
            costs,
            groups=groups,
            entities=asked.entities,
        )
        for name, other in baselines.probabilities(asked.rows.arrays).items()
    }
    days = None if asked.day is None else asked.day.astype("datetime64[D]")
    return Report(
        application="",
        data="",
        model=recipe.options.model,
        metrics=found.estimates(),
        split=asked.split,
        baselines={name: other.estimates() for name, other in others.items()},
        margins={name: found.minus(other) for name, other in others.items()},
        curves=DecisionCurves(
            target=target,
            probability=probability,
            threshold=recipe.threshold_.value,
            costs=costs,
            day=days,
        ),
        notes=asked.notes,
    )
