"""Tables whose cells are lists or arrays, made such that their content can be hashed."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd


def frame_sha256(frame: pd.DataFrame) -> str:
    """Sha256 of the content of a frame: names, types and values, in order.

    Parameters
    ----------
    frame : pandas.DataFrame
    """
    digest = hashlib.sha256(repr([(n, str(t)) for n, t in frame.dtypes.items()]).encode())
    content = pd.util.hash_pandas_object(hashable(frame), index=False)
    digest.update(content.to_numpy().tobytes())
    return digest.hexdigest()


def hashable(frame: pd.DataFrame) -> pd.DataFrame:
    """Replace the lists and arrays of a table by texts that tell them apart.

    Parameters
    ----------
    frame : pandas.DataFrame
        Not changed.

    Examples
    --------
    >>> import numpy as np
    >>> hashable(pd.DataFrame({"bought": [["A7", "B1"]]}))["bought"][0]
    "['A7', 'B1']"
    """
    found = frame.copy(deep=False)
    for name in frame:
        if holds_several(frame[name]):
            found[name] = frame[name].map(_text_of)
    return found


def holds_several(values: pd.Series) -> bool:
    """Tell whether the first cell of a column is a list or an array."""
    return len(values) > 0 and isinstance(values.iloc[0], list | tuple | np.ndarray)


def _text_of(cell: Any) -> str:
    if isinstance(cell, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(cell).tobytes()).hexdigest()
        return f"{cell.dtype} {cell.shape} {content}"
    return repr(cell)
