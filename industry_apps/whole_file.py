"""Files that are whole or not there, written aside and renamed, and files of whole lines."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

from industry_apps.errors import FileWriteError

try:
    import fcntl
except ImportError:  # Windows, where nothing tells a leftover from what is being written
    fcntl = None  # type: ignore[assignment]

#: What a file is called while it is written; whatever else begins so goes with it.
_ASIDE = re.compile(r"\.([0-9a-f]{32})\.part\..+", re.DOTALL)
# What a disk says that has no room, or a file that may not grow.
_FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}
# Characters of a name that is kept aside: a longer one has no room for what goes before it.
_MOST_NAME = 100


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a name to write to; it becomes `path` when the block ends well, else vanishes.

    The mode of a file that is replaced stays, and so does a symbolic link, whose target is
    replaced. What a killed run has left in the folder is removed; a run that goes on holds a
    lock on its own.

    Parameters
    ----------
    path : Path
        Its folder is made where it is missing.

    Raises
    ------
    FileWriteError
        There is no room for the file, or something that is no file has its name.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "notes.txt"
    >>> with whole_file(path) as aside:
    ...     size = aside.write_text("all of it")
    >>> path.read_text()
    'all of it'
    """
    target = Path(os.path.realpath(path))
    _check(path, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    _sweep(target.parent)
    aside, lock = _claimed(target)
    try:
        try:
            yield aside
            _put(aside, target)
        except Exception as error:
            # Of another file, which was written in between, the error names that one.
            if isinstance(error, FileWriteError) or not is_full(error):
                raise
            raise FileWriteError(
                f"{path} was not written: there is no room for it ({error}). Make room in its "
                "folder, or write to another one."
            ) from error
    finally:
        aside.unlink(missing_ok=True)
        os.close(lock)


class LineFile:
    """A file that grows by whole lines, each of them on the disk once :meth:`append` returns.

    What a killed run has left of a line is no line: it was never told to be there, is not read,
    and makes way for the next one. One process writes.

    Parameters
    ----------
    path : Path
        Its folder is made where it is missing.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "events.txt"
    >>> with LineFile(path) as file:
    ...     file.append([b"first", b"second"])
    >>> LineFile.lines(path)
    [b'first', b'second']
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, is_new = path, not path.exists()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        content = path.read_bytes()
        self.size = content.rfind(b"\n") + 1
        if self.size < len(content):
            os.ftruncate(self._file, self.size)
        if is_new:
            _sync(path.parent)

    @staticmethod
    def lines(path: Path) -> list[bytes]:
        """All whole lines of a file, without their ends; none of one that is not there."""
        if not path.exists():
            return []
        content = path.read_bytes()
        return content[: content.rfind(b"\n") + 1].splitlines()

    def append(self, lines: Iterable[bytes]) -> None:
        """Add lines, all or none of them; they are on the disk when this returns.

        Parameters
        ----------
        lines : iterable of bytes
            Without a newline in them.

        Raises
        ------
        FileWriteError
            There is no room; the file is as it was.
        """
        content = b"".join(line + b"\n" for line in lines)
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(self._file, content[written:], self.size + written)
            os.fsync(self._file)
        except OSError as error:
            os.ftruncate(self._file, self.size)
            if not is_full(error):
                raise
            raise FileWriteError(
                f"{self._path} did not grow: there is no room for it ({error}). Make room in its "
                "folder."
            ) from error
        self.size += len(content)

    def clear(self) -> None:
        """Let go of all lines."""
        os.ftruncate(self._file, 0)
        os.fsync(self._file)
        self.size = 0

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, for which others wait; where the system has none, just go on.

    Parameters
    ----------
    path : Path
        Made where it is missing; it stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


class Hold:
    """Holds the lock of a file until it is closed; refused where somebody else has it.

    Parameters
    ----------
    path : Path
        Made where it is missing; it stays.

    Raises
    ------
    FileWriteError
        Another process has it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        if fcntl is not None and not _locked(self._file):
            os.close(self._file)
            raise FileWriteError(
                f"{path.parent} is in use by another process. End that one, or give another folder."
            )

    def close(self) -> None:
        """Let go of it."""
        os.close(self._file)


def _check(path: Path, target: Path) -> None:
    """What is replaced is a file."""
    if path.is_symlink() and target.is_symlink():
        raise FileWriteError(
            f"{path} is a symbolic link that leads to itself. Write to another name."
        )
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "no regular file"
        raise FileWriteError(
            f"{path} is {kind}, expected a file or nothing. Write to another name."
        )


def _claimed(target: Path) -> tuple[Path, int]:
    """A new file beside the target, and the lock on it, as an open file."""
    while True:
        aside = target.with_name(f".{uuid4().hex}.part.{target.name[-_MOST_NAME:]}")
        lock = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        if fcntl is None or (_locked(lock) and _is_at(lock, aside)):
            return aside, lock
        os.close(lock)  # swept in the moment between
        aside.unlink(missing_ok=True)


def _locked(file: int) -> bool:
    """Take the lock of an open file, unless another process has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS)  # no locks here
    return True


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _sweep(folder: Path) -> None:
    """Remove what killed runs have left in a folder: of what goes on, the lock is not free."""
    if fcntl is None:
        return
    try:
        names = [each.name for each in folder.iterdir() if _ASIDE.fullmatch(each.name)]
    except OSError:
        return
    runs: dict[str, list[Path]] = {}
    for name in names:
        runs.setdefault(name[1:33], []).append(folder / name)
    for paths in runs.values():
        _sweep_run(paths)


def _sweep_run(paths: list[Path]) -> None:
    """Remove the files of one run, where nobody holds any of them."""
    held: list[int] = []
    try:
        for path in paths:
            file = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            held.append(file)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in paths:
            path.unlink(missing_ok=True)
    except OSError:  # it goes on, is another user's, or is being swept by somebody else
        return
    finally:
        for file in held:
            os.close(file)


def _put(aside: Path, target: Path) -> None:
    """Put a file that is written in its place, and on the disk."""
    with aside.open("rb+") as file:
        os.fsync(file.fileno())  # the content must not reach the disk after its name
    if target.exists():
        aside.chmod(stat.S_IMODE(target.stat().st_mode))
    aside.replace(target)
    _sync(target.parent)


def _sync(folder: Path) -> None:
    """Make sure that the new name survives a loss of power, where the system can do that."""
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows
        return
    try:
        os.fsync(opened)
    except OSError:
        return
    finally:
        os.close(opened)


def is_full(error: BaseException | None) -> bool:
    """Whether an error, or what led to it, is that there is no room.

    Parameters
    ----------
    error : BaseException or None
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
