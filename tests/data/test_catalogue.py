"""Cards are strict; data sets load, split and name themselves; users' own tables are read."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from industry_apps import data
from industry_apps.data import cards, datasets
from industry_apps.data.cards import Card
from industry_apps.data.rules import Reading, TargetRule, TimeRule
from industry_apps.data.tables import apply_reading, read_table
from industry_apps.errors import DataNotFoundError, SchemaError, UnknownNameError

CLAIMS = "finance_vehicle_insurance_fraud"
SIMULATED = "finance_card_simulator"

CONTENT = b"day,month,kind,found,row\n1,Jan,0,no,1\n2,Feb,7,yes,2\n9,Mar,8,no,3\n"
TEXT = f"""
id = "small"
title = "Small"
kind = "files"
applications = []
task = "binary classification"
licence = "CC0"
models_may_be_published = true
citation = "none"
source = "https://example.org"
target = "is_fraud"
[[files]]
name = "small.csv"
url = "https://example.org/small.csv"
sha256 = "{hashlib.sha256(CONTENT).hexdigest()}"
bytes = {len(CONTENT)}
[reading]
missing = {{ kind = [0] }}
codes = ["kind"]
drop = ["row", "day", "month"]
time = {{ name = "time", columns = ["day", "month"], format = "%d %b" }}
target = {{ column = "found", positive = "yes" }}
[split]
time = "time"
train = ["1900-01-01", "1900-02-01"]
validation = ["1900-02-01", "1900-03-01"]
test = ["1900-03-01", "1901-01-01"]
"""


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A data set of three rows with its card, in a mirror as .gz."""
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "small.toml").write_text(TEXT)
    monkeypatch.setattr(cards, "_folder", lambda: folder)
    (tmp_path / "mirror" / "small").mkdir(parents=True)
    (tmp_path / "mirror" / "small" / "small.csv.gz").write_bytes(gzip.compress(CONTENT))
    monkeypatch.setenv("INDUSTRY_APPS_DATA", str(tmp_path / "mirror"))
    monkeypatch.setenv("INDUSTRY_APPS_CACHE", str(tmp_path / "cache"))
    return "small"


@pytest.mark.parametrize("name", data.catalogue())
def test_every_card_is_complete(name):
    facts = data.card(name)
    own = facts.kind == "simulated" and not facts.source  # described where it is programmed
    used = facts.applications or facts.task == "inputs of tests"
    assert own or (facts.source.startswith("https://") and used)
    assert all(file.url.startswith("https://") and file.bytes > 0 for file in facts.files)
    assert all(each.source.startswith("https://") for each in facts.published)
    assert facts.columns[facts.target].meaning
    if facts.kind == "simulated":
        assert "simulated" in facts.title.lower()
        assert "simulated" in facts.licence
        assert any("simulated" in caveat.lower() for caveat in facts.caveats)


def test_unknown_data_set_names_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'finance_card_simulator'"):
        data.card("finance_card_simulater")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('licence = "CC0"', 'license = "CC0"', "unknown key 'license'. Did you mean 'licence'"),
        ('licence = "CC0"', "", "key 'licence' is missing"),
        ('licence = "CC0"', "licence = 3", "licence: expected str, got 3"),
        ("positive", "postive", "reading, target: unknown key 'postive'. Did you mean 'positive'"),
        ("models_may_be_published = true", "models_may_be_published = 1", "expected bool, got 1"),
        ('kind = "files"', 'kind = "file"', "kind: expected .*files.*, got 'file'"),
        ('kind = "files"', 'kind = "simulated"', "needs simulator, and no files"),
        ('id = "small"', 'id = "tiny"', "id is 'tiny'"),
        ("[split]", "[split]\ndelay = 1.5", "split, delay: expected int, got 1.5"),
        ('"1900-02-01"]', "]", "split, train: expected tuple"),
        ('sha256 = "', 'sha256 = "x', "sha256 of 'small.csv' is not 64 hex digits"),
        ("kind = [0]", "kind = 0", r"reading, missing\.kind"),
        ('id = "small"', "id = ", "not valid TOML"),
        ('name = "small.csv"', 'name = "../small.csv"', "'../small.csv' lies outside the folder"),
        ('name = "small.csv"', 'name = "/etc/small"', "'/etc/small' lies outside the folder"),
        ('name = "small.csv"', 'name = "C:\\\\small"', "lies outside the folder"),
        ('id = "small"', 'id = "small"\nfolder = "../x"', "'../x' is no name of a folder"),
        ("bytes = ", 'members = ["a", "b/../../c"]\nbytes = ', r"'b/\.\./\.\./c' lies outside"),
    ],
)
def test_card_with_a_mistake_is_refused(old, new, message):
    assert Card.from_toml(TEXT, name="small").id == "small"
    with pytest.raises(SchemaError, match=message):
        Card.from_toml(TEXT.replace(old, new, 1), name="small")


def test_cards_are_found_in_a_wheel_and_a_stranger_beside_it_is_not(tmp_path, monkeypatch):
    package = tmp_path / "site-packages" / "industry_apps"
    (package / "_datasets").mkdir(parents=True)
    (package / "_datasets" / "small.toml").write_text(TEXT)
    (tmp_path / "site-packages" / "datasets").mkdir()
    monkeypatch.setattr(cards, "__file__", str(package / "data" / "cards.py"))
    cards._folder.cache_clear()
    try:
        assert cards.catalogue() == ("small",)
    finally:
        monkeypatch.undo()
        cards._folder.cache_clear()
    assert SIMULATED in cards.catalogue()


