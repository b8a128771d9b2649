"""Which family a positive record is of: of malware, of attacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.recipes.decision.classes import Classed, ClassOptions, ClassRecipe
from industry_apps.recipes.scorers import Arrays, Labelled, part_of
from industry_apps.recipes.trees import TreeOptions
from industry_apps.schema import Column, Schema

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Families", "named"]

#: Records of a family that its recogniser learns from, at least.
_FEWEST = 5


class Families:
    """The likeliest family of records that were decided to be positive.

    Parameters
    ----------
    recipe : ClassRecipe
        Fitted.
    """

    def __init__(self, recipe: ClassRecipe) -> None:
        self._recipe = recipe

    @classmethod
    def learn(
        cls,
        schema: Schema,
        rows: Labelled,
        families: NDArray[np.object_] | None,
        trees: TreeOptions,
    ) -> Self | None:
        """Learn from the positive records; None where fewer than two families are known.

        Parameters
        ----------
        schema : Schema
        rows : Labelled
        families : ndarray of str, shape [N], optional
            Of each record; "" where it is not known.
        trees : TreeOptions
        """
        if families is None:
            return None
        names, counts = np.unique(families[rows.target].astype(str), return_counts=True)
        classes = [n for n, c in zip(names, counts, strict=True) if n and c >= _FEWEST]
        if len(classes) < 2:
            return None
        chosen = np.flatnonzero(rows.target & np.isin(families.astype(str), classes))
        target = np.searchsorted(classes, families[chosen].astype(str))
        options = ClassOptions(trees=replace(trees, feature_fraction=1.0))
        recipe = ClassRecipe(schema, classes, options)
        return cls(recipe.fit(Classed(part_of(rows, chosen).arrays, target.astype(np.intp))))

    def apply(self, arrays: Arrays, positive: NDArray[np.bool_]) -> NDArray[np.object_]:
        """Raw columns [N] and decisions [N] -> names [N], "" of the others."""
        if not len(positive):  # trees of several classes refuse to answer no records
            return np.zeros(0, dtype=object)
        _, number = self._recipe.decide(arrays)
        names = np.array(self._recipe.classes, dtype=object)
        return np.where(positive, names[number], "").astype(object)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str], positive: str) -> str:
        """Append the same to a graph: decisions [batch, 1] -> names [batch, 1]."""
        answer = self._recipe.write(builder, inputs)["answer"]
        none = builder.constant(np.array([[""]], dtype=object))
        return builder.node("Where", positive, answer, none)

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which a name turns."""
        return self._recipe.thresholds()


def named(frame: pd.DataFrame, column: str) -> NDArray[Any] | None:
    """A column of names, "" where one is missing; None where there is no such column.

    Parameters
    ----------
    frame : DataFrame
    column : str
        "" for none.
    """
    if not column or column not in frame:
        return None
    return Column(column, "category").to_array(frame[column])
