"""One record, checked and made into feeds in microseconds.

Building a table of one row costs ten times what the model does. So the usual Python values are
read by plain loops, all numbers into one array, all strings into another; whatever is not usual
is read column by column as a table is, which also words the errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import gt, itemgetter, lt
from typing import Any, NamedTuple

import numpy as np

from industry_apps.runtime.inputs import Feeds
from industry_apps.schema import Column, Schema
from industry_apps.schema.names import Names
from industry_apps.schema.spellings import composed
from industry_apps.schema.values import MISSING_TIME, level_of

_EPOCH = datetime(1970, 1, 1)
_LARGEST = float(np.finfo(np.float32).max)
_NAN = float("nan")
_REAL = frozenset((float, int, bool, np.float64))
_STRINGS = frozenset((str,))
#: Stands for a value that the record lacks and must have.
_ABSENT = object()


class Plain(NamedTuple):
    """Values of one record, by the type of their inputs.

    Parameters
    ----------
    floats, texts, moments, doubles : sequence
        In the order of the names of their columns; doubles are those with an offset.
    """

    floats: Sequence[float]
    texts: Sequence[str]
    moments: Sequence[int]
    doubles: Sequence[float]


class RecordReader:
    """Turns one record into feeds, each column checked.

    Parameters
    ----------
    schema : Schema
        The inputs of the model.
    names : Names, optional
        What the names of a record are checked by.

    Examples
    --------
    >>> columns = Column(name="age", kind="number"), Column(name="country", kind="category")
    >>> RecordReader(Schema(columns))({"age": 41, "country": "DE"})
    {'age': array([[41.]], dtype=float32), 'country': array([['DE']], dtype=object)}
    """

    def __init__(self, schema: Schema, names: Names | None = None) -> None:
        self._each = _reader_of_each(schema)
        self._names = names
        self.is_plain = not any(
            c.is_list or c.kind == "image" or c.whole or c.notation for c in schema
        )
        columns = [c for c in schema if self.is_plain]
        numbers = [c for c in columns if c.kind == "number"]
        self._numbers = _Numbers([c for c in numbers if c.offset is None])
        self._doubles = _Numbers([c for c in numbers if c.offset is not None])
        self._booleans = [_Other.of(c) for c in columns if c.kind == "boolean"]
        self._texts = _Texts([c for c in columns if c.kind in ("category", "text")])
        self._moments = [_Other.of(c) for c in columns if c.kind == "datetime"]
        self._periods = [
            (place, c.low, c.high)
            for place, c in enumerate(c for c in columns if c.kind == "datetime")
            if c.low is not None and c.high is not None
        ]
        self.floats = self._numbers.names + [each.name for each in self._booleans]
        self.doubles = self._doubles.names
        self.texts = self._texts.names
        self.moments = [each.name for each in self._moments]
        self._known = frozenset(schema.names)
        self._never_empty = any(column.required for column in columns)

    def __call__(self, record: Mapping[str, Any]) -> Feeds:
        """Record -> {name: array [1, values], of images [1, height, width, channels]}.

        Raises
        ------
        SchemaError
        """
        plain = self.plain(record)
        if plain is None:
            if self._names is not None:
                self._names.check(record)
            return self._each(record)
        buffers = Buffers(self)
        buffers.hold(plain)
        return buffers.feeds

    def plain(self, data: Any) -> Plain | None:
        """The values of a record of the usual types that fit; None of all else."""
        if type(data) is not dict or not self.is_plain:
            return None
        if self._names is not None and not data.keys() >= self._known:
            self._names.check(data)
        if not self._never_empty and self._known.isdisjoint(data):
            return None  # nothing says that this is a record
        floats = self._numbers.read(data)
        texts = None if floats is None else self._texts.read(data)
        if floats is None or texts is None:
            return None
        if self._booleans:
            floats = list(floats)
            if not _read(self._booleans, data, _boolean, floats):
                return None
        moments = self._moments_of(data) if self._moments else []
        doubles = self._doubles.read(data) if self.doubles else ()
        if moments is None or doubles is None:
            return None
        return Plain(floats, texts, moments, doubles)

    def _moments_of(self, record: Mapping[str, Any]) -> list[int] | None:
        found: list[int] = []
        if not _read(self._moments, record, _moment, found):
            return None
        for place, low, high in self._periods:
            if not low <= found[place] <= high and found[place] != MISSING_TIME:
                return None
        return found


class Buffers:
    """Arrays for the values of one record: one of each type, cut into the inputs of a session.

    Parameters
    ----------
    reader : RecordReader
        Of plain values.

    Attributes
    ----------
    feeds : dict of str to ndarray of shape [1, 1]
        Views, which show what the buffers hold.
    """

    def __init__(self, reader: RecordReader) -> None:
        self._floats = np.zeros(len(reader.floats), np.float32)
        self._texts = np.full(len(reader.texts), "", np.object_)
        self._moments = np.zeros(len(reader.moments), np.int64)
        self._doubles = np.zeros(len(reader.doubles), np.float64)
        names = [*reader.floats, *reader.texts, *reader.moments, *reader.doubles]
        # One array cut into views costs a fifth of one array for each value.
        views = [
            view
            for values in (self._floats, self._texts, self._moments, self._doubles)
            for view in values.reshape(-1, 1, 1)
        ]
        self.feeds: Feeds = dict(zip(names, views, strict=True))

    def hold(self, plain: Plain) -> None:
        """Take the values of a record, in place of those of the last."""
        self._floats[:] = plain.floats
        self._floats += 0  # -0 is 0, as in a table
        if plain.texts:
            self._texts[:] = plain.texts
        if plain.moments:
            self._moments[:] = plain.moments
        if plain.doubles:
            self._doubles[:] = plain.doubles


class _Number(NamedTuple):
    name: str
    low: float
    high: float
    nullable: bool
    default: Any

    @classmethod
    def of(cls, column: Column) -> _Number:
        low = -_LARGEST if column.low is None else column.low
        high = _LARGEST if column.high is None else column.high
        return cls(column.name, low, high, column.nullable, _default(column, _NAN))


class _Numbers:
    """Reads the number columns of a record."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [_Number.of(column) for column in columns]
        self.names = [column.name for column in columns]
        self._lows = [column.low for column in self._columns]
        self._highs = [column.high for column in self._columns]
        self._never_missing = [n for n, column in enumerate(columns) if not column.nullable]
        self._pick = _picker(self.names)

    def read(self, record: Mapping[str, Any]) -> Sequence[float] | None:
        """Values within their limits, NaN where missing; None where one is not usual."""
        values: Sequence[Any] | None = self._pick(record)
        if values is None:
            return self._with_absent(record)
        kinds = set(map(type, values))
        if type(None) in kinds:
            kinds.discard(type(None))
            values = [_NAN if value is None else value for value in values]
        fits = (
            kinds <= _REAL
            and not any(map(lt, values, self._lows))  # which NaN is not
            and not any(map(gt, values, self._highs))
            and all(values[place] == values[place] for place in self._never_missing)
        )
        return values if fits else None

    def _with_absent(self, record: Mapping[str, Any]) -> list[float] | None:
        found = []
        for name, low, high, nullable, default in self._columns:
            value = record.get(name, default)
            if value is None:
                value = _NAN
            elif type(value) not in _REAL:
                return None
            if not low <= value <= high and (value == value or not nullable):  # noqa: PLR0124
                return None
            found.append(value)
        return found


