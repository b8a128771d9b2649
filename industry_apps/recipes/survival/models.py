"""Models of a time to an event: a log-risk that multiplies a baseline hazard.

Each model holds its feature graph, learns from followed records, and writes the logarithm of
its survival curve at the edges of a grid of times into a graph. Letters: K edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import FeatureGraph, GraphBuilder, dense_encoders, tree_encoders
from industry_apps.recipes.records import numbered
from industry_apps.recipes.scorers import Arrays, Features, Labelled
from industry_apps.recipes.separating import (
    WHEN,
    Separating,
    Telling,
    separating_columns,
    telling_columns,
)
from industry_apps.recipes.survival.cox import RISK_LIMIT, PartialLikelihood, baseline_hazard
from industry_apps.recipes.survival.metrics import FollowUp
from industry_apps.recipes.trees import (
    TreeOptions,
    grown,
    mean_margin,
    thresholds_of,
    without_split,
    write_mean_margin,
)
from industry_apps.schema import Schema


@dataclass(frozen=True, eq=False)
class Followed:
    """Records with their follow-up.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [rows]
        Raw columns as :meth:`Schema.to_arrays` makes them.
    follow_up : FollowUp
    patient : ndarray of str of shape [rows], optional
        Whose record each is, empty where it is not known; by default each row is one patient.
    """

    arrays: Arrays
    follow_up: FollowUp
    patient: NDArray[Any] | None = None

    @classmethod
    def joined(cls, parts: Sequence[Followed]) -> Followed:
        """Several, one after the other."""
        names = parts[0].arrays
        patients = [part.patient for part in parts if part.patient is not None]
        return cls(
            {name: np.concatenate([part.arrays[name] for part in parts]) for name in names},
            FollowUp(
                np.concatenate([part.follow_up.time for part in parts]),
                np.concatenate([part.follow_up.event for part in parts]),
            ),
            np.concatenate(patients) if len(patients) == len(parts) else None,
        )

    def part(self, chosen: NDArray[np.intp]) -> Followed:
        """Some of the rows, by number."""
        arrays = {name: values[chosen] for name, values in self.arrays.items()}
        patient = None if self.patient is None else self.patient[chosen]
        return Followed(arrays, self.follow_up.part(chosen), patient)

    def separating(self, schema: Schema) -> tuple[Separating | Telling, ...]:
        """The columns that alone tell whether the event comes, or when it does.

        Parameters
        ----------
        schema : Schema
        """
        time, event = self.follow_up.time, self.follow_up.event
        return (
            *separating_columns(schema, Labelled(self.arrays, event)),
            *telling_columns(schema, self.arrays, [np.where(event, time, np.nan)], WHEN),
        )

    def people(self) -> NDArray[np.int64]:
        """A number for each row, the same for all records of a patient."""
        return numbered(self.patient, len(self.follow_up))


class SurvivalModel(Protocol):
    """What a survival recipe needs of a model."""

    @property
    def features(self) -> Features:
        """The fitted features."""
        ...

    def fit(self, train: Followed, validation: Followed | None) -> None:
        """Learn; validation data decide when to stop."""
        ...

    def refit(self, every: Followed) -> None:
        """Learn again from more data, for as long as was found good."""
        ...

    def log_survival(self, arrays: Arrays) -> NDArray[np.float64]:
        """Logarithm of the survival curve at the edges -> [rows, K]."""
        ...

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, K]."""
        ...

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the answer turns, for the parity check."""
        ...


class RiskModel(Protocol):
    """A model of the log-risk, from which :class:`ProportionalHazards` makes curves."""

    @property
    def features(self) -> Features:
        """The fitted features."""
        ...

    def fit(self, train: Followed, validation: Followed | None) -> None:
        """Learn; validation data decide when to stop."""
        ...

    def refit(self, every: Followed) -> None:
        """Learn again from more data, for as long as was found good."""
        ...

    def log_risk(self, arrays: Arrays) -> NDArray[np.float64]:
        """Log-risks -> [rows]."""
        ...

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        ...

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the answer turns."""
        ...


