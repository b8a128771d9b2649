"""Where the versions of a model come from: a file, or a store of versions."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import TemporaryDirectory
from typing import NamedTuple

from industry_apps.errors import FileWriteError, ModelFileError, RequestError, VersionError
from industry_apps.runtime.zoo import locate
from industry_apps.versions import Store
from industry_apps.versions.log import in_production
from industry_apps.whole_file import is_full


class Target(NamedTuple):
    """A file to be served.

    Parameters
    ----------
    path : Path
    sha256 : str
    """

    path: Path
    sha256: str


class Pin(NamedTuple):
    """The versions that a worker begins with.

    Parameters
    ----------
    current : Target
    previous : Target or None
        That a rollback goes to.
    """

    current: Target
    previous: Target | None = None


class Kept:
    """Copies of the files that are served, for workers that are started later.

    What stands at the path of a file may be another one by then, or damaged.
    """

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="industry_apps-")

    def keep(self, target: Target) -> Target:
        """The copy of a file, made where there is none yet.

        Parameters
        ----------
        target : Target

        Raises
        ------
        FileWriteError
            There is no room for it.
        ModelFileError
            It cannot be read, or its copy not be written.
        """
        copy = Path(self._folder.name, target.sha256, target.path.name)
        try:
            if not copy.exists():
                copy.parent.mkdir(exist_ok=True)
                copyfile(target.path, copy)
        except OSError as error:
            copy.unlink(missing_ok=True)
            told = f"{target.path} cannot be copied to {copy.parent} ({error})."
            if is_full(error):
                raise FileWriteError(f"{told} Make room there.") from error
            raise ModelFileError(
                f"{told} See that the file is there to be read, and that the folder can be written."
            ) from error
        return Target(copy, target.sha256)

    def keep_only(self, pins: Iterable[Pin]) -> None:
        """Let go of all other files.

        Parameters
        ----------
        pins : iterable of Pin
        """
        known = {target.sha256 for pin in pins for target in pin if target is not None}
        for folder in Path(self._folder.name).iterdir():
            if folder.name not in known:
                rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of all."""
        self._folder.cleanup()


class FileSource:
    """A model file, or a name of the zoo; what it holds now is the version.

    Parameters
    ----------
    path : str or Path
    """

    store: Store | None = None

    def __init__(self, path: str | Path) -> None:
        self.path = path

    def target(self) -> Target:
        """The file as it is now."""
        path = locate(self.path)
        try:
            return Target(path, sha256(path.read_bytes()).hexdigest())
        except OSError as error:
            raise ModelFileError(f"{path} cannot be read ({error}). Check the path.") from error

    def before(self, version: str) -> Target | None:
        """A file does not say what it was before."""
        return None

    def version(self, version: str) -> Target:
        """A file has one version, the one that it holds now: any other is refused."""
        target = self.target()
        if target.sha256.startswith(version) and version:
            return target
        raise RequestError(
            f"The model is served from the file {Path(self.path).name}, which has no versions such "
            f"as {version!r:.80}. Replace the file and reload, or serve a folder of versions.",
            409,
        )


class StoreSource:
    """A folder of versions, of which one is in production.

    Parameters
    ----------
    store : Store
    public_key : Path, optional
        Of whoever must have signed a version.
    """

    def __init__(self, store: Store, public_key: Path | None = None) -> None:
        self.store, self._public_key = store, public_key

    def target(self) -> Target:
        """The version in production."""
        version = self.store.production
        if version is None:
            raise VersionError(f"{self.store.folder} has nothing in production. Promote a version.")
        return self.version(version)

    def before(self, version: str) -> Target | None:
        """The version that was in production before another; None where there was none."""
        stack = in_production(self.store.entries())
        if version in stack:
            del stack[len(stack) - 1 - stack[::-1].index(version) :]
        return self.version(stack[-1]) if stack else None

    def version(self, version: str) -> Target:
        """A version by its sha256, or the first digits of it."""
        version = self.store.find(version)
        if self._public_key is not None:
            self.store.check_signature(version, self._public_key)
        return Target(self.store.path(version), version)


Source = FileSource | StoreSource


def source_of(place: str | Path | Source, public_key: Path | None = None) -> Source:
    """The source at a path: a folder of versions, a model file, or a name of the zoo.

    Parameters
    ----------
    place : str, Path or Source
        A source was looked at before, and is not read again.
    public_key : Path, optional
        Of whoever must have signed a version of a folder.

    Raises
    ------
    VersionError
        The folder holds no versions; or a key is given, and it is no folder of versions: a single
        file has no signature.
    """
    if isinstance(place, Source):
        return place
    if Path(place).is_dir():
        return StoreSource(Store.existing(place), public_key)
    if public_key is not None:
        raise VersionError(
            f"{place} is no folder of versions, so that no signature stands beside it. Add it to "
            "one with industry-apps versions add, and sign it."
        )
    return FileSource(place)
