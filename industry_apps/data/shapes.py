"""Files that are no plain table: lines of text, arrays, and what a reader of its own reads."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from industry_apps.data.arrays import read_arrays
from industry_apps.data.readers import table
from industry_apps.data.rules import Reading
from industry_apps.data.tables import read_table
from industry_apps.errors import unknown_name

if TYPE_CHECKING:
    import pandas as pd


def read_files(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Read the files of a data set as one table, as its card says.

    Parameters
    ----------
    paths : mapping of str to Path
        Name of each file on the card -> where it is.
    reading : Reading

    Raises
    ------
    DataNotFoundError, SchemaError, UnknownNameError
        A file is missing, empty, or not what the card says; or it names a reader that is none.
    """
    import pandas as pd

    if reading.reader:
        if reading.reader not in table.READERS:
            raise unknown_name("reader", reading.reader, table.READERS)
        return table.READERS[reading.reader](paths, reading)
    tables = {name: _read(path, reading) for name, path in paths.items()}
    for column, values in reading.parts.items():
        for name, value in values.items():
            tables[name][column] = value
    return pd.concat([*tables.values()], ignore_index=True)


def _read(path: Path, reading: Reading) -> pd.DataFrame:
    if reading.lines:
        return _lines(path, reading)
    if reading.arrays:
        return read_arrays(path, reading.arrays)
    return read_table(
        path,
        header=reading.header,
        member=reading.member,
        entry=reading.entry,
        separator=reading.separator,
        quoted=reading.quoted,
        encoding=reading.encoding,
    )


def _lines(path: Path, reading: Reading) -> pd.DataFrame:
    import pandas as pd

    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    # By line feeds alone: a text may hold other characters that end a line.
    lines = content.decode(reading.encoding).strip("\n").split("\n")
    return pd.DataFrame({reading.lines: [line.strip() for line in lines]})
