"""Files of manufacturing that have a form of their own; cards name these functions as ``reader``."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from industry_apps.data.rules import Reading

if TYPE_CHECKING:
    import pandas as pd


def matpower_cases(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Case files of grids as they are, a row each; all of them a test."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    with zipfile.ZipFile(path) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return pd.DataFrame(
        {"case": [Path(name).stem for name in texts], "text": list(texts.values()), "part": "test"}
    )
