"""What an embedding is compared with: chance, eigenfaces and Fisherfaces, plain descriptions.

Turk and Pentland (1991), Eigenfaces for recognition, doi:10.1162/jocn.1991.3.1.71; Belhumeur,
Hespanha, Kriegman (1997), Eigenfaces vs. Fisherfaces, doi:10.1109/34.598228.

Letters: N samples, F pixels or features, D values of an embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import FeatureGraph, GraphBuilder
from industry_apps.features.image import Pixels
from industry_apps.features.running import WrittenGraph
from industry_apps.schema import Column, Schema

_Floats = NDArray[np.floating]
#: Pixels of both sides.
_SIZE = 32
#: Principal components; fewer where images are fewer.
_COMPONENTS = 60
#: What is added to the spread within persons by Fisher's discriminant, as a share.
_SHRINKAGE = 1e-3
#: A feature that hardly varies is not drawn out further.
_LEAST = 1e-6
_FEATURES = "features"


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
        self.discriminant_ = LinearDiscriminantAnalysis(solver="eigen", shrinkage=_SHRINKAGE)
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


class DescribedBaselines:
    """Plain descriptions of samples, by their cosine and by Fisher's discriminant.

    Parameters
    ----------
    column : Column
        Of samples.
    written : mapping of str to callable
        What a description is called -> what writes it: builder, samples -> [B, F] float32.
    """

    def __init__(
        self, column: Column, written: Mapping[str, Callable[[GraphBuilder, str], str]]
    ) -> None:
        self._described = {name: _Described(column, write) for name, write in written.items()}

    def fit(self, samples: NDArray[np.generic], person: NDArray[np.intp]) -> DescribedBaselines:
        """Learn from training samples.

        Parameters
        ----------
        samples : ndarray of shape [N, ...]
        person : ndarray of int, shape [N]
        """
        for each in self._described.values():
            each.fit(samples, person)
        return self

    def embeddings(self, samples: NDArray[np.generic]) -> Mapping[str, _Floats]:
        """Samples [N] -> {baseline: embeddings [N, D]}."""
        found: dict[str, _Floats] = {"chance": np.ones((len(samples), 1))}
        for name, each in self._described.items():
            found[f"{name}_cosine"], found[f"{name}_fisher"] = each.embedded(samples)
        return found


class _Described:
    """One description: mean and deviation of each feature, and the discriminant."""

    def __init__(self, column: Column, write: Callable[[GraphBuilder, str], str]) -> None:
        self._column, self._described = column.name, write
        outputs = Schema((Column(_FEATURES, "number", size=None),))
        self._graph = WrittenGraph(Schema((column,)), self._write, outputs)

    def fit(self, samples: NDArray[np.generic], person: NDArray[np.intp]) -> None:
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        features = self._features(samples)
        self._mean = features.mean(axis=0)
        self._deviation = np.maximum(features.std(axis=0), _LEAST)
        self._discriminant = LinearDiscriminantAnalysis(solver="eigen", shrinkage=_SHRINKAGE)
        self._discriminant.fit(self._scaled(features), person)

    def embedded(self, samples: NDArray[np.generic]) -> tuple[_Floats, _Floats]:
        scaled = self._scaled(self._features(samples))
        return scaled, self._discriminant.transform(scaled)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Mapping[str, str]:
        return {_FEATURES: self._described(builder, inputs[self._column])}

    def _features(self, samples: NDArray[np.generic]) -> _Floats:
        found: _Floats = self._graph.run({self._column: samples})[0].astype(np.float64)
        return found

    def _scaled(self, features: _Floats) -> _Floats:
        return (features - self._mean) / self._deviation
