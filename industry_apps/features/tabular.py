"""Encoders of numbers and categories: what is learned from the training table, and its nodes.

Each encoder is an immutable specification. ``learn`` returns a copy that knows what it
learned; ``write`` appends the nodes of a whole group of encoders of one class at once, so
that fifty standardised columns are four operators, not two hundred.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.sources import Source
from industry_apps.schema.spellings import aliases

#: Standardised values are clipped here: nothing a network can learn lies beyond.
CLIP = 10.0
#: More levels than this are not given a column each.
_MOST_COLUMNS = 20
#: Codes of a vocabulary that are not levels.
UNSEEN, MISSING, FIRST_LEVEL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Raw:
    """A number as it is, NaN where missing: what trees take.

    Parameters
    ----------
    source : Source
    """

    source: Source

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [self.source.name]

    def learn(self, values: NDArray[np.float32]) -> Self:
        """Nothing to learn."""
        return self

    @staticmethod
    def write(builder: GraphBuilder, group: Sequence[Raw], values: str) -> str:
        """Write nothing: [batch, group] passes through."""
        return values


@dataclass(frozen=True, slots=True)
class Cyclic:
    """Sine and cosine of a number that runs in a cycle (hour, weekday, month); 0, 0 if missing.

    Parameters
    ----------
    source : Source
    period : float
        Length of the cycle, > 0.
    start : float
        First value of the cycle.
    """

    source: Source
    period: float
    start: float = 0.0

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [f"{self.source.name}.sin", f"{self.source.name}.cos"]

    def learn(self, values: NDArray[np.float32]) -> Self:
        """Nothing to learn."""
        return self

    @staticmethod
    def write(builder: GraphBuilder, group: Sequence[Cyclic], values: str) -> str:
        """Write [batch, group] -> [batch, 2 group]."""
        start = np.array([encoder.start for encoder in group], dtype=np.float32)
        turn = np.array([2 * np.pi / encoder.period for encoder in group], dtype=np.float32)
        angle = builder.node(
            "Mul", builder.node("Sub", values, builder.constant(start)), builder.constant(turn)
        )
        absent = builder.node("IsNaN", values)
        zero = builder.constant(np.float32(0))
        waves = [
            builder.node("Where", absent, zero, builder.node(op, angle)) for op in ("Sin", "Cos")
        ]
        return _interleave(builder, waves)


@dataclass(frozen=True, slots=True)
class Missing:
    """1 where a number is missing; written only if it ever was in training.

    Parameters
    ----------
    source : Source
    seen : bool
        Learned: values were missing in training.
    """

    source: Source
    seen: bool = False

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [f"{self.source.name}.missing"] if self.seen else []

    def learn(self, values: NDArray[np.float32]) -> Self:
        """Learn whether values of shape [rows] are ever missing."""
        return replace(self, seen=bool(np.isnan(values).any()))

    @staticmethod
    def write(builder: GraphBuilder, group: Sequence[Missing], values: str) -> str:
        """Write [batch, group] -> [batch, group]."""
        return builder.cast(builder.node("IsNaN", values), np.float32)


@dataclass(frozen=True, slots=True)
class Standard:
    """Median for missing values, then mean 0, deviation 1, clipped at ten deviations.

    Parameters
    ----------
    source : Source
    median, mean, scale : float
        Learned.
    """

    source: Source
    median: float = 0.0
    mean: float = 0.0
    scale: float = 1.0

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [self.source.name]

    def learn(self, values: NDArray[np.float32]) -> Self:
        """Learn median, mean and deviation of values of shape [rows]."""
        median, filled = filled_values(values)
        mean, scale = float(filled.mean()), float(filled.std())
        return replace(
            self,
            median=median,
            mean=mean,
            scale=scale if scale > 1e-7 * max(1e-5, abs(mean)) else 1.0,  # else: rounding
        )

    @staticmethod
    def write(builder: GraphBuilder, group: Sequence[Standard], values: str) -> str:
        """Write [batch, group] -> [batch, group]."""
        mean = np.array([encoder.mean for encoder in group], dtype=np.float32)
        scale = np.array([encoder.scale for encoder in group], dtype=np.float32)
        filled = write_filled(builder, group, values)
        scaled = builder.node(
            "Div", builder.node("Sub", filled, builder.constant(mean)), builder.constant(scale)
        )
        return builder.node(
            "Clip", scaled, builder.constant(np.float32(-CLIP)), builder.constant(np.float32(CLIP))
        )


@dataclass(frozen=True, slots=True)
class QuantileNormal:
    """A number mapped through its quantiles to a standard normal; median and flag if missing.

    Parameters
    ----------
    source : Source
    count : int
        Number of quantiles, at least 3.
    median : float
    knots, scores : tuple of float
        Learned: quantiles and the normal scores that they are mapped to.

    References
    ----------
    Gorishniy et al. 2021, "Revisiting deep learning models for tabular data",
    arXiv:2106.11959, use this transform in front of every network.
    """

    source: Source
    count: int = 32
    median: float = 0.0
    knots: tuple[float, ...] = (0.0, 1.0)
    scores: tuple[float, ...] = (0.0, 0.0)

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [self.source.name]

    def learn(self, values: NDArray[np.float32]) -> Self:
        """Learn the quantiles of values of shape [rows]."""
        median, filled = filled_values(values)
        # The outermost quantiles stand for what lies beyond all training values.
        outermost = 0.5 / len(filled)
        levels = np.clip(np.linspace(0, 1, self.count), outermost, 1 - outermost)
        quantiles = np.quantile(filled, np.linspace(0, 1, self.count)).astype(np.float32)
        distinct, first = np.unique(quantiles, return_index=True)
        knots = distinct.astype(np.float64)
        last = len(quantiles) - 1 - np.unique(quantiles[::-1], return_index=True)[1]
        normal = NormalDist()
        scores = [
            (normal.inv_cdf(float(levels[a])) + normal.inv_cdf(float(levels[b]))) / 2
            for a, b in zip(first, last, strict=True)
        ]
        if len(knots) == 1:
            knots, scores = _pad_knots(knots, 2), [0.0, 0.0]
        return replace(
            self,
            median=median,
            knots=tuple(knots.tolist()),
            scores=tuple(map(float, scores)),
        )

    @staticmethod
    def write(builder: GraphBuilder, group: Sequence[QuantileNormal], values: str) -> str:
        """Write [batch, group] -> [batch, group]."""
        filled = write_filled(builder, group, values)
        width = max(len(encoder.knots) for encoder in group)
        knots = np.stack([_pad_knots(np.array(encoder.knots), width) for encoder in group])
        scores = np.stack(
            [np.pad(encoder.scores, (0, width - len(encoder.scores)), "edge") for encoder in group]
        )
        return builder.interpolate(filled, knots, scores)


@dataclass(frozen=True, slots=True)
class Category:
    """A category column through a learned vocabulary, in whichever spelling a level comes.

    Parameters
    ----------
    column : str
    form : {"code", "ordinal", "onehot", "auto"}
        "code": int64 codes for an embedding, 0 unseen or rare, 1 missing, 2... levels;
        "ordinal": the same codes as a float, levels in natural order, missing as NaN;
        "onehot": one 0/1 column a level, all 0 when unseen or rare, and one for missing;
        "auto": becomes ordinal when the levels have an order (most of them hold a number,
        or there are two) or are more than 20, and onehot otherwise.
    min_count : int
        Rarer levels count as unseen.
    max_levels : int
        The most frequent levels are kept.
    one_hot : int
        Of the form "auto": up to so many levels get a column each, even if they have an order.
    levels : tuple of str
        Learned, in natural order ("8 to 15" after "1 to 7").
    others : tuple of (str, str)
        Learned: further spellings of levels, none of which training had, each with its level.
    """

    column: str
    form: Literal["code", "ordinal", "onehot", "auto"] = "code"
    min_count: int = 1
    max_levels: int = 1000
    one_hot: int = 0
    levels: tuple[str, ...] = ()
    others: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        if self.form != "onehot":
            return [self.column]
        return [f"{self.column}={level}" for level in ("", *self.levels)]

    @property
    def cardinality(self) -> int:
        """Number of codes, unseen and missing included."""
        return FIRST_LEVEL + len(self.levels)

    def learn(self, values: NDArray[np.object_]) -> Self:
        """Learn the levels of values of shape [rows], "" where missing."""
        known = Counter(values.tolist())
        frequent = [
            (-count, level) for level, count in known.items() if level and count >= self.min_count
        ]
        kept = [level for _, level in sorted(frequent)[: self.max_levels]]
        ordered = tuple(sorted(kept, key=natural_order))
        form = self.form
        if form == "auto":
            form = "onehot" if 0 < len(ordered) <= self.one_hot else _form_of(ordered)
        others = tuple(pair for pair in aliases(ordered).items() if pair[0] not in known)
        return replace(self, levels=ordered, form=form, others=others)

    def write(self, builder: GraphBuilder, text: str) -> str:
        """Write [batch, 1] strings -> [batch, 1] codes, or [batch, k] floats."""
        code_of = {level: code for code, level in enumerate(("", *self.levels), start=MISSING)}
        others = dict(self.others)
        codes = builder.node(
            "LabelEncoder",
            text,
            domain="ai.onnx.ml",
            attributes={
                "keys_strings": [*code_of, *others],
                "values_int64s": [*code_of.values(), *map(code_of.__getitem__, others.values())],
                "default_int64": UNSEEN,
            },
        )
        if self.form == "code":
            return codes
        if self.form == "ordinal":
            absent = builder.node("Equal", codes, builder.constant(np.int64(MISSING)))
            return builder.node(
                "Where",
                absent,
                builder.constant(np.float32(np.nan)),
                builder.cast(codes, np.float32),
            )
        kept = np.arange(MISSING, self.cardinality, dtype=np.int64)
        return builder.cast(
            builder.node("Equal", codes, builder.constant(kept)), np.float32
        )  # [batch, 1] against [k] -> [batch, k]


def natural_order(text: str) -> tuple[float, str]:
    """Sort key that reads the first number in a text, and "less than" or "more than" it.

    Examples
    --------
    >>> sorted(["8 to 15", "more than 30", "none", "30", "less than 8"], key=natural_order)
    ['none', 'less than 8', '8 to 15', '30', 'more than 30']
    """
    found = re.search(r"\d+(?:\.\d+)?", text)
    if found is None:
        return -math.inf, text
    words = text[: found.start()].lower()
    below = any(word in words for word in ("less", "under", "below", "<"))
    above = any(word in words for word in ("more", "over", "above", ">"))
    return float(found[0]) + 0.5 * (above - below), text


def _form_of(levels: Sequence[str]) -> Literal["ordinal", "onehot"]:
    numbered = sum(any(letter.isdigit() for letter in level) for level in levels)
    has_order = 2 * numbered > len(levels) or len(levels) <= 2
    return "ordinal" if has_order or len(levels) > _MOST_COLUMNS else "onehot"


def filled_values(values: NDArray[np.float32]) -> tuple[float, NDArray[np.float64]]:
    """The median of the known values, and values [rows] with it where one is missing."""
    # An infinite ratio is an extreme of the graph, and no value to take a mean of.
    absent = ~np.isfinite(values)
    known = values[~absent].astype(np.float64)
    median = float(np.float32(np.median(known))) if len(known) else 0.0
    return median, np.where(absent, median, values).astype(np.float64)


class WithMedian(Protocol):
    """An encoder that takes the median where a number is missing."""

    @property
    def median(self) -> float:
        """As it was learned."""


def write_filled(builder: GraphBuilder, group: Sequence[WithMedian], values: str) -> str:
    """Write [batch, group] -> the same, the median of each encoder where a number is missing."""
    medians = np.array([encoder.median for encoder in group], dtype=np.float32)
    return builder.node("Where", builder.node("IsNaN", values), builder.constant(medians), values)


def _pad_knots(knots: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Further knots beyond the last, so that every row is strictly increasing."""
    step = max(1.0, abs(knots[-1])) * 0.01
    return np.append(knots, knots[-1] + step * np.arange(1, width - len(knots) + 1))


def _interleave(builder: GraphBuilder, tensors: list[str]) -> str:
    """Tensors [batch, g], ... -> [batch, g * tensors], column by column."""
    wide = [builder.node("Unsqueeze", t, builder.constant(np.array([2]))) for t in tensors]
    stacked = builder.node("Concat", *wide, attributes={"axis": 2})  # [batch, g, tensors]
    return builder.node("Flatten", stacked)  # [batch, g * tensors]
