"""Which words of a text speak for its answer, and what is said near some of them.

Both follow from what each word and pair contributes to a linear model, so that they add up to
its answer and can be read off inside the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from industry_apps.features import GraphBuilder
from industry_apps.features.ngrams import WordWeights

#: Sides of an answer, in the order of their numbers; "" where nothing is said.
SIDES = ("", "negative", "neutral", "positive")
#: Words that are looked at for each that is named, since some occur twice.
_POOL = 3
#: Words on either side of a key word that are taken to be about it.
_NEAR = 4


@dataclass(frozen=True, slots=True)
class WordReasons:
    """Words that decide, and the sides that are taken near key words.

    Parameters
    ----------
    weights : WordWeights
        Of a linear model of words.
    count : int
        Words that are named.
    """

    weights: WordWeights
    count: int

    def write(
        self,
        builder: GraphBuilder,
        text: str,
        positive: str,
        about: Mapping[str, Sequence[str]],
        margin: float,
    ) -> tuple[str, str, dict[str, str]]:
        """Append the nodes to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        text : str
            Tensor [batch, 1].
        positive : str
            Boolean tensor [batch, 1]: which side the answer is on.
        about : mapping of str to sequence of str
            Name -> key words, in lower case.
        margin : float
            Contributions near key words beyond this, in log-odds, take a side.

        Returns
        -------
        words : str
            Tensor [batch, count]: those that speak most for the answer, "" behind them.
        wordless : str
            Boolean tensor [batch, 1]: the text has no word.
        sides : dict of str to str
            Name -> tensor [batch, 1], one of ``SIDES``.
        """
        found, each = self.weights.write(builder, text, at_least=_POOL * self.count)
        first = builder.part(found, 0, 1)
        wordless = builder.node("Equal", first, builder.constant(np.array([""], dtype=object)))
        one, minus = (builder.constant(np.float32(sign)) for sign in (1, -1))
        sign = builder.node("Where", positive, one, minus)
        words = self._telling(builder, found, builder.node("Mul", each, sign))
        sides = {
            name: _side_near(builder, found, each, keys, margin) for name, keys in about.items()
        }
        return words, wordless, sides

    def _telling(self, builder: GraphBuilder, found: str, speaks: str) -> str:
        """The words that speak most for the answer, each once."""
        node, constant = builder.node, builder.constant
        pool, place = builder.largest(speaks, _POOL * self.count)  # [B, P]
        words = node("GatherElements", found, place, attributes={"axis": 1})
        down, across = (node("Unsqueeze", words, constant(np.array([axis]))) for axis in (2, 1))
        before = constant(np.tri(_POOL * self.count, k=-1, dtype=np.bool_)[None])
        same = builder.cast(node("And", node("Equal", down, across), before), np.float32)
        again = node("ReduceMax", same, constant(np.array([2])), attributes={"keepdims": 0})
        nothing = constant(np.float32(0))
        once = node("Where", node("Greater", again, nothing), nothing, pool)
        best, place = builder.largest(once, self.count)
        named = node("GatherElements", words, place, attributes={"axis": 1})
        speaking = node("Greater", best, nothing)
        return node("Where", speaking, named, constant(np.array([""], dtype=object)))


def side_of(builder: GraphBuilder, score: str, margin: float, silent: str) -> str:
    """Write which side a score is on, "" where it says nothing -> [batch, 1] texts.

    Parameters
    ----------
    builder : GraphBuilder
    score : str
        Tensor [batch, 1]; positive beyond the margin, negative below its negative.
    margin : float
    silent : str
        Boolean tensor [batch, 1].
    """
    node, constant = builder.node, builder.constant
    above, below = (
        builder.cast(node(op, score, constant(np.float32(limit))), np.int64)
        for op, limit in (("Greater", margin), ("Less", -margin))
    )
    number = node("Sub", node("Add", constant(np.int64(2)), above), below)
    number = node("Where", silent, constant(np.int64(0)), number)
    return node("Gather", constant(np.array(SIDES, dtype=object)), number)


def _side_near(
    builder: GraphBuilder, found: str, each: str, keys: Sequence[str], margin: float
) -> str:
    """Which side is taken by the words near key words."""
    node, constant = builder.node, builder.constant
    key = node(
        "LabelEncoder",
        found,
        domain="ai.onnx.ml",
        attributes={
            "keys_strings": list(keys),
            "values_floats": [1.0] * len(keys),
            "default_float": 0.0,
        },
    )  # [B, W]
    row = node("Unsqueeze", key, constant(np.array([1])))  # [B, 1, W]
    window = {"kernel_shape": [2 * _NEAR + 1], "pads": [_NEAR, _NEAR]}
    near = node("MaxPool", row, attributes=window)
    near = node("Squeeze", near, constant(np.array([1])))
    last = constant(np.array([1]))
    score = node("ReduceSum", node("Mul", near, each), last)
    said = node("ReduceMax", key, last)
    return side_of(builder, score, margin, node("Less", said, constant(np.float32(0.5))))
