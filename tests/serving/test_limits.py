"""Who may ask and how much; clients that are slow, half-closed, or gone; an end that waits."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from industry_apps.benchmark.load import Request, poisson
from industry_apps.errors import ParameterError
from industry_apps.runtime import Model
from industry_apps.serving.bodies import written
from industry_apps.serving.keys import new_key, read_keys
from industry_apps.serving.settings import Limits, Settings
from tests.serving.commands import command
from tests.serving.running import Running, running, until

CREDIT = "finance.credit_scoring.scorecard"
PREDICT = "/models/credit/predict"


@pytest.fixture(scope="module")
def record():
    """A record of the scorecard."""
    return dict(Model(CREDIT).metadata["self_test"]["records"][0])


@pytest.fixture(scope="module")
def body(record) -> bytes:
    """The same as JSON."""
    return json.dumps(record).encode()


def limited(**limits) -> Settings:
    return Settings(limits=Limits(**limits))


@pytest.fixture(scope="module")
def strict():
    """A server of small limits."""
    with running({"credit": CREDIT}, limited(body=2_000, rows=3, seconds=0.5)) as found:
        yield found


def test_keys_have_scopes_and_expire(tmp_path, record):
    path = tmp_path / "keys.json"
    asks = new_key(path, "asks", ["predict"])
    reads = new_key(path, "reads", ["read"], days=3)
    old = new_key(path, "old", ["predict", "read", "admin"], days=1)
    told = json.loads(path.read_text())
    assert asks not in path.read_text()
    told["keys"][2]["expires"] = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    path.write_text(json.dumps(told))
    with running({"credit": CREDIT}, Settings(keys=path)) as server:

        def status(key: str, method: str, place: str) -> tuple[int, str]:
            body = json.dumps(record).encode() if method == "POST" else b""
            found = server.send(method, place, body, {"authorization": f"Bearer {key}"})
            return found.status, str(found.told)

        assert status(asks, "POST", PREDICT)[0] == 200
        found = server.post(PREDICT, record, authorization=f"bearer  {asks}")
        assert found.status == 200  # the name of a scheme may be written in any way
        assert status(reads, "GET", "/models")[0] == 200
        assert status(reads, "GET", "/metrics")[0] == 200
        code, told = status(reads, "POST", PREDICT)
        assert (code, "'reads' has the scopes ['read'], expected 'predict'" in told) == (403, True)
        assert status(asks, "POST", "/models/credit/rollback")[0] == 403
        code, told = status(old, "POST", PREDICT)
        assert (code, "The key of 'old' expired at" in told) == (401, True)
        code, told = status("guess", "POST", PREDICT)
        assert (code, "an unknown key" in told) == (401, True)
        none = server.post(PREDICT, record)
        assert (none.status, none.headers["www-authenticate"]) == (401, "Bearer")
        assert (server.get("/live").status, server.get("/ready").status) == (200, 200)
        path.write_text(json.dumps({"keys": []}))  # all are taken back
        server.served.gate._keys._looked = 0.0
        assert status(asks, "POST", PREDICT)[0] == 401


@pytest.mark.parametrize(
    "content",
    ["", "[]", '{"keys": [{}]}', '{"keys": [{"name": "a", "sha256": "0", "scopes": []}]}'],
)
def test_a_file_that_holds_no_keys_is_refused(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)
    remedy = rf"is no file of keys.* Move it away, and make one with: industry-apps key {path} "
    with pytest.raises(ParameterError, match=remedy):
        read_keys(path)
    path.unlink()
    with pytest.raises(ParameterError, match=rf"\. Make one with: industry-apps key {path} "):
        read_keys(path)
    new_key(path, "a", ["read"])
    assert read_keys(path)[0].name == "a"


def test_a_key_needs_a_name_and_known_scopes(tmp_path):
    path = tmp_path / "keys.json"
    new_key(path, "a", ["read"])
    assert path.stat().st_mode & 0o077 == 0
    for name, scopes in (("", ["read"]), ("b", []), ("b", ["write"]), ("a", ["read"])):
        with pytest.raises(ParameterError, match="name"):
            new_key(path, name, scopes)
    for days in (0, -1, 36_501, 10_000_000):
        with pytest.raises(ParameterError, match=rf"1 to 36500 days.* {days}\."):
            new_key(path, "b", ["read"], days)
    new_key(path, "b", ["read"], 36_500)
    assert not read_keys(path)[1].has_expired()


def test_what_is_too_much_is_413(strict, record):
    long = strict.post(PREDICT, {**record, "purpose": "x" * 3_000})
    assert long.status == 413
    assert "expected at most 2000 bytes" in long.told["error"]
    chunked = b"POST %b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    text = b"fa0\r\n" + b" " * 4000 + b"\r\n0\r\n\r\n"
    assert b" 413 " in spoken(strict, chunked % PREDICT.encode() + text)
    rows = strict.post(PREDICT, [{}] * 4)
    assert rows.status == 413
    assert "has 4 records, expected at most 3" in rows.told["error"]
    tensors = {
        "inputs": [{"name": "amount", "datatype": "FP32", "shape": [4], "data": [1, 2, 3, 4]}]
    }
    found = strict.post("/v2/models/credit/infer", tensors)
    assert (found.status, "has 4 rows" in found.told["error"]) == (413, True)


def test_too_many_requests_in_a_second_are_429(record):
    with running({"credit": CREDIT}, limited(rate=0.2)) as server:
        found = [server.post(PREDICT, record) for _ in range(4)]
        assert [each.status for each in found[:3]] == [200, 200, 429]
        assert "More than 0.2 requests a second" in found[2].told["error"]
        assert found[2].headers["retry-after"] == "1"
        assert b" 429 " in spoken(server, head(90_000))  # of whose body nothing is read


def test_too_many_requests_at_a_time_are_429_and_late_ones_503(record, body, monkeypatch):
    with running({"credit": CREDIT}, limited(in_flight=2, seconds=0.2)) as server:
        loaded = server.served.slot("credit").current
        go_on = threading.Event()
        loaded.turns._executor = server.served.executor  # as of a model whose run takes long
        run = loaded.turns._run
        monkeypatch.setattr(loaded.turns, "_run", lambda items: go_on.wait(20) and run(items))
        with ThreadPoolExecutor(2) as clients:
            first = clients.submit(server.post, PREDICT, record)
            until(lambda: server.served.gate.in_flight == 1)
            second = clients.submit(server.post, PREDICT, record)
            until(lambda: server.served.gate.in_flight == 2)
            third = server.post(PREDICT, record)
            assert server.served.gate.held == 2 * len(body)
            assert b" 429 " in spoken(server, head(90_000))  # of whose body nothing is read
            assert server.get("/metrics").status == 200
            assert server.post("/models/credit/rollback").status == 409  # it has been looked at
            time.sleep(0.3)  # the second one has now waited longer than it may
            go_on.set()
            assert first.result().status == 200
            assert second.result().status == 503
            assert "waited longer than 0.2 s" in second.result().told["error"]
        assert third.status == 429
        assert "answers 2 requests already" in third.told["error"]


def test_clients_that_are_slow_with_their_bodies_shut_nobody_out(record, body):
    with (
        running({"credit": CREDIT}, limited(in_flight=2, body=100_000)) as server,
        ExitStack() as slow,
    ):

        def begun() -> socket.socket:
            address = ("127.0.0.1", server.port)
            connection = slow.enter_context(socket.create_connection(address, timeout=20))
            connection.sendall(head(90_000) + b" " * 49_000)
            return connection

        several = [begun() for _ in range(4)]
        until(lambda: server.served.gate.held == 4 * 49_000)
        assert server.post(PREDICT, record).status == 200
        one_more = begun()  # beside those that hold as much as 2 whole bodies
        assert one_more.recv(1_000).startswith(b"HTTP/1.1 429 ")
        several[1].close()
        until(lambda: server.served.gate.held == 3 * 49_000)
        several[0].sendall(b" " * (41_000 - len(body)) + body)
        assert several[0].recv(1_000).startswith(b"HTTP/1.1 200 ")
    assert server.served.gate.held == 0


def test_above_capacity_every_request_is_answered_or_refused(record, body, monkeypatch):
    answer = written(Model(CREDIT).predict(record))
    with running({"credit": CREDIT}, limited(in_flight=4)) as server:
        turns = server.served.slot("credit").current.turns
        turns._executor, run = server.served.executor, turns._run
        monkeypatch.setattr(turns, "_run", lambda items: time.sleep(0.02) or run(items))
        asked = [Request.post(PREDICT, body, answer)]
        found = asyncio.run(poisson(server.port, asked, 2_000, 0.5, lines=32))
        until(lambda: not server.server.server_state.connections)
        assert server.served.gate.in_flight == 0
    assert (found.unanswered, found.wrong) == (0, 0)
    assert set(found.statuses) == {200, 429}
    assert found.statuses.total() == 1_000


def spoken(server: Running, *parts: bytes, half_close: bool = False) -> bytes:
    """Say something over a connection, and hear all that comes back."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for part in parts:
            connection.sendall(part)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        heard = b""
        while chunk := connection.recv(65_536):
            heard += chunk
            if b"\r\n\r\n" in heard and not half_close and b"connection: close" not in heard:
                break
        return heard


