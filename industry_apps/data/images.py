"""Tables of images that lie in files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from industry_apps.data.tables import read_table
from industry_apps.errors import SchemaError
from industry_apps.schema.image_files import with_files

_ENDINGS = (".png", ".jpg", ".jpeg")
#: What systems lay into folders of images, beside what begins with a dot.
_OF_SYSTEMS = frozenset({"Thumbs.db", "desktop.ini", "__MACOSX"})


def read_images(
    source: pd.DataFrame | str | Path,
    *,
    columns: Sequence[str] | str = ("image",),
    target: str = "finding",
    paths: str | Path | None = None,
) -> pd.DataFrame:
    """Read the image files that a table names, or those of a folder of one folder a class.

    Parameters
    ----------
    source : DataFrame, str or Path
        A table; the path of a CSV or Parquet file; or of a folder, whose folders hold the images
        of the class that each is called after.
    columns : sequence of str, or str
        Columns of images, whose texts are paths; of a folder the first is made.
    target : str
        Column of the classes, which is made of a folder.
    paths : str or Path, optional
        The folder that paths are relative to, and lead to nothing outside of; by default that of
        the CSV or Parquet file.

    Returns
    -------
    DataFrame
        With arrays in place of paths.

    Raises
    ------
    DataNotFoundError, SchemaError

    Examples
    --------
    >>> read_images(pd.DataFrame({"image": ["scans/1.png"]}), paths=".")
    Traceback (most recent call last):
        ...
    industry_apps.errors.SchemaError: Column 'image', row 0: got 'scans/1.png', expected the path
    of a file beneath '.'. Check the path; folders, pipes and devices are not read.
    """
    columns = [columns] if isinstance(columns, str) else list(columns)
    if isinstance(source, pd.DataFrame):
        if paths is None:
            raise SchemaError(
                "The paths of a table in memory are relative to nothing. Name the folder of the "
                "images as `paths`."
            )
        return _with_files(source, columns, paths)
    source = Path(source)
    if source.is_dir():
        return _with_files(_classes_in(source, columns[0], target), columns, source)
    return _with_files(read_table(source), columns, source.parent if paths is None else paths)


def _with_files(table: pd.DataFrame, columns: list[str], folder: str | Path) -> pd.DataFrame:
    absent = next((name for name in columns if name not in table), None)
    if absent is not None:
        raise SchemaError(
            f"Column {absent!r} is not in the table, which has {', '.join(map(repr, table))}. Name "
            "the columns that hold paths of images: read_images(..., columns=(NAME, ...))."
        )
    read: pd.DataFrame = with_files(table, columns, folder)
    return read


def _classes_in(folder: Path, image: str, target: str) -> pd.DataFrame:
    """The paths of the images of each class, in order."""
    rows = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        inside = path.relative_to(folder)
        if any(part.startswith(".") or part in _OF_SYSTEMS for part in inside.parts):
            continue
        if path.suffix.lower() in _ENDINGS and len(inside.parts) == 2:
            rows.append((str(inside), inside.parts[0]))
        elif len(inside.parts) > 1 or path.suffix.lower() in _ENDINGS:
            raise SchemaError(
                f"{str(path)!r} is no PNG or JPEG directly in the folder of a class. Put it there, "
                "convert it, or move it away."
            )
    if not rows:
        raise SchemaError(
            f"{str(folder)!r} holds no folders of PNG or JPEG images. Make one for each class."
        )
    return pd.DataFrame(rows, columns=[image, target])
