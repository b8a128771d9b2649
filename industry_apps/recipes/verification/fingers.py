"""Fingers as a verifier sees them: the flow of their ridges, and how else they might be pressed.

Letters: N images, B of them in a run, F features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.limits import NOT_NEGATIVE, Limit, integer
from industry_apps.recipes.verification.faces import moved
from industry_apps.recipes.verification.recipe import DESCRIPTION, EmbeddingOptions
from industry_apps.recipes.verification.ridges import RidgeFlow
from industry_apps.schema import Schema

_PLACES = Limit(lambda v: type(v) is int and 5 <= v <= 31 and v % 2 == 1, "an odd int in [5, 31]")


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerOptions(EmbeddingOptions):
    """How fingers are described, and embeddings of them learned.

    Parameters
    ----------
    length, shrinkage, copies, folds
        As for :class:`EmbeddingOptions`.
    places : int
        Of a side of the grid that is laid on the core, odd, in [5, 31].
    apart : int
        Pixels from one place to the next, in [4, 64].
    rotation : float
        Degrees by which changed copies are turned at most, >= 0.
    shift : float
        Share of the sides by which they are moved, and of the size by which they are scaled, at
        most, >= 0.
    """

    places: Annotated[int, _PLACES] = 15
    apart: Annotated[int, integer(4, 64)] = 16
    rotation: Annotated[float, NOT_NEGATIVE] = 10.0
    shift: Annotated[float, NOT_NEGATIVE] = 0.03


@dataclass(frozen=True, slots=True)
class FingerImages:
    """Impressions of fingers: what describes them.

    Parameters
    ----------
    column : str
    options : FingerOptions
    """

    outputs: ClassVar[Schema] = Schema((DESCRIPTION,))
    column: str
    options: FingerOptions

    def write(self, builder: GraphBuilder, sample: str) -> Mapping[str, str]:
        """Write [B, height, width, channels] uint8 -> [B, F] float32."""
        flow = RidgeFlow(self.column, self.options.places, self.options.apart)
        return {DESCRIPTION.name: flow.write(builder, sample)}

    def changed(self, samples: NDArray[Any], draw: np.random.Generator) -> NDArray[Any]:
        """Impressions [N], each turned, moved and scaled a little; the border goes on."""
        return moved(samples, self.options.rotation, self.options.shift, draw)
