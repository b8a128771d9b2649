"""A store keeps versions by digest, moves one pointer, and loses nothing that it acknowledged."""

from __future__ import annotations

import errno
import itertools
import json
import os
from pathlib import Path

import pytest

from industry_apps.errors import FileWriteError, VersionError
from industry_apps.versions import Store
from tests.killing import child

MOMENTS = 24
PROMOTE = """
import sys
from pathlib import Path
from tests.killing import killed_at
from industry_apps.versions import Store

def work(folder, tell):
    store = Store(folder)
    for version in store.versions:
        store.promote(version, who="child")
        tell(version)

killed_at(int(sys.argv[1]), work, Path(sys.argv[2]), Path(sys.argv[3]))
"""
FULL = """
import sys
from tests.killing import no_room
from industry_apps.errors import FileWriteError
from industry_apps.versions import Store
store = Store(sys.argv[1])
no_room((store.folder / "log.jsonl").stat().st_size + 10)
try:
    store.promote(store.versions[1], who="child")
except FileWriteError as error:
    print(error)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two versions, none of them in production."""
    made = Store(tmp_path / "fraud")
    for name in ("one", "two"):
        (tmp_path / f"{name}.onnx").write_bytes(name.encode())
        made.add(tmp_path / f"{name}.onnx", who="release", why=name)
    return made


def test_promote_and_roll_back(store):
    one, two = store.versions
    assert store.production is None
    store.promote(one, who="release", why="first")
    store.promote(two[:8], who="retraining", why="better")
    assert store.production == two
    assert store.path(two).read_bytes() == b"two"
    assert (store.folder / "production").read_text().strip() == two
    entry = store.rollback(who="release", why="worse after all")
    assert (entry.sha256, store.production) == (one, one)
    assert store.check() == 5
    with pytest.raises(VersionError, match="no version that was in production before"):
        store.rollback(who="release")


def test_the_log_tells_what_was_in_production_and_by_whom(store):
    one, two = store.versions
    first = store.promote(one, who="release", why="first")
    second = store.promote(two, who="retraining", why="better")
    assert store.at(first.time) == first
    assert store.at(second.time) == second
    assert store.at("2020-01-01") is None
    assert store.at("2999-01-01T00:00+05:00") == second
    with pytest.raises(VersionError, match="expected ISO 8601"):
        store.at("yesterday")


def test_a_version_that_is_there_is_not_added_twice(store, tmp_path):
    assert store.add(tmp_path / "one.onnx", who="release") == store.versions[0]
    assert len(store.entries()) == 2


def test_what_a_store_refuses(store, tmp_path):
    one = store.versions[0]
    store.promote(one, who="release")
    with pytest.raises(VersionError, match="in production already"):
        store.promote(one, who="release")
    with pytest.raises(VersionError, match=r"Unknown version 'ffff00'.*Known: "):
        store.promote("ffff00", who="release")
    with pytest.raises(VersionError, match="give more digits"):
        store.find("")
    with pytest.raises(VersionError, match="'who' for 1 to 1000 characters"):
        store.promote(store.versions[1], who=" ")
    with pytest.raises(VersionError, match="cannot be read"):
        store.add(tmp_path / "none.onnx", who="release")


def test_a_damaged_version_is_not_promoted(store):
    one, _ = store.versions
    (store.folder / "files" / f"{one}.onnx").write_bytes(b"other")
    with pytest.raises(VersionError, match="missing or damaged"):
        store.promote(one, who="release")
    with pytest.raises(VersionError, match="missing or damaged"):
        store.check()


@pytest.mark.parametrize("key", ["who", "why", "time", "action", "sha256", "number", "previous"])
def test_an_edited_line_is_found(store, key):
    log = store.folder / "log.jsonl"
    lines = log.read_bytes().splitlines()
    told = json.loads(lines[0])
    told[key] = {"number": 2, "action": "rollback"}.get(key, "x" + str(told[key])[1:])
    log.write_bytes(b"\n".join([json.dumps(told).encode(), *lines[1:], b""]))
    with pytest.raises(VersionError, match=r"line 1: its hash is .* The log was edited"):
        Store(store.folder)


@pytest.mark.parametrize("line", [b"{}", b"[]", b"\xff", b"[" * 5000, b'{"number": 1}'])
def test_a_line_that_is_no_entry_is_found(store, line):
    log = store.folder / "log.jsonl"
    log.write_bytes(log.read_bytes() + line + b"\n")
    with pytest.raises(VersionError, match="line 3 is no entry"):
        store.entries()


def test_a_line_that_was_taken_out_is_found(store):
    log = store.folder / "log.jsonl"
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[1])
    with pytest.raises(VersionError, match="line 1"):
        store.entries()


def test_a_last_entry_without_its_end_is_no_half_of_one(store):
    store.promote(store.versions[0], who="release")
    log = store.folder / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-1])  # as some editors do
    for ask in (store.check, store.entries, lambda: store.promote("aaaaaa", who="release")):
        with pytest.raises(VersionError, match=r"no newline behind it.* or add the newline"):
            ask()
    log.write_bytes(log.read_bytes() + b"\n")
    assert store.check() == 3


