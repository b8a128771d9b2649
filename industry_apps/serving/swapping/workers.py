"""Serves with one process, or with several that share a socket and swap versions together."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple

from industry_apps.errors import IndustryAppsError, ParameterError
from industry_apps.serving.calls import status_of
from industry_apps.serving.journal import Journal
from industry_apps.serving.served import Served
from industry_apps.serving.server import Server, listener, run
from industry_apps.serving.settings import Binding, Settings, hangups_wait
from industry_apps.serving.swapping.fleet import Crew
from industry_apps.serving.swapping.sources import Kept, Pin, Source, Target, source_of

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
    is_first: bool

    def send(self, *message: Any) -> bool:
        """Send a message; one that has ended is noticed where its line is read."""
        with suppress(OSError):
            self.line.send(message)
            return self.process.is_alive()
        return False


class _Swap(NamedTuple):
    """A version that a worker has had all of them prepare."""

    owner: _Worker
    target: Target
    back: str

    def after(self, pin: Pin) -> Pin:
        """What is served once it is committed."""
        return Pin(self.target, None if self.back else pin.current)


@dataclass
class _Order:
    """What was asked of all workers, and has no reply of all of them yet."""

    asker: _Worker
    number: int
    waits_for: set[_Worker]
    what: str
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
        self._sources: dict[str, Source] = {}
        self._socket = listener(binding)
        self._reserved = _reserved(binding)
        if self._reserved is not None:
            binding = replace(binding, grpc=self._reserved.getsockname()[1], shares_ports=True)
        self._binding = binding
        self._journal = Journal(worker="keeper")
        self._workers: list[_Worker] = []
        self._orders: dict[int, _Order] = {}
        self._swapping: dict[str, _Swap] = {}
        self._kept = Kept()
        self._pinned: dict[str, Pin] = {}
        self._starts: list[float] = []
        self._given = 0
        self._ending = self._reload_is_due = False

    @hangups_wait()  # so that it ends no worker that starts
    def run(self) -> None:
        """Serve until a signal ends it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._end())
        try:
            for name, place in self._models.items():
                source = self._sources[name] = source_of(place, self._settings.public_key)
                self._pinned[name] = Pin(self._kept.keep(source.target()))
            for _ in range(self._count):
                self._start(is_first=True)
            while self._workers:
                self._turn()
            if not self._ending:
                raise ParameterError(
                    "No worker is left: they ended too often to be started again. The log says "
                    "why. Mend that, and start the server again."
                )
        finally:
            self._end()
            for worker in self._workers:
                worker.process.join()
            self._kept.close()

    def _turn(self) -> None:
        if hasattr(signal, "SIGHUP") and signal.SIGHUP in signal.sigpending():
            signal.sigwait([signal.SIGHUP])
            self._reload_is_due = True
        if self._reload_is_due:  # whoever is told so asks all of them
            self._reload_is_due = not any(each.send("reload", 0) for each in self._workers)
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
            elif kind == "failed" and worker.is_first:
                raise ParameterError(told[0])
            elif kind == "failed":
                self._journal.event("worker failed", error=told[0])

    def _start(self, is_first: bool = False) -> None:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (self._sources, self._settings, self._binding, self._socket, theirs)
        process = context.Process(target=_work, args=(*arguments, dict(self._pinned)))
        process.start()
        theirs.close()
        worker = _Worker(process, ours, is_first)
        self._workers.append(worker)
        self._starts.append(time.monotonic())
        for name, swap in self._swapping.items():  # what the others have been told before
            worker.send("order", 0, "prepare", (name, tuple(swap.target), swap.back))

    def _lost(self, worker: _Worker) -> None:
        """A worker has ended: go on without it, and start another one unless it is the end."""
        worker.process.join()
        self._workers.remove(worker)
        for number, order in list(self._orders.items()):
            order.waits_for.discard(worker)
            self._tell(number, order)
        for name in [name for name, swap in self._swapping.items() if swap.owner is worker]:
            self._settle(worker, 0, "abort", name)
        if self._ending:
            return
        self._journal.event("worker lost", code=worker.process.exitcode)
        recent = [at for at in self._starts if at > time.monotonic() - _MINUTE]
        if len(recent) - self._count < _MOST_STARTS:
            self._start()

    def _asked(self, asker: _Worker, number: int, what: str, arguments: tuple[Any, ...]) -> None:
        name = arguments[0] if arguments else ""
        swap = self._swapping.get(name)
        if swap is not None and swap.owner is not asker:
            words = f"Another version of {name!r} is being prepared. Try again later."
            asker.send("answer", number, [(False, (words, 409))])
        elif what == "prepare":
            self._prepare(asker, number, name, *arguments[1:])
        elif what in {"commit", "abort"}:
            self._settle(asker, number, what, name)
        else:
            self._give(asker, number, what, arguments)

    def _prepare(
        self, asker: _Worker, number: int, name: str, told: tuple[Any, ...], back: str
    ) -> None:
        """Have all workers load the same bytes, which are kept for those that are started later."""
        try:
            target = self._kept.keep(Target(*told))
        except IndustryAppsError as error:
            asker.send("answer", number, [(False, (str(error), status_of(error)))])
            return
        self._swapping[name] = _Swap(asker, target, back)
        self._give(asker, number, "prepare", (name, tuple(target), back))

    def _settle(self, asker: _Worker, number: int, what: str, name: str) -> None:
        """Have all workers end a swap; those that start from now on begin with what came of it."""
        swap = self._swapping.pop(name, None)
        if what == "commit" and swap is not None:
            self._pinned[name] = swap.after(self._pinned[name])
        self._give(asker, number, what, (name,))

    def _give(self, asker: _Worker, number: int, what: str, arguments: tuple[Any, ...]) -> None:
        self._given += 1
        order = _Order(asker, number, set(self._workers), what)
        self._orders[self._given] = order
        for worker in self._workers:
            worker.send("order", self._given, what, arguments)

    def _replied(self, worker: _Worker, number: int, reply: tuple[bool, Any]) -> None:
        order = self._orders.get(number)
        if order is None:
            return
        if order.what == "commit" and not reply[0]:
            worker.process.kill()  # another one starts with what is committed
            return
        order.waits_for.discard(worker)
        order.replies.append(reply)
        self._tell(number, order)

    def _tell(self, number: int, order: _Order) -> None:
        """Tell whoever has asked, once all have replied."""
        if order.waits_for:
            return
        del self._orders[number]
        if order.what in {"commit", "abort"}:
            self._kept.keep_only([*self._pinned.values(), *map(Pin, self._waiting())])
        if order.number:
            order.asker.send("answer", order.number, order.replies)

    def _waiting(self) -> list[Target]:
        return [swap.target for swap in self._swapping.values()]

    def _end(self) -> None:
        self._ending = True
        for worker in self._workers:
            if worker.process.is_alive():
                worker.process.terminate()


def _work(
    sources: Mapping[str, Source],
    settings: Settings,
    binding: Binding,
    listening: socket.socket,
    line: Connection,
    pinned: Mapping[str, Pin],
) -> None:
    """One worker, from its start to its end."""
    try:
        served = Served(sources, settings, Journal(worker=os.getpid()), pinned)
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
