"""Enrolment, verification, search; what is refused, and that nothing leaks."""

from __future__ import annotations

import logging
import pickle
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from industry_apps.cybersecurity import FaceVerifier
from industry_apps.errors import ParameterError, SchemaError, TemplateError
from industry_apps.runtime import Model
from industry_apps.runtime.verification import Consent, TemplateStore, Verifier
from industry_apps.runtime.verification.gallery import Gallery
from industry_apps.runtime.verification.scoring import rotation, scores, unit
from industry_apps.runtime.verification.sealing import Key
from industry_apps.runtime.verification.templates import Record, TextFolder

TODAY = date(2026, 3, 1)
KEY = Key(bytes(range(32)))


def verifier(model, store=None, **options):
    store = TemplateStore(KEY) if store is None else store
    return Verifier(model, store, today=lambda: TODAY, **options)


def enrolled(model, people, consent, count=5, **options):
    store = TemplateStore(KEY, shared=options.get("identification", False))
    made = verifier(model, store, **options)
    for name in list(people)[:count]:
        made.enrol(name, people[name][:3], consent=consent)
    return made


def test_a_person_is_known_again_and_another_is_not(model, people, consent):
    made = enrolled(model, people, consent)
    names = list(people)[:5]
    right = [made.verify(name, people[name][3]).accepted for name in names]
    wrong = [made.verify(a, people[b][3]).accepted for a in names for b in names if a != b]
    assert sum(right) >= 4
    assert sum(wrong) <= 1
    assert made.verify(names[0], people[names[0]][3]).live is None


def test_verification_and_search_agree_to_the_last_bit(model, people, consent):
    made = enrolled(model, people, consent, count=8, identification=True)
    made.threshold = -1.0
    for name in list(people)[:8]:
        found = made.search(people[name][4], most=8)
        assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)
        for candidate in found:
            one = made.verify(candidate.user, people[name][4])
            assert one.score == candidate.score


def test_search_is_exact_among_many():
    draw = np.random.default_rng(0)
    templates = unit(draw.normal(size=(3000, 32))).astype(np.float32)
    templates[1500] = templates[7]  # two of equal score
    record = Record(
        user="0", model="m", version=1, rotation="gallery", samples=1,
        purpose="test", given="2026-01-01", keep_until="2026-12-31",
    )  # fmt: skip
    gallery = Gallery([f"{n:04d}" for n in range(3000)], templates, record, TODAY)
    for probe in unit(draw.normal(size=(20, 32))):
        every = scores(templates, probe)
        for threshold in (-1.0, 0.3, 0.99):
            order = sorted(range(3000), key=lambda row: (-every[row], row))[:5]
            wanted = [f"{n:04d}" for n in order if every[n] >= threshold]
            assert [c.user for c in gallery.search(probe, threshold, 5)] == wanted


def test_search_is_off_unless_asked_for(model, people, consent):
    with pytest.raises(TemplateError, match="Identification is off"):
        enrolled(model, people, consent, count=1).search(people[next(iter(people))][0])
    with pytest.raises(ParameterError, match="shared=True"):
        verifier(model, identification=True)


def test_enrolment_refuses(model, people, consent):
    made = enrolled(model, people, consent, count=1)
    first, second, third = list(people)[:3]
    ended = replace(consent, keep_until=date(2026, 2, 1))
    cases = [
        (first, people[second][:3], consent, "is enrolled"),  # two persons under one name
        (second, people[second][:1], consent, "1 samples, expected 3"),
        (second, [], consent, "0 samples"),
        (second, [*people[second][:2], people[third][0]], consent, "somebody else"),
        (second, [*people[second][:2], people[second][0]], consent, "twice"),
        (second, people[second][:3], ended, "consent holds"),
        ("", people[second][:3], consent, "named by a text"),
    ]
    for user, samples, agreed, words in cases:
        with pytest.raises(TemplateError, match=words):
            made.enrol(user, samples, consent=agreed)
    assert made.store.users() == [first]
    alone = verifier(model, least_samples=1)
    assert alone.enrol(second, people[second][:1], consent=consent).samples == 1


def test_images_without_a_face_are_refused(model, people, consent):
    made = enrolled(model, people, consent, count=1)
    name = next(iter(people))
    face, other = people[name][3]["image"], people[list(people)[1]][3]["image"]
    two = np.hstack([face[:, ::2], other[:, ::2]])
    for image in (np.full((32, 32), 90, np.uint8), two, face[::-1], 255 - face):
        with pytest.raises(TemplateError, match="quality"):
            made.verify(name, {"image": image})
    with pytest.raises(SchemaError, match="image"):
        made.verify(name, {"image": None})


def test_a_consent_needs_a_purpose_and_an_end():
    day = date(2026, 1, 1)
    with pytest.raises(ParameterError, match="purpose"):
        Consent(purpose=" ", given=day, keep_until=day)
    with pytest.raises(ParameterError, match="ends on the same or a later"):
        Consent(purpose="test", given=day, keep_until=date(2025, 1, 1))


def test_a_template_ends_with_its_consent(model, people, consent):
    made = enrolled(model, people, consent, count=2)
    name, other = list(people)[:2]
    made.renew(other, people[other][:3], consent=replace(consent, keep_until=date(2027, 6, 1)))
    made._today = lambda: date(2027, 1, 1)
    with pytest.raises(TemplateError, match="consent holds"):
        made.verify(name, people[name][3])
    assert made.delete_expired() == [name]
    assert made.store.users() == [other]


