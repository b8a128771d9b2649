"""Simulated output of a wind turbine that does not exist, with its wind."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.data.power_records import wind_records
from industry_apps.data.simulators.energy.sun import wander
from industry_apps.data.simulators.limits import check_at_least

__all__ = ["wind_turbine"]

_STEP = 10  # minutes


def wind_turbine(
    days: int = 180,
    capacity: float = 2_000.0,
    lead_minutes: tuple[int, ...] = (10, 60, 240, 1440),
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate records of a turbine that stands still, is curtailed and cut out at times.

    Parameters
    ----------
    days : int
        At least 20, from 2023-01-01 on.
    capacity : float
        kW, > 0.
    lead_minutes : tuple of int
        Lead times of the forecasts, multiples of 10.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        As of :func:`industry_apps.data.power_records.wind_records`.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> len(wind_turbine(20, lead_minutes=(10,)))
    2880
    """
    check_at_least({"days": (days, 20), "capacity": (capacity, 1e-6), "seed": (seed, 0)})
    rng = np.random.default_rng(seed)
    steps = days * 24 * 60 // _STEP
    weather = 0.9 * wander(rng, steps, 100.0) + 0.3 * wander(rng, steps, 8.0)
    speed = 8.0 * np.exp(0.45 * weather)
    share = np.clip((speed**3 - 27) / (12.0**3 - 27), 0, 1)
    share = np.clip(share + rng.normal(0, 0.015, steps) * (share > 0), 0, 1)
    share[speed > 25] = 0
    share = np.where(wander(rng, steps, 80.0) > 1.6, np.minimum(share, 0.4), share)
    share[wander(rng, steps, 60.0) > 2.0] = 0
    series = pd.DataFrame(
        {
            "time": pd.date_range("2023-01-01", periods=steps, freq=f"{_STEP}min"),
            "power": (capacity * share).round(2),
            "wind_speed": speed.round(2),
            "wind_direction": (220 + 50 * wander(rng, steps, 150.0)).round(0) % 360,
        }
    )
    return wind_records(series, lead_minutes=lead_minutes)
