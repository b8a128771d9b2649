"""Weights of n-grams: the graph finds and adds up what Python does."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from industry_apps.features import GraphBuilder
from industry_apps.features.negation import NEGATORS as ENGLISH
from industry_apps.features.negation import negated
from industry_apps.features.ngrams import (
    CharacterWeights,
    WordWeights,
    character_grams,
    word_grams,
)
from industry_apps.features.text import words

TEXTS = ["Not good!", "good  GOOD, bad\nnot bad", "", "😀 слово 字", "it's a don't-care"]
WEIGHTS = {
    "good": 1.5,
    "bad": -1.0,
    "not good": -2.5,
    "not bad": 1.25,
    "слово": 0.5,
    "it's a": 0.75,
}
texts = st.lists(
    st.text(st.sampled_from("go dbnt.ßé😀字'-\n"), max_size=30), min_size=1, max_size=5
)


SAID = ["not good", "go d good, bad", "don't go"]
said = st.lists(
    st.lists(st.sampled_from(["not", "don't", "go", "d", "good", "bad", "but", ",", "éß", "\n"]))
    .map(" ".join), min_size=1, max_size=5,
)  # fmt: skip


def run_words(weights: WordWeights, asked: list[str]) -> tuple[np.ndarray, np.ndarray]:
    builder = GraphBuilder()
    found, each = weights.write(builder, builder.input("text", np.object_))
    builder.output(found, "words", np.object_, None)
    builder.output(each, "each", np.float32, None)
    column = np.array(asked, dtype=object).reshape(-1, 1)
    found, each = builder.session().run(None, {"text": column})
    return found, each


def run_characters(weights: CharacterWeights, asked: list[str]) -> np.ndarray:
    builder = GraphBuilder()
    builder.output(weights.write(builder, builder.input("text", np.object_)), "sum", np.float32)
    column = np.array(asked, dtype=object).reshape(-1, 1)
    return builder.session().run(None, {"text": column})[0][:, 0]


NEGATORS = ("not", "don't", "go d")


def check_words(asked: list[str], negators: tuple[str, ...] = ()) -> None:
    found, each = run_words(WordWeights.of(WEIGHTS, negators), asked)
    for text, row, parts in zip(asked, found, each, strict=True):
        assert [word for word in row if word] == words(text)
        grams = word_grams(text, negators)
        expected = sum(WEIGHTS.get(gram, 0.0) * sign for gram, sign in grams)
        assert parts.sum() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("negators", [(), NEGATORS])
def test_contributions_of_words_add_up_to_the_weight_of_the_text(negators):
    check_words([*TEXTS, "", *SAID], negators)


@given(said)
@settings(max_examples=40, deadline=None)
def test_contributions_of_any_words_add_up(asked):
    check_words(asked, NEGATORS)


@pytest.mark.parametrize(
    ("text", "turned"),
    [
        ("not bad at all, honestly", ["bad", "at", "all"]),
        ("It is not that good.", ["that", "good"]),
        ("not a word too many for it", ["a", "word", "too"]),
        ("not good but great", ["good"]),
        ("not. Good", []),
        ("never not good", ["good"]),
        ("anything but dull", ["dull"]),
        ("FAR FROM dull", ["dull"]),
        ("not " + "o" * 41 + " good", ["good"]),
        ("notable", []),
        ("I don\u2019t like it", ["like", "it"]),
    ],
)
def test_what_a_negation_turns_round(text, turned):
    assert [word for word, yes in negated(text, ENGLISH) if yes] == turned
    builder = GraphBuilder()
    words_, each = WordWeights.of(dict.fromkeys(words(text), 1.0), ENGLISH).write(
        builder, builder.input("text", np.object_)
    )
    builder.output(words_, "words", np.object_, None)
    builder.output(each, "each", np.float32, None)
    found, each = builder.session().run(None, {"text": np.array([[text]], dtype=object)})
    assert found[each < 0].tolist() == turned


def test_a_pair_contributes_by_halves():
    _, each = run_words(WordWeights.of({"not good": -2.0}), ["so not good"])
    assert each[0, :3].tolist() == [0, -1, -1]


def test_words_without_pairs_are_looked_up_alone():
    weights = WordWeights.of({"good": 1.0, "bad": 0.0})
    assert weights.words == {"good": 1.0}
    assert run_words(weights, ["good bad"])[1][0, :2].tolist() == [1, 0]


@given(texts)
@settings(max_examples=40, deadline=None)
def test_runs_of_characters_are_counted_as_in_python(asked):
    weights = {" go": 1.0, "good": -0.5, "d b": 0.25, "字\n": 0.125, "éß": -1.0}
    rounded = CharacterWeights.of(weights)
    exact = dict(zip(rounded.grams, rounded.levels * rounded.step, strict=True))
    for text, total in zip(asked, run_characters(rounded, asked), strict=True):
        counts = Counter(character_grams(text, 2, 4))
        expected = sum(exact.get(gram, 0.0) * count for gram, count in counts.items())
        assert total == pytest.approx(expected, abs=1e-5)


@given(said)
@settings(max_examples=40, deadline=None)
def test_runs_in_words_that_are_turned_round_weigh_the_opposite(asked):
    weights = {" go": 1.0, "good": -0.5, "d b": 0.25, "ba": 0.5, "bad ": -1.0, "éß": -1.0}
    rounded = CharacterWeights.of(weights, NEGATORS)
    exact = dict(zip(rounded.grams, rounded.levels * rounded.step, strict=True))
    for text, total in zip(asked, run_characters(rounded, asked), strict=True):
        counts = Counter(character_grams(text, 2, 4))
        for word, turned in negated(text, NEGATORS):
            for gram in character_grams(word, 2, 4) if turned else ():
                counts[gram] -= 2
        expected = sum(exact.get(gram, 0.0) * count for gram, count in counts.items())
        assert total == pytest.approx(expected, abs=1e-5)


def test_weights_are_rounded_and_small_ones_left_out():
    rounded = CharacterWeights.of({"abcd": 1.0, "efgh": -0.5, "ijkl": 1e-4})
    assert rounded.grams == ("abcd", "efgh")
    assert rounded.levels.tolist() == [63, -32]
    assert rounded.step == pytest.approx(1 / 63)


def test_no_weight_is_no_model():
    with pytest.raises(ValueError, match="no run of characters"):
        CharacterWeights.of({}).write(GraphBuilder(), "text")
