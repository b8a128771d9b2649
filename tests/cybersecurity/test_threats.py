"""Threats in addresses and names: spellings, the user's own list, owners apart, simulated names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.cybersecurity import DomainThreatDetector, UrlThreatDetector
from industry_apps.data import load
from industry_apps.data.simulators.cybersecurity.names import GENERATED_KINDS, generated_names
from industry_apps.errors import LeakageError, ParameterError, SchemaError, TrainingError
from industry_apps.runtime import Model
from industry_apps.runtime.addresses.lexical import url_columns


@pytest.fixture(scope="module")
def data():
    return UrlThreatDetector.sample()


@pytest.fixture(scope="module")
def detector(data):
    return UrlThreatDetector.fast().fit(data)


@pytest.fixture(scope="module")
def model(detector, data, tmp_path_factory):
    return Model(detector.export(tmp_path_factory.mktemp("urls") / "urls.onnx", check=data))


def test_equivalent_spellings_get_one_answer(detector):
    spellings = ["http://www.river.example/a/", "HTTPS://RIVER.example:443/%61", "river.example/a"]
    found = detector.predict(pd.DataFrame({"url": spellings}))
    assert len(set(found["phishing_probability"])) == 1
    assert len(set(found["reasons"].map(tuple))) == 1


def test_the_file_answers_the_columns_of_the_runtime_as_the_detector_does(detector, model):
    urls = ["http://paypal.com.login9.river.test/a.php?b=1", "table.example/news/house"]
    columns = url_columns(urls)
    columns.pop("owner")
    answers = model.predict(columns)
    expected = detector.predict(pd.DataFrame({"url": urls}))
    assert answers["is_phishing"].tolist() == expected["is_phishing"].tolist()
    assert answers["phishing_probability"] == pytest.approx(
        expected["phishing_probability"].to_numpy(), abs=1e-5
    )
    assert detector._facts()["completion"]["reader"] == "url"


def test_false_alarms_on_a_list_of_ones_own(detector, data):
    harmless = data.test.loc[~data.test["is_phishing"], ["url"]]
    found = detector.false_alarms(harmless)
    assert found.rows == len(harmless)
    assert found.stopped == len(found.records)
    assert found.share.low <= found.share.value <= found.share.high
    assert "harmless records would be stopped" in str(found)
    with pytest.raises(SchemaError, match="no rows"):
        detector.false_alarms(harmless.head(0))


def test_false_alarms_of_a_repeated_index_are_each_there_once(detector, data):
    some = data.test[["url"]]
    found = detector.false_alarms(some.set_axis([0] * len(some)))
    assert 0 < found.stopped == len(found.records)
    assert found.records["phishing_probability"].is_monotonic_decreasing


def test_owners_are_in_one_part_and_equal_addresses_count_once():
    frame = UrlThreatDetector.sample().train[["url", "is_phishing"]]
    frame = frame[~frame["url"].str.contains("203.0.113", regex=False)]  # www. names no IP address
    twice = pd.concat(
        [frame, frame.assign(url="http://www." + frame["url"].str.split("//").str[-1])]
    )
    parts = UrlThreatDetector().split(twice)
    owners = [set(part["owner"]) for part in parts]
    assert not owners[0] & owners[1]
    assert not owners[0] & owners[2]
    assert sum(map(len, parts)) <= len(frame)


def test_harmless_records_alone_are_for_false_alarms(detector, data):
    harmless = data.test.loc[~data.test["is_phishing"], ["url", "is_phishing"]]
    with pytest.raises(SchemaError, match=r"Column 'is_phishing' is false .* ask false_alarms"):
        detector.evaluate(harmless)
    assert detector.false_alarms(harmless).rows == len(harmless)


def test_the_raw_column_wins_over_columns_that_were_made_before(detector, model, data):
    other = "http://paypal.com.secure-login.river.test/confirm/account"
    stale, fresh = data.test.head(3).assign(url=other), pd.DataFrame({"url": [other] * 3})
    assert np.array_equal(detector.prepare(stale)["address"], detector.prepare(fresh)["address"])
    for ask in (detector.predict, model.predict):
        found, expected = (ask(each)["phishing_probability"].to_list() for each in (stale, fresh))
        assert found == expected
    records = stale.to_dict("records")
    assert model.predict(records) == model.predict(fresh.to_dict("records"))


def test_columns_of_a_user_may_be_called_as_made_ones(detector, model, data):
    plain = data.test[["url", "is_phishing"]]
    own = plain.assign(port="https", parameters=None, owner="Alice")
    expected = detector.predict(plain)
    assert detector.predict(own).equals(expected)
    assert model.predict(own)["is_phishing"].equals(expected["is_phishing"])
    names = DomainThreatDetector.sample().train[["domain", "is_generated"]]
    parts = DomainThreatDetector().split(names.assign(words="note", label="ham"))
    assert min(map(len, parts)) > 0
    assert "ham" not in set(parts.train["label"])


def test_a_column_of_ones_own_without_the_raw_one_is_not_taken_for_made_ones(detector, model):
    for ask in (detector.predict, model.predict):
        with pytest.raises(SchemaError, match="Column 'url' is missing, as is 'address'"):
            ask(pd.DataFrame({"link": ["a.example"], "port": [443]}))
        with pytest.raises(SchemaError, match="Column 'url' appears twice"):
            ask(pd.DataFrame([["a.example", "b.example"]], columns=["url", "url"]))


@pytest.mark.parametrize(
    ("kind", "columns", "own"),
    [
        (DomainThreatDetector, {"is_generated": "label"}, {"domain": ["a.example"], "label": [1]}),
        (UrlThreatDetector, {"url": "address"}, {"address": ["a.example"]}),
    ],
)
def test_an_own_name_that_a_made_column_has_is_refused_and_the_remedy_works(kind, columns, own):
    ((ours, name),) = columns.items()
    with pytest.raises(ParameterError, match=f"Rename yours to '{ours}' in the table"):
        kind(columns=columns).prepare(pd.DataFrame(own))
    assert len(kind().prepare(pd.DataFrame(own).rename(columns={name: ours}))) == 1


def test_an_owner_that_was_learned_from_is_refused_as_a_test(detector, data):
    with pytest.raises(LeakageError, match="owner"):
        detector.evaluate(data.train.head(50))


def test_an_address_that_cannot_be_read_is_named(detector):
    with pytest.raises(SchemaError, match=r"Column 'url', row 1: got 'ssh://a'; expected http"):
        detector.predict(pd.DataFrame({"url": ["a.example", "ssh://a"]}))


def test_a_rate_that_the_held_out_rows_cannot_show_is_refused(data):
    strict = UrlThreatDetector.fast().set_params(model="trees", false_positive_rate=0.0001)
    with pytest.raises(TrainingError, match=r"cannot be sought on .*10000 at least"):
        strict.fit(data)
    with pytest.raises(ParameterError):
        UrlThreatDetector(false_positive_rate=0.0).fit(data)


# Simulated names are told apart with ease, and the report says so.
@pytest.mark.filterwarnings("ignore::industry_apps.errors.LeakageWarning")
def test_names_of_a_simulated_kind_are_found_where_no_family_is_like_them():
    data = DomainThreatDetector.sample()
    kept = data.train[data.train["family"] != "joined_words"]
    asked = data.test[data.test["family"].isna() | (data.test["family"] == "joined_words")]
    auroc = [
        DomainThreatDetector.fast()
        .set_params(model="trees", simulated=count)
        .fit(kept, data.validation)
        .evaluate(asked)
        .metrics["auroc"]
        .value
        for count in (0, 200)
    ]
    assert auroc[1] >= auroc[0]


@pytest.mark.parametrize("kind", GENERATED_KINDS)
def test_generated_names_are_names(kind):
    names = generated_names(kind, 50, seed=3)
    assert names == generated_names(kind, 50, seed=3)
    assert len(DomainThreatDetector().prepare(pd.DataFrame({"domain": names}))) == 50


@pytest.mark.real_data("cyber_dga_domains")
def test_real_names_are_told_apart_by_a_few_trees():
    data = load("cyber_dga_domains")
    rows = {name: getattr(data, name).sample(1_500, random_state=0) for name in ("train", "test")}
    fitted = DomainThreatDetector.fast().set_params(model="trees").fit(rows["train"])
    assert fitted.evaluate(rows["test"]).metrics["auroc"].value > 0.93


def test_the_family_of_a_stopped_name_is_told_and_judged_by_family():
    data = DomainThreatDetector.sample()
    detector = DomainThreatDetector.fast().fit(data)
    answers = detector.predict(data.test)
    assert set(answers.loc[~answers["is_generated"], "family"]) == {""}
    stopped = (answers["is_generated"] & data.test["is_generated"]).to_numpy()
    right = answers["family"].to_numpy()[stopped] == data.test["family"].to_numpy()[stopped]
    assert right.mean() > 0.8
    (section,) = (s for s in detector.evaluate(data).sections if s.title == "Attacks by kind")
    kinds = section.records()
    assert {row["attacks"] for row in kinds} == {f"family {kind}" for kind in GENERATED_KINDS}
    assert all(row["low"] <= row["recall"] <= row["high"] for row in kinds)


def test_without_families_or_numbers_none_is_named():
    data = DomainThreatDetector.sample()
    unnamed = data.train.drop(columns="family"), data.validation.drop(columns="family")
    assert "family" not in DomainThreatDetector.fast().fit(*unnamed).outputs_
    detector = DomainThreatDetector.fast().set_params(model="characters").fit(data)
    assert detector.outputs_.names == ["generated_probability", "is_generated"]


def test_padded_copies_keep_owner_and_label_and_begin_as_their_address(data):
    train = data.train.reset_index(drop=True)
    learned = UrlThreatDetector(padded=0.5)._with_copies(train)
    copies = learned.iloc[len(train) :]
    assert 0.4 < len(copies) / len(train) < 0.6
    originals = train.set_index(["owner", "is_phishing"])["address"]
    for _, copy in copies.head(20).iterrows():
        told = originals.loc[[(copy["owner"], copy["is_phishing"])]]
        assert any(copy["address"].startswith(each) for each in told)
    assert UrlThreatDetector()._with_copies(train) is train
