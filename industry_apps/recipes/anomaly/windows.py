"""Runs of normal rows cut into windows, with nothing missing and nothing in two parts.

Letters in shapes: T rows of a run, C columns, L rows of a window.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import LeakageError, TrainingError

__all__ = ["check_apart", "lagged", "smoothed", "whole_parts"]

_Floats = NDArray[np.float64]


def lagged(run: _Floats, lags: int) -> _Floats:
    """All windows of a run [T, C] -> [T - lags + 1, lags, C], the oldest row first.

    Parameters
    ----------
    run : ndarray of float64, shape [T, C]
    lags : int
        Rows of a window.
    """
    if len(run) < lags:
        return np.empty((0, lags, run.shape[1]))
    return np.lib.stride_tricks.sliding_window_view(run, lags, axis=0).transpose(0, 2, 1)


def smoothed(scores: _Floats, rows: int) -> _Floats:
    """Means of some scores, as of the last of them.

    Parameters
    ----------
    scores : ndarray of float64
        In order of time.
    rows : int
        Scores of a mean.
    """
    if rows == 1 or len(scores) < rows:
        return scores if rows == 1 else scores[:0]
    return np.lib.stride_tricks.sliding_window_view(scores, rows).mean(axis=1)


def whole_parts(run: _Floats) -> list[_Floats]:
    """The parts of a run between rows with a missing value.

    Parameters
    ----------
    run : ndarray of float64, shape [T, C]
        NaN where missing.
    """
    whole = ~np.isnan(run).any(axis=1)
    ends = np.flatnonzero(np.diff(np.concatenate([[False], whole, [False]]).astype(int)))
    return [run[begin:end] for begin, end in ends.reshape(-1, 2)]


def check_apart(runs: Sequence[_Floats], others: Sequence[_Floats]) -> None:
    """Refuse a threshold from the rows that were learned from.

    Parameters
    ----------
    runs, others : sequence of ndarray of float64, shape [T, C]
        To learn from, and to set the threshold by.

    Raises
    ------
    LeakageError, TrainingError
    """
    if not runs or not others:
        raise TrainingError(
            f"There are {sum(map(len, runs))} normal rows without a missing value to learn from, "
            f"and {sum(map(len, others))} to set the threshold by. Give more of both."
        )
    known = {row.tobytes() for run in runs for row in run}
    same = sum(row.tobytes() in known for run in others for row in run)
    total = sum(map(len, others))
    if same > total / 2:
        raise LeakageError(
            f"{same} of the {total} normal rows that set the threshold are rows that are learned "
            "from. Their scores are lower than those of other normal rows, and a threshold set by "
            "them raises false alarms that nobody expects. Hold rows of another time out."
        )
