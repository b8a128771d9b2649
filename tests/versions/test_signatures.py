"""Versions and heads of logs are signed with Ed25519, and checked where a public key is given."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from industry_apps.errors import VersionError
from industry_apps.versions import Store
from industry_apps.versions.signatures import new_key

pytest.importorskip("cryptography")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A signed version, and one that is not."""
    new_key(tmp_path / "ada")
    made = Store(tmp_path / "fraud")
    for name, key in (("signed", tmp_path / "ada"), ("plain", None)):
        (tmp_path / name).write_bytes(name.encode())
        made.add(tmp_path / name, who="release", key=key)
    return made


def test_the_private_half_is_its_owners_alone(tmp_path):
    new_key(tmp_path / "key")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    with pytest.raises(VersionError, match="is there already"):
        new_key(tmp_path / "key")


def test_only_what_is_signed_is_promoted_where_a_key_is_given(store, tmp_path):
    signed, plain = store.versions
    public = tmp_path / "ada.pub"
    with pytest.raises(VersionError, match="has no signature"):
        store.promote(plain, who="release", public_key=public)
    assert store.production is None
    store.promote(signed, who="release", public_key=public)
    assert store.production == signed


def test_a_rollback_and_a_check_ask_for_the_signature_too(store, tmp_path):
    signed, plain = store.versions
    public = tmp_path / "ada.pub"
    for version in (plain, signed):
        store.promote(version, who="release")
    told = rf"{plain[:12]} has no signature, expected one by the key of ada.pub"
    for ask in (
        lambda: store.rollback(who="release", public_key=public),
        lambda: store.check(None, public),
    ):
        with pytest.raises(VersionError, match=told):
            ask()
    assert store.production == signed
    store.add(tmp_path / "plain", who="release", key=tmp_path / "ada")
    assert store.check(None, public) == 4
    assert store.rollback(who="release", public_key=public).sha256 == plain


def test_a_signature_of_another_key_or_version_is_refused(store, tmp_path):
    signed, plain = store.versions
    other = new_key(tmp_path / "other")
    with pytest.raises(VersionError, match="of another file or key"):
        store.check_signature(signed, other)
    files = store.folder / "files"
    (files / f"{plain}.sig").write_text((files / f"{signed}.sig").read_text())
    with pytest.raises(VersionError, match="of another file or key"):
        store.check_signature(plain, tmp_path / "ada.pub")


def test_a_signed_head_proves_the_log(store, tmp_path):
    head = store.head(tmp_path / "ada")
    assert store.check(head, tmp_path / "ada.pub") == 2
    for wrong in ({**head, "number": 1}, {**head, "signature": ""}):
        with pytest.raises(VersionError, match="head"):
            store.check(wrong, tmp_path / "ada.pub")


def test_what_is_no_key_is_named(store, tmp_path):
    (tmp_path / "text").write_text("no key")
    with pytest.raises(VersionError, match="no readable public key"):
        store.check_signature(store.versions[0], tmp_path / "text")
    with pytest.raises(VersionError, match="no readable private key"):
        store.head(tmp_path / "ada.pub")
