"""Whatever people hold their records in, as checked feeds of a session.

Tables are checked column by column; single records by :mod:`industry_apps.runtime.records`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.schema import Schema
from industry_apps.schema.images import is_image, one_by_one
from industry_apps.schema.names import Names
from industry_apps.schema.values import are_single, is_single

Feeds = dict[str, NDArray[Any]]

#: Rows of one run: small enough that intermediate tensors stay in the processor's caches.
ROWS_A_RUN = 16_384
#: Characters of one run: a long text is padded to by every other row of its run.
CHARACTERS_A_RUN = 20_000_000
#: Samples of one run of recordings, each padded to the longest of them.
SAMPLES_A_RUN = 500_000
#: Pixels of one run of images, all of one size.
PIXELS_A_RUN = 4_000_000

_PLAIN = {float, int, str, bool, type(None), datetime}


def is_record(data: Any, schema: Schema) -> bool:
    """Tell one record (a mapping of names to single values) from a table.

    Parameters
    ----------
    data : object
    schema : Schema
        Says in which columns a record holds a list, and in which an image.
    """
    if type(data) is dict and _PLAIN.issuperset(map(type, data.values())):
        return True  # by far the most frequent case, and worth a microsecond or two
    if not isinstance(data, Mapping):
        return False
    images = [column.name for column in schema if column.kind == "image" and column.name in data]
    if images:  # which tell, whatever else is there: a column that no model knows may be an array
        return all(is_image(data[name]) for name in images)
    lists = {column.name for column in schema if column.is_list}
    # What no model knows may be of any form, unless there is nothing else.
    told = {name: value for name, value in data.items() if name in schema} or data
    return all(
        is_single(value) or (name in lists and are_single(value)) for name, value in told.items()
    )


def table_of(data: Any, schema: Schema, names: Names | None = None) -> Any:
    """Make a table (pandas frame, or mapping of names to columns) of what was given.

    Parameters
    ----------
    data : DataFrame, Arrow table, mapping of arrays, or sequence of records
    schema : Schema
        The columns that are looked for in records.
    names : Names, optional
        What the names of columns and of the keys of records are checked by.

    Raises
    ------
    SchemaError
        When it is none of these, or a record lacks a required column.
    """
    if isinstance(data, Mapping) or (hasattr(data, "columns") and hasattr(data, "iloc")):
        _check(names, data)
        return data
    if hasattr(data, "column_names") and hasattr(data, "to_pandas"):  # Arrow
        _check(names, data.column_names)  # an index of pandas stays a column
        exact = whole_names(data.schema, schema)
        return data.to_pandas(ignore_metadata=True, integer_object_nulls=exact)
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return _columns_of(data, schema, names)
    raise SchemaError(
        f"Cannot read records from {type(data).__name__}. Give a dict, a list of dicts, a "
        "DataFrame, a dict of arrays, an Arrow table, or the path of a CSV or Parquet file."
    )


def whole_names(arrow: Any, schema: Schema) -> bool:
    """Tell whether some names are whole numbers, whose digits must not be lost beside a null.

    Parameters
    ----------
    arrow : pyarrow.Schema
        Of the table.
    schema : Schema
        Of the model.
    """
    names = {column.name for column in schema if column.kind in ("category", "text")}
    return any(field.name in names and "int" in str(field.type) for field in arrow)


def feeds_of(arrays: Mapping[str, NDArray[Any]], schema: Schema) -> Feeds:
    """Shape checked columns [rows] as inputs [rows, 1], those of the schema only.

    List columns are of two dimensions already; images stay apart, [rows], since they may
    differ in size, until :func:`run_in_slices` stacks those of one size.
    """
    return {
        column.name: arrays[column.name]
        if column.is_list or column.kind == "image"
        else arrays[column.name].reshape(-1, 1)
        for column in schema
    }


def slices(feeds: Feeds, schema: Schema, most: int | None = None) -> Iterator[Feeds]:
    """Cut feeds of at least one row into runs of bounded memory.

    Parameters
    ----------
    feeds : dict of str to ndarray of shape [rows, ...]
    schema : Schema
        The columns of the feeds.
    most : int, optional
        Rows of a run; by default as many as suit narrow models.
    """
    texts = [column.name for column in schema if column.kind == "text"]
    rows = len(next(iter(feeds.values())))
    most = most or ROWS_A_RUN
    sounds = [column.name for column in schema if column.rate is not None]
    for name in sounds:
        most = max(1, min(most, SAMPLES_A_RUN // feeds[name].shape[1]))
    start = 0
    while start < rows:
        stop = min(start + most, rows)
        for name in texts:
            stop = _before_padding_explodes(feeds[name][start:stop, 0], start)
        part = {name: array[start:stop] for name, array in feeds.items()}
        yield {**part, **{name: _without_padding(part[name]) for name in sounds}}
        start = stop


def run_in_slices(
    session: ort.InferenceSession,
    names: Sequence[str],
    feeds: Feeds,
    schema: Schema,
    most: int | None = None,
) -> list[NDArray[Any]]:
    """Run a session on feeds of any length, in bounded memory.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
    names : sequence of str
        Outputs that are asked for.
    feeds, schema, most
        As for :func:`slices`.

    Returns
    -------
    list of ndarray of shape [rows, ...]
        One for each output.
    """
    images = [column.name for column in schema if column.kind == "image"]
    if images:
        return _run_images(session, names, feeds, images, most)
    parts = [session.run(names, part) for part in slices(feeds, schema, most)]
    return [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]


def _run_images(
    session: ort.InferenceSession,
    names: Sequence[str],
    feeds: Feeds,
    images: Sequence[str],
    most: int | None,
) -> list[NDArray[Any]]:
    """Run images of one size together; the answers are in the order of the rows."""
    groups: dict[tuple[tuple[int, ...], ...], list[int]] = {}
    for row, shapes in enumerate(zip(*(map(np.shape, feeds[n]) for n in images), strict=True)):
        groups.setdefault(shapes, []).append(row)
    order: list[int] = []
    parts = []
    for shapes, rows in groups.items():
        pixels = sum(int(np.prod(shape)) for shape in shapes)
        step = max(1, min(most or ROWS_A_RUN, PIXELS_A_RUN // pixels))
        for start in range(0, len(rows), step):
            chosen = rows[start : start + step]
            part = {
                name: np.stack(array[chosen].tolist()) if name in images else array[chosen]
                for name, array in feeds.items()
            }
            parts.append(session.run(names, part))
            order += chosen
    place = np.argsort(order)
    return [_stacked(pieces)[place] for pieces in zip(*parts, strict=True)]


def _stacked(pieces: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Answers of several runs as one array; those of the size of their image one by one."""
    if len({piece.shape[1:] for piece in pieces}) == 1:
        return np.concatenate(pieces)
    return one_by_one(image for piece in pieces for image in piece)


