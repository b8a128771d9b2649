"""Where the versions of a model come from: a file, or a store of versions."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from industry_apps.errors import ModelFileError, RequestError, VersionError
from industry_apps.runtime.zoo import locate
from industry_apps.versions import Store


class Target(NamedTuple):
    """A file to be served.

    Parameters
    ----------
    path : Path
    sha256 : str
    """

    path: Path
    sha256: str


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

    def version(self, version: str) -> Target:
        """A version by its sha256, or the first digits of it."""
        version = self.store.find(version)
        if self._public_key is not None:
            self.store.check_signature(version, self._public_key)
        return Target(self.store.path(version), version)


Source = FileSource | StoreSource


def source_of(place: str | Path, public_key: Path | None = None) -> Source:
    """The source at a path: a folder of versions, a model file, or a name of the zoo.

    Parameters
    ----------
    place : str or Path
    public_key : Path, optional
        Of whoever must have signed a version of a folder.

    Raises
    ------
    VersionError
        The folder holds no versions; or a key is given, and it is no folder of versions: a single
        file has no signature.
    """
    if Path(place).is_dir():
        return StoreSource(Store.existing(place), public_key)
    if public_key is not None:
        raise VersionError(
            f"{place} is no folder of versions, so that no signature stands beside it. Add it to "
            "one with industry-apps versions add, and sign it."
        )
    return FileSource(place)
