"""The answer of a decision recipe in points, and the reasons of one that has a table of them."""

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
from industry_apps.schema import Column


@dataclass(frozen=True, slots=True)
class Points:
    """Points for each record: those of its bins, or of its probability on the same scale.

    Parameters
    ----------
    recipe : DecisionRecipe
        Fitted; its options hold the scale. If its model is a scorecard, not calibrated.
    reasons : int
        Attributes that a scorecard names for each record, >= 0.
    """

    recipe: DecisionRecipe
    reasons: int

    @property
    def reason_columns(self) -> list[Column]:
        """The outputs beside the score; none but for a scorecard."""
        count = self.reasons if self._is_table else 0
        return [Column(name=f"reason_{place + 1}", kind="category") for place in range(count)]

    def score(self, arrays: Arrays, probability: NDArray[np.float64]) -> NDArray[Any]:
        """Points of records [rows] with these probabilities [rows]."""
        if self._is_table:
            return self.recipe.scorecard().score(arrays)
        return self._scale.apply(probability)

    def named_reasons(self, arrays: Arrays) -> dict[str, NDArray[Any]]:
        """Reason column -> the attributes that cost records [rows] the most points."""
        columns = self.reason_columns
        if not columns:
            return {}
        found = self.recipe.scorecard().reasons(arrays, len(columns))
        return {column.name: found[:, place] for place, column in enumerate(columns)}

    def write_score(
        self, builder: GraphBuilder, inputs: Mapping[str, str], probability: str
    ) -> str:
        """Append the score to a graph; probability and points are tensors [batch, 1]."""
        if self._is_table:
            return self.recipe.scorecard().write_score(builder, inputs)
        return self._scale.write(builder, probability)

    def write_reasons(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the reasons to a graph -> {reason column: string tensor [batch, 1]}."""
        columns = self.reason_columns
        if not columns:
            return {}
        tensors = self.recipe.scorecard().write_reasons(builder, inputs, len(columns))
        return {column.name: tensor for column, tensor in zip(columns, tensors, strict=True)}

    @property
    def _is_table(self) -> bool:
        return self.recipe.options.model == "scorecard"

    @property
    def _scale(self) -> Scale:
        options = self.recipe.options.scorecard
        return Scale(options.offset, options.factor)
