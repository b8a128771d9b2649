"""Tables from files: a user's own, and those that a card describes."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from industry_apps.data.rules import Reading
from industry_apps.errors import DataNotFoundError, SchemaError
from industry_apps.runtime.csv_rows import CheckedRows, ShortRows, form_of
from industry_apps.runtime.files import names_of, parquet_file, readable

if TYPE_CHECKING:
    import pandas as pd


def read_table(
    path: str | Path,
    *,
    header: tuple[str, ...] = (),
    member: str = "",
    entry: str = "",
    separator: str = ",",
    quoted: bool = True,
    encoding: str = "utf-8",
    short_rows: ShortRows = "refuse",
) -> pd.DataFrame:
    """Read a CSV, ARFF or Parquet file, or CSV files of a zip as one table.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.csv.gz``, ``.arff``, ``.parquet`` or ``.zip``.
    header : tuple of str
        Names of the columns of a CSV file that does not name them.
    member : str
        Of a zip: the column that takes the names of the files in it, without ending.
    entry : str
        Of a zip: the path inside it of the one CSV file to read.
    separator : str
        Of a CSV file, which may be called anything if this is not the comma.
    quoted : bool
        Whether quotation marks hold a value of a CSV file together.
    encoding : str
        Of a CSV file.
    short_rows : {"refuse", "missing"}
        What is done with a row of a CSV file that has fewer cells than the header.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    DataNotFoundError
        There is no such file.
    SchemaError
        It is of another kind, empty, or not what its name says.
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise DataNotFoundError(f"There is no file {str(path)!r}. Check the path.")
    with readable(path):
        if form_of(path) == "parquet":
            frame = _read_parquet(path)
        elif form_of(path) == "csv" or separator != ",":
            frame = _read_csv(
                path,
                header=header,
                separator=separator,
                quoted=quoted,
                encoding=encoding,
                short_rows=short_rows,
            )
        elif path.suffix == ".arff":
            frame = _read_arff(path)
        elif path.suffix == ".zip" and entry:
            with ZipFile(path) as archive, archive.open(entry) as file:
                frame = pd.read_csv(file, low_memory=False)
        elif path.suffix == ".zip" and member:
            frame = _read_zip(path, member)
        else:
            raise SchemaError(
                f"{str(path)!r} is neither .csv, .csv.gz nor .parquet. Convert it, or rename it "
                "if it is one of these."
            )
    if frame.empty:
        raise SchemaError(f"{str(path)!r} has no rows. Give one with a row for each record.")
    return frame


def _read_csv(path: Path, **form: Any) -> pd.DataFrame:
    """A CSV file whose rows are checked; of which form, see :class:`CheckedRows`."""
    import pandas as pd

    rows: Any
    with CheckedRows(path, **form) as rows:
        return pd.read_csv(
            rows,
            low_memory=False,
            names=list(form["header"]) or None,
            sep=form["separator"],
            quoting=csv.QUOTE_MINIMAL if form["quoted"] else csv.QUOTE_NONE,
            index_col=False,
        )


def _read_parquet(path: Path) -> pd.DataFrame:
    """A Parquet file; an index that pandas stored is a column where it has a name."""
    names_of(path)
    with parquet_file(path) as file:
        frame: pd.DataFrame = file.read().to_pandas()
    named = [name for name in frame.index.names if name is not None]
    return frame.reset_index(level=named).reset_index(drop=True)


def _read_arff(path: Path) -> pd.DataFrame:
    """A table in Weka's Attribute-Relation File Format, of numbers and nominal values."""
    import pandas as pd

    with path.open(encoding="utf-8") as file:
        names = []
        for line in file:
            word, _, rest = line.strip().partition(" ")
            if line.lower().startswith("@attribute"):
                names.append(line.split(maxsplit=2)[1].strip("'\""))
            elif word.lower() == "@data" and not rest:
                break
        return pd.read_csv(
            file, names=names, na_values="?", quotechar="'", skipinitialspace=True, comment="%"
        )


def _read_zip(path: Path, member: str) -> pd.DataFrame:
    import pandas as pd

    with ZipFile(path) as archive:
        parts = []
        for name in sorted(name for name in archive.namelist() if name.endswith(".csv")):
            with archive.open(name) as file:
                parts.append(pd.read_csv(file).assign(**{member: Path(name).stem}))
    return pd.concat(parts, ignore_index=True)


def apply_reading(frame: pd.DataFrame, reading: Reading, *, target: str) -> pd.DataFrame:
    """Turn the table of a file into the table of a data set, as its card says.

    Parameters
    ----------
    frame : pandas.DataFrame
        Not changed.
    reading : Reading
    target : str
        Name of the target column that is made.

    Raises
    ------
    SchemaError
        When the table lacks a column that the rules name.
    """
    import pandas as pd

    _check_columns(frame, reading)
    frame = _without(frame, reading)
    for column, meanings in reading.numbers.items():
        frame[column] = _labelled(frame[column], meanings).astype(float)
    for column in reading.codes:
        codes = frame[column].astype("Int64").astype("string")
        texts = [None if code is pd.NA else code for code in codes]
        frame[column] = pd.Series(texts, index=frame.index, dtype=object)
    for column, names in reading.labels.items():
        frame[column] = _labelled(frame[column], names)
    for name, parts in reading.together.items():
        frame[name] = _joined(frame, parts)
    for column in reading.epoch:
        frame[column] = pd.to_datetime(frame[column], unit="s").astype("datetime64[s]")
    if reading.time:
        text = _joined(frame, reading.time.columns)
        frame[reading.time.name] = pd.to_datetime(text, format=reading.time.format)
    if reading.target:
        positive = frame[reading.target.column] == reading.target.positive
        frame = frame.drop(columns=reading.target.column).assign(**{target: positive})
    return frame.drop(columns=list(reading.drop)).rename(columns=dict(reading.rename))


def _without(frame: pd.DataFrame, reading: Reading) -> pd.DataFrame:
    """A copy less the rows that are left out, and less the values that stand for none."""
    frame = frame.copy()
    if reading.complete:
        frame = frame.dropna(subset=list(reading.complete)).reset_index(drop=True)
    for column, values in reading.exclude.items():
        frame = frame[~frame[column].isin(list(values))].reset_index(drop=True)
    for column, values in reading.missing.items():
        frame[column] = frame[column].mask(frame[column].isin(list(values)))
    return frame


def _joined(frame: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Columns as texts, with a blank between them."""
    return frame[list(columns)].astype(str).agg(" ".join, axis=1)


def _labelled(codes: pd.Series, names: Mapping[str, str] | Mapping[str, float]) -> pd.Series:
    """Codes in words; a code without a name is an error, missing values stay."""
    named = codes.map(dict(names))
    unnamed = named.isna() & codes.notna()
    if unnamed.any():
        raise SchemaError(
            f"Column {codes.name!r}, row {int(unnamed.argmax())}: the code "
            f"{codes[unnamed].iloc[0]!r} has no name. Known: {', '.join(names)}."
        )
    return named


def _check_columns(frame: pd.DataFrame, reading: Reading) -> None:
    named = [*reading.complete, *reading.exclude, *reading.numbers, *reading.missing]
    named += [*reading.codes, *reading.labels, *reading.drop, *reading.rename]
    named += [*reading.epoch, *(each for parts in reading.together.values() for each in parts)]
    named += [*reading.time.columns] if reading.time else []
    named += [reading.target.column] if reading.target else []
    for column in named:
        if column not in frame:
            raise SchemaError(
                f"Column {column!r}, which the card names, is not in the file. It has: "
                f"{', '.join(map(str, frame.columns))}."
            )