def test_load_reads_splits_and_names_the_data(small):
    result = data.load(small)
    assert repr(result) == "Dataset('small': train 1, validation 1, test 1 rows, target 'is_fraud')"
    assert result.sha256 == hashlib.sha256(CONTENT).hexdigest()
    assert list(result.train.columns) == ["kind", "time", "is_fraud"]
    assert result.train["kind"].tolist() == [None]
    assert result.validation["kind"].tolist() == ["7"]
    assert [part["is_fraud"].item() for part in (result.train, result.validation)] == [False, True]
    summary = result.summary()
    assert summary.loc["validation", "positives"] == 1
    assert summary.loc["test", "first"] == pd.Timestamp("1900-03-09")


def test_reading_rules():
    frame = pd.DataFrame({"a": [1, 2], "b": ["0", "x"], "y": [2024, 2025], "t": ["no", "yes"]})
    before = frame.copy()
    rules = Reading(
        missing={"b": ("0",)},
        codes=("a",),
        time=TimeRule(name="time", columns=("y", "a"), format="%Y %m"),
        target=TargetRule(column="t", positive="yes"),
        drop=("y",),
        rename={"b": "c"},
    )
    result = apply_reading(frame, rules, target="fraud")
    pd.testing.assert_frame_equal(frame, before)
    assert result["a"].tolist() == ["1", "2"]
    assert result["c"].isna().tolist() == [True, False]
    assert result["time"].tolist() == [pd.Timestamp("2024-01-01"), pd.Timestamp("2025-02-01")]
    assert result["fraud"].dtype == bool
    assert list(result.columns) == ["a", "c", "time", "fraud"]
    with pytest.raises(SchemaError, match="'z', which the card names, is not in the file"):
        apply_reading(frame, Reading(drop=("z",)), target="fraud")


def test_users_tables(tmp_path: Path):
    frame = pd.DataFrame({"amount": [1.5, None], "shop": ["A", "none"]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.to_csv(tmp_path / "a.csv.gz", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    for name in ("a.csv", "a.csv.gz", "a.parquet"):
        pd.testing.assert_frame_equal(read_table(tmp_path / name), frame)
    with pytest.raises(DataNotFoundError, match=r"no file .*b\.csv"):
        read_table(tmp_path / "b.csv")
    (tmp_path / "a.xlsx").write_bytes(b"x")
    with pytest.raises(SchemaError, match=r"neither \.csv, \.csv\.gz nor \.parquet"):
        read_table(tmp_path / "a.xlsx")
    for name, content in (
        ("c.csv", b""),
        ("d.csv", b"a,b\n"),
        ("e.parquet", b"x"),
        ("f.csv.gz", b"x"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SchemaError, match=name):
            read_table(tmp_path / name)


def test_simulated_data_set_is_the_handbooks_and_is_cached(tmp_path, monkeypatch):
    """Rows and frauds of both weeks, and columns of two rows, as its chapter 3 prints them."""
    monkeypatch.setenv("INDUSTRY_APPS_CACHE", str(tmp_path))
    first = data.load(SIMULATED)
    assert "(simulated)" in repr(first)
    counts = first.summary()[["rows", "positives"]]
    assert counts.loc["train"].tolist() == [67_240, 598]
    assert counts.loc["test"].tolist() == [58_264, 385]
    one, two = (first.test.iloc[i] for i in (0, 2))
    assert (one["customer"], one["terminal"], one["amount"]) == ("C02765", "T02747", 42.32)
    assert (two["customer"], two["terminal"], two["amount"]) == ("C04982", "T01258", 26.13)
    names = ["customer_mean_amount_7d", "customer_count_30d", "customer_mean_amount_30d"]
    names += [f"terminal_{what}_{w}d" for w in (1, 7, 30) for what in ("count", "risk")]
    np.testing.assert_allclose(
        first.test.loc[[0, 2], names].to_numpy(),
        [
            [67.468529, 120, 64.611750, 2, 0, 9, 0, 31, 0],
            [56.269167, 61, 49.095902, 1, 0, 10, 0, 26, 0.076923],
        ],
        rtol=1e-5,
    )
    assert "scenario" not in first.train
    monkeypatch.setattr(datasets, "_simulate", None)  # the second time, nothing is simulated
    again = data.load(SIMULATED)
    assert again.sha256 == first.sha256
    pd.testing.assert_frame_equal(again.test, first.test)


@pytest.mark.real_data(CLAIMS)
def test_claims():
    claims = data.load(CLAIMS)
    counts = claims.summary()[["rows", "positives"]]
    assert counts.to_numpy().tolist() == [[8_762, 550], [2_575, 160], [4_083, 213]]
    assert claims.train["time"].max() < claims.validation["time"].min()
    everything = pd.concat([claims.train, claims.validation, claims.test])
    assert everything["Age"].isna().sum() == 320
    assert everything["days_to_claim"].between(0, 12 * 31).all()
    assert set(claims.card.columns) == set(everything.columns)


def test_no_model_of_faces_voices_or_fingers_of_people_may_be_published():
    cards = [data.card(name) for name in data.catalogue()]
    found = [each for each in cards if each.task.startswith("verification")]
    assert {each.id for each in found if each.kind == "files"} >= {"att_faces", "fsdd"}
    assert all(each.kind == "simulated" for each in found if each.models_may_be_published)
