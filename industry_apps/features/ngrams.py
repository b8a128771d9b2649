"""Weights of words, pairs of words and runs of characters, added up inside the graph.

A linear model of n-grams is a table of weights. Written as one tensor a column for each
n-gram it would be hundreds of thousands wide; here words are looked up one by one, and runs of
characters of about equal weight are counted together, so that neither gets wide.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.text import lower_ascii, words, write_lower, write_words

#: A character of any kind, the end of a line too, in the syntax of RE2.
_CHARACTER = "(?s)."
#: Weights of runs of characters are rounded to so many steps on each side of zero.
_LEVELS = 63


def word_grams(text: str) -> list[str]:
    """The words of a text and its pairs of neighbours, as the graph finds them.

    Examples
    --------
    >>> word_grams("Not good!")
    ['not', 'good', 'not good']
    """
    found = words(text)
    return [*found, *(f"{a} {b}" for a, b in pairwise(found))]


def character_grams(text: str, shortest: int, longest: int) -> Iterator[str]:
    """All runs of characters of some lengths, a blank before and behind the text.

    Parameters
    ----------
    text : str
    shortest, longest : int
        Length of a run, at least 1.

    Examples
    --------
    >>> list(character_grams("No", 3, 4))
    [' no', 'no ', ' no ']
    """
    padded = f" {lower_ascii(text)} "
    for length in range(shortest, longest + 1):
        for start in range(len(padded) - length + 1):
            yield padded[start : start + length]


@dataclass(frozen=True, slots=True)
class WordWeights:
    """A weight for each word and each pair of neighbours; others weigh nothing.

    Parameters
    ----------
    words, pairs : mapping of str to float
        A pair is two words with a blank between them.
    """

    words: Mapping[str, float]
    pairs: Mapping[str, float]

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> Self:
        """Tell words from pairs by the blank, and leave out what weighs nothing."""
        known = {gram: float(np.float32(w)) for gram, w in weights.items() if w}
        return cls(
            {gram: w for gram, w in known.items() if " " not in gram},
            {gram: w for gram, w in known.items() if " " in gram},
        )

    def write(self, builder: GraphBuilder, text: str, at_least: int = 2) -> tuple[str, str]:
        """Write texts [batch, 1] -> words [batch, W] and what each contributes [batch, W].

        A pair contributes by halves to both of its words, so that the contributions of a text
        add up to its weight. "" and 0 stand behind the last word; W is ``at_least`` so many.
        """
        found = _longer(builder, write_words(builder, text), max(at_least, 2))
        alone = _looked_up(builder, found, self.words)
        if not self.pairs:
            return found, alone
        left, right = (builder.part(found, *ends) for ends in ((0, -1), (1, 2**31)))
        blank = builder.constant(np.array([" "], dtype=object))
        pair = builder.node("StringConcat", builder.node("StringConcat", left, blank), right)
        halves = {gram: weight / 2 for gram, weight in self.pairs.items()}
        half = _looked_up(builder, pair, halves)  # [batch, W - 1]
        before, behind = (
            builder.node("Pad", half, builder.constant(np.array(pads, dtype=np.int64)))
            for pads in ((0, 1, 0, 0), (0, 0, 0, 1))
        )
        return found, builder.node("Add", builder.node("Add", alone, before), behind)


@dataclass(frozen=True, slots=True, eq=False)
class CharacterWeights:
    """A weight for each run of characters, rounded to one of some steps.

    Parameters
    ----------
    grams : tuple of str
        In order of their length.
    levels : ndarray of int64, shape [grams]
        Weight in steps, not 0.
    step : float
    """

    grams: tuple[str, ...]
    levels: NDArray[np.int64]
    step: float

    @classmethod
    def of(cls, weights: Mapping[str, float]) -> Self:
        """Round weights; what rounds to nothing is left out."""
        step = max(map(abs, weights.values()), default=1.0) / _LEVELS or 1.0
        rounded = {gram: round(weight / step) for gram, weight in weights.items()}
        kept = sorted((gram for gram, level in rounded.items() if level), key=_by_length)
        return cls(tuple(kept), np.array([rounded[gram] for gram in kept], dtype=np.int64), step)

    def write(self, builder: GraphBuilder, text: str) -> str:
        """Write texts [batch, 1] -> their weight [batch, 1]."""
        if not self.grams:
            raise ValueError("no run of characters tells anything")
        blank = builder.constant(np.array([" "], dtype=object))
        padded = builder.node("StringConcat", builder.node("StringConcat", blank, text), blank)
        characters = builder.node(
            "Tokenizer",
            write_lower(builder, padded),
            domain="com.microsoft",
            attributes={"mark": 0, "mincharnum": 1, "pad_value": "", "tokenexp": _CHARACTER},
        )
        lengths = np.array([len(gram) for gram in self.grams])
        longest = int(lengths.max())
        starts = [int(lengths[lengths < n].sum()) for n in range(1, longest + 1)]
        values, places = np.unique(self.levels, return_inverse=True)
        counts = builder.node(  # runs of one level share a column
            "TfIdfVectorizer",
            characters,
            attributes={
                "mode": "TF",
                "min_gram_length": int(lengths.min()),
                "max_gram_length": longest,
                "max_skip_count": 0,
                "ngram_counts": starts,
                "ngram_indexes": places.tolist(),
                "pool_strings": [character for gram in self.grams for character in gram],
            },
        )  # [batch, levels]
        # Whole numbers add up to the same in any order.
        total = builder.node("MatMul", counts, builder.constant(values.astype(np.float32)[:, None]))
        return builder.node("Mul", total, builder.constant(np.float32(self.step)))


def _by_length(gram: str) -> tuple[int, str]:
    return len(gram), gram


def _looked_up(builder: GraphBuilder, texts: str, weights: Mapping[str, float]) -> str:
    return builder.node(
        "LabelEncoder",
        texts,
        domain="ai.onnx.ml",
        attributes={
            "keys_strings": [*weights, ""],
            "values_floats": [*weights.values(), 0.0],
            "default_float": 0.0,
        },
    )


def _longer(builder: GraphBuilder, found: str, count: int) -> str:
    """Words [batch, W] -> [batch, W + count], "" behind the end."""
    rows = builder.node("Shape", found, attributes={"end": 1})
    shape = builder.node(
        "Concat", rows, builder.constant(np.array([count])), attributes={"axis": 0}
    )
    nothing = builder.node("Expand", builder.constant(np.array([[""]], dtype=object)), shape)
    return builder.node("Concat", found, nothing, attributes={"axis": 1})
