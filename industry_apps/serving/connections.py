"""Connections of HTTP that wait for no slow client, and know the heads that they have read."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from industry_apps.serving.bodies import written
from industry_apps.serving.calls import Call, Endpoint, Reply
from industry_apps.serving.turns import Eager

if TYPE_CHECKING:
    from starlette.types import Scope
    from uvicorn._types import ASGI3Application

Direct = tuple[Endpoint, dict[str, str]]

#: Bytes of a request that is held whole before it is answered, and of the head of any.
_SHORT = 65_536
_LEAST = 0.5  # seconds between two looks at a client
_LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]{1,5})\r\n", re.IGNORECASE)
#: Heads that a connection remembers, and bytes of one.
_MOST_HEADS, _LONGEST_HEAD = 8, 2_048
# Headers that say more of the message than its length, or that are others in each request.
_TELLING = frozenset((b"transfer-encoding", b"expect", b"upgrade", b"traceparent"))


def protocol(seconds: float, direct: Mapping[str, Direct] | None = None) -> type[Connection]:
    """The class of the connections of a server.

    Parameters
    ----------
    seconds : float
        That a client may take to send a request.
    direct : mapping of str to (Endpoint, dict), optional
        Path -> what answers a POST there without the way through ASGI, and what the path says.
    """
    return type("_Connection", (Connection,), {"seconds": seconds, "direct": direct or {}})


class Connection(HttpToolsProtocol):
    """A connection whose requests must come in time.

    What is asked for most is answered without the way through ASGI, which takes longer than a
    small model: a short request to one of the paths of ``direct`` goes to its endpoint once it is
    whole, and the answer is written at once. Clients send the same head again and again, but for
    the length of what is behind it: one that was parsed before is not parsed anew. One timer a
    connection sees to slow and idle clients, in place of one a request.
    """

    seconds: float
    direct: Mapping[str, Direct]
    _timer: asyncio.TimerHandle
    _since = 0.0  # when the client began to keep us waiting
    _in_message = False
    _endpoint: Endpoint | None = None
    _chunk = b""  # what was received, if a request begins with it
    _in_head = True
    _heard, _moved = 0, False  # bytes since a request began or its body went on

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As of a protocol of asyncio."""
        super().connection_made(transport)
        self._heads: dict[bytes, tuple[Endpoint, RequestResponseCycle]] = {}
        self._since, self._in_message = self.loop.time(), True  # whoever connects has to ask
        self._timer = self.loop.call_later(self.seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """As of a protocol of asyncio."""
        self._timer.cancel()
        super().connection_lost(exc)
        # They lead back here: without them the memory is free at once.
        self._heads.clear()
        self.cycle = None  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """As of a protocol of asyncio."""
        is_between = not self._in_message and not self._is_answering()
        if is_between and self._heads and (whole := _head_and_body(data)) is not None:
            known = self._heads.get(whole[0])
            if known is not None:
                endpoint, cycle = known
                cycle.response_started = cycle.response_complete = False
                self.cycle = cycle
                self._answer(endpoint, whole[1])
                return
        self._chunk = data if is_between else b""
        super().data_received(data)
        self._chunk = b""
        self._heard = 0 if self._moved else self._heard + len(data)
        self._moved = False
        if self._heard > _SHORT and self._in_message and not self.transport.is_closing():
            self._refuse(431, f"The head is longer than {_SHORT} bytes. Send a shorter one.")

    def send_400_response(self, msg: str) -> None:
        """As of uvicorn, but not in place of the answer to a request before it."""
        if self._is_answering():
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            return
        self._refuse(400, "This is no request of HTTP. Send one, or encrypt it as the server does.")

    def on_message_begin(self) -> None:
        """As of httptools."""
        super().on_message_begin()
        self._since, self._in_message = self.loop.time(), True
        self._in_head = self._moved = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """As of httptools, but that what comes behind the body is dropped."""
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """As of httptools."""
        self._moved = True
        super().on_body(body)

    def on_headers_complete(self) -> None:
        """As of httptools."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """As of httptools."""
        self._in_message = False
        super().on_message_complete()
        if self._endpoint is not None:
            endpoint, self._endpoint = self._endpoint, None
            body = bytes(self.cycle.body)
            self.cycle.body.clear()  # which a head that is remembered would hold on to
            self._remember(endpoint)
            self._answer(endpoint, body)

    def on_response_complete(self) -> None:
        """As of uvicorn, but that no timer is set for each response."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        self._since = self.loop.time()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer a client that has closed its half behind a whole request; leave all others."""
        waits = self._is_answering()
        if waits:
            self.cycle.keep_alive = False
        return waits

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        found = self.direct.get(cycle.scope["path"])
        if found is not None and app is self.app and cycle.more_body and _is_short(cycle):
            self._endpoint, cycle.scope["path_params"] = found  # type: ignore[typeddict-unknown-key]
        else:
            super()._start_asgi_task(cycle, app)

    def _remember(self, endpoint: Endpoint) -> None:
        """Remember the head of a request that came in one piece, and says nothing unusual."""
        whole = _head_and_body(self._chunk)
        names = [name for name, _ in self.cycle.scope["headers"]]
        if whole is None or not self.cycle.keep_alive or len(whole[0]) > _LONGEST_HEAD:
            return
        if _TELLING.isdisjoint(names) and names.count(b"content-length") == 1:
            if len(self._heads) == _MOST_HEADS:
                self._heads.clear()
            self._heads[whole[0]] = endpoint, self.cycle

    def _answer(self, endpoint: Endpoint, body: bytes) -> None:
        call = Call(cast("Scope", self.cycle.scope))
        call.body = body
        run = Eager(endpoint.answer(call), partial(self._answered, self.cycle), self.loop)
        if not run.is_done:
            self.tasks.add(run)  # type: ignore[arg-type]

    def _answered(self, cycle: RequestResponseCycle, run: Eager[Reply]) -> None:
        self.tasks.discard(run)
        if cycle.disconnected:
            return
        reply = run.result
        cycle.response_started = cycle.response_complete = True
        if reply is None:  # it was ended from outside
            self.transport.close()
            return
        parts = [STATUS_LINE[reply.status]]
        for name, value in (*self.server_state.default_headers, *reply.headers):
            parts += (name, b": ", value, b"\r\n")
        parts += (b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n", reply.body)
        self.transport.write(b"".join(parts))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _is_answering(self) -> bool:
        cycle = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    def _look(self) -> None:
        """Leave a client that is too slow with its request, or has none, or reads no answer."""
        allowed = self.seconds if self._in_message else float(self.timeout_keep_alive)
        left = self._since + allowed - self.loop.time()
        if self._is_answering() or left > 0:
            self._timer = self.loop.call_later(max(left, _LEAST), self._look)
        elif self.transport.get_write_buffer_size():
            self.transport.abort()
        elif self._in_message:
            error = f"The request did not come within {self.seconds:g} s. Send it faster."
            self._refuse(408, error)
        else:
            self.transport.close()

    def _refuse(self, status: int, error: str) -> None:
        """Leave a client, told what was wrong unless the answer to its request has begun."""
        body = written({"error": error})
        if self._in_head or self.cycle is None or not self.cycle.response_started:
            self.transport.write(
                b"%bcontent-type: application/json\r\nconnection: close\r\n"
                b"content-length: %d\r\n\r\n%b" % (STATUS_LINE[status], len(body), body)
            )
        self.transport.close()


def _head_and_body(data: bytes) -> tuple[bytes, bytes] | None:
    """The head without its length, and the body, of a request that is all there and no more."""
    behind = data.find(b"\r\n\r\n") + 4
    found = _LENGTH.search(data, 0, behind)
    if found is None or behind + int(found[1]) != len(data):
        return None
    start, stop = found.span(1)
    return data[:start] + data[stop:behind], data[behind:]


def _is_short(cycle: RequestResponseCycle) -> bool:
    """Whether a request is a POST that says how short it is, and is sent without being asked."""
    if cycle.scope["method"] != "POST" or cycle.waiting_for_100_continue:
        return False
    for name, value in cycle.scope["headers"]:
        if name == b"content-length":
            return int(value) <= _SHORT
    return False
