"""Several workers answer alike, swap together or not at all, and are replaced when they end."""

from __future__ import annotations

import errno
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from industry_apps.cli.serve import serve
from industry_apps.errors import FileWriteError, ModelFileError, ParameterError
from industry_apps.serving.settings import Binding, Settings
from industry_apps.serving.swapping import sources
from industry_apps.serving.swapping.sources import Kept, Target
from industry_apps.serving.swapping.workers import Keeper, _Worker, serve_with
from tests.serving.commands import Command, command
from tests.serving.running import Running, until
from tests.serving.versions import store_of


def sums(server: Running, name: str) -> dict[str, float]:
    """The lines of one metric: labels -> value."""
    lines = server.get("/metrics").told.splitlines()
    found = [line for line in lines if line.startswith(f"industry_apps_{name}{{")]
    return {line.partition("{")[2].rpartition("}")[0]: float(line.split()[-1]) for line in found}


def test_workers_swap_together_and_are_replaced(tmp_path, files):
    store = store_of(tmp_path / "store", *files)
    one, two = store.versions
    row: dict[str, Any] = {"amount": 12.0, "time": "2024-01-02", "country": "DE"}
    with command(f"tiny={store.folder}", "--workers", "2", "--grpc", "--grpc-port", "0") as serve:
        started = [serve.next("listening") for _ in range(4)]
        ports = {each["port"] for each in started if each["protocol"] == "http"}
        pids = {each["worker"] for each in started}
        assert (len(ports), len(pids)) == (1, 2)
        assert len({each["port"] for each in started if each["protocol"] == "grpc"}) == 1
        server = Running(None, ports.pop())  # type: ignore[arg-type]

        def version() -> str:
            found = server.post("/models/tiny/predict", row)
            assert found.status == 200
            return found.headers["x-model-version"]

        found = server.post("/models/tiny/promote", {"version": two, "why": "better"})
        assert (found.status, found.told["workers"]) == (200, 2), found.told
        assert {version() for _ in range(20)} == {two[:12]}
        label = f'model="tiny",version="{two[:12]}",application="tests.tiny"'
        assert sums(server, "model_workers") == {label: 2.0}
        assert sum(sums(server, "requests_total").values()) >= 21
        (store.folder / "files" / f"{one}.onnx").write_bytes(b"damaged")
        refused = server.post("/models/tiny/promote", {"version": one})
        assert (refused.status, "damaged" in refused.told["error"]) == (409, True)
        assert {version() for _ in range(8)} == {two[:12]}
        back = server.post("/models/tiny/rollback")
        assert (back.status, "missing or damaged" in back.told["warning"]) == (200, True)
        assert {version() for _ in range(8)} == {one[:12]}
        assert store.production == two
        (store.folder / "files" / f"{one}.onnx").write_bytes(files[0].read_bytes())
        assert server.post("/models/tiny/promote", {"version": one}).status == 200
        assert store.production == one
        assert server.post("/models/tiny/promote", {"version": two}).status == 200
        store.promote(one, who="shell")  # of which the server was not told
        replaced(serve, pids.pop())
        assert sums(server, "model_workers") == {label: 2.0}, "the new worker has another version"
        back = server.post("/models/tiny/rollback")
        assert (back.status, back.told["workers"]) == (200, 2), back.told
        assert {version() for _ in range(20)} == {one[:12]}
        assert store.production == one
        assert serve.end() == 0


def replaced(serve: Command, pid: int) -> None:
    """Kill a worker, and wait until another one has taken its place."""
    os.kill(pid, signal.SIGKILL)
    assert serve.next("worker lost")["code"] == -signal.SIGKILL
    serve.next("listening")


def test_a_worker_is_replaced_by_one_of_the_same_versions_whatever_the_file_is(tmp_path, files):
    path = tmp_path / "model.onnx"
    path.write_bytes(files[0].read_bytes())
    with command(f"tiny={path}", "--workers", "2") as serve:
        started = [serve.next("listening") for _ in range(2)]
        server = Running(None, started[0]["port"])  # type: ignore[arg-type]
        (first,) = {each["version"] for each in server.get("/models").told}
        label = f'model="tiny",version="{first}",application="tests.tiny"'
        path.write_bytes(b"half of a file")
        assert server.post("/models/tiny/reload").status == 422
        path.write_bytes(files[1].read_bytes())
        serve.process.send_signal(signal.SIGHUP)
        second = serve.next("swapped")["version"]
        assert sums(server, "model_workers") == {label.replace(first, second): 2.0}
        path.unlink()
        replaced(serve, started[1]["worker"])
        back = server.post("/models/tiny/rollback")
        assert (back.status, back.told) == (200, {"version": first, "workers": 2})
        assert sums(server, "model_workers") == {label: 2.0}
        assert serve.end() == 0


def test_a_worker_is_replaced_while_its_store_is_away(store):
    one, two = store.versions
    away = store.folder.with_name("away")
    with command(f"tiny={store.folder}", "--workers", "2") as serve:
        started = [serve.next("listening") for _ in range(2)]
        server = Running(None, started[0]["port"])  # type: ignore[arg-type]
        store.folder.rename(away)
        replaced(serve, started[1]["worker"])
        label = f'model="tiny",version="{one[:12]}",application="tests.tiny"'
        assert sums(server, "model_workers") == {label: 2.0}
        refused = server.post("/models/tiny/promote", {"version": two})
        assert (refused.status, "Unknown version" in refused.told["error"]) == (409, True)
        away.rename(store.folder)
        assert server.post("/models/tiny/promote", {"version": two}).status == 200
        assert (store.production, serve.end()) == (two, 0)


