"""Events of a stream: on the disk before they are answered, there again after a kill."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from industry_apps.errors import FileWriteError, ModelFileError
from industry_apps.runtime import Model, TransactionState
from industry_apps.serving.settings import Settings
from industry_apps.serving.streams import Stream
from tests.killing import child
from tests.serving.running import running
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


def counted(folder: Path) -> int:
    """How many events a folder knows, by one more."""
    with ThreadPoolExecutor(1) as executor:
        stream = Stream(folder, SETTINGS, executor)
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
