"""Words that a negation before them turns round: "not bad", "hardly a masterpiece".

A negation reaches over the next words, up to a punctuation mark or a word that begins a contrast
(the rule of Das and Chen 2001, as in Pang, Lee and Vaithyanathan 2002,
https://aclanthology.org/W02-1011, with a shorter reach). The graph marks the words that Python
marks in training.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

import numpy as np

from industry_apps.features.builder import GraphBuilder
from industry_apps.features.text import WORD, WORD_IN_PYTHON, lower_ascii, write_lower

#: English words, and pairs of words, that turn round what follows.
NEGATORS = (
    "not", "n't", "no", "never", "nothing", "none", "nobody", "nowhere", "neither", "nor",
    "without", "hardly", "barely", "lack", "lacks", "lacking", "fail", "fails", "failed",
    "cannot", "can't", "couldn't", "don't", "doesn't", "didn't", "isn't", "aren't", "wasn't",
    "weren't", "won't", "wouldn't", "shouldn't", "hasn't", "haven't", "hadn't", "ain't",
    "cant", "couldnt", "dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "wouldnt",
    "far from", "anything but",
    # With a curly apostrophe, which ends a word: "don’t" is "don" and "t".
    "can t", "couldn t", "don t", "doesn t", "didn t", "isn t", "aren t", "wasn t", "weren t",
    "won t", "wouldn t", "shouldn t", "hasn t", "haven t", "hadn t", "ain t",
)  # fmt: skip
_CONTRASTS = ("but", "however", "though", "although", "except", "yet")
#: Words that a negation reaches over; chosen on validation data among 2, 3, 5 and 8.
_REACH = 3
#: A longer run of letters is no word of a language, and is not turned round.
_LONGEST_WORD = 40
_ENDS = ".,;:!?()\n"


def negated(text: str, negators: Collection[str]) -> list[tuple[str, bool]]:
    """The words of a text, and whether a negation before turns each round.

    Parameters
    ----------
    text : str
    negators : collection of str
        Words, and pairs of words with a blank between them, in lower case.

    Examples
    --------
    >>> [word for word, turned in negated("Not bad at all, but loud", NEGATORS) if turned]
    ['bad', 'at', 'all']
    """
    lower = lower_ascii(text)
    places = [match.span() for match in WORD_IN_PYTHON.finditer(lower)]
    words = [lower[start:end] for start, end in places]
    after_pair = {b for b, (a, c) in enumerate(pairwise(words), 1) if f"{a} {c}" in negators}
    left, found = 0, []
    for place, word in enumerate(words):
        gap = lower[places[place - 1][1] : places[place][0]] if place else ""
        if word in _CONTRASTS or any(mark in gap for mark in _ENDS):
            left = 0
        negates = word in negators or place in after_pair
        found.append((word, left > 0 and not negates and len(word) <= _LONGEST_WORD))
        left = _REACH if negates else max(left - 1, 0)
    return found


def write_turned(
    builder: GraphBuilder, text: str, found: str, count: int, negators: Collection[str]
) -> str:
    """Write which words a negation turns round -> boolean tensor [batch, W + count].

    Parameters
    ----------
    builder : GraphBuilder
    text : str
        Tensor [batch, 1].
    found : str
        Words [batch, W + count] of the texts, "" behind the last.
    count : int
        At least 1.
    negators : collection of str
        As in :func:`negated`.
    """
    node, constant = builder.node, builder.constant
    with_gap = node(
        "Tokenizer",  # as many as there are words: each with all that stands before the next one
        write_lower(builder, text),
        domain="com.microsoft",
        attributes={
            "mark": 0,
            "mincharnum": 1,
            "pad_value": "",
            "tokenexp": WORD + WORD.replace("[", "[^").replace("+", "*"),
        },
    )
    marks = {"pattern": f"(?s).*[{_ENDS}].*"}
    ends = builder.cast(node("RegexFullMatch", with_gap, attributes=marks), np.float32)
    same = constant(np.float32(1))
    apart = node("Sub", same, _shifted(builder, ends, count))
    negates = _known(builder, found, [word for word in negators if " " not in word])
    pairs = [pair for pair in negators if " " in pair]
    if pairs:
        left, right = (builder.part(found, *ends) for ends in ((0, -1), (1, 2**31)))
        blank = constant(np.array([" "], dtype=object))
        pair = node("StringConcat", node("StringConcat", left, blank), right)
        second = node("Pad", _known(builder, pair, pairs), constant(np.array([0, 1, 0, 0])))
        negates = node("Max", negates, second)
    opens = node("Mul", apart, node("Sub", same, _known(builder, found, _CONTRASTS)))
    reached, total = negates, []
    for _ in range(_REACH):
        reached = node("Mul", _shifted(builder, reached, 0), opens)
        total.append(reached)
    long = node("RegexFullMatch", found, attributes={"pattern": f"(?s).{{{_LONGEST_WORD + 1},}}"})
    kept = node("Not", node("Or", builder.cast(negates, np.bool_), long))
    return node("And", builder.cast(node("Max", *total), np.bool_), kept)


def _known(builder: GraphBuilder, words: str, keys: Collection[str]) -> str:
    """1 where a word is one of the keys, else 0."""
    return builder.node(
        "LabelEncoder",
        words,
        domain="ai.onnx.ml",
        attributes={
            "keys_strings": [*keys, ""],
            "values_floats": [*[1.0] * len(keys), 0.0],
            "default_float": 0.0,
        },
    )


def _shifted(builder: GraphBuilder, values: str, longer: int) -> str:
    """Values [batch, W] one place to the right, 0 in front -> [batch, W + longer]."""
    pads = builder.constant(np.array([0, 1, 0, longer]))
    return builder.part(builder.node("Pad", values, pads), 0, -1)
