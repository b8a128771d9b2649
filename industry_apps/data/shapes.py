"""Files that are no plain table: lines of text, arrays, rows of whole series, facts by key."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from industry_apps.data.rules import ArraysRule, JoinRule, Reading, WideRule
from industry_apps.data.tables import read_table
from industry_apps.errors import SchemaError

if TYPE_CHECKING:
    import numpy as np
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
    DataNotFoundError, SchemaError
        A file is missing, empty, or not what the card says.
    """
    import pandas as pd

    beside = reading.join.file if reading.join else ""
    tables = {name: _read(path, reading) for name, path in paths.items() if name != beside}
    for column, values in reading.parts.items():
        for name, value in values.items():
            tables[name][column] = value
    if reading.wide:
        return _long([*tables.values()], reading.wide)
    frame = pd.concat([*tables.values()], ignore_index=True)
    if reading.join:
        frame = _joined(frame, reading.join, paths[beside])
    for name, columns in reading.flags.items():
        frame[name] = _named_flags(frame[list(columns)])
        frame = frame.drop(columns=list(columns))
    return frame


def _read(path: Path, reading: Reading) -> pd.DataFrame:
    if reading.lines:
        return _lines(path, reading)
    if reading.arrays:
        return _arrays(path, reading.arrays)
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


def _arrays(path: Path, rule: ArraysRule) -> pd.DataFrame:
    """Arrays of an npz file as columns; what is more than a value a row becomes one cell."""
    import numpy as np
    import pandas as pd

    with np.load(path, allow_pickle=False) as file:
        tables = []
        for word in rule.parts or ("",):
            names = {column: name.format(part=word) for column, name in rule.columns.items()}
            absent = sorted(set(names.values()) - set(file.files))
            if absent:
                raise SchemaError(
                    f"{path.name!r} has no array {absent[0]!r}, which the card names. It has: "
                    f"{', '.join(file.files)}."
                )
            table = pd.DataFrame({column: _cells(file[name]) for column, name in names.items()})
            tables.append(table.assign(**{rule.part: rule.parts[word]}) if word else table)
    return pd.concat(tables, ignore_index=True)


def _cells(array: np.ndarray) -> Sequence[object] | np.ndarray:
    """One cell for each row of an array: a value, or an array."""
    rows = array.reshape(len(array), -1)
    return rows[:, 0] if rows.shape[1] == 1 else list(array)


def _long(tables: Sequence[pd.DataFrame], rule: WideRule) -> pd.DataFrame:
    """A row for each series and step; the values of a file follow those of the one before."""
    import numpy as np
    import pandas as pd

    found: dict[str, list[np.ndarray]] = {}
    for table in tables:
        values = table.drop(columns=rule.series).to_numpy(dtype=np.float64)
        for name, row in zip(table[rule.series].astype(str), values, strict=True):
            found.setdefault(name, []).append(row[~np.isnan(row)])
    series = {name: np.concatenate(rows) for name, rows in found.items()}
    longest = max(map(len, series.values()))
    times = pd.date_range(end=rule.end, periods=longest, freq=f"{rule.step}h", unit="s")
    return pd.concat(
        [
            pd.DataFrame({rule.series: name, rule.time: times[longest - len(v) :], rule.value: v})
            for name, v in series.items()
        ],
        ignore_index=True,
    )


def _joined(frame: pd.DataFrame, rule: JoinRule, path: Path) -> pd.DataFrame:
    facts = read_table(
        path, header=rule.header, separator=rule.separator, quoted=False, encoding=rule.encoding
    )
    return frame.merge(facts, on=rule.on, how="left", validate="many_to_one")


def _named_flags(flags: pd.DataFrame) -> list[str]:
    """Names of the columns that are 1, joined by "|"."""
    names = list(flags.columns)
    return [
        "|".join(name for name, flag in zip(names, row, strict=True) if flag == 1)
        for row in flags.to_numpy()
    ]
