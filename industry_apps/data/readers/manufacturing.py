"""Files of manufacturing that have a form of their own; cards name these as ``reader``."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from industry_apps.data.rules import Reading

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: Every so-many-th training engine is set aside for validation.
_VALIDATION_ENGINE = 5


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


def cmapss(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Engines of C-MAPSS: the training file runs to failure, the others are a test that is cut off.

    Engines are named by file and number. The cycles that are left follow from the last cycle of
    an engine of training, and from the third file for one of the test. Where there is a test, the
    column ``part`` says where an engine belongs: every fifth one of training is for validation.
    """
    import numpy as np
    import pandas as pd

    train, *official = list(paths.values())
    tables = {"train": _engines(train, reading, np.zeros(1))}
    if official:
        test, left = official
        tables["test"] = _engines(test, reading, np.loadtxt(left, ndmin=1))
    frame = pd.concat(tables.values(), ignore_index=True)
    names = [np.repeat(name, len(table)) for name, table in tables.items()]
    part = np.concatenate(names).astype(object)
    number = frame["machine"].to_numpy(dtype=np.int64)
    frame["machine"] = [f"{p} {n:03d}" for p, n in zip(part, number, strict=True)]
    if official:
        part[(part == "train") & (number % _VALIDATION_ENGINE == 0)] = "validation"
        frame["part"] = part
    return frame


def _engines(path: Path, reading: Reading, left: np.ndarray) -> pd.DataFrame:
    """A file of engines, with the cycles that are left: so many behind the last, by engine."""
    import pandas as pd

    frame = pd.read_csv(path, sep=r"\s+", header=None, names=list(reading.header))
    last = frame.groupby("machine")["cycle"].transform("max")
    behind = left[frame["machine"].to_numpy() - 1] if len(left) > 1 else left[0]
    return frame.assign(remaining_life=(last - frame["cycle"] + behind).astype(float))
