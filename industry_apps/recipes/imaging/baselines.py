"""What a model of images has to beat: the shares of the classes, and two classical models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Pixels of both sides that images have for the baselines.
BASELINE_SIZE = 32
_CELL, _DIRECTIONS = 4, 9


class ImageBaselines:
    """Shares of the classes, logistic regression on pixels, and gradients with a kernel machine.

    Parameters
    ----------
    classes : int
    seed : int

    References
    ----------
    Dalal and Triggs (2005), Histograms of oriented gradients for human detection,
    doi:10.1109/CVPR.2005.177: cells of 4 x 4 pixels, 9 directions, blocks of 2 x 2 cells.
    """

    def __init__(self, classes: int, seed: int = 0) -> None:
        self.classes, self.seed = classes, seed
        self.models_: Mapping[str, tuple[Any, Any]] = {}  # until they are learned, there is none

    def fit(self, pixels: NDArray[np.float32], target: NDArray[np.intp]) -> ImageBaselines:
        """Learn from training images.

        Parameters
        ----------
        pixels : ndarray of shape [rows, channels, 32, 32]
            Normalised.
        target : ndarray of int, shape [rows]
        """
        from sklearn.decomposition import PCA
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        self.shares_ = np.bincount(target, minlength=self.classes) / len(target)
        self.models_ = {
            "logistic_regression_of_pixels": (
                _flat,
                make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500)),
            ),
            "gradients_pca_svm": (
                oriented_gradients,
                make_pipeline(
                    StandardScaler(),
                    PCA(0.9, svd_solver="full", random_state=self.seed),
                    SVC(class_weight="balanced", random_state=self.seed),
                ),
            ),
        }
        for describe, model in self.models_.values():
            model.fit(describe(pixels), target)
        return self

    def probabilities(self, pixels: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        """Images [rows, channels, 32, 32] -> {baseline: scores of the classes [rows, classes]}.

        Parameters
        ----------
        pixels : ndarray of shape [rows, channels, 32, 32]
        """
        from scipy.special import softmax

        if not self.models_:
            return {}
        found = {"prior": np.tile(self.shares_, (len(pixels), 1))}
        for name, (describe, model) in self.models_.items():
            features = describe(pixels)
            if hasattr(model, "predict_proba"):
                found[name] = model.predict_proba(features)
            else:  # a kernel machine has distances: their ranks and the largest are what counts
                far = model.decision_function(features)
                far = np.column_stack([-far, far]) if far.ndim == 1 else far
                found[name] = softmax(far, axis=1)
        return found


def oriented_gradients(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Histograms of the directions of gradients, normalised in blocks.

    Parameters
    ----------
    pixels : ndarray of shape [rows, channels, height, width]
        Multiples of 4 pixels.

    Returns
    -------
    ndarray of shape [rows, features]

    Examples
    --------
    >>> oriented_gradients(np.zeros((2, 1, 32, 32), dtype=np.float32)).shape
    (2, 1764)
    """
    grey = pixels.mean(axis=1)
    down, across = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(down, across)
    direction = np.arctan2(down, across) % np.pi / np.pi * _DIRECTIONS
    number = np.minimum(direction.astype(int), _DIRECTIONS - 1)
    planes = np.where(number[..., None] == np.arange(_DIRECTIONS), strength[..., None], 0)
    rows, height, width, _ = planes.shape
    cells = planes.reshape(rows, height // _CELL, _CELL, width // _CELL, _CELL, _DIRECTIONS)
    cells = cells.sum(axis=(2, 4))  # [rows, down, across, directions]
    corners = (cells[:, :-1, :-1], cells[:, 1:, :-1], cells[:, :-1, 1:], cells[:, 1:, 1:])
    blocks = np.concatenate(corners, axis=3)
    length = np.sqrt(np.square(blocks).sum(axis=3, keepdims=True) + 1e-6)
    made: NDArray[np.float32] = (blocks / length).reshape(rows, -1).astype(np.float32)
    return made


def _flat(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    return pixels.reshape(len(pixels), -1)
