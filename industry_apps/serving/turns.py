"""Batches without a timer: what has arrived by the next turn of the event loop is one run.

A server that is idle answers at once; one that is not finds several requests ready in each turn of
its loop, and the more there are the more of them share a run. Nobody waits for others to come.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from time import perf_counter
from typing import Any, Generic, TypeVar

from industry_apps.errors import RequestError

#: Records of one run.
MOST = 256

Outcome = Any
T = TypeVar("T")


class Turns:
    """Gathers what is asked within one turn of the event loop, and runs it together.

    Parameters
    ----------
    run : callable
        Some items -> an answer, or an error, for each of them in order. It raises nothing.
    seconds : float
        That an item may wait for its run.
    executor : Executor, optional
        Where a run takes so long that the event loop must not wait for it.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Any]], Sequence[Outcome]],
        *,
        seconds: float,
        executor: Executor | None = None,
    ) -> None:
        self._run, self._seconds, self._executor = run, seconds, executor
        self._waiting: deque[tuple[Any, asyncio.Future[Any], float]] = deque()
        self._due = False
        #: Runs of each number of items.
        self.sizes: dict[int, int] = {}

    def ask(self, item: Any) -> asyncio.Future[Any]:
        """The answer to an item, once the turn is over.

        Parameters
        ----------
        item : object
            What ``run`` takes.
        """
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._waiting.append((item, future, perf_counter()))
        if not self._due:
            self._due = True
            loop.call_soon(self._turn, loop)
        return future

    def _turn(self, loop: asyncio.AbstractEventLoop) -> None:
        items, futures = self._taken()
        if not items:
            self._due = False
            return
        self.sizes[len(items)] = self.sizes.get(len(items), 0) + 1
        if self._executor is None:
            self._tell(futures, self._run(items), loop)
            return
        done = loop.run_in_executor(self._executor, self._run, items)
        done.add_done_callback(lambda found: self._tell(futures, found.result(), loop))

    def _taken(self) -> tuple[list[Any], list[asyncio.Future[Any]]]:
        """What is run now; what has waited too long is told so."""
        items: list[Any] = []
        futures: list[asyncio.Future[Any]] = []
        latest = perf_counter() - self._seconds
        while self._waiting and len(items) < MOST:
            item, future, arrived = self._waiting.popleft()
            if future.done():  # whoever asked has gone
                continue
            if arrived < latest:
                future.set_exception(too_late(self._seconds))
                continue
            items.append(item)
            futures.append(future)
        return items, futures

    def _tell(
        self,
        futures: Sequence[asyncio.Future[Any]],
        outcomes: Sequence[Outcome],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        for future, outcome in zip(futures, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        if self._waiting:
            loop.call_soon(self._turn, loop)
        else:
            self._due = False


class Eager(Generic[T]):
    """Runs a coroutine at once up to its first wait, without the turn that a task begins with.

    For coroutines that wait for futures alone, and need no task around them.

    Parameters
    ----------
    coroutine : coroutine
    done : callable
        Told of this once the coroutine has ended; at once, if it waits for nothing.
    loop : AbstractEventLoop

    Attributes
    ----------
    result : object
        What the coroutine returned; None where it was cancelled.
    """

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, T],
        done: Callable[[Eager[T]], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._coroutine, self._done, self._loop = coroutine, done, loop
        self.result: T | None = None
        self.is_done = False
        self._waits_for: asyncio.Future[Any] | None = None
        self._step()

    def cancel(self, msg: str | None = None) -> None:
        """End the coroutine where it waits, as a task is."""
        if self._waits_for is not None:
            self._waits_for.cancel(msg)

    def _step(self, _: object = None) -> None:
        try:
            waits_for = self._coroutine.send(None)
        except StopIteration as ended:
            self.result, self.is_done = ended.value, True
            self._done(self)
        except asyncio.CancelledError:
            self.is_done = True
            self._done(self)
        else:
            self._waits_for = waits_for
            if waits_for is None:  # it lets others go first
                self._loop.call_soon(self._step)
                return
            waits_for._asyncio_future_blocking = False
            waits_for.add_done_callback(self._step)


def too_late(seconds: float) -> RequestError:
    """The error of a request that has waited longer than it may."""
    return RequestError(
        f"The request waited longer than {seconds:g} s for its run: the server has too much to "
        "do. Try again later.",
        503,
    )
