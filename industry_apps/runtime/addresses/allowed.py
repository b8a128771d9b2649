"""Owners whose addresses are never stopped, each until a day, when somebody looks again."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.runtime.addresses.canonical import canonical_domain, canonical_url
from industry_apps.runtime.addresses.suffixes import public_suffix

__all__ = ["AllowList"]

_COLUMNS = ["domain", "until"]
#: Rows of a file, at most.
_MOST = 1_000_000


class AllowList:
    """Domains that are exempt, with all hosts below them, each before the day on which that ends.

    Parameters
    ----------
    until : mapping of str to date or str
        Domain -> the day, as a date or in the form "2027-01-31".

    Raises
    ------
    SchemaError
        A domain cannot be read or is a suffix under which anybody gets a name, as "com" and
        "github.io" are; or a day is none.

    Examples
    --------
    >>> allowed = AllowList({"example.com": "2027-02-01"})
    >>> urls = ["https://mail.example.com/a", "http://example.com.evil.test/"]
    >>> allowed.covers(urls, date(2027, 1, 31)).tolist()
    [True, False]
    >>> allowed.covers(urls, date(2027, 2, 1)).tolist(), allowed.expired(date(2027, 2, 1))
    ([False, False], ['example.com'])
    """

    def __init__(self, until: Mapping[str, date | str]) -> None:
        self._until = {_domain(name): _day(name, day) for name, day in until.items()}

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a CSV file with the columns ``domain`` and ``until``.

        Parameters
        ----------
        path : str or Path

        Raises
        ------
        SchemaError
            As of the class; or the file has other columns, a domain twice, or too many rows.
        """
        found: dict[str, str] = {}
        with Path(path).open(encoding="utf-8", newline="") as file:
            rows = csv.reader(file)
            if (header := next(rows, [])) != _COLUMNS:
                raise SchemaError(
                    f"{Path(path).name!r} has the columns {header}; expected {_COLUMNS}. Name them "
                    "so in its first line."
                )
            for line, row in enumerate(rows, 2):
                if len(row) != len(_COLUMNS) or row[0] in found or line > _MOST:
                    raise SchemaError(
                        f"{Path(path).name!r}, line {line}: got {row!r:.200}; expected a domain "
                        f"that was not there before, and a day, in at most {_MOST} lines. Correct "
                        "the line."
                    )
                found[row[0]] = row[1]
        return cls(found)

    def covers(self, addresses: Sequence[Any], on: date) -> NDArray[np.bool_]:
        """Whether each address [N] is exempt on a day, [N]; one that cannot be read is not.

        Parameters
        ----------
        addresses : sequence of str
            URLs or names of domains.
        on : date
            By UTC; of a decision, today.
        """
        return np.array([self._covers(each, on) for each in addresses], dtype=np.bool_)

    def expired(self, on: date) -> list[str]:
        """Domains that are exempt no more, to be looked at anew.

        Parameters
        ----------
        on : date
        """
        return sorted(name for name, day in self._until.items() if day <= on)

    def __len__(self) -> int:
        return len(self._until)

    def _covers(self, address: Any, on: date) -> bool:
        if not isinstance(address, str):
            return False
        try:
            labels = canonical_url(address).host.split(".")
        except SchemaError:
            return False
        above = (".".join(labels[place:]) for place in range(len(labels)))
        return any(self._until.get(name, on) > on for name in above)


def _domain(name: str) -> str:
    try:
        found = canonical_domain(name)
    except SchemaError as error:
        raise SchemaError(f"The allowed domain {name!r}: {error}.") from error
    if public_suffix(found).name == found:
        raise SchemaError(
            f"The allowed domain {name!r} is one below which anybody can get a name. Allow the "
            f"names below it that you know, such as 'known.{found}'."
        )
    return found


def _day(name: str, day: date | str) -> date:
    if isinstance(day, date):
        return day
    try:
        return date.fromisoformat(day)
    except (TypeError, ValueError):
        raise SchemaError(
            f"The allowed domain {name!r} ends on {day!r}; expected a day such as '2027-01-31'."
        ) from None
