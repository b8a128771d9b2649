"""Connections: requests in a row, heads that were parsed before, what is none of these."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from industry_apps.runtime import Model
from industry_apps.serving.keys import new_key
from industry_apps.serving.settings import Limits, Settings
from tests.serving.running import Running, running, until

CREDIT = "finance.credit_scoring.scorecard"
PREDICT = "/models/credit/predict"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory) -> Iterator[tuple[Running, str]]:
    """A server that asks for keys, and one that may ask."""
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    key = new_key(path, "asks", ["predict"])
    settings = Settings(keys=path, limits=Limits(body=4_000, seconds=1.0))
    with running({"credit": CREDIT}, settings) as server:
        yield server, key


class Line:
    """One connection, by hand."""

    def __init__(self, server: Running, key: str) -> None:
        self._server, self._key = server, key
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        self._heard = b""

    def request(self, body: bytes, *headers: str, key: str | None = None) -> bytes:
        """A request, as bytes."""
        shown = self._key if key is None else key
        told = [f"POST {PREDICT} HTTP/1.1", "host: a", f"authorization: Bearer {shown}"]
        told += [f"Content-Length: {len(body)}", *headers]
        return "\r\n".join([*told, "", ""]).encode() + body

    def hear(self) -> tuple[int, dict[str, object]]:
        """The next answer."""
        while b"\r\n\r\n" not in self._heard:
            self._more()
        head, _, rest = self._heard.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(rest) < length:
            self._more()
            rest = self._heard.partition(b"\r\n\r\n")[2]
        self._heard = rest[length:]
        return int(head[9:12]), json.loads(rest[:length])

    def ask(self, body: bytes, *headers: str, key: str | None = None) -> int:
        """The status of an answer."""
        self.socket.sendall(self.request(body, *headers, key=key))
        return self.hear()[0]

    @property
    def remembers(self) -> int:
        """Heads that the server remembers of this connection."""
        (found,) = self._server.server.server_state.connections
        return len(found._heads)

    def _more(self) -> None:
        chunk = self.socket.recv(65_536)
        assert chunk, "the server has left"
        self._heard += chunk


@contextmanager
def line(keyed: tuple[Running, str]) -> Iterator[Line]:
    found = Line(*keyed)
    with found.socket:
        yield found
    until(lambda: not keyed[0].server.server_state.connections)


@pytest.fixture(scope="module")
def records() -> list[dict[str, object]]:
    return list(Model(CREDIT).metadata["self_test"]["records"])


def test_a_head_that_was_parsed_before_is_not_parsed_anew(keyed, records):
    model = Model(CREDIT)
    bodies = [json.dumps(record).encode() for record in records]
    assert len({len(body) for body in bodies}) > 2
    with line(keyed) as client:
        for record, body in zip(records * 3, bodies * 3, strict=True):
            client.socket.sendall(client.request(body))
            assert client.hear() == (200, model.predict(record))
        assert client.remembers == 1
        assert client.ask(b'{"amount": "x"}') == 400
        assert client.ask(b" " * 4_001) == 413
        for number in range(20):
            assert client.ask(bodies[0], f"x-request: {number}") == 200
        assert client.remembers <= 8


def test_what_a_head_says_holds_for_its_request_alone(keyed, records):
    body = json.dumps(records[0]).encode()
    with line(keyed) as client:
        for _ in range(3):
            assert [client.ask(body), client.ask(body, key="guess")] == [200, 401]


@pytest.mark.parametrize(
    "header", ["Expect: nothing", "traceparent: 00-1-2-01", "connection: close"]
)
def test_a_head_that_says_more_is_not_remembered(keyed, records, header):
    body = json.dumps(records[0]).encode()
    with line(keyed) as client:
        assert client.ask(body) == 200
        assert client.ask(body) == 200
        before = client.remembers
        assert client.ask(body, header) == 200
        if header != "connection: close":
            assert client.remembers == before


def test_the_end_of_a_head_is_none(keyed, records):
    """A head that came in two pieces must not be remembered by its second one."""
    body = json.dumps(records[0]).encode()
    with line(keyed) as client:
        whole = client.request(body)
        cut = whole.index(b"Content-Length") - 2
        for _ in range(3):
            client.socket.sendall(whole[:cut])
            time.sleep(0.02)
            client.socket.sendall(whole[cut:])
            assert client.hear()[0] == 200
        client.socket.sendall(whole[cut:])
        assert b" 400 " in client.socket.recv(1_000)


@pytest.mark.parametrize("twice", [True, False])
def test_requests_in_a_row_are_answered_in_their_order(keyed, records, twice):
    good, bad = json.dumps(records[0]).encode(), b'{"amount": "x"}'
    with line(keyed) as client:
        if twice:
            assert [client.ask(good), client.ask(good)] == [200, 200]
        said = b"".join(client.request(each) for each in (good, bad, good, bad, good))
        client.socket.sendall(said)
        assert [client.hear()[0] for _ in range(5)] == [200, 400, 200, 400, 200]
        for each in (good, bad, good):
            client.socket.sendall(client.request(each))
        assert [client.hear()[0] for _ in range(3)] == [200, 400, 200]


def test_a_client_that_closes_its_half_behind_a_known_head_gets_its_answer(keyed, records):
    body = json.dumps(records[0]).encode()
    with line(keyed) as client:
        assert [client.ask(body), client.ask(body)] == [200, 200]
        client.socket.sendall(client.request(body))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.hear()[0] == 200
        assert client.socket.recv(1_000) == b""


def test_other_routes_on_the_same_connection(keyed, records):
    body = json.dumps(records[0]).encode()
    with line(keyed) as client:
        for _ in range(3):
            assert client.ask(body) == 200
            client.socket.sendall(b"GET /live HTTP/1.1\r\nhost: a\r\n\r\n")
            assert client.hear() == (200, {"live": True})


def flood(server: Running, begin: bytes, each: bytes) -> bytes:
    """Send something again and again until the server leaves; what it said."""
    heard = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        try:
            client.sendall(begin)
            for _ in range(20_000):
                client.sendall(each)
        except OSError:
            pass
        try:
            while chunk := client.recv(65_536):
                heard += chunk
        except OSError:
            pass
    return heard


@pytest.mark.parametrize(
    ("begin", "each"),
    [
        (b"GET /live HTTP/1.1\r\n", b"x: " + b"y" * 1_000 + b"\r\n"),
        (b"GET /live HTTP/1.1\r\nx: ", b"y" * 1_000),
        (b"GET /", b"y" * 1_000),
        (
            b"POST %b HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n"
            % PREDICT.encode(),
            b"x: " + b"y" * 1_000 + b"\r\n",
        ),
    ],
)
def test_a_head_without_an_end_is_left(keyed, begin, each):
    """The memory of the server must not grow with what a client sends before it is let in."""
    heard = flood(keyed[0], begin, each)
    assert heard == b"" or heard[9:12] in (b"431", b"400", b"401"), heard
    until(lambda: not keyed[0].server.server_state.connections)
    assert keyed[0].get("/live").status == 200


def test_a_second_request_that_comes_too_slowly_is_told_so(keyed, records):
    with line(keyed) as client:
        assert client.ask(json.dumps(records[0]).encode()) == 200
        client.socket.sendall(b"POST /mod")
        assert client.hear()[0] == 408


def test_what_is_no_request_is_told_so_in_json(keyed):
    with line(keyed) as client:
        client.socket.sendall(b"\x16\x03\x01 nonsense\r\n\r\n")
        status, told = client.hear()
        assert (status, "no request of HTTP" in str(told["error"])) == (400, True)


@pytest.mark.parametrize("before", [0, 2])
def test_what_is_no_request_takes_no_answer_from_one_that_is(keyed, records, before):
    body = json.dumps(records[0]).encode()
    with line(keyed) as client:
        assert [client.ask(body) for _ in range(before)] == [200] * before
        client.socket.sendall(client.request(body) * 2 + b"nonsense\r\n\r\n")
        assert [client.hear()[0] for _ in range(2)] == [200, 200]
        assert client.socket.recv(1_000) == b""
