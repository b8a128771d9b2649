"""Versions are rolled back: when asked for, by themselves, and whatever their store says."""

from __future__ import annotations

import asyncio
import threading

import pytest

from industry_apps.serving.journal import Journal
from industry_apps.serving.served import Served
from industry_apps.serving.settings import Settings
from tests.serving.running import running, until
from tests.serving.versions import altered, store_of

PREDICT = "/models/tiny/predict"
THREE = {"version": "3"}


def test_a_rollback_reads_no_file(store, rows):
    one, two = store.versions
    with running({"tiny": store.folder}) as server:
        assert server.post("/models/tiny/promote", {"version": two[:8]}).status == 200
        for version in (one, two):
            store.path(version).unlink()
        found = server.post("/models/tiny/rollback")
        assert (found.status, found.told["version"]) == (200, one[:12])
        assert server.post(PREDICT, rows[0]).headers["x-model-version"] == one[:12]
        again = server.post("/models/tiny/rollback")
        assert (again.status, "answered before this one" in again.told["error"]) == (409, True)
    # A version without its file is nothing that a store puts into production, which is said.
    assert store.production == two
    assert "the store has no entry of it" in found.told["warning"]
    assert "is missing or damaged" in found.told["warning"]


def test_a_rollback_under_an_edited_log_says_what_it_could_not_enter(store, rows):
    one, two = store.versions
    with running({"tiny": store.folder}) as server:
        assert server.post("/models/tiny/promote", {"version": two}).status == 200
        log = store.folder / "log.jsonl"
        whole = log.read_bytes()
        log.write_bytes(whole.replace(b'"who":"release"', b'"who":"nobody"', 1))
        found = server.post("/models/tiny/rollback")
        assert (found.status, found.told["version"]) == (200, one[:12])
        assert "log was edited" in found.told["warning"]
        assert server.events[-1]["event"] == "not entered"
        assert server.post(PREDICT, rows[0]).headers["x-model-version"] == one[:12]
        log.write_bytes(whole)
        assert store.production == two
        again = server.post("/models/tiny/promote", {"version": one})  # as the warning says
        assert (again.status, again.told) == (200, {"version": one[:12]})
        assert store.production == one


def test_a_rollback_whose_store_takes_no_entry_is_told_with_a_warning(store, rows):
    one, two = store.versions
    lock = store.folder / ".lock"
    with running({"tiny": store.folder}) as server:
        assert server.post("/models/tiny/promote", {"version": two}).status == 200
        lock.unlink()
        lock.mkdir()
        found = server.post("/models/tiny/rollback")
        assert (found.status, found.told["version"]) == (200, one[:12])
        assert (
            f"Is a directory: '{lock}'. Once that is mended, promote {one[:12]}"
            in (found.told["warning"])
        )
        assert server.post(PREDICT, rows[0]).headers["x-model-version"] == one[:12]
        lock.rmdir()
        assert server.post("/models/tiny/promote", {"version": one}).status == 200
    assert store.production == one


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_rollback_does_not_leave_a_version_that_came_between(tmp_path, files, by_itself):
    """While one version fails, the next is prepared already: what is left is the one that fails."""
    store = store_of(tmp_path / "store", *files, altered(files[0], tmp_path / "three.onnx", THREE))
    _, two, three = store.versions
    lines: list[str] = []
    go_on = threading.Event()
    other = tmp_path / "other.onnx"
    other.write_bytes(files[0].read_bytes())

    async def asked() -> None:
        served = Served({"tiny": store.folder, "other": other}, journal=Journal(lines.append))
        slot = served.slot("tiny")
        await served.swap("tiny", two, "release", "")
        prepare, begun = slot.prepare, asyncio.Event()
        loop = asyncio.get_running_loop()

        def slow(*told):
            loop.call_soon_threadsafe(begun.set)
            assert go_on.wait(20)
            return prepare(*told)

        slot.prepare = slow
        mended = asyncio.create_task(served.swap("tiny", three, "release", "mended"))
        await begun.wait()
        if by_itself:
            slot.on_failing("20 of 20 requests failed")
        else:
            served.start(served.rollback("tiny", "Ada", "it fails"))
        (back,) = served._tasks
        other.write_bytes(files[1].read_bytes())
        await asyncio.wait_for(served.swap("other", None, "Ada", ""), 10)  # models do not wait
        assert not back.done()
        go_on.set()
        await mended
        found = (await asyncio.gather(back, return_exceptions=True))[0]
        words = f"from version {three[:12]} by now, expected {two[:12]}"
        assert words in (lines[-1] if by_itself else str(found))
        assert slot.current.sha256 == three
        if not by_itself:  # as the error says
            slot.prepare = prepare
            assert (await served.rollback("tiny", "Ada", ""))["version"] == two[:12]
        served.close()

    asyncio.run(asked())
    assert store.production == (three if by_itself else two)


