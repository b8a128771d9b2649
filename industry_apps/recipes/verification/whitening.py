"""Embeddings in which samples of one person lie close together: what differs within one is scaled.

Letters: N samples, F features, D values of an embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder

_Floats = NDArray[np.float64]
#: A spread of samples that are all the same.
_LEAST = 1e-12


@dataclass(frozen=True, eq=False, slots=True)
class Whitening:
    """Features to embeddings: principal components, scaled by how far samples of a person differ.

    Fisher's discriminant keeps no more directions than there are persons in training, and those
    suit these persons; here all are kept, so that persons who are not in training differ in more.

    Parameters
    ----------
    mean : ndarray of shape [F]
    matrix : ndarray of shape [F, D]

    References
    ----------
    Hatch, Kajarekar, Stolcke (2006), Within-class covariance normalization for SVM-based speaker
    recognition, Interspeech; Belhumeur, Hespanha, Kriegman (1997), Eigenfaces vs. Fisherfaces,
    doi:10.1109/34.598228.
    """

    mean: _Floats
    matrix: _Floats

    @classmethod
    def fit(
        cls, features: NDArray[np.floating], person: NDArray[np.intp], length: int, shrinkage: float
    ) -> Self:
        """Learn from samples of several persons.

        Parameters
        ----------
        features : ndarray of shape [N, F]
        person : ndarray of int, shape [N]
        length : int
            D, or fewer where there are fewer features.
        shrinkage : float
            What is added to the spread of each direction, in mean spreads, > 0: few persons do not
            tell the narrow ones.
        """
        mean = features.mean(axis=0, dtype=np.float64)
        centred = features - mean
        _, vectors = np.linalg.eigh(centred.T @ centred)
        components = vectors[:, ::-1][:, :length]
        reduced = centred @ components
        _, number = np.unique(person, return_inverse=True)
        counts = np.bincount(number)
        sums = np.zeros((len(counts), reduced.shape[1]))
        np.add.at(sums, number, reduced)
        apart = reduced - (sums / counts[:, None])[number]
        spread, directions = np.linalg.eigh(apart.T @ apart / len(apart))
        least = shrinkage * max(float(spread.mean()), _LEAST)
        return cls(mean, components @ (directions / np.sqrt(np.maximum(spread, 0) + least)))

    def of(self, features: NDArray[np.floating]) -> _Floats:
        """Features [N, F] -> embeddings [N, D], as long as the sample is unusual."""
        found: _Floats = (features - self.mean) @ self.matrix
        return found

    def write(self, builder: GraphBuilder, features: str) -> str:
        """Write [B, F] float32 -> [B, D] float64."""
        exact = builder.cast(features, np.float64)
        centred = builder.node("Sub", exact, builder.constant(self.mean))
        return builder.node("MatMul", centred, builder.constant(self.matrix))
