"""Search of a space of points for what scores high, by an evolution strategy.

Method: (mu + lambda) selection with intermediate recombination, as in Beyer and Schwefel,
Evolution strategies: a comprehensive introduction, Natural Computing 2002,
doi:10.1023/A:1015059928466. Written from the paper.

What differs from the paper: the width of the mutations is fixed; many points may stand for one
thing, and a parent is always another thing, so that the search does not end with copies of one.

Letters: N points, L numbers of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError

Points = NDArray[np.float64]

#: Parents, as a share of the points that a step tries.
_PARENTS = 0.25


class Found(NamedTuple):
    """What was found of one thing.

    Parameters
    ----------
    score : float
    step : int
        In which it was found; 0 is the start.
    point : ndarray of float, shape (L,)
        The first that stood for it.
    """

    score: float
    step: int
    point: Points


def evolve(
    start: Points,
    things: Callable[[Points], Sequence[str | None]],
    score: Callable[[str], float],
    width: Points,
    *,
    steps: int,
    population: int,
    seed: int,
) -> dict[str, Found]:
    """Search from some points -> everything that was met.

    Parameters
    ----------
    start : ndarray of float, shape (N, L)
        At least one point.
    things : callable
        Points -> what each stands for, by a name; None of nothing.
    score : callable
        Name -> finite number, the higher the better; asked once of each.
    width : ndarray of float, shape (L,)
        Standard deviation of a mutation.
    steps, population : int
        How often so many points are tried, at least 1 and 4.
    seed : int

    Raises
    ------
    ParameterError
        A score is not finite.

    Examples
    --------
    >>> met = evolve(
    ...     np.zeros((1, 2)), lambda points: [f"{x:.1f}" for x in points.sum(axis=1)], float,
    ...     np.full(2, 0.3), steps=10, population=20, seed=0,
    ... )
    >>> max(found.score for found in met.values()) > 2
    True
    """
    draw = np.random.default_rng(seed)
    met: dict[str, Found] = {}
    points = start
    for step in range(steps + 1):
        if step:
            parents = _best(met, population) if met else start
            points = _between(parents, population, draw) + width * draw.normal(
                size=(population, len(width))
            )
        for name, point in zip(things(points), points, strict=True):
            if name is not None and name not in met:
                met[name] = Found(_finite(score(name), name), step, point)
    return met


def _best(met: Mapping[str, Found], population: int) -> Points:
    ranked = sorted(met.values(), key=lambda found: -found.score)
    return np.stack([found.point for found in ranked[: int(population * _PARENTS)]])


def _between(parents: Points, count: int, draw: np.random.Generator) -> Points:
    """Points on the lines between pairs of parents."""
    one, other = parents[draw.integers(0, len(parents), (2, count))]
    share = draw.random((count, 1))
    return share * one + (1 - share) * other


def _finite(score: float, name: str) -> float:
    if not np.isfinite(score):
        raise ParameterError(
            f"The score of {name!r} is {score}. Give a score that is a finite number for all."
        )
    return float(score)
