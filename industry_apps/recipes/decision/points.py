"""The answer of a decision recipe in points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.decision import Scale
from industry_apps.features import GraphBuilder
from industry_apps.recipes.decision.recipe import DecisionRecipe
from industry_apps.recipes.scorers import Arrays


@dataclass(frozen=True, slots=True)
class Points:
    """Points for each record: those of its bins, or of its probability on the same scale.

    Parameters
    ----------
    recipe : DecisionRecipe
        Fitted; its options hold the scale. If its model is a scorecard, not calibrated.
    """

    recipe: DecisionRecipe

    def score(self, arrays: Arrays, probability: NDArray[np.float64]) -> NDArray[Any]:
        """Points of records [rows] with these probabilities [rows]."""
        if self._is_table:
            return self.recipe.scorecard().score(arrays)
        return self._scale.apply(probability)

    def write_score(
        self, builder: GraphBuilder, inputs: Mapping[str, str], probability: str
    ) -> str:
        """Append the score to a graph; probability and points are tensors [batch, 1]."""
        if self._is_table:
            return self.recipe.scorecard().write_score(builder, inputs)
        return self._scale.write(builder, probability)

    @property
    def _is_table(self) -> bool:
        return self.recipe.options.model == "scorecard"

    @property
    def _scale(self) -> Scale:
        options = self.recipe.options.scorecard
        return Scale(options.offset, options.factor)
