"""Streams of events in a server: what they tell is on the disk before an answer is.

An event is written to a journal first, and only then taken into the state and answered. Now and
then the state is written as a whole, and a new journal begins behind it. After a kill the last
state is read and its journal is taken in again, in the same order, by the same code.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from industry_apps.errors import FileWriteError, ModelFileError, RequestError, SchemaError
from industry_apps.runtime.stream.state import TransactionState
from industry_apps.serving.turns import Turns
from industry_apps.whole_file import Hold, LineFile

if TYPE_CHECKING:
    from industry_apps.serving.loaded import Loaded

#: Events of a journal before the state is written as a whole.
_EVENTS = 10_000


class Event(NamedTuple):
    """An event that a client sent.

    Parameters
    ----------
    told : mapping
        A record, or which earlier one turned out to be fraud.
    loaded : Loaded or None
        The version that answers it; None where it confirms an earlier one.
    """

    told: Mapping[str, Any]
    loaded: Loaded | None


class Stream:
    """The state that a stream of events has told, kept in a folder.

    One process may have a folder at a time. A client that repeats an event for which it got no
    answer must know that the first one may have been taken in.

    Parameters
    ----------
    folder : Path
    settings : mapping
        Of the :class:`TransactionState`, as a model file states them.
    executor : Executor
        Where the disk is waited for.
    seconds : float
        That an event may wait for its turn.
    events : int
        Of a journal.

    Raises
    ------
    ModelFileError
        The folder holds what was written with other settings, or is damaged.
    FileWriteError
        Another process has the folder.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        executor: Executor,
        *,
        seconds: float = 10.0,
        events: int = _EVENTS,
    ) -> None:
        self._folder, self._most, self._due = folder, events, events
        self._held = Hold(folder / ".lock")
        self.turns = Turns(self._taken, seconds=seconds, executor=executor)
        self._number = max(map(_number, folder.glob("state-*.npz")), default=0)
        self.state = self._restored(settings)
        self._columns = [
            self.state.entity,
            self.state.place,
            self.state.time,
            self.state.amount,
            self.state.label,
        ]
        self._journal = LineFile(self._path("journal", self._number, "jsonl"))
        self._lines = self._replay()
        self._sweep()

    async def ask(self, told: Mapping[str, Any], loaded: Loaded | None) -> Any:
        """Take in an event, and answer it once it is on the disk.

        Parameters
        ----------
        told : mapping
        loaded : Loaded or None
            As of :class:`Event`.

        Raises
        ------
        SchemaError, FileWriteError
            It is not taken in; the state is as it was.
        """
        return await self.turns.ask(Event(told, loaded))

    def record_of(self, told: Mapping[str, Any]) -> dict[str, Any]:
        """An event as a record, as if nothing had been told before it."""
        return {**told, **dict.fromkeys(self.state.columns, 0.0)}

    def close(self) -> None:
        """Write the state as a whole, and let go of the folder."""
        if self._lines:
            self._try_to_begin_anew()
        self._journal.close()
        self._held.close()

    def _taken(self, events: Sequence[Event]) -> list[Any]:
        """Answers, or errors, of the events of one turn; all of them are written at once."""
        outcomes: list[Any] = [self._objection(event) for event in events]
        good = [n for n, objection in enumerate(outcomes) if objection is None]
        try:
            self._journal.append([self._line(events[n]) for n in good])
        except Exception as error:  # noqa: BLE001 - each of those who asked is told
            return [error if outcome is None else outcome for outcome in outcomes]
        for number in good:
            outcomes[number] = self._outcome(events[number])
        self._lines += len(good)
        if self._lines >= self._due:
            self._try_to_begin_anew()
        return outcomes

    def _objection(self, event: Event) -> Exception | None:
        """What is wrong with an event before the state has seen it."""
        try:
            if event.loaded is not None:
                event.loaded.batches.read(self.record_of(event.told))
            needs = [self.state.place, self.state.time]
            needs += [self.state.entity, self.state.amount] if event.loaded else []
            for name in needs:
                if name not in event.told:
                    raise SchemaError(
                        f"Column {name!r} is missing. The stream needs {', '.join(needs)}. Add it."
                    )
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            return error
        return None

    def _outcome(self, event: Event) -> Any:
        try:
            if event.loaded is None:
                return {"confirmed": self.state.confirm(event.told)}
            told = {**event.told, **self._update(event.told)}
            return event.loaded.batches.run([event.loaded.batches.read(told)])[0]
        except Exception as error:  # noqa: BLE001 - whoever asked is told
            return error

    def _update(self, told: Mapping[str, Any]) -> dict[str, Any]:
        known = {name: told[name] for name in self._columns if name in told}
        return self.state.update(known)

    def _line(self, event: Event) -> bytes:
        """What the state needs of an event, and nothing else."""
        known = {name: event.told[name] for name in self._columns if name in event.told}
        return json.dumps([event.loaded is not None, known]).encode()

    def _restored(self, settings: Mapping[str, Any]) -> TransactionState:
        fresh = TransactionState(**settings)
        if not self._number:
            return fresh
        state = TransactionState.restore(self._path("state", self._number, "npz"))
        if state.settings != fresh.settings:
            raise ModelFileError(
                f"{self._folder} holds the state of another stream ({state.settings}), expected "
                f"{fresh.settings} of the model. Give the model a folder of its own."
            )
        return state

    def _replay(self) -> int:
        """Take in what came after the state was written as a whole; how many events."""
        path = self._path("journal", self._number, "jsonl")
        lines = LineFile.lines(path)
        for number, line in enumerate(lines, start=1):
            try:
                updates, told = json.loads(line)
                self._again(updates, told)
            except (ValueError, TypeError, KeyError) as error:
                raise ModelFileError(
                    f"{path}, line {number} is no event ({error!s:.100}): the file was edited. "
                    "Restore it from a copy."
                ) from error
        return len(lines)

    def _again(self, updates: bool, told: dict[str, Any]) -> None:
        try:
            if updates:
                self.state.update(told)
            else:
                self.state.confirm(told)
        except SchemaError:
            return  # it was refused when it came, and is now, for the same reason

    def _try_to_begin_anew(self) -> None:
        """Write the state as a whole; where there is no room, the journal grows on for a while."""
        try:
            self._begin_anew()
            self._due = self._most
        except (FileWriteError, OSError) as error:
            self._due = self._lines + self._most
            warnings.warn(
                f"The state in {self._folder} was not written as a whole ({error}); its journal "
                "grows on, and nothing is lost. Make room.",
                stacklevel=2,
            )

    def _begin_anew(self) -> None:
        number = self._number + 1
        path = self._path("journal", number, "jsonl")
        journal = LineFile(path)  # before the state, whose number says which journal counts
        try:
            self.state.snapshot(self._path("state", number, "npz"))
        except BaseException:
            journal.close()
            path.unlink(missing_ok=True)
            raise
        self._journal.close()
        self._journal, self._number, self._lines = journal, number, 0
        self._sweep()

    def _sweep(self) -> None:
        """Remove what the present state has made useless."""
        for kind, end in (("state", "npz"), ("journal", "jsonl")):
            for path in self._folder.glob(f"{kind}-*.{end}"):
                if _number(path) != self._number:
                    path.unlink(missing_ok=True)

    def _path(self, kind: str, number: int, end: str) -> Path:
        return self._folder / f"{kind}-{number:08}.{end}"


def stream_of(
    folder: Path | None, name: str, loaded: Loaded, executor: Executor, seconds: float
) -> Stream | None:
    """The stream of a model, where its file keeps a state and there is a folder for it.

    Parameters
    ----------
    folder : Path or None
    name : str
        Of the model.
    loaded : Loaded
    executor : Executor
    seconds : float
    """
    settings = loaded.model.metadata.get("state")
    if folder is None or settings is None:
        return None
    return Stream(folder / name, settings, executor, seconds=seconds)


def check_event(told: Any) -> None:
    """Check that a body is one event.

    Raises
    ------
    RequestError
    """
    if type(told) is not dict:
        raise RequestError(
            f"The body is {type(told).__name__}, expected one event (an object of column names to "
            "values). Send events one by one, in order of time."
        )


def _number(path: Path) -> int:
    digits = path.stem.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0
