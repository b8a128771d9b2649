"""Shapes of Parquet files, and of what is called so."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from industry_apps.schema.values import Kind
from tests.hostile.table_shapes import (
    NoSuchColumnError,
    Table,
    csv_text,
    flipped,
    parquet,
    same,
    several,
)


def _cast(kind: Any, *kinds: Kind) -> Callable[[Table], pa.Table]:
    """A table with the first column of some kinds as another type."""
    return lambda t: t.arrow(**{t.name(*kinds): pa.array(t.frame[t.name(*kinds)]).cast(kind)})


def _lists(t: Table) -> dict[str, Any]:
    found = [column.name for column in t.schema if column.is_list and column.name in t.frame]
    if not found:
        raise NoSuchColumnError
    return {name: pa.array(t.frame[name]) for name in found}


def _whole(t: Table) -> pd.DataFrame:
    """Numbers that any type holds, from 1 to 7."""
    frame = t.frame.copy()
    frame[t.name("number", filled=True)] = np.arange(len(frame)) % 7 + 1.0
    return frame


def _as_number(kind: Any) -> Callable[[Table], pa.Table]:
    return lambda t: _cast(kind, "number")(t._replace(frame=_whole(t)))


def _with_nulls(t: Table) -> pd.DataFrame:
    frame, name = _whole(t), t.name("number", filled=True)
    frame[name] = frame[name].where(frame.index % 3 != 1)
    return frame


def _in_berlin(t: Table) -> pd.DataFrame:
    name = t.name("datetime")
    times = pd.to_datetime(t.frame[name]).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")
    return t.frame.assign(**{name: times})


def _days(t: Table) -> pd.DataFrame:
    name = t.name("datetime")
    return t.frame.assign(**{name: pd.to_datetime(t.frame[name]).dt.floor("D")})


def _plain_pages(t: Table) -> bytes:
    return parquet(t.arrow(), compression="none", use_dictionary=False, write_page_checksum=True)


def _end_of_first_page(t: Table) -> int:
    """Place of the last byte of the first page: of a value."""
    page = pq.ParquetFile(io.BytesIO(_plain_pages(t))).metadata.row_group(0).column(0)
    return int(page.data_page_offset + page.total_compressed_size - 1)


several(
    {
        "Parquet": lambda t: t.arrow(),
        "row groups of 2": lambda t: parquet(t.arrow(), row_group_size=2),
        "an index of pandas": lambda t: pa.Table.from_pandas(t.frame.set_index(t.header[0])),
        "dictionary": _cast(pa.dictionary(pa.int32(), pa.string()), "category", "text"),
        "large strings": _cast(pa.large_string(), "category", "text"),
        "views of strings": _cast(pa.string_view(), "category", "text"),
        "timestamp in ms": _cast(pa.timestamp("ms"), "datetime"),
        "timestamp in ns": _cast(pa.timestamp("ns"), "datetime"),
        "timestamp in UTC": _cast(pa.timestamp("us", "UTC"), "datetime"),
        "lists": lambda t: t.arrow(**_lists(t)),
        "large lists": lambda t: t.arrow(
            **{n: v.cast(pa.large_list(pa.string())) for n, v in _lists(t).items()}
        ),
        "structs beside": lambda t: t.arrow(more=pa.array([{"a": 1, "b": [2]}] * len(t.frame))),
        "1 000 columns beside": lambda t: t.arrow(
            **{f"more_{n}": pa.array([1] * len(t.frame)) for n in range(1_000)}
        ),
    },
    "in.parquet",
    same,
)
several({"Parquet in capitals": lambda t: t.arrow()}, "IN.PARQUET", same)
several({"one row, Parquet": lambda t: t.arrow().slice(0, 1)}, "in.parquet", lambda t: t.frame[:1])
several({"no rows, Parquet": lambda t: t.arrow().slice(0, 0)}, "in.parquet", lambda t: t.frame[:0])
several({"time in Berlin": lambda t: pa.Table.from_pandas(_in_berlin(t))}, "in.parquet", _in_berlin)
several(
    {"dates": lambda t: _cast(pa.date32(), "datetime")(t._replace(frame=_days(t)))},
    "in.parquet",
    _days,
)
several(
    {
        str(kind): _as_number(kind)
        for kind in (
            *(pa.int8(), pa.uint8(), pa.int64(), pa.uint64(), pa.float16(), pa.float32()),
            *(pa.decimal128(20, 4), pa.decimal256(50, 2)),
        )
    },
    "in.parquet",
    _whole,
)
several(
    {
        f"{kind} with nulls": lambda t, kind=kind: _cast(kind, "number")(
            t._replace(frame=_with_nulls(t))
        )
        for kind in (pa.int8(), pa.uint64(), pa.float16(), pa.decimal128(20, 4))
    },
    "in.parquet",
    _with_nulls,
)
several(
    {"a column of type null": lambda t: t.arrow(**{t.header[-1]: pa.nulls(len(t.frame))})},
    "in.parquet",
    lambda t: t.frame.assign(**{t.header[-1]: None}),
)
several(
    {
        "Parquet, empty": lambda _: b"",
        "Parquet, cut off": lambda t: parquet(t.arrow())[:-9],
        "Parquet, marks only": lambda _: b"PAR1" * 2,
        "nonsense": lambda _: np.random.default_rng(0).bytes(5_000),
        "CSV by another name": lambda t: csv_text([t.header, *t.rows]),
        "encrypted": lambda t: parquet(t.arrow())[:-4] + b"PARE",
        "a page with a bit changed": lambda t: flipped(_plain_pages(t), _end_of_first_page(t), 4),
        "a column of structs": lambda t: t.arrow(
            **{t.header[0]: pa.array([{t.header[0]: 1}] * len(t.frame))}
        ),
        "other columns twice": lambda t: t.arrow(more=pa.array([1] * len(t.frame))).append_column(
            "more", pa.array(["x"] * len(t.frame))
        ),
        "a column inside a struct": lambda t: t.arrow(
            more=pa.array([{t.header[0]: 1}] * len(t.frame))
        ).drop_columns(t.header[:1]),
        "numbers in lists": lambda t: t.arrow(
            **{t.name("number"): pa.array([[1.0]] * len(t.frame))}
        ),
        "a column twice": lambda t: t.arrow().append_column(t.header[0], t.arrow()[t.header[0]]),
        "numbers with a unit, Parquet": lambda t: t.arrow(
            **{t.name("number"): pa.array(["12 EUR"] * len(t.frame))}
        ),
        "times as numbers": lambda t: t.arrow(
            **{t.name("number"): pa.array([0] * len(t.frame), pa.timestamp("us"))}
        ),
        "durations as numbers": lambda t: t.arrow(
            **{t.name("number"): pa.array([5] * len(t.frame), pa.duration("s"))}
        ),
        "bytes as texts": _cast(pa.binary(), "category", "text"),
        "names in capitals, Parquet": lambda t: t.arrow().rename_columns(
            [name.upper() for name in t.header]
        ),
    },
    "in.parquet",
)
several(
    {
        f"footer, bit {n % 8} of byte {9 + 37 * n}": lambda t, n=n: flipped(
            _plain_pages(t), -9 - 37 * n, n % 8
        )
        for n in range(12)
    },
    "in.parquet",
)
