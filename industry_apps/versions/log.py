"""The log of a store: who did what with which version, why and when, chained entry by entry.

Every entry holds the hash of the one before it, as the blocks of a chain do (Haber and Stornetta,
How to time-stamp a digital document, Journal of Cryptology 3, 1991). So an entry that is edited,
taken out or put in between is found. **What it cannot prove:** a chain of which the
last entries were cut off is whole, and at most the pointer of the store contradicts it; and
whoever may write the file can also write a whole new chain. Both are found where the head of the
old one was kept elsewhere: export it (:meth:`~industry_apps.versions.store.Store.head`), signed
where it may be disputed, and check the log against it. The times are those of the clock of
the machine that wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from industry_apps.errors import VersionError
from industry_apps.whole_file import LineFile

Action = Literal["add", "promote", "rollback"]

#: What stands before the first entry.
GENESIS = "0" * 64
_ACTIONS = ("add", "promote", "rollback")
_MOST_WORDS = 1_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log.

    Parameters
    ----------
    number : int
        From 1.
    time : str
        In ISO 8601, UTC; never before that of the entry before.
    action : {"add", "promote", "rollback"}
    sha256 : str
        The version that was added, or is in production from now on.
    who, why : str
    previous : str
        Hash of the entry before; zeros of the first.
    hash : str
        Of all of the above.
    """

    number: int
    time: str
    action: Action
    sha256: str
    who: str
    why: str
    previous: str
    hash: str

    @classmethod
    def after(
        cls, last: Entry | None, action: Action, version: str, *, who: str, why: str
    ) -> Entry:
        """The entry that follows another.

        Parameters
        ----------
        last : Entry or None
        action : {"add", "promote", "rollback"}
        version : str
            Its sha256.
        who, why : str

        Raises
        ------
        VersionError
            Nobody is named, or a text is too long.
        """
        for name, text in (("who", who), ("why", why)):
            if len(text) > _MOST_WORDS or (name == "who" and not text.strip()):
                raise VersionError(
                    f"The log asks {name!r} for 1 to {_MOST_WORDS} characters, got {len(text)}. "
                    "Say who acts and why."
                )
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        facts: dict[str, Any] = {
            "number": 1 if last is None else last.number + 1,
            "time": now if last is None else max(now, last.time),  # a clock may be set back
            "action": action,
            "sha256": version,
            "who": who,
            "why": why,
            "previous": GENESIS if last is None else last.hash,
        }
        return cls(**facts, hash=_hash(facts))

    def line(self) -> bytes:
        """As it stands in the log."""
        return _canonical(asdict(self))


def read_log(path: Path) -> list[Entry]:
    """Read a log and check its chain.

    Parameters
    ----------
    path : Path
        None of it is there before the first entry.

    Raises
    ------
    VersionError
        A line is no entry, was edited, or does not follow the one before it; or the last one is
        an entry that lost its end. What a killed run left of a line is none.
    """
    _check_end(path)
    entries: list[Entry] = []
    for number, line in enumerate(LineFile.lines(path), start=1):
        entry = _entry(line, path, number)
        facts = {key: value for key, value in asdict(entry).items() if key != "hash"}
        last = entries[-1] if entries else None
        expected = GENESIS if last is None else last.hash
        follows = entry.number == number and (last is None or entry.time >= last.time)
        if entry.hash != _hash(facts) or entry.previous != expected or not follows:
            raise VersionError(
                f"{path}, line {number}: its hash is {entry.hash[:12]}, expected "
                f"{_hash({**facts, 'number': number, 'previous': expected})[:12]} of what the line "
                "says and of the line before it. The log was edited: restore it from a copy."
            )
        entries.append(entry)
    return entries


def in_production(entries: Sequence[Entry]) -> list[str]:
    """The versions that a rollback goes through, the one in production last; of none, none.

    Parameters
    ----------
    entries : sequence of Entry
    """
    stack: list[str] = []
    for entry in entries:
        if entry.action == "promote":
            stack.append(entry.sha256)
        elif entry.action == "rollback":
            del stack[-1:]
    return stack


def moment(text: str) -> str:
    """A moment that somebody wrote in ISO 8601, as the log writes it.

    Examples
    --------
    >>> moment("2026-01-02T03:04+01:00")
    '2026-01-02T02:04:00.000000+00:00'
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise VersionError(
            f"Got the time {text!r}, expected ISO 8601. Write it as 2026-01-31T12:00."
        ) from None
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found.isoformat(timespec="microseconds")


def _check_end(path: Path) -> None:
    """Refuse a whole entry without its end, which would be taken for half of one, and dropped."""
    rest = path.read_bytes().rpartition(b"\n")[2] if path.exists() else b""
    try:
        _entry(rest, path, 0)
    except VersionError:
        return
    raise VersionError(
        f"{path} ends with an entry but with no newline behind it. The log was edited: restore it "
        "from a copy, or add the newline."
    )


def _entry(line: bytes, path: Path, number: int) -> Entry:
    try:
        told = json.loads(line)
        kinds = {field.name: int if field.name == "number" else str for field in fields(Entry)}
        if set(told) != set(kinds) or told["action"] not in _ACTIONS:
            raise ValueError("it has other keys")
        if not all(type(told[name]) is kind for name, kind in kinds.items()):
            raise ValueError("a value is of another type")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise VersionError(
            f"{path}, line {number} is no entry of a log ({error!s:.100}). The log was edited: "
            "restore it from a copy."
        ) from None
    return Entry(**told)


def _hash(facts: dict[str, Any]) -> str:
    return sha256(_canonical(facts)).hexdigest()


def _canonical(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()
