"""Simulated loads of the buses of a grid that does not exist."""

from __future__ import annotations

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError

__all__ = ["grid_loads"]

#: Usual loads in MW of the nine buses of ``industry_apps.energy.grid.example``.
_USUAL = np.array([0.0, 0.0, 60.0, 70.0, 90.0, 50.0, 80.0, 30.0, 40.0])


def grid_loads(
    records: int = 3_000, low: float = 0.7, high: float = 1.25, spread: float = 0.15, seed: int = 0
) -> pd.DataFrame:
    """Simulate loads of the example grid: a common level, and each bus for itself.

    Parameters
    ----------
    records : int
        > 0.
    low, high : float
        Least and largest common level, as a share of the usual loads, evenly drawn; 0 < low < high.
    spread : float
        Each load is up to this share above or below the level, evenly drawn; in [0, 1).
    seed : int
        >= 0; the same seed gives the same table.

    Returns
    -------
    pandas.DataFrame
        ``load_mw``: the loads of all buses of a record, in the order of the buses; ``level``:
        what they have in common.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> len(grid_loads(2)["load_mw"][0])
    9
    """
    if records < 1 or not 0 < low < high or not 0 <= spread < 1 or seed < 0:
        raise ParameterError(
            "grid_loads needs records > 0, 0 < low < high, spread in [0, 1) and seed >= 0. "
            f"Got {records!r}, {low!r}, {high!r}, {spread!r} and {seed!r} instead."
        )
    return drawn_loads(_USUAL, records, (low, high), spread, seed)


def drawn_loads(
    usual: np.ndarray, records: int, levels: tuple[float, float], spread: float, seed: int
) -> pd.DataFrame:
    """Draw loads around usual ones; as :func:`grid_loads`, of any grid.

    Parameters
    ----------
    usual : ndarray of shape [buses]
        In MW.
    records : int
    levels : (float, float)
    spread : float
    seed : int
    """
    rng = np.random.default_rng(seed)
    level = rng.uniform(*levels, (records, 1))
    each = rng.uniform(1 - spread, 1 + spread, (records, len(usual)))
    loads = np.round(usual * level * each, 4)
    return pd.DataFrame({"load_mw": list(map(list, loads.tolist())), "level": level[:, 0]})
