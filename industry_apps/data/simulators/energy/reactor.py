"""A simulated stirred-tank reactor under control, that does not exist, and its faults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from industry_apps.data.simulators.limits import check_at_least

__all__ = ["reactor_runs"]

#: Tag -> standard deviation of its sensor.
_NOISE = {
    "feed_flow": 0.02,
    "feed_temperature": 0.3,
    "feed_concentration": 0.02,
    "reactor_temperature": 0.2,
    "coolant_valve": 0.002,
    "coolant_temperature": 0.2,
    "level": 0.005,
    "outlet_valve": 0.002,
    "outlet_flow": 0.02,
    "product_concentration": 0.01,
}
#: Analysers give a new number every so many readings.
_ANALYSERS, _EVERY = ("feed_concentration", "product_concentration"), 3
#: Faults that are learned, and one that training does not have.
_FAULTS = ("coolant warm", "feed rich", "catalyst decay", "valve stuck", "temperature sensor low")
_UNSEEN = "level leak"
_BEGIN = np.datetime64("2025-01-01T00:00", "s")
_STEPS_A_READING, _WARM_UP = 4, 60

_Floats = npt.NDArray[np.float64]


def reactor_runs(
    *, normal: int = 6, repeats: int = 2, readings: int = 240, onset: int = 80, seed: int = 0
) -> pd.DataFrame:
    """Simulate runs of a reactor, a reading a minute.

    A tank is fed at a varying flow, temperature and concentration; a reaction of first order,
    faster when it is warm, gives off heat; a coolant valve holds the temperature and an outlet
    valve the level, each by a proportional-integral controller. Feed and coolant wander slowly
    (autoregressive), sensors are noisy, and analysers of concentration give a new number every
    third reading.

    Faults begin at ``onset``: the coolant gets warmer by 6 degrees; the feed gets richer by 12 %;
    the catalyst loses up to 25 % of its activity; the coolant valve sticks where it is; the sensor
    of the reactor's temperature reads 3 degrees too low, so that the controller heats; and in the
    test alone the tank leaks.

    Parameters
    ----------
    normal : int
        Normal runs, at least 3: half of them to learn from, a quarter for the threshold.
    repeats : int
        Runs of each fault in training and test together, at least 2: half of them in the test.
    readings : int
        Of a run, at least 60.
    onset : int
        The first reading with the fault, at least 1 and below ``readings``.
    seed : int
        Not negative. Same seed, same table.

    Returns
    -------
    pandas.DataFrame
        By run, then time: ``run`` ("R01"), ``time`` (minute after minute), the tags,
        ``fault`` ("normal" or its name), and ``part`` (train, validation or test).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Examples
    --------
    >>> frame = reactor_runs(readings=60, onset=20)
    >>> sorted(frame["part"].unique()), frame["fault"].nunique()
    (['test', 'train', 'validation'], 7)
    """
    check_at_least(
        {
            "normal": (normal, 3),
            "repeats": (repeats, 2),
            "readings": (readings, 60),
            "onset": (onset, 1),
            "readings - onset": (readings - onset, 1),
            "seed": (seed, 0),
        }
    )
    draw = np.random.default_rng(seed)
    plan = [("normal", part) for part in _parts_of_normal(normal)]
    for number in range(repeats):
        part = "train" if number < repeats // 2 else "test"
        plan += [(fault, part) for fault in _FAULTS]
    plan += [(_UNSEEN, "test")] * (repeats - repeats // 2)
    runs = []
    for number, (fault, part) in enumerate(plan):
        begin = _BEGIN + np.timedelta64(int(draw.integers(0, 100_000)), "m")
        tags = _simulated(fault, readings, onset, draw)
        label = np.full(readings, "normal", dtype=object)
        if fault != "normal":
            label[onset:] = fault
        keys = {
            "run": f"R{number + 1:02d}",
            "time": begin + np.arange(readings).astype("timedelta64[m]"),
        }
        runs.append(pd.DataFrame({**keys, **tags, "fault": label, "part": part}))
    return pd.concat(runs, ignore_index=True)


def _parts_of_normal(count: int) -> list[str]:
    held_out = max(count // 4, 1)
    test = max(count // 4, 1)
    return ["train"] * (count - held_out - test) + ["validation"] * held_out + ["test"] * test


@dataclass
class _Tank:
    """The state of the tank and of its controllers."""

    level: float = 1.0
    temperature: float = 350.0
    concentration: float = 0.3
    coolant: float = 0.5
    outlet: float = 0.5
    cooled: float = 0.0  # integral of the deviation of the temperature
    emptied: float = 0.0  # and of the level


def _simulated(
    fault: str, readings: int, onset: int, draw: np.random.Generator
) -> dict[str, _Floats]:
    steps = (readings + _WARM_UP) * _STEPS_A_READING
    wander = {
        name: scale * _wandering(steps, draw)
        for name, scale in (("flow", 0.05), ("warmth", 1.0), ("rich", 0.03), ("coolant", 0.8))
    }
    tank = _Tank()
    rows = []
    for step in range(steps):
        reading = step // _STEPS_A_READING - _WARM_UP
        active = fault if reading >= onset else "normal"
        share = (reading - onset) / max(readings - onset, 1)
        seen = _advance(tank, {name: each[step] for name, each in wander.items()}, active, share)
        if step % _STEPS_A_READING == 0 and reading >= 0:
            rows.append(seen)
    found = {}
    for name, noise in _NOISE.items():
        values = np.array([row[name] for row in rows]) + draw.normal(0, noise, readings)
        if name in _ANALYSERS:
            values = values[np.arange(readings) // _EVERY * _EVERY]
        found[name] = values.round(4)
    return found


def _wandering(steps: int, draw: np.random.Generator) -> _Floats:
    """An autoregressive series of standard deviation 1."""
    keeps = 0.99
    values = draw.normal(0, np.sqrt(1 - keeps**2), steps)
    for step in range(1, steps):
        values[step] += keeps * values[step - 1]
    return values


def _advance(tank: _Tank, wander: dict[str, float], fault: str, share: float) -> dict[str, float]:
    """Step a quarter of a minute on, and say what sensors would read without noise."""
    one = 1 / _STEPS_A_READING
    flow = 0.5 + 0.5 * wander["flow"]
    warmth = 320.0 + wander["warmth"]
    rich = 1.0 + wander["rich"] + (0.12 if fault == "feed rich" else 0.0)
    coolant = 300.0 + wander["coolant"] + (6.0 if fault == "coolant warm" else 0.0)
    activity = 1 - (0.25 * share if fault == "catalyst decay" else 0.0)
    rate = 1.2 * activity * np.exp(0.04 * (tank.temperature - 350.0)) * tank.concentration
    leak = 0.05 * (1 + share) if fault == _UNSEEN else 0.0
    outflow = tank.outlet * np.sqrt(max(tank.level, 0.0))
    thinned = flow / max(tank.level, 0.1)
    heat = 90.0 * rate - 1.2 * tank.coolant * (tank.temperature - coolant)
    tank.concentration += one * (thinned * (rich - tank.concentration) - rate)
    tank.temperature += one * (thinned * (warmth - tank.temperature) + heat)
    tank.level = max(tank.level + one * (flow - outflow - leak), 0.05)
    read = tank.temperature - (3.0 if fault == "temperature sensor low" else 0.0)
    tank.cooled = float(np.clip(tank.cooled + one * (read - 350.0), -20, 20))
    tank.emptied = float(np.clip(tank.emptied + one * (tank.level - 1.0), -20, 20))
    if fault != "valve stuck":
        wanted = 0.35 + 0.03 * (read - 350.0) + 0.01 * tank.cooled
        tank.coolant = float(np.clip(wanted, 0, 1))
    tank.outlet = float(np.clip(0.5 + 0.4 * (tank.level - 1.0) + 0.05 * tank.emptied, 0, 1))
    return {
        "feed_flow": flow,
        "feed_temperature": warmth,
        "feed_concentration": rich,
        "reactor_temperature": read,
        "coolant_valve": tank.coolant,
        "coolant_temperature": coolant,
        "level": tank.level,
        "outlet_valve": tank.outlet,
        "outlet_flow": outflow,
        "product_concentration": tank.concentration,
    }
