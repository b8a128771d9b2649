"""Events of a stream: on the disk before they are answered, there again after a kill."""

from __future__ import annotations

import asyncio
import errno
import resource
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from industry_apps.errors import FileWriteError, ModelFileError
from industry_apps.runtime import Model, TransactionState
from industry_apps.runtime.zoo import verify
from industry_apps.serving.settings import Settings
from industry_apps.serving.streams import Stream
from tests.killing import child
from tests.serving.commands import command
from tests.serving.running import Answer, Running, running, until
from tests.serving.versions import altered, store_of
from tests.stream_events import SETTINGS, event

FRAUD = "finance.fraud_detection"
MOMENTS = 30
# The answers are stubs here: it is the state that must be there again.
STUB = """
import asyncio, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from industry_apps.serving.streams import Stream
from tests.killing import killed_at, no_room
from tests.stream_events import SETTINGS, event

def work(folder, tell):
    batches = SimpleNamespace(read=dict, run=list)
    with ThreadPoolExecutor(1) as executor:
        stream = Stream(folder / "state", SETTINGS, executor, events=3)
        async def ask(number):
            try:
                await stream.ask(event(number), SimpleNamespace(batches=batches))
                tell("taken")
            except Exception as error:
                tell(f"{type(error).__name__}: {error}")
        for number in range(5):
            asyncio.run(ask(number))
        stream.close()
"""
KILLED = (
    STUB
    + """
killed_at(int(sys.argv[1]), work, Path(sys.argv[2]))
"""
)
FULL = (
    STUB
    + """
no_room(250)
work(Path(sys.argv[1]), print)
"""
)


def counted(folder: Path, settings: Mapping[str, Any] = SETTINGS) -> int:
    """How many events a folder knows, by one more."""
    with ThreadPoolExecutor(1) as executor:
        stream = Stream(folder, settings, executor)
        found = stream.state.update(event(500))["customer_count_1d"]
        stream._journal.close()
        stream._held.close()
    return int(found) - 1


def test_events_are_answered_as_the_state_and_the_file_do(tmp_path):
    model = Model(FRAUD, threads=1)
    state = TransactionState(**model.metadata["state"])
    settings = Settings(state=tmp_path)
    events = [event(number) for number in range(7)]
    wanted = [model.predict(state.update(each)) for each in events]
    with running({"fraud": FRAUD}, settings) as server:
        found = [server.post("/models/fraud/events", each).told for each in events[:4]]
        late = server.post("/models/fraud/events", events[0])
        assert (late.status, "lies before the latest" in late.told["error"]) == (400, True)
    with running({"fraud": FRAUD}, settings) as server:
        found += [server.post("/models/fraud/events", each).told for each in events[4:]]
        assert found == wanted
        told = server.post("/models/fraud/confirm", {"terminal": "T", "time": events[0]["time"]})
        assert told.told == {"confirmed": True}
        with pytest.raises(FileWriteError, match="in use by another process"):
            running({"fraud": FRAUD}, settings).__enter__()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"customer": ...}, "Column 'customer' is missing. The stream needs"),
        ({"amount": "x"}, "Column 'amount'"),
        ({"time": "yesterday"}, "Column 'time'"),
        ({"amount": ...}, "Column 'amount'"),
    ],
)
def test_events_that_are_refused_leave_no_trace(tmp_path, change, words):
    told = {name: v for name, v in {**event(0), **change}.items() if v is not ...}
    with running({"fraud": FRAUD}, Settings(state=tmp_path)) as server:
        found = server.post("/models/fraud/events", told)
        assert found.status == 400
        assert words in found.told["error"], found.told
        several = server.post("/models/fraud/events", [event(0)])
        assert "expected one event" in several.told["error"]
    assert counted(tmp_path / "fraud") == 0


def test_a_model_without_state_takes_no_events(tmp_path):
    with running({"fraud": FRAUD, "credit": "finance.credit_scoring.scorecard"}) as server:
        found = server.post("/models/credit/events", {})
        assert (found.status, "keeps no state" in found.told["error"]) == (409, True)
        assert "Give it --state" in server.post("/models/fraud/events", {}).told["error"]


def test_a_kill_loses_no_event_that_was_answered(tmp_path):
    done = child(KILLED, MOMENTS, tmp_path)
    assert done.returncode == 0, done.stderr
    cut = 0
    for moment in range(1, MOMENTS + 1):
        taken = (tmp_path / str(moment) / "told").read_text().count("taken")
        cut += taken < 5
        assert taken <= counted(tmp_path / str(moment) / "state") <= taken + 1
    assert cut >= 20, "fewer than 20 of the moments lie within the work"


def test_a_full_disk_takes_no_event(tmp_path):
    done = child(FULL, tmp_path)
    assert done.stdout.count("taken") == 2, done.stderr
    assert done.stdout.count("there is no room for it") == 3
    assert counted(tmp_path / "state") == 2


