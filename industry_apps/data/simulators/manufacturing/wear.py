"""Simulated machines that do not exist: they wear, their sensors tell of it, and they fail."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.errors import ParameterError

__all__ = ["worn_machines"]

#: Load and ambient temperature of each way to run.
_REGIMES = ((0.3, 12.0), (0.6, 20.0), (0.9, 31.0))
#: Sensor -> level, what load and ambient add, what wear of 1 adds, and noise.
_SENSORS = {
    "temperature": (60.0, 25.0, 0.4, 12.0, 1.2),
    "vibration": (1.5, 1.2, 0.0, 2.4, 0.25),
    "pressure": (8.0, -1.5, 0.01, -0.9, 0.12),
    "current": (22.0, 14.0, 0.0, 3.0, 0.6),
    "speed": (1480.0, -30.0, 0.0, 0.0, 4.0),
}
_BEGIN = "2024-01-01"
_SHORTEST, _WEAR_AT_FAILURE = 40, 1.0

_Floats = npt.NDArray[np.float64]


def worn_machines(
    *,
    machines: int = 100,
    usual_life: float = 120.0,
    cut: float = 0.0,
    running: int = 0,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate machines from their first reading to their failure.

    Wear begins between 0 and 0.15, grows as ``wear(t) = w + a (exp(b t) - 1)`` with a rate of each
    machine's own, and ends the machine at 1. In each hour it is run in one of three ways (load and
    ambient temperature, with a little noise). Sensors read their level, what load and ambient add,
    what wear adds, and noise; ``speed`` tells nothing of wear. One reading in two hundred is lost.

    Parameters
    ----------
    machines : int
        At least 2.
    usual_life : float
        The median life in hours, at least 60.
    cut : float
        Share of the machines whose records end before their failure, after 30 to 95 % of their
        life, which is known all the same; in [0, 1].
    running : int
        So many of them have not failed: their records end after 30 to 90 % of their life, which
        is missing, and the column ``failed`` says so. At least 0, below ``machines``.
    seed : int
        Not negative. Same seed, same table.

    Returns
    -------
    pandas.DataFrame
        By machine, then time: ``machine`` ("M001"), ``time`` (hour after hour), ``load`` (share),
        ``ambient`` (degrees Celsius), ``temperature`` (degrees Celsius), ``vibration`` (mm/s),
        ``pressure`` (bar), ``current`` (A), ``speed`` (1/min), ``remaining_life`` (hours), and
        with ``running`` machines ``failed`` (bool).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Examples
    --------
    >>> frame = worn_machines(machines=2)
    >>> frame.groupby("machine")["remaining_life"].min().tolist()
    [0.0, 0.0]
    """
    for name, value, low, high in (
        ("machines", machines, 2, np.inf),
        ("usual_life", usual_life, 60, np.inf),
        ("cut", cut, 0, 1),
        ("running", running, 0, machines - 1),
        ("seed", seed, 0, np.inf),
    ):
        if not low <= value <= high:
            raise ParameterError(
                f"The {name!r} parameter of worn_machines must be in [{low}, {high}]. "
                f"Got {value!r} instead."
            )
    draw = np.random.default_rng(seed)
    parts = []
    for number in range(machines):
        life = max(int(usual_life * np.exp(draw.normal(0, 0.25))), _SHORTEST)
        frame = _one(f"M{number + 1:03d}", life, draw)
        if draw.random() < cut:
            frame = frame.head(int(life * draw.uniform(0.3, 0.95)))
        if running:
            frame["failed"] = number >= running
            if number < running:
                kept = frame.head(int(len(frame) * draw.uniform(0.3, 0.9)))
                frame = kept.assign(remaining_life=np.nan)
        parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def _one(name: str, life: int, draw: np.random.Generator) -> pd.DataFrame:
    hour = np.arange(1, life + 1)
    begin = np.datetime64(_BEGIN, "s") + np.timedelta64(int(draw.integers(0, 2_000)), "h")
    steep = draw.uniform(3.0, 5.0) / life
    first = draw.uniform(0.0, 0.15)
    grown = np.exp(steep * hour) - 1
    wear = first + (_WEAR_AT_FAILURE - first) * grown / grown[-1]
    ways = np.array(_REGIMES)[draw.integers(0, len(_REGIMES), life)]
    load, ambient = (ways + draw.normal(0, (0.005, 0.2), ways.shape)).T
    time = begin + hour.astype("timedelta64[h]")
    frame = pd.DataFrame({"machine": name, "time": time, "load": load, "ambient": ambient})
    for sensor, (level, by_load, by_ambient, by_wear, noise) in _SENSORS.items():
        values = level + by_load * load + by_ambient * ambient + by_wear * wear
        values += draw.normal(0, noise, life)
        values[draw.random(life) < 0.005] = np.nan
        frame[sensor] = values.round(3)
    frame[["load", "ambient"]] = frame[["load", "ambient"]].round(4)
    return frame.assign(remaining_life=(life - hour).astype(np.float64))
