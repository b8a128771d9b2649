"""Values as people, files and other programs hand them over, and what each is, typed by hand.

A case is one value for one kind of column. It is answered as what it is typed by hand is, or
refused; a value that is nothing of its kind is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from industry_apps.schema.values import Kind

#: What a case is typed by hand, where it is nothing of its kind.
NOTHING = object()

_TEXTUAL: tuple[Kind, ...] = ("category", "text")
_TOKYO = timezone(timedelta(hours=9))


class Case(NamedTuple):
    """One value of a column, and the plain Python value that it is, or ``NOTHING``.

    Parameters
    ----------
    name : str
        For people; many a value cannot be shown.
    value, plain : object
    own : bool
        Of a class that files do not know.
    """

    name: str
    value: Any
    plain: Any
    own: bool = False

    @property
    def is_typed(self) -> bool:
        """Whether the value is what it is typed by hand."""
        return type(self.value) is type(self.plain) and repr(self.value) == repr(self.plain)


class Number(float):
    """A float of a class of somebody's own."""

    __slots__ = ()


class Count(int):
    """A whole number that is shown as something else."""

    __slots__ = ()

    def __str__(self) -> str:
        return "many"


class Word(str):
    """A text that is shown as something else."""

    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError("not to be shown")


class Texts(str, Enum):  # noqa: UP042 - whose members say another text than they are
    """Members that are texts."""


class Raises:
    """Raises from one method."""

    def __init__(self, method: str) -> None:
        def fails(*_: Any) -> Any:
            raise RuntimeError(method)

        self.__class__ = type(f"Raises{method}", (Raises,), {method: fails})


class Never:
    """Is unequal to itself, as NaN is, and is none."""

    __hash__ = None  # type: ignore[assignment]

    def __ne__(self, other: object) -> bool:
        return True


class Endless:
    """Has another value wherever one looks."""

    def __getitem__(self, place: int) -> float:
        return 1.0


class Liar:
    """Says that it is a text."""

    __class__ = str  # type: ignore[assignment]


def cases(kind: Kind, good: Any) -> Iterator[Case]:
    """All cases of a kind of column: a value of it in other types, and what is odd anywhere.

    Parameters
    ----------
    kind : {"number", "boolean", "category", "text", "datetime", "image"}
    good : object
        A value that is answered, as plain Python has it.
    """
    if good is not None and kind in _DISGUISES:
        yield from _DISGUISES[kind](good)
    yield from _missing(kind)
    yield from _numbers(kind)
    yield from _texts(kind)
    yield from _times(kind)
    yield from _objects()


def _numbers_of(good: float) -> Iterator[Case]:
    whole = int(good)
    for given in (
        *(good, np.float64(good), np.float32(good), np.array(good), Number(good)),
        *(Decimal(repr(good)), Fraction(good), np.longdouble(good)),
        *(whole, np.int64(whole), np.int32(whole % 2**31), np.uint8(whole % 256)),
    ):
        own = isinstance(given, Number | Fraction)
        yield Case(f"{type(given).__name__} of it", given, float(given), own)
    member = _member(IntEnum, whole)
    yield Case("member of an IntEnum", member, float(whole), own=True)
    yield Case("text of it", str(good), NOTHING)


def _member(kind: Any, value: object) -> Any:
    """The one member of an Enum."""
    return next(iter(kind("Kind", {"it": value})))


def _booleans_of(good: bool) -> Iterator[Case]:
    for given in (good, np.bool_(good), int(good), float(good), np.int8(good), Decimal(good)):
        yield Case(f"{type(given).__name__} of it", given, good)
    yield Case("text of it", str(good), NOTHING)


def _texts_of(good: str) -> Iterator[Case]:
    member = _member(Texts, good)
    for given in (good, np.str_(good)):
        yield Case(f"{type(given).__name__} of it", given, good)
    yield Case("text of its own class", Word(good), good, own=True)
    yield Case("member of an Enum of texts", member, good, own=True)
    yield Case("decomposed", unicodedata.normalize("NFD", good), unicodedata.normalize("NFC", good))
    yield Case("encoded", good.encode(errors="replace"), NOTHING)
    yield Case("array of no dimension", np.array(good, dtype=object), NOTHING)