@pytest.mark.parametrize("opened", [True, False])
def test_a_state_that_finds_no_room_loses_no_event(tmp_path, monkeypatch, opened):
    """The journal grows on where the state cannot be written as a whole, and is read again."""
    batches = SimpleNamespace(read=dict, run=list)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with ThreadPoolExecutor(1) as executor:
        stream = Stream(tmp_path / "state", SETTINGS, executor, events=2)
        # Either the state finds no room, or the journal that is to follow it.
        place = "runtime.stream.state.write_snapshot" if opened else "serving.streams.LineFile"
        monkeypatch.setattr(f"industry_apps.{place}", full)

        async def ask() -> list[object]:
            loaded = SimpleNamespace(batches=batches)
            return [await stream.ask(event(number), loaded) for number in range(5)]

        with pytest.warns(UserWarning, match="was not written as a whole .* nothing is lost"):
            found = asyncio.run(ask())
        assert [each["amount"] for each in found] == [10.0, 11.0, 12.0, 13.0, 14.0]
        with pytest.warns(UserWarning, match="Make room"):
            stream.close()
        monkeypatch.undo()
        assert [path.name for path in (tmp_path / "state").glob("*-*")] == [
            "journal-00000000.jsonl"
        ]
    assert counted(tmp_path / "state") == 5


def test_a_disk_that_is_full_for_a_while(tmp_path):
    """What is answered is there after a kill; what is not, is refused by 507."""
    store = store_of(tmp_path / "store", verify(FRAUD))
    change = {"summary": "Another version."}
    other = store.add(altered(verify(FRAUD), tmp_path / "other.onnx", change), who="release")
    place = tmp_path / "state"
    with command(f"fraud={store.folder}", "--state", place) as serve:
        server = Running(None, serve.next("listening")["port"])  # type: ignore[arg-type]

        def room(size: int) -> None:
            hard = resource.prlimit(serve.process.pid, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(serve.process.pid, resource.RLIMIT_FSIZE, (size, hard))

        def take(number: int) -> Answer:
            return server.post("/models/fraud/events", event(number))

        assert [take(n).status for n in range(2)] == [200, 200]
        room((place / "fraud" / "journal-00000000.jsonl").stat().st_size + 20)
        refused = take(2)
        assert (refused.status, "there is no room for it" in refused.told["error"]) == (507, True)
        refused = server.post("/models/fraud/promote", {"version": other})
        assert (refused.status, "there is no room for it" in refused.told["error"]) == (507, True)
        assert server.get("/models").told[0]["sha256"] == store.production == store.versions[0]
        room(resource.RLIM_INFINITY)
        assert take(3).status == 200
        assert server.post("/models/fraud/promote", {"version": other}).status == 200
        serve.process.kill()
    assert store.production == other
    assert counted(place / "fraud", Model(FRAUD).metadata["state"]) == 3


def test_a_version_that_fails_on_events_is_rolled_back_by_itself(tmp_path, monkeypatch):
    store = store_of(tmp_path / "store", verify(FRAUD))
    change = {"summary": "Another version."}
    other = store.add(altered(verify(FRAUD), tmp_path / "other.onnx", change), who="release")
    with running({"fraud": store.folder}, Settings(state=tmp_path / "state")) as server:
        assert server.post("/models/fraud/events", event(0)).status == 200
        found = server.post("/models/fraud/promote", {"version": other})
        assert (found.status, found.told["replay"]["requests"]) == (200, 1)
        slot = server.served.slot("fraud")
        late = {**event(9), "time": "2017-01-01"}
        assert {server.post("/models/fraud/events", late).status for _ in range(30)} == {400}
        assert slot.current.sha256 == other, "events that come late are no fault of the version"

        def fails(asked: object) -> None:
            raise RuntimeError

        monkeypatch.setattr(slot.current.batches, "run", fails)
        assert {server.post("/models/fraud/events", event(n)).status for n in range(1, 21)} == {500}
        until(lambda: slot.current.sha256 == store.production == store.versions[0])
        assert server.post("/models/fraud/events", event(21)).status == 200


def test_a_folder_of_another_stream_or_an_edited_journal_is_refused(tmp_path):
    settings = Model(FRAUD).metadata["state"]
    with ThreadPoolExecutor(1) as executor:
        stream = Stream(tmp_path / "a", settings, executor)
        stream._lines = 1
        stream.close()
        with pytest.raises(ModelFileError, match="state of another stream"):
            Stream(tmp_path / "a", {**settings, "delay": 3}, executor)
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "journal-00000000.jsonl").write_bytes(b"{}\n")
        with pytest.raises(ModelFileError, match="line 1 is no event"):
            Stream(tmp_path / "b", settings, executor)
