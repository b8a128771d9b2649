"""Weights of words, pairs of words and runs of characters, added up inside the graph.

A linear model of n-grams is a table of weights. Written as one tensor a column for each
n-gram it would be hundreds of thousands wide; here words are looked up one by one, and runs of
characters of about equal weight are counted together, so that neither gets wide. A word that a
negation turns round, and the runs of its characters, weigh the opposite.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.negation import negated, write_turned
from industry_apps.features.text import lower_ascii, write_lower, write_words

#: A character of any kind, the end of a line too, in the syntax of RE2.
_CHARACTER = "(?s)."
#: Weights of runs of characters are rounded to so many steps on each side of zero.
_LEVELS = 63
#: Runs that a word with a blank on either side may hold.
_IN_A_WORD = re.compile(r" ?(?:[^\W_]|')+ ?")


def word_grams(text: str, negators: Collection[str] = ()) -> list[tuple[str, int]]:
    """The words of a text and its pairs of neighbours, as the graph finds them, and their signs.

    Parameters
    ----------
    text : str
    negators : collection of str
        See :func:`industry_apps.features.negation.negated`; words that are turned round count
        -1, pairs always 1.

    Examples
    --------
    >>> word_grams("Not good!", ["not"])
    [('not', 1), ('good', -1), ('not good', 1)]
    """
    found = negated(text, negators)
    signs = [(word, -1 if turned else 1) for word, turned in found]
    return [*signs, *((f"{a} {b}", 1) for (a, _), (b, _) in pairwise(found))]


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
    negators : tuple of str
        What turns the words behind it round: they weigh the opposite.
    """

    words: Mapping[str, float]
    pairs: Mapping[str, float]
    negators: tuple[str, ...] = ()

    @classmethod
    def of(cls, weights: Mapping[str, float], negators: tuple[str, ...] = ()) -> Self:
        """Tell words from pairs by the blank, and leave out what weighs nothing."""
        known = {gram: float(np.float32(w)) for gram, w in weights.items() if w}
        return cls(
            {gram: w for gram, w in known.items() if " " not in gram},
            {gram: w for gram, w in known.items() if " " in gram},
            negators,
        )

    def write(self, builder: GraphBuilder, text: str, at_least: int = 2) -> tuple[str, str]:
        """Write texts [batch, 1] -> words [batch, W] and what each contributes [batch, W].

        A pair contributes by halves to both of its words, so that the contributions of a text
        add up to its weight. "" and 0 stand behind the last word; W is ``at_least`` so many.
        """
        count = max(at_least, 2)
        found = _longer(builder, write_words(builder, text), count)
        alone = _looked_up(builder, found, self.words)
        if self.negators:
            turned = write_turned(builder, text, found, count, self.negators)
            alone = builder.node("Where", turned, builder.node("Neg", alone), alone)
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
    negators : tuple of str
        What turns the words behind it round: the runs in them, with a blank on either side,
        weigh the opposite.
    """

    grams: tuple[str, ...]
    levels: NDArray[np.int64]
    step: float
    negators: tuple[str, ...] = ()

    @classmethod
    def of(cls, weights: Mapping[str, float], negators: tuple[str, ...] = ()) -> Self:
        """Round weights; what rounds to nothing is left out."""
        step = step_of(max(map(abs, weights.values()), default=1.0))
        rounded = {gram: round(weight / step) for gram, weight in weights.items()}
        kept = sorted((gram for gram, level in rounded.items() if level), key=_by_length)
        levels = np.array([rounded[gram] for gram in kept], dtype=np.int64)
        return cls(tuple(kept), levels, step, negators)

    def write(self, builder: GraphBuilder, text: str) -> str:
        """Write texts [batch, 1] -> their weight [batch, 1]."""
        if not self.grams:
            raise ValueError("no run of characters tells anything")
        total = _added_up(builder, text, self.grams, self.levels)
        inside = [place for place, gram in enumerate(self.grams) if _IN_A_WORD.fullmatch(gram)]
        if self.negators and inside:
            twice = self._twice_turned(builder, text, inside)
            total = builder.node("Sub", total, twice)
        return builder.node("Mul", total, builder.constant(np.float32(self.step)))

    def _twice_turned(self, builder: GraphBuilder, text: str, inside: list[int]) -> str:
        """Write texts [batch, 1] -> twice the levels of the words that are turned round."""
        node, constant = builder.node, builder.constant
        found = _longer(builder, write_words(builder, text), 2)
        turned = write_turned(builder, text, found, 2, self.negators)
        # Of the whole batch, the words that are meant alone: most texts have few.
        places = node("Transpose", node("NonZero", turned))  # [M, 2]
        words = node("GatherND", found, places)
        # One more, as the operators refuse to be given none.
        nothing = constant(np.array([""], dtype=object))
        words = node("Concat", words, nothing, attributes={"axis": 0})
        grams = tuple(self.grams[place] for place in inside)
        each = _added_up(builder, words, grams, self.levels[inside])  # [M + 1, 1]
        empty = node("Mul", builder.cast(turned, np.float32), constant(np.float32(0)))
        flat = builder.part(node("Reshape", each, constant(np.array([-1]))), 0, -1, axis=0)
        among = node("ScatterND", empty, places, flat)
        total = node("ReduceSum", among, constant(np.array([1])))
        return node("Mul", total, constant(np.float32(2)))


def _added_up(
    builder: GraphBuilder, text: str, grams: tuple[str, ...], levels: NDArray[np.int64]
) -> str:
    """Write texts, a blank before and behind each -> sums of the levels of their runs [N, 1]."""
    blank = builder.constant(np.array([" "], dtype=object))
    padded = builder.node("StringConcat", builder.node("StringConcat", blank, text), blank)
    characters = builder.node(
        "Tokenizer",
        write_lower(builder, padded),
        domain="com.microsoft",
        attributes={"mark": 0, "mincharnum": 1, "pad_value": "", "tokenexp": _CHARACTER},
    )
    lengths = np.array([len(gram) for gram in grams])
    longest = int(lengths.max())
    starts = [int(lengths[lengths < n].sum()) for n in range(1, longest + 1)]
    values, places = np.unique(levels, return_inverse=True)
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
            "pool_strings": [character for gram in grams for character in gram],
        },
    )  # [N, levels]
    # Whole numbers add up to the same in any order.
    return builder.node("MatMul", counts, builder.constant(values.astype(np.float32)[:, None]))


def step_of(largest: float) -> float:
    """The step to which weights of runs of characters are rounded, of the largest of them."""
    return largest / _LEVELS or 1.0


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