def test_a_sample_that_is_not_live_is_not_accepted(model, people, consent):
    name = next(iter(people))
    asked = []

    def liveness(sample):
        asked.append(sample)
        return len(asked) <= 3

    made = verifier(model, liveness=liveness)
    made.enrol(name, people[name][:3], consent=consent)
    answer = made.verify(name, people[name][0])
    assert answer.score >= answer.threshold
    assert answer.live is False
    assert not answer.accepted
    with pytest.raises(TemplateError, match="liveness"):
        made.enrol("another", people[name][:3], consent=consent)


def test_records_of_others_older_ones_and_changed_ones_are_refused(model, people, consent):
    records: dict[str, str] = {}
    counters: dict[str, str] = {}
    made = verifier(model, TemplateStore(KEY, records, counters))
    one, two = list(people)[:2]
    for name in (one, two):
        made.enrol(name, people[name][:3], consent=consent)
    first, second = (made.store._name(name) for name in (one, two))
    kept = dict(records)

    for wrong in (kept[second], kept[first][:-20], kept[first] + "0", "\ufffd", ""):
        records[first] = wrong
        with pytest.raises(TemplateError, match="does not open: it is damaged"):
            made.verify(one, people[one][3])

    records[first] = kept[first]
    made.renew(one, people[one][1:4])
    records[first] = kept[first]
    with pytest.raises(TemplateError, match="is of version 1, expected 2"):
        made.verify(one, people[one][3])
    made.delete(one)
    with pytest.raises(TemplateError, match="not enrolled"):
        made.verify(one, people[one][3])
    records[first] = kept[first]  # put back after it was deleted
    with pytest.raises(TemplateError, match="version"):
        made.verify(one, people[one][3])
    assert made.verify(two, people[two][3]).user == two

    lost = verifier(model, TemplateStore(Key.new(), {}, {}))
    lost.store._records[lost.store._name(two)] = kept[second]
    lost.store._counters[lost.store._name(two)] = "1"
    with pytest.raises(TemplateError, match="another key"):
        lost.verify(two, people[two][3])


def test_one_is_moved_to_another_model_and_no_other_is_touched(
    model, sample, people, consent, tmp_path
):
    records: dict[str, str] = {}
    store = TemplateStore(KEY, records)
    old = verifier(model, store)
    one, two = list(people)[:2]
    for name in (one, two):
        old.enrol(name, people[name][:3], consent=consent)
    newer = FaceVerifier.fast().set_params(seed=1, false_accept_rate=0.02).fit(sample)
    new = verifier(Model(newer.export(tmp_path / "newer.onnx")), store, threshold=0.0)
    with pytest.raises(TemplateError, match="renew"):
        new.verify(one, people[one][3])
    untouched = records[store._name(two)]
    new.renew(one, people[one][:3])
    assert new.verify(one, people[one][3]).accepted
    assert records[store._name(two)] == untouched
    assert old.verify(two, people[two][3]).user == two
    with pytest.raises(TemplateError, match="load the model"):
        old.verify(one, people[one][3])


def test_templates_in_folders_last(model, people, consent, tmp_path):
    name = next(iter(people))

    def opened():
        folders = (TextFolder(tmp_path / "records"), TextFolder(tmp_path / "counters"))
        return verifier(model, TemplateStore(KEY, *folders))

    opened().enrol(name, people[name][:3], consent=consent)
    assert opened().verify(name, people[name][3]).user == name
    files = [path.read_text() for path in (tmp_path / "records").iterdir()]
    assert len(files) == 1
    opened().delete(name)
    assert not list((tmp_path / "records").iterdir())
    assert name not in opened().store


def test_a_revoked_template_matches_no_longer(model, people, consent):
    made = enrolled(model, people, consent, count=1)
    name = next(iter(people))
    before = made.verify(name, people[name][3]).score
    _, stolen = made.store.template(name, made._digest, TODAY)
    made.store.revoke(name, TODAY)
    _, kept = made.store.template(name, made._digest, TODAY)
    assert made.verify(name, people[name][3]).score == pytest.approx(before, abs=1e-5)
    assert abs(float(stolen @ kept)) < 0.6
    with pytest.raises(TemplateError, match="share one rotation"):
        enrolled(model, people, consent, count=1, identification=True).store.revoke(name, TODAY)


def test_two_revoked_templates_are_not_linked():
    """As often as by chance the two of one person lie closer than those of two persons."""
    draw = np.random.default_rng(0)
    persons = unit(draw.normal(size=(60, 64)))
    first, second = (
        np.array([unit(p @ rotation(draw.bytes(32), 64)) for p in persons]) for _ in range(2)
    )
    linked = (first @ second.T).argmax(axis=1) == np.arange(60)
    assert linked.mean() < 0.1


def test_nothing_is_logged_shown_or_pickled(model, people, consent, caplog, capsys):
    with caplog.at_level(logging.DEBUG):
        made = enrolled(model, people, consent, count=2)
        made.verify(next(iter(people)), people[next(iter(people))][3])
    assert not caplog.records
    assert capsys.readouterr() == ("", "")
    assert repr(made.store) == "TemplateStore(2 users)"
    assert repr(KEY) == "Key(...)"
    record = made.store.record(next(iter(people)))
    assert "embedding" not in repr(record)
    with pytest.raises(ParameterError, match="not pickled"):
        pickle.dumps(KEY)
    with pytest.raises(ParameterError, match="not pickled"):
        pickle.dumps(made.store)


def test_a_file_that_verifies_nobody_is_refused():
    with pytest.raises(ParameterError, match="verifies nobody"):
        Verifier(Model("finance.fraud_detection"), TemplateStore(KEY))
