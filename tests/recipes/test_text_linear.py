"""Models of texts: they learn, write themselves as they answer, and give reasons."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes import NgramOptions
from industry_apps.recipes.ngram_counts import count_characters
from industry_apps.recipes.scorers import Labelled, folds, part_of
from industry_apps.recipes.text_linear import CharacterScorer, WordScorer, text_column
from industry_apps.recipes.text_networks import TextNetworkScorer
from industry_apps.recipes.texts.baselines import TextBaselines
from industry_apps.recipes.texts.reasons import WordReasons
from industry_apps.runtime.inputs import feeds_of
from industry_apps.schema import Column, Schema
from industry_apps.training import TrainingOptions

SCHEMA = Schema((Column(name="text", kind="text"), Column(name="size", kind="number")))
GOOD = ["a great film", "great and moving", "really great fun", "not bad at all"]
BAD = ["a bad film", "bad and dull", "really bad mess", "not great at all"]
OPTIONS = TrainingOptions(max_epochs=4, batch_size=16, progress=False)


def rows(times: int = 10) -> Labelled:
    texts = np.array((GOOD + BAD) * times, dtype=object)
    return Labelled({"text": texts}, np.arange(len(texts)) % 8 < 4)


def scorers():
    yield WordScorer(SCHEMA, NgramOptions(word_freedom=10.0))
    yield CharacterScorer(SCHEMA, NgramOptions(character_freedom=1.0))
    for backbone in ("cnn", "transformer"):
        yield TextNetworkScorer(SCHEMA, backbone, OPTIONS)


@pytest.mark.parametrize("scorer", list(scorers()), ids=["words", "chars", "cnn", "transformer"])
def test_a_model_of_texts_writes_what_it_answers(scorer):
    scorer.fit(rows(), rows(1))
    asked = {"text": np.array([*GOOD, *BAD, "", "never seen", "😀"], dtype=object)}
    margin = scorer.margin(asked)
    builder = GraphBuilder()
    inputs = builder.inputs(scorer.features.schema)
    builder.output(scorer.write(builder, inputs), "margin", np.float32)
    found = builder.session().run(None, feeds_of(asked, scorer.features.schema))[0]
    np.testing.assert_allclose(found[:, 0], margin, atol=1e-5)
    assert np.isfinite(margin).all()
    assert len(scorer.margin({"text": np.array([], dtype=object)})) == 0


@pytest.mark.parametrize("kind", [WordScorer, CharacterScorer])
def test_a_linear_model_learns_pairs_and_survives_pickling(kind):
    scorer = kind(SCHEMA, NgramOptions(word_freedom=10.0, character_freedom=1.0))
    scorer.fit(rows(), None)
    asked = {"text": np.array(["not bad at all", "not great at all"], dtype=object)}
    margin = scorer.margin(asked)
    assert margin[0] > 0 > margin[1]
    assert pickle.loads(pickle.dumps(scorer)).margin(asked).tolist() == margin.tolist()


@pytest.mark.parametrize("kind", [WordScorer, CharacterScorer])
def test_margins_of_folds_are_those_of_models_that_never_saw_the_other_texts(kind):
    every = rows(4)
    asides = ["never heard", "not the same", "a word of its own", "Zürich, no?"]
    texts = [f"{text}, {asides[n % 4]} {n}" for n, text in enumerate(every.arrays["text"])]
    every = Labelled({"text": np.array(texts, dtype=object)}, every.target)
    parts = folds(every, 4, seed=0)
    counted_once = kind(SCHEMA, NgramOptions())
    margin = counted_once.cross_fit(every, parts)
    for known, held_out in parts:
        anew = kind(SCHEMA, NgramOptions())
        anew.fit(part_of(every, known), None)
        asked = part_of(every, held_out).arrays
        np.testing.assert_allclose(margin[held_out], anew.margin(asked), atol=1e-5)
    of_all = kind(SCHEMA, NgramOptions())
    of_all.fit(every, None)
    assert of_all.margin(every.arrays).tolist() == counted_once.margin(every.arrays).tolist()


def test_texts_are_counted_once_for_all_folds(monkeypatch):
    asked = []

    def counted(texts, *rest):
        asked.append(len(texts))
        return count_characters(texts, *rest)

    monkeypatch.setattr("industry_apps.recipes.text_linear.count_characters", counted)
    scorer = CharacterScorer(SCHEMA, NgramOptions())
    scorer.cross_fit(rows(), folds(rows(), 5, seed=0))
    assert asked == [80]


def test_a_negation_turns_round_words_that_were_never_negated():
    texts = np.array(["a great film", "a bad film", "great", "so bad"] * 10, dtype=object)
    seen = Labelled({"text": texts}, np.arange(40) % 2 == 0)
    asked = {"text": np.array(["not bad", "not great", "not. Great", "bad"], dtype=object)}
    for kind in (WordScorer, CharacterScorer):
        read, unread = kind(SCHEMA, NgramOptions()), kind(SCHEMA, NgramOptions(negators=()))
        for scorer in (read, unread):
            scorer.fit(seen, None)
        assert (read.margin(asked) > 0).tolist() == [True, False, True, False]
        assert (unread.margin(asked) > 0).tolist() == [False, True, True, False]


@pytest.mark.parametrize("negators", [("Not",), ("far from it",), ("",), ("not!",), "not"])
def test_what_no_text_can_hold_is_no_negation(negators):
    with pytest.raises(ParameterError, match="'negators'"):
        NgramOptions(negators=negators)


def test_texts_without_a_word_are_nothing_to_learn_from():
    empty = Labelled({"text": np.array(["", "!!", "😀", ""], dtype=object)}, np.arange(4) < 2)
    with pytest.raises(TrainingError, match="No text has any word"):
        WordScorer(SCHEMA, NgramOptions()).fit(empty, None)
    with pytest.raises(TrainingError, match="No word occurs in two texts"):
        TextNetworkScorer(SCHEMA, "cnn", OPTIONS).fit(empty, None)


def test_one_text_column_is_read():
    with pytest.raises(SchemaError, match="one text column"):
        text_column(Schema((Column(name="x", kind="number"),)))


def test_reasons_are_the_words_that_speak_for_the_answer_each_once():
    scorer = WordScorer(SCHEMA, NgramOptions(word_freedom=10.0))
    scorer.fit(rows(), None)
    builder = GraphBuilder()
    text = builder.input("text", np.object_)
    positive = builder.input("positive", np.bool_)
    reasons = WordReasons(scorer.weights_, 3)
    words, wordless, sides = reasons.write(builder, text, positive, {"film": ("film",)}, 0.1)
    builder.output(words, "words", np.object_, 3)
    builder.output(wordless, "wordless", np.bool_)
    builder.output(sides["film"], "film", np.object_)
    asked = ["great great film", "a film, so bad", "great, but one two three four film", "😀"]
    feeds = {
        "text": np.array(asked, dtype=object).reshape(-1, 1),
        "positive": np.array([[True], [False], [True], [True]]),
    }
    found = builder.session().run(None, feeds)
    named, none, about = found[0].tolist(), found[1][:, 0].tolist(), found[2][:, 0].tolist()
    assert named[0][0] == "great"
    assert named[0].count("great") == 1
    assert "bad" in named[1]
    assert named[3] == ["", "", ""]
    assert none == [False, False, False, True]
    assert about == ["positive", "negative", "neutral", ""]  # "great" is six words away


def test_baselines_of_texts_are_the_usual_ones():
    fitted = TextBaselines("text").fit(rows())
    found = fitted.probabilities(np.array(["great", "bad"], dtype=object))
    assert sorted(found) == ["naive_bayes", "prevalence", "tfidf_logistic_regression"]
    for name in ("naive_bayes", "tfidf_logistic_regression"):
        assert found[name][0] > 0.5 > found[name][1]
    assert found["prevalence"].tolist() == [0.5, 0.5]
