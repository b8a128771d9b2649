"""Data files: found in the cache or a mirror, or downloaded, and always verified.

Mirrors are named in the environment variable INDUSTRY_APPS_DATA, several separated as in
PATH, each laid out as ``<id>/<file>`` or ``<id>/<file>.gz``. The cache lies where the
system keeps caches, or in INDUSTRY_APPS_CACHE.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from industry_apps.data.cards import DataFile, card
from industry_apps.errors import ChecksumError, DataNotFoundError, require
from industry_apps.runtime.progress import progress
from industry_apps.whole_file import whole_file

MIRRORS = "INDUSTRY_APPS_DATA"
CACHE = "INDUSTRY_APPS_CACHE"


def fetch(name: str) -> list[Path]:
    """Make the files of a data set available on this machine.

    The cache comes first, then the mirrors (used in place), then the public address, with
    a progress bar. The sha256 of the uncompressed content must match in all three cases.

    Parameters
    ----------
    name : str
        Id of the data set.

    Returns
    -------
    list of Path
        One for each file, in the order of the card; ``.gz`` where a mirror has it so. A
        simulated data set has none.

    Raises
    ------
    DataNotFoundError, ChecksumError, UnknownNameError
    """
    facts = card(name)
    folder = facts.folder or name
    return [_stored(folder, file) or _download(folder, file) for file in facts.files]


def verify(name: str) -> list[Path]:
    """Check the files of a data set that are on this machine; never download.

    Parameters
    ----------
    name : str
        Id of the data set.

    Returns
    -------
    list of Path
        As :func:`fetch`.

    Raises
    ------
    DataNotFoundError, ChecksumError, UnknownNameError
    """
    paths = []
    facts = card(name)
    name = facts.folder or name
    for file in facts.files:
        path = _stored(name, file)
        if path is None:
            raise DataNotFoundError(
                f"{file.name!r} of data set {name!r} is neither in the cache ({cache_folder()}) "
                f"nor in a mirror ({MIRRORS}). {_remedy(name, file)}"
            )
        paths.append(path)
    return paths


def cache_folder() -> Path:
    """Return the folder of downloaded and simulated data."""
    chosen = os.environ.get(CACHE)
    if chosen:
        return Path(chosen)
    pooch = require("pooch", extra="train", needed_by="the data cache")
    return Path(pooch.os_cache("industry_apps"))


def _stored(name: str, file: DataFile) -> Path | None:
    """Return the verified path of a file in the cache or the first mirror that has it."""
    mirrors = [Path(each) for each in os.environ.get(MIRRORS, "").split(os.pathsep) if each]
    for folder in (cache_folder(), *mirrors):
        for path in (folder / name / file.name, folder / name / f"{file.name}.gz"):
            if path.is_file():
                _check(path, file, remedy="Delete it, or put the original there.")
                return path
    return None


def _download(name: str, file: DataFile) -> Path:
    path = cache_folder() / name / file.name
    with whole_file(path) as aside:
        if file.members:
            part = aside.with_suffix(".part")
            try:
                _download_members(name, file, aside, part)
            finally:
                part.unlink(missing_ok=True)
        else:
            _get(name, file, file.url, aside)
        _check(aside, file, remedy=f"{file.url} no longer serves it: use a mirror ({MIRRORS}).")
    return path


def _download_members(name: str, file: DataFile, to: Path, part: Path) -> None:
    with ZipFile(to, "w", ZIP_DEFLATED) as archive:
        parts = ((m, i / len(file.members)) for i, m in enumerate(file.members, start=1))
        for member in progress(parts, f"downloading {name}"):
            _get(name, file, file.url.format(member=member), part)
            archive.write(part, member)


def _get(name: str, file: DataFile, url: str, to: Path) -> None:
    pooch = require("pooch", extra="train", needed_by="downloading data")
    bar = find_spec("tqdm") is not None and not file.members
    try:
        pooch.HTTPDownloader(progressbar=bar, timeout=30)(url, str(to), None)
    except (OSError, ValueError) as error:
        to.unlink(missing_ok=True)
        raise DataNotFoundError(
            f"Could not download {file.name!r} of data set {name!r} from {url} "
            f"({type(error).__name__}: {error}). {_remedy(name, file)}"
        ) from error


def _remedy(name: str, file: DataFile) -> str:
    return (
        f"Without a network, get {file.name} ({file.bytes} bytes, sha256 {file.sha256}) from "
        f"{file.url}, put it at <folder>/{name}/{file.name} (or {file.name}.gz), and set "
        f"{MIRRORS}=<folder>."
    )


def _check(path: Path, file: DataFile, *, remedy: str) -> None:
    found = _members_sha256(path, file) if file.members else _sha256(path)
    if found != file.sha256:
        raise ChecksumError(
            f"{path} is not the {file.name!r} of its card: expected sha256 {file.sha256} of the "
            f"uncompressed content, got {found}. {remedy}"
        )


def _sha256(path: Path) -> str:
    """Hash the uncompressed content; say so where it cannot be uncompressed."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        try:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            return f"a damaged gzip file ({error})"


def _members_sha256(path: Path, file: DataFile) -> str:
    """Hash names, sizes and contents of a zip, in the order of the names."""
    digest = hashlib.sha256()
    try:
        with ZipFile(path) as archive:
            members = sorted(archive.infolist(), key=lambda each: each.filename)
            if [each.filename for each in members] != sorted(file.members):
                return f"a zip of {len(members)} other members"
            size = sum(each.file_size for each in members)
            if size != file.bytes:  # and not all of it need be read to know
                return f"a zip of {size} bytes, not {file.bytes}"
            for member in members:
                digest.update(_border(member.filename, member.file_size))
                with archive.open(member) as content:
                    while part := content.read(1 << 20):
                        digest.update(part)
    # The last two: a way of packing that Python does not know, and an encrypted member.
    except (BadZipFile, EOFError, OSError, zlib.error, NotImplementedError, RuntimeError) as error:
        return f"a damaged zip ({error})"
    return digest.hexdigest()


def _border(member: str, size: int) -> bytes:
    """What tells where the content of a member begins and ends, and whose it is."""
    name = member.encode()
    return f"{len(name)} {size} ".encode() + name
