"""Several survival models as one: weights found on rows that the models have not seen.

Letters: N rows, M models, K edges of the grid, T times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.scorers import Arrays, thresholds_of_all
from industry_apps.recipes.survival.curve import LEAST, between, risk_score
from industry_apps.recipes.survival.metrics import (
    FollowUp,
    SurvivalScale,
    blocks,
    brier_weights,
)
from industry_apps.recipes.survival.models import Followed, SurvivalModel
from industry_apps.runtime.progress import tracked

_Floats = NDArray[np.float64]

#: Parts into which rows are cut; each is asked of models that learned from the others.
_FOLDS = 5
#: Events with which one held-out part says enough.
_ENOUGH_EVENTS = 1_000
#: How strongly weights are held to be equal: as much as the Brier scores of so many rows.
_EQUAL_ROWS = 5.0
#: Pairs by which the order is judged.
_PAIRS = 20_000
#: Models with less weight than this are left out.
_LEAST_WEIGHT = 0.02


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What models say of rows from which they have not learned, though some may stop by them.

    Parameters
    ----------
    log_survival : mapping of str to ndarray of shape [N, K]
        By model.
    follow_up : FollowUp
        Of these rows.
    """

    log_survival: Mapping[str, _Floats]
    follow_up: FollowUp


def held_out(
    models: Mapping[str, SurvivalModel], train: Followed, validation: Followed, *, seed: int
) -> HeldOut:
    """Ask models about rows that they have not seen.

    These are the validation data where they have many events. Else all rows are asked about in
    turn: each part of them of models that learned again from the others, for as long as was
    found good. All rows of a patient lie in one part.

    Parameters
    ----------
    models : mapping of str to SurvivalModel
        Fitted to `train`, stopped on `validation`; where they learn again, they stay so.
    train, validation : Followed
    seed : int
        Of the parts.
    """
    if int(validation.follow_up.event.sum()) >= _ENOUGH_EVENTS:
        seen = {name: model.log_survival(validation.arrays) for name, model in models.items()}
        return HeldOut(seen, validation.follow_up)
    every = Followed.joined([train, validation])
    order: list[NDArray[np.intp]] = []
    found: dict[str, list[_Floats]] = {name: [] for name in models}
    for others, part in tracked(_parts(every, seed), "learning folds"):
        order.append(part)
        asked = every.part(part)
        for name, model in models.items():
            model.refit(every.part(others))
            found[name].append(model.log_survival(asked.arrays))
    rows = np.concatenate(order)
    logs = {name: np.concatenate(parts) for name, parts in found.items()}
    return HeldOut(logs, every.follow_up.part(rows))


