"""Classes told by the directions of gradients and a kernel machine, written as nodes.

On some hundreds of images this tells more than a network that has hardly learned; on many it
adds little. Letters: B images, N training images, C channels, K classes, F features, P components.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.features.image import write_resized

#: Pixels of both sides, pixels of a cell, and directions.
SIZE, CELL, _DIRECTIONS = 32, 4, 9
_BLOCKS = SIZE // CELL - 1
#: The even power of the cosine by which a gradient counts for a direction: no pixel jumps.
_SHARPNESS = 4
_FLAT = 1e-8
#: Training images that others are compared with, components, and their share of the variance.
_MOST_IMAGES, _MOST_COMPONENTS, _VARIANCE = 2_000, 128, 0.9
_RIDGE = 0.1


@dataclass(frozen=True, eq=False, slots=True)
class GradientScores:
    """Kernel ridge regression of the classes on oriented gradients: a Gaussian around each image.

    Parameters
    ----------
    shift : ndarray of shape [F]
    projection : ndarray of shape [F, P]
        Onto principal components, scaled such that the kernel is of width 1.
    known : ndarray of shape [N, P]
    weights : ndarray of shape [N, K]

    References
    ----------
    Dalal and Triggs (2005), Histograms of oriented gradients for human detection,
    doi:10.1109/CVPR.2005.177; Saunders, Gammerman and Vovk (1998), Ridge regression learning
    algorithm in dual variables.
    """

    shift: NDArray[np.float32]
    projection: NDArray[np.float32]
    known: NDArray[np.float32]
    weights: NDArray[np.float32]

    @classmethod
    def fit(cls, features: NDArray[Any], target: NDArray[np.intp], seed: int) -> Self:
        """Learn from training images, each class as much as the others.

        Parameters
        ----------
        features : ndarray of shape [N, F]
            As :func:`write_gradients` makes them.
        target : ndarray of int, shape [N]
            Each class occurs.
        seed : int
            Of the choice among many images.
        """
        from sklearn.decomposition import PCA

        classes = int(target.max()) + 1
        if len(target) > _MOST_IMAGES:
            order = np.random.default_rng(seed).permutation(len(target))
            firsts = np.unique(target[order], return_index=True)[1]  # one of each class at least
            chosen = np.unique(np.append(order[firsts], order[: _MOST_IMAGES - classes]))
            features, target = features[chosen], target[chosen]
        exact = features.astype(np.float64)
        shift, scale = exact.mean(axis=0), exact.std(axis=0) + np.sqrt(_FLAT)
        components = PCA(_VARIANCE, svd_solver="full").fit((exact - shift) / scale).components_
        projection = components[:_MOST_COMPONENTS].T / scale[:, None]
        placed = (exact - shift) @ projection
        width = np.sqrt(np.square(placed).sum(axis=1).mean()) + np.sqrt(_FLAT)
        placed, projection = placed / width, projection / width
        lengths = np.square(placed).sum(axis=1)
        kernel = np.exp(2 * placed @ placed.T - lengths[:, None] - lengths)
        counts = np.bincount(target, minlength=classes)
        ridge = _RIDGE * classes * counts[target] / len(target)
        sides = 2.0 * np.eye(classes)[target] - 1
        weights = np.linalg.solve(kernel + np.diag(ridge), sides)
        return cls(*(each.astype(np.float32) for each in (shift, projection, placed, weights)))

    def write(self, builder: GraphBuilder, features: str) -> tuple[str, str]:
        """Write scores of the classes [B, K], and what each place adds to them [B, K, 9, 9].

        A place adds the slope of the score times how far its gradients are from the mean image;
        places are the corners of cells, at the rim the same as beside it.
        """
        node, constant = builder.node, builder.constant
        apart = node("Sub", features, constant(self.shift))
        placed = node("MatMul", apart, constant(self.projection))
        length = node("ReduceSum", node("Mul", placed, placed), constant(np.array([1])))  # [B, 1]
        lengths = constant(np.square(self.known).sum(axis=1)[None])
        product = node("MatMul", placed, constant(-2 * np.ascontiguousarray(self.known.T)))
        distance = node("Add", product, node("Add", length, lengths))  # [B, N]
        near = node("Exp", node("Neg", distance))
        scores = node("MatMul", near, constant(self.weights))
        last = constant(np.array([2]))
        pulls = node(
            "Mul",
            node("Unsqueeze", near, constant(np.array([1]))),
            constant(np.ascontiguousarray(self.weights.T)),
        )  # [B, K, N]
        toward = node("MatMul", pulls, constant(2 * self.known))
        held = node(
            "Mul",
            node("Unsqueeze", scores, last),
            node("Unsqueeze", node("Add", placed, placed), constant(np.array([1]))),
        )
        slope = node(
            "MatMul", node("Sub", toward, held), constant(np.ascontiguousarray(self.projection.T))
        )  # [B, K, F]
        added = node("Mul", slope, node("Unsqueeze", apart, constant(np.array([1]))))
        blocks = constant(np.array([0, 0, -1, _BLOCKS, _BLOCKS]))
        places = node("ReduceSum", node("Reshape", added, blocks), last, attributes={"keepdims": 0})
        # As a mean over the places, as those of the networks are.
        mean = node("Mul", places, constant(np.float32(_BLOCKS**2)))
        rim = constant(np.array([0, 0, 1, 1] * 2))
        return scores, node("Pad", mean, rim, attributes={"mode": "edge"})


def write_gradients(builder: GraphBuilder, pixels: str) -> str:
    """Histograms of the directions of gradients, normalised in blocks of 2 x 2 cells.

    Parameters
    ----------
    builder : GraphBuilder
    pixels : str
        Tensor [B, C, height, width] of normalised pixels.

    Returns
    -------
    str
        Tensor [B, F].
    """
    node, constant = builder.node, builder.constant
    grey = node("ReduceMean", write_resized(builder, pixels, SIZE), constant(np.array([1])))
    edged = node("Pad", grey, constant(np.array([0, 0, 1, 1] * 2)), attributes={"mode": "edge"})
    angles = (np.arange(_DIRECTIONS) + 0.5) * np.pi / _DIRECTIONS
    filters = np.zeros((_DIRECTIONS, 1, 3, 3), dtype=np.float32)
    filters[:, 0, 1, 2], filters[:, 0, 2, 1] = np.cos(angles) / 2, np.sin(angles) / 2
    filters -= filters[:, :, ::-1, ::-1]
    along = node("Conv", edged, constant(filters))
    squares = node("Mul", along, along)  # which add up to the square of the gradient, but for 4.5
    every = node("ReduceSum", squares, constant(np.array([1])))
    square = node("Add", every, constant(np.float32(_FLAT)))
    share = node("Pow", node("Div", squares, square), constant(np.float32(_SHARPNESS)))
    votes = node("Mul", share, node("Sqrt", square))
    settings: Mapping[str, Any] = {"kernel_shape": [CELL] * 2, "strides": [CELL] * 2}
    cells = node("AveragePool", votes, attributes=settings)
    behind, sides = np.array([_BLOCKS] * 2), constant(np.array([2, 3]))
    corners = [
        node("Slice", cells, constant(first), constant(first + behind), sides)
        for first in map(np.array, ((0, 0), (1, 0), (0, 1), (1, 1)))
    ]
    blocks = node("Concat", *corners, attributes={"axis": 1})
    length = node("ReduceSum", node("Mul", blocks, blocks), constant(np.array([1])))
    root = node("Sqrt", node("Add", length, constant(np.float32(_FLAT))))
    return node("Flatten", node("Div", blocks, root), attributes={"axis": 1})
