"""Executable files, given as bytes or in a folder, to the columns of a table."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.runtime.executables.columns import FILE_COLUMNS, columns_of
from industry_apps.runtime.executables.kinds import form_of, what_it_is

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExecutableFeatures"]

_MOST_BYTES = 64 * 2**20
_MOST_FILES = 10_000
_DEEPEST = 32
#: A link at the end of a path is not followed, a pipe not waited for, where the system has it.
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class ExecutableFeatures:
    r"""PE and ELF files to columns: histograms, strings, headers, sections, imports, faults.

    Nothing is executed, unpacked or fetched. A damaged file that can still be recognised is
    answered, with counts of what is wrong with it (``faults_*``); an empty one, one of another
    kind, and one that is too large are refused.

    Parameters
    ----------
    most_bytes : int
        Of a file; a larger one is refused before it is read. Memory is about twice as much.
    most_files : int
        Of a folder.

    Notes
    -----
    At most 1 024 sections and as many program headers, 512 libraries and 16 384 functions are
    read of a file, whatever it states; ``faults_beyond_limits`` counts what was left. Columns
    stand for the bytes of a file and are not proof against one who knows them: a section more, or
    bytes behind the end, change every histogram.

    Examples
    --------
    >>> found = ExecutableFeatures().row(b"MZ\x90\x00")
    >>> found["format"], found["size"], found["faults_truncated"]
    ('pe', 4.0, 1.0)
    >>> ExecutableFeatures().row(b"PK\x03\x04", "a.zip")
    Traceback (most recent call last):
        ...
    industry_apps.errors.SchemaError: File 'a.zip' is a zip archive, expected a PE or ELF file.
    Leave it out, or unpack it first.
    """

    most_bytes: int = _MOST_BYTES
    most_files: int = _MOST_FILES

    def __post_init__(self) -> None:
        for name in ("most_bytes", "most_files"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ParameterError(
                    f"The {name!r} parameter of ExecutableFeatures must be an int >= 1. "
                    f"Got {value!r} instead."
                )

    def row(self, data: bytes, name: str = "given") -> dict[str, Any]:
        """The columns of one file, and its digest.

        Parameters
        ----------
        data : bytes
        name : str
            What it is called, for errors.

        Returns
        -------
        dict of str to float, str or list of float
            ``sha256``, and the columns of
            :data:`industry_apps.runtime.executables.columns.FILE_COLUMNS`.

        Raises
        ------
        SchemaError
            It is no bytes, empty, larger than ``most_bytes``, or neither PE nor ELF.
        """
        if not isinstance(data, bytes):
            raise SchemaError(
                f"File {name!r} is given as {type(data).__name__}, expected bytes. Read it with "
                "Path.read_bytes, or give the folder to ExecutableFeatures.read."
            )
        self._check_size(len(data), name)
        form = form_of(data)
        if not form:
            raise SchemaError(
                f"File {name!r} is {what_it_is(data)}, expected a PE or ELF file. Leave it out, or "
                "unpack it first."
            )
        found = columns_of(data, form)
        lists = {key: value.tolist() for key, value in found.items() if hasattr(value, "tolist")}
        return {"sha256": hashlib.sha256(data).hexdigest(), **found, **lists}

    def table(self, files: Mapping[str, bytes]) -> pd.DataFrame:
        """The columns of several files, one row each.

        Parameters
        ----------
        files : mapping of str to bytes
            Name of a file -> what is in it.

        Returns
        -------
        DataFrame
            ``file``, ``sha256`` and the columns of
            :data:`industry_apps.runtime.executables.columns.FILE_COLUMNS`.

        Raises
        ------
        SchemaError
            Names the first file that is refused.
        """
        return _frame([{"file": name, **self.row(data, name)} for name, data in files.items()])

    def read(
        self, folder: str | Path, *, others: Literal["refuse", "leave out"] = "refuse"
    ) -> pd.DataFrame:
        """The columns of every file in a folder and the folders in it, one row each.

        Links are not followed: a link, a pipe, a device or a socket is refused by its name, as is
        a file that was exchanged for one while the folder was read. Of folders this is not known:
        read a copy of one that others write to.

        Parameters
        ----------
        folder : str or Path
        others : {"refuse", "leave out"}
            What is done about files that are refused: an error, or ``attrs["left_out"]`` of the
            table, {name: why}. Links, and what is no file, are refused in either case.

        Returns
        -------
        DataFrame
            As :meth:`table` gives it, in the order of the names; ``file`` is the path below the
            folder, with "/".

        Raises
        ------
        SchemaError
            There is no such folder, more files than ``most_files`` in it, folders deeper than 32
            in each other, or a file is refused.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "short.exe").write_bytes(b"MZ")
        ...     ExecutableFeatures().read(folder)[["file", "format", "size"]].values.tolist()
        [['short.exe', 'pe', 2.0]]
        """
        if others not in ("refuse", "leave out"):
            raise ParameterError(
                "The 'others' parameter of ExecutableFeatures.read must be one of ('refuse', "
                f"'leave out'). Got {others!r} instead."
            )
        rows: list[dict[str, Any]] = []
        left: dict[str, str] = {}
        for name, path in self._paths(Path(folder)):
            try:
                rows.append({"file": name, **self.row(self._bytes(path, name), name)})
            except _NoFileError:
                raise
            except SchemaError as error:
                if others == "refuse":
                    raise
                left[name] = str(error)
        found = _frame(rows)
        found.attrs["left_out"] = left
        return found

    def _check_size(self, size: int, name: str) -> None:
        if not size:
            raise SchemaError(f"File {name!r} is empty, expected a PE or ELF file. Leave it out.")
        if size > self.most_bytes:
            raise SchemaError(
                f"File {name!r} has {size} bytes, expected at most {self.most_bytes}. Leave it "
                "out, or allow more: ExecutableFeatures(most_bytes=...)."
            )

    def _paths(self, folder: Path) -> Iterator[tuple[str, Path]]:
        """Names and paths of the files, in order; no link is followed."""
        if not folder.is_dir():
            raise SchemaError(f"There is no folder {str(folder)!r}. Name one that holds files.")
        count, open_folders = 0, [("", folder)]
        found: list[tuple[str, Path]] = []
        while open_folders:
            above, place = open_folders.pop()
            with _opened(place, above) as entries:
                for entry in entries:
                    # Whatever bytes a name has, it is text that a table can hold.
                    shown = os.fsencode(entry.name).decode("utf-8", "backslashreplace")
                    name, count = f"{above}{shown}", count + 1
                    if count > self.most_files:
                        raise SchemaError(
                            f"Folder {str(folder)!r} has more than {self.most_files} files and "
                            "folders. Read parts of it, or allow more: "
                            "ExecutableFeatures(most_files=...)."
                        )
                    if entry.is_dir(follow_symlinks=False):
                        if name.count("/") >= _DEEPEST:
                            raise SchemaError(
                                f"Folder {name!r} is more than {_DEEPEST} folders deep. Read it "
                                "by itself."
                            )
                        open_folders.append((f"{name}/", Path(entry.path)))
                    else:
                        found.append((name, Path(entry.path)))
        yield from sorted(found)

    def _bytes(self, path: Path, name: str) -> bytes:
        """What is in a file that is one, read once its size is known to be allowed."""
        try:
            # A device must not even be opened, and may stand here a moment later.
            _check_plain(path.lstat().st_mode, name)
            handle = os.open(path, _FLAGS)
        except OSError as error:
            raise _NoFileError(
                f"File {name!r} cannot be read: {error.strerror}. Leave it out."
            ) from error
        with os.fdopen(handle, "rb") as file:
            told = os.fstat(file.fileno())
            _check_plain(told.st_mode, name)
            self._check_size(told.st_size, name)
            data = file.read(told.st_size + 1)
        if len(data) != told.st_size:
            raise _NoFileError(
                f"File {name!r} changed while it was read, expected one that stays. Read the "
                "folder again when nothing writes there."
            )
        return data


class _NoFileError(SchemaError):
    """What is in a folder is no file that may be read."""


def _check_plain(mode: int, name: str) -> None:
    if stat.S_ISREG(mode):
        return
    kind = "a link" if stat.S_ISLNK(mode) else "a device, pipe or socket"
    raise _NoFileError(
        f"File {name!r} is {kind}, expected a file. Leave it out, or put a copy of what it leads "
        "to in its place."
    )


def _opened(folder: Path, name: str) -> Any:
    try:
        return os.scandir(folder)
    except OSError as error:
        raise _NoFileError(
            f"Folder {name or str(folder)!r} cannot be read: {error.strerror}. Leave it out."
        ) from error


def _frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as a table that has all columns even without any."""
    import pandas as pd  # whoever wants a table has it

    frame = pd.DataFrame(rows, columns=["file", "sha256", *FILE_COLUMNS.names])
    numbers = [c.name for c in FILE_COLUMNS if c.kind == "number" and not c.is_list]
    return frame.astype(dict.fromkeys(numbers, np.float64))