def _parts(every: Followed, seed: int) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Cut rows by patient, with about equal shares of events -> (other rows, rows of a part)."""
    from sklearn.model_selection import StratifiedGroupKFold

    people, event = every.people(), every.follow_up.event
    count = len(np.unique(people))
    if count < 2:
        raise TrainingError(
            "All records are of one patient: nothing can be learned of others. Give more patients."
        )
    cut = StratifiedGroupKFold(min(_FOLDS, count), shuffle=True, random_state=seed)
    return list(cut.split(event, event, people))


def best_weights(seen: HeldOut, edges: _Floats, scale: SurvivalScale) -> dict[str, float]:
    """Weights of curves that predict and rank best: >= 0, their sum 1.

    They have the least sum of the integrated Brier score and of a smooth loss of the order of
    pairs, each relative to that of equal weights. On few rows losses differ by chance: a penalty
    on the squared distance from equal weights, which loses its force as rows grow in number,
    keeps near them what rows cannot tell apart.

    Parameters
    ----------
    seen : HeldOut
    edges : ndarray of shape [K]
    scale : SurvivalScale
    """
    from scipy.optimize import minimize

    names = list(seen.log_survival)
    if len(names) == 1:
        return {names[0]: 1.0}
    brier, ranking = _Brier.of(seen, edges, scale), _Ranking.of(seen)
    equal = np.full(len(names), 1 / len(names))
    penalty = _EQUAL_ROWS / len(seen.follow_up)
    parts = [(loss, loss(equal)[0]) for loss in (brier, ranking)]

    def loss(weights: _Floats) -> tuple[float, _Floats]:
        gap = weights - equal
        value, slope = penalty / parts[0][1] * float(gap @ gap), 2 * penalty / parts[0][1] * gap
        for part, unit in parts:
            found, gradient = part(weights)
            value, slope = value + found / unit, slope + gradient / unit
        return value, slope

    found = minimize(
        loss,
        equal,
        jac=True,
        method="SLSQP",
        bounds=[(0, 1)] * len(names),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-10, "maxiter": 1_000},
    ).x
    kept = np.where(found < _LEAST_WEIGHT, 0, found)
    return dict(zip(names, (kept / kept.sum()).tolist(), strict=True))


class _Brier(NamedTuple):
    """The integrated Brier score of a mean of curves: a square of its weights."""

    squares: _Floats  # [M, M]
    product: _Floats  # [M]
    constant: float

    @classmethod
    def of(cls, seen: HeldOut, edges: _Floats, scale: SurvivalScale) -> _Brier:
        at_times = between(edges, scale.times)
        models, rows, times = len(seen.log_survival), len(seen.follow_up), len(scale.times)
        squares, product, constant = np.zeros((models, models)), np.zeros(models), 0.0
        for part in blocks(rows):
            logs = [log[part] @ at_times for log in seen.log_survival.values()]
            flat = np.exp(np.stack(logs)).reshape(models, -1)  # [M, rows of the part * T]
            alive, weight = brier_weights(seen.follow_up.part(part), scale)
            squares += (flat * weight.ravel()) @ flat.T / (rows * times)
            product += flat @ (weight * alive).ravel() / (rows * times)
            constant += float((weight * alive).sum()) / (rows * times)
        return cls(squares, product, constant)

    def __call__(self, weights: _Floats) -> tuple[float, _Floats]:
        """Score and gradient."""
        turned = self.squares @ weights
        value = float(weights @ turned - 2 * self.product @ weights) + self.constant
        return value, 2 * (turned - self.product)


class _Ranking(NamedTuple):
    """A smooth loss of the order of pairs by the risk score, of which weights take the mean."""

    gaps: _Floats  # [M, pairs]: of who had the event first, less of the other

    @classmethod
    def of(cls, seen: HeldOut) -> _Ranking:
        draw, time = np.random.default_rng(0), seen.follow_up.time
        order = np.argsort(time, kind="stable")
        later = np.searchsorted(time[order], time, side="right")  # the first place behind
        events = np.flatnonzero(seen.follow_up.event & (later < len(time)))
        first = draw.choice(events, _PAIRS) if len(events) else events
        other = order[draw.integers(later[first], len(time))]
        scores = np.stack([risk_score(log) for log in seen.log_survival.values()])
        gaps = scores[:, first] - scores[:, other]
        usual = float(np.abs(gaps).mean()) if gaps.size else 0.0
        return cls(gaps / usual if usual else gaps)

    def __call__(self, weights: _Floats) -> tuple[float, _Floats]:
        """Loss and gradient; the logistic loss, as in RankNet."""
        gap = weights @ self.gaps
        if not len(gap):
            return 1.0, np.zeros_like(weights)
        wrong = np.exp(-np.logaddexp(0, gap))
        return float(np.logaddexp(0, -gap).mean()), -(self.gaps * wrong).mean(axis=1)


class Blend:
    """A mean of survival curves by weight, which are not negative and sum to 1.

    The weights predict and rank best on rows that the models have not seen: a convex loss, so
    that there is one best choice.

    Parameters
    ----------
    models : mapping of str to SurvivalModel
    weights : mapping of str to float
        Of the same names.

    References
    ----------
    Wey, Connett and Rudser 2015, "Combining parametric, semi-parametric, and non-parametric
    survival models with stacked survival models", doi:10.1093/biostatistics/kxv001; Burges et al.
    2005, "Learning to rank using gradient descent", doi:10.1145/1102351.1102363.
    """

    def __init__(self, models: Mapping[str, SurvivalModel], weights: Mapping[str, float]) -> None:
        kept = {name: float(np.float32(each)) for name, each in weights.items() if each > 0}
        self.models = {name: models[name] for name in kept}
        self.weights = kept

    def refit(self, every: Followed) -> None:
        """Learn all models again from more data."""
        for model in tracked(list(self.models.values()), "learning models again"):
            model.refit(every)

    def log_survival(self, arrays: Arrays) -> _Floats:
        """Logarithm of the survival curve at the edges -> [rows, K]."""
        return self.mixed({name: m.log_survival(arrays) for name, m in self.models.items()})

    def mixed(self, logs: Mapping[str, _Floats]) -> _Floats:
        """Logarithms of survival [rows, K] by model -> that of the blend."""
        if len(self.weights) == 1:
            return logs[next(iter(self.weights))]
        mean = sum(weight * np.exp(logs[name]) for name, weight in self.weights.items())
        found: _Floats = np.log(np.maximum(mean, LEAST))
        return found

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append all models to a graph -> tensor [batch, K]."""
        logs = {name: model.write(builder, inputs) for name, model in self.models.items()}
        if len(logs) == 1:
            return next(iter(logs.values()))
        shares = [
            builder.node("Mul", builder.node("Exp", log), builder.constant(np.float32(weight)))
            for log, weight in zip(logs.values(), self.weights.values(), strict=True)
        ]
        least = builder.constant(np.float32(LEAST))
        return builder.node("Log", builder.node("Max", builder.node("Sum", *shares), least))

    def columns(self) -> set[str]:
        """The raw columns that some model reads."""
        return {name for model in self.models.values() for name in model.features.schema.names}

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the answer of some model turns."""
        return thresholds_of_all(self.models.values())
