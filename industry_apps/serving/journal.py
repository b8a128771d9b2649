"""The log of a server: one line of JSON for each event, without the values of records.

What a client sent stands in no line but for the name of the model; errors are told by their type
and place. The context of a trace that a client sends is passed on, so that its systems find the
lines (https://www.w3.org/TR/trace-context).
"""

from __future__ import annotations

import json
import re
import secrets
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import random
from typing import Any

from industry_apps.errors import FileWriteError
from industry_apps.serving.bodies import written

# Of a higher version what 00 has is read, as the standard asks for, and what is behind it is left.
_TRACE = re.compile(
    r"(?:00(?=.{53}\Z)|(?!00|ff)[0-9a-f]{2})"
    r"-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?"
)


def _print(line: str) -> None:
    try:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
    except OSError:
        return  # whoever reads the log has gone, or its disk is full: clients are answered still


class Journal:
    """Writes events as lines of JSON.

    Parameters
    ----------
    write : callable
        Takes a line; by default standard error.
    **facts : object
        That stand in every line.
    """

    def __init__(self, write: Callable[[str], None] = _print, **facts: Any) -> None:
        self._write, self._facts = write, facts

    def event(self, event: str, **facts: Any) -> None:
        """Write one event.

        Parameters
        ----------
        event : str
        **facts : object
            JSON values; none of them a value of a record.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._write(json.dumps({"time": now, "event": event, **self._facts, **facts}))

    def failure(self, error: BaseException, **facts: Any) -> None:
        """Write that something went wrong that should not: type and place, not the message."""
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames[-6:]]
        self.event("failure", error=type(error).__name__, places=places, **facts)


class Payloads:
    """A sample of requests and answers, in a file of lines of JSON.

    Parameters
    ----------
    path : Path
    share : float
        Of the requests.
    journal : Journal
        Told where the file cannot be written; the request is answered still.

    Raises
    ------
    FileWriteError
        The file cannot be opened.
    """

    def __init__(self, path: Path, share: float, journal: Journal) -> None:
        try:
            path.touch(mode=0o600)  # personal data: a file that is made is its owner's alone
            self._file = path.open("ab", buffering=0)
        except OSError as error:
            raise FileWriteError(
                f"{path} cannot be written ({error}). Name a file in a folder that is there."
            ) from error
        self._share, self._journal = share, journal

    def sample(self, model: str, version: str, asked: Any, answer: Any) -> None:
        """Write a request and its answer, or not, as chance has it.

        Parameters
        ----------
        model, version : str
        asked, answer : object
            As JSON has them.
        """
        if random() >= self._share:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        facts = {"time": now, "model": model, "version": version}
        told = json.dumps({**facts, "asked": asked, "answer": answer}, default=str)
        try:
            self._file.write(written(json.loads(told)) + b"\n")
        except OSError as error:
            self._journal.failure(error, route="payloads", model=model)


def traced(parent: str) -> tuple[str, str] | None:
    """The identity of a trace, and the context that is passed on; None of what is no context.

    Parameters
    ----------
    parent : str
        The header ``traceparent``.

    Examples
    --------
    >>> trace, context = traced(f"00-{'a' * 32}-{'b' * 16}-01")
    >>> trace == "a" * 32, context.startswith(f"00-{trace}-"), context.endswith("-01")
    (True, True, True)
    """
    found = _TRACE.fullmatch(parent)
    if found is None:
        return None
    return found[1], f"00-{found[1]}-{secrets.token_hex(8)}-{found[2]}"
