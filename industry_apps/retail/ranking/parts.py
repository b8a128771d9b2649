"""Scores of items in fixed point: sums of whole numbers, exact in any order.

Two recommendations are often nearly equal. In floating point their order would depend on how
a machine adds up a matrix product, and a file could answer otherwise than the model that it
was made of. So all that is multiplied and added here are whole numbers below 2**24, which
float32 holds exactly: trained model and file, one request and many, agree to the last bit, and
of equal scores the item that comes first by name stands first.

Letters: B requests, C items and "", D factors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto

from industry_apps.features import GraphBuilder
from industry_apps.retail.ranking.history import Requests, RequestTensors

#: No sum may leave the whole numbers that float32 holds; half of them is left for rounding.
_LARGEST = 2.0**23
#: Interactions count in sixteenths.
_STEPS = 16
#: What a network answers depends in its last digits on how many are asked at once. Rounded to
#: so much finer steps, in float64, that changes a score by nothing that could be seen.
_FINER = 65_536.0
#: Of the strength of an interaction, see interactions.py.
_STRONGEST = 1.5

Floats = NDArray[np.float64]
Whole = NDArray[np.float32]


class Part(ABC):
    """One way to score items; a model adds up some of them."""

    @property
    @abstractmethod
    def bound(self) -> float:
        """No score lies further from zero."""

    @abstractmethod
    def fixed(self, weight: float, unit: float) -> Part:
        """The same in whole numbers, times a weight, in multiples of a unit."""

    @abstractmethod
    def scores(self, asked: Requests) -> NDArray[Any]:
        """Scores [B, C] of requests."""

    @abstractmethod
    def write(self, builder: GraphBuilder, asked: RequestTensors) -> str:
        """Append the scores [B, C] of a part in whole numbers."""


@dataclass(frozen=True, eq=False)
class Neighbours(Part):
    """Each item of the history votes for the items that it goes with.

    Parameters
    ----------
    table : ndarray of shape [S, S]
        What a sixteenth of the item of a row says for the item of a column; the first row and
        column, of no item, are zero.
    fading : ndarray of float32, shape [A]
        What an interaction counts by its age; the last value holds for all older ones.
    place : ndarray of int64, shape [C]
        Row of each item in the table; 0 of those that it leaves out.
    """

    table: NDArray[Any]
    fading: NDArray[np.float32]
    place: NDArray[np.int64]

    @classmethod
    def of(
        cls, similarity: Floats, fading: NDArray[np.float32], place: NDArray[np.int64]
    ) -> Neighbours:
        """What each item of the table says for each other, as votes of whole items."""
        return cls(similarity / _STEPS, fading, place)

    @property
    def bound(self) -> float:
        """No score lies further from zero."""
        return float(_STRONGEST * _STEPS * np.abs(self.table).sum(axis=0).max(initial=0))

    def fixed(self, weight: float, unit: float) -> Neighbours:
        """The same in whole numbers."""
        return replace(self, table=_whole(self.table * (weight / unit)))

    def votes(self, asked: Requests) -> Whole:
        """How much each item counts, in sixteenths [B, S]; an item twice counts once."""
        fading = self.fading[np.minimum(asked.age, len(self.fading) - 1)]
        weight = np.rint(asked.strength * fading * np.float32(_STEPS))
        votes = np.zeros((len(asked.user), len(self.table)), dtype=np.float32)
        rows = np.broadcast_to(np.arange(len(votes))[:, None], asked.codes.shape)
        np.maximum.at(votes, (rows, self.place[asked.codes]), weight)
        return votes

    def scores(self, asked: Requests) -> NDArray[Any]:
        """Scores [B, C] of requests."""
        scores: NDArray[Any] = self.votes(asked) @ self.table
        return scores if self._is_whole else scores[:, self.place]

    @property
    def _is_whole(self) -> bool:
        """Whether the table leaves out no item."""
        return len(self.place) == len(self.table)

    def write(self, builder: GraphBuilder, asked: RequestTensors) -> str:
        """Append the scores [B, C]."""
        node, constant = builder.node, builder.constant
        last = constant(np.int64(len(self.fading) - 1))
        fading = node("Gather", constant(self.fading), node("Min", asked.age, last))
        weight = node("Mul", node("Mul", asked.strength, fading), constant(np.float32(_STEPS)))
        empty = filled(builder, asked.batch, np.zeros(len(self.table), dtype=np.float32))
        votes = node(
            "ScatterElements",
            empty,
            asked.codes if self._is_whole else node("Gather", constant(self.place), asked.codes),
            node("Round", weight),
            attributes={"axis": 1, "reduction": "max"},
        )
        scores = node("MatMul", votes, constant(self.table))
        if self._is_whole:
            return scores
        return node("Gather", scores, constant(self.place), attributes={"axis": 1})


@dataclass(frozen=True, eq=False)
class Factors(Part):
    """Factors of the user times factors of the item.

    Parameters
    ----------
    users : ndarray of shape [users + 1, D]
        Of known users; the first, of nobody, are zero.
    folds : ndarray of shape [C, D]
        What an item in the history of a request adds to the factors of its user.
    items : ndarray of shape [C, D]
    longest : float
        No factors of a request are longer.
    """

    users: NDArray[Any]
    folds: NDArray[Any]
    items: NDArray[Any]
    longest: float

    @classmethod
    def of(cls, users: Floats, folds: Floats, items: Floats) -> Factors:
        """Find out how long factors may be: no single one is larger than that of any user."""
        largest = float(np.abs(users).max(initial=0))
        return cls(users, folds, items, longest=max(largest * np.sqrt(users.shape[1]), 1e-9))

    @property
    def bound(self) -> float:
        """No score lies further from zero."""
        return self.longest * _longest(self.items)

    def fixed(self, weight: float, unit: float) -> Factors:
        """The same in whole numbers."""
        length = np.sqrt(max(weight * self.bound / unit, 1.0))  # of both, so both are as fine
        scale = length / self.longest
        return Factors(
            users=_whole(self.users * scale),
            folds=_whole(self.folds * scale),
            items=_whole(self.items * (weight / unit / scale)),
            longest=float(length),
        )

    @property
    def _most(self) -> np.float32:
        """Of a single factor, so that all together are no longer than the longest."""
        return np.float32(np.floor(self.longest / np.sqrt(self.items.shape[1])))

    def scores(self, asked: Requests) -> NDArray[Any]:
        """Scores [B, C] of requests."""
        stored = self.users[asked.user]
        added = stored + self.folds[asked.new].sum(axis=1)
        largest = np.maximum(np.abs(added).max(axis=1, keepdims=True), np.float32(1))
        cut = np.rint(added * np.minimum(self._most / largest, np.float32(1)))
        asks = (asked.new > 0).any(axis=1, keepdims=True)
        scores: NDArray[Any] = np.where(asks, cut, stored) @ self.items.T
        return scores

    def write(self, builder: GraphBuilder, asked: RequestTensors) -> str:
        """Append the scores [B, C]."""
        node, constant = builder.node, builder.constant
        axis, one = constant(np.array([1])), constant(np.float32(1))
        stored = node("Gather", constant(self.users), asked.user)
        folds = node("Gather", constant(self.folds), asked.new)  # [B, W, D]
        folded = node("ReduceSum", folds, axis, attributes={"keepdims": 0})
        added = node("Add", stored, folded)
        largest = node("ReduceMax", node("Abs", added), axis, attributes={"keepdims": 1})
        share = node("Min", node("Div", constant(self._most), node("Max", largest, one)), one)
        cut = node("Round", node("Mul", added, share))
        newest = node("ReduceMax", asked.new, axis, attributes={"keepdims": 1})
        asks = node("Greater", newest, constant(np.int64(0)))
        factors = node("Where", asks, cut, stored)
        return node("MatMul", factors, constant(np.ascontiguousarray(self.items.T)))


@dataclass(frozen=True, eq=False)
class Encoded(Part):
    """Factors of the user, made by a network of the latest items, times factors of the item.

    The network is run by onnxruntime here as in the file; that it was converted rightly is
    checked where it is made.

    Parameters
    ----------
    network : onnx.ModelProto
        ``codes`` [B, length] int64, 0 behind the end -> ``output`` [B, D], no longer than
        ``longest``.
    items : ndarray of shape [C, D]
    length : int
    longest : float
    scale : float
        Of what the network answers, before it is rounded.
    """

    network: onnx.ModelProto
    items: NDArray[Any]
    length: int
    longest: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        builder = GraphBuilder()
        codes = builder.input("codes", np.int64, self.length)
        found = builder.append(self.network, {"codes": codes})["output"]
        builder.output(found, "factors", np.float32, self.items.shape[1])
        object.__setattr__(self, "_session", builder.session())

    @property
    def bound(self) -> float:
        """No score lies further from zero."""
        return self.longest * _longest(self.items)

    def fixed(self, weight: float, unit: float) -> Encoded:
        """The same in whole numbers."""
        scale = np.sqrt(max(weight * self.bound / unit, 1.0)) / self.longest
        items = _whole(self.items * (weight / unit / scale))
        return replace(self, items=items, scale=float(scale))

    def latest(self, asked: Requests) -> NDArray[np.int64]:
        """The latest items [B, length], oldest first, 0 behind the end."""
        known = asked.codes > 0
        count = np.minimum(known.sum(axis=1, keepdims=True), self.length)
        place = np.where(known & (asked.age < self.length), count - 1 - asked.age, self.length)
        latest = np.zeros((len(asked.user), self.length + 1), dtype=np.int64)
        np.put_along_axis(latest, place, asked.codes, axis=1)
        return np.ascontiguousarray(latest[:, :-1])

    def factors(self, latest: NDArray[np.int64]) -> NDArray[np.float32]:
        """What the network makes [B, D] of the latest items."""
        session: ort.InferenceSession = self._session  # type: ignore[attr-defined]
        (found,) = session.run(None, {"codes": latest})
        factors: NDArray[np.float32] = found
        return factors

    def scores(self, asked: Requests) -> NDArray[Any]:
        """Scores [B, C] of requests."""
        found = self.factors(self.latest(asked)).astype(np.float64)
        factors = np.rint(found * (self.scale * _FINER))
        scores: NDArray[Any] = factors @ self.items.T.astype(np.float64) / _FINER
        return scores.astype(np.float32)

    def write(self, builder: GraphBuilder, asked: RequestTensors) -> str:
        """Append the scores [B, C]."""
        node, constant = builder.node, builder.constant
        length, none = constant(np.int64(self.length)), constant(np.int64(0))
        known = node("Greater", asked.codes, none)
        many = node(
            "ReduceSum",
            builder.cast(known, np.int64),
            constant(np.array([1])),
            attributes={"keepdims": 1},
        )
        last = node("Sub", node("Min", many, length), constant(np.int64(1)))
        kept = node("And", known, node("Less", asked.age, length))
        place = node("Where", kept, node("Sub", last, asked.age), length)
        empty = filled(builder, asked.batch, np.zeros(self.length + 1, dtype=np.int64))
        latest = node("ScatterElements", empty, place, asked.codes, attributes={"axis": 1})
        latest = builder.part(latest, 0, self.length)
        found = builder.append(self.network, {"codes": latest})["output"]
        found = node("Cast", found, attributes={"to": TensorProto.DOUBLE})
        factors = node("Round", node("Mul", found, constant(np.float64(self.scale * _FINER))))
        items = constant(np.ascontiguousarray(self.items.T).astype(np.float64))
        scores = node("Div", node("MatMul", factors, items), constant(np.float64(_FINER)))
        return builder.cast(scores, np.float32)


def blended(parts: Sequence[tuple[float, Part]]) -> tuple[list[Part], float]:
    """Parts in whole numbers of one unit, and the unit.

    Parameters
    ----------
    parts : sequence of (float, Part)
        Weight > 0 and part.
    """
    unit = max(sum(weight * part.bound for weight, part in parts), 1e-9) / _LARGEST
    return [part.fixed(weight, unit) for weight, part in parts], unit


def filled(builder: GraphBuilder, batch: str, row: NDArray[Any]) -> str:
    """Append a row [C] for each request, [B, C]."""
    width = builder.constant(np.array([len(row)]))
    shape = builder.node("Concat", batch, width, attributes={"axis": 0})
    return builder.node("Expand", builder.constant(row[None, :]), shape)


def _whole(values: NDArray[Any]) -> Whole:
    return np.rint(values).astype(np.float32)


def _longest(rows: NDArray[Any]) -> float:
    return float(np.sqrt((np.asarray(rows, dtype=np.float64) ** 2).sum(axis=1)).max(initial=0))
