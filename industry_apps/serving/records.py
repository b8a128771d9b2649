"""The plain routes: records in, decisions out; why; what is served."""

from __future__ import annotations

from typing import Any

from industry_apps.errors import RequestError, SchemaError
from industry_apps.runtime.metadata import printable
from industry_apps.serving.calls import Call, Reply, content_of
from industry_apps.serving.loaded import Loaded
from industry_apps.serving.served import Served
from industry_apps.serving.streams import check_event


class RecordRoutes:
    """Handlers of the plain routes.

    Parameters
    ----------
    served : Served
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        self._limits = served.settings.limits

    async def predict(self, call: Call) -> Reply:
        """One record in, its decision out; or a list of them; or the rows of a long table."""
        slot = self._served.slot(call.parameters["name"])
        loaded = slot.current
        call.model, call.version = slot.name, loaded.version
        asked = content_of(call, self._limits.depth)
        try:
            answer = await self._answer(loaded, asked, call)
        except Exception as error:
            slot.failed(loaded, asked, error)
            raise
        slot.answered(loaded, asked, answer)
        if self._served.payloads is not None:
            self._served.payloads.sample(slot.name, loaded.version, asked, answer)
        return Reply.json(answer)

    async def explain(self, call: Call) -> Reply:
        """One record in, what each column adds to its answer out; or a list of them."""
        slot = self._served.slot(call.parameters["name"])
        loaded = slot.current
        call.model, call.version = slot.name, loaded.version
        asked = content_of(call, self._limits.depth)
        rows = asked if type(asked) is list else [asked]
        check_records(rows, self._limits.rows)
        call.records = len(rows)
        try:
            found = await loaded.explained(rows, len(rows))
        except Exception as error:
            slot.failed(loaded, asked, error)
            raise
        slot.answered(loaded, asked, [])  # of which no number is said to be finite
        return Reply.json(found if asked is rows else found[0])

    async def event(self, call: Call) -> Reply:
        """One event of a stream in, its decision out, once the event is on the disk."""
        slot = self._served.slot(call.parameters["name"])
        loaded, stream = slot.current, self._served.stream(slot.name)
        call.model, call.version, call.records = slot.name, loaded.version, 1
        told = content_of(call, self._limits.depth)
        check_event(told)
        asked = stream.record_of(told)
        try:
            answer = await stream.ask(told, loaded)
        except Exception as error:
            slot.failed(loaded, asked, error)
            raise
        slot.answered(loaded, asked, answer)
        return Reply.json(answer)

    async def confirm(self, call: Call) -> Reply:
        """An earlier event turned out to be fraud."""
        name = call.model = self._served.slot(call.parameters["name"]).name
        told = content_of(call, self._limits.depth)
        check_event(told)
        return Reply.json(await self._served.stream(name).ask(told, None))

    async def models(self, call: Call) -> Reply:
        """The models by name: application and version."""
        return Reply.json([self._told(name) for name in self._served.slots])

    async def model(self, call: Call) -> Reply:
        """What the file of a model says of itself: columns, answers, decision, figures."""
        slot = self._served.slot(call.parameters["name"])
        call.model = slot.name
        told = slot.current.model.describe()
        return Reply.json(printable({**told, **self._told(slot.name)}))

    def _told(self, name: str) -> dict[str, Any]:
        versions = self._served.slot(name).versions
        loaded, previous = versions.current, versions.previous
        return {
            "name": name,
            "application": loaded.model.metadata["application"],
            "version": loaded.version,
            "sha256": loaded.sha256,
            "previous": previous.version if previous else None,
            "shares_runs": loaded.shares_runs,
        }

    async def _answer(self, loaded: Loaded, asked: Any, call: Call) -> Any:
        if type(asked) is dict:
            call.records = 1
            if loaded.is_of_records:
                return await loaded.record(loaded.batches.read(asked))
            raise SchemaError(
                f"Got one record, expected a list: the rows of a long table, with "
                f"{loaded.model.windows.series!r} and {loaded.model.windows.time!r} in each. Send "  # type: ignore[union-attr]
                "the history."
            )
        check_records(asked, self._limits.rows)
        call.records = len(asked)
        return await loaded.table(asked, len(asked))


def check_records(asked: Any, most: int) -> None:
    """Check that a body holds records, and not too many.

    Parameters
    ----------
    asked : object
        As JSON holds it.
    most : int

    Raises
    ------
    RequestError
    """
    if type(asked) is not list or not asked:
        found = "an empty list" if asked == [] else type(asked).__name__
        raise RequestError(
            f"The body is {found}, expected a record (an object of column names to values) or a "
            "list of records. Send one."
        )
    if len(asked) > most:
        raise RequestError(
            f"The body has {len(asked)} records, expected at most {most}. Send fewer at a time.",
            413,
        )


class AdminRoutes:
    """Handlers that change what is served.

    Parameters
    ----------
    served : Served
    """

    def __init__(self, served: Served) -> None:
        self._served = served
        # Whoever shows a key is known by it.
        self._says_who = ("who",) if served.settings.keys is None else ()

    async def reload(self, call: Call) -> Reply:
        """Take the file, or the version in production, as it is now."""
        slot, told, who = self._asked(call, ("why",))
        return Reply.json(await self._served.swap(slot, None, who, told.get("why", "")))

    async def promote(self, call: Call) -> Reply:
        """Put a version of the store into production."""
        slot, told, who = self._asked(call, ("version", "why"))
        if "version" not in told:
            raise RequestError("The body names no 'version'. Send its sha256, or six digits of it.")
        version, why = told["version"], told.get("why", "")
        return Reply.json(await self._served.swap(slot, version, who, why))

    async def rollback(self, call: Call) -> Reply:
        """Let the version before answer again."""
        slot, told, who = self._asked(call, ("why",))
        return Reply.json(await self._served.rollback(slot, who, told.get("why", "")))

    def _asked(self, call: Call, known: tuple[str, ...]) -> tuple[str, dict[str, str], str]:
        """The model, what the body says, and who acts."""
        known = (*known, *self._says_who)
        call.model = self._served.slot(call.parameters["name"]).name
        told = content_of(call, 2) if call.body else {}
        if type(told) is not dict or not all(type(text) is str for text in told.values()):
            raise RequestError(f"Expected an object of texts, some of {known}. Correct the body.")
        unknown = [name for name in told if name not in known]
        if unknown:
            raise RequestError(f"Unknown {unknown[0]!r:.80}, expected some of {known}. Drop it.")
        return call.model, told, told.get("who", "").strip() or call.key.name


class StatusRoutes:
    """Handlers that tell how the server is.

    Parameters
    ----------
    served : Served
    """

    def __init__(self, served: Served) -> None:
        self._served = served

    async def live(self, call: Call) -> Reply:
        """The server turns; whether it has models is another question."""
        return Reply.json({"live": True})

    async def ready(self, call: Call) -> Reply:
        """All models are loaded, have answered their self-test and are warmed up."""
        ready = self._served.is_ready
        return Reply.json({"ready": ready}, 200 if ready else 503)

    async def health(self, call: Call) -> Reply:
        """Both, and what is served."""
        versions = {name: slot.current.version for name, slot in self._served.slots.items()}
        draining = self._served.gate.draining
        ready = self._served.is_ready
        told = {"live": True, "ready": ready, "draining": draining, "models": versions}
        return Reply.json(told, 200 if ready else 503)
