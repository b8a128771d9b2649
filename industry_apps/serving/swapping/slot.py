"""A name under which a model is served: the version that answers, and the one before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict
from typing import Any, NamedTuple

from industry_apps.errors import IndustryAppsError, RequestError, SchemaError
from industry_apps.runtime.model import Model
from industry_apps.serving.loaded import Loaded
from industry_apps.serving.settings import Settings
from industry_apps.serving.swapping.admission import Asked, check_compatible, is_sound, replayed
from industry_apps.serving.swapping.sources import Source, Target

#: Requests after a swap from which on their share of errors says something.
_FEWEST = 20
#: Rows of a table that is kept for the next version to answer.
_MOST_KEPT = 1_000


class Versions(NamedTuple):
    """What is loaded under a name, swapped as one.

    Parameters
    ----------
    current : Loaded
    previous : Loaded or None
        Stays loaded, so that a rollback reads no file.
    """

    current: Loaded
    previous: Loaded | None = None


class Slot:
    """A name under which a model is served.

    Parameters
    ----------
    name : str
    source : FileSource or StoreSource
    target : Target
        The version to begin with.
    settings : Settings
    executor : Executor
        Where long runs go.
    previous : Target, optional
        The version that a rollback goes to.

    Raises
    ------
    ModelFileError, VersionError
        Its file is not to be served.
    """

    def __init__(
        self,
        name: str,
        source: Source,
        target: Target,
        settings: Settings,
        executor: Executor,
        *,
        previous: Target | None = None,
    ) -> None:
        self.name, self.source = name, source
        self._settings, self._executor = settings, executor
        before = None if previous is None else self._load(previous)
        self.versions = Versions(self._load(target), before)
        self._prepared: Versions | None = None
        #: The latest requests, for the next version to answer.
        self._latest: deque[Asked] = deque(maxlen=settings.replay)
        self._watched = self._failed = 0
        self._is_watched = False
        #: Called, with the reason, where a version fails too often after a swap.
        self.on_failing: Callable[[str], None] = lambda why: None

    @property
    def current(self) -> Loaded:
        """The version that answers."""
        return self.versions.current

    def prepare(self, target: Target, back: str = "") -> dict[str, Any]:
        """Load a version and prove that it can take the place of the current one.

        Digest, self-test, signature, schema, the latest requests, runs to warm it up. It takes
        as long as it takes, and runs in a thread; the current version goes on answering. One that
        has answered before needs no such proof; while it is still loaded, no file is read.

        Parameters
        ----------
        target : Target
        back : str
            For a version that has answered before, the sha256 of the one that it leaves behind,
            which another one must not have replaced by now.

        Returns
        -------
        dict
            ``version``, and the ``replay``.

        Raises
        ------
        IndustryAppsError
            It cannot; all is as it was.
        """
        self._prepared = None
        current, previous = self.versions
        if back:
            if current.sha256 != back:
                raise RequestError(
                    f"{self.name!r} is served from version {current.version} by now, expected "
                    f"{back[:12]}, which was to be left. Roll back again to leave this one.",
                    409,
                )
            if previous is None or previous.sha256 != target.sha256:
                previous = self._load(target)
            self._prepared = Versions(previous)
            return {"version": previous.version}
        candidate = self._load(target)
        check_compatible(current.model, candidate.model)
        replay = replayed(current, candidate, list(self._latest))
        self._prepared = Versions(candidate, current)
        return {"version": candidate.version, "replay": asdict(replay)}

    def commit(self) -> None:
        """Let the version that was prepared answer from now on."""
        if self._prepared is None:
            raise RequestError(f"No version of {self.name!r} was prepared. Prepare one.", 409)
        self.versions, self._prepared = self._prepared, None
        self._watched = self._failed = 0
        self._is_watched = self.versions.previous is not None

    def abort(self) -> None:
        """Let go of the version that was prepared."""
        self._prepared = None

    def before(self) -> Target:
        """The version that a rollback goes to: the one that is still loaded, or the store's.

        Raises
        ------
        RequestError
            409: there is none.
        VersionError
            Its file is damaged, or not signed.
        """
        current, previous = self.versions
        if previous is not None:
            return Target(previous.model.path, previous.sha256)
        found = self.source.before(current.sha256)
        if found is None:
            raise RequestError(
                f"No version of {self.name!r} answered before this one. Promote one, or replace "
                "the file and reload.",
                409,
            )
        return found

    def answered(self, loaded: Loaded, asked: Asked, answer: Any) -> None:
        """Note a request that was answered.

        Parameters
        ----------
        loaded : Loaded
            That has answered it.
        asked : dict, or list of dict
        answer : dict of values or of arrays, or list of dict
        """
        if asked and (isinstance(asked, dict) or len(asked) <= _MOST_KEPT):
            self._latest.append(asked)
        if self._is_watched:
            self._judge(loaded, is_sound(answer, loaded.model.outputs))

    def failed(self, loaded: Loaded, asked: Asked, error: Exception) -> None:
        """Note a request that was not answered, and judge whose fault it is.

        A record that the version before refuses too is the fault of whoever sent it; of one that
        both answer something else was refused, as an event that comes too late.
        """
        if not self._is_watched:
            return
        previous = self.versions.previous
        if isinstance(error, SchemaError) and previous is not None:
            if _refuses(previous, asked) or not _refuses(loaded, asked):
                return
        elif isinstance(error, IndustryAppsError):
            return
        self._judge(loaded, good=False)

    def _judge(self, loaded: Loaded, good: bool) -> None:
        if loaded is not self.current:
            return  # it was asked before the swap
        self._watched += 1
        self._failed += not good
        share = self._failed / self._watched
        if self._watched >= _FEWEST and share > self._settings.error_share:
            self._is_watched = False
            self.on_failing(
                f"{self._failed} of {self._watched} requests failed after the swap, more than "
                f"{self._settings.error_share:.0%}"
            )
        elif self._watched >= self._settings.probation:
            self._is_watched = False

    def _load(self, target: Target) -> Loaded:
        model = Model(target.path, threads=1, sha256=target.sha256)
        seconds = self._settings.limits.seconds
        return Loaded(model, target.sha256, self._executor, seconds)


def _refuses(loaded: Loaded, asked: Asked) -> bool:
    try:
        loaded.model.predict(asked)
    except IndustryAppsError:
        return True
    return False
