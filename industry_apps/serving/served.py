"""What a server holds: the models under their names, who may ask, what was counted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from os import cpu_count
from pathlib import Path
from typing import Any

from industry_apps.errors import IndustryAppsError, ParameterError, RequestError, unknown_name
from industry_apps.serving.fleet import Alone, Fleet
from industry_apps.serving.gate import Gate
from industry_apps.serving.journal import Journal, Payloads
from industry_apps.serving.keys import KeyRing
from industry_apps.serving.metrics import Metrics, Samples, batch_samples
from industry_apps.serving.settings import Settings
from industry_apps.serving.slot import Slot
from industry_apps.serving.sources import Target, source_of
from industry_apps.serving.streams import Stream, stream_of

#: Who rolls a version back that fails.
_ITSELF = "industry_apps"


class Served:
    """All models of a server, and what belongs to them.

    Parameters
    ----------
    models : mapping of str to str or Path
        Name -> a model file, a name of the zoo, or a folder of versions.
    settings : Settings, optional
    journal : Journal, optional
        Where events are written; standard error by default.
    pinned : mapping of str to str, optional
        Name -> sha256 of the version that must be served first; by default what is there.

    Raises
    ------
    IndustryAppsError
        A model is not to be served, or a setting does not hold.

    Examples
    --------
    >>> served = Served({"credit": "finance.credit_scoring.scorecard"})
    >>> served.slot("credit").current.model.metadata["application"]
    'finance.credit_scoring'
    """

    def __init__(
        self,
        models: Mapping[str, str | Path],
        settings: Settings | None = None,
        journal: Journal | None = None,
        pinned: Mapping[str, str] | None = None,
    ) -> None:
        self.settings = settings or Settings()
        self.journal = journal or Journal()
        self.metrics = Metrics()
        keys = None if self.settings.keys is None else KeyRing(self.settings.keys)
        self.gate = Gate(self.settings.limits, keys)
        self.payloads = (
            None
            if self.settings.payloads is None
            else Payloads(self.settings.payloads, self.settings.payload_share, self.journal)
        )
        self.executor = ThreadPoolExecutor(max_workers=max(2, cpu_count() or 2))
        self.fleet: Fleet = Alone(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.slots: dict[str, Slot] = {}
        for name, place in models.items():
            _check_name(name)
            source = source_of(place, self.settings.public_key)
            version = (pinned or {}).get(name)
            target = source.target() if version is None else source.version(version)
            slot = Slot(name, source, target, self.settings, self.executor)
            slot.on_failing = partial(self._failing, name)
            self.slots[name] = slot
        self.streams = self._streams()

    @property
    def is_ready(self) -> bool:
        """Whether there are models, all loaded, and the server is not about to end."""
        return bool(self.slots) and not self.gate.draining

    def slot(self, name: str) -> Slot:
        """The slot of a name.

        Raises
        ------
        UnknownNameError
        """
        found = self.slots.get(name)
        if found is None:
            raise unknown_name("model", name, self.slots)
        return found

    def samples(self) -> Samples:
        """All that this worker has counted."""
        found = self.metrics.samples()
        found.append(("in_flight", [], float(self.gate.in_flight)))
        for name, slot in self.slots.items():
            loaded = slot.current
            application = loaded.model.metadata["application"]
            labels = [("model", name), ("version", loaded.version), ("application", application)]
            found.append(("model_workers", labels, 1.0))
            found += batch_samples(name, loaded.turns.sizes)
        return found

    async def swap(self, name: str, version: str | None, who: str, why: str) -> dict[str, Any]:
        """Put a version into the place of the current one, on all workers or on none.

        Parameters
        ----------
        name : str
        version : str or None
            Of a store of versions, which is then promoted there; None for what the file, or the
            pointer of the store, is now.
        who, why : str
            For the log.

        Returns
        -------
        dict
            What the workers found out about it.

        Raises
        ------
        IndustryAppsError
            It is not to be served; what was there before answers on.
        """
        slot = self.slot(name)
        source = slot.source
        told = await asyncio.to_thread(
            lambda: source.target() if version is None else source.version(version)
        )
        if told.sha256 == slot.current.sha256:
            remedy = "Name another one." if version else "Replace the file, or promote a version."
            raise RequestError(
                f"{name!r} is served from version {told.sha256[:12]} already. {remedy}", 409
            )
        enter = None
        if version is not None and source.store is not None:
            key = self.settings.public_key
            enter = partial(source.store.promote, told.sha256, who=who, why=why, public_key=key)
        try:
            report = await self.fleet.swap(name, Target(*told), enter)
        except IndustryAppsError as error:
            self._note(name, "refused", version=told.sha256[:12], who=who, error=str(error))
            raise
        self._note(name, "swapped", version=told.sha256[:12], who=who, why=why)
        return report

    async def rollback(self, name: str, who: str, why: str) -> dict[str, Any]:
        """Let the version before the current one answer again, on all workers.

        Parameters
        ----------
        name : str
        who, why : str
            For the log.

        Raises
        ------
        IndustryAppsError
            There is none loaded, or its store has no room for the entry: it answers nevertheless.
        """
        slot = self.slot(name)
        version = await self.fleet.rollback(name)
        self._note(name, "rolled back", version=version[:12], who=who, why=why)
        store = slot.source.store
        if store is not None and store.production != version:
            back = store.rollback if store.previous == version else partial(store.promote, version)
            await asyncio.to_thread(back, who=who, why=why)
        return {"version": version[:12]}

    def start(self, coroutine: Any) -> None:
        """Run something beside the requests, to its end."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stream(self, name: str) -> Stream:
        """The stream of events of a model.

        Raises
        ------
        RequestError
            409: its file keeps no state, or the server has no folder for it.
        """
        found = self.streams.get(name)
        if found is None:
            keeps = self.slot(name).current.model.metadata.get("state") is not None
            raise RequestError(
                f"{name!r} takes no events: "
                + (
                    "the server was started without a folder for their state. Give it --state."
                    if keeps
                    else "its file keeps no state of a stream. Send records to /predict."
                ),
                409,
            )
        return found

    def close(self) -> None:
        """Let go of threads and files, and write what streams have told."""
        self.executor.shutdown(wait=True)
        for stream in self.streams.values():
            stream.close()

    def _streams(self) -> dict[str, Stream]:
        folder, seconds = self.settings.state, self.settings.limits.seconds
        made = {
            name: stream_of(folder, name, slot.current, self.executor, seconds)
            for name, slot in self.slots.items()
        }
        return {name: stream for name, stream in made.items() if stream is not None}

    def _failing(self, name: str, why: str) -> None:
        async def back() -> None:
            try:
                await self.rollback(name, _ITSELF, why)
            except IndustryAppsError as error:
                self.journal.event("rollback failed", model=name, error=str(error))

        self.start(back())

    def _note(self, name: str, outcome: str, **facts: Any) -> None:
        self.metrics.swap(name, outcome)
        self.journal.event(outcome, model=name, **facts)


def _check_name(name: str) -> None:
    if not name or not all(c.isalnum() or c in "._-" for c in name) or len(name) > 100:
        raise ParameterError(
            f"A model is served under the name {name!r:.120}; expected letters, digits, and . _ - "
            "in up to 100 characters. Choose another."
        )
