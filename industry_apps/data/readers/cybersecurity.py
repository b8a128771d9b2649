"""Files of cybersecurity that have a form of their own; cards name these as ``reader``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from industry_apps.data.rules import Reading

if TYPE_CHECKING:
    import pandas as pd


def att_faces(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Pictures of faces from a zip of a folder a person, in the order of persons and numbers."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    with ZipFile(path) as archive:
        names = [Path(name) for name in archive.namelist() if name.endswith(".png")]
        names.sort(key=lambda name: (int(name.parent.name[1:]), int(name.stem)))
        rows = [
            {"image": archive.read(name.as_posix()), "person": name.parent.name} for name in names
        ]
    return pd.DataFrame(rows)