def test_a_rollback_goes_on_through_the_store_after_a_restart_too(tmp_path, files, rows):
    three = altered(files[0], tmp_path / "three.onnx", THREE)
    store = store_of(tmp_path / "store", *files, three)
    one, two, three = store.versions
    store.promote(two, who="release")
    for steps in ([three, two, one], [one]):
        with running({"tiny": store.folder}) as server:
            for version in steps:
                if version == three:
                    found = server.post("/models/tiny/promote", {"version": three})
                else:
                    found = server.post("/models/tiny/rollback", {"why": "to see"})
                assert (found.status, found.told["version"]) == (200, version[:12]), found.told
                answer = server.post(PREDICT, rows[0])
                assert answer.headers["x-model-version"] == version[:12]
                assert store.production == version
            last = server.post("/models/tiny/rollback")
            assert (last.status, "Promote one" in last.told["error"]) == (409, True)
        store.promote(two, who="release")
    moves = [e.action for e in store.entries() if e.action != "add"]
    assert moves == [*["promote"] * 3, "rollback", "rollback", "promote", "rollback", "promote"]


def test_a_promotion_does_what_is_asked_whatever_the_shell_did_before(store, rows):
    one, two = store.versions
    with running({"tiny": store.folder}) as server:

        def asked(version: str) -> tuple[int, str | None, bool]:
            status = server.post("/models/tiny/promote", {"version": version}).status
            answer = server.post(PREDICT, rows[0])
            return status, answer.headers["x-model-version"], store.production == version

        store.promote(two, who="shell")
        assert asked(two) == (200, two[:12], True)
        store.rollback(who="shell")
        assert asked(two) == (200, two[:12], True)
        assert asked(two)[0] == 409
        store.rollback(who="shell")
        back = server.post("/models/tiny/rollback")
        assert (back.told, store.production) == ({"version": one[:12]}, one)


def test_a_version_that_fails_is_rolled_back_by_itself(store, rows, monkeypatch):
    one, two = store.versions
    settings = Settings(error_share=0.2)
    with running({"tiny": store.folder}, settings) as server:
        slot = server.served.slot("tiny")
        assert server.post("/models/tiny/promote", {"version": two}).status == 200
        for _ in range(30):  # records that no version answers are no fault of this one
            assert server.post(PREDICT, {"amount": "x"}).status == 400
        assert slot.current.sha256 == two
        monkeypatch.setattr(slot.current.batches, "run", _fails)
        monkeypatch.setattr(slot.current.batches, "one_by_one", _fails)
        statuses = [server.post(PREDICT, rows[0]).status for _ in range(20)]
        assert statuses == [500] * 20
        until(lambda: slot.current.sha256 == one)
        assert server.post(PREDICT, rows[0]).status == 200
        until(lambda: store.production == one)
    (entry,) = [e for e in store.entries() if e.action == "rollback"]
    assert entry.who == "industry_apps"
    assert "20 of 20 requests failed after the swap, more than 20%" in entry.why


def test_a_version_that_fails_to_explain_is_rolled_back_too(store, rows, monkeypatch):
    one, two = store.versions
    with running({"tiny": store.folder}) as server:
        slot = server.served.slot("tiny")
        assert server.post("/models/tiny/explain", rows[0]).status == 200
        found = server.post("/models/tiny/promote", {"version": two})
        assert (found.status, found.told["replay"]["requests"]) == (200, 1)
        for _ in range(30):
            assert server.post("/models/tiny/explain", {"amount": "x"}).status == 400
        assert slot.current.sha256 == two
        monkeypatch.setattr(slot.current.model, "explain", _fails)
        asked = [server.post("/models/tiny/explain", rows[:2]).status for _ in range(20)]
        assert asked == [500] * 20
        until(lambda: slot.current.sha256 == one)


def _fails(asked: object) -> None:
    raise RuntimeError
