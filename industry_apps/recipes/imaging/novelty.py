"""How unlike the training images an image is: by what a network sees of it, and by its greys.

Letters: N and B images, K classes, D numbers that describe an image, C channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.costs import just_above
from industry_apps.features import GraphBuilder

_Floats = NDArray[np.float64]

#: Keeps the logarithms of flat images finite, in standard deviations of the training pixels.
_FLAT = 1e-3


@dataclass(frozen=True, eq=False, slots=True)
class Novelty:
    """Distance from the nearest class, over the distance that most usual images keep.

    Parameters
    ----------
    whitening : ndarray of shape [D, D]
        Makes the numbers of a class uncorrelated and of variance 1.
    centres : ndarray of shape [K, D]
        Of the classes, whitened.
    limit : float
        The distance that is 1.

    References
    ----------
    Lee et al. (2018), A simple unified framework for detecting out-of-distribution samples,
    arXiv:1807.03888; Ledoit and Wolf (2004), A well-conditioned estimator for large-dimensional
    covariance matrices, doi:10.1016/S0047-259X(03)00096-4.
    """

    whitening: _Floats
    centres: _Floats
    limit: float

    @classmethod
    def fit(
        cls, known: _Floats, target: NDArray[np.intp], others: _Floats, *, coverage: float
    ) -> Self:
        """Learn the classes from training images, and the limit from others.

        Parameters
        ----------
        known : ndarray of shape [N, D]
        target : ndarray of int, shape [N]
            Each class occurs.
        others : ndarray of shape [rows, D]
            Usual images that the network has not seen.
        coverage : float
            Share of such images that is to stay within the limit, in (0, 1).
        """
        from sklearn.covariance import ledoit_wolf

        places = np.stack([known[target == k].mean(axis=0) for k in range(target.max() + 1)])
        apart = known - places[target]
        scale = np.maximum(apart.std(axis=0), _FLAT)
        covariance, _ = ledoit_wolf(apart / scale, assume_centered=True)
        # No direction counts more than a hundred times as much as if it were not narrow at all.
        values, vectors = np.linalg.eigh(covariance)
        whitening = vectors / np.sqrt(np.maximum(values, 1e-4)) / scale[:, None]
        found = cls(whitening, places @ whitening, 1.0)
        distances = np.sort(found.of(others))
        place = int(np.ceil((len(distances) + 1) * coverage)) - 1
        limit = just_above(distances, distances[min(place, len(distances) - 1)])
        return cls(whitening, found.centres, limit)

    def of(self, described: _Floats) -> _Floats:
        """Images [rows, D] -> how unlike [rows]: above 1 beyond the limit."""
        apart = (described @ self.whitening)[:, None] - self.centres
        found: _Floats = np.sqrt(np.square(apart).sum(axis=2).min(axis=1)) / self.limit
        return found

    def write(self, builder: GraphBuilder, described: str) -> str:
        """Images [B, D] -> how unlike [B, 1]."""
        node, constant = builder.node, builder.constant
        exact = builder.cast(described, np.float64)
        white = node("MatMul", exact, constant(self.whitening))
        spread = node("Unsqueeze", white, constant(np.array([1])))  # [B, 1, D]
        apart = node("Sub", spread, constant(self.centres))
        square = node("ReduceSum", node("Mul", apart, apart), constant(np.array([2])))
        square = node("ReduceMin", square, constant(np.array([1])))  # [B, 1, 1]
        distance = node("Sqrt", node("Squeeze", square, constant(np.array([2]))))
        return builder.cast(node("Div", distance, constant(np.array(self.limit))), np.float32)


def write_greys(builder: GraphBuilder, pixels: str) -> str:
    """What the pixels of each channel say: mean, contrast, skewness and sharpness.

    Parameters
    ----------
    builder : GraphBuilder
    pixels : str
        Tensor [B, C, height, width] of normalised pixels.

    Returns
    -------
    str
        Tensor [B, 4 C].
    """
    node = builder.node
    least, sides = builder.constant(np.float32(_FLAT)), builder.constant(np.array([2, 3]))

    def mean(tensor: str) -> str:
        return node("ReduceMean", tensor, sides)  # [B, C, 1, 1]

    centre = mean(pixels)
    apart = node("Sub", pixels, centre)
    square = node("Mul", apart, apart)
    contrast = node("Add", node("Sqrt", mean(square)), least)
    cube = node("Mul", contrast, node("Mul", contrast, contrast))
    skewness = node("Div", mean(node("Mul", square, apart)), cube)
    settings = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 0}
    smooth = node("AveragePool", pixels, attributes=settings)
    sharpness = node("Add", mean(node("Abs", node("Sub", pixels, smooth))), least)
    each = centre, node("Log", contrast), skewness, node("Log", sharpness)
    joined = node("Concat", *each, attributes={"axis": 1})
    return node("Squeeze", joined, sides)
