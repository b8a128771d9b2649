"""Owners whose addresses are never stopped, each until a day, when somebody looks again."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
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
        Domain -> the day, as a date or in the form "2027-01-31"; of a moment its day by UTC.

    Raises
    ------
    SchemaError
        A domain cannot be read, is there in two spellings, or is a suffix under which anybody
        gets a name, as "com" and "github.io" are; or a day is none.

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
        self._until: dict[str, date] = {}
        spelt: dict[str, str] = {}
        for name, day in until.items():
            if (found := _domain(name)) in spelt:
                raise SchemaError(
                    f"The allowed domains {spelt[found]!r} and {name!r} are one, {found!r}. Keep "
                    "the one whose day is right."
                )
            spelt[found] = name
            self._until[found] = _day(day, f"The allowed domain {name!r} ends on")

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
        with Path(path).open(encoding="utf-8-sig", newline="") as file:  # as spreadsheets write it
            rows = csv.reader(file)
            if (header := next(rows, [])) != _COLUMNS:
                raise SchemaError(
                    f"{Path(path).name!r} has the columns {header}; expected {_COLUMNS}. Name them "
                    "so in its first line."
                )
            for line, row in enumerate(rows, 2):
                if not row:
                    continue
                if len(row) != len(_COLUMNS) or row[0] in found or line > _MOST:
                    raise SchemaError(
                        f"{Path(path).name!r}, line {line}: got {row!r:.200}; expected a domain "
                        f"that was not there before, and a day, in at most {_MOST} lines. Correct "
                        "the line."
                    )
                found[row[0]] = row[1]
        return cls(found)

    def covers(self, addresses: Sequence[Any], on: date | str) -> NDArray[np.bool_]:
        """Whether each address [N] is exempt on a day, [N]; one that cannot be read is not.

        Parameters
        ----------
        addresses : sequence of str
            URLs or names of domains.
        on : date or str
            By UTC; of a decision, today.

        Raises
        ------
        SchemaError
            ``addresses`` is one text, or ``on`` is no day.
        """
        if isinstance(addresses, str | bytes):
            raise SchemaError(
                f"Got one address, {addresses!r:.80}; expected a list of them. Put it into a list."
            )
        day = _day(on, "The day to ask for is")
        return np.array([self._covers(each, day) for each in addresses], dtype=np.bool_)

    def expired(self, on: date | str) -> list[str]:
        """Domains that are exempt no more, to be looked at anew.

        Parameters
        ----------
        on : date or str
        """
        asked = _day(on, "The day to ask for is")
        return sorted(name for name, day in self._until.items() if day <= asked)

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


def _day(day: date | str, told: str) -> date:
    try:
        if isinstance(day, datetime):  # which is a date, and compares with none
            moment = day.astimezone(UTC) if day.tzinfo else day
            return date(moment.year, moment.month, moment.day)
        return day if isinstance(day, date) else date.fromisoformat(day)
    except (TypeError, ValueError):
        raise SchemaError(f"{told} {day!r}; expected a day such as '2027-01-31'.") from None
