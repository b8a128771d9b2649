"""Simulated output of a photovoltaic plant that does not exist, with its weather."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.data.power_records import solar_records
from industry_apps.data.simulators.limits import check_at_least

__all__ = ["hourly_sun"]

_LATITUDE, _LONGITUDE, _TILT = np.deg2rad(47.0), 8.0, np.deg2rad(30.0)


def hourly_sun(
    days: int = 730, capacity: float = 5.0, lead_hours: tuple[int, ...] = (1, 24), seed: int = 0
) -> pd.DataFrame:
    """Simulate records of a plant at 47 N, 8 E that faces south at 30 degrees.

    Clouds come and go over days and hours, snow lies for some days of winter, and the inverter
    fails at times.

    Parameters
    ----------
    days : int
        At least 30, from 2022-01-01 on.
    capacity : float
        kW, > 0.
    lead_hours : tuple of int
        Lead times of the forecasts.
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        As of :func:`industry_apps.data.power_records.solar_records`.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> len(hourly_sun(30))
    1440
    """
    check_at_least({"days": (days, 30), "capacity": (capacity, 1e-6), "seed": (seed, 0)})
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2022-01-01", periods=24 * days, freq="h")
    middle = np.asarray(hours.hour) + 0.5 + _LONGITUDE / 15
    day = np.asarray(hours.dayofyear)
    decline = np.deg2rad(-23.44) * np.cos(2 * np.pi * (day + 10) / 365.25)
    turn = np.pi * (middle - 12) / 12
    up = np.sin(_LATITUDE) * np.sin(decline) + np.cos(_LATITUDE) * np.cos(decline) * np.cos(turn)
    # Towards the equator a tilted plane sees the sun as a flat one would at a lower latitude.
    flat = _LATITUDE - _TILT
    facing = np.sin(flat) * np.sin(decline) + np.cos(flat) * np.cos(decline) * np.cos(turn)
    up, facing = np.maximum(up, 0), np.where(up > 0, np.maximum(facing, 0), 0)
    clear = np.clip(0.75 + wander(rng, len(hours), 30.0) * 0.35, 0.08, 1.02)
    light = 1080 * up**1.15 * clear
    beam = np.clip(1.6 * clear - 0.6, 0, 1)
    plane = light * (0.95 * (1 - beam) + beam * facing / np.maximum(up, 0.08))
    season = -np.cos(2 * np.pi * (day - 20) / 365.25)
    warm = 10 + 10 * season + 5 * np.sin(turn - 0.8) * up + 3 * wander(rng, len(hours), 90.0)
    share = plane / 1000 * (1 - 0.004 * (warm + plane / 30 - 25)) * 0.9
    snow = (wander(rng, len(hours), 120.0) > 1.0) & (warm < 3)
    failed = wander(rng, len(hours), 48.0) > 2.4
    share *= np.where(snow, 0.15, 1) * np.where(failed, 0, 1) * rng.normal(1, 0.03, len(hours))
    output = capacity * np.where(up > 0, np.clip(share, 0, 1), 0)
    series = pd.DataFrame(
        {
            "time": hours,
            "power": output.round(4),
            "irradiance": light.round(1),
            "temperature": warm.round(1),
            "wind_speed": np.abs(2 + wander(rng, len(hours), 12.0)).round(1),
        }
    )
    return solar_records(series, lead_hours=lead_hours)


def wander(rng: np.random.Generator, steps: int, memory: float) -> np.ndarray:
    """A series of mean 0 and spread 1 that forgets over so many steps."""
    keep = np.exp(-1 / memory)
    noise = rng.normal(0, np.sqrt(1 - keep**2), steps)
    found = np.empty(steps)
    last = rng.normal()
    for step in range(steps):
        last = keep * last + noise[step]
        found[step] = last
    return found
