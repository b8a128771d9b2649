"""From scores to the best items: without those already taken, within the rules of the business.

Letters: B requests, C items and "", M items of the pool from which a cap chooses, K items that
are recommended.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.retail.ranking.history import RequestTensors, write_codes
from industry_apps.retail.ranking.interactions import code_of
from industry_apps.retail.ranking.parts import filled

#: A cap on a category holds among this many times as many items as are recommended.
POOL = 20

_NEVER = np.float32(-np.inf)
#: Below the order of every item that may be recommended.
_BARRED = -(2**62)


class Wishes(NamedTuple):
    """What a request asks beside its history.

    Parameters
    ----------
    allowed : array of str, shape [B, A], or the tensor
        Only these items; "" says nothing.
    cap : array of float32, shape [B], or the tensor [B, 1], optional
        At most so many of one category, NaN for any number.
    """

    allowed: Any
    cap: Any = None

    def part(self, rows: slice) -> Wishes:
        """Those of some requests."""
        return Wishes(self.allowed[rows], None if self.cap is None else self.cap[rows])


@dataclass(frozen=True, eq=False)
class Rules:
    """How the best of the scores are chosen.

    Parameters
    ----------
    items : ndarray of str, shape [C]
        Names; "" where the catalogue is shorter than what is recommended.
    size : int
        K.
    category : ndarray of int64, shape [C], optional
        0 where it is not known.
    """

    items: NDArray[np.object_]
    size: int
    category: NDArray[np.int64] | None = None

    def padded(self) -> Rules:
        """Names enough to recommend as many as are asked for, "" behind the end."""
        lacking = max(self.size + 1 - len(self.items), 0)
        items = np.append(self.items, np.array([""] * lacking, dtype=object))
        kinds = self.category
        if kinds is not None:
            kinds = np.append(kinds, np.zeros(lacking, dtype=np.int64))
        return replace(self, items=items, category=kinds)

    def resized(self, size: int) -> Rules:
        """The same for another number of items."""
        return replace(self, size=size).padded()

    @property
    def _unnamed(self) -> NDArray[np.float32]:
        return (self.items == "").astype(np.float32)

    @property
    def _pool(self) -> int:
        return min(POOL * self.size, len(self.items))

    def best(
        self, scores: NDArray[Any], taken: NDArray[np.int64], wishes: Wishes
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Codes [B, K] of the best items, 0 where there are fewer, and their scores, NaN there.

        Parameters
        ----------
        scores : ndarray of whole numbers, shape [B, C]
        taken : ndarray of int64, shape [B, T]
            Codes of items that are not recommended.
        wishes : Wishes
        """
        rows = np.arange(len(scores))[:, None]
        barred = np.repeat(self._unnamed[None, :] > 0, len(scores), axis=0)
        barred[rows, taken] = True
        wanted = np.zeros_like(barred)
        wanted[rows, code_of(wishes.allowed, self.items)] = True
        barred |= (wishes.allowed != "").any(axis=1, keepdims=True) & ~wanted
        # Whole numbers, then the place: no two are equal.
        count = scores.shape[1]
        order = scores.astype(np.int64) * count + np.arange(count)[::-1]
        order[barred] = _BARRED
        pool = self._pool if wishes.cap is not None else self.size
        best = np.argpartition(-order, pool - 1, axis=1)[:, :pool] if pool < count else None
        best = np.repeat(np.arange(count)[None, :], len(scores), axis=0) if best is None else best
        best = best[rows, np.argsort(-order[rows, best], axis=1)]
        open_ = ~barred[rows, best]
        if wishes.cap is not None:
            best, open_ = self._capped(best, open_, wishes.cap)
        found = np.where(open_, scores[rows, best], np.nan).astype(np.float32)
        return np.where(open_, best, 0), found

    def _capped(
        self, best: NDArray[np.int64], is_open: NDArray[np.bool_], cap: NDArray[Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The best K items of a pool [B, M], at most so many of one category."""
        chosen = np.zeros((len(best), self.size), dtype=np.int64)
        for row, (pool, may, most) in enumerate(zip(best, is_open, cap, strict=True)):
            kept: list[int] = []
            count: dict[int, int] = {}
            for item in pool[may].tolist():
                group = int(self.category[item])  # type: ignore[index]
                if group == 0 or np.isnan(most) or count.get(group, 0) < most:
                    kept.append(item)
                count[group] = count.get(group, 0) + 1
            chosen[row, : len(kept)] = kept[: self.size]
        return chosen, chosen > 0

    def write(
        self, builder: GraphBuilder, scores: str, asked: RequestTensors, wishes: Wishes
    ) -> tuple[str, str]:
        """Append names [B, K] of the best items and their scores [B, K], from scores [B, C]."""
        node, constant = builder.node, builder.constant
        none, never = constant(np.int64(0)), constant(_NEVER)
        unnamed = constant(np.flatnonzero(self._unnamed)[None])  # [1, U]
        ends = node("Concat", asked.batch, constant(np.array([1])), attributes={"axis": 0})
        closed = builder.concat([asked.codes, node("Expand", unnamed, ends)])
        bars = node("Expand", constant(np.array([[_NEVER]])), node("Shape", closed))
        scores = node("ScatterElements", scores, closed, bars, attributes={"axis": 1})
        scores = self._write_allowed(builder, scores, wishes.allowed)
        if wishes.cap is None:
            found, place = builder.largest(scores, self.size)
        else:
            found, place = self._write_capped(builder, scores, wishes.cap)
        is_open = node("Greater", found, never)
        best = node("Where", is_open, place, none)
        names = node("Gather", constant(self.items), best)
        return names, node("Where", is_open, found, constant(np.float32(np.nan)))

    def _write_allowed(self, builder: GraphBuilder, scores: str, allowed: str) -> str:
        """Append scores [B, C] without what is not among the names [B, A] of requests that say.

        Only these M requests are worked on: they are few as a rule, and the catalogue is wide.
        """
        node, constant = builder.node, builder.constant
        one = constant(np.array([1]))
        silent = node("Equal", allowed, constant(np.array([[""]], dtype=object)))
        said = builder.cast(node("Not", silent), np.int64)
        said = node("ReduceMax", said, one, attributes={"keepdims": 0})
        asking = node("Squeeze", node("NonZero", said), constant(np.array([0])))  # [M]
        # Codes are gathered, since onnxruntime 1.32 gathers the first text alone of each row.
        codes = node("Gather", write_codes(builder, allowed, self.items), asking)  # [M, A]
        wanted = filled(builder, node("Shape", asking), np.zeros(len(self.items), dtype=np.float32))
        ones = node("Expand", constant(np.array([[1.0]], dtype=np.float32)), node("Shape", codes))
        wanted = node("ScatterElements", wanted, codes, ones, attributes={"axis": 1})
        is_wanted = node("Greater", wanted, constant(np.float32(0.5)))
        kept = node("Where", is_wanted, node("Gather", scores, asking), constant(_NEVER))
        return node("ScatterND", scores, node("Unsqueeze", asking, one), kept)

    def _write_capped(self, builder: GraphBuilder, scores: str, cap: str) -> tuple[str, str]:
        """Append the best K of the pool, of which each item counts those of its kind above it."""
        node, constant = builder.node, builder.constant
        pool, place = builder.largest(scores, self._pool)  # [B, M]
        kind = node("Gather", constant(self.category), place)
        down, across = (node("Unsqueeze", kind, constant(np.array([axis]))) for axis in (2, 1))
        same = node("Equal", down, across)  # [B, M, M]
        above = np.tri(self._pool, k=-1, dtype=np.bool_)[None]
        same = builder.cast(node("And", same, constant(above)), np.float32)
        many = node("ReduceSum", same, constant(np.array([2])), attributes={"keepdims": 0})
        free = node("Or", node("IsNaN", cap), node("Equal", kind, constant(np.int64(0))))
        kept = node("Or", free, node("Less", many, cap))
        found, order = builder.largest(node("Where", kept, pool, constant(_NEVER)), self.size)
        return found, node("GatherElements", place, order, attributes={"axis": 1})
