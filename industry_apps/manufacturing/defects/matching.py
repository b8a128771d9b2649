"""Boxes that were found beside those that are there.

Letters: N images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.runtime.boxes import Box

__all__ = ["BoxCounts", "box_bootstrap", "matches", "overlap"]

#: Boxes match that share more than this of the area of both, as DeepPCB counts.
LEAST_OVERLAP = 0.33

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class BoxCounts:
    """Boxes of each image.

    Parameters
    ----------
    true, found, matched : ndarray of float, shape (N,)
        There, found, and found that match one that is there.
    """

    true: _Floats
    found: _Floats
    matched: _Floats

    def f1(self, weight: _Floats | None = None) -> float:
        """Harmonic mean of precision and recall of all boxes; 0 where there are none."""
        weights = np.ones(len(self.true)) if weight is None else weight
        total = float(weights @ (self.true + self.found))
        return 2 * float(weights @ self.matched) / total if total else 0.0


def matches(
    truth: Sequence[Sequence[Box]], found: Sequence[Sequence[Box]], *, typed: bool = True
) -> BoxCounts:
    """Match boxes one to one, the surest first, each with the one that it overlaps most.

    Parameters
    ----------
    truth, found : sequence of sequence of Box
        N images.
    typed : bool
        The types must agree.

    Examples
    --------
    >>> there = [Box(0, 0, 4, 4, "spur", 1.0)]
    >>> near = [Box(1, 0, 4, 4, "spur", 0.9), Box(0, 0, 4, 4, "spur", 0.8)]
    >>> matches([there], [near]).matched.tolist()
    [1.0]
    """
    counts = np.zeros((3, len(truth)))
    for row, (ours, theirs) in enumerate(zip(truth, found, strict=True)):
        left = list(ours)
        counts[:2, row] = len(ours), len(theirs)
        for box in sorted(theirs, key=lambda each: -each.score):
            fits = [
                (overlap(box, other), place)
                for place, other in enumerate(left)
                if not typed or other.type == box.type
            ]
            share, place = max(fits, default=(0.0, 0))
            if share > LEAST_OVERLAP:
                left.pop(place)
                counts[2, row] += 1
    return BoxCounts(*counts)


def overlap(one: Box, other: Box) -> float:
    """Area that two boxes share, over that of both together.

    Parameters
    ----------
    one, other : Box

    Examples
    --------
    >>> overlap(Box(0, 0, 2, 2, "a", 1.0), Box(1, 0, 3, 2, "a", 1.0))
    0.3333333333333333
    """
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    shared = max(0, across) * max(0, down)
    areas = [(b.right - b.left) * (b.bottom - b.top) for b in (one, other)]
    return shared / (sum(areas) - shared) if shared else 0.0


def box_bootstrap(
    typed: BoxCounts, untyped: BoxCounts, *, resamples: int = 400, seed: int = 0
) -> BootstrapResult:
    """Compute metrics of boxes, resampled by image.

    Parameters
    ----------
    typed, untyped : BoxCounts
        Matched with and without regard to the type.
    resamples, seed : int, default 400 and 0

    Returns
    -------
    BootstrapResult
        ``box_f1``, ``box_precision``, ``box_recall``, and ``box_f1_any_type``.
    """
    metrics: dict[str, Callable[[_Floats], float]] = {
        "box_f1": typed.f1,
        "box_precision": lambda w: _ratio(w @ typed.matched, w @ typed.found),
        "box_recall": lambda w: _ratio(w @ typed.matched, w @ typed.true),
        "box_f1_any_type": untyped.f1,
    }
    return bootstrap(metrics, None, len(typed.true), resamples=resamples, seed=seed)


def _ratio(above: Any, below: Any) -> float:
    return float(above / below) if below else 0.0
