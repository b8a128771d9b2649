"""From margins to a decision: calibration, threshold and capacity, as graph nodes.

Each step has two forms beside each other: ``apply`` on arrays, which the trained model
uses, and ``write`` into a graph; the parity certificate compares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder

#: Margins beyond this count as this much when the calibration is learned.
MARGIN_LIMIT = 30.0

#: A step of a calibration is drawn out to this slope: a steeper one would make visible that
#: the file computes in float32.
_STEEPEST = 50.0
_NARROWEST = 1e-6

#: Probabilities nearer to 0 or 1 have the points of this one.
_LEAST = 1e-4


@dataclass(frozen=True, slots=True)
class Platt:
    """A logistic regression from the margins of one or several models to a probability.

    With one margin this is Platt's scaling; with several it is also the stack.

    Parameters
    ----------
    weights : tuple of float
        One for each margin, none negative.
    intercept : float

    References
    ----------
    Platt 1999, "Probabilistic outputs for support vector machines"; Wolpert 1992, "Stacked
    generalization", doi:10.1016/S0893-6080(05)80023-1.
    """

    weights: tuple[float, ...] = (1.0,)
    intercept: float = 0.0

    @classmethod
    def fit(cls, margins: NDArray[np.float64], target: NDArray[np.bool_]) -> Self:
        """Learn from validation data.

        Parameters
        ----------
        margins : ndarray of shape [rows, models]
        target : ndarray of bool of shape [rows]
        """
        from scipy.optimize import minimize

        # A single wild margin must not decide the scale of all.
        clipped = np.clip(margins, -MARGIN_LIMIT, MARGIN_LIMIT)
        centre, scale = clipped.mean(axis=0), clipped.std(axis=0)
        scale[scale < 1e-6] = np.inf  # a margin that is always the same has no weight
        inputs = (clipped - centre) / scale
        positive, negative = target.sum(), (~target).sum()
        # Platt's soft targets keep the fit finite when the classes are separated.
        soft = np.where(target, (positive + 1) / (positive + 2), 1 / (negative + 2))

        def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            logit = inputs @ parameters[:-1] + parameters[-1]
            error = _sigmoid(logit) - soft
            value = np.logaddexp(0, logit) - soft * logit
            return float(value.mean()), np.append(inputs.T @ error, error.sum()) / len(soft)

        start = np.append(np.full(inputs.shape[1], 1.0), np.log((positive + 1) / (negative + 1)))
        # A model that knows less than nothing is left out rather than turned round.
        bounds = [(0.0, None)] * inputs.shape[1] + [(None, None)]
        found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
        weights = found[:-1] / scale
        return cls(tuple(map(float, weights)), float(found[-1] - weights @ centre))

    def apply(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Margins [rows, models] -> probability [rows]."""
        return _sigmoid(margins @ np.array(self.weights) + self.intercept)

    def write(self, builder: GraphBuilder, margins: list[str]) -> str:
        """Margins, each [batch, 1] -> probability [batch, 1]."""
        weights = np.array(self.weights, dtype=np.float32).reshape(-1, 1)
        logit = builder.node(
            "Gemm",
            builder.concat(margins),
            builder.constant(weights),
            builder.constant(np.array([self.intercept], dtype=np.float32)),
        )
        return builder.node("Sigmoid", logit)


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A non-decreasing, piecewise-linear map from probability to probability.

    Parameters
    ----------
    knots, values : tuple of float
        At least two, strictly increasing knots.

    References
    ----------
    Zadrozny and Elkan 2002, "Transforming classifier scores into accurate multiclass
    probability estimates", doi:10.1145/775047.775151.
    """

    knots: tuple[float, ...] = (0.0, 1.0)
    values: tuple[float, ...] = (0.0, 1.0)

    @classmethod
    def fit(
        cls, probability: NDArray[np.float64], target: NDArray[np.bool_], most: int = 32
    ) -> Self:
        """Learn from validation data; at most ``most`` knots are kept."""
        from sklearn.isotonic import IsotonicRegression

        fitted = IsotonicRegression(out_of_bounds="clip").fit_transform(probability, target)
        values, place = np.unique(fitted, return_inverse=True)
        rows = np.bincount(place).astype(np.float64)
        # A knot in the middle of each plateau, so that the mean over the rows is kept.
        knots = [*zip(np.bincount(place, probability) / rows, values, rows, strict=True)]
        while len(knots) > 1 and (pair := _to_be_pooled(np.array(knots), most)) is not None:
            both = np.array(knots[pair : pair + 2])
            weight = both[:, 2]
            knots[pair : pair + 2] = [(*(weight @ both[:, :2] / weight.sum()), weight.sum())]
        x, y, _ = np.array(knots).T
        if len(x) < 2:
            x, y = np.array([0.0, 1.0]), np.array([y[0], y[0]])
        return cls(tuple(map(float, x.astype(np.float32))), tuple(map(float, y)))

    def apply(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability [rows] -> probability [rows]."""
        return np.interp(probability, self.knots, self.values)

    def write(self, builder: GraphBuilder, probability: str) -> str:
        """Probability [batch, 1] -> probability [batch, 1]."""
        return builder.interpolate(probability, np.array([self.knots]), np.array([self.values]))


