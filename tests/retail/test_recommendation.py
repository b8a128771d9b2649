"""Recommendation: odd requests, rules of the shop, what is learned, and real ratings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import load
from industry_apps.errors import ParameterError, SchemaError, TrainingError, UnknownNameError
from industry_apps.retail import Recommender
from industry_apps.retail.ranking import models
from industry_apps.runtime import Model


@pytest.fixture(scope="module")
def data():
    return Recommender.sample()


@pytest.fixture(scope="module")
def recommender(data):
    return Recommender.fast().fit(data)


@pytest.fixture(scope="module")
def model(recommender, data, tmp_path_factory):
    path = tmp_path_factory.mktemp("recommendation") / "model.onnx"
    return Model(recommender.export(path, check=data))


def taken(data, user):
    parts = (data.train, data.validation)
    return {item for part in parts for item in part.loc[part["user"] == user, "item"]}


def popular(data):
    every = pd.concat([data.train, data.validation])
    return every.drop_duplicates(["user", "item"])["item"].value_counts()


def test_nobody_is_recommended_what_they_took(model, data):
    users = data.train["user"].unique()[:50]
    found = model.predict(pd.DataFrame({"user": users}))
    for user, items in zip(users, found["items"], strict=True):
        assert not taken(data, user) & set(items)
        assert len(set(items)) == 10


def test_scores_fall(model, data):
    scores = model.predict({"user": data.train["user"].iloc[0]})["scores"]
    assert scores == sorted(scores, reverse=True)


def test_an_unknown_user_without_a_history_gets_what_is_popular(model, recommender, data):
    best = popular(data)
    for request in ({"user": "nobody"}, {"user": None}, {"history": []}):
        items = model.predict(request)["items"]
        assert best[items].sum() == best.iloc[:10].sum()
    asked = pd.DataFrame({"user": ["nobody"], "history": [["no such item"]]})
    assert recommender.predict(asked)["items"][0] == model.predict({"user": "nobody"})["items"]


def test_a_history_takes_the_place_of_a_name(model, data):
    user = data.train["user"].iloc[0]
    own = data.train[data.train["user"] == user]["item"].tolist()
    items = model.predict({"history": own})["items"]
    assert not set(own) & set(items)
    assert items != model.predict({"user": "nobody"})["items"]


def test_what_was_taken_since_is_not_recommended(model, data):
    user = data.train["user"].iloc[0]
    first = model.predict({"user": user})["items"][0]
    assert first not in model.predict({"user": user, "history": [first]})["items"]


def test_a_user_who_has_taken_everything_is_told_so(model, recommender, data):
    everything = sorted({*data.train["item"], *data.validation["item"]})
    found = model.predict({"history": everything})
    assert found["items"] == [""] * 10
    assert np.isnan(found["scores"]).all()
    asked = pd.DataFrame({"user": [None], "history": [everything]})
    assert recommender.predict(asked)["items"][0] == [""] * 10


def test_only_allowed_items_are_recommended(model, data):
    allowed = popular(data).index[-3:].tolist()
    found = model.predict({"user": "nobody", "allowed": [*allowed, "no such item"]})
    assert set(found["items"]) == {*allowed, ""}
    none = model.predict({"user": "nobody", "allowed": ["no such item"]})
    assert none["items"] == [""] * 10


def test_nothing_allowed_is_refused(model, recommender, data):
    user = data.train["user"].iloc[0]
    with pytest.raises(
        SchemaError, match=r"'allowed', row 0: got \[\].*at least one value. .*leave"
    ) as wrong:
        model.predict({"user": user, "allowed": []})
    assert "Give None" in str(wrong.value)
    free = model.predict({"user": user, "allowed": None})
    assert free == model.predict({"user": user})
    for nothing in ([None], [""], [None, float("nan")]):
        with pytest.raises(SchemaError, match=r"'allowed', row 0: .*at least one value"):
            model.predict({"user": user, "allowed": nothing})
    with pytest.raises(SchemaError, match="'allowed', row 1"):
        recommender.predict(pd.DataFrame({"user": [user] * 2, "allowed": [None, []]}))


def test_a_cap_is_a_whole_number(model, data):
    user = data.train["user"].iloc[0]
    with pytest.raises(SchemaError, match=r"'category_cap', row 0: got 1.5, expected a whole"):
        model.predict({"user": user, "category_cap": 1.5})
    assert model.predict({"user": user, "category_cap": 2.0})["items"]


def test_a_large_catalogue_keeps_its_models_and_baselines_and_says_what_is_left_out(
    data, monkeypatch, tmp_path
):
    monkeypatch.setattr(models, "MOST_PAIRED", 50)
    monkeypatch.setattr(models, "FREQUENT", 40)
    fitted = Recommender(model="ease").fit(data)
    report = fitted.evaluate(data)
    assert {"item_knn", "popularity"} <= set(report.baselines)
    assert any("the 40 most frequent" in note for note in report.notes)
    served = Model(fitted.export(tmp_path / "m.onnx", check=data))
    assert fitted.parity_.holds
    assert any("the 40 most frequent" in note for note in served.metadata["notes"])
    users = data.test["user"].head(30)
    assert served.predict(users.to_frame())["items"].map(any).all()


def test_of_one_category_there_are_no_more_than_allowed(model, data):
    category = data.train.drop_duplicates("item").set_index("item")["category"]
    user = data.train["user"].iloc[0]
    items = [each for each in model.predict({"user": user, "category_cap": 1})["items"] if each]
    assert category[items].value_counts().max() == 1
    with pytest.raises(SchemaError, match="'category_cap'"):
        model.predict({"user": user, "category_cap": 0})


def test_duplicated_interactions_count_once(data):
    small = data.train.head(3000)
    once, twice = (
        Recommender.fast().fit(table, data.validation)
        for table in (small, pd.concat([small, small], ignore_index=True))
    )
    asked = small[["user"]].drop_duplicates().head(20)
    pd.testing.assert_frame_equal(once.predict(asked), twice.predict(asked))


def test_similar_items_are_what_the_file_answers_to_the_item(recommender, model, data):
    item = popular(data).index[0]
    found = recommender.similar_items(item, k=5)
    assert len(found) == 5
    assert item not in set(found["item"])
    assert model.predict({"history": [item]})["items"][:5] == found["item"].tolist()
    with pytest.raises(UnknownNameError, match="no such item"):
        recommender.similar_items("no such item")


def test_too_few_interactions_are_refused(data):
    one = data.train.head(1)
    with pytest.raises((TrainingError, SchemaError), match=r"(?i)interaction|more"):
        Recommender.fast().fit(one)


def test_another_number_of_items(data, tmp_path):
    mine = Recommender.fast().set_params(k=3).fit(data)
    path = mine.export(tmp_path / "three.onnx", check=data.test.head(200))
    assert len(Model(path).predict({"user": data.train["user"].iloc[0]})["items"]) == 3
    with pytest.raises(ParameterError, match="'k'"):
        Recommender(k=0).fit(data)


def test_names_of_ones_own_are_split_and_learned(data):
    table = data.train.rename(columns={"user": "customer", "item": "sku"})
    mine = Recommender.fast().set_params(columns={"user": "customer", "item": "sku"})
    parts = mine.split(table)
    mine.fit(parts.train, parts.validation)
    found = mine.predict(pd.DataFrame({"customer": [table["customer"].iloc[0]]}))
    assert len(found["items"][0]) == 10


@pytest.mark.parametrize(
    "kind", ["cooccurrence", "als", "bpr", "blend", "two_tower", "sasrec", "auto"]
)
def test_every_model_exports_the_same_items_for_all_users(data, tmp_path, kind):
    from industry_apps.training import TrainingOptions

    quick = TrainingOptions(max_epochs=1, progress=False)
    mine = Recommender(model=kind, training=quick).fit(data)
    users = pd.DataFrame({"user": [*data.train["user"].unique()[:150], "nobody"]})
    mine.export(tmp_path / "model.onnx", check=users)
    assert mine.parity_.rows == len(users)
    assert mine.parity_.changed_decisions == mine.parity_.beyond_tolerance == 0


@pytest.mark.real_data("retail_movielens_100k")
def test_real_ratings_rank_better_than_popularity():
    data = load("retail_movielens_100k")
    report = Recommender(model="ease", ordered=False).fit(data).evaluate(data)
    assert report.metrics["ndcg_at_10"].value > 0.44
    assert report.margins["popularity"]["ndcg_at_10"].low > 0.1


def test_one_item_is_a_list_of_one(data, tmp_path):
    path = Recommender.fast().set_params(k=1).fit(data).export(tmp_path / "one.onnx", check=data)
    assert len(Model(path).predict({"user": data.train["user"].iloc[0]})["items"]) == 1
