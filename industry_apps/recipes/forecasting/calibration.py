"""What turns the scaled quantiles of models into answers: calibration, order and limits.

Letters in shapes: N windows, H steps of the horizon, Q quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.schema import Column

#: Groups of steps are calibrated each by itself, with so many outcomes at least.
_GROUPS, _FEWEST_A_GROUP = 4, 500

_Floats = NDArray[np.float32]


def bounds_of(target: Column) -> tuple[float, float]:
    """The least and the largest that a column can be; infinity where nothing is said."""
    low, high = target.low, target.high
    return (-np.inf if low is None else low, np.inf if high is None else high)


def conformal_offsets(forecast: _Floats, came: _Floats, quantiles: Sequence[float]) -> _Floats:
    """What to add to scaled quantiles, so that they held on outcomes not learned from.

    Each quantile is shifted by that quantile of its errors, step by step in groups of
    neighbouring ones where there are outcomes enough. The median is left as it is: its
    errors average out, and a shift would follow the common shocks of few origins.

    Parameters
    ----------
    forecast : ndarray of shape [N, H, Q]
    came : ndarray of shape [N, H]
        NaN where it is not known.
    quantiles : sequence of float

    Returns
    -------
    ndarray of float32 of shape [H, Q]

    References
    ----------
    Romano, Patterson and Candes (2019). Conformalized quantile regression. NeurIPS,
    arXiv:1905.03222; here with each tail by itself.
    """
    horizon = came.shape[1]
    known = int((~np.isnan(came)).sum())
    groups = int(np.clip(known // _FEWEST_A_GROUP, 1, min(_GROUPS, horizon)))
    offsets = np.zeros((horizon, len(quantiles)), dtype=np.float32)
    for steps in np.array_split(np.arange(horizon), groups):
        for place, level in enumerate(quantiles):
            if level == 0.5:
                continue
            error = (came[:, steps] - forecast[:, steps, place]).ravel()
            error = np.sort(error[~np.isnan(error)])
            if len(error):
                # The rank that makes the coverage of a new outcome at least the level.
                rank = (
                    np.ceil(level * (len(error) + 1))
                    if level > 0.5
                    else np.floor(level * (len(error) + 1))
                )
                offsets[steps, place] = error[int(np.clip(rank - 1, 0, len(error) - 1))]
    return offsets


def sorted_nodes(builder: GraphBuilder, x: str, count: int) -> str:
    """Values along the last axis in rising order, by exchanges of neighbours."""
    columns = [builder.part(x, k, k + 1, 2) for k in range(count)]
    for turn in range(count):
        for k in range(turn % 2, count - 1, 2):
            lower, upper = columns[k : k + 2]
            columns[k] = builder.node("Min", lower, upper)
            columns[k + 1] = builder.node("Max", lower, upper)
    return builder.node("Concat", *columns, attributes={"axis": 2}) if count > 1 else x
