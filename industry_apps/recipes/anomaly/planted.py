"""Faults planted into normal rows: what a scorer can be chosen by where no fault was ever seen.

Each column in turn reads too high by a bias, drifts away, gets noisy or gets stuck, from a third
of the run on. The share of these rows that raise an alarm, at a threshold set on the same rows as
they were, compares scorers and their settings. It says nothing of how many real faults are found:
of those many columns tell together.

Letters in shapes: T rows of a run, C columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["begin_of", "found_share", "planted"]

_Floats = NDArray[np.float64]

#: Sizes in standard deviations: of a bias, of the end of a drift, and of noise.
_BIASES, _DRIFT, _NOISE = (0.5, 1.0, 2.0), 3.0, 1.0
#: Columns that faults are planted into, at most: evenly spaced ones.
_COLUMNS = 60


def begin_of(rows: int) -> int:
    """The first row of a planted fault.

    Parameters
    ----------
    rows : int
        Of the run.
    """
    return rows // 3


def planted(run: _Floats, seed: int = 0) -> Iterator[_Floats]:
    """Copies of a normal run, each with one planted fault.

    Parameters
    ----------
    run : ndarray of float64, shape [T, C]
        Standardised.
    seed : int
        Of the noise.

    Yields
    ------
    ndarray of float64, shape [T, C]

    Examples
    --------
    >>> faults = list(planted(np.zeros((9, 2))))
    >>> len(faults), faults[0][:, 0].tolist()
    (12, [0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
    """
    begin, (rows, columns) = begin_of(len(run)), run.shape
    draw = np.random.default_rng(seed)
    chosen = np.unique(np.linspace(0, columns - 1, _COLUMNS).round().astype(int))
    for column in chosen:
        read = run[begin:, column]
        drift = _DRIFT * np.linspace(0, 1, rows - begin)
        noise = _NOISE * draw.normal(size=rows - begin)
        stuck = np.full(rows - begin, run[max(begin - 1, 0), column])
        for faulty in (*(read + bias for bias in _BIASES), read + drift, read + noise, stuck):
            made = run.copy()
            made[begin:, column] = faulty
            yield made


def found_share(scores: Sequence[_Floats], rows: int, threshold: float) -> float:
    """The share of rows behind a planted fault whose score is a threshold or more.

    Parameters
    ----------
    scores : sequence of ndarray
        Of each planted fault, the scores of the last rows of the run.
    rows : int
        Of the run.
    threshold : float
    """
    late = rows - begin_of(rows)
    return float(np.mean([(each[-late:] >= threshold).mean() for each in scores]))
