"""Molecules as codes of their tokens, for networks that write them one after the other.

In SMILES a token is an atom in brackets, a ring closure of two digits, Cl, Br, or one character;
in SELFIES each symbol stands in brackets.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features.builder import GraphBuilder
from industry_apps.features.running import RunsItsGraph
from industry_apps.healthcare.molecules.notations import SELFIES, to_smiles
from industry_apps.runtime.inputs import feeds_of, run_in_slices
from industry_apps.schema import Schema

#: Codes that are no tokens of the vocabulary: behind the end, not known, begin and end.
PADDING, UNKNOWN, BEGIN, END, FIRST_TOKEN = range(5)
_TOKEN = r"\[[^\[\]]*\]|%[0-9][0-9]|Br|Cl|(?s:.)"
_TOKEN_IN_PYTHON = re.compile(_TOKEN)


def tokens_of(text: str) -> list[str]:
    """Split a SMILES or SELFIES as the graph does; used to learn vocabularies.

    Examples
    --------
    >>> tokens_of("CC(Cl)[nH+]")
    ['C', 'C', '(', 'Cl', ')', '[nH+]']
    >>> tokens_of("[C][=O]")
    ['[C]', '[=O]']
    """
    return _TOKEN_IN_PYTHON.findall(text)


class MoleculeTokens(RunsItsGraph):
    """SMILES or SELFIES to codes of tokens, as an ONNX graph that training runs and the file holds.

    Parameters
    ----------
    schema : Schema
        With one text column.
    length : int
        Tokens that are read of a molecule, its begin and end included.
    vocabulary : tuple of str
        Learned.
    """

    def __init__(self, schema: Schema, length: int, vocabulary: tuple[str, ...] = ()) -> None:
        (column,) = schema
        self.schema, self.column = Schema((column,)), column.name
        self.length, self.vocabulary = length, vocabulary

    @property
    def cardinality(self) -> int:
        """Number of codes."""
        return FIRST_TOKEN + len(self.vocabulary)

    def learn(self, texts: Iterable[str], min_count: int = 5) -> MoleculeTokens:
        """Learn the vocabulary: tokens of so many molecules at least.

        Raises
        ------
        TrainingError
            There is none.
        """
        counts = Counter(token for text in texts for token in set(tokens_of(text)))
        kept = sorted(token for token, count in counts.items() if count >= min_count)
        if not kept:
            raise TrainingError(f"No token occurs in {min_count} molecules. Give more molecules.")
        return MoleculeTokens(self.schema, self.length, tuple(kept))

    def write(self, builder: GraphBuilder, text: str) -> tuple[str, str]:
        """Write [batch, 1] texts -> int64 codes [batch, length], and their number [batch, 1].

        Codes begin with ``BEGIN`` and end with ``END``. Of a molecule that is too long the number
        is more than ``length``, and the rest is cut.
        """
        node, constant = builder.node, builder.constant
        flat = node("Reshape", text, constant(np.array([-1])))
        attributes = {"mark": 0, "mincharnum": 1, "pad_value": "", "tokenexp": _TOKEN}
        tokens = node("Tokenizer", flat, domain="com.microsoft", attributes=attributes)
        codes = node(
            "LabelEncoder",
            tokens,
            domain="ai.onnx.ml",
            attributes={
                "keys_strings": ["", *self.vocabulary],
                "values_int64s": [PADDING, *range(FIRST_TOKEN, self.cardinality)],
                "default_int64": UNKNOWN,
            },
        )  # [batch, longest]
        real = builder.cast(node("Greater", codes, constant(np.int64(PADDING))), np.int64)
        count = node("ReduceSum", real, constant(np.array([1])))  # [batch, 1]
        begun = node("Pad", codes, constant(np.array([0, 1, 0, self.length])))
        whole = builder.part(begun, 0, self.length)
        place = constant(np.arange(self.length)[None, :])
        ends = node("Equal", place, node("Add", count, constant(np.int64(1))))
        whole = node("Where", ends, constant(np.int64(END)), whole)
        begins = constant(np.arange(self.length)[None, :] == 0)
        whole = node("Where", begins, constant(np.int64(BEGIN)), whole)
        return whole, node("Add", count, constant(np.int64(2)))

    def readable(self, builder: GraphBuilder, codes: str, count: str) -> str:
        """Whether all tokens are known, and some and not too many: bool [batch, 1]."""
        node, constant = builder.node, builder.constant
        unknown = builder.cast(node("Equal", codes, constant(np.int64(UNKNOWN))), np.int64)
        known = node(
            "Equal", node("ReduceSum", unknown, constant(np.array([1]))), constant(np.int64(0))
        )
        some = node("Greater", count, constant(np.int64(2)))
        short = node("LessOrEqual", count, constant(np.int64(self.length)))
        return node("And", known, node("And", some, short))

    def run(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Compute ``codes`` [rows, length], ``count`` and ``readable`` [rows, 1]."""
        names = ("codes", "count", "readable")
        found = run_in_slices(
            self._session, [f"/{n}" for n in names], feeds_of(arrays, self.schema), self.schema
        )
        return dict(zip(names, found, strict=True))

    def codes(self, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
        """Codes [rows, length] of the molecules that can be read."""
        found = self.run(arrays)
        return found["codes"][found["readable"][:, 0]]

    def smiles(self, texts: Iterable[str]) -> list[str]:
        """The SMILES of texts in the notation of the column."""
        notation = self.schema[self.column].notation
        return to_smiles(texts) if notation == SELFIES else list(texts)

    def spelled(self, rows: Iterable[Iterable[int]]) -> list[str]:
        """The SMILES of rows of codes; begin, end and padding may stand among them."""
        return self.smiles(
            "".join(self.vocabulary[code - FIRST_TOKEN] for code in row if code >= FIRST_TOKEN)
            for row in rows
        )

    def _declare(self, builder: GraphBuilder) -> None:
        codes, count = self.write(builder, builder.inputs(self.schema)[self.column])
        builder.output(codes, "/codes", np.int64, None)
        builder.output(count, "/count", np.int64)
        builder.output(self.readable(builder, codes, count), "/readable", np.bool_)