def head(length: int) -> bytes:
    return b"POST %b HTTP/1.1\r\nhost: a\r\ncontent-length: %d\r\n\r\n" % (PREDICT.encode(), length)


def test_a_client_that_has_closed_its_half_gets_its_answer(strict, body):
    heard = spoken(strict, head(len(body)) + body, half_close=True)
    assert heard.startswith(b"HTTP/1.1 200 ")
    assert b"default_probability" in heard


@pytest.mark.parametrize(
    "parts",
    [[b"POST "], [head(100)], [head(100) + b"{"], [b"GET /live HTTP/1.1\r\nhost: a\r\n"], []],
)
def test_a_slow_client_is_told_and_left(strict, parts):
    began = time.monotonic()
    heard = spoken(strict, *parts)
    assert heard.startswith(b"HTTP/1.1 408 ")
    assert b"did not come within 0.5 s" in heard
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("part", [head(100) + b'{"amount"', b"POST /mod", head(7)])
def test_a_client_that_leaves_in_the_middle_is_forgotten(strict, part):
    heard = spoken(strict, part, half_close=True)
    assert heard in (b"", heard if b" 408 " in heard else b"")
    until(lambda: strict.served.gate.in_flight == 0)
    assert strict.get("/live").status == 200


@pytest.mark.parametrize("text", [b"\x16\x03\x01 nonsense\r\n\r\n", b"GET\r\n\r\n"])
def test_what_is_no_http_is_refused(strict, text):
    assert b" 400 " in spoken(strict, text, half_close=True)
    assert strict.get("/live").status == 200


