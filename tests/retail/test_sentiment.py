"""Sentiment: what is answered to odd texts, its aspects and trends, and real sentences."""

from __future__ import annotations

import pandas as pd
import pytest

from industry_apps.data import load
from industry_apps.errors import ParameterError, SchemaError, TrainingError
from industry_apps.retail import SentimentAnalyzer
from industry_apps.retail.negated_phrases import CHOOSING, TESTING
from industry_apps.runtime import Model


@pytest.fixture(scope="module")
def data():
    return SentimentAnalyzer.sample()


@pytest.fixture(scope="module")
def analyzer(data):
    return SentimentAnalyzer.fast().fit(data)


@pytest.fixture(scope="module")
def model(analyzer, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("sentiment") / "sentiment.onnx"
    return Model(analyzer.export(path, check=data))


def test_a_stack_of_long_texts_is_of_words_and_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("industry_apps.retail.sentiment._MOST_CHARACTERS", 10_000)
    data = SentimentAnalyzer.sample()
    fitted = SentimentAnalyzer().fit(data)
    assert any("the stack is of words alone" in note for note in fitted.evaluate(data).notes)
    model = Model(fitted.export(tmp_path / "m.onnx"))
    assert "words alone" in model.describe()["notes"][0]
    found, expected = model.predict(data.test), fitted.predict(data.test)
    assert found["sentiment"].tolist() == expected["sentiment"].tolist()


def test_negated_texts_are_a_study(data):
    sides = [set(half[side]) for half in (CHOOSING, TESTING) for side in ("positive", "negative")]
    assert {len(texts) for texts in sides} == {30}
    assert len(set().union(*sides)) == 120
    (section,) = SentimentAnalyzer.fast().studies()["negation"](data)
    found = {row["model"]: row for row in section.records()}
    read, unread = found["words"], found["words, negations not read"]
    assert read["testing"]["value"] >= unread["testing"]["value"]
    assert found["prevalence"]["testing"]["value"] == 0.5
    for row in found.values():
        assert row["testing"]["value"] == pytest.approx(
            (row["testing_positive"]["value"] + row["testing_negative"]["value"]) / 2
        )


@pytest.mark.real_data("retail_sst2")
def test_negations_of_real_sentences_are_read():
    data = load("retail_sst2")
    fitted = SentimentAnalyzer.fast().fit(data.train, data.validation)
    found = fitted.predict(pd.DataFrame({"text": ["not bad at all", "never boring", "not funny"]}))
    assert (found["positive_probability"] > 0.5).tolist() == [True, True, False]


def test_words_decide_and_are_named(analyzer):
    said = ["Great, excellent, perfect!", "Terrible. Awful. Broken."]
    found = analyzer.predict(pd.DataFrame({"text": said}))
    assert found["sentiment"].tolist() == ["positive", "negative"]
    assert "excellent" in found["words"][0]
    assert "terrible" in found["words"][1]


def test_aspects_are_told_apart(model):
    text = "The price is great. It is used every day by us all. Delivery was terrible and slow."
    found = model.predict({"text": text})
    assert found["price_sentiment"] == "positive"
    assert found["delivery_sentiment"] == "negative"
    assert found["service_sentiment"] == ""


@pytest.mark.parametrize("text", ["", "   ", "😀🎉", "?!", None])
def test_a_text_without_a_word_is_neutral(model, analyzer, text):
    found = model.predict({"text": text})
    assert found["sentiment"] == "neutral"
    assert found["words"] == []
    assert analyzer.predict(pd.DataFrame({"text": [text]}))["sentiment"][0] == "neutral"


def test_a_text_of_a_megabyte_and_of_another_script_is_answered(model):
    long = model.predict({"text": "great " * 170_000})
    assert long["sentiment"] == "positive"
    assert long["words"] == ["great"]
    assert model.predict({"text": "отличный товар 非常好"})["sentiment"] in ("neutral", "negative")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"caf\xe9", r"Column 'text', row 0: got b'caf\\xe9', expected a string"),
        ("caf\udce9", "expected valid Unicode. Read the text again with its own encoding"),
        (5.0, "expected a string"),
    ],
)
def test_what_is_no_text_is_refused(model, analyzer, value, message):
    with pytest.raises(SchemaError, match=message):
        model.predict({"text": value})
    with pytest.raises(SchemaError, match=message):
        analyzer.predict(pd.DataFrame({"text": [value]}))


