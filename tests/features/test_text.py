"""Words, counts and tokens against an oracle that knows letters by their Unicode category."""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from industry_apps.errors import ParameterError
from industry_apps.features import FeatureGraph, Tokens, WordCounts
from industry_apps.features.text import words
from industry_apps.runtime import inputs
from industry_apps.schema import Column, Schema

TEXTS = Schema((Column(name="t", kind="text"),))

# Letters, digits and marks of several scripts, and whatever else Unicode holds.
alphabet = st.sampled_from("aAbB'\u2019 0٣9_-,.ßÄäσςΣж字ー한\u0301\n\t😀Ⅷ½") | st.characters(
    codec="utf-8", exclude_categories=["Cn"]
)
texts = st.lists(st.text(alphabet, max_size=30) | st.none(), min_size=1, max_size=8)


def oracle(text: str | None) -> list[str]:
    spaced = "".join(
        letter.lower() if letter.isascii() else letter
        for letter in (
            x if x == "'" or unicodedata.category(x)[0] in "LN" else " "
            for x in unicodedata.normalize("NFC", text or "")
        )
    )
    return spaced.split()


def run(encoder: Any, train: list[str | None], test: list[str | None]) -> tuple[Any, np.ndarray]:
    graph = FeatureGraph(TEXTS, [encoder]).learn(TEXTS.to_arrays({"t": train}))
    (tensor,) = graph.run(TEXTS.to_arrays({"t": test})).values()
    return graph.encoders[0], tensor


@given(st.text(alphabet))
def test_words(text: str) -> None:
    assert words(unicodedata.normalize("NFC", text)) == oracle(text)


@given(texts, texts, st.integers(1, 8))
def test_tokens(train: list[str | None], test: list[str | None], length: int) -> None:
    encoder, found = run(Tokens("t", length=length, min_count=1), train, test)
    assert set(encoder.vocabulary) == {word for text in train for word in oracle(text)}
    code = {word: 2 + n for n, word in enumerate(encoder.vocabulary)}
    expected = [([code.get(w, 1) for w in oracle(text)] + [0] * length)[:length] for text in test]
    assert_array_equal(found, expected)
    assert encoder.cardinality == 2 + len(code)


@given(texts, texts)
def test_word_counts(train: list[str | None], test: list[str | None]) -> None:
    encoder, found = run(WordCounts("t", min_count=1), [*train, "certain"], test)
    expected = [[Counter(oracle(text))[word] for word in encoder.vocabulary] for text in test]
    assert_array_equal(found, expected)
    assert encoder.names == [f"t:{word}" for word in encoder.vocabulary]


def test_every_letter_of_unicode_3() -> None:
    # Of a fixed version, since Python and onnxruntime follow Unicode at their own pace.
    known = [
        chr(code)
        for code in range(1, 0x30000)
        if unicodedata.ucd_3_2_0.category(chr(code)) not in ("Cn", "Cs")
    ]
    blocks = ["a".join(known[start : start + 500]) for start in range(0, len(known), 500)]
    encoder, found = run(Tokens("t", length=600, min_count=1, max_words=10**6), blocks, blocks)
    vocabulary = np.array(["", "?", *encoder.vocabulary], dtype=object)
    for block, row in zip(blocks, found, strict=True):
        expected = [word for word in oracle(block) if word]
        assert vocabulary[row][: len(expected)].tolist() == expected


def test_the_most_frequent_words_are_kept_by_the_number_of_texts() -> None:
    train: list[str | None] = ["a a a a b", "b c", "b c d"]
    encoder, _ = run(WordCounts("t", max_words=2, min_count=1), train, ["a"])
    assert encoder.vocabulary == ("b", "c")
    encoder, _ = run(WordCounts("t", min_count=2), train, ["a"])
    assert encoder.vocabulary == ("b", "c")


def test_a_million_characters_beside_a_thousand_short_texts() -> None:
    # Padded to each other they would be 10 ** 9 strings.
    book, short = "word " * 200_000, ["a word", ""] * 1000
    _, found = run(WordCounts("t", min_count=1), ["a word"], [*short, book, *short])
    assert_array_equal(found.sum(axis=0), [2000, 202_000])
    _, found = run(Tokens("t", length=3, min_count=1), [book, "word"], [*short, book])
    assert_array_equal(found[[0, 1, -1]], [[1, 2, 0], [0, 0, 0], [2, 2, 2]])


def test_runs_are_cut_before_a_long_text_pads_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "CHARACTERS_A_RUN", 100)
    feeds = {"t": np.array(["a" * n for n in (10, 30, 60, 1, 1, 500, 2)], dtype=object)[:, None]}
    runs = [part["t"][:, 0].tolist() for part in inputs.slices(feeds, TEXTS)]
    assert [text for run in runs for text in run] == feeds["t"][:, 0].tolist()
    assert all(len(run) == 1 or len(run) * max(map(len, run)) <= 100 for run in runs)
    assert len(runs) == 5


def test_a_text_without_words_leaves_nothing_to_count() -> None:
    with pytest.raises(ParameterError, match="no word frequent enough"):
        run(WordCounts("t"), ["", "!?"], [""])
    assert_array_equal(run(Tokens("t", length=2), [""], ["a b c", ""])[1], [[1, 1], [0, 0]])
