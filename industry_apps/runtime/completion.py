"""Columns that a graph cannot compute, added to raw records before it answers them.

A file of addresses reads the canonical text of one and numbers of its spelling, which need a list
of suffixes; a record has the address. Which reader makes the columns, and of which version, stands
in the file, so that whoever has the raw record is answered by the function that training used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ModelFileError, SchemaError
from industry_apps.runtime.addresses.canonical import SPELLING
from industry_apps.runtime.addresses.lexical import domain_columns, url_columns
from industry_apps.schema import Column, Schema
from industry_apps.schema.names import Names

__all__ = ["READERS", "Completion", "Reader", "completion_of"]


class Reader(NamedTuple):
    """A function of raw values, and the version of what it computes.

    Parameters
    ----------
    read : callable
        Raw values, the name of their column, and the row of the first -> columns.
    version : int
    example : str
        A raw value, for whoever asks what a record looks like.
    """

    read: Callable[[Sequence[Any], str, int], Mapping[str, NDArray[Any]]]
    version: int
    example: str


READERS: Mapping[str, Reader] = {
    "domain": Reader(domain_columns, SPELLING, "www.example.com"),
    "url": Reader(url_columns, SPELLING, "https://www.example.com/news?page=2"),
}


@dataclass(frozen=True)
class Completion:
    """How raw records become those that a file reads.

    Parameters
    ----------
    reader : str
        One of :data:`READERS`.
    raw : Column
        The column of raw values.
    made : tuple of str
        The columns that come of it.

    Examples
    --------
    >>> completion = Completion("domain", Column("query", "text"), ("label", "digits"))
    >>> completion.of_record({"query": "www.Example.com"})
    {'query': 'www.Example.com', 'label': 'example', 'digits': np.float32(0.0)}
    """

    reader: str
    raw: Column
    made: tuple[str, ...]

    def facts(self) -> dict[str, Any]:
        """The same as JSON values, for the file."""
        (column,) = self.schema.to_json()
        return {
            "reader": self.reader,
            "version": READERS[self.reader].version,
            "column": column,
        }

    @property
    def schema(self) -> Schema:
        """The raw column."""
        return Schema((self.raw,))

    @property
    def example(self) -> dict[str, str]:
        """A raw record."""
        return {self.raw.name: READERS[self.reader].example}

    def is_raw(self, names: Any, row: int | None = None) -> bool:
        """Whether there is the raw column, which counts whatever stands in made ones.

        Parameters
        ----------
        names : collection of str
            Columns of a table, or keys of a record.
        row : int, optional
            Of the record, for the error.

        Raises
        ------
        SchemaError
            The raw column is there twice; or it is missing, and so is one of those made of it.
        """
        if self.raw.name in names:
            self.schema.check_names(names)
            return True
        absent = [name for name in self.made if name not in names]
        if not absent:
            return False
        told = ", ".join(sorted(map(repr, names)))[:200]
        where = "Column" if row is None else f"Row {row}: column"
        also = f", as is {absent[0]!r}, which is made of it" if len(absent) < len(self.made) else ""
        raise SchemaError(
            f"{where} {self.raw.name!r} is missing{also}: got {told or 'no column'}. Rename the "
            "column that holds it, or add it."
        )

    def of_record(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """A record with the columns that are made of its raw one, where it has that."""
        if not self.is_raw(record):
            return record
        found = self._columns([record[self.raw.name]])
        return {**record, **{name: values[0] for name, values in found.items()}}

    def of_records(self, records: Sequence[Any]) -> Sequence[Any]:
        """The same of a sequence; what is no record is left for the reader of tables to refuse."""
        raw = [
            isinstance(each, Mapping) and self.is_raw(each, row) for row, each in enumerate(records)
        ]
        pairs = list(zip(records, raw, strict=True))
        found = self._columns([each[self.raw.name] for each, is_raw in pairs if is_raw])
        made = (dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True))
        return [{**each, **next(made)} if is_raw else each for each, is_raw in pairs]

    def of_table(self, table: Any) -> Any:
        """A DataFrame or a mapping of arrays with the made columns, not changed itself."""
        if not self.is_raw(table):
            return table
        values = list(table[self.raw.name])
        if isinstance(table, Mapping):
            return {**table, **self._columns(values)}
        # Of a file that is read in parts the index goes on from part to part.
        return table.assign(**self._columns(values, getattr(table.index, "start", 0)))

    def of_file(
        self, path: Path, schema: Schema, names: Names | None
    ) -> tuple[Schema, Names | None]:
        """What is read from a CSV or Parquet file, and what checks its header.

        Parameters
        ----------
        path : Path
        schema : Schema
        names : Names, optional
            For a file that has made columns already.
        """
        from industry_apps.runtime.files import names_of

        return (self.schema, None) if self.is_raw(names_of(path)) else (schema, names)

    def of(self, data: Any) -> Any:
        """Whatever people hold their records in, completed."""
        if hasattr(data, "column_names") and hasattr(data, "to_pandas"):  # Arrow
            return self.of_table(data.to_pandas()) if self.is_raw(data.column_names) else data
        if hasattr(data, "columns") and hasattr(data, "iloc"):
            return self.of_table(data)
        if isinstance(data, Mapping):
            value = data.get(self.raw.name)
            several = isinstance(value, list | tuple | np.ndarray) or hasattr(value, "iloc")
            return self.of_table(data) if several else self.of_record(data)
        if isinstance(data, Sequence) and not isinstance(data, str | bytes):
            return self.of_records(data)
        return data  # refused where it is read

    def _columns(self, values: Sequence[Any], first: int = 0) -> Mapping[str, NDArray[Any]]:
        found = READERS[self.reader].read(values, self.raw.name, first)
        return {name: found[name] for name in self.made}


def completion_of(metadata: Mapping[str, Any], schema: Schema, file: str) -> Completion | None:
    """How a file wants raw records completed; None where it reads them as they are.

    Parameters
    ----------
    metadata : mapping
        Of the file.
    schema : Schema
        What the file reads.
    file : str
        Its name, for errors.

    Raises
    ------
    ModelFileError
        This package has no such reader, or another version of it.
    """
    if "completion" not in metadata:
        return None
    facts = metadata["completion"]
    name, version = facts["reader"], facts["version"]
    if name not in READERS or READERS[name].version != version:
        known = ", ".join(f"{each!r} {READERS[each].version}" for each in READERS)
        raise ModelFileError(
            f"{file} completes records by the reader {name!r} of version {version!r}; this "
            f"package has {known}. Export the model again, or install the version of "
            "industry_apps that wrote it."
        )
    (raw,) = Schema.from_json([facts["column"]])
    return Completion(name, raw, tuple(schema.names))
