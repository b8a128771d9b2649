"""Images of any size, resized and normalised inside the graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder

#: A channel that hardly varies is not drawn out further than this, in steps of 1 of 255.
_LEAST_DEVIATION = 1.0


@dataclass(frozen=True, slots=True)
class Pixels:
    """An image [height, width, channels] of bytes as numbers [channels, size, size].

    It is resized with antialiasing, without keeping its aspect, or left as it is; each channel is
    then centred and scaled: by what the training images have, or by what the image itself has,
    where how bright it is and how strong its contrasts tell of the camera alone.

    Parameters
    ----------
    column : str
    size : int or None
        Pixels of both sides, >= 1; None leaves the image as large as it is.
    mean, deviation : tuple of float
        Of each channel; learned.
    by_itself : bool
        Each image is centred and scaled by its own pixels, not by these.

    Examples
    --------
    >>> images = np.empty(2, dtype=object)
    >>> images[:] = [np.full((4, 4, 1), value, dtype=np.uint8) for value in (10, 30)]
    >>> Pixels("scan", 8).learn(images)
    Pixels(column='scan', size=8, mean=(20.0,), deviation=(10.0,), by_itself=False)
    """

    column: str
    size: int | None
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    by_itself: bool = False

    @property
    def names(self) -> list[str]:
        """No columns of ``numeric``: the tensor is one of its own."""
        return []

    def learn(self, values: NDArray[np.object_]) -> Self:
        """Learn mean and deviation of each channel from images of shape [rows]; all count alike."""
        means = np.array([image.mean((0, 1)) for image in values])
        squares = np.array([np.square(image, dtype=np.float64).mean((0, 1)) for image in values])
        mean = means.mean(axis=0)
        deviation = np.sqrt(np.maximum(squares.mean(axis=0) - mean**2, _LEAST_DEVIATION**2))
        return replace(self, mean=tuple(mean.tolist()), deviation=tuple(deviation.tolist()))

    def write(self, builder: GraphBuilder, image: str) -> str:
        """Write [batch, height, width, channels] uint8 -> [batch, channels, size, size] float32."""
        numbers = builder.cast(image, np.float32)
        planes = builder.node("Transpose", numbers, attributes={"perm": [0, 3, 1, 2]})
        resized = planes if self.size is None else write_resized(builder, planes, self.size)
        if self.by_itself:
            return _write_by_itself(builder, resized)
        scale = 1 / np.array(self.deviation, dtype=np.float32)
        shift = -np.array(self.mean, dtype=np.float32) * scale
        each = (1, -1, 1, 1)
        scaled = builder.node("Mul", resized, builder.constant(scale.reshape(each)))
        return builder.node("Add", scaled, builder.constant(shift.reshape(each)))


def _write_by_itself(builder: GraphBuilder, planes: str) -> str:
    """Write [batch, channels, height, width] with each channel of each image centred and scaled."""
    sides = builder.constant(np.array([2, 3]))
    # In double precision: sums of one image and of one among others are of another order.
    mean = builder.cast(
        builder.node("ReduceMean", builder.cast(planes, np.float64), sides), np.float32
    )
    centred = builder.node("Sub", planes, mean)
    exact = builder.cast(builder.node("Mul", centred, centred), np.float64)
    square = builder.cast(builder.node("ReduceMean", exact, sides), np.float32)
    least = builder.constant(np.float32(_LEAST_DEVIATION**2))
    return builder.node("Div", centred, builder.node("Sqrt", builder.node("Max", square, least)))


def write_resized(builder: GraphBuilder, planes: str, size: int | str) -> str:
    """Write [batch, channels, height, width] resized to another height and width, smoothly.

    Parameters
    ----------
    builder : GraphBuilder
    planes : str
        Tensor of float32.
    size : int or str
        Pixels of both sides; or a tensor of two whole numbers, the new height and width.
    """
    # All four sizes: onnxruntime 1.32 moves a Resize of two axes past a Transpose, and fails.
    outer = builder.node("Shape", planes, attributes={"end": 2})
    both = size if isinstance(size, str) else builder.constant(np.array([size, size]))
    sizes = builder.node("Concat", outer, both, attributes={"axis": 0})
    settings = {"mode": "linear", "antialias": 1}
    return builder.node("Resize", planes, "", "", sizes, attributes=settings)
