"""What a detector of defects has to beat.

Letters: N parts, C channels, S pixels a side, K classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import require
from industry_apps.features import FeatureGraph
from industry_apps.features.image import Pixels
from industry_apps.manufacturing.defects.matching import matches
from industry_apps.manufacturing.defects.parts import Parts
from industry_apps.recipes.anomaly.threshold import AlarmThreshold
from industry_apps.recipes.imaging.baselines import BASELINE_SIZE, ImageBaselines
from industry_apps.runtime.boxes import Box
from industry_apps.schema import Column, Schema

__all__ = ["KnownBaselines", "NormalBaselines", "XorBaseline", "no_boxes"]

#: Of images for statistics of patches: pixels a side, and those of a patch.
_SIZE, _PATCH = 64, 8
#: Differences of two images below this, of 255, are noise of the camera.
_NOISE = 64
#: Of differences: pairs to choose on, and what is chosen from.
_PAIRS, _OPENINGS = 40, (0, 1, 2, 3)
_SIZES, _MARGINS = (1, 5, 10, 20, 40, 80), (0, 3, 6, 9, 12, 15)
#: Principal components of the autoencoder that is linear.
_COMPONENTS = 32

_Floats = NDArray[np.float64]


def _small(parts: Parts, size: int) -> NDArray[np.float32]:
    """Images of a size [N, C, S, S], each centred and scaled by itself."""
    name, images = next(iter(parts.arrays.items()))
    column = Column(name, "image", channels=images[0].shape[2], nullable=False)
    plan = FeatureGraph(Schema((column,)), [Pixels(name, size, (0.0,), (1.0,), by_itself=True)])
    found: NDArray[np.float32] = plan.run({name: images})["pixels"]
    return found


class KnownBaselines:
    """Shares of the classes, nearest neighbour, pixels and gradients with linear and kernel models.

    Parameters
    ----------
    classes : int
    seed : int
    """

    def __init__(self, classes: int, seed: int) -> None:
        self.classes, self.seed = classes, seed

    def fit(self, train: Parts) -> KnownBaselines:
        """Learn from training parts.

        Parameters
        ----------
        train : Parts
        """
        pixels = _small(train, BASELINE_SIZE)
        self.known_ = ImageBaselines(self.classes, self.seed).fit(pixels, train.types)
        return self.fit_nearest(train)

    def fit_nearest(self, train: Parts) -> KnownBaselines:
        """Keep the training parts, for the nearest neighbour alone.

        Parameters
        ----------
        train : Parts
        """
        from sklearn.neighbors import KNeighborsClassifier

        pixels = _small(train, BASELINE_SIZE)
        self.nearest_ = KNeighborsClassifier(1).fit(pixels.reshape(len(pixels), -1), train.types)
        self.there_ = np.unique(train.types)
        return self

    def nearest(self, parts: Parts) -> _Floats:
        """Scores of the classes [N, K], by the training part whose pixels are nearest.

        Parameters
        ----------
        parts : Parts
        """
        pixels = _small(parts, BASELINE_SIZE)
        return self._of_all(self.nearest_.predict_proba(pixels.reshape(len(pixels), -1)))

    def probabilities(self, parts: Parts) -> dict[str, _Floats]:
        """Baseline -> scores of the classes [N, K].

        Parameters
        ----------
        parts : Parts
        """
        found = self.known_.probabilities(_small(parts, BASELINE_SIZE))
        found = {name: self._of_all(scores) for name, scores in found.items()}
        return {**found, "nearest_neighbour": self.nearest(parts)}

    def _of_all(self, scores: _Floats) -> _Floats:
        """Scores of the classes that training had, among those of all."""
        if scores.shape[1] == self.classes:
            return scores
        wide = np.zeros((len(scores), self.classes))
        wide[:, self.there_] = scores
        return wide


class NormalBaselines:
    """Statistics of patches of good parts, and what a linear autoencoder does not restore.

    Parameters
    ----------
    seed : int

    References
    ----------
    Defard et al. (2021), PaDiM, arXiv:2011.08785, with means and deviations of grey in place of a
    network's features; Baldi and Hornik (1989), doi:10.1016/0893-6080(89)90014-2: a linear
    autoencoder spans the principal components.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def fit(self, train: Parts, validation: Parts) -> NormalBaselines:
        """Learn what is usual, and the scores of further good parts.

        Parameters
        ----------
        train, validation : Parts
            Good parts alone.
        """
        from sklearn.decomposition import PCA

        pixels = _small(train, _SIZE)
        told = self._statistics(pixels)
        self.mean_, self.deviation_ = told.mean(axis=0), told.std(axis=0) + 1e-3
        flat = pixels.reshape(len(pixels), -1)
        count = min(_COMPONENTS, *flat.shape)
        self.restoring_ = PCA(count, random_state=self.seed).fit(flat)
        self.usual_ = self._scores(validation)
        return self

    def answers(self, parts: Parts, rate: float) -> dict[str, tuple[_Floats, NDArray[np.bool_]]]:
        """Baseline -> scores and alarms [N], at a wanted share of false alarms.

        Parameters
        ----------
        parts : Parts
        rate : float
        """
        found = {}
        for name, scores in self._scores(parts).items():
            threshold = AlarmThreshold.at_rate(self.usual_[name], rate)
            found[name] = scores, scores >= threshold.value
        return found

    def _scores(self, parts: Parts) -> dict[str, _Floats]:
        pixels = _small(parts, _SIZE)
        apart = np.abs(self._statistics(pixels) - self.mean_) / self.deviation_
        flat = pixels.reshape(len(pixels), -1)
        lost = np.square(self.restoring_.inverse_transform(self.restoring_.transform(flat)) - flat)
        return {
            "patch_statistics": apart.reshape(len(apart), -1).max(axis=1).astype(np.float64),
            "linear_autoencoder": lost.mean(axis=1).astype(np.float64),
        }

    @staticmethod
    def _statistics(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean and deviation of each patch [N, patches, patches, 2]."""
        count = _SIZE // _PATCH
        grey = pixels.mean(axis=1).reshape(-1, count, _PATCH, count, _PATCH)
        return np.stack([grey.mean(axis=(2, 4)), grey.std(axis=(2, 4))], axis=-1)


def no_boxes(parts: Parts) -> list[list[Box]]:
    """Draw none.

    Parameters
    ----------
    parts : Parts
    """
    return [[] for _ in range(len(parts))]


class XorBaseline:
    """Boxes around the regions in which an image and its reference differ.

    What is thinner than a few pixels is noise of edges and is opened away; how much, from which
    size on a region counts, and how far its box is widened are chosen on training pairs. Its type
    is the commonest one of what is brighter, or darker, than the reference.
    """

    def fit(self, train: Parts) -> XorBaseline:
        """Choose on training pairs.

        Parameters
        ----------
        train : Parts
            With two images each, and boxes.
        """
        some = train.at(np.arange(min(len(train), _PAIRS)))
        truth = list(some.boxes)
        found: dict[bool, list[str]] = {True: [], False: []}
        for (_, change), boxes in zip(_differences(some), truth, strict=True):
            for box in boxes:
                part = change[box.top : box.bottom, box.left : box.right]
                found[bool(part.sum() > 0)].append(box.type)
        every = [kind for kinds in found.values() for kind in kinds]
        self.types_ = {
            brighter: max(set(kinds or every), key=(kinds or every).count)
            for brighter, kinds in found.items()
        }
        best = (-1.0, 0, 1, 0)
        for opening in _OPENINGS:
            drawn = [_regions(*pair, opening) for pair in _differences(some)]
            for size, margin in product(_SIZES, _MARGINS):
                boxes = [self._boxes(each, size, margin) for each in drawn]
                score = matches(truth, boxes, typed=False).f1()
                best = max(best, (score, opening, size, margin), key=lambda each: each[0])
        _, self.opening_, self.size_, self.margin_ = best
        return self

    def boxes(self, parts: Parts) -> list[list[Box]]:
        """Boxes of each pair.

        Parameters
        ----------
        parts : Parts
        """
        drawn = (_regions(*pair, self.opening_) for pair in _differences(parts))
        return [self._boxes(each, self.size_, self.margin_) for each in drawn]

    def _boxes(self, regions: list[tuple[int, bool, Box]], size: int, margin: int) -> list[Box]:
        return [
            Box(
                max(0, box.left - margin),
                max(0, box.top - margin),
                box.right + margin,
                box.bottom + margin,
                self.types_[brighter],
                1.0,
            )
            for pixels, brighter, box in regions
            if pixels >= size
        ]


def _differences(parts: Parts) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.int16]]]:
    """Where each pair differs [H, W], and by how much."""
    images: list[Any] = list(parts.arrays.values())
    for image, reference in zip(*images, strict=True):
        change = (image.astype(np.int16) - reference.astype(np.int16)).sum(axis=2)
        yield np.abs(change) > _NOISE, change


def _regions(
    differ: NDArray[np.bool_], change: NDArray[np.int16], opening: int
) -> list[tuple[int, bool, Box]]:
    """Pixels of each region, whether it is brighter than the reference, and its box."""
    ndimage = require("scipy.ndimage", extra="train", needed_by="The baseline of differences")
    square = np.ones((3, 3), dtype=bool)
    if opening:
        differ = ndimage.binary_opening(differ, square, iterations=opening)
    numbers, count = ndimage.label(differ, square)
    sums = ndimage.sum_labels(change, numbers, np.arange(1, count + 1))
    sizes = np.bincount(numbers.ravel(), minlength=count + 1)[1:]
    return [
        (int(size), bool(total > 0), Box(x.start, y.start, x.stop, y.stop, "", 1.0))
        for size, total, (y, x) in zip(sizes, sums, ndimage.find_objects(numbers), strict=True)
    ]
