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
from industry_apps.serving.gate import Gate
from industry_apps.serving.journal import Journal, Payloads
from industry_apps.serving.keys import KeyRing
from industry_apps.serving.metrics import Metrics, Samples, batch_samples
from industry_apps.serving.settings import Settings
from industry_apps.serving.streams import Stream, stream_of
from industry_apps.serving.swapping.fleet import Alone, Fleet
from industry_apps.serving.swapping.slot import Slot
from industry_apps.serving.swapping.sources import Pin, Source, Target, source_of

#: Who rolls a version back that fails.
_ITSELF = "industry_apps"


class Served:
    """All models of a server, and what belongs to them.

    Parameters
    ----------
    models : mapping of str to str, Path or Source
        Name -> a model file, a name of the zoo, a folder of versions, or the source there.
    settings : Settings, optional
    journal : Journal, optional
        Where events are written; standard error by default.
    pinned : mapping of str to Pin, optional
        Name -> the versions to begin with; by default what is there.

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
        models: Mapping[str, str | Path | Source],
        settings: Settings | None = None,
        journal: Journal | None = None,
        pinned: Mapping[str, Pin] | None = None,
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
            pin = pinned[name] if pinned else Pin(source.target())
            slot = Slot(
                name, source, pin.current, self.settings, self.executor, previous=pin.previous
            )
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
        told, is_entered = await asyncio.to_thread(_asked, slot.source, version)
        is_served = told.sha256 == slot.current.sha256
        if is_served and is_entered:
            remedy = "Name another one." if version else "Replace the file, or promote a version."
            raise RequestError(
                f"{name!r} is served from version {told.sha256[:12]} already. {remedy}", 409
            )
        enter = None if is_entered else partial(self._enter, slot, told.sha256, who=who, why=why)
        try:
            if is_served and enter is not None:  # its store alone says otherwise
                await asyncio.to_thread(enter)
                report: dict[str, Any] = {"version": slot.current.version}
            else:
                report = await self.fleet.swap(name, told, enter)
        except IndustryAppsError as error:
            self._note(name, "refused", version=told.sha256[:12], who=who, error=str(error))
            raise
        self._note(name, "swapped", version=told.sha256[:12], who=who, why=why)
        return report

    async def rollback(self, name: str, who: str, why: str) -> dict[str, Any]:
        """Let the version before the current one answer again, on all workers or on none.

        It is the one that answered before, or else the one before in the store. It answers even
        where its store, damaged or on a full disk, takes no entry.

        Parameters
        ----------
        name : str
        who, why : str
            For the log.

        Returns
        -------
        dict
            ``version``, and where the store has no entry of it a ``warning`` that says why.

        Raises
        ------
        IndustryAppsError
            There is none, it is not to be served, or another version came between; the current
            one answers on.
        """
        slot = self.slot(name)
        left = slot.current.sha256
        target = await asyncio.to_thread(slot.before)
        report = await self.fleet.swap(name, target, back=left)
        version = report["version"]
        self._note(name, "rolled back", version=version, who=who, why=why)
        enter = partial(self._enter, slot, target.sha256, back=True, who=who, why=why)
        try:
            await asyncio.to_thread(enter)
        except (IndustryAppsError, OSError) as error:
            self.journal.event("not entered", model=name, version=version, error=str(error))
            report["warning"] = (
                f"Version {version} answers again, but the store has no entry of it, and a server "
                f"that starts takes another one: {error}".rstrip(".")
                + f". Once that is mended, promote {version}."
            )
        return report

    def reload_all(self) -> None:
        """Take all files, and what is in production, as they are now; the log says how it went."""
        for name in self.slots:
            self.start(self._reload(name))

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

    def _enter(self, slot: Slot, version: str, *, who: str, why: str, back: bool = False) -> None:
        """Have the store of a model, if it has one, say that a version is in production."""
        store = slot.source.store
        if store is None or store.production == version:
            return
        is_back = back and store.previous == version
        move = store.rollback if is_back else partial(store.promote, version)
        move(who=who, why=why, public_key=self.settings.public_key)

    async def _reload(self, name: str) -> None:
        try:
            await self.swap(name, None, "SIGHUP", "")
        except (IndustryAppsError, OSError) as error:
            self.journal.event("not reloaded", model=name, error=str(error))

    def _failing(self, name: str, why: str) -> None:
        slot = self.slot(name)
        failing = slot.current

        async def back() -> None:
            if slot.current is not failing:
                return  # another worker has found it out before
            try:
                await self.rollback(name, _ITSELF, why)
            except (IndustryAppsError, OSError) as error:
                self.journal.event("rollback failed", model=name, error=str(error))

        self.start(back())

    def _note(self, name: str, outcome: str, **facts: Any) -> None:
        self.metrics.swap(name, outcome)
        self.journal.event(outcome, model=name, **facts)


def _asked(source: Source, version: str | None) -> tuple[Target, bool]:
    """What is to be served, and whether there is nothing to enter in a store for that."""
    if version is None:
        return source.target(), True
    told = source.version(version)
    return told, source.store is None or source.store.production == told.sha256


def _check_name(name: str) -> None:
    fits = name[:1].isalnum() and all(c.isalnum() or c in "._-" for c in name)
    if not fits or len(name) > 100:
        raise ParameterError(
            f"A model is served under the name {name!r:.120}; expected letters, digits, and . _ - "
            "in up to 100 characters, the first a letter or digit. Choose another."
        )