def _times_of(good: datetime) -> Iterator[Case]:
    seconds = int(good.replace(tzinfo=UTC).timestamp())
    local = good.replace(tzinfo=UTC).astimezone(_TOKYO)
    for given in (
        *(good, pd.Timestamp(good), good.replace(tzinfo=UTC), local, pd.Timestamp(local)),
        *(np.datetime64(good, "s"), np.datetime64(good, "ns"), np.datetime64(good, "us")),
        *(good.isoformat(), good.isoformat() + "Z", good.isoformat(sep=" "), local.isoformat()),
        *(good.strftime("%Y%m%dT%H%M%S"), seconds, np.int64(seconds), str(seconds)),
        np.str_(good.isoformat()),
    ):
        yield Case(f"{type(given).__name__} {given}", given, good.replace(microsecond=0))
    midnight = good.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (good.date(), good.date().isoformat(), np.datetime64(good, "D")):
        yield Case(f"{type(day).__name__} of its day", day, midnight)
    for wrong in (1000 * seconds, str(1000 * seconds), float(seconds), Decimal(seconds)):
        yield Case(f"{type(wrong).__name__} {wrong}", wrong, NOTHING)


_DISGUISES: Mapping[Kind, Any] = {
    "number": _numbers_of,
    "boolean": _booleans_of,
    "category": _texts_of,
    "text": _texts_of,
    "datetime": _times_of,
}


def _missing(kind: Kind) -> Iterator[Case]:
    for given in (
        *(None, float("nan"), np.float32("nan"), pd.NA, pd.NaT, Decimal("NaN")),
        *(np.datetime64("NaT"), np.timedelta64("NaT")),
    ):
        yield Case(f"missing {type(given).__name__}", given, None)
    yield Case("empty text", "", None if kind in (*_TEXTUAL, "datetime") else NOTHING)


def _numbers(kind: Kind) -> Iterator[Case]:
    """Numbers that are large, small, or of another kind; as levels they are their digits."""
    for number, level in (
        *((0, "0"), (1, "1"), (-1, "-1"), (12, "12"), (2**53 + 1, "9007199254740993")),
        *((2**63, "9223372036854775808"), (Count(12), "12"), (np.int16(12), "12")),
        *((12.0, "12"), (-0.0, "0"), (0.1, "0.1"), (np.float32(0.1), "0.1")),
        *((5e-324, "5e-324"), (1e16, "10000000000000000"), (1e300, str(int(1e300)))),
        *((float("inf"), "inf"), (float("-inf"), "-inf"), (True, "True")),
        *((np.bool_(False), "False"), (10**400, str(10**400)), (10**5000, NOTHING)),
    ):
        plain: Any = NOTHING
        whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if kind == "category":
            plain = level
        elif kind == "number" and -1e30 < number < 1e30:
            plain = float(number) + 0.0  # of two zeros the one that people type
        elif kind == "boolean" and number in (0, 1):
            plain = bool(number)
        elif kind == "datetime" and whole and number < 2**40:
            plain = datetime(1970, 1, 1) + timedelta(seconds=int(number))
        yield Case(f"{type(number).__name__} {level!s:.20}", number, plain, type(number) is Count)
    third = Fraction(1, 3)
    yield Case("third", third, 1 / 3 if kind == "number" else NOTHING, own=True)
    for other in (1j, complex("nan"), np.complex64(1), Decimal("sNaN"), Decimal("Infinity")):
        yield Case(f"{type(other).__name__} {other}", other, NOTHING)


