"""Linear forecasts by what was in phase: the same weights for all phases of a season.

The hours of a day differ in level, and hardly in how the days before tell of the next. Weights of
each step on each of the last values number horizon times length; those on days, which all hours
share, are few, and can be learned from little.

Letters in shapes: L steps of history, H steps of the horizon, P phases of a season, J seasons of
the history.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]


def periodic_weights(own: _Floats, cross: _Floats, season: int, penalty: float) -> _Floats:
    """Weights of the last values for each step ahead, [L, H], by ridge regression of few numbers.

    A step is told by the values in phase with it and by the means about these, a season wide;
    both less the latest one, so that weights of zero say that the latest season comes again.

    Parameters
    ----------
    own : ndarray of shape [L, L]
        Sums of products of the last values.
    cross : ndarray of shape [L, H]
        Sums of products with the target: each step less the latest value in phase.
    season : int
        In [1, L].
    penalty : float
        As a share of the mean square of these numbers.

    References
    ----------
    Lin, Lin, Wu, Chen and Yang (2024), SparseTSF: Modeling Long-term Time Series Forecasting with
    1k Parameters, ICML, arXiv:2405.00946, which trains such weights by gradient descent.
    """
    read = _read(len(own), season)  # [P, L, 2 J]
    squares = np.einsum("plk,plm->pkm", read, own @ read)
    numbers = read.shape[2]
    total = squares.sum(axis=0)
    least = penalty * max(float(np.trace(total)) / numbers, np.finfo(np.float64).tiny)
    found = np.empty_like(cross)
    for start in range(0, cross.shape[1], season):
        phases = range(min(season, cross.shape[1] - start))
        square = total if len(phases) == season else squares[: len(phases)].sum(axis=0)
        told = np.sum([read[p].T @ cross[:, start + p] for p in phases], axis=0)
        weights = np.linalg.solve(square + least * np.eye(numbers), told)
        found[:, start : start + len(phases)] = (read[: len(phases)] @ weights).T
    return found


def _read(length: int, season: int) -> _Floats:
    """What is read of the last values for a step of each phase: [P, L, 2 J]."""
    seasons, half = length // season, season // 2
    read = np.zeros((season, length, 2 * seasons))
    for phase in range(season):
        for back in range(seasons):
            place = length - season * (back + 1) + phase
            about = slice(max(place - half, 0), place + half + 1)
            read[phase, place, back] = 1.0
            read[phase, about, seasons + back] = 1.0 / len(range(length)[about])
        read[phase, length - season + phase, :seasons] -= 1.0
        read[phase, -season:, seasons:] -= 1.0 / season
    return read
