"""Records of which one is forged, damaged, ended or gone, and the others that go on."""

from __future__ import annotations

import warnings
from dataclasses import replace
from datetime import date, timedelta

import pytest

from industry_apps.errors import ParameterError, TemplateError, TemplateWarning
from industry_apps.runtime.verification import Key, TemplateStore, TextFolder, Verifier

TODAY = date(2026, 3, 1)
KEY = Key(bytes(range(32)))


@pytest.fixture
def folders(tmp_path):
    return TextFolder(tmp_path / "records"), TextFolder(tmp_path / "counters")


@pytest.fixture
def names(people):
    return list(people)[:3]


@pytest.fixture
def made(model, people, consent, folders, names):
    """A verifier that may search, with three enrolled; files as several processes share them."""
    made = opened(model, folders)
    for name in names:
        made.enrol(name, people[name][:3], consent=consent)
    return made


def opened(model, folders, **options):
    options = {"identification": True, "threshold": -1.0, "today": lambda: TODAY} | options
    return Verifier(model, TemplateStore(KEY, *folders, shared=True), **options)


def found(verifier, sample):
    return {each.user for each in verifier.search(sample, most=9)}


def damage(made, user):
    records, name = made.store._records, made.store._name(user)
    records[name] = records[name][:-20]
    return name


def test_what_is_kept_tells_no_name_purpose_or_consent(made, folders):
    for text in folders[0].values():
        bytes.fromhex(text)
    assert made.store.users() == sorted(made.store.users())
    assert made.store.record(made.store.users()[0]).purpose == "test"


def test_a_renewal_takes_the_consent_of_no_other_and_no_older_record(
    made, folders, people, names, consent
):
    first, second = (made.store._name(name) for name in names[:2])
    older = folders[0][first]
    made.renew(names[0], people[names[0]][:3], consent=replace(consent, purpose="less"))
    for forged in (older, folders[0][second]):
        folders[0][first] = forged
        with pytest.raises(TemplateError, match=r"is of version 1, expected 2|does not open"):
            made.renew(names[0], people[names[0]][:3])
    made.renew(names[0], people[names[0]][:3], consent=consent)
    assert made.verify(names[0], people[names[0]][3]).user == names[0]


def test_a_renewal_enrols_nobody(made, people, consent):
    with pytest.raises(TemplateError, match="not enrolled"):
        made.renew("nobody", next(iter(people.values()))[:3], consent=consent)


def test_a_damaged_record_stops_no_other_and_can_be_deleted(made, people, names, consent):
    name = damage(made, names[0])
    with pytest.warns(TemplateWarning, match=f"1 records do not open.*{name}.*out of `records`"):
        assert made.store.users() == names[1:]
    for _ in range(2):
        with pytest.warns(TemplateWarning, match=f"left out of the search.*{name}"):
            assert found(made, people[names[1]][3]) == set(names[1:])
    made._today = lambda: consent.keep_until + timedelta(1)
    with pytest.warns(TemplateWarning, match=f"1 records are kept.*{name}"):
        assert made.delete_expired() == names[1:]
    made._today = lambda: TODAY
    with pytest.raises(TemplateError, match="delete the user and enrol them again"):
        made.renew(names[0], people[names[0]][:3])
    made.delete(names[0])
    made.enrol(names[0], people[names[0]][:3], consent=consent)
    assert made.verify(names[0], people[names[0]][3]).user == names[0]


def test_a_record_that_nobody_misses_is_taken_out_of_the_records(made, folders, names):
    del folders[0][damage(made, names[0])]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert made.store.users() == names[1:]


