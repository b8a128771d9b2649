"""Faces as a verifier sees them: oriented edges, and how another photograph might have been.

Letters: N images, B of them in a run, F features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.limits import NOT_NEGATIVE, Limit
from industry_apps.recipes.verification.edges import OrientedEdges
from industry_apps.recipes.verification.recipe import DESCRIPTION, EmbeddingOptions
from industry_apps.schema import Schema
from industry_apps.schema.images import one_by_one

_SIZE = Limit(
    lambda v: type(v) is int and 12 <= v <= 128 and v % 4 == 0, "a multiple of 4 in [12, 128]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceOptions(EmbeddingOptions):
    """How faces are described, and embeddings of them learned.

    Parameters
    ----------
    length, shrinkage, copies, folds
        As for :class:`EmbeddingOptions`.
    size : int
        Pixels of both sides to which images are resized, a multiple of 4 in [12, 128].
    rotation : float
        Degrees by which changed copies are turned at most, >= 0.
    moved : float
        Share of the sides by which they are moved, and of the size by which they are scaled, at
        most, >= 0.
    """

    size: Annotated[int, _SIZE] = 28
    rotation: Annotated[float, NOT_NEGATIVE] = 8.0
    moved: Annotated[float, NOT_NEGATIVE] = 0.04


@dataclass(frozen=True, slots=True)
class FaceImages:
    """Photographs of faces: what describes them.

    Parameters
    ----------
    column : str
    options : FaceOptions
    """

    outputs: ClassVar[Schema] = Schema((DESCRIPTION,))
    column: str
    options: FaceOptions

    def write(self, builder: GraphBuilder, sample: str) -> Mapping[str, str]:
        """Write [B, height, width, channels] uint8 -> [B, F] float32."""
        edges = OrientedEdges(self.column, self.options.size)
        return {DESCRIPTION.name: edges.write(builder, sample)}

    def changed(self, samples: NDArray[Any], draw: np.random.Generator) -> NDArray[Any]:
        """Photographs [N], each turned, moved and scaled a little; the border goes on."""
        return moved(samples, self.options.rotation, self.options.moved, draw)


def moved(
    images: NDArray[np.object_], rotation: float, share: float, draw: np.random.Generator
) -> NDArray[np.object_]:
    """Images, each turned, moved and scaled a little; the border goes on.

    Parameters
    ----------
    images : ndarray of object, shape [N]
        Of uint8 [height, width, channels].
    rotation : float
        Degrees at most.
    share : float
        Of the sides by which they are moved at most; scaled by the exponential of twice as much.
    draw : Generator
    """
    return one_by_one(_moved(image, rotation, share, draw) for image in images)


def _moved(
    image: NDArray[np.uint8], rotation: float, share: float, draw: np.random.Generator
) -> NDArray[np.uint8]:
    from scipy.ndimage import affine_transform

    angle = np.deg2rad(draw.uniform(-rotation, rotation))
    scale = np.exp(draw.uniform(-2, 2) * share)
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    sides = np.array(image.shape[:2])
    middle = (sides - 1) / 2
    start = middle - turned @ middle + draw.uniform(-1, 1, 2) * share * sides
    planes = [
        affine_transform(
            image[:, :, channel].astype(np.float32), turned, start, order=1, mode="nearest"
        )
        for channel in range(image.shape[2])
    ]
    return np.stack(planes, axis=2).round().clip(0, 255).astype(np.uint8)