def test_a_server_that_ends_waits_for_parts_of_a_second_too(record, monkeypatch):
    with running({"credit": CREDIT}, drain=0.5) as server, ThreadPoolExecutor(1) as clients:
        loaded = server.served.slot("credit").current
        monkeypatch.setattr(loaded, "seconds", 1.0)  # so that it runs in a thread
        predict = loaded.model.predict
        monkeypatch.setattr(loaded.model, "predict", lambda told: time.sleep(0.3) or predict(told))
        asked = clients.submit(server.post, PREDICT, [record])
        until(lambda: server.served.gate.in_flight == 1)
        server.server.should_exit = True
        assert asked.result(20).status == 200


def test_a_server_that_ends_answers_what_runs(body):
    """The command, from its start to SIGTERM."""
    asking = b"host: a\r\nexpect: 100-continue\r\n"
    with command(f"credit={CREDIT}") as serve:
        port = serve.next("listening")["port"]
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(head(len(body)).replace(b"host: a\r\n", asking))
            assert connection.recv(1_000).startswith(b"HTTP/1.1 100 ")  # it is being answered
            serve.process.send_signal(signal.SIGTERM)
            assert serve.next("draining")["signal"] == "SIGTERM"
            connection.sendall(body)
            heard = b""
            while chunk := connection.recv(65_536):
                heard += chunk
        assert heard.startswith(b"HTTP/1.1 200 ")
        serve.next("ended")
        assert serve.process.wait(20) == 0
