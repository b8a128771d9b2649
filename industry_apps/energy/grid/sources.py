"""Where a grid comes from, by name: the example, a file, or a case of a data set."""

from __future__ import annotations

import zipfile
from pathlib import Path

from industry_apps.data import catalogue, fetch
from industry_apps.energy.grid.cases import Case
from industry_apps.energy.grid.example import example_case
from industry_apps.energy.grid.reading.matpower import parse_case, read_case
from industry_apps.errors import unknown_name

EXAMPLE = "example"


def case_named(name: str) -> Case:
    """Read the grid of this name.

    Parameters
    ----------
    name : str
        ``"example"``, the path of a MATPOWER case file, or the id of a data set and a case in it,
        as ``"energy_matpower_cases/case30.m"``.

    Raises
    ------
    DataNotFoundError, ChecksumError, SchemaError, UnknownNameError

    Examples
    --------
    >>> case_named("example").name
    'example_grid'
    """
    if name == EXAMPLE:
        return example_case()
    folder, _, member = name.partition("/")
    if folder not in catalogue() or Path(name).is_file():
        return read_case(name)
    (path,) = fetch(folder)
    with zipfile.ZipFile(path) as archive:  # its sha256 is known
        if member not in archive.namelist():
            raise unknown_name("case", member, archive.namelist())
        return parse_case(archive.read(member).decode(), Path(member).stem)
