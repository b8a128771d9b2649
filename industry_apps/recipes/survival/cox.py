"""Cox's partial likelihood, its gradient, and Breslow's baseline hazard.

References
----------
Cox 1972, "Regression models and life-tables", doi:10.1111/j.2517-6161.1972.tb00899.x; Breslow
1974, "Covariance analysis of censored survival data", doi:10.2307/2529620.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.recipes.survival.metrics import FollowUp

#: Log-risks beyond this, from their mean, count as this much.
RISK_LIMIT = 15.0


class Likelihood(NamedTuple):
    """The negative log partial likelihood of log-risks, and its derivatives.

    Parameters
    ----------
    loss : float
        Mean over the events.
    gradient, curvature : ndarray of shape [rows]
        First and second derivative of the sum over the events by each log-risk.
    """

    loss: float
    gradient: NDArray[np.float64]
    curvature: NDArray[np.float64]


class PartialLikelihood:
    """The partial likelihood of the same rows for many log-risks, ties as in Breslow.

    The rows are sorted once.

    Parameters
    ----------
    follow_up : FollowUp
    """

    def __init__(self, follow_up: FollowUp) -> None:
        self._event = follow_up.event
        _, self._place = np.unique(follow_up.time, return_inverse=True)
        self._events = np.bincount(self._place, weights=follow_up.event)  # [times]

    def __call__(self, log_risk: NDArray[np.float64]) -> Likelihood:
        """Log-risks [rows] -> loss and derivatives."""
        place, events = self._place, self._events
        shifted = np.clip(log_risk - log_risk.mean(), -RISK_LIMIT, RISK_LIMIT)
        risk = np.exp(shifted)
        at_risk = np.cumsum(np.bincount(place, weights=risk)[::-1])[::-1]
        first = np.cumsum(events / at_risk)[place]  # of events up to the time of each row
        second = np.cumsum(events / at_risk**2)[place]
        total = float(events @ np.log(at_risk) - shifted[self._event].sum())
        return Likelihood(
            total / max(float(events.sum()), 1.0),
            risk * first - self._event,
            risk * first - risk**2 * second,
        )


def baseline_hazard(
    log_risk: NDArray[np.float64], follow_up: FollowUp, edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cumulative hazard of a log-risk of 0 up to each edge [edges], by Breslow."""
    times, place = np.unique(follow_up.time, return_inverse=True)
    events = np.bincount(place, weights=follow_up.event)
    at_risk = np.cumsum(np.bincount(place, weights=np.exp(log_risk))[::-1])[::-1]
    cumulative = np.append(0.0, np.cumsum(events / at_risk))
    found: NDArray[np.float64] = cumulative[np.searchsorted(times, edges, side="right")]
    return found
