"""Sealed templates by user: put, taken out, deleted, revoked, each without touching another.

A record that somebody has put in the place of another is refused: user, model file and version are
bound in, and the version has to be the one that a counter holds. Counters belong where whoever can
write records cannot: beside them, both can be put back together.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TemplateError
from industry_apps.runtime.verification.scoring import rotation, unit
from industry_apps.runtime.verification.sealing import Key
from industry_apps.runtime.verification.templates import Consent, Record

_Floats = NDArray[np.float64]
_GALLERY = "gallery"
_LONGEST_NAME = 1000


class TemplateStore:
    """Templates of enrolled persons, encrypted at rest.

    Parameters
    ----------
    key : Key
        Without it no template can be read.
    records, counters : mutable mapping of str to str, optional
        Where sealed records and their counters are kept, such as two
        :class:`~industry_apps.runtime.verification.templates.TextFolder` or tables of a data base;
        by default the memory of this process. Names are digests under the key.
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
        name, version = self._name(user), self._version(user) + 1
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
        turned = self.turned(record, template).astype("<f4")
        sealed = self._key.seal(turned.tobytes(), record.bound).hex()
        # The counter first: a run that is killed in between leaves a record that is refused.
        self._counters[name] = str(version)
        self._records[name] = replace(record, sealed=sealed).written()
        return record

    def record(self, user: str) -> Record:
        """What is kept of a user, its seal checked by :meth:`template` alone.

        Raises
        ------
        TemplateError
            There is none, or it is damaged.
        """
        try:
            text = self._records[self._name(user)]
        except KeyError:
            raise TemplateError(
                f"User {user!r} is not enrolled. Enrol them first, or check the name."
            ) from None
        return Record.read(user, text)

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
        record = self.record(user)
        expected = {"user": user, "version": self._version(user), "model": model}
        for name, value in expected.items():
            if (found := getattr(record, name)) != value:
                raise TemplateError(
                    f"The record of user {user!r} is of {name} {found!r}, expected {value!r}. "
                    + (
                        "Move the user to this model with `renew`, or load the model of the record."
                        if name == "model"
                        else "Restore the newest record of this user, or enrol again."
                    )
                )
        found = self._key.open(bytes.fromhex(record.sealed), record.bound)
        record.consent.check(user, today)
        return record, np.frombuffer(found, dtype="<f4").astype(np.float64)

    def turned(self, record: Record, embedding: NDArray[np.floating]) -> _Floats:
        """An embedding [D] under the rotation of a record, of length 1."""
        seed = self._key.derived("rotation", record.rotation, *self._owner(record))
        return unit(unit(embedding) @ rotation(seed, embedding.shape[-1]))

    def delete(self, user: str) -> None:
        """Delete a template; its counter stays, so that an old record does not come back.

        Raises
        ------
        TemplateError
            The user is not enrolled.
        """
        version = self.record(user).version
        name = self._name(user)
        self._counters[name] = str(max(version, self._version(user)) + 1)
        del self._records[name]

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
        """Everybody who is enrolled, sorted."""
        return sorted(Record.read(name, self._records[name]).user for name in self._records)

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

    def _version(self, user: str) -> int:
        return int(self._counters.get(self._name(user), "0"))

    def _turn(self, version: int) -> str:
        return _GALLERY if self.shared else f"version {version}"

    def _owner(self, record: Record) -> tuple[str, ...]:
        return () if record.rotation == _GALLERY else (record.user,)
