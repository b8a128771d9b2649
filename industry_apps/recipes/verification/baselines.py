"""What an embedding of images is compared with: chance, eigenfaces and Fisherfaces.

Turk and Pentland (1991), Eigenfaces for recognition, doi:10.1162/jocn.1991.3.1.71; Belhumeur,
Hespanha, Kriegman (1997), Eigenfaces vs. Fisherfaces, doi:10.1109/34.598228.

Letters: N images, F pixels, D values of an embedding.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import FeatureGraph
from industry_apps.features.image import Pixels
from industry_apps.schema import Schema

_Floats = NDArray[np.floating]
#: Pixels of both sides.
_SIZE = 32
#: Principal components; fewer where images are fewer.
_COMPONENTS = 60


class FaceBaselines:
    """Embeddings of plain pixels, each image centred and scaled by itself.

    Parameters
    ----------
    schema : Schema
        The one column of images.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def fit(self, images: NDArray[np.object_], person: NDArray[np.intp]) -> FaceBaselines:
        """Learn from training images.

        Parameters
        ----------
        images : ndarray of object, shape [N]
        person : ndarray of int, shape [N]
        """
        from sklearn.decomposition import PCA
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        (self.column,) = self.schema.names
        plan = FeatureGraph(self.schema, [Pixels(self.column, _SIZE, by_itself=True)])
        self.reading_ = plan.learn({self.column: images})
        pixels, persons = self._pixels(images), person.max() + 1
        most = max(1, min(_COMPONENTS, len(pixels) - persons, pixels.shape[1]))
        self.components_ = PCA(most, svd_solver="full").fit(pixels)
        self.discriminant_ = LinearDiscriminantAnalysis(solver="eigen", shrinkage=1e-3)
        self.discriminant_.fit(self.components_.transform(pixels), person)
        return self

    def embeddings(self, images: NDArray[np.object_]) -> Mapping[str, _Floats]:
        """Images [N] -> {baseline: embeddings [N, D]}."""
        reduced = self.components_.transform(self._pixels(images))
        return {
            "chance": np.ones((len(images), 1)),
            "eigenfaces": reduced,
            "fisherfaces": self.discriminant_.transform(reduced),
        }

    def _pixels(self, images: NDArray[np.object_]) -> _Floats:
        """Pixels [N, F] of images."""
        found: _Floats = self.reading_.run({self.column: images})["pixels"]
        return found.reshape(len(found), -1)
