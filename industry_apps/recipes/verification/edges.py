"""Oriented edges of an image as nodes: how strong edges of each direction are around each place.

Histograms of oriented gradients (Dalal and Triggs 2005, doi:10.1109/CVPR.2005.177) in a form that
convolutions compute: the gradient is projected on directions all around the circle, which tells
light left of dark from dark left of light; cells overlap; each is scaled by the strength around it,
so that light and contrast of the photograph do not count.

Letters: B images, C channels, S pixels of a side, K directions, F features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from industry_apps.features import GraphBuilder
from industry_apps.features.image import Pixels

#: Directions, of the whole circle.
_DIRECTIONS = 8
#: Pixels from the middle of one cell to that of the next, and of the sides of one.
_STEP, _CELL = 4, 9
#: Cells around one whose strength scales it.
_AROUND = 5
#: The strength of an edge that is hardly one, of images of variance 1.
_FAINT = 5e-4


@dataclass(frozen=True, slots=True)
class OrientedEdges:
    """What images are described by.

    Parameters
    ----------
    column : str
        Of images.
    size : int
        S, to which images are resized; a multiple of 4.

    Examples
    --------
    >>> OrientedEdges("image", 32).length
    512
    """

    column: str
    size: int

    @property
    def length(self) -> int:
        """F."""
        return _DIRECTIONS * (self.size // _STEP) ** 2

    def write(self, builder: GraphBuilder, image: str) -> str:
        """Write [B, height, width, C] uint8 -> [B, F] float32, each 0 or more."""
        node, constant = builder.node, builder.constant
        pixels = Pixels(self.column, self.size, by_itself=True).write(builder, image)
        grey = node("ReduceMean", pixels, constant(np.array([1])))  # [B, 1, S, S]
        padded = node(
            "Pad",
            grey,
            constant(np.array([0, 0, 1, 1, 0, 0, 1, 1])),
            attributes={"mode": "edge"},
        )
        across = np.array([[0, 0, 0], [-1, 0, 1], [0, 0, 0]], dtype=np.float32) / 2
        both = np.stack([across, across.T])[:, None]  # right and down
        gradient = node("Conv", padded, constant(both))  # [B, 2, S, S]
        square = node("ReduceSum", node("Mul", gradient, gradient), constant(np.array([1])))
        strength = node("Add", node("Sqrt", square), constant(np.float32(_FAINT)))
        angles = 2 * np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS
        towards = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
        along = node("Relu", node("Conv", gradient, constant(towards[:, :, None, None])))
        edges = node("Div", node("Mul", along, along), strength)  # [B, K, S, S]
        return self._scaled(builder, edges)

    def _scaled(self, builder: GraphBuilder, edges: str) -> str:
        """Cells, each over the strength of those around it, as square roots in a row."""
        node, constant = builder.node, builder.constant
        margin = _CELL - _STEP
        before, behind = margin // 2, margin - margin // 2
        cells = _mean(builder, edges, _CELL, [before, before, behind, behind], step=_STEP)
        square = node("ReduceSum", node("Mul", cells, cells), constant(np.array([1])))
        around = _mean(builder, square, _AROUND, [_AROUND // 2] * 4)
        scale = node("Sqrt", node("Add", around, constant(np.float32(_FAINT))))
        rooted = node("Sqrt", node("Div", cells, scale))
        return node("Reshape", rooted, constant(np.array([-1, self.length])))


def _mean(builder: GraphBuilder, planes: str, size: int, pads: list[int], *, step: int = 1) -> str:
    settings = {
        "kernel_shape": [size] * 2,
        "strides": [step] * 2,
        "pads": pads,
        "count_include_pad": 0,
    }
    return builder.node("AveragePool", planes, attributes=settings)
