"""One request from its head to its answer: who asks, what it holds, what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from time import perf_counter
from typing import Any, Protocol

from starlette.types import Receive, Scope, Send

from industry_apps.errors import (
    FileWriteError,
    IndustryAppsError,
    ParameterError,
    RequestError,
    SchemaError,
    UnknownNameError,
    VersionError,
)
from industry_apps.serving.bodies import parsed, written
from industry_apps.serving.gate import Gate
from industry_apps.serving.journal import Journal, traced
from industry_apps.serving.keys import ANYBODY, Key
from industry_apps.serving.metrics import Metrics
from industry_apps.serving.settings import Limits, Settings

_JSON = (b"content-type", b"application/json")
_RETRY = (b"retry-after", b"1")
#: What is counted where the client has gone: no status of HTTP.
_GONE = 499
#: What clients are told of a mistake of the server; the log has its type and place.
OURS = "The server failed on this request, which is no fault of yours. Its log says where."


class Host(Protocol):
    """What belongs to all requests of a server."""

    settings: Settings
    journal: Journal
    metrics: Metrics
    gate: Gate


class Reply:
    """The answer to a request.

    Parameters
    ----------
    body : bytes
    status : int
    headers : list of pairs of bytes
        Beside the length; by default the type of JSON.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        headers: list[tuple[bytes, bytes]] | None = None,
    ) -> None:
        self.body, self.status = body, status
        self.headers = [_JSON] if headers is None else headers

    @classmethod
    def json(cls, value: Any, status: int = 200) -> Reply:
        """An answer in JSON."""
        return cls(written(value), status)


class Call:
    """A request, as handlers see it.

    Parameters
    ----------
    scope : mapping
        Of ASGI.
    """

    __slots__ = ("body", "headers", "held", "key", "model", "records", "scope", "trace", "version")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self.body = b""
        self.key: Key = ANYBODY
        self.model = self.version = self.trace = ""
        self.records = self.held = 0

    def header(self, name: bytes) -> str:
        """A header, empty where there is none."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def parameters(self) -> dict[str, str]:
        """What the path says."""
        found: dict[str, str] = self.scope["path_params"]
        return found


Handler = Callable[[Call], Awaitable[Reply]]


class ClientGoneError(IndustryAppsError):
    """The client left before it had sent its request."""


class Endpoint:
    """A route: an application of ASGI that does for each request what all of them need.

    Parameters
    ----------
    served : Host
    handler : callable
        Answers a call.
    route : str
        For log and metrics.
    needs : {"predict", "read", "admin"}, optional
        The scope of the key; None lets everybody in at any time.
    """

    def __init__(
        self, served: Host, handler: Handler, *, route: str, needs: str | None = None
    ) -> None:
        self._served, self._handler = served, handler
        self._route, self._needs = route, needs
        self._limits = served.settings.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI asks for it."""
        reply = await self.answer(Call(scope), receive)
        if reply.status != _GONE:
            start = {"type": "http.response.start", "status": reply.status}
            await send({**start, "headers": reply.headers})
            await send({"type": "http.response.body", "body": reply.body})

    async def answer(self, call: Call, receive: Receive | None = None) -> Reply:
        """Answer a call, whatever happens, and count it.

        Parameters
        ----------
        call : Call
        receive : callable, optional
            Of ASGI, where the body is still to come.
        """
        began = perf_counter()
        try:
            reply = await self._reply(call, receive)
        except ClientGoneError:
            reply = Reply(b"", _GONE)
        except IndustryAppsError as error:
            reply = refusal(error)
        except Exception as error:  # noqa: BLE001 - the client is told, but not of our code
            self._served.journal.failure(error, route=self._route, model=call.model)
            reply = Reply.json({"error": OURS}, 500)
        _add_headers(reply, call)
        note(self._served, call, self._route, reply.status, perf_counter() - began)
        return reply

    async def _reply(self, call: Call, receive: Receive | None) -> Reply:
        if self._needs is None:
            return await self._handler(call)
        gate = self._served.gate
        call.key = gate.holder(call.header(b"authorization"), self._needs)
        if self._needs == "predict":
            client = call.scope["client"]
            gate.check(call.key, client[0] if client else "")
        try:
            if receive is not None:
                call.body = await _body(call, receive, self._limits, gate)
            elif len(call.body) > self._limits.body:
                raise _too_long(f"{len(call.body)} bytes", self._limits.body)
            if self._needs != "predict":
                return await self._handler(call)
            _hold(call, gate, len(call.body) - call.held)  # what came in one message
            gate.enter()
            try:
                return await self._handler(call)
            finally:
                gate.leave()
        finally:
            gate.held -= call.held