def test_aspects_of_ones_own(data, tmp_path):
    mine = SentimentAnalyzer.fast().set_params(aspects={"colour": ["blue", "colour"]})
    path = mine.fit(data).export(tmp_path / "mine.onnx", check=data)
    found = Model(path).predict({"text": "Excellent blue colour, great."})
    assert [name for name in found if name.endswith("_sentiment")] == ["colour_sentiment"]
    assert found["colour_sentiment"] == "positive"
    with pytest.raises(ParameterError, match="'aspects'"):
        SentimentAnalyzer(aspects={"two words": ["x"]}).fit(data)


@pytest.mark.parametrize("word", ["Price", "next day", "", "price!"])
def test_what_no_text_can_hold_as_a_word_is_no_key(data, word):
    with pytest.raises(ParameterError, match="single words in lower case"):
        SentimentAnalyzer(aspects={"cost": [word]}).fit(data)


def test_a_wider_band_is_neutral_more_often(data, analyzer):
    wide = SentimentAnalyzer.fast().set_params(neutral_band=0.4).fit(data)
    shares = [
        (each.predict(data.test)["sentiment"] == "neutral").mean() for each in (analyzer, wide)
    ]
    assert shares[0] < shares[1]


def test_trends_of_products(analyzer, data):
    trend = analyzer.trend(data.test, period="quarter")
    assert set(trend.index.get_level_values(0)) == set(data.test["product"])
    assert (trend["low"] <= trend["share"]).all()
    assert (trend["share"] <= trend["high"]).all()
    assert analyzer.plot_trend(trend).axes
    with pytest.raises(SchemaError, match="'product'"):
        analyzer.trend(data.test.drop(columns="product"))


def test_own_names_and_a_table_without_a_time(data):
    table = data.train.rename(columns={"text": "review"}).drop(columns=["time", "product"])
    mine = SentimentAnalyzer.fast().set_params(columns={"text": "review"})
    parts = mine.split(table)
    report = mine.fit(parts.train, parts.validation).evaluate(parts.test)
    assert report.metrics["accuracy"].value > 0.6


def test_one_class_is_refused(data):
    with pytest.raises(TrainingError, match="positive"):
        SentimentAnalyzer.fast().fit(data.train.assign(is_positive=True))


@pytest.mark.parametrize("kind", ["stack", "characters", "text_cnn", "text_transformer"])
def test_every_model_exports_what_it_answers(data, tmp_path, kind):
    small = data.train.head(400)
    model = SentimentAnalyzer(model=kind).fit(small, data.validation)
    model.export(tmp_path / "model.onnx", check=data.test.head(100))
    assert model.parity_.changed_decisions == 0


@pytest.mark.real_data("retail_sst2")
def test_real_sentences_are_told_apart(tmp_path):
    data = load("retail_sst2")
    analyzer = SentimentAnalyzer.fast().fit(data.train, data.validation)
    report = analyzer.evaluate(data.validation)
    assert report.metrics["accuracy"].value > 0.76
    analyzer.export(tmp_path / "sst2.onnx", check=data.train)
    assert analyzer.parity_.changed_decisions == 0


def test_texts_that_were_learned_from_are_counted(data):
    train, test = (part.drop(columns="time") for part in (data.train, data.test))
    fitted = SentimentAnalyzer.fast().fit(train.drop_duplicates("text"))
    fresh = test[~test["text"].isin(train["text"])]
    twice = pd.concat([fresh, train.head(4)], ignore_index=True)
    before, after = (fitted.evaluate(table).notes for table in (fresh, twice))
    assert not any("equal a record" in note for note in before)
    assert any(note.startswith(f"4 of {len(twice)} records") for note in after)
