"""Linear models of normal operation: principal components and canonical variates.

Each is written as one linear image of the lagged window, whose squared length is the score
(:class:`industry_apps.recipes.anomaly.scorers.Quadratic`).

Letters in shapes: T rows of a run, L rows of a window, C columns, D = L C, N windows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.recipes.anomaly.scorers import Quadratic
from industry_apps.recipes.anomaly.windows import lagged

__all__ = ["canonical_variates", "principal_components"]

_Floats = NDArray[np.float64]

#: Directions of less variance than this, of that of the widest one, are the rounding of readings
#: with five digits: two tags that read the same, each rounded for itself.
_NO_VARIANCE = 2e-7


def principal_components(runs: Sequence[_Floats], lags: int, share: float) -> Quadratic:
    """T2 of the principal components and the squared prediction error (SPE), added up.

    Each is in units of its mean in training. With one row it is static; with several lagged rows
    it is dynamic principal component analysis.

    Parameters
    ----------
    runs : sequence of ndarray of shape [T, C]
        Standardised normal rows, in order of time.
    lags : int
        Rows of a window.
    share : float
        Of the variance that the components hold, in (0, 1).

    References
    ----------
    Jackson and Mudholkar (1979), doi:10.1080/00401706.1979.10489779; Ku, Storer and Georgakis
    (1995), Disturbance detection and isolation by dynamic principal component analysis,
    doi:10.1016/0169-7439(95)00076-3; the sum of both indices: Yue and Qin (2001),
    doi:10.1021/ie000141+.
    """
    rows = np.concatenate([lagged(run, lags) for run in runs])
    flat = rows.reshape(len(rows), -1)
    if len(flat) <= 2:
        raise _too_few(len(flat), lags, 3)
    variance, axes = np.linalg.eigh(flat.T @ flat / (len(flat) - 1))
    variance, axes = variance[::-1].clip(0), axes[:, ::-1]
    count = int(np.searchsorted(np.cumsum(variance) / variance.sum(), share)) + 1
    count = min(count, int((variance > _NO_VARIANCE * variance[0]).sum()))
    scores = axes[:, :count] / np.sqrt(variance[:count] * count)
    left = float(variance[count:].sum())
    if left <= _NO_VARIANCE * variance[0]:
        return Quadratic(lags, scores.T)
    return Quadratic(lags, np.concatenate([scores, axes[:, count:] / np.sqrt(left)], axis=1).T)


def canonical_variates(runs: Sequence[_Floats], lags: int, states: int, future: int) -> Quadratic:
    """T2 of the canonical variates of the past, or of those behind the states: its residual space.

    The past (the window) and the future (some rows behind it) are made white; the directions
    of the past that correlate with the future, in order, are the canonical variates. The first are
    the states of the process; those behind them hold the relations between columns and rows that
    normal operation hardly ever leaves.

    Parameters
    ----------
    runs : sequence of ndarray of shape [T, C]
    lags : int
        Rows of the past.
    states : int
        Canonical variates that are left out.
    future : int
        Rows of the future. The fewer, the fewer rows are needed: with as many numbers in past and
        future as there are rows, any direction of the past seems to tell the future.

    Raises
    ------
    TrainingError
        There are fewer windows than the past has numbers.

    References
    ----------
    Larimore (1990), Canonical variate analysis in identification, filtering, and adaptive
    control, doi:10.1109/CDC.1990.203665; Russell, Chiang and Braatz (2000), Fault detection in
    industrial processes using canonical variate analysis and dynamic principal component
    analysis, doi:10.1016/S0169-7439(00)00058-7.
    """
    both = np.concatenate([lagged(run, lags + future) for run in runs])
    size = lags * runs[0].shape[1]
    if len(both) <= size:
        raise _too_few(len(both), lags, size + 1)
    past, coming = (part.reshape(len(both), -1) for part in (both[:, :lags], both[:, lags:]))
    of_past, of_coming = (_whitener(each.T @ each / (len(both) - 1)) for each in (past, coming))
    across = of_past @ (past.T @ coming / (len(both) - 1)) @ of_coming
    directions, _, _ = np.linalg.svd(across)
    image = directions.T @ of_past
    kept = image[min(states, size // 2) :]
    # Directions without variance, which the whitening has left out, have images of length 0.
    return Quadratic(lags, kept[np.abs(kept).max(axis=1) > _NO_VARIANCE])


def _whitener(covariance: _Floats) -> _Floats:
    """The inverse square root, without directions that have no variance."""
    variance, axes = np.linalg.eigh(covariance)
    kept = variance > _NO_VARIANCE * variance.max()
    found: _Floats = (axes[:, kept] / np.sqrt(variance[kept])) @ axes[:, kept].T
    return found


def _too_few(rows: int, lags: int, needed: int) -> TrainingError:
    return TrainingError(
        f"Normal operation is known from {rows} windows of {lags} rows, without a missing value, "
        f"and {needed} are needed. Give more rows, longer runs, fewer columns, or fewer 'lags'."
    )