def no_room(_: Path, copy: Path) -> None:
    """As ``copyfile`` on a disk that fills."""
    copy.write_bytes(b"the sa")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def keeper(monkeypatch) -> Iterator[Keeper]:
    """Keeps workers together that are none."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])
    found = Keeper({}, Settings(), Binding(port=0), 2)
    yield found
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    found._socket.close()
    found._kept.close()


def test_a_server_without_workers_says_so(keeper, monkeypatch):
    monkeypatch.setattr(keeper, "_start", lambda is_first: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
    with pytest.raises(ParameterError, match=r"No worker is left: .* start the server again"):
        keeper.run()
    with pytest.raises(ParameterError, match="expected NAME=PLACE"):
        serve(["credit"])
    assert signal.SIGHUP not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_signal_to_reload_waits_for_a_worker_that_lives(keeper):
    def worker(lives: bool) -> tuple[_Worker, Connection]:
        ours, theirs = Pipe()
        return _Worker(SimpleNamespace(is_alive=lambda: lives), ours, True), theirs

    (dead, _unheard), (alive, heard) = worker(False), worker(True)
    keeper._workers = [dead]
    signal.pthread_kill(threading.get_ident(), signal.SIGHUP)
    keeper._turn()
    keeper._workers = [dead, alive]
    keeper._turn()
    assert heard.poll(1)
    assert heard.recv() == ("reload", 0)
    keeper._turn()
    assert not heard.poll()


def test_what_cannot_be_copied_takes_no_copy_along(tmp_path, monkeypatch):
    (tmp_path / "one.onnx").write_bytes(b"the same bytes")
    kept = Kept()
    one = kept.keep(Target(tmp_path / "one.onnx", "a" * 64))
    two = Target(tmp_path / "two.onnx", "a" * 64)
    with pytest.raises(ModelFileError, match=r"No such file.* the file is there to be read"):
        kept.keep(two)
    two.path.write_bytes(b"the same bytes")  # as the error says
    with monkeypatch.context() as full:
        full.setattr(sources, "copyfile", no_room)
        with pytest.raises(FileWriteError, match="Make room there"):
            kept.keep(two)
    assert kept.keep(two).path.read_bytes() == one.path.read_bytes() == b"the same bytes"
    kept.close()


def test_a_worker_that_is_lost_during_a_swap_is_replaced_by_one_that_takes_part(tmp_path, files):
    store = store_of(tmp_path / "store", *files)
    two = store.versions[1]
    with command(f"tiny={store.folder}", "--workers", "2") as serve, ThreadPoolExecutor() as pool:
        started = [serve.next("listening") for _ in range(2)]
        server = Running(None, started[0]["port"])  # type: ignore[arg-type]
        os.kill(started[0]["worker"], signal.SIGSTOP)  # so that the swap waits for it
        asked = pool.submit(server.post, "/models/tiny/promote", {"version": two})
        time.sleep(0.5)
        assert not asked.done()
        replaced(serve, started[0]["worker"])
        found = asked.result(60)
        assert (found.status, found.told["workers"]) == (200, 2), found.told
        label = f'model="tiny",version="{two[:12]}",application="tests.tiny"'
        assert sums(server, "model_workers") == {label: 2.0}
        assert store.production == two
        assert serve.end() == 0


def test_a_signal_during_the_start_is_heard_once_the_server_is_there(tmp_path, files):
    store = store_of(tmp_path / "store", *files)
    with command(f"tiny={store.folder}") as serve:
        blocked = Path(f"/proc/{serve.process.pid}/status")
        until(lambda: int(blocked.read_text().partition("SigBlk:")[2].split()[0], 16) & 1)
        serve.process.send_signal(signal.SIGHUP)
        serve.next("listening")
        assert "already" in serve.next("not reloaded")["error"]
        assert serve.end() == 0


def test_a_signal_has_the_server_take_what_is_in_production_now(tmp_path, files):
    store = store_of(tmp_path / "store", *files)
    two = store.versions[1]
    with command(f"tiny={store.folder}") as serve:
        server = Running(None, serve.next("listening")["port"])  # type: ignore[arg-type]
        store.promote(two, who="release", why="in the shell")
        serve.process.send_signal(signal.SIGHUP)
        assert serve.next("swapped")["who"] == "SIGHUP"
        found = server.post("/models/tiny/predict", {"amount": 1, "time": None, "country": None})
        assert found.headers["x-model-version"] == two[:12]
        assert serve.end() == 0


def test_what_several_workers_do_not_serve(tmp_path):
    with pytest.raises(ParameterError, match=r"parted among 2 workers. Give --workers 1"):
        serve_with({}, Settings(state=tmp_path), Binding(port=0), 2)
    with pytest.raises(ParameterError, match="'workers' must be an int >= 1"):
        serve_with({}, Settings(), Binding(port=0), 0)


def test_a_model_that_cannot_be_served_ends_all_workers(tmp_path):
    (tmp_path / "text.onnx").write_text("no model")
    with command(f"tiny={tmp_path / 'text.onnx'}", "--workers", "2") as serve:
        assert serve.process.wait(60) == 2
        serve._reader.join(10)
        (line,) = [line for line in serve.lines if line.startswith("error: ")]
        assert "text.onnx" in line
        assert json.dumps(line).count("Traceback") == 0
