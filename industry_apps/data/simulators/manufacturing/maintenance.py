"""Simulated records of maintenance: machines that failed, were replaced, or still run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError

__all__ = ["maintenance_records"]

#: Life of a machine of each make beside the usual one.
_MAKES = {"A": 1.0, "B": 1.3, "C": 0.7}


def maintenance_records(
    *,
    machines: int = 4_000,
    usual_life: float = 1_000.0,
    shape: float = 2.0,
    effects: bool = True,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate a row for each machine: its age, its use, and whether it failed.

    Lives are Weibull's: ``S(t) = exp(-(t / scale) ** shape)``. The scale is ``usual_life`` times
    that of the make, and falls by 8 % with each tenth of load above a half. Four in ten machines
    are replaced before they fail, or still run: their record ends at an age between a tenth and
    twice the usual life.

    Parameters
    ----------
    machines : int
        At least 1.
    usual_life, shape : float
        Of the Weibull distribution, > 0; with a shape above 1 failures grow more likely with age.
    effects : bool
        False: make and load have no effect, and all lives are of one distribution.
    seed : int
        Not negative. Same seed, same table.

    Returns
    -------
    pandas.DataFrame
        ``machine`` ("M00001"), ``make`` ("A", "B" or "C"), ``load`` (share of full load),
        ``shifts`` (a day), ``age`` (hours at the end of the record), ``failed`` (bool).

    Raises
    ------
    ParameterError
        When a parameter is outside its limits.

    Examples
    --------
    >>> frame = maintenance_records(machines=1_000)
    >>> float(frame["failed"].mean().round(1))
    0.6
    """
    if machines < 1 or usual_life <= 0 or shape <= 0 or seed < 0:
        raise ParameterError(
            "maintenance_records needs machines >= 1, usual_life > 0, shape > 0 and seed >= 0. "
            f"Got {machines!r}, {usual_life!r}, {shape!r} and {seed!r} instead."
        )
    draw = np.random.default_rng(seed)
    make = draw.choice(np.array(list(_MAKES), dtype=object), machines, p=(0.5, 0.3, 0.2))
    load = draw.uniform(0.2, 1.0, machines).round(2)
    scale = np.full(machines, usual_life)
    if effects:
        scale *= np.array([_MAKES[name] for name in make]) * 0.92 ** (10 * (load - 0.5))
    life = scale * draw.exponential(size=machines) ** (1 / shape)
    end = draw.uniform(0.1, 2.0, machines) * usual_life
    return pd.DataFrame(
        {
            "machine": [f"M{number + 1:05d}" for number in range(machines)],
            "make": make,
            "load": load,
            "shifts": draw.integers(1, 4, machines),
            "age": np.minimum(life, end).round(1),
            "failed": life <= end,
        }
    )
