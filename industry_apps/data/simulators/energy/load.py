"""Simulated hourly load of grid areas that do not exist, with the temperature forecast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least

__all__ = ["hourly_load"]

#: Share of the daily mean, from midnight on, of a working day and of a day off.
_WORKING = np.array(
    [
        *(
            78,
            74,
            72,
            71,
            73,
            80,
            92,
            103,
            109,
            111,
            112,
            112,
            111,
            110,
            109,
            109,
            111,
            115,
            118,
            116,
        ),
        *(112, 106, 97, 86),
    ]
)
_OFF = np.array(
    [
        *(
            82,
            77,
            74,
            73,
            73,
            75,
            79,
            86,
            95,
            101,
            104,
            105,
            105,
            103,
            101,
            100,
            102,
            107,
            112,
            112,
        ),
        *(109, 104, 97, 88),
    ]
)
_REGIONS = ("coast", "inland")
#: Month and day.
_HOLIDAYS = {(1, 1), (5, 1), (12, 25), (12, 26)}
#: Below and above these temperatures people heat and cool, in degrees Celsius.
_HEATING, _COOLING = 15.0, 22.0

_Floats = npt.NDArray[np.float64]


def hourly_load(
    *, areas: int = 3, days: int = 400, start: str = "2022-01-03", seed: int = 0
) -> pd.DataFrame:
    """Simulate the load of each area, hour by hour, in the local time of one zone without shifts.

    The load is the area's mean, times a profile of the hour (of working days, or of weekends and
    holidays), times 1 plus 1.5 % for each degree below 15 and 2 % for each above 22, plus noise
    that fades over hours. The temperature is a yearly and a daily wave with weather that lasts
    for days; what is known in advance is its forecast, which errs by about one degree.

    Parameters
    ----------
    areas : int
        At least 1.
    days : int
        At least 30.
    start : str
        First day.
    seed : int
        Not negative. Same seed, same table.

    Returns
    -------
    pandas.DataFrame
        Sorted by area, then time: ``area``, ``time`` (an hour), ``load`` (MW),
        ``temperature`` (degrees Celsius, forecast the day before), ``holiday`` (bool) and
        ``region`` (``"coast"`` or ``"inland"``, of the area).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Examples
    --------
    >>> frame = hourly_load(areas=2, days=30)
    >>> list(frame.columns), len(frame)
    (['area', 'time', 'load', 'temperature', 'holiday', 'region'], 1440)
    """
    check_at_least({"areas": (areas, 1), "days": (days, 30), "seed": (seed, 0)})
    rng = np.random.default_rng(seed)
    times = pd.date_range(start, periods=24 * days, freq="h").as_unit("ns")
    hour, day = times.hour.to_numpy(), times.dayofyear.to_numpy()
    holiday = np.array([(time.month, time.day) in _HOLIDAYS for time in times])
    off = holiday | (times.weekday.to_numpy() >= 5)
    profile = np.where(off, _OFF[hour] * 0.9, _WORKING[hour]) / 100
    season = 11 - 12 * np.cos(2 * np.pi * (day - 15) / 365.25)
    season = season - 4 * np.cos(2 * np.pi * (hour - 4) / 24)
    parts = []
    for area in range(areas):
        weather = _fading(rng, len(times), 60.0) * 4
        temperature = season + weather + rng.normal(0, 1)
        degrees = np.maximum(_HEATING - temperature, 0), np.maximum(temperature - _COOLING, 0)
        level = 1_000 * np.exp(rng.normal(0, 0.6))
        load = level * profile * (1 + 0.015 * degrees[0] + 0.02 * degrees[1])
        load = load + 0.015 * level * _fading(rng, len(times), 8.0)
        parts.append(
            pd.DataFrame(
                {
                    "area": f"A{area + 1}",
                    "time": times,
                    "load": load.round(1),
                    "temperature": (temperature + _fading(rng, len(times), 24.0)).round(1),
                    "holiday": holiday,
                    "region": _REGIONS[area % len(_REGIONS)],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _fading(rng: np.random.Generator, count: int, hours: float) -> _Floats:
    """Noise of standard deviation 1 whose memory fades over some hours."""
    keep = np.exp(-1 / hours)
    shocks = rng.normal(0, np.sqrt(1 - keep**2), count)
    found = np.empty(count)
    found[0] = rng.normal()
    for step in range(1, count):
        found[step] = keep * found[step - 1] + shocks[step]
    return found