def note(served: Host, call: Call, route: str, status: int, seconds: float) -> None:
    """Count a request that has its answer, and log it where that is asked for."""
    served.metrics.request(call.model, route, status, seconds, call.records)
    if served.settings.log_requests or status >= 500:
        served.journal.event(
            "request",
            route=route,
            model=call.model,
            version=call.version,
            status=status,
            records=call.records,
            seconds=round(seconds, 6),
            key=call.key.name,
            trace=call.trace,
        )


def content_of(call: Call, depth: int) -> Any:
    """The body of a call as JSON.

    Parameters
    ----------
    call : Call
    depth : int
        As of :func:`~industry_apps.serving.bodies.parsed`.

    Raises
    ------
    RequestError
    """
    encoding = call.header(b"content-encoding")
    if encoding not in ("", "identity"):
        raise RequestError(
            f"The body is encoded as {encoding!r:.40}, expected none. Send it as it is.", 415
        )
    return parsed(call.body, depth)


def status_of(error: IndustryAppsError) -> int:
    """The status of HTTP that tells an error of this package."""
    if isinstance(error, RequestError):
        return error.status
    for kind, status in (
        (UnknownNameError, HTTPStatus.NOT_FOUND),
        (SchemaError, HTTPStatus.BAD_REQUEST),
        (ParameterError, HTTPStatus.BAD_REQUEST),
        (VersionError, HTTPStatus.CONFLICT),
        (FileWriteError, HTTPStatus.INSUFFICIENT_STORAGE),
    ):
        if isinstance(error, kind):
            return int(status)
    return int(HTTPStatus.UNPROCESSABLE_ENTITY)


def refusal(error: IndustryAppsError) -> Reply:
    """The answer that says what was wrong with a request."""
    reply = Reply.json({"error": str(error)}, status_of(error))
    if reply.status == 401:
        reply.headers = [_JSON, (b"www-authenticate", b"Bearer")]
    if reply.status in (429, 503):
        reply.headers = [_JSON, _RETRY]
    return reply


async def _body(call: Call, receive: Receive, limits: Limits, gate: Gate) -> bytes:
    """The body of a request, which must not be longer than it may, nor take longer."""
    most, seconds = limits.body, limits.seconds
    told = call.headers.get(b"content-length")
    if told is not None and int(told) > most:
        raise _too_long(f"{int(told)} bytes", most)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        found: bytes = message["body"]
        if len(found) > most:
            raise _too_long("more", most)
        return found
    parts, size = [], 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                if message["type"] == "http.disconnect":
                    raise ClientGoneError("The client left before it had sent its request.")
                parts.append(message["body"])
                size += len(parts[-1])
                _hold(call, gate, len(parts[-1]))
                if size > most:
                    raise _too_long("more", most)
                if not message.get("more_body"):
                    return b"".join(parts)
                message = await receive()
    except TimeoutError:
        raise RequestError(
            f"The body did not come within {seconds:g} s. Send it faster, or in parts.", 408
        ) from None


def _hold(call: Call, gate: Gate, size: int) -> None:
    """Count bytes that a call holds until it is answered."""
    call.held += size
    gate.hold(size)


def _too_long(found: str, most: int) -> RequestError:
    return RequestError(
        f"The body has {found}, expected at most {most} bytes. Send fewer records at a time.", 413
    )


def _add_headers(reply: Reply, call: Call) -> None:
    headers = reply.headers = [*reply.headers, (b"content-length", b"%d" % len(reply.body))]
    if call.version:
        headers.append((b"x-model-version", call.version.encode()))
    if b"traceparent" in call.headers:
        headers += trace_of(call)


def trace_of(call: Call) -> list[tuple[bytes, bytes]]:
    """What passes the context of a trace on, in the headers of an answer; the call notes it.

    Parameters
    ----------
    call : Call
        Without a context, or with one that is none, there is nothing to pass on.
    """
    context = traced(call.header(b"traceparent"))
    if context is None:
        return []
    call.trace = context[0]
    found = [(b"traceparent", context[1].encode())]
    if b"tracestate" in call.headers:
        found.append((b"tracestate", call.headers[b"tracestate"]))
    return found
