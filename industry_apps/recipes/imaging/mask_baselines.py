"""Baselines that a network for masks has to beat: nothing marked, and thresholds of grey.

Letters: N images, H height, W width, C channels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from industry_apps.errors import require
from industry_apps.recipes.imaging.mask_metrics import dice_optimal_threshold

__all__ = ["GreyThreshold", "empty_mask", "otsu_mask"]

_Image = npt.NDArray[np.uint8]
_Mask = npt.NDArray[np.bool_]
_Map = npt.NDArray[np.float64]

_SMALLEST_SPREAD = 1e-6
#: In standard deviations of the grey values of an image.
_GRID = np.linspace(-1, 6, 141)
_SURROUNDINGS = 0.25  # of the smaller side


def empty_mask(image: _Image) -> _Mask:
    """Mark nothing.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, C)

    Returns
    -------
    ndarray of bool, shape (H, W)
    """
    return np.zeros(image.shape[:2], dtype=bool)


def otsu_mask(image: _Image) -> _Mask:
    """Mark the smaller of the two sides of the threshold that tells grey values apart best.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, C)

    Returns
    -------
    ndarray of bool, shape (H, W)

    References
    ----------
    Otsu (1979), A threshold selection method from gray-level histograms,
    doi:10.1109/TSMC.1979.4310076.

    Examples
    --------
    >>> otsu_mask(np.array([[[10], [12], [200]]], np.uint8))
    array([[False, False,  True]])
    """
    grey = image.mean(axis=2).round().astype(np.int64)
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    below, sums = counts.cumsum(), (counts * np.arange(256)).cumsum()
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    if not np.isfinite(between).any():  # one grey value: nothing is told apart
        return empty_mask(image)
    bright = grey > np.nanargmax(between)
    return bright if 2 * bright.sum() <= bright.size else ~bright


@dataclass(frozen=True, slots=True)
class GreyThreshold:
    """Mark pixels that are darker or brighter than the image, or than what surrounds them.

    Parameters
    ----------
    score : str
        Which of these, a name of :meth:`scores`.
    threshold : float
        In standard deviations of the grey values of the image.
    """

    score: str
    threshold: float

    @classmethod
    def chosen(cls, images: Sequence[_Image], truth: Sequence[_Mask]) -> GreyThreshold:
        """Choose both by the Dice on images kept for choosing.

        Parameters
        ----------
        images : sequence of ndarray of uint8, shape (H, W, C)
        truth : sequence of ndarray of bool, shape (H, W)
        """
        found = {
            name: dice_optimal_threshold([score(image) for image in images], truth, _GRID)
            for name, score in cls.scores().items()
        }
        name, (threshold, _) = max(found.items(), key=lambda item: item[1][1])
        return cls(name, threshold)

    @staticmethod
    def scores() -> Mapping[str, Callable[[_Image], _Map]]:
        """Name -> function from an image [H, W, C] to scores [H, W]."""
        return {
            "darker than the image": lambda image: -_standardised(image),
            "brighter than the image": _standardised,
            "darker than its surroundings": lambda image: -_against_surroundings(image),
            "brighter than its surroundings": _against_surroundings,
            "unlike its surroundings": lambda image: np.abs(_against_surroundings(image)),
        }

    def mask(self, image: _Image) -> _Mask:
        """Mark an image [H, W, C] -> [H, W]."""
        return self.scores()[self.score](image) >= self.threshold


def _standardised(image: _Image) -> _Map:
    grey = image.mean(axis=2)
    return np.asarray((grey - grey.mean()) / (grey.std() + _SMALLEST_SPREAD))


def _against_surroundings(image: _Image) -> _Map:
    ndimage = require("scipy.ndimage", extra="train", needed_by="The baseline of thresholds")
    grey = image.mean(axis=2)
    size = max(3, round(_SURROUNDINGS * min(grey.shape)))
    return np.asarray((grey - ndimage.uniform_filter(grey, size)) / (grey.std() + _SMALLEST_SPREAD))