class ProportionalHazards:
    """A survival curve from a log-risk: the hazard of everybody, times the risk of each.

    Parameters
    ----------
    risk : RiskModel
    edges : ndarray of shape [K]
        Rising, above 0.
    """

    def __init__(self, risk: RiskModel, edges: NDArray[np.float64]) -> None:
        self.risk = risk
        self.edges = edges

    @property
    def features(self) -> Features:
        """Those of the log-risk."""
        return self.risk.features

    def fit(self, train: Followed, validation: Followed | None) -> None:
        """Learn the log-risk, then the baseline hazard."""
        self.risk.fit(train, validation)
        self._learn_baseline(train)

    def refit(self, every: Followed) -> None:
        """Learn both again from more data."""
        self.risk.refit(every)
        self._learn_baseline(every)

    def _learn_baseline(self, rows: Followed) -> None:
        found = self.risk.log_risk(rows.arrays)
        self.centre_ = float(np.float32(found.mean()))
        self.baseline_ = baseline_hazard(self._centred(found), rows.follow_up, self.edges)

    def _centred(self, log_risk: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(log_risk - self.centre_, -RISK_LIMIT, RISK_LIMIT)

    def log_survival(self, arrays: Arrays) -> NDArray[np.float64]:
        """Logarithm of the survival curve at the edges -> [rows, K]."""
        risk = np.exp(self._centred(self.risk.log_risk(arrays)))
        found: NDArray[np.float64] = -risk[:, None] * self.baseline_
        return found

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, K]."""
        centre, low, high = (
            builder.constant(np.float32(x)) for x in (self.centre_, -RISK_LIMIT, RISK_LIMIT)
        )
        centred = builder.node("Sub", self.risk.write(builder, inputs), centre)
        risk = builder.node("Exp", builder.node("Clip", centred, low, high))  # [batch, 1]
        return builder.node("Mul", risk, builder.constant(-self.baseline_[None].astype(np.float32)))

    def thresholds(self) -> dict[str, list[float]]:
        """Those of the log-risk."""
        return self.risk.thresholds()


class LinearRisk:
    """Cox's model: a log-risk linear in the features, with an L2 penalty.

    Parameters
    ----------
    schema : Schema
    penalty : float
        On squared weights of standardised features, for the mean loss of an event.
    """

    def __init__(self, schema: Schema, penalty: float = 0.01) -> None:
        self._plan = self.features = FeatureGraph(schema, dense_encoders(schema))
        self.penalty = penalty

    def fit(self, train: Followed, validation: Followed | None) -> None:
        """Learn the weights; nothing is decided on validation data."""
        from scipy.optimize import minimize

        self.features = self._plan.learn(train.arrays)
        rows = self.features.run(train.arrays)["numeric"].astype(np.float64)
        scale = rows.std(axis=0)
        scale[scale < 1e-6] = np.inf  # a feature that is always the same has no weight
        inputs = (rows - rows.mean(axis=0)) / scale
        events = max(int(train.follow_up.event.sum()), 1)
        likelihood = PartialLikelihood(train.follow_up)

        def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            found = likelihood(inputs @ weights)
            penalty = 0.5 * self.penalty * float(weights @ weights)
            slope = inputs.T @ found.gradient / events + self.penalty * weights
            return found.loss + penalty, slope

        start = np.zeros(rows.shape[1])
        self.weights_ = minimize(loss, start, jac=True, method="L-BFGS-B").x / scale

    def refit(self, every: Followed) -> None:
        """Learn the weights again."""
        self.fit(every, None)

    def log_risk(self, arrays: Arrays) -> NDArray[np.float64]:
        """Log-risks -> [rows]."""
        rows = self.features.run(arrays)["numeric"].astype(np.float64)
        found: NDArray[np.float64] = rows @ self.weights_
        return found

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        weights = builder.constant(self.weights_[:, None].astype(np.float32))
        return builder.node("MatMul", self.features.write(builder, inputs)["numeric"], weights)

    def thresholds(self) -> dict[str, list[float]]:
        """None: a linear model has no split thresholds."""
        return {}


class TreeRisk:
    """Gradient-boosted trees on Cox's partial likelihood.

    Parameters
    ----------
    schema : Schema
    options : TreeOptions

    References
    ----------
    Ridgeway 1999, "The state of boosting", Computing Science and Statistics 31: 172-181.
    """

    def __init__(self, schema: Schema, options: TreeOptions) -> None:
        encoders = tree_encoders(schema, one_hot=options.one_hot)
        self._plan = self.features = FeatureGraph(schema, encoders)
        self.options = options

    def fit(self, train: Followed, validation: Followed | None) -> None:
        """Learn; validation data decide when to stop, if patience is not 0."""
        import lightgbm as lgb

        self.features = self._plan.learn(train.arrays)
        rows = self.features.run(train.arrays)["numeric"]
        data = lgb.Dataset(rows, params={"verbosity": -1})
        # Beside the data set, and not its label, which LightGBM holds in float32.
        likelihood = {id(data): PartialLikelihood(train.follow_up)}
        held_out = None
        if self.options.patience and validation is not None:
            asked = self.features.run(validation.arrays)["numeric"]
            held_out = data.create_valid(asked, np.zeros(len(asked)))
            likelihood[id(held_out)] = PartialLikelihood(validation.follow_up)
        data.set_label(np.zeros(len(rows)))

        def slopes(margin: NDArray[Any], part: Any) -> tuple[NDArray[Any], NDArray[Any]]:
            found = likelihood[id(part)](margin.astype(np.float64))
            return found.gradient, np.maximum(found.curvature, 1e-6)

        def loss(margin: NDArray[Any], part: Any) -> tuple[str, float, bool]:
            found = likelihood[id(part)](margin.astype(np.float64))
            return "partial_likelihood", found.loss, False

        try:
            own = {"objective": slopes, "metric": "None"}
            self.boosters_ = [
                grown(data, options, own, held_out=held_out, loss=loss)
                for options in self.options.bagged()
            ]
        except lgb.basic.LightGBMError as error:
            # With slopes of one's own it does not begin where no column can be split.
            if "num_features" not in str(error):
                raise
            raise without_split(self.options, len(rows)) from error

    def refit(self, every: Followed) -> None:
        """Learn again from more data, with as many trees as were found good."""
        self.options = self.options.regrown(self.boosters_)
        self.fit(every, None)

    def log_risk(self, arrays: Arrays) -> NDArray[np.float64]:
        """Log-risks -> [rows]."""
        return mean_margin(self.features, self.boosters_, arrays)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        rows = self.features.write(builder, inputs)["numeric"]
        return write_mean_margin(builder, self.boosters_, rows)

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> split thresholds."""
        return thresholds_of(self.features, self.boosters_)