def _to_be_pooled(knots: NDArray[np.float64], most: int) -> int | None:
    """The first of two knots [x, y, rows] that lie too near, or differ least where they are many.

    None of knots that may stay as they are.
    """
    run, rise = np.diff(knots[:, 0]), np.diff(knots[:, 1])
    steep = run <= np.maximum(rise / _STEEPEST, _NARROWEST)
    if steep.any():
        return int(steep.argmax())
    if len(knots) <= most:
        return None
    one, other = knots[:-1, 2], knots[1:, 2]
    return int((rise**2 * one * other / (one + other)).argmin())  # as Ward's clustering does


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """The decision: yes from this probability on.

    Parameters
    ----------
    value : float
        The probability from which on the expected cost of acting is the lower one; held in
        float32, as in the file.
    capacity : float, optional
        A second, higher threshold, from which on there are hands enough to act: on
        validation data no more cases a day lie above it than can be worked.
    """

    value: float
    capacity: float | None = None

    def __post_init__(self) -> None:
        for name in ("value", "capacity"):
            exact = getattr(self, name)
            if exact is not None:
                object.__setattr__(self, name, float(np.float32(exact)))

    def apply(self, probability: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Probability [rows] -> decision [rows]."""
        return probability >= self.value

    def within_capacity(self) -> Threshold:
        """The threshold of the cases that there are hands for."""
        return self if self.capacity is None else Threshold(value=max(self.value, self.capacity))

    def write(self, builder: GraphBuilder, probability: str) -> str:
        """Probability [batch, 1] -> decision, bool [batch, 1]."""
        limit = builder.constant(np.float32(self.value))
        return builder.node("GreaterOrEqual", probability, limit)


@dataclass(frozen=True, slots=True)
class Scale:
    """Points for a probability: linear in its log-odds, and the higher, the less likely.

    Parameters
    ----------
    offset : float
        Points of even odds.
    factor : float
        Points for which the odds grow by e.
    """

    offset: float
    factor: float

    def apply(self, probability: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability [rows] -> points [rows]."""
        inside = np.clip(probability, _LEAST, 1 - _LEAST)
        return self.offset - self.factor * np.log(inside / (1 - inside))

    def write(self, builder: GraphBuilder, probability: str) -> str:
        """Probability [batch, 1] -> points [batch, 1]."""
        least, most, one, offset, factor = (
            builder.constant(np.float32(value))
            for value in (_LEAST, 1 - _LEAST, 1.0, self.offset, -self.factor)
        )
        inside = builder.node("Clip", probability, least, most)
        odds = builder.node("Div", inside, builder.node("Sub", one, inside))
        points = builder.node("Mul", builder.node("Log", odds), factor)
        return builder.node("Add", points, offset)


def capacity_threshold(
    probability: NDArray[np.float64], day: NDArray[np.int64], alerts_per_day: float
) -> float:
    """Lowest threshold that gives at most so many alerts a day on average.

    Parameters
    ----------
    probability : ndarray of shape [rows]
    day : ndarray of int of shape [rows]
        Day number of each row.
    alerts_per_day : float
        > 0.
    """
    allowed = int(alerts_per_day * len(np.unique(day)) + 1e-9)
    levels, counts = np.unique(-probability, return_counts=True)
    fitting = int((np.cumsum(counts) <= allowed).sum())
    # Halfway between two levels, so that no known row sits on the threshold.
    bounds = np.concatenate([[max(1.0, -levels[0]) + 1e-3], -levels, [0.0]])
    return float(bounds[fitting] + bounds[fitting + 1]) / 2


def share_threshold(probability: NDArray[np.float64], share: float) -> float:
    """Lowest threshold that at most this share of the cases reaches.

    Parameters
    ----------
    probability : ndarray of shape [rows]
    share : float
        In (0, 1].
    """
    return capacity_threshold(
        probability, np.zeros(len(probability), np.int64), share * len(probability)
    )


def _sigmoid(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import expit

    return expit(logit)
