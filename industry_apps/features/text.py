"""Words of a raw text, found inside the graph.

A word is a run of letters, digits and apostrophes of any script; ASCII letters are
lower-cased (locale "C", so that a file loads on machines without other locales).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.features.builder import GraphBuilder

#: In the syntax of RE2, which onnxruntime's tokeniser uses.
WORD = r"[\pL\pN']+"
CHARACTER = r"(?s)."
#: Codes of a token that are not words of the vocabulary.
PADDING, UNKNOWN, FIRST_WORD = 0, 1, 2

_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
WORD_IN_PYTHON = re.compile(r"(?:[^\W_]|')+")


def words(text: str) -> list[str]:
    """Split a text as the graph does; used to learn vocabularies.

    Examples
    --------
    >>> words("Very GOOD, it's!")
    ['very', 'good', "it's"]
    """
    return WORD_IN_PYTHON.findall(lower_ascii(text))


def lower_ascii(text: str) -> str:
    """A text with its ASCII letters in lower case, as the graph has it."""
    return text.translate(_ASCII_LOWER)


@dataclass(frozen=True, slots=True)
class WordCounts:
    """How often each word of a learned vocabulary occurs in a text.

    Parameters
    ----------
    column : str
    max_words : int
        The most frequent words are kept.
    min_count : int
        In fewer texts than this, a word is left out.
    vocabulary : tuple of str
        Learned.
    """

    column: str
    max_words: int = 100
    min_count: int = 5
    vocabulary: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the columns that it writes."""
        return [f"{self.column}:{word}" for word in self.vocabulary]

    def learn(self, values: NDArray[np.object_]) -> Self:
        """Learn the vocabulary from texts of shape [rows]."""
        return replace(
            self, vocabulary=_vocabulary(values.tolist(), self.max_words, self.min_count)
        )

    def write(self, builder: GraphBuilder, text: str) -> str:
        """Write [batch, 1] strings -> [batch, vocabulary] counts."""
        if not self.vocabulary:
            raise ValueError(f"no word of {self.column!r} is frequent enough")
        return builder.node(
            "TfIdfVectorizer",
            write_words(builder, text),
            attributes={
                "mode": "TF",
                "min_gram_length": 1,
                "max_gram_length": 1,
                "max_skip_count": 0,
                "ngram_counts": [0],
                "ngram_indexes": list(range(len(self.vocabulary))),
                "pool_strings": list(self.vocabulary),
            },
        )


@dataclass(frozen=True, slots=True)
class Tokens:
    """The first words or characters of a text as codes: 0 padding, 1 unknown, 2... known ones.

    Parameters
    ----------
    column : str
    length : int
        Words or characters kept of each text.
    max_words, min_count : int
        As in :class:`WordCounts`.
    unit : {"word", "character"}
    vocabulary : tuple of str
        Learned.
    """

    column: str
    length: int = 64
    max_words: int = 20_000
    min_count: int = 2
    unit: Literal["word", "character"] = "word"
    vocabulary: tuple[str, ...] = ()

    @property
    def cardinality(self) -> int:
        """Number of codes, padding and unknown included."""
        return FIRST_WORD + len(self.vocabulary)

    def learn(self, values: NDArray[np.object_]) -> Self:
        """Learn the vocabulary from texts of shape [rows]."""
        split = words if self.unit == "word" else lower_ascii
        found = _vocabulary(values.tolist(), self.max_words, self.min_count, split)
        return replace(self, vocabulary=found)

    def write(self, builder: GraphBuilder, text: str) -> str:
        """Write [batch, 1] strings -> [batch, length] int64 codes."""
        codes = builder.node(
            "LabelEncoder",
            _split(builder, text, WORD if self.unit == "word" else CHARACTER),
            domain="ai.onnx.ml",
            attributes={
                "keys_strings": ["", *self.vocabulary],
                "values_int64s": [PADDING, *range(FIRST_WORD, self.cardinality)],
                "default_int64": UNKNOWN,
            },
        )  # [batch, longest]
        padded = builder.node(
            "Pad", codes, builder.constant(np.array([0, 0, 0, self.length], dtype=np.int64))
        )  # [batch, longest + length]
        return builder.part(padded, 0, self.length)


def write_words(builder: GraphBuilder, text: str) -> str:
    """Write [batch, 1] texts -> [batch, most words in a text] words, "" beyond the end."""
    return _split(builder, text, WORD)


def _split(builder: GraphBuilder, text: str, token: str) -> str:
    return builder.node(
        "Tokenizer",
        write_lower(builder, text),
        domain="com.microsoft",
        attributes={"mark": 0, "mincharnum": 1, "pad_value": "", "tokenexp": token},
    )


def write_lower(builder: GraphBuilder, text: str) -> str:
    """Write [batch, 1] texts -> [batch] texts, their ASCII letters in lower case."""
    flat = builder.node("Reshape", text, builder.constant(np.array([-1])))
    return builder.node(
        "StringNormalizer", flat, attributes={"case_change_action": "LOWER", "locale": "C"}
    )


def _vocabulary(
    texts: Iterable[str],
    max_words: int,
    min_count: int,
    split: Callable[[str], Iterable[str]] = words,
) -> tuple[str, ...]:
    counts = Counter(word for text in texts for word in set(split(text)))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(word for word, count in ranked[:max_words] if count >= min_count)
