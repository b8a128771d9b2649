"""A memory of patches of good parts, of a stated size.

Method: a greedy coreset (Sener and Savarese 2018, arXiv:1708.00489), as in PatchCore (Roth et al.
2022, arXiv:2106.08265): the patch that is furthest from those that are remembered is remembered
next. Letters: P patches, F features, M remembered patches.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["coreset"]

_Floats = NDArray[np.float32]


def coreset(patches: _Floats, budget: int, seed: int) -> _Floats:
    """Choose patches so that none is far from a chosen one.

    Parameters
    ----------
    patches : ndarray of shape (P, F)
    budget : int
        Patches M to choose.
    seed : int
        Of the first one.

    Returns
    -------
    ndarray of shape (min(M, P), F)

    Examples
    --------
    >>> points = np.array([[0.0], [0.1], [9.0], [5.0]], dtype=np.float32)
    >>> 9.0 in coreset(points, 2, seed=1)
    True
    """
    first = int(np.random.default_rng(seed).integers(len(patches)))
    chosen = [first]
    lengths = np.square(patches).sum(axis=1)
    least = np.full(len(patches), np.inf, dtype=np.float32)
    while len(chosen) < min(budget, len(patches)):
        newest = patches[chosen[-1]]
        least = np.minimum(least, lengths - 2 * (patches @ newest) + lengths[chosen[-1]])
        chosen.append(int(least.argmax()))
    return patches[chosen]
