"""A folder that holds the versions of one model, and says which of them is in production."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

from industry_apps.errors import VersionError, unknown_name
from industry_apps.versions.log import Action, Entry, in_production, moment, read_log
from industry_apps.versions.signatures import check_signature, sign
from industry_apps.whole_file import LineFile, locked, whole_file

_FEWEST_DIGITS = 6
_LOG = "log.jsonl"


class Store:
    """Versions of one model file, kept by their sha256.

    ``files/<sha256>.onnx`` are the versions, ``log.jsonl`` says what was done, and ``production``
    names the version in production, for whoever reads it with other tools. An entry of the log
    is what counts: it is written first, and on the disk before a call returns. A run that is
    killed before the pointer has moved leaves it one move behind the log, and the next one moves
    it; a pointer that is elsewhere is refused. Several processes may use one folder; writers wait
    for each other.

    Parameters
    ----------
    folder : str or Path
        Made with the first version.

    Raises
    ------
    VersionError
        The log was edited.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> folder = Path(mkdtemp())
    >>> size = (folder / "new.onnx").write_bytes(b"a model file")
    >>> store = Store(folder / "fraud")
    >>> version = store.add(folder / "new.onnx", who="release", why="trained on June")
    >>> entry = store.promote(version, who="release", why="better by 2 points")
    >>> store.production == version, store.check()
    (True, 2)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._log = self.folder / _LOG
        self._pointer = self.folder / "production"
        self._settle(self.entries())

    @classmethod
    def existing(cls, folder: str | Path) -> Self:
        """The store of a folder that holds versions.

        Parameters
        ----------
        folder : str or Path

        Raises
        ------
        VersionError
            It holds none; or the log was edited.
        """
        if not (Path(folder) / _LOG).is_file():
            raise VersionError(
                f"{folder} holds no versions, as there is no {_LOG} in it. Check the path, or add "
                "a version to it with industry-apps versions add."
            )
        return cls(folder)

    def entries(self) -> list[Entry]:
        """All of the log, checked.

        Raises
        ------
        VersionError
        """
        return read_log(self._log)

    @property
    def production(self) -> str | None:
        """The sha256 of the version in production."""
        log = self.entries()
        self._settle(log)
        return next(reversed(in_production(log)), None)

    @property
    def previous(self) -> str | None:
        """The sha256 of the version that a rollback goes back to."""
        stack = in_production(self.entries())
        return stack[-2] if len(stack) > 1 else None

    @property
    def versions(self) -> list[str]:
        """The sha256 of all versions, in the order in which they came."""
        return [entry.sha256 for entry in self.entries() if entry.action == "add"]

    def path(self, version: str) -> Path:
        """The file of a version.

        Parameters
        ----------
        version : str
            Its sha256, or the first digits of it, six or more.

        Raises
        ------
        VersionError
            There is none, there are several, or the file is not what it was.
        """
        version = self.find(version)
        path = self._file(version)
        if not path.is_file() or _digest(path) != version:
            raise VersionError(
                f"{path} is missing or damaged: its sha256 is not the one it is named after. Add "
                "the file again."
            )
        return path

    def find(self, version: str) -> str:
        """The whole sha256 of a version, of which some digits may do.

        Parameters
        ----------
        version : str
        """
        known = self.versions
        near = [each for each in known if each.startswith(version)]
        if len(near) == 1 and len(version) >= _FEWEST_DIGITS:
            return near[0]
        if len(near) > 1 or near:
            raise VersionError(
                f"{version!r} stands for {len(near)} versions of {self.folder}; give more digits, "
                f"at least {_FEWEST_DIGITS}: {', '.join(each[:12] for each in near)}."
            )
        raise VersionError(str(unknown_name("version", version, [each[:12] for each in known])))

    def add(self, file: str | Path, *, who: str, why: str = "", key: Path | None = None) -> str:
        """Keep a model file; one that is there already stays as it is.

        Parameters
        ----------
        file : str or Path
        who, why : str
            For the log.
        key : Path, optional
            A private key to sign the version with.

        Returns
        -------
        str
            Its sha256.

        Raises
        ------
        VersionError, FileWriteError
        """
        try:
            content = Path(file).read_bytes()
        except OSError as error:
            raise VersionError(f"{file} cannot be read ({error}). Check the path.") from error
        version = sha256(content).hexdigest()
        with self._writing() as log:
            last = log[-1] if log else None
            entry = Entry.after(last, "add", version, who=who, why=why)
            with whole_file(self._file(version)) as aside:
                aside.write_bytes(content)
            if key is not None:
                with whole_file(self._signature(version)) as aside:
                    aside.write_text(sign("model", version, key))
            if not any(each.action == "add" and each.sha256 == version for each in log):
                self._write(log, entry)
        return version

    def promote(
        self, version: str, *, who: str, why: str = "", public_key: Path | None = None
    ) -> Entry:
        """Put a version into production.

        Parameters
        ----------
        version : str
            Its sha256, or the first digits of it.
        who, why : str
            For the log.
        public_key : Path, optional
            Of whoever must have signed it.

        Raises
        ------
        VersionError
            There is no such version, it is in production already, its file is damaged, or it is
            not signed by that key.
        """
        version = self.find(version)
        self._check_version(version, public_key)
        with self._writing() as log:
            if in_production(log)[-1:] == [version]:
                raise VersionError(
                    f"Version {version[:12]} is in production already. Promote another one."
                )
            return self._entered(log, "promote", version, who, why)

    def rollback(self, *, who: str, why: str = "", public_key: Path | None = None) -> Entry:
        """Put the version into production that was there before the present one.

        Parameters
        ----------
        who, why : str
            For the log.
        public_key : Path, optional
            Of whoever must have signed it.

        Raises
        ------
        VersionError
            There was none, its file is damaged, or it is not signed by that key.
        """
        with self._writing() as log:
            stack = in_production(log)
            if len(stack) < 2:
                raise VersionError(
                    f"{self.folder} has no version that was in production before. Promote one."
                )
            self._check_version(stack[-2], public_key)
            return self._entered(log, "rollback", stack[-2], who, why)

    def at(self, time: str) -> Entry | None:
        """What was in production at a time, and who had put it there; None where nothing was.

        Parameters
        ----------
        time : str
            In ISO 8601; UTC unless it says.
        """
        until = moment(time)
        moves = [e for e in self.entries() if e.action != "add" and e.time <= until]
        return moves[-1] if moves else None

    def signature(self, version: str) -> str:
        """The signature of a version; empty where there is none."""
        path = self._signature(self.find(version))
        return path.read_text().strip() if path.is_file() else ""

    def check_signature(self, version: str, public_key: Path) -> None:
        """Check that a version was signed by a key; raises :class:`VersionError` where not."""
        version = self.find(version)
        check_signature("model", version, self.signature(version), public_key)

    def head(self, key: Path | None = None) -> dict[str, Any]:
        """The last entry in short, to be kept elsewhere: it proves all of the log up to it.

        Parameters
        ----------
        key : Path, optional
            A private key to sign it with.
        """
        log = self.entries()
        if not log:
            raise VersionError(f"{self.folder} has no versions yet. Add one.")
        head: dict[str, Any] = {"number": log[-1].number, "hash": log[-1].hash}
        if key is not None:
            head["signature"] = sign("head", _of_head(head), key)
        return head

    def check(self, head: dict[str, Any] | None = None, public_key: Path | None = None) -> int:
        """Check the log and all files; return the number of entries.

        Parameters
        ----------
        head : dict, optional
            An earlier :meth:`head`, which must be an entry still.
        public_key : Path, optional
            Of whoever signed that head; without one, of whoever signed each version.

        Raises
        ------
        VersionError
            Something was edited, is missing, damaged or not signed. Entries that were cut off at
            the end show where the pointer did not go with them; that an earlier head is still an
            entry proves that they are all there.
        """
        log = self.entries()
        self._settle(log)
        for version in self.versions:
            self._check_version(version, public_key if head is None else None)
        if head is not None:
            self._check_head(log, head, public_key)
        return len(log)

    def _check_head(self, log: list[Entry], head: dict[str, Any], public_key: Path | None) -> None:
        number, found = head.get("number"), head.get("hash")
        if type(number) is not int or type(found) is not str:
            raise VersionError("This is no head of a log. Export one with versions head.")
        if public_key is not None:
            check_signature("head", _of_head(head), str(head.get("signature", "")), public_key)
        if not 1 <= number <= len(log) or log[number - 1].hash != found:
            raise VersionError(
                f"Entry {number} of {self._log} is not the one of the head {found[:12]}: the log "
                "was written anew. Restore it from a copy."
            )

    @contextmanager
    def _writing(self) -> Iterator[list[Entry]]:
        """The log, while no other process writes; a pointer that was left behind moves first."""
        with locked(self.folder / ".lock"):
            log = self.entries()
            if self._is_behind(log):
                self._check_pointer(log)
                with self._pointing(in_production(log)[-1]):
                    pass
            yield log

    def _entered(self, log: list[Entry], action: Action, version: str, who: str, why: str) -> Entry:
        entry = Entry.after(log[-1] if log else None, action, version, who=who, why=why)
        with self._pointing(version):
            self._write(log, entry)
        return entry

    def _write(self, log: list[Entry], entry: Entry) -> None:
        with LineFile(self._log) as file:
            file.append([entry.line()])
        log.append(entry)

    @contextmanager
    def _pointing(self, version: str) -> Iterator[None]:
        """Move the pointer when the block ends well; there is room for it before it begins."""
        with whole_file(self._pointer) as aside:
            with aside.open("w", encoding="ascii") as file:
                file.write(f"{version}\n")
                file.flush()
                os.fsync(file.fileno())
            yield

    def _settle(self, log: list[Entry]) -> None:
        """Move a pointer that was left behind."""
        if self._is_behind(log):
            with self._writing():
                pass

    def _pointed(self) -> str:
        return self._pointer.read_text().strip() if self._pointer.is_file() else ""

    def _is_behind(self, log: list[Entry]) -> bool:
        return self._pointed() != "".join(in_production(log)[-1:])

    def _check_pointer(self, log: list[Entry]) -> None:
        """Refuse a pointer that no killed run has left so: it is one move behind at the most."""
        moves = [number for number, entry in enumerate(log) if entry.action != "add"]
        before = in_production(log[: moves[-1]])[-1:] if moves else []
        told = self._pointed()
        if told not in ("", *before):
            raise VersionError(
                f"{self._pointer} names {told[:12]!r}, expected "
                f"{log[moves[-1]].sha256[:12] if moves else 'nothing'!r}, which {self._log.name} "
                "says is in production. One of them was edited: restore the log from a copy, or "
                f"where it is whole remove {self._pointer}."
            )

    def _check_version(self, version: str, public_key: Path | None) -> None:
        self.path(version)
        if public_key is not None:
            self.check_signature(version, public_key)

    def _file(self, version: str) -> Path:
        return self.folder / "files" / f"{version}.onnx"

    def _signature(self, version: str) -> Path:
        return self.folder / "files" / f"{version}.sig"


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _of_head(head: dict[str, Any]) -> str:
    return f"{head['number']} {head['hash']}"