@pytest.mark.parametrize("counter", ["x", "", "\ufffd"])
def test_a_damaged_counter_is_told_and_mended(made, folders, people, names, consent, counter):
    name = made.store._name(names[0])
    older = folders[0][name]
    folders[1][name] = counter
    with pytest.raises(TemplateError, match="delete the user and enrol them again"):
        made.verify(names[0], people[names[0]][3])
    made._today = lambda: consent.keep_until + timedelta(1)
    with pytest.warns(TemplateWarning, match=f"1 records are kept.*{names[0]}"):
        assert made.delete_expired() == names[1:]
    made._today = lambda: TODAY
    made.delete(names[0])
    made.enrol(names[0], people[names[0]][:3], consent=consent)
    assert made.verify(names[0], people[names[0]][3]).user == names[0]
    folders[0][name] = older
    with pytest.raises(TemplateError, match="is of version 1"):
        made.verify(names[0], people[names[0]][3])


def test_files_that_are_no_text_are_damaged_ones(made, folders, people, names):
    name = made.store._name(names[0])
    for folder in folders:
        (folder.path / f"{name}.json").write_bytes(b"\xff\xfe")
    with pytest.raises(TemplateError, match="does not open"):
        made.verify(names[0], people[names[0]][3])
    made.delete(names[0])
    assert made.store.users() == names[1:]


def test_a_search_knows_what_another_verifier_has_changed(model, made, folders, people, names):
    other, sample = opened(model, folders), people[names[0]][3]
    assert found(other, sample) == set(names)
    made.delete(names[0])
    assert found(other, sample) == set(names[1:])
    made.store.delete(names[1])
    assert found(made, sample) == {names[2]}
    kept = made.store.record(names[2])
    made.enrol(names[0], people[names[0]][:3], consent=kept.consent)
    assert found(other, sample) == {names[0], names[2]}
    del folders[0][other.store._name(names[0])]  # past all stores
    assert found(other, sample) == {names[2]}
    made.delete(names[2])
    assert found(other, sample) == set()


def test_a_search_leaves_out_whom_it_may_not_find(made, people, names, consent):
    sample = people[names[0]][3]
    ending = replace(consent, keep_until=TODAY)
    made.renew(names[1], people[names[1]][:3], consent=ending)
    made._today = lambda: TODAY + timedelta(1)
    with pytest.warns(TemplateWarning, match=f"1 records are left out.*{names[1]}.*consent holds"):
        assert found(made, sample) == {names[0], names[2]}
    made.store.put(names[2], "0" * 64, made.store._newest(names[2])[1], consent, 3)
    with pytest.warns(TemplateWarning, match="2 records are left out.*`renew`") as told:
        assert found(made, sample) == {names[0]}
    assert told[-1].filename == __file__
    alone = TemplateStore(KEY, made.store._records, made.store._counters)
    alone.put(names[0], made._digest, made.store._newest(names[0])[1], consent, 3)
    with pytest.raises(TemplateError, match="None of the enrolled can be searched for"):
        made.search(sample)


def test_what_is_no_sample_consent_or_number_is_refused(model, made, people, names, consent):
    samples = people[names[0]][:3]
    cases = [
        (samples, None, "Give Consent"),
        (samples, {"purpose": "test"}, "Give Consent"),
        (samples[0], consent, r"a list of records; got a dict"),
        (iter(samples), consent, "a list of records"),
        ([each["image"] for each in samples], consent, "Give {'image': value}"),
        ([samples[0], None], consent, "mapping of column to value; got a NoneType"),
    ]
    for given, agreed, words in cases:
        with pytest.raises(ParameterError, match=words):
            made.enrol("another", given, consent=agreed)
    for asked in (made.search, lambda sample: made.verify(names[0], sample)):
        with pytest.raises(ParameterError, match=r"Give {'image': value}"):
            asked(samples[0]["image"])
    with pytest.raises(ParameterError, match="whole number"):
        made.search(samples[0], most=1.5)
    for wrong in ({"least_samples": 2.5}, {"least_samples": True}, {"threshold": "0.5"}):
        with pytest.raises(ParameterError, match="least_samples a whole number"):
            opened(model, (None, None), **wrong)