class _Text(NamedTuple):
    name: str
    is_category: bool
    allowed: frozenset[str] | None
    nullable: bool
    default: Any

    @classmethod
    def of(cls, column: Column) -> _Text:
        allowed = frozenset((*column.categories, "")) if column.categories else None
        category = column.kind == "category"
        return cls(column.name, category, allowed, column.nullable, _default(column, ""))


class _Texts:
    """Reads the category and text columns of a record."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = [_Text.of(column) for column in columns]
        self.names = [column.name for column in columns]
        self._limited = [
            (place, column.allowed)
            for place, column in enumerate(self._columns)
            if column.allowed is not None
        ]
        self._pick = _picker(self.names)

    def read(self, record: Mapping[str, Any]) -> Sequence[str] | None:
        """Strings as they are to be fed; None where one is not usual."""
        values: Sequence[str] | None = self._pick(record)
        if (
            values is not None
            and _STRINGS.issuperset(map(type, values))
            and all(values)
            and "".join(values).isascii()
            and all(values[place] in allowed for place, allowed in self._limited)
        ):
            return values
        return self._with_missing(record)

    def _with_missing(self, record: Mapping[str, Any]) -> list[str] | None:
        found = []
        for name, is_category, allowed, nullable, default in self._columns:
            value = _text_of(record.get(name, default), is_category)
            if value is None or not (value or nullable):
                return None
            if allowed is not None and value not in allowed:
                return None
            found.append(value)
        return found


class _Other(NamedTuple):
    name: str
    nullable: bool
    default: Any

    @classmethod
    def of(cls, column: Column) -> _Other:
        return cls(column.name, column.nullable, _default(column, None))


def _default(column: Column, missing: Any) -> Any:
    return _ABSENT if column.required else missing


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], tuple[Any, ...] | None]:
    """What takes the values of some columns out of a record; None where one is not there."""
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]
    if len(names) > 1:
        pick = itemgetter(*names)
    else:  # of one name itemgetter gives no tuple

        def pick(record: Mapping[str, Any]) -> tuple[Any, ...]:
            return tuple(record[name] for name in names)

    def picked(record: Mapping[str, Any]) -> tuple[Any, ...] | None:
        try:
            return pick(record)
        except KeyError:
            return None

    return picked


def _text_of(value: Any, is_category: bool) -> str | None:
    """A string, a missing one, and codes, as a table's would be read; None of all else."""
    kind = type(value)
    if kind is str:
        if value.isascii():
            return value
        return composed(value) if _is_unicode(value) else None
    if value is None or (kind is float and value != value):  # noqa: PLR0124 - NaN
        return ""
    return level_of(value) if is_category and kind in (int, bool, float) else None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read(
    columns: Sequence[_Other],
    record: Mapping[str, Any],
    convert: Callable[[Any, bool], Any],
    found: list[Any],
) -> bool:
    """Append what a record holds in some columns; tell whether all of it is usual."""
    for name, nullable, default in columns:
        value = convert(record.get(name, default), nullable)
        if value is None:
            return False
        found.append(value)
    return True


