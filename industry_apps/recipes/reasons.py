"""Which columns raise a model's answer, and by how much, against a stated reference.

Contributions come from a table of points, which is the model itself, or from trees that imitate
any model: they learn its margin, and the path of a record through them says what each column adds
to or takes from the mean answer. How well they imitate is measured on records that they have not
learned from, and stands beside the reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.export.attributions import STEP, PathContributions
from industry_apps.features import FeatureGraph, GraphBuilder, tree_encoders
from industry_apps.features.sources import Source
from industry_apps.recipes.scorers import Arrays
from industry_apps.recipes.trees import TreeOptions, grown, thresholds_of
from industry_apps.runtime.explanations import CONTRIBUTIONS
from industry_apps.schema import Schema

#: Trees of the imitation: few and small, as each leaf holds a number for each column.
_TREES = TreeOptions(rounds=150, learning_rate=0.1, num_leaves=12, feature_fraction=0.7)

_FAVOURED = "the mean of the training records with the favourable answer"
_ALL = "the mean of the training records"


class Contributions(Protocol):
    """What each column adds to the answer of a model, in whole multiples of a power of two."""

    @property
    def contributors(self) -> Sequence[str]:
        """What contributes: columns, or numbers derived from them."""

    @property
    def unit(self) -> str:
        """What is added up."""

    @property
    def method(self) -> str:
        """How contributions are found, in a sentence."""

    def contributions(self, arrays: Arrays) -> NDArray[np.float64]:
        """Raw columns -> what each contributor adds [rows, contributors]."""

    def write_contributions(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append them to a graph -> tensor [batch, contributors]."""

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which contributions turn."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Reasons:
    """Contributions against a reference, and the names of those that raise the answer most.

    Parameters
    ----------
    model : Contributions
    count : int
        Columns that are named for each record at most, >= 1.
    reference : ndarray of float32 of shape [contributors]
    against : str
        What the reference is, in words.

    References
    ----------
    Regulation B, 12 CFR 1002.9(b)(2), official interpretation 5: a factor may be compared with
    its mean over the applicants at or above the minimum passing score.
    """

    model: Contributions
    count: int
    reference: NDArray[np.float32]
    against: str

    @classmethod
    def learn(
        cls, model: Contributions, count: int, arrays: Arrays, favoured: NDArray[np.bool_]
    ) -> Self:
        """The reference is the mean of records with the favourable answer; of all without any.

        Parameters
        ----------
        model, count
            As above.
        arrays : mapping of str to ndarray of shape [rows]
            Training records.
        favoured : ndarray of bool of shape [rows]
        """
        found = model.contributions(arrays)
        mean = found[favoured if favoured.any() else slice(None)].mean(axis=0)
        # Whole multiples of the step, so that differences are exact in float32.
        reference = (np.round(mean / STEP) * STEP).astype(np.float32)
        against = _FAVOURED if favoured.any() else _ALL
        count = min(count, len(model.contributors))
        return cls(model=model, count=count, reference=reference, against=against)

    def apply(self, arrays: Arrays) -> NDArray[np.object_]:
        """Names of what raises the answer most, falling -> [rows, count]; "" behind them."""
        found = self.model.contributions(arrays).astype(np.float32) - self.reference
        order = np.argsort(-found, axis=1, kind="stable")[:, : self.count]
        named = np.array(self.model.contributors, dtype=object)[order]
        return np.where(np.take_along_axis(found, order, axis=1) > 0, named, "")

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append reasons, strings [batch, count], and contributions [batch, contributors]."""
        found = builder.node(
            "Sub",
            self.model.write_contributions(builder, inputs),
            builder.constant(self.reference),
        )
        values, places = builder.largest(found, self.count)
        names = builder.constant(np.array(self.model.contributors, dtype=object))
        reasons = builder.node(
            "Where",
            builder.node("Greater", values, builder.constant(np.float32(0))),
            builder.node("Gather", names, places),
            builder.constant(np.array([[""]], dtype=object)),
        )
        return {"reasons": reasons, CONTRIBUTIONS: found}

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the reasons turn."""
        return self.model.thresholds()

    @property
    def note(self) -> str:
        """What the reasons are, in words."""
        return f"Reasons: {self.model.method} The reference is {self.against}."

    def facts(self) -> dict[str, Any]:
        """Of the contributions in the file, as JSON values."""
        return {
            "explanation": {
                "columns": list(self.model.contributors),
                "method": self.model.method,
                "reference": self.against,
                "unit": self.model.unit,
            }
        }


class TreeContributions:
    """Trees that imitate a margin.

    Parameters
    ----------
    schema : Schema
        The raw columns that the model sees.
    unit : str
        Of the margin.
    derived : tuple of Source
        Numbers computed from columns; they count for their first column.

    References
    ----------
    Craven and Shavlik 1996, "Extracting tree-structured representations of trained networks",
    NIPS 8; Saabas 2014, as in :mod:`industry_apps.export.attributions`.
    """

    def __init__(self, schema: Schema, unit: str, derived: tuple[Source, ...] = ()) -> None:
        self._plan = self.features = FeatureGraph(schema, tree_encoders(schema, derived))
        self.unit = unit

    def fit(
        self,
        known: Arrays,
        target: NDArray[np.float64],
        unseen: Arrays,
        wanted: NDArray[np.float64],
        *,
        seed: int = 0,
    ) -> TreeContributions:
        """Learn to imitate a margin.

        Parameters
        ----------
        known : mapping of str to ndarray of shape [rows]
            To learn from.
        target : ndarray of shape [rows]
            The margin of these rows.
        unseen, wanted
            The same of rows to measure ``fidelity_`` on: the share of the margin's variance that
            is imitated.
        seed : int
        """
        import lightgbm as lgb

        self.features = self._plan.learn(known)
        rows = self.features.run(known)["numeric"]
        self.contributors = sorted(set(self.features.origins))
        groups = [self.contributors.index(origin) for origin in self.features.origins]
        data = lgb.Dataset(rows, target, params={"verbosity": -1})
        booster = grown(data, _TREES, {"objective": "regression", "seed": seed})
        self.paths_ = PathContributions(booster, groups)
        found = booster.predict(self.features.run(unseen)["numeric"])
        spread = float(np.var(wanted))
        self.fidelity_ = 1 - float(np.mean((wanted - found) ** 2)) / spread if spread else 1.0
        return self

    @property
    def method(self) -> str:
        """How contributions are found, and how well they fit the model."""
        return (
            f"Trees imitate the {self.unit} of the model; they share {self.fidelity_:.0%} of its "
            "variance on records that they have not learned from. What a split moves counts for "
            "its column."
        )

    def contributions(self, arrays: Arrays) -> NDArray[np.float64]:
        """Raw columns -> contributions [rows, contributors]."""
        steps = self.paths_.apply(self.features.run(arrays)["numeric"])
        return steps.astype(np.float64) * STEP

    def write_contributions(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append the trees to a graph -> tensor [batch, contributors]."""
        rows = self.features.write(builder, inputs)["numeric"]
        return builder.append(self.paths_.to_onnx(), {"features": rows})["margin"]

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the trees turn."""
        return thresholds_of(self.features, [self.paths_.booster])


def with_reasons(outputs: Schema, reasons: Reasons | None) -> Schema:
    """Outputs with the column ``reasons``; without it for none."""
    return outputs.without(["reasons"]) if reasons is None else outputs
