"""Ridges of a finger as nodes: their directions at places around the core.

Directions are those of the gradient squared as a complex number, smoothed (Kass and Witkin 1987,
doi:10.1016/0734-189X(87)90043-0). The core is where they best fit a complex filter that turns once
around it, whose answer tells how the finger is turned, too (Nilsson and Bigun 2003,
doi:10.1016/S0167-8655(03)00083-7). They are read off a grid that is laid on the core and turned
with it, as coarse maps of directions and FingerCode are (Jain, Prabhakar, Hong, Pankanti 2000,
doi:10.1109/83.841531). Minutiae are not looked for.

Letters: B images, C channels, H and W pixels, S places of a side of the grid, F features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.features.image import Pixels

_Floats = NDArray[np.float64]

#: Pixels at 500 dots an inch: sides of the squares whose mean and contrast are taken off, and the
#: widths of the filters of the gradient and of directions.
_LIGHT, _CONTRAST, _FINE, _COARSE = 33, 49, 1.0, 6.0
#: Of images of variance 1: a contrast, and the strength of a gradient, that hardly is one.
_FAINT, _WEAK = 0.15, 0.01
#: Pixels from one direction to the next, and width and reach of the filter of cores in these steps.
_STEP, _CORE, _REACH = 4, 4.0, 12


@dataclass(frozen=True, slots=True)
class RidgeFlow:
    """What impressions of fingers are described by.

    Parameters
    ----------
    column : str
        Of images.
    places : int
        S, odd.
    apart : int
        Pixels from one place to the next.

    Examples
    --------
    >>> RidgeFlow("image", places=15, apart=16).length
    450
    """

    column: str
    places: int
    apart: int

    @property
    def length(self) -> int:
        """F."""
        return 2 * self.places**2

    def write(self, builder: GraphBuilder, image: str) -> str:
        """Write [B, H, W, C] uint8 -> [B, F] float32."""
        flow = _flow(builder, self.column, image)  # [B, 2, H / 4, W / 4]
        core, cosine, sine = _core(builder, flow)
        node, constant = builder.node, builder.constant
        steps = (np.arange(self.places) - (self.places - 1) / 2) * self.apart / _STEP
        down, across = np.meshgrid(steps, steps, indexing="ij")
        x = constant(across.ravel().astype(np.float32)[None])
        y = constant(down.ravel().astype(np.float32)[None])
        right = node("Sub", node("Mul", x, cosine), node("Mul", y, sine))
        below = node("Add", node("Mul", x, sine), node("Mul", y, cosine))
        axis = constant(np.array([2]))
        each = [node("Unsqueeze", place, axis) for place in (right, below)]
        turned = node("Concat", *each, attributes={"axis": 2})  # [B, S * S, 2]
        grid = node("Add", turned, node("Unsqueeze", core, constant(np.array([1]))))
        sides = builder.part(node("Shape", flow), 2, 4, axis=0)
        turned_sides = node("Gather", sides, constant(np.array([1, 0])))  # width, height
        last = node("Sub", builder.cast(turned_sides, np.float32), constant(np.float32(1)))
        half = node("Div", node("Max", last, constant(np.float32(1))), constant(np.float32(2)))
        within = node("Sub", node("Div", grid, half), constant(np.float32(1)))
        shape = constant(np.array([0, self.places, self.places, 2]))
        settings = {"mode": "linear", "align_corners": 1, "padding_mode": "zeros"}
        read = node("GridSample", flow, node("Reshape", within, shape), attributes=settings)
        return self._turned(builder, read, cosine, sine)

    def _turned(self, builder: GraphBuilder, read: str, cosine: str, sine: str) -> str:
        """Directions [B, 2, S, S] less twice the turn of the finger -> [B, F]."""
        node, constant = builder.node, builder.constant
        flat = node("Reshape", read, constant(np.array([0, 2, -1])))
        shape = constant(np.array([0, self.places**2]))
        real, imaginary = (
            node("Reshape", builder.part(flat, place, place + 1), shape) for place in (0, 1)
        )
        double = node("Sub", node("Mul", cosine, cosine), node("Mul", sine, sine))
        product = node("Mul", node("Mul", sine, cosine), constant(np.float32(2)))
        return builder.concat(
            [
                node("Add", node("Mul", real, double), node("Mul", imaginary, product)),
                node("Sub", node("Mul", imaginary, double), node("Mul", real, product)),
            ]
        )


def _flow(builder: GraphBuilder, column: str, image: str) -> str:
    """Squared directions of gradients, as long as they agree: [B, 2, H / 4, W / 4], 0 to 1 long."""
    node, constant = builder.node, builder.constant
    pixels = Pixels(column, None, by_itself=True).write(builder, image)
    grey = node("ReduceMean", pixels, constant(np.array([1])))  # [B, 1, H, W]
    level = node("Sub", grey, _mean(builder, grey, _LIGHT))
    contrast = node("Sqrt", _mean(builder, node("Mul", level, level), _CONTRAST))
    even = node("Div", level, node("Add", contrast, constant(np.float32(_FAINT))))
    reach = round(3 * _FINE)
    sides = np.array([0, 0, reach, reach] * 2)
    padded = node("Pad", even, constant(sides), attributes={"mode": "edge"})
    bell = _bell(_FINE, reach)
    slope = np.outer(bell, np.arange(-reach, reach + 1) * bell / _FINE**2)
    gradient = node(
        "Conv", padded, constant(np.stack([slope, slope.T])[:, None].astype(np.float32))
    )
    x, y = builder.part(gradient, 0, 1), builder.part(gradient, 1, 2)
    across, down = node("Mul", x, x), node("Mul", y, y)
    twice = node("Mul", node("Mul", x, y), constant(np.float32(2)))
    squares = builder.concat([node("Sub", across, down), twice, node("Add", across, down)])
    smooth = _smoothed(builder, squares)  # [B, 3, H / 4, W / 4]
    strength = node("Add", builder.part(smooth, 2, 3), constant(np.float32(_WEAK)))
    return node("Div", builder.part(smooth, 0, 2), strength)


def _core(builder: GraphBuilder, flow: str) -> tuple[str, str, str]:
    """Column and row [B, 2] of the core in a flow, cosine and sine [B, 1] of the finger's turn.

    Of a whorl the upper core: a finger that is upright is preferred to one that stands on its head.
    """
    node, constant = builder.node, builder.constant
    steps = np.arange(-_REACH, _REACH + 1)
    x, y = np.meshgrid(steps, steps)
    bell = np.exp(-(x**2 + y**2) / (2 * _CORE**2))
    turning = (x + 1j * y) / np.maximum(np.hypot(x, y), 1) * bell / bell.sum()
    real, imaginary = turning.real, turning.imag
    weights = np.array([[real, imaginary], [-imaginary, real]], dtype=np.float32)
    answer = node("Conv", flow, constant(weights), attributes={"pads": [_REACH] * 4})
    flat = node("Reshape", answer, constant(np.array([0, 2, -1])))
    size = node("Sqrt", node("ReduceSum", node("Mul", flat, flat), constant(np.array([1]))))
    upright = node("Sub", size, builder.part(flat, 1, 2))  # [B, 1, places]
    best = node("ArgMax", upright, attributes={"axis": 2, "keepdims": 1})  # [B, 1, 1]
    both = node("Expand", best, constant(np.array([1, 2, 1])))
    there = node("GatherElements", flat, both, attributes={"axis": 2})
    length = node("GatherElements", size, best, attributes={"axis": 2})
    unit = node("Div", there, node("Max", length, constant(np.float32(1e-6))))
    unit = node("Squeeze", unit, constant(np.array([2])))  # [B, 2]
    width = builder.part(node("Shape", flow), 3, 4, axis=0)
    place = node("Squeeze", best, constant(np.array([2])))  # [B, 1]
    row = node("Div", place, width)
    column = node("Sub", place, node("Mul", row, width))
    core = builder.cast(builder.concat([column, row]), np.float32)
    return core, node("Neg", builder.part(unit, 1, 2)), builder.part(unit, 0, 1)


def _smoothed(builder: GraphBuilder, planes: str) -> str:
    """Three planes smoothed, every fourth row and column of them."""
    reach = round(3 * _COARSE)
    bell = np.tile(_bell(_COARSE, reach), (3, 1)).astype(np.float32)
    for axis in (2, 3):
        shape = [3, 1, 1, 1]
        shape[axis] = -1
        strides, pads = [1, 1], [0, 0]
        strides[axis - 2], pads[axis - 2] = _STEP, reach
        settings = {"group": 3, "strides": strides, "pads": pads * 2}
        weights = builder.constant(bell.reshape(shape))
        planes = builder.node("Conv", planes, weights, attributes=settings)
    return planes


def _mean(builder: GraphBuilder, planes: str, size: int) -> str:
    """Means over squares, of what lies in the image."""
    for axis in (0, 1):
        kernel, pads = [1, 1], [0, 0]
        kernel[axis], pads[axis] = size, size // 2
        settings = {"kernel_shape": kernel, "pads": pads * 2, "count_include_pad": 0}
        planes = builder.node("AveragePool", planes, attributes=settings)
    return planes


def _bell(width: float, reach: int) -> _Floats:
    bell = np.exp(-(np.arange(-reach, reach + 1) ** 2) / (2 * width**2))
    found: _Floats = bell / bell.sum()
    return found
