"""Arrays of an npz file as a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from industry_apps.data.rules import ArraysRule
from industry_apps.errors import SchemaError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


def read_arrays(path: Path, rule: ArraysRule) -> pd.DataFrame:
    """Read arrays of an npz file as columns; what is more than a value a row becomes one cell.

    Parameters
    ----------
    path : Path
    rule : ArraysRule

    Raises
    ------
    SchemaError
        The file lacks an array that the rule names.
    """
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