#: Texts, and the moments that those are which are one.
_WRITTEN: Mapping[str, datetime | None] = {
    **dict.fromkeys((" ", "12.0", " 12", "1,5", "1e3", "1_000", "twelve", "0x1F")),
    **dict.fromkeys(("nan", "NA", "null", "None", "inf", "-", "?", "true", "True", "TRUE")),
    **dict.fromkeys(("x\0y", "\0", "\ufeff12", "\u200b", "\u202eabc", "\uff21\uff22", "\uff11")),
    **dict.fromkeys(("e\u0301", "\xe9", "\ufb01", "\U0001f600", "a\nb", "a\tb", 'a"b', "a,b")),
    **dict.fromkeys(("x" * 100_000, "=1+1", "../x", "2024-02-30", "01/02/2024", "10000-01-01")),
    **dict.fromkeys(("2024-01-01T00:00+24:00", "0001-01-01T00:00+05:00", "1704110712345")),
    **dict.fromkeys(("1704067200000", "0000-00-00", "2024-01-01T12:00 Europe/Berlin")),
    "12": datetime(1970, 1, 1, 0, 0, 12),
    "-0": datetime(1970, 1, 1),
    "2024-01-01": datetime(2024, 1, 1),
    "20240101": datetime(2024, 1, 1),
    "2024-W01": datetime(2024, 1, 1),
    "2024-01-01T00:00:00.999": datetime(2024, 1, 1),
    "2024-01-01T12:00+09:00": datetime(2024, 1, 1, 3),
    "0001-01-01": datetime(1, 1, 1),
    "9999-12-31T23:59:59": datetime(9999, 12, 31, 23, 59, 59),
    "1969-12-31T23:59:59.5": datetime(1969, 12, 31, 23, 59, 59),
}


def _texts(kind: Kind) -> Iterator[Case]:
    for text, moment in _WRITTEN.items():
        plain: Any = NOTHING
        if kind in _TEXTUAL:
            plain = unicodedata.normalize("NFC", text)
        elif kind == "datetime" and moment is not None:
            plain = moment
        yield Case(f"text {text[:20]!r}", text, plain)
    # A digit of another script is one to Python, and to nobody who reads an ISO date.
    arabic = "\u0661\u0662"
    yield Case("Arabic digits", arabic, arabic if kind in _TEXTUAL else NOTHING)
    yield Case("half a letter", "\ud800", NOTHING)


def _times(kind: Kind) -> Iterator[Case]:
    day = datetime(2024, 1, 1)
    for given, moment in (
        *((day, day), (day.date(), day), (date(1, 1, 1), datetime(1, 1, 1))),
        *((datetime.max, datetime.max.replace(microsecond=0)), (datetime.min, datetime.min)),
        *((datetime.min.replace(tzinfo=_TOKYO), None), (np.datetime64("2024"), day)),
        *((np.datetime64(2**57, "D"), None), (np.datetime64(2**62, "s"), None)),
        *((np.datetime64(3_000_000, "Y"), None), (np.timedelta64(1, "D"), None)),
        *((timedelta(1), None), (time(12), None)),
    ):
        plain = NOTHING if kind != "datetime" or moment is None else moment
        yield Case(f"{type(given).__name__} {given}", given, plain)


def _objects() -> Iterator[Case]:
    """What is no single value of any kind."""
    for method in (
        *("__ne__", "__eq__", "__hash__", "__bool__", "__float__", "__int__", "__index__"),
        *("__str__", "__repr__", "__len__", "__iter__", "__getitem__", "__array__"),
        *("__getattr__", "__getattribute__"),
    ):
        yield Case(f"raises from {method}", Raises(method), NOTHING, own=True)
    for made in (Never, Endless, Liar):
        yield Case(made.__name__, made(), NOTHING, own=True)
    for container in (
        *([], [1.0], ["a"], (1.0,), {"a": 1}, {}, {1}, np.array([1.0]), np.array([[1]])),
        *(pd.Series([1.0]), range(3), iter([1]), np.zeros(0), [None]),
    ):
        yield Case(f"{type(container).__name__} {container!s:.12}", container, NOTHING, own=True)
    for thing in (b"12", bytearray(b"12"), memoryview(b"12"), int, float, str, type, object(), len):
        yield Case(f"thing {thing!s:.16}", thing, NOTHING, own=True)
    for thing in (..., NotImplemented, ValueError("12"), list[int], UTC):
        yield Case(f"thing {thing!s:.16}", thing, NOTHING, own=True)
