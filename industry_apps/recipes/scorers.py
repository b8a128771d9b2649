"""What a recipe asks of a model: a margin, the higher the more likely the answer is yes.

Each model holds its feature graph, learns from arrays of raw columns, and writes itself into
a graph, so that a recipe can hold one of them or several.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.runtime.progress import tracked
from industry_apps.schema import Schema

Arrays = Mapping[str, NDArray[Any]]
#: Numbers of the rows to learn from, and of those that are held out.
Fold = tuple[NDArray[np.intp], NDArray[np.intp]]

#: No column is forced to act in one direction only.
NO_DIRECTIONS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Labelled:
    """Records with their answers.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [rows]
        Raw columns as :meth:`Schema.to_arrays` makes them.
    target : ndarray of bool of shape [rows]
    weight : ndarray of shape [rows], optional
        How much each record counts in training; all alike by default.
    """

    arrays: Arrays
    target: NDArray[np.bool_]
    weight: NDArray[np.float64] | None = None


def joined(first: Labelled, second: Labelled) -> Labelled:
    """Both, one after the other."""
    weight = None
    if first.weight is not None and second.weight is not None:
        weight = np.concatenate([first.weight, second.weight])
    return Labelled(
        {name: np.concatenate([first.arrays[name], second.arrays[name]]) for name in first.arrays},
        np.concatenate([first.target, second.target]),
        weight,
    )


def part_of(rows: Labelled, chosen: NDArray[np.intp]) -> Labelled:
    """Some of the rows, by number."""
    return Labelled(
        {name: values[chosen] for name, values in rows.arrays.items()},
        rows.target[chosen],
        None if rows.weight is None else rows.weight[chosen],
    )


def folds(rows: Labelled, count: int, seed: int) -> list[Fold]:
    """Cut rows into parts with equal shares of the answers -> (other rows, rows of a part)."""
    from sklearn.model_selection import StratifiedKFold

    cut = StratifiedKFold(count, shuffle=True, random_state=seed)
    return list(cut.split(rows.target, rows.target))


class _Turns(Protocol):
    def thresholds(self) -> dict[str, list[float]]: ...


def thresholds_of_all(models: Iterable[_Turns]) -> dict[str, list[float]]:
    """Raw column -> values on which the answer of some model turns, rising."""
    found: dict[str, set[float]] = {}
    for model in models:
        for name, values in model.thresholds().items():
            found.setdefault(name, set()).update(values)
    return {name: sorted(values) for name, values in found.items()}


class Features(Protocol):
    """What a model makes of raw columns."""

    @property
    def schema(self) -> Schema:
        """The raw columns that it reads."""
        ...


class Scorer(Protocol):
    """What a decision recipe needs of a model."""

    @property
    def features(self) -> Features:
        """The fitted features."""
        ...

    def fit(self, train: Labelled, validation: Labelled | None) -> None:
        """Learn; validation data decide when to stop."""
        ...

    def refit(self, every: Labelled) -> None:
        """Learn again from more data, for as long as was found good."""
        ...

    def margin(self, arrays: Arrays) -> NDArray[np.float64]:
        """Score records as the trained model does -> [rows]."""
        ...

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        """Append features and model to a graph -> tensor [batch, 1]."""
        ...

    def thresholds(self) -> dict[str, list[float]]:
        """Raw column -> values on which the answer turns, for the parity check."""
        ...


@runtime_checkable
class CrossFitted(Protocol):
    """A scorer that prepares rows once for all folds, where that is most of the work."""

    def cross_fit(self, rows: Labelled, parts: Sequence[Fold]) -> NDArray[np.float64]:
        """Learn from all rows; their margins [rows] are by models of the other folds."""
        ...


def fold_by_fold(
    make: Callable[[], Scorer], rows: Labelled, parts: Sequence[Fold]
) -> tuple[Scorer, NDArray[np.float64]]:
    """Learn from all rows; their margins [rows] are by models of the other folds.

    Parameters
    ----------
    make : callable
        A scorer that has learned nothing. That of the last fold learns again from all rows, for
        as long as was found good.
    rows : Labelled
    parts : sequence of tuple of ndarray
        At least one.
    """
    margin = np.empty(len(rows.target))
    for known, held_out in tracked(parts, "learning folds"):
        scorer, asked = make(), part_of(rows, held_out)
        scorer.fit(part_of(rows, known), asked)
        margin[held_out] = scorer.margin(asked.arrays)
    scorer.refit(rows)
    return scorer, margin
