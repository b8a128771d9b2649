"""Normal operation that moves: mean and scale of some columns follow, within a bound.

Only columns that are named move; all others are frozen as they were learned. One that does not
vary in the new rows is stuck: it is left as it was, and named. The scorer and its limits stay.

Letters in shapes: R rows, C columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, nearest
from industry_apps.recipes.anomaly.scaling import Scaling

__all__ = ["Moved", "moved_scaling"]

#: A column that varies by less than this share of its scale is stuck.
_STUCK = 1e-3


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a column has moved from where it was learned.

    Parameters
    ----------
    column : str
    shift : float
        Of its mean, in standard deviations of training.
    ratio : float
        Of its standard deviation to that of training.
    bounded : bool
        It would have moved further than it may.
    stuck : bool
        It does not vary in the new rows, and was left as it was.
    """

    column: str
    shift: float
    ratio: float
    bounded: bool
    stuck: bool


def moved_scaling(
    now: Scaling,
    learned: Scaling,
    rows: NDArray[np.float64],
    *,
    columns: Sequence[str],
    memory: float,
    bound: float,
) -> tuple[Scaling, list[Moved]]:
    """Let mean and scale follow new normal rows, by exponential weights.

    Parameters
    ----------
    now, learned : Scaling
        Where the columns are, and where training has found them.
    rows : ndarray of float64, shape [R, C]
        New normal rows in order of time, less the offsets, NaN where missing.
    columns : sequence of str
        Those that may move.
    memory : float
        Rows, at least 1: the weight of a row falls by a factor of e in so many.
    bound : float
        The mean moves by so many standard deviations of training at most, > 0, and the scale by a
        factor of 1 + bound.

    Returns
    -------
    scaling : Scaling
    moved : list of Moved

    Raises
    ------
    ParameterError
        A column is none of those that are watched.

    References
    ----------
    Li, Yue, Valle-Cervantes and Qin (2000), Recursive PCA for adaptive process monitoring,
    doi:10.1016/S0959-1524(00)00022-6: its recursive mean and variance.
    """
    mean, scale = now.mean.copy(), now.scale.copy()
    found = []
    for name in columns:
        if name not in now.columns:
            near = nearest(name, list(now.columns))
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ParameterError(
                f"Column {name!r} is not watched, and cannot move.{hint} Name some of "
                f"{', '.join(map(repr, now.columns))}."
            )
        place = now.columns.index(name)
        values = rows[:, place][~np.isnan(rows[:, place])]
        stuck = len(values) < 2 or float(np.ptp(values)) <= _STUCK * learned.scale[place]
        bounded = False
        if not stuck:
            level, variance = mean[place], scale[place] ** 2
            for value in values:
                apart = value - level
                level += apart / memory
                variance += (apart * (value - level) - variance) / memory
            usual, least = learned.scale[place], learned.mean[place]
            ends = least - bound * usual, least + bound * usual
            sizes = usual / (1 + bound), usual * (1 + bound)
            spread = float(np.sqrt(variance))
            mean[place], scale[place] = np.clip(level, *ends), np.clip(spread, *sizes)
            bounded = bool(mean[place] != level or scale[place] != spread)
        shift = (mean[place] - learned.mean[place]) / learned.scale[place]
        ratio = scale[place] / learned.scale[place]
        found.append(Moved(name, float(shift), float(ratio), bounded, stuck))
    return replace(now, mean=mean, scale=scale), found
