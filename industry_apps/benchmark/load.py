"""Clients of a server on this machine, which ask, time and check each answer."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
#: Requests in a row of a client that is late, before it hears answers.
_IN_A_ROW = 8
#: Seconds without any answer after which nobody waits for more.
_SILENCE = 10.0


class Request(NamedTuple):
    """A request, and what must come back.

    Parameters
    ----------
    content : bytes
        All of it, as it is sent.
    status : int
        The status that is right.
    answer : bytes
        The body that is right; of a refusal, that it begins with.
    """

    content: bytes
    status: int
    answer: bytes

    @classmethod
    def post(cls, path: str, body: bytes, answer: bytes, status: int = 200) -> Request:
        """A POST of JSON."""
        head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        return cls(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body, status, answer)


@dataclass
class Found:
    """What clients found out.

    Parameters
    ----------
    statuses : Counter
        Answers by their status of HTTP.
    seconds : list of float
        Of each answer, from when it was due to be asked.
    wrong : int
        Answers other than those that are right; a 429 is none of them.
    unanswered : int
        Requests that had no answer when none had come for ten seconds.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: int = 0
    unanswered: int = 0

    def told(self) -> dict[str, Any]:
        """As JSON: counts, and the median and 99th percentile in milliseconds of the answered."""
        times = np.array(self.seconds or [np.nan]) * 1e3
        return {
            "answered": self.statuses[200],
            "refused_429": self.statuses[429],
            "other_statuses": sum(n for s, n in self.statuses.items() if s not in (200, 429)),
            "wrong": self.wrong,
            "unanswered": self.unanswered,
            "milliseconds_p50": round(float(np.percentile(times, 50)), 3),
            "milliseconds_p99": round(float(np.percentile(times, 99)), 3),
        }


class _Line(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self, found: Found, free: Callable[[_Line], None]) -> None:
        self._found, self._free = found, free
        self._heard = b""
        self._asked: Request | None = None
        self._due = 0.0
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self, request: Request, due: float | None = None) -> None:
        """Send a request, which was due at a time of the loop."""
        self._asked = request
        self._due = self._loop.time() if due is None else due
        self._transport.write(request.content)

    def data_received(self, data: bytes) -> None:
        self._heard += data
        behind = self._heard.find(_END)
        if behind < 0 or self._asked is None:
            return
        head = self._heard[:behind].lower()
        start = head.index(_LENGTH) + len(_LENGTH)
        length = int(head[start:].partition(b"\r")[0])
        if len(self._heard) < behind + len(_END) + length:
            return
        status, body = int(head[9:12]), self._heard[behind + len(_END) :]
        self._heard = b""
        self._note(status, body, self._asked)
        self._asked = None
        self._free(self)

    def _note(self, status: int, body: bytes, asked: Request) -> None:
        found = self._found
        found.statuses[status] += 1
        if status == 200:
            found.seconds.append(self._loop.time() - self._due)
        right = body == asked.answer if asked.status == 200 else body.startswith(asked.answer)
        if status != 429 and (status != asked.status or not right):
            found.wrong += 1

    @property
    def is_busy(self) -> bool:
        """Whether it waits for an answer."""
        return self._asked is not None

    def close(self) -> None:
        """Leave."""
        self._transport.close()


async def closed_loop(
    port: int, requests: Sequence[Request], clients: int, count: int
) -> tuple[Found, float]:
    """Clients that ask again as soon as they have an answer.

    Parameters
    ----------
    port : int
    requests : sequence of Request
        Asked in turn.
    clients : int
    count : int
        Requests of all clients together.

    Returns
    -------
    tuple of Found and float
        What they found, and the seconds it took.
    """
    loop = asyncio.get_running_loop()
    found, done, left = Found(), loop.create_future(), count
    answered = 0

    def free(line: _Line) -> None:
        nonlocal left, answered
        answered += 1
        if left:
            left -= 1
            line.ask(requests[left % len(requests)])
        elif answered == count and not done.done():
            done.set_result(None)

    lines = [
        (await loop.create_connection(lambda: _Line(found, free), "127.0.0.1", port))[1]
        for _ in range(clients)
    ]
    began = loop.time()
    for line in lines[: min(clients, count)]:
        left -= 1
        line.ask(requests[left % len(requests)])
    await asyncio.wait_for(done, 120)
    seconds = loop.time() - began
    for line in lines:
        line.close()
    return found, seconds


async def poisson(
    port: int, requests: Sequence[Request], rate: float, seconds: float, lines: int, seed: int = 0
) -> Found:
    """Clients that ask when they have something to ask, whether others have their answer or not.

    Parameters
    ----------
    port : int
    requests : sequence of Request
    rate : float
        Requests a second, at times of a Poisson process.
    seconds : float
    lines : int
        Connections; what finds none free waits for one, and its time counts from when it was due.
    seed : int
    """
    loop = asyncio.get_running_loop()
    gaps = np.random.default_rng(seed).exponential(1 / rate, int(rate * seconds))
    waiting: deque[tuple[Request, float]] = deque()
    idle: list[_Line] = []
    found = Found()

    def free(line: _Line) -> None:
        if waiting:
            line.ask(*waiting.popleft())
        else:
            idle.append(line)

    made = [
        (await loop.create_connection(lambda: _Line(found, free), "127.0.0.1", port))[1]
        for _ in range(lines)
    ]
    idle += made
    begin = loop.time()
    for number, due in enumerate((begin + np.cumsum(gaps)).tolist()):
        delay = due - loop.time()
        if delay > 0:
            await asyncio.sleep(delay)
        request = requests[number % len(requests)]
        if idle:
            idle.pop().ask(request, due)
        else:
            waiting.append((request, due))
        if number % _IN_A_ROW == 0:
            await asyncio.sleep(0)  # hear answers, even where we are late
    await _heard_out(found, lambda: bool(waiting) or any(line.is_busy for line in made))
    found.unanswered = len(waiting) + sum(line.is_busy for line in made)
    for line in made:
        line.close()
    return found


async def _heard_out(found: Found, is_open: Callable[[], bool]) -> None:
    """Wait as long as answers come: a client that shares processors with the server is behind."""
    loop = asyncio.get_running_loop()
    heard, since = -1, loop.time()
    while is_open() and loop.time() < since + _SILENCE:
        if found.statuses.total() > heard:
            heard, since = found.statuses.total(), loop.time()
        await asyncio.sleep(0.01)


def as_json(value: Any) -> bytes:
    """A body."""
    return json.dumps(value).encode()
