"""Sealed templates by user: put, taken out, deleted, revoked, each without touching another.

A record that somebody has put in the place of another is refused: all that it says is sealed with
the template, and the version has to be the one that a counter holds. Counters belong where whoever
can write records cannot: beside them, both can be put back together.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from datetime import date

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TemplateError, TemplateWarning
from industry_apps.runtime.verification.scoring import rotation, unit
from industry_apps.runtime.verification.sealing import Key
from industry_apps.runtime.verification.templates import Consent, Record

_Floats = NDArray[np.float64]
#: The rotation that all templates of a search share.
GALLERY = "gallery"
_LONGEST_NAME = 1000
#: Where among the counters it stands that something was changed; no digest has this name.
_CHANGES = "changes"
#: Bits of a version that follows a damaged counter: no earlier record has it.
_ANEW = 62
_CLOSED = (
    "does not open, so that nobody knows whose it is. Restore the newest record; or `delete` the "
    "user whom `users` misses, or else take it out of `records`"
)
#: So many users are named in a warning.
_NAMED = 5


class TemplateStore:
    """Templates of enrolled persons, encrypted at rest.

    Parameters
    ----------
    key : Key
        Without it no template can be read.
    records, counters : mutable mapping of str to str, optional
        Where sealed records and their counters are kept, such as two
        :class:`~industry_apps.runtime.verification.templates.TextFolder` or tables of a data base;
        by default the memory of this process. Names are digests under the key, and whose a record
        is stands under its seal. Stores in several processes share both.
    shared : bool
        Whether all templates are kept under one rotation, as a search needs, or each under its own.

    Notes
    -----
    A rotation can be undone by whoever has the key, and by nobody else: a template is revocable
    while the key is secret, and no more is claimed. A shared rotation keeps the cosines between
    persons: whoever steals and opens two galleries of the same persons tells by them who is who,
    whatever the keys.
    """

    def __init__(
        self,
        key: Key,
        records: MutableMapping[str, str] | None = None,
        counters: MutableMapping[str, str] | None = None,
        *,
        shared: bool = False,
    ) -> None:
        self._key, self.shared = key, shared
        self._records = {} if records is None else records
        self._counters = {} if counters is None else counters

    def put(
        self, user: str, model: str, template: NDArray[np.floating], consent: Consent, samples: int
    ) -> Record:
        """Seal a template, and make every earlier record of the user worthless.

        Parameters
        ----------
        user, model : str
            Whose it is, and the digest of the file that has made it.
        template : ndarray of shape [D]
        consent : Consent
        samples : int
            How many it was made of.
        """
        name = self._name(user)
        version = self._next(name)
        days = {day: str(getattr(consent, day)) for day in ("given", "keep_until")}
        record = Record(
            user=user,
            model=model,
            version=version,
            rotation=self._turn(version),
            samples=samples,
            purpose=consent.purpose,
            **days,
        )
        sealed = self._key.seal(record.with_template(self.turned(record, template)), name)
        # The counter first: a run that is killed in between leaves a record that is refused.
        self._counters[name] = str(version)
        self._records[name] = sealed
        self._tell_change()
        return record

    def record(self, user: str) -> Record:
        """What is kept of a user beside the template, once its seal is opened.

        Raises
        ------
        TemplateError
            There is none, it does not open, or it is not the newest.
        """
        return self._newest(user)[0]

    def template(self, user: str, model: str, today: date) -> tuple[Record, _Floats]:
        """The record of a user, and their template [D] under its rotation, of length 1.

        Its values are single precision, as they are searched.

        Parameters
        ----------
        user, model : str
            As they have to be.
        today : date
            On which the consent has to hold.

        Raises
        ------
        TemplateError
            There is none; it is of another user, of an older version, of another model file, or
            sealed with another key; it was changed; the consent has ended.
        """
        record, template = self._newest(user)
        if record.model != model:
            raise TemplateError(
                f"The record of user {user!r} is of model {record.model!r}, expected {model!r}. "
                "Move the user to this model with `renew`, or load the model of the record."
            )
        record.consent.check(user, today)
        return record, template

    def turned(self, record: Record, embedding: NDArray[np.floating]) -> _Floats:
        """An embedding [D] under the rotation of a record, of length 1."""
        seed = self._key.derived("rotation", record.rotation, *self._owner(record))
        return unit(unit(embedding) @ rotation(seed, embedding.shape[-1]))

    def delete(self, user: str) -> None:
        """Delete a template, also a damaged one; its counter stays: no old record comes back.

        Raises
        ------
        TemplateError
            The user is not enrolled.
        """
        name = self._name(user)
        if name not in self._records:
            raise _not_enrolled(user)
        self._counters[name] = str(self._next(name))
        self._records.pop(name, None)
        self._tell_change()

    def revoke(self, user: str, today: date) -> Record:
        """Put a template under another rotation: one that was stolen matches no longer.

        Raises
        ------
        TemplateError
            As :meth:`template`, or all templates share a rotation.
        """
        if self.shared:
            raise TemplateError(
                "All templates of a search share one rotation. Revoke them all with a new key: "
                "enrol again into another store."
            )
        record = self.record(user)
        _, kept = self.template(user, record.model, today)
        seed = self._key.derived("rotation", record.rotation, *self._owner(record))
        plain = kept @ rotation(seed, len(kept)).T
        return self.put(user, record.model, plain, record.consent, record.samples)

    def users(self) -> list[str]:
        """Everybody whose record opens, sorted; a :class:`TemplateWarning` names other records."""
        found, closed = self.survey()
        warn_of(closed, "do not open")
        return found

    def survey(self) -> tuple[list[str], dict[str, str]]:
        """Everybody whose record opens, sorted; and names of other records -> what to do."""
        found, closed = [], {}
        for name in list(self._records):
            try:
                found.append(self._opened(name, "a user")[0].user)
            except KeyError:  # deleted meanwhile
                continue
            except TemplateError:
                closed[name] = _CLOSED
        return sorted(found), closed

    @property
    def state(self) -> str:
        """Another text once a store has put or deleted something here, in any process."""
        return self._counters.get(_CHANGES, "")

    def __contains__(self, user: str) -> bool:
        return self._name(user) in self._records

    def __len__(self) -> int:
        return len(self._records)

    def __repr__(self) -> str:
        return f"TemplateStore({len(self)} users)"

    def _name(self, user: str) -> str:
        if not isinstance(user, str) or not 0 < len(user.strip()) <= len(user) <= _LONGEST_NAME:
            raise TemplateError(
                f"A user is named by a text of 1 to {_LONGEST_NAME} characters; got {user!r:.50}. "
                "Give the name under which they are known."
            )
        return self._key.derived("name", user).hex()

    def _newest(self, user: str) -> tuple[Record, _Floats]:
        """The record and the template of a user, of the version that the counter holds."""
        name = self._name(user)
        try:
            record, template = self._opened(name, f"user {user!r}")
        except KeyError:
            raise _not_enrolled(user) from None
        if (expected := self._counters.get(name, "0")) != str(record.version):
            raise TemplateError(
                f"The record of user {user!r} is of version {record.version}, expected "
                f"{expected:.20} as its counter says. Restore the newest record and its counter, "
                "or delete the user and enrol them again."
            )
        return record, template

    def _opened(self, name: str, whose: str) -> tuple[Record, _Floats]:
        return Record.of(self._key.open(self._records[name], name, whose))

    def _next(self, name: str) -> int:
        """A version that no record of the user has had, even if the counter is damaged."""
        try:
            version = int(self._counters.get(name, "0"))
        except ValueError:
            version = secrets.randbits(_ANEW)
        with suppress(KeyError, TemplateError):
            version = max(version, self._opened(name, "a user")[0].version)
        return version + 1

    def _tell_change(self) -> None:
        self._counters[_CHANGES] = secrets.token_hex()

    def _turn(self, version: int) -> str:
        return GALLERY if self.shared else f"version {version}"

    def _owner(self, record: Record) -> tuple[str, ...]:
        return () if record.rotation == GALLERY else (record.user,)


def warn_of(refused: Mapping[str, str], words: str, calls: int = 3) -> None:
    """Warn of records that are refused, by the names and reasons of the first, at a caller."""
    if refused:
        told = "; ".join(f"{name!r}: {reason}" for name, reason in list(refused.items())[:_NAMED])
        more = f"; and {len(refused) - _NAMED} more" if len(refused) > _NAMED else ""
        warnings.warn(
            f"{len(refused)} records {words}. {told}{more}", TemplateWarning, stacklevel=calls
        )


def _not_enrolled(user: str) -> TemplateError:
    return TemplateError(f"User {user!r} is not enrolled. Enrol them first, or check the name.")
