"""The workers of a server, which swap a version together or not at all."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Protocol

from industry_apps.errors import IndustryAppsError, RequestError
from industry_apps.serving.calls import status_of
from industry_apps.serving.journal import Journal
from industry_apps.serving.metrics import Samples
from industry_apps.serving.swapping.slot import Slot
from industry_apps.serving.swapping.sources import Target

#: Enters a version in its store.
Enter = Callable[[], Any] | None


class Member(Protocol):
    """What a worker has, as far as the others are concerned."""

    journal: Journal

    def slot(self, name: str) -> Slot:
        """The slot of a name."""

    def samples(self) -> Samples:
        """All that it has counted."""

    def start(self, coroutine: Any) -> None:
        """Run something beside the requests."""

    def reload_all(self) -> None:
        """Take all files, and what is in production, as they are now."""


class Fleet(Protocol):
    """All workers of a server, seen from one of them."""

    async def swap(
        self, name: str, target: Target, enter: Enter = None, back: str = ""
    ) -> dict[str, Any]:
        """Prepare a version everywhere, enter it in its store, and let it answer everywhere.

        Parameters
        ----------
        name : str
        target : Target
        enter : callable, optional
            Enters it; where that raises, all is as it was.
        back : str
            As of :meth:`Slot.prepare`.
        """

    async def samples(self) -> list[Samples]:
        """What each worker has counted."""


class Alone:
    """A server of one worker.

    Parameters
    ----------
    served : Member
    """

    def __init__(self, served: Member) -> None:
        self._served = served
        self._swapping: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def swap(
        self, name: str, target: Target, enter: Enter = None, back: str = ""
    ) -> dict[str, Any]:
        """As of :class:`Fleet`."""
        slot = self._served.slot(name)
        async with self._swapping[name]:
            report = await asyncio.to_thread(slot.prepare, target, back)
            if enter is not None:
                try:
                    await asyncio.to_thread(enter)
                except BaseException:
                    slot.abort()
                    raise
            slot.commit()
        return report

    async def samples(self) -> list[Samples]:
        """As of :class:`Fleet`."""
        return [self._served.samples()]


class Crew:
    """A server of several workers, each of them a process, that one process keeps together.

    A worker asks that process to order something of all of them, itself included. A swap is two
    orders: prepare, which each may refuse, and commit, which none can. Of one model they are done
    in the order in which they came.

    Parameters
    ----------
    served : Member
    line : multiprocessing.connection.Connection
        To the process that keeps them together.
    """

    def __init__(self, served: Member, line: Connection) -> None:
        self._served, self._line = served, line
        self._asked: dict[int, asyncio.Future[list[Any]]] = {}
        self._count = 0
        self._swapping: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._obeying: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def listen(self) -> None:
        """Do what is ordered, from now on, in the present event loop."""
        asyncio.get_running_loop().add_reader(self._line.fileno(), self._read)

    async def swap(
        self, name: str, target: Target, enter: Enter = None, back: str = ""
    ) -> dict[str, Any]:
        """As of :class:`Fleet`."""
        async with self._swapping[name]:
            try:
                reports = await self._order("prepare", name, tuple(target), back)
                if enter is not None:
                    await asyncio.to_thread(enter)
            except BaseException:
                await self._order("abort", name)
                raise
            done = await self._order("commit", name)
        return {**reports[0], "workers": len(done)}

    async def samples(self) -> list[Samples]:
        """As of :class:`Fleet`."""
        return await self._order("samples")

    async def _order(self, what: str, *arguments: Any) -> list[Any]:
        """Have all workers do something; what each of them says."""
        self._count += 1
        future = self._asked[self._count] = asyncio.get_running_loop().create_future()
        self._line.send(("ask", self._count, what, arguments))
        return await future

    def _read(self) -> None:
        try:
            kind, number, *told = self._line.recv()
        except (EOFError, OSError):  # the process that keeps us together is gone
            asyncio.get_running_loop().remove_reader(self._line.fileno())
            self._served.start(_end())
            return
        if kind == "order":
            self._served.start(self._obey(number, *told))
            return
        if kind == "reload":
            self._served.reload_all()
            return
        future = self._asked.pop(number)
        (replies,) = told
        wrong = next((reply for good, reply in replies if not good), None)
        if wrong is not None:
            future.set_exception(RequestError(*wrong))
        else:
            future.set_result([reply for _, reply in replies])

    async def _obey(self, number: int, what: str, arguments: tuple[Any, ...]) -> None:
        try:
            reply = True, await self._done(what, *arguments)
        except IndustryAppsError as error:
            reply = False, (str(error), status_of(error))
        except Exception as error:  # noqa: BLE001 - whoever ordered it is told
            self._served.journal.failure(error, order=what)
            reply = False, (f"A worker failed ({type(error).__name__}). Its log says where.", 500)
        self._line.send(("reply", number, reply))

    async def _done(self, what: str, name: str = "", *told: Any) -> Any:
        if what == "samples":
            return self._served.samples()
        slot = self._served.slot(name)
        async with self._obeying[name]:  # a commit waits for what is still being prepared
            if what == "prepare":
                target, back = told
                return await asyncio.to_thread(slot.prepare, Target(*target), back)
            return {"commit": slot.commit, "abort": slot.abort}[what]()


async def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
