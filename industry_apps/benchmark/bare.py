"""A server that answers the same bytes to whatever comes: what sockets and the loop take alone."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context

#: What a server of ours says of the processor time that it has taken.
CPU = "industry_apps_cpu_seconds_total"
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"


@contextmanager
def bare_server(answer: bytes) -> Iterator[int]:
    """A server in a process of its own; its port.

    Parameters
    ----------
    answer : bytes
        The body of its answers to POST; to GET it tells its processor time, as a server of ours.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    port: int = listening.getsockname()[1]
    process = get_context("spawn").Process(target=_serve, args=(listening, answer), daemon=True)
    process.start()
    listening.close()
    try:
        yield port
    finally:
        process.terminate()
        process.join(30)


class _Bare(asyncio.Protocol):
    """Takes each piece that comes for one request."""

    def __init__(self, answer: bytes) -> None:
        self._answer = _HEAD % (len(answer), answer)
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if data.startswith(b"GET"):
            told = f"{CPU} {time.process_time()}\n".encode()
            answer = _HEAD % (len(told), told)
        self._transport.write(answer)


def _serve(listening: socket.socket, answer: bytes) -> None:
    async def forever() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Bare(answer), sock=listening)
        await server.serve_forever()

    asyncio.run(forever())
