"""Records of a table -> calibrated probability -> decision, trained and written as one graph.

Shared by every application that answers yes or no: fraud, credit default, claims,
readmission, intrusion. It knows columns, margins and costs, and no domain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, TrainingError, unknown_name
from industry_apps.evaluation.costs import Costs, cost_optimal_threshold
from industry_apps.evaluation.detection import finite, rate_threshold
from industry_apps.export.decision import (
    Isotonic,
    Platt,
    Threshold,
    capacity_threshold,
    share_threshold,
)
from industry_apps.features import GraphBuilder, Ratio
from industry_apps.features.sources import Source
from industry_apps.limits import POSITIVE, SHARE, Limit, check_limits, integer, one_of
from industry_apps.recipes.decision.scorecard import ScorecardOptions, ScorecardScorer
from industry_apps.recipes.networks import AutoencoderScorer, NetworkScorer
from industry_apps.recipes.scorers import (
    CrossFitted,
    Labelled,
    Scorer,
    fold_by_fold,
    folds,
    joined,
    thresholds_of_all,
)
from industry_apps.recipes.text_linear import CharacterScorer, NgramOptions, WordScorer
from industry_apps.recipes.text_networks import TEXT_NETWORKS, TextNetworkScorer
from industry_apps.recipes.trees import TreeOptions, TreeScorer
from industry_apps.runtime.progress import tracked
from industry_apps.schema import Schema
from industry_apps.training import TrainingOptions

ModelName = Literal[
    "trees",
    "scorecard",
    "network",
    "transformer",
    "autoencoder",
    "words",
    "characters",
    "text_cnn",
    "text_transformer",
    "character_cnn",
    "stack",
]
Calibration = Literal["platt", "isotonic", "none"]

_KEEP_DIRECTIONS: tuple[ModelName, ...] = ("trees", "scorecard")

#: Rows of each class at least, of which every fold needs one.
_FEWEST_IN_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionOptions:
    """What a decision recipe is made of.

    Parameters
    ----------
    model : str
        "trees", gradient-boosted; "scorecard", a table of points; "network", a residual one;
        "transformer" over the columns; "autoencoder", by its reconstruction error. Of one text
        column: "words" and "characters", linear; the others are networks. "stack": several of
        these, weighted on data they have not seen.
    members : tuple of str
        Models of the stack.
    calibration : {"platt", "isotonic", "none"}
        "none" for a model whose margin is the log-odds already.
    costs : Costs
        What a false alarm and a missed case cost.
    alerts_per_day : float, optional
        Cases that there are hands for.
    positive_share : float, optional
        Decide by rank: yes for this share of the cases, the likeliest; instead of by costs.
    false_positive_rate : float, optional
        Decide by this share of false alarms among negative cases, instead of by costs.
    derived : tuple of Source
        Numbers computed from columns that the domain knows to be telling.
    directions : mapping of str to int
        Column -> 1 where the probability may only rise with it, -1 where it may only fall.
        Trees and scorecards keep to it. A ratio of numbers that are never negative follows
        its columns; other derived numbers that read such a column are left out.
    folds : int
        Parts into which training data are cut where there are no validation data, in [2, 5];
        each costs a training.
    alone : str
        A number that is a baseline by itself, where a threshold on it is what people use.
    trees : TreeOptions
    scorecard : ScorecardOptions
    ngrams : NgramOptions
    training : TrainingOptions
    """

    model: ModelName = "trees"
    members: tuple[ModelName, ...] = ("trees", "network")
    calibration: Calibration = "platt"
    costs: Costs = field(default_factory=Costs)
    alerts_per_day: float | None = None
    positive_share: float | None = None
    false_positive_rate: float | None = None
    derived: tuple[Source, ...] = ()
    directions: Mapping[str, int] = field(default_factory=dict)
    folds: int = 5
    alone: str = ""
    trees: TreeOptions = field(default_factory=TreeOptions)
    scorecard: ScorecardOptions = field(default_factory=ScorecardOptions)
    ngrams: NgramOptions = field(default_factory=NgramOptions)
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(max_epochs=20))

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)

    def threshold(self, target: NDArray[np.bool_], probability: NDArray[np.float64]) -> float:
        """Probability from which on the answer is yes, found on rows [rows] not learned from."""
        if self.positive_share is not None:
            return share_threshold(probability, self.positive_share)
        if self.false_positive_rate is not None:
            return rate_threshold(target, probability, self.false_positive_rate)
        return cost_optimal_threshold(target, probability, self.costs)


_LIMITS: dict[str, Limit] = {
    "model": one_of(get_args(ModelName)),
    "calibration": one_of(get_args(Calibration)),
    "alerts_per_day": POSITIVE.or_none(),
    "positive_share": SHARE.or_none(),
    "false_positive_rate": SHARE.or_none(),
    "folds": integer(2, _FEWEST_IN_FOLDS),
}


class DecisionRecipe:
    """Features, one or several models, calibration, threshold: fitted, run, and written.

    Parameters
    ----------
    schema : Schema
        The raw columns that the model sees.
    options : DecisionOptions
    """

    def __init__(self, schema: Schema, options: DecisionOptions) -> None:
        self.schema = schema
        self.options = options

    def fit(
        self,
        train: Labelled,
        validation: Labelled | None = None,
        *,
        day: NDArray[np.int64] | None = None,
        refit: bool = False,
    ) -> DecisionRecipe:
        """Learn the models from training data, everything behind them from other data.

        Parameters
        ----------
        train : Labelled
        validation : Labelled, optional
            Without it, calibration and threshold come from folds of the training data: each
            row is answered by models that have not seen it.
        day : ndarray of int of shape [validation rows], optional
            Day number of each validation row, needed for ``alerts_per_day``.
        refit : bool
            Once calibration and threshold are found, learn the models again from both.

        Raises
        ------
        TrainingError
            One of the two holds a single class, or too few of one for folds.
        ParameterError
            A direction is of no number, or the model keeps none.
        """
        self._check_directions()
        _check_classes("training", train)
        if validation is None:
            _check_classes("training", train, _FEWEST_IN_FOLDS)
            self.scorers_, margins = self._cross_fitted(train)
            self._decide(margins, train.target, day)
            return self
        _check_classes("validation", validation)
        self.scorers_ = self._fitted(train, validation)
        self._decide(self._margins(validation.arrays), validation.target, day)
        if refit:
            every = joined(train, validation)
            for scorer in self.scorers_:
                scorer.refit(every)
        return self

    def _fitted(self, train: Labelled, validation: Labelled) -> list[Scorer]:
        scorers = [self._scorer(name) for name in self._members()]
        for scorer in tracked(scorers, "learning models"):
            scorer.fit(train, validation)
        return scorers

    def _cross_fitted(self, rows: Labelled) -> tuple[list[Scorer], NDArray[np.float64]]:
        """Models of all rows, and the margins [rows, models] by models of the other folds."""
        parts = folds(rows, self.options.folds, self.options.trees.seed)
        scorers, margins = [], np.empty((len(rows.target), len(self._members())))
        for place, name in enumerate(tracked(self._members(), "learning models")):
            scorer = self._scorer(name)
            if isinstance(scorer, CrossFitted):
                margins[:, place] = scorer.cross_fit(rows, parts)
            else:
                scorer, margins[:, place] = fold_by_fold(partial(self._scorer, name), rows, parts)
            scorers.append(scorer)
        return scorers, margins

    def _decide(
        self,
        margins: NDArray[np.float64],
        target: NDArray[np.bool_],
        day: NDArray[np.int64] | None,
    ) -> None:
        """Learn what stands behind the models from margins of rows they have not seen."""
        options = self.options
        self.platt_ = Platt() if options.calibration == "none" else Platt.fit(margins, target)
        probability = self.platt_.apply(margins)
        self.isotonic_ = None
        if options.calibration == "isotonic":
            self.isotonic_ = Isotonic.fit(probability, target)
            probability = self.isotonic_.apply(probability)
        # Levels closer than this are one: the file computes in float32.
        probability = np.round(probability, 6)
        value, capacity = finite(options.threshold(target, probability)), None
        if options.alerts_per_day is not None:
            if day is None:
                raise ParameterError("'alerts_per_day' needs a time column to count days by.")
            capacity = capacity_threshold(probability, day, options.alerts_per_day)
        self.threshold_ = Threshold(value=value, capacity=capacity)

    def probability(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Raw columns of shape [rows] -> probability [rows], by the trained models."""
        probability = self.platt_.apply(self._margins(arrays))
        return probability if self.isotonic_ is None else self.isotonic_.apply(probability)

    def decide(
        self, arrays: Mapping[str, NDArray[Any]]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Raw columns of shape [rows] -> probability [rows] and decision [rows]."""
        probability = self.probability(arrays)
        return probability, self.threshold_.apply(probability)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the whole recipe to a builder.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Raw column, all of :meth:`used_columns` -> tensor [batch, 1].

        Returns
        -------
        dict of str to str
            "probability", "decision", "within_capacity" -> tensor [batch, 1].
        """
        margins = [scorer.write(builder, inputs) for scorer in self.scorers_]
        probability = self.platt_.write(builder, margins)
        if self.isotonic_ is not None:
            probability = self.isotonic_.write(builder, probability)
        return {
            "probability": probability,
            "decision": self.threshold_.write(builder, probability),
            "within_capacity": self.threshold_.within_capacity().write(builder, probability),
        }

    def used_columns(self) -> Schema:
        """The raw columns that some feature reads; the exported file has no others."""
        used = {name for scorer in self.scorers_ for name in scorer.features.schema.names}
        return Schema(tuple(column for column in self.schema if column.name in used))

    def scorecard(self) -> ScorecardScorer:
        """The table of points.

        Raises
        ------
        ParameterError
            The model is none: of a stack, the points of a member are not the score.
        """
        if isinstance(self.scorers_[0], ScorecardScorer) and len(self.scorers_) == 1:
            return self.scorers_[0]
        raise ParameterError(
            f"The model {self.options.model!r} has no table of points. Use model='scorecard'."
        )

    def facts(self, positive: str | bool = True) -> dict[str, Any]:
        """What decides, as JSON values for the model file.

        Parameters
        ----------
        positive : str or bool
            What the decision is called from the threshold on.
        """
        return {
            "model": self.options.model,
            "decision": {
                "positive": positive,
                "threshold": self.threshold_.value,
                "capacity_threshold": self.threshold_.capacity,
                "false_alarm_cost": self.options.costs.false_alarm,
                "missed_cost": self.options.costs.missed,
            },
        }

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the answer turns."""
        return thresholds_of_all(self.scorers_)

    def _members(self) -> Sequence[ModelName]:
        return self.options.members if self.options.model == "stack" else (self.options.model,)

    def _margins(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        return np.column_stack([scorer.margin(arrays) for scorer in self.scorers_])

    def _check_directions(self) -> None:
        """Check that each direction is of a number, and that every model can keep it."""
        directions, kinds = self.options.directions, ("number", "boolean")
        numbers = [column.name for column in self.schema.inputs() if column.kind in kinds]
        numbers += [source.name for source in self.options.derived]
        for name in directions:
            if name not in numbers:
                raise ParameterError(
                    f"Column {name!r} cannot be made to act in one direction only: it is no number "
                    f"among the features. {unknown_name('number', name, numbers)}"
                )
        for member in self._members():
            if directions and member not in _KEEP_DIRECTIONS:
                raise ParameterError(
                    f"The model {member!r} keeps no direction, and one is asked for "
                    f"{list(directions)}. Use one of {_KEEP_DIRECTIONS}."
                )

    def _directed(self) -> tuple[list[Source], dict[str, int]]:
        """Directions of columns and derived numbers, and the derived numbers that keep them."""
        directions, derived = dict(self.options.directions), []
        for source in self.options.derived:
            if source.name not in directions and not directions.keys().isdisjoint(source.columns):
                directions[source.name] = _direction(source, directions, self.schema)
            if directions.get(source.name) != 0:
                derived.append(source)
        return derived, {name: sign for name, sign in directions.items() if sign}

    def _scorer(self, name: ModelName) -> Scorer:
        options = self.options
        derived, directions = self._directed()
        if name == "trees":
            return TreeScorer(self.schema, derived, options.trees, directions)
        if name == "scorecard":
            return ScorecardScorer(self.schema, derived, options.scorecard, directions)
        if name == "autoencoder":
            return AutoencoderScorer(self.schema, derived, options.training)
        if name in ("words", "characters"):
            kind = WordScorer if name == "words" else CharacterScorer
            return kind(self.schema, options.ngrams)
        if name in TEXT_NETWORKS:
            return TextNetworkScorer(self.schema, TEXT_NETWORKS[name], options.training)
        backbone: Literal["mlp", "transformer"] = "mlp" if name == "network" else "transformer"
        return NetworkScorer(self.schema, derived, backbone, options.training)


def _direction(source: Source, directions: Mapping[str, int], schema: Schema) -> int:
    """Direction that a derived number has from its columns; 0 where there is no telling."""
    if not isinstance(source, Ratio):
        return 0
    lows = [schema[column].low for column in source.columns]
    if any(low is None or low < 0 for low in lows):
        return 0
    signs = {directions.get(source.numerator, 0), -directions.get(source.denominator, 0)} - {0}
    return signs.pop() if len(signs) == 1 else 0


def _check_classes(name: str, part: Labelled, fewest: int = 1) -> None:
    positive, negative = int(part.target.sum()), int((~part.target).sum())
    if min(positive, negative) < fewest:
        needed = "both classes are needed"
        if fewest > 1:
            needed = f"without validation data, at least {fewest} of each are needed"
        raise TrainingError(
            f"The {name} data hold {positive} positive and {negative} negative rows; {needed}. "
            "Take a longer period, or more rows."
        )
