"""Serves with one process, or with several that share a socket and swap versions together."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from industry_apps.errors import IndustryAppsError, ParameterError
from industry_apps.serving.fleet import Crew
from industry_apps.serving.journal import Journal
from industry_apps.serving.served import Served
from industry_apps.serving.server import Server, listener, run
from industry_apps.serving.settings import Binding, Settings

#: A worker that ends this often within a minute is not started again.
_MOST_STARTS = 5
_MINUTE = 60.0


def serve_with(
    models: Mapping[str, str], settings: Settings, binding: Binding, workers: int = 1
) -> None:
    """Serve until a signal ends it.

    Parameters
    ----------
    models : mapping of str to str
        Name -> place.
    settings : Settings
    binding : Binding
    workers : int
        Processes. Each of them allows its share of the rate of a key.

    Raises
    ------
    IndustryAppsError
        A model is not to be served, or a setting does not hold.
    """
    if workers < 1:
        raise ParameterError(f"The 'workers' must be an int >= 1. Got {workers} instead.")
    if workers == 1:
        run(Server(Served(models, settings), binding), listener(binding))
        return
    if settings.state is not None:
        raise ParameterError(
            "A state of a stream is kept by customer and by terminal, so that events cannot be "
            f"parted among {workers} workers. Give --workers 1, or leave --state out."
        )
    limits = settings.limits
    if limits.rate is not None:
        settings = replace(settings, limits=replace(limits, rate=limits.rate / workers))
    Keeper(models, settings, binding, workers).run()


@dataclass(eq=False)
class _Worker:
    """A process that answers, and the line to it."""

    process: BaseProcess
    line: Connection


@dataclass
class _Order:
    """What was asked of all workers, and has no reply of all of them yet."""

    asker: _Worker
    number: int
    waits_for: set[_Worker]
    what: str
    name: str
    replies: list[tuple[bool, Any]] = field(default_factory=list)


class Keeper:
    """Keeps workers together: starts them, passes orders on, ends them.

    Parameters
    ----------
    models : mapping of str to str
    settings : Settings
    binding : Binding
    workers : int
    """

    def __init__(
        self, models: Mapping[str, str], settings: Settings, binding: Binding, workers: int
    ) -> None:
        self._models, self._settings, self._count = dict(models), settings, workers
        self._socket = listener(binding)
        self._reserved = _reserved(binding)
        if self._reserved is not None:
            binding = replace(binding, grpc=self._reserved.getsockname()[1], shares_ports=True)
        self._binding = binding
        self._journal = Journal(worker="keeper")
        self._workers: list[_Worker] = []
        self._orders: dict[int, _Order] = {}
        # Name -> who has a version of it prepared, and the sha256 of that version.
        self._swapping: dict[str, tuple[_Worker, str]] = {}
        self._pinned: dict[str, str] = {}
        self._starts: list[float] = []
        self._given = 0
        self._ending = False

    def run(self) -> None:
        """Serve until a signal ends it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end())
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: self._reload())
        try:
            for _ in range(self._count):
                self._start()
            while self._workers:
                self._turn()
        finally:
            self._end()
            for worker in self._workers:
                worker.process.join()

    def _turn(self) -> None:
        lines = {worker.line: worker for worker in self._workers}
        for line in wait(list(lines), timeout=1.0):
            worker = lines[line]  # type: ignore[index]
            try:
                kind, number, *told = worker.line.recv()
            except (EOFError, OSError):
                self._lost(worker)
                continue
            if kind == "ask":
                self._asked(worker, number, *told)
            elif kind == "reply":
                self._replied(worker, number, told[0])
            elif kind == "failed":
                raise ParameterError(told[0])

    def _start(self) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (self._models, self._settings, self._binding, self._socket, theirs)
        process = context.Process(target=_work, args=(*arguments, dict(self._pinned)))
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))
        self._starts.append(time.monotonic())

    def _lost(self, worker: _Worker) -> None:
        """A worker has ended: go on without it, and start another one unless it is the end."""
        worker.process.join()
        self._workers.remove(worker)
        for number, order in list(self._orders.items()):
            order.waits_for.discard(worker)
            self._tell(number, order)
        for name in [name for name, (owner, _) in self._swapping.items() if owner is worker]:
            del self._swapping[name]
            self._give(worker, 0, "abort", (name,))
        if self._ending:
            return
        self._journal.event("worker lost", code=worker.process.exitcode)
        recent = [at for at in self._starts if at > time.monotonic() - _MINUTE]
        if len(recent) - self._count < _MOST_STARTS:
            self._start()

    def _asked(self, asker: _Worker, number: int, what: str, arguments: tuple[Any, ...]) -> None:
        name = arguments[0] if arguments else ""
        owner, _ = self._swapping.get(name, (asker, ""))
        if owner is not asker:
            words = f"Another version of {name!r} is being prepared. Try again later."
            asker.line.send(("answer", number, [(False, (words, 409))]))
            return
        if what == "prepare":
            self._swapping[name] = asker, arguments[1][1]
        self._give(asker, number, what, arguments)

    def _give(self, asker: _Worker, number: int, what: str, arguments: tuple[Any, ...]) -> None:
        self._given += 1
        name = arguments[0] if arguments else ""
        order = _Order(asker, number, set(self._workers), what, name)
        self._orders[self._given] = order
        for worker in self._workers:
            worker.line.send(("order", self._given, what, arguments))

    def _replied(self, worker: _Worker, number: int, reply: tuple[bool, Any]) -> None:
        order = self._orders.get(number)
        if order is not None:
            order.waits_for.discard(worker)
            order.replies.append(reply)
            self._tell(number, order)

    def _tell(self, number: int, order: _Order) -> None:
        """Tell whoever has asked, once all have replied."""
        if order.waits_for:
            return
        del self._orders[number]
        if order.what == "commit":
            self._pinned[order.name] = self._swapping[order.name][1]
        elif order.what == "rollback" and order.replies and order.replies[0][0]:
            self._pinned[order.name] = order.replies[0][1]
        if order.what in ("commit", "abort"):
            self._swapping.pop(order.name, None)
        if order.asker in self._workers and order.number:
            order.asker.line.send(("answer", order.number, order.replies))

    def _reload(self) -> None:
        if self._workers and self._workers[0].process.pid is not None:
            os.kill(self._workers[0].process.pid, signal.SIGHUP)  # it asks all of them

    def _end(self) -> None:
        self._ending = True
        for worker in self._workers:
            if worker.process.is_alive():
                worker.process.terminate()


def _work(
    models: Mapping[str, str],
    settings: Settings,
    binding: Binding,
    listening: socket.socket,
    line: Connection,
    pinned: Mapping[str, str],
) -> None:
    """One worker, from its start to its end."""
    try:
        served = Served(models, settings, Journal(worker=os.getpid()), pinned)
        crew = Crew(served, line)
        served.fleet = crew
        run(_Listening(served, binding, crew), listening)
    except IndustryAppsError as error:
        line.send(("failed", 0, str(error)))


class _Listening(Server):
    """A server whose worker does what is ordered of all of them."""

    def __init__(self, served: Served, binding: Binding, crew: Crew) -> None:
        super().__init__(served, binding)
        self._crew = crew

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As of uvicorn."""
        self._crew.listen()
        await super().startup(sockets)


def _reserved(binding: Binding) -> socket.socket | None:
    """A socket that keeps the port of gRPC for all workers, which share it."""
    if binding.grpc is None:
        return None
    family = socket.AF_INET6 if ":" in binding.host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        found.bind((binding.host, binding.grpc))
    except OSError as error:
        found.close()
        raise ParameterError(
            f"Cannot listen on port {binding.grpc} for gRPC ({error}). Choose another one."
        ) from error
    return found
