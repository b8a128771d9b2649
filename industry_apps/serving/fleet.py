"""The workers of a server, which swap a version together or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from industry_apps.serving.metrics import Samples
from industry_apps.serving.sources import Target

if TYPE_CHECKING:
    from industry_apps.serving.served import Served


class Fleet(Protocol):
    """All workers of a server, seen from one of them."""

    async def swap(
        self, name: str, target: Target, enter: Callable[[], Any] | None
    ) -> dict[str, Any]:
        """Prepare a version everywhere, enter it in its store, and let it answer everywhere."""

    async def rollback(self, name: str) -> str:
        """Let the version before answer again everywhere; its sha256."""

    async def samples(self) -> list[Samples]:
        """What each worker has counted."""


class Alone:
    """A server of one worker.

    Parameters
    ----------
    served : Served
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._swapping = asyncio.Lock()

    async def swap(
        self, name: str, target: Target, enter: Callable[[], Any] | None
    ) -> dict[str, Any]:
        """As of :class:`Fleet`."""
        slot = self._served.slot(name)
        async with self._swapping:
            report = await asyncio.to_thread(slot.prepare, target)
            if enter is not None:
                try:
                    await asyncio.to_thread(enter)
                except BaseException:
                    slot.abort()
                    raise
            slot.commit()
        return report

    async def rollback(self, name: str) -> str:
        """As of :class:`Fleet`."""
        return self._served.slot(name).rollback()

    async def samples(self) -> list[Samples]:
        """As of :class:`Fleet`."""
        return [self._served.samples()]
