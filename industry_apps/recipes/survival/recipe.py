"""Records of a table -> survival curve -> risk at horizons, trained and written as one graph.

Cox's model, trees, a forest, networks or their blend; the curve at the horizons, its interval,
and the median are nodes of the graph. Letters: K edges of the grid, H horizons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, TrainingError
from industry_apps.evaluation.costs import Costs
from industry_apps.features import GraphBuilder
from industry_apps.limits import check_limits, one_of
from industry_apps.recipes.scorers import Arrays
from industry_apps.recipes.survival.blend import Blend, best_weights, held_out
from industry_apps.recipes.survival.curve import (
    FEWEST_EVENTS,
    LEAST,
    Band,
    between,
    grid,
    median,
    risk_score,
    write_median,
    write_risk_score,
)
from industry_apps.recipes.survival.forest import SurvivalForest
from industry_apps.recipes.survival.metrics import (
    FollowUp,
    SurvivalAnswers,
    SurvivalScale,
    integrated_brier_of_rows,
)
from industry_apps.recipes.survival.models import (
    Followed,
    LinearRisk,
    ProportionalHazards,
    RiskModel,
    SurvivalModel,
    TreeRisk,
)
from industry_apps.recipes.survival.networks import DiscreteTime, NetworkRisk
from industry_apps.recipes.trees import TreeOptions
from industry_apps.runtime.progress import tracked
from industry_apps.schema import Schema
from industry_apps.training import TrainingOptions

SurvivalModelName = Literal["auto", "cox", "trees", "forest", "deepsurv", "network"]

MEMBERS: tuple[SurvivalModelName, ...] = ("cox", "trees", "forest", "deepsurv", "network")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalOptions:
    """What a survival recipe is made of.

    Parameters
    ----------
    model : {"auto", "cox", "trees", "forest", "deepsurv", "network"}
        Cox's linear model; boosted trees on its likelihood; a random survival forest; a network
        on Cox's likelihood, and one of hazards in discrete time. "auto": the mean of their
        curves by the weights that predict and rank best on rows held out.
    horizons : tuple of float
        Rising times > 0; none: quarters of the event times of training data.
    costs : Costs
        What a false alarm and a missed case cost; a risk is high from where acting on it
        costs less.
    trees : TreeOptions
    training : TrainingOptions
    """

    model: SurvivalModelName = "auto"
    horizons: tuple[float, ...] = ()
    costs: Costs = field(default_factory=Costs)
    trees: TreeOptions = field(default_factory=TreeOptions)
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(max_epochs=40))

    def __post_init__(self) -> None:
        check_limits(self, {"model": one_of(get_args(SurvivalModelName))})


class SurvivalRecipe:
    """Models, curve, interval and decision: fitted, run, and written.

    Parameters
    ----------
    schema : Schema
        The raw columns that the model sees.
    options : SurvivalOptions
    """

    def __init__(self, schema: Schema, options: SurvivalOptions) -> None:
        self.schema = schema
        self.options = options

    def fit(self, train: Followed, validation: Followed) -> SurvivalRecipe:
        """Learn the models from training data, and weigh them on rows that they have not seen.

        Validation data decide how long a model learns. The weights and the interval are
        learned from predictions for rows held out: of the validation data where these have
        many events, else of all rows in turn. Then the models are learned again from all.

        Raises
        ------
        TrainingError
            One of the two has too few events, or all of them at time 0.
        ParameterError
            A horizon lies beyond the last event.
        """
        for name, part in (("training", train), ("validation", validation)):
            _check_events(name, part.follow_up)
        every = Followed.joined([train, validation])
        self.edges_ = grid(every.follow_up)
        self.horizons_ = self._horizons(every.follow_up)
        models: dict[str, SurvivalModel] = {name: self._model(name) for name in self._candidates()}
        for model in tracked(list(models.values()), "learning models"):
            model.fit(train, validation)
        seen = held_out(models, train, validation, seed=self.options.trees.seed)
        scale = SurvivalScale.of(every.follow_up, self.horizons_)
        self.blend_ = Blend(models, best_weights(seen, self.edges_, scale))
        weighed = self.blend_.mixed(seen.log_survival)
        self.scores_ = {
            name: self._brier(log, seen.follow_up, scale)
            for name, log in {**seen.log_survival, self.model_: weighed}.items()
        }
        self.band_ = Band.of(self._at(weighed, self.horizons_), self.horizons_, seen.follow_up)
        self.blend_.refit(every)
        return self

    @property
    def model_(self) -> str:
        """Name of the model that answers; "blend" where there are several."""
        names = list(self.blend_.weights)
        return names[0] if len(names) == 1 else "blend"

    def _brier(
        self, log_survival: NDArray[np.float64], follow_up: FollowUp, scale: SurvivalScale
    ) -> float:
        curves = self._at(log_survival, scale.times)
        return float(integrated_brier_of_rows(follow_up, curves, scale).mean())

    def _candidates(self) -> tuple[SurvivalModelName, ...]:
        return MEMBERS if self.options.model == "auto" else (self.options.model,)

    def _model(self, name: SurvivalModelName) -> SurvivalModel:
        schema, options = self.schema, self.options
        if name == "network":
            return DiscreteTime(schema, self.edges_, options.training)
        if name == "forest":
            return SurvivalForest(schema, self.edges_, seed=options.trees.seed)
        risk: RiskModel = LinearRisk(schema)
        if name == "trees":
            risk = TreeRisk(schema, options.trees)
        elif name == "deepsurv":
            risk = NetworkRisk(schema, options.training)
        return ProportionalHazards(risk, self.edges_)

    def _horizons(self, follow_up: FollowUp) -> tuple[float, ...]:
        last = float(self.edges_[-1])
        if not self.options.horizons:
            quarters = np.quantile(follow_up.time[follow_up.event], (0.25, 0.5, 0.75))
            # After time 0, at which many events may come.
            return tuple(np.unique(_as_read(np.maximum(quarters, last / 1e4))).tolist())
        horizons: tuple[float, ...] = tuple(_as_read(self.options.horizons).tolist())
        if beyond := [horizon for horizon in horizons if horizon > last]:
            raise ParameterError(
                f"The horizon {beyond[0]:g} lies beyond the last event of the training data, at "
                f"{last:g}: nothing is known about survival there. Choose earlier 'horizons'."
            )
        return horizons

    def survival(self, arrays: Arrays, times: Any) -> NDArray[np.float64]:
        """Survival at times [T] -> [rows, T], constant hazards between the edges."""
        return self._at(self.blend_.log_survival(arrays), times)

    def _at(self, log_survival: NDArray[np.float64], times: Any) -> NDArray[np.float64]:
        weights = between(self.edges_, np.asarray(times, dtype=float))
        found: NDArray[np.float64] = np.exp(log_survival @ weights)
        return found

    def log_hazard(self, arrays: Arrays) -> NDArray[np.float64]:
        """Logarithm of the cumulative hazard at the last horizon -> [rows]."""
        survival = self.survival(arrays, self.horizons_[-1:])[:, 0]
        found: NDArray[np.float64] = np.log(-np.log(np.clip(survival, LEAST, 1 - LEAST)))
        return found

    def answers(self, arrays: Arrays, scale: SurvivalScale) -> SurvivalAnswers:
        """What the metrics of survival ask for."""
        logs = self.blend_.log_survival(arrays)
        curves, horizons = (self._at(logs, times) for times in (scale.times, scale.horizons))
        return SurvivalAnswers(risk_score(logs), curves, horizons)

    @property
    def threshold(self) -> float:
        """Risk from which on acting costs less than not acting (Elkan 2001)."""
        return float(np.float32(self.options.costs.threshold))

    def answer(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Raw columns of shape [rows] -> the answers that :meth:`write` names."""
        logs = self.blend_.log_survival(arrays)
        survival = self._at(logs, self.horizons_)
        low, high = self.band_.apply(survival)
        risk = 1 - survival[:, -1]
        return {
            "risk": risk,
            "high_risk": risk >= self.threshold,
            "risk_score": risk_score(logs),
            "survival": survival,
            "survival_low": low,
            "survival_high": high,
            "median_survival": median(logs, self.edges_),
        }

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the whole recipe to a builder.

        Returns
        -------
        dict of str to str
            "risk", "high_risk", "risk_score", "median_survival" -> tensor [batch, 1]; "survival",
            "survival_low", "survival_high" -> tensor [batch, H].
        """
        curve = self.blend_.write(builder, inputs)  # [batch, K]
        horizons = between(self.edges_, np.array(self.horizons_)).astype(np.float32)
        at_horizons = builder.node("MatMul", curve, builder.constant(horizons))
        survival = builder.node("Exp", at_horizons)  # [batch, H]
        low, high = self.band_.write(builder, survival)
        one = builder.constant(np.float32(1))
        risk = builder.node("Sub", one, builder.part(survival, -1, 2**31))
        return {
            "risk": risk,
            "high_risk": builder.node(
                "GreaterOrEqual", risk, builder.constant(np.float32(self.threshold))
            ),
            "risk_score": write_risk_score(builder, curve),
            "survival": survival,
            "survival_low": low,
            "survival_high": high,
            "median_survival": write_median(builder, curve, self.edges_),
        }

    def used_columns(self) -> Schema:
        """The raw columns that some feature reads; the exported file has no others."""
        used = self.blend_.columns()
        return Schema(tuple(column for column in self.schema if column.name in used))

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the answer turns."""
        return self.blend_.thresholds()

    def facts(self) -> dict[str, Any]:
        """What decides, as JSON values for the model file."""
        costs = self.options.costs
        return {
            "model": self.model_,
            "horizons": [_as_written(horizon) for horizon in self.horizons_],
            "weights": dict(self.blend_.weights),
            "held_out_integrated_brier": dict(self.scores_),
            "decision": {
                "positive": True,
                "threshold": self.threshold,
                "horizon": _as_written(self.horizons_[-1]),
                "false_alarm_cost": costs.false_alarm,
                "missed_cost": costs.missed,
            },
        }


def _as_read(times: Any) -> NDArray[np.float64]:
    """Times as a column of numbers holds them, so that an event at 0.1 is one by 0.1."""
    return np.asarray(times, dtype=np.float32).astype(np.float64)


def _as_written(time: float) -> float:
    return float(str(np.float32(time)))


def _check_events(name: str, follow_up: FollowUp) -> None:
    events = int(follow_up.event.sum())
    if events < FEWEST_EVENTS:
        words = "all rows are censored" if not events else f"only {events} rows have the event"
        raise TrainingError(
            f"In the {name} data {words}: nothing can be learned about when it happens. Give at "
            f"least {FEWEST_EVENTS} events: a longer follow-up, or more rows."
        )
    if not (follow_up.time[follow_up.event] > 0).any():
        raise TrainingError(
            f"In the {name} data all events happen at time 0: there is no time in which to "
            "survive. Check the column."
        )
