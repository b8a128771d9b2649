"""What wrong decisions cost, and the threshold that costs least.

Letters: N rows, T distinct scores.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import numpy.typing as npt

from industry_apps.errors import ParameterError
from industry_apps.evaluation.metrics import checked, row_weights, weighted_mean
from industry_apps.limits import NOT_NEGATIVE, check_parameters

__all__ = ["Costs", "cost_optimal_threshold", "expected_cost", "just_above"]

_Floats = npt.NDArray[np.float64]
_Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What the two wrong decisions cost; right ones cost nothing.

    Parameters
    ----------
    false_alarm : float, default 1.0
        Money units for an alert on a negative row; >= 0.
    missed : float, default 20.0
        Money units for no alert on a positive row; >= 0. Not both costs may be 0.

    Raises
    ------
    ParameterError
        When a cost is negative or not finite, or both are 0.

    Examples
    --------
    >>> Costs(false_alarm=1.0, missed=19.0).threshold
    0.05
    """

    false_alarm: Annotated[float, NOT_NEGATIVE] = 1.0
    missed: Annotated[float, NOT_NEGATIVE] = 20.0

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.false_alarm + self.missed == 0:
            raise ParameterError(
                "The costs 'false_alarm' and 'missed' are both 0: all decisions are equally good."
            )

    @property
    def threshold(self) -> float:
        """Probability in [0, 1] at and above which an alert is the cheaper decision.

        References
        ----------
        Elkan, C. (2001). The foundations of cost-sensitive learning. IJCAI, 973-978.
        """
        return self.false_alarm / (self.false_alarm + self.missed)


def expected_cost(
    target: npt.ArrayLike,
    decision: npt.ArrayLike,
    costs: Costs,
    weight: npt.ArrayLike | None = None,
) -> float:
    """Mean cost per row of the decisions taken, in the money units of `costs`.

    Parameters
    ----------
    target, decision : array-like of bool, shape (N,)
        Truth, and whether an alert was raised.
    costs : Costs
        What a false alarm and a missed positive cost.
    weight : array-like of float, shape (N,), optional
        How often each row counts.

    Raises
    ------
    SchemaError
        When lengths differ.

    Examples
    --------
    >>> expected_cost([False, True, True, False], [True, True, False, False], Costs())
    5.25
    """
    labels, alerts = checked(target, decision)
    return weighted_mean(cost_of_rows(labels, alerts > 0, costs), row_weights(weight, len(labels)))


def cost_of_rows(labels: _Bools, alerts: _Bools, costs: Costs) -> _Floats:
    """Return what each decision costs [N]."""
    return costs.false_alarm * (alerts & ~labels) + costs.missed * (labels & ~alerts)


def cost_optimal_threshold(
    target: npt.ArrayLike, probability: npt.ArrayLike, costs: Costs
) -> float:
    """Find the threshold with the lowest cost on these rows (use validation rows).

    Lies halfway between the last probability that raises an alert and the next lower one,
    so that no known row sits on it; of equally cheap ones the highest (fewest alerts).

    Parameters
    ----------
    target : array-like of bool, shape (N,)
        Truth.
    probability : array-like of float, shape (N,)
        In [0, 1].
    costs : Costs
        What a false alarm and a missed positive cost.

    Returns
    -------
    float
        Alert where probability >= threshold. Above every probability when no alert pays.

    Raises
    ------
    SchemaError
        When lengths differ or a probability is not finite.

    Examples
    --------
    >>> cost_optimal_threshold([False, False, True], [0.1, 0.2, 0.6], Costs())
    0.4
    """
    labels, scores = checked(target, probability)
    levels, level_of_row = np.unique(-scores, return_inverse=True)
    positives = np.bincount(level_of_row, weights=labels)  # [T], by falling probability
    negatives = np.bincount(level_of_row) - positives
    saved = np.cumsum(costs.missed * positives - costs.false_alarm * negatives)
    best = int(np.argmax(np.append(0.0, saved)))  # levels that raise an alert
    bounds = np.concatenate([[max(1.0, -levels[0]) + 1e-6], -levels, [0.0]])
    middle = float(bounds[best] + bounds[best + 1]) / 2
    # Between neighbouring floats the middle can round down onto the lower one.
    return middle if middle > bounds[best + 1] else float(bounds[best])


def just_above(known: _Floats, value: float) -> float:
    """Halfway from a known value to the next larger one, so that no known row sits on a limit.

    The file computes in float32, where a value that is the limit may fall on either side.

    Parameters
    ----------
    known : ndarray of float, shape [rows]
        In any order; beyond the largest the limit is half as far as the next smaller one is.
    value : float
        One of them.

    Examples
    --------
    >>> just_above(np.array([0.5, 0.1, 0.2]), 0.2), just_above(np.array([0.5, 0.1]), 0.5)
    (0.35, 0.7)
    """
    larger = known[known > value]
    if len(larger):
        return float((value + larger.min()) / 2)
    smaller = known[known < value]
    gap = value - smaller.max() if len(smaller) else abs(value)
    return float(value + (gap / 2 or 1.0))
