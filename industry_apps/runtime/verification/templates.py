"""What is kept of an enrolled person: a template, whose it is, and what was agreed to."""

from __future__ import annotations

import json
from collections.abc import Iterator, MutableMapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, TemplateError
from industry_apps.whole_file import whole_file

_ENDING = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What somebody has agreed to, before their template is kept.

    Parameters
    ----------
    purpose : str
        What the template is for, as it was told to the person.
    given : date
        The day on which they agreed.
    keep_until : date
        The last day on which the template may be used; then it is deleted.

    Raises
    ------
    ParameterError

    References
    ----------
    Regulation (EU) 2016/679, article 9 (explicit consent for biometric data) and article 5
    (purpose, storage limitation); Illinois Biometric Information Privacy Act, 740 ILCS 14/15
    (written release, schedule of destruction).

    Examples
    --------
    >>> Consent(purpose="door of the laboratory", given=date(2026, 1, 5),
    ...         keep_until=date(2026, 12, 31)).purpose
    'door of the laboratory'
    """

    purpose: str
    given: date
    keep_until: date

    def __post_init__(self) -> None:
        if not isinstance(self.purpose, str) or not self.purpose.strip():
            raise ParameterError(
                f"The purpose of a consent is a text; got {self.purpose!r}. Say what the template "
                "is for, in the words that the person has read."
            )
        days = (self.given, self.keep_until)
        if not all(type(day) is date for day in days) or self.given > self.keep_until:
            raise ParameterError(
                f"A consent is given on a day, and ends on the same or a later one; got {days!r}. "
                "Give two values of datetime.date."
            )

    def check(self, user: str, today: date) -> None:
        """Refuse what is not agreed to on a day.

        Raises
        ------
        TemplateError
        """
        if not self.given <= today <= self.keep_until:
            raise TemplateError(
                f"User {user!r}: the consent holds from {self.given} to {self.keep_until}, and it "
                f"is {today}. Ask for a new one and enrol again, or delete the template."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is kept beside a template, sealed with it: without the key nobody reads or changes it.

    Parameters
    ----------
    user, model : str
        Whose it is, and the digest of the file that has made it.
    version : int
        1 of the first; it rises with each change.
    rotation : str
        Which of the secret rotations it is kept under.
    samples : int
        How many it was made of.
    purpose, given, keep_until : str
        Of the consent; days in ISO 8601.
    """

    user: str
    model: str
    version: int
    rotation: str
    samples: int
    purpose: str
    given: str
    keep_until: str

    @property
    def consent(self) -> Consent:
        """What the person has agreed to."""
        given, until = map(date.fromisoformat, (self.given, self.keep_until))
        return Consent(purpose=self.purpose, given=given, keep_until=until)

    def with_template(self, template: NDArray[np.floating]) -> bytes:
        """A line of JSON, and behind it the template [D] in single precision: what is sealed."""
        return json.dumps(asdict(self)).encode() + b"\n" + template.astype("<f4").tobytes()

    @classmethod
    def of(cls, content: bytes) -> tuple[Record, NDArray[np.float64]]:
        """The record and the template [D] of what was sealed."""
        told, _, template = content.partition(b"\n")
        return cls(**json.loads(told)), np.frombuffer(template, "<f4").astype(np.float64)


class TextFolder(MutableMapping[str, str]):
    """Texts by name, each in a file of its own: a change of one touches no other.

    Parameters
    ----------
    path : str or Path
        A folder; it is made where it is missing.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> folder = TextFolder(mkdtemp())
    >>> folder["a1"] = "kept"
    >>> list(folder), folder["a1"]
    (['a1'], 'kept')
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)

    def __getitem__(self, name: str) -> str:
        try:
            # A damaged file is a text that does not open, and not an error of its own.
            return self._file(name).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, text: str) -> None:
        with whole_file(self._file(name)) as aside:
            aside.write_text(text, encoding="utf-8")

    def __delitem__(self, name: str) -> None:
        try:
            self._file(name).unlink()
        except FileNotFoundError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(each.stem for each in self.path.glob(f"*{_ENDING}")))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _file(self, name: str) -> Path:
        if not name.isalnum():
            raise KeyError(name)
        return self.path / f"{name}{_ENDING}"