def _without_padding(sounds: NDArray[Any]) -> NDArray[Any]:
    """Recordings [rows, samples] without the places behind the end of all of them."""
    known = np.flatnonzero(~np.isnan(sounds).all(axis=0))
    return sounds[:, : known[-1] + 1] if len(known) else sounds


def _before_padding_explodes(texts: NDArray[Any], start: int) -> int:
    longest = 0
    for position, text in enumerate(texts):
        longest = max(longest, len(text))
        if position and longest * (position + 1) > CHARACTERS_A_RUN:
            return start + position
    return start + len(texts)


def _check(names: Names | None, have: Iterable[object], row: int | None = None) -> None:
    if names is None:
        return
    try:
        names.check(have)
    except SchemaError as error:
        raise error if row is None else SchemaError(f"Row {row}: {error}") from None


def _columns_of(
    records: Sequence[Any], schema: Schema, checked: Names | None
) -> dict[str, list[Any]]:
    required = {column.name for column in schema if column.required}
    for row, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise SchemaError(
                f"Row {row}: got {type(record).__name__}, expected a dict of column names to "
                "values. Convert each record to a dict."
            )
        _check(checked, record, row)
        if not required <= record.keys():
            raise SchemaError(
                f"Row {row}: column {min(required - record.keys())!r} is missing. "
                "Add it, as None where its value is not known."
            )
    names = [n for n in schema.names if n in required or any(n in record for record in records)]
    # Records that know nothing the model asks for are records still.
    names = names or list(schema.names[:1])
    return {name: [record.get(name) for record in records] for name in names}
