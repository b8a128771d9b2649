"""A server on a free port of this machine, for as long as a test needs it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from industry_apps.serving.journal import Journal
from industry_apps.serving.served import Served
from industry_apps.serving.server import Server, listener
from industry_apps.serving.settings import Binding, Settings

SECONDS = 60.0  # a busy machine takes its time


class Answer(NamedTuple):
    """What came back."""

    status: int
    told: Any
    headers: Mapping[str, str]


@dataclass
class Running:
    """A server, and a client of it."""

    server: Server
    port: int
    lines: list[str] = field(default_factory=list)

    @property
    def served(self) -> Served:
        return self.server.served

    @property
    def grpc(self) -> str:
        """Where it speaks gRPC."""
        return next(f"127.0.0.1:{e['port']}" for e in self.events if e.get("protocol") == "grpc")

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it has logged."""
        return [json.loads(line) for line in self.lines]

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, told: Any = b"", **headers: str) -> Answer:
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        return self.send("POST", path, body, headers)

    def send(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        named = {name.replace("_", "-"): text for name, text in (headers or {}).items()}
        try:
            connection.request(method, path, body, named)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        is_json = response.headers.get("content-type") == "application/json"
        told = json.loads(content) if is_json and content else content.decode()
        return Answer(response.status, told, response.headers)


def until(holds: Any, seconds: float = SECONDS) -> None:
    """Wait until something holds; fail after some time."""
    stop = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < stop, "it did not come about in time"
        time.sleep(0.005)


@contextmanager
def running(
    models: Mapping[str, str | Path], settings: Settings | None = None, **binding: Any
) -> Iterator[Running]:
    """Serve models on a free port, in a thread."""
    lines: list[str] = []
    served = Served(models, settings, Journal(lines.append))
    bound = Binding(port=0, **binding)
    listening = listener(bound)
    server = Server(served, bound)
    found = Running(server, listening.getsockname()[1], lines)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        until(lambda: server.started and any('"http"' in line for line in lines))
        yield found
    finally:
        server.should_exit = True
        thread.join(SECONDS)
        assert not thread.is_alive(), "the server did not end"
