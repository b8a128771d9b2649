"""Keys that clients show, kept as hashes, each with what it may do and until when.

A key is 256 random bits, so its SHA-256 cannot be turned back by trying; a slow hash is for
passwords that people choose.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from industry_apps.errors import IndustryAppsError, ParameterError, RequestError
from industry_apps.whole_file import whole_file

#: What a key may do: ask models, read what is said of them, change what is served.
SCOPES = ("predict", "read", "admin")
_MOST_DAYS = 36_500
_LOOKED_AT = 1.0  # seconds between two looks at the file


@dataclass(frozen=True, slots=True)
class Key:
    """One key, as its file holds it.

    Parameters
    ----------
    name : str
        Of who has it; stands in the log.
    sha256 : str
        Of the key.
    scopes : tuple of str
    expires : str
        ISO 8601; empty for never.
    """

    name: str
    sha256: str
    scopes: tuple[str, ...]
    expires: str = ""

    def has_expired(self) -> bool:
        """Whether its time is over."""
        return bool(self.expires) and datetime.fromisoformat(self.expires) <= datetime.now(UTC)


#: Who asks where no keys are asked for.
ANYBODY = Key("anybody", "", SCOPES)


def read_keys(path: Path) -> list[Key]:
    """Read a file of keys.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ParameterError
        It is none.
    """
    try:
        found = [Key(**{**each, "scopes": tuple(each["scopes"])}) for each in _told(path)]
        for key in found:
            texts = (key.name, key.sha256, key.expires, *key.scopes)
            if not all(type(text) is str for text in texts) or not set(key.scopes) <= set(SCOPES):
                raise ValueError(f"the key {key.name!r} is none")
            if len(bytes.fromhex(key.sha256)) != 32:
                raise ValueError(f"the hash of the key {key.name!r} is none of SHA-256")
            if key.expires and datetime.fromisoformat(key.expires).tzinfo is None:
                raise ValueError(f"the key {key.name!r} expires in no time zone")
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        remedy = "Move it away, and make one" if path.exists() else "Make one"
        raise ParameterError(
            f"{path} is no file of keys ({error!s:.200}). {remedy} with: industry-apps key "
            f"{path} --name NAME"
        ) from None
    return found


def new_key(path: Path, name: str, scopes: Sequence[str], days: int | None = None) -> str:
    """Make a key and add its hash to a file, which is made where it is missing.

    Parameters
    ----------
    path : Path
    name : str
        Of who gets it; must be new.
    scopes : sequence of str
        Some of :data:`SCOPES`.
    days : int, optional
        Until it expires, 1 to 36 500; None for never.

    Returns
    -------
    str
        The key. It stands nowhere else.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "keys.json"
    >>> key = new_key(path, "till 4", ["predict"])
    >>> KeyRing(path).holder(key).name
    'till 4'
    """
    known = read_keys(path) if path.exists() else []
    unknown = [scope for scope in scopes if scope not in SCOPES]
    fits = days is None or 1 <= days <= _MOST_DAYS
    if unknown or not scopes or not name.strip() or not fits:
        raise ParameterError(
            f"A key needs a name, scopes of {SCOPES} and 1 to {_MOST_DAYS} days, or none to hold "
            f"for ever. Got {name!r}, {list(scopes)}, {days}."
        )
    if any(key.name == name for key in known):
        raise ParameterError(f"{path} has a key of {name!r} already. Choose another name.")
    key = token_urlsafe(32)
    expires = "" if days is None else (datetime.now(UTC) + timedelta(days=days)).isoformat()
    known.append(Key(name, _hash(key), tuple(scopes), expires))
    with whole_file(path) as aside:
        aside.chmod(0o600)
        aside.write_text(json.dumps({"keys": [asdict(each) for each in known]}, indent=2) + "\n")
    return key


class KeyRing:
    """The keys of a file, which is read again when it has changed.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys, self._changed = read_keys(path), path.stat().st_mtime_ns
        self._looked = time.monotonic()

    def holder(self, shown: str) -> Key:
        """Whose key it is.

        Parameters
        ----------
        shown : str
            What the client sent; empty where it sent none.

        Raises
        ------
        RequestError
            401: it is of nobody, or has expired.
        """
        self._look()
        digest, found = _hash(shown), None
        for key in self._keys:  # all of them: the time taken must not tell which one is near
            if compare_digest(key.sha256, digest):
                found = key
        if found is None:
            told = "an unknown key" if shown else "no key"
            raise RequestError(f"Got {told}. Send the header Authorization: Bearer KEY.", 401)
        if found.has_expired():
            raise RequestError(
                f"The key of {found.name!r} expired at {found.expires}. Ask for a new one.", 401
            )
        return found

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < _LOOKED_AT:
            return
        self._looked = now
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._changed:
                self._keys, self._changed = read_keys(self._path), changed
        except (OSError, IndustryAppsError):
            return  # half of an edit by hand: those that were read before stay


def _told(path: Path) -> list[dict[str, Any]]:
    told = json.loads(path.read_text(encoding="utf-8"))
    if type(told) is not dict or type(told.get("keys")) is not list:
        raise ValueError("it has no list 'keys'")
    return list(told["keys"])


def _hash(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
