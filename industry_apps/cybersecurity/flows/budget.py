"""From alerts that there are hands for to a share of the flows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError

_DAY = 86_400  # seconds


def rate_of(alerts: float, flows: float | None, seconds: NDArray[np.int64]) -> float:
    """Share of the flows that may raise a false alarm.

    Parameters
    ----------
    alerts : float
        A day.
    flows : float, optional
        A day; counted by default.
    seconds : ndarray of int64, shape [rows]
        Moments of normal flows; empty where they have none.

    Raises
    ------
    ParameterError
        Flows of a day are not known, or fewer than alerts.

    Examples
    --------
    >>> rate_of(20, 10_000, np.empty(0, dtype=np.int64))
    0.002
    """
    if flows is None:
        if len(seconds) < 2 or seconds.max() == seconds.min():
            raise ParameterError(
                "The 'alerts_per_day' parameter needs to know the flows of a day, and the data "
                "have no time to count them by. Give 'flows_per_day', too."
            )
        flows = len(seconds) * _DAY / float(seconds.max() - seconds.min())
    if alerts >= flows:
        raise ParameterError(
            f"The 'alerts_per_day' parameter is {alerts:g}, and there are {flows:.0f} flows a "
            "day: each may raise an alert. Give fewer alerts."
        )
    return alerts / flows
