"""Whatever people hold their records in, as checked feeds of a session.

One record goes through readers made once per column, since building a table of one row
costs ten times what the model does. Tables are checked column by column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.schema import Column, Schema

Feeds = dict[str, NDArray[Any]]

#: Rows of one run: small enough that intermediate tensors stay in the processor's caches.
ROWS_A_RUN = 16_384
#: Characters of one run: a long text is padded to by every other row of its run.
CHARACTERS_A_RUN = 20_000_000

_EPOCH = datetime(1970, 1, 1)
_LARGEST = float(np.finfo(np.float32).max)


def is_record(data: Any) -> bool:
    """Tell one record (a mapping of names to single values) from a table."""
    return isinstance(data, Mapping) and not any(
        isinstance(value, list | tuple | np.ndarray) or hasattr(value, "iloc")
        for value in data.values()
    )


def table_of(data: Any) -> Any:
    """Make a table (pandas frame, or mapping of names to columns) of what was given.

    Parameters
    ----------
    data : DataFrame, Arrow table, mapping of arrays, or sequence of records

    Raises
    ------
    SchemaError
        When it is none of these.
    """
    if isinstance(data, Mapping) or (hasattr(data, "columns") and hasattr(data, "iloc")):
        return data
    if hasattr(data, "column_names") and hasattr(data, "to_pandas"):  # Arrow
        return data.to_pandas()
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _columns_of(data)
    raise SchemaError(
        f"Cannot read records from {type(data).__name__}. Give a dict, a list of dicts, a "
        "DataFrame, a dict of arrays, an Arrow table, or the path of a CSV or Parquet file."
    )


def rows_of(table: Any) -> int:
    """Count the rows of a table made by :func:`table_of`."""
    if hasattr(table, "iloc"):
        return len(table)
    sizes = {name: len(values) for name, values in table.items()}
    if len(set(sizes.values())) > 1:
        raise SchemaError(f"The columns differ in length: {sizes}. Make them equal.")
    return next(iter(sizes.values()), 0)


def feeds_of(arrays: Mapping[str, NDArray[Any]], schema: Schema) -> Feeds:
    """Shape checked columns [rows] as inputs [rows, 1], those of the schema only."""
    return {column.name: arrays[column.name].reshape(-1, 1) for column in schema}


def slices(feeds: Feeds, texts: Sequence[str] = ()) -> Iterator[Feeds]:
    """Cut feeds into runs of bounded memory; at least one, even of no rows.

    Parameters
    ----------
    feeds : dict of str to ndarray of shape [rows, 1]
    texts : sequence of str
        Names of the text columns.
    """
    rows = len(next(iter(feeds.values())))
    start = 0
    while start == 0 or start < rows:
        stop = min(start + ROWS_A_RUN, rows)
        for name in texts:
            stop = _before_padding_explodes(feeds[name][start:stop, 0], start)
        yield {name: array[start:stop] for name, array in feeds.items()}
        start = max(stop, 1)


def _before_padding_explodes(texts: NDArray[Any], start: int) -> int:
    longest = 0
    for position, text in enumerate(texts):
        longest = max(longest, len(text))
        if position and longest * (position + 1) > CHARACTERS_A_RUN:
            return start + position
    return start + len(texts)


def _columns_of(records: Sequence[Any]) -> dict[str, list[Any]]:
    names: dict[str, None] = {}
    for row, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise SchemaError(
                f"Row {row}: got {type(record).__name__}, expected a dict of column names to "
                "values. Convert each record to a dict."
            )
        names.update(dict.fromkeys(record))
    return {name: [record.get(name) for record in records] for name in names}


def record_reader(schema: Schema) -> Callable[[Mapping[str, Any]], Feeds]:
    """Make the function that turns one record into feeds, each column checked.

    Returns
    -------
    callable
        Record -> {name: array of shape [1, 1]}; raises :class:`SchemaError`.
    """
    plan = [
        (c.name, _value_reader(c), None if c.required else c.missing(1).reshape(1, 1))
        for c in schema
    ]

    def read(record: Mapping[str, Any]) -> Feeds:
        feeds = {}
        for name, convert, default in plan:
            if name in record:
                feeds[name] = convert(record[name])
            elif default is not None:
                feeds[name] = default
            else:
                schema.check_names(record)
        return feeds

    return read


def _value_reader(column: Column) -> Callable[[Any], NDArray[Any]]:
    """Convert one value; the common types without detour, all others as a column would be."""
    if column.kind == "number":
        return _number_reader(column)
    if column.kind == "datetime":
        return _moment_reader(column)
    if column.kind in ("category", "text") and not column.categories:
        return _string_reader(column)
    return lambda value: column.to_array([value]).reshape(1, 1)


def _number_reader(column: Column) -> Callable[[Any], NDArray[Any]]:
    low = -_LARGEST if column.low is None else column.low
    high = _LARGEST if column.high is None else column.high

    def read(value: Any) -> NDArray[Any]:
        if (type(value) is float or type(value) is int) and low <= value <= high:
            return np.array(((value,),), dtype=np.float32)
        return column.to_array([value]).reshape(1, 1)

    return read


def _string_reader(column: Column) -> Callable[[Any], NDArray[Any]]:
    def read(value: Any) -> NDArray[Any]:
        if type(value) is str and value:
            return np.array(((value,),), dtype=np.object_)
        return column.to_array([value]).reshape(1, 1)

    return read


def _moment_reader(column: Column) -> Callable[[Any], NDArray[Any]]:
    def read(value: Any) -> NDArray[Any]:
        if type(value) is datetime and value.tzinfo is None:
            return np.array((((value - _EPOCH).total_seconds() // 1,),), dtype=np.int64)
        return column.to_array([value]).reshape(1, 1)

    return read