def _boolean(value: Any, nullable: bool) -> float | None:
    if value is True or value is False:
        return float(value)
    return _NAN if value is None and nullable else None


def _moment(value: Any, nullable: bool) -> int | None:
    """A moment as seconds; what is no datetime without a zone, or no such text, is not usual."""
    if value is None:
        return MISSING_TIME if nullable else None
    kind = type(value)
    if kind is str:
        if value.isdigit() and len(value) != 8:  # seconds, though Python may read a date
            return None
        try:
            value = datetime.fromisoformat(value)
            if value.tzinfo is not None:
                value = value.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            return None
    # pandas' NaT is a datetime too, and the only one that differs from itself.
    if (kind is str or issubclass(kind, datetime)) and value.tzinfo is None and value == value:  # noqa: PLR0124
        past = value - _EPOCH  # days and seconds: whole numbers, rounded down
        return past.days * 86_400 + past.seconds
    return None


def _reader_of_each(schema: Schema) -> Callable[[Mapping[str, Any]], Feeds]:
    plan = [
        (c, c.kind == "image", None if c.required else c.missing(1).reshape(1, -1)) for c in schema
    ]

    def read(record: Mapping[str, Any]) -> Feeds:
        feeds = {}
        for column, is_image, default in plan:
            if column.name in record:
                array = column.to_array([record[column.name]])
                feeds[column.name] = array[0][None] if is_image else array.reshape(1, -1)
            elif default is not None:
                feeds[column.name] = default
            else:
                schema.check_names(record)
        schema.check_sizes(feeds)
        return feeds

    return read