def test_an_entry_that_was_cut_off_is_found_by_the_pointer(store):
    one, two = store.versions
    log = store.folder / "log.jsonl"
    for version in (one, two):
        store.promote(version, who="release")
        whole = log.read_bytes()
        log.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
        for ask in (store.check, lambda: Store(store.folder), lambda: store.production):
            with pytest.raises(VersionError, match=rf"names '{version[:12]}', expected .* edited"):
                ask()
        log.write_bytes(whole)
        assert (store.check(), store.production) == (len(whole.splitlines()), version)
    (store.folder / "production").write_text(f"{'0' * 64}\n")
    with pytest.raises(VersionError, match=rf"expected '{two[:12]}', .* remove "):
        store.check()
    (store.folder / "production").unlink()
    assert (store.check(), store.production) == (4, two)
    assert (store.folder / "production").read_text().strip() == two


def test_a_rollback_needs_the_file_as_a_promotion_does(store, tmp_path):
    one, two = store.versions
    store.promote(one, who="release")
    store.promote(two, who="release")
    store.path(one).unlink()
    with pytest.raises(VersionError, match=r"is missing or damaged.* Add the file again"):
        store.rollback(who="release")
    assert store.production == two
    store.add(tmp_path / "one.onnx", who="release")
    assert store.rollback(who="release").sha256 == store.production == one


def test_a_chain_that_was_written_anew_is_found_by_an_exported_head(store, tmp_path):
    store.promote(store.versions[0], who="release")
    head = store.head()
    store.promote(store.versions[1], who="release")
    assert store.check(head) == 4
    forged = Store(tmp_path / "forged")
    for name in ("one", "two"):
        forged.add(tmp_path / f"{name}.onnx", who="Mallory")
    forged.promote(forged.versions[0], who="Mallory")
    for name in ("log.jsonl", "production"):
        (store.folder / name).write_bytes((forged.folder / name).read_bytes())
    assert store.check() == 3  # in itself the chain is whole
    with pytest.raises(VersionError, match="the log was written anew"):
        store.check(head)
    with pytest.raises(VersionError, match="no head of a log"):
        store.check({"number": "1"})


def test_a_clock_that_is_set_back_does_not_turn_the_order(store, monkeypatch):
    late = store.promote(store.versions[0], who="release")
    monkeypatch.setattr("industry_apps.versions.log.datetime", _Past)
    assert store.promote(store.versions[1], who="release").time == late.time
    assert store.check() == 4


class _Past:
    @staticmethod
    def now(zone: object) -> _Past:
        return _Past()

    def isoformat(self, timespec: str) -> str:
        return "1999-01-01T00:00:00.000000+00:00"


def test_a_kill_loses_nothing_that_was_acknowledged(store, tmp_path):
    done = child(PROMOTE, MOMENTS, tmp_path / "killed", store.folder)
    assert done.returncode == 0, done.stderr
    cut = 0
    for moment in range(1, MOMENTS + 1):
        folder = tmp_path / "killed" / str(moment)
        told = (folder / "told").read_text().split()
        cut += len(told) < 2
        after = Store(folder)  # moves a pointer that was left behind
        promoted = [entry.sha256 for entry in after.entries() if entry.action == "promote"]
        assert promoted[: len(told)] == told
        assert len(promoted) <= len(told) + 1
        pointer = folder / "production"
        assert (pointer.read_text().strip() if pointer.exists() else None) == after.production
        assert after.production == (promoted[-1] if promoted else None)
        assert after.check() == 2 + len(promoted)
        after.promote(next(v for v in after.versions if v != after.production), who="release")
        assert after.check() == 3 + len(promoted)
    assert cut >= 20, "fewer than 20 of the moments lie within the work"


def test_a_full_disk_changes_nothing(store):
    store.promote(store.versions[0], who="release")
    done = child(FULL, store.folder)
    assert "there is no room for it" in done.stdout, done.stderr
    assert store.check() == 3
    assert store.production == store.versions[0]


@pytest.mark.parametrize(("call", "number"), [("pwrite", 1), ("fsync", 1), ("fsync", 2)])
def test_whatever_finds_the_disk_full_leaves_all_as_it_was(store, monkeypatch, call, number):
    """The pointer is written first, then the entry of the log, each of them synchronised."""
    one, two = store.versions
    store.promote(one, who="release")
    entries, found, calls = store.entries(), getattr(os, call), itertools.count(1)

    def full(*arguments: int) -> int:
        if next(calls) == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        return found(*arguments)

    monkeypatch.setattr(os, call, full)
    with pytest.raises(FileWriteError, match="there is no room for it"):
        store.promote(two, who="release")
    monkeypatch.undo()
    assert (store.production, (store.folder / "production").read_text().strip()) == (one, one)
    assert Store(store.folder).entries() == entries
    assert store.promote(two, who="release").sha256 == store.production == two
