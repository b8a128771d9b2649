"""Studies of threats: families left out, evasion, parts of a site, a split that leaks."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from industry_apps.cybersecurity import DomainThreatDetector, UrlThreatDetector
from industry_apps.cybersecurity.threat_studies import _CHANGES
from industry_apps.errors import SchemaError
from industry_apps.runtime.addresses.canonical import canonical_url

URL = "http://login.shop.example/a/b.php?c=1"


@pytest.fixture(scope="module")
def data():
    return UrlThreatDetector.sample()


def rows(study):
    (section,) = study
    return section.records()


@pytest.mark.parametrize("name", _CHANGES)
def test_equivalent_spellings_are_one_address_and_other_changes_are_not(name):
    change, equivalent = _CHANGES[name]
    assert (str(canonical_url(change(URL))) == str(canonical_url(URL))) == equivalent


def test_evasion_counts_what_is_found_before_and_after(data):
    found = rows(UrlThreatDetector.fast().studies()["evasion"](data))
    assert [row["change"] for row in found] == list(_CHANGES)
    assert all(row["other answers"] == 0 for row in found if row["equivalent"])
    assert any(row["other answers"] > 0 for row in found if not row["equivalent"])


def test_a_random_split_is_put_beside_the_one_by_domain(data):
    detector = UrlThreatDetector.fast().set_params(model="trees")
    parts = ("train", "validation", "test")
    made = replace(data, **{name: getattr(data, name).drop(columns="url") for name in parts})
    by_domain, leaking = rows(detector.studies()["random_split"](made))
    assert "leaks" in leaking["split"]
    assert 0 < by_domain["auroc"]["value"] <= 1
    assert 0 < leaking["accuracy"] <= 1


def test_each_family_is_judged_by_a_model_that_has_not_seen_it():
    data = DomainThreatDetector.sample()
    detector = DomainThreatDetector.fast().set_params(model="trees")
    found = rows(detector.studies()["unseen_families"](data))
    families = sorted(set(data.train["family"].dropna()))
    assert [row["family left out"] for row in found] == [*families, "mean"]
    assert found[-1]["auroc"] == pytest.approx(
        pd.Series([row["auroc"]["value"] for row in found[:-1]]).mean(), abs=1e-9
    )


def test_names_that_look_generated_are_counted_apart():
    detector = DomainThreatDetector.fast().set_params(model="trees")
    found = rows(detector.studies()["unusual_names"](DomainThreatDetector.sample()))
    assert found[0]["names"].startswith("harmless")
    assert all(0 <= row["stopped"] <= row["count"] for row in found)


def test_families_are_left_out_where_they_are_told():
    data = DomainThreatDetector.sample()
    untold = replace(data, test=data.test.drop(columns="family"))
    with pytest.raises(SchemaError, match="Column 'family' is missing: families"):
        DomainThreatDetector.fast().studies()["unseen_families"](untold)
