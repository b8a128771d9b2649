"""The score of two embeddings, and the secret rotation under which templates are kept.

Letters: N embeddings, D values of each.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Floats = NDArray[np.float64]
#: A shorter embedding has no direction.
_SHORTEST = 1e-12


def unit(embeddings: NDArray[np.floating]) -> _Floats:
    """Embeddings [..., D] of length 1; one without a direction stays 0, and scores 0.

    Examples
    --------
    >>> unit(np.array([[3.0, 4.0]]))
    array([[0.6, 0.8]])
    """
    exact = np.asarray(embeddings, dtype=np.float64)
    length = np.sqrt(np.square(exact).sum(axis=-1, keepdims=True))
    found: _Floats = exact / np.maximum(length, _SHORTEST)
    return found


def scores(templates: NDArray[np.floating], probe: NDArray[np.floating]) -> _Floats:
    """Cosine of each template [N, D] and a probe [D], both of length 1.

    Each is a sum of its own, in one order, so that a template scores the same alone and among
    others: verification and search agree to the last bit.

    Examples
    --------
    >>> scores(np.array([[1.0, 0.0], [0.6, 0.8]]), np.array([1.0, 0.0]))
    array([1. , 0.6])
    """
    products = np.asarray(templates, np.float64) * np.asarray(probe, np.float64)
    found: _Floats = np.ascontiguousarray(products).cumsum(axis=1)[:, -1]
    return found


def rotation(seed: bytes, size: int) -> _Floats:
    """A random rotation [D, D] that follows from a secret seed; cosines are the same under it.

    Whoever has the seed can undo it; whoever has not, cannot tell one embedding from another.

    Parameters
    ----------
    seed : bytes
        32 of them.
    size : int
        D.

    References
    ----------
    Teoh, Goh, Ngo (2006), Random multispace quantization as an analytic mechanism for BioHashing,
    doi:10.1109/TPAMI.2006.250 (the projection); Mezzadri (2007), How to generate random matrices
    from the classical compact groups, arXiv:math-ph/0609050 (the signs).

    Examples
    --------
    >>> turned = rotation(bytes(32), 4)
    >>> bool(np.allclose(turned @ turned.T, np.eye(4)))
    True
    """
    draw = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    orthogonal, upper = np.linalg.qr(draw.standard_normal((size, size)))
    found: _Floats = orthogonal * np.sign(np.diag(upper))
    return found
