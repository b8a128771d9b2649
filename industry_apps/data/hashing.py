"""Tables whose cells are lists or arrays, made such that their content can be hashed."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd

from industry_apps.schema.image_files import is_pillow


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
    """Tell whether a cell of a column is a list, an array, an image, or a mapping."""
    kinds = set(map(type, values)) if values.dtype.kind == "O" else set()
    return any(issubclass(k, list | tuple | dict | np.ndarray) or is_pillow(k) for k in kinds)


def _text_of(cell: Any) -> str:
    if is_pillow(cell):
        cell = np.asarray(cell)
    if isinstance(cell, np.ndarray):
        content = hashlib.sha256(np.ascontiguousarray(cell).tobytes()).hexdigest()
        return f"{cell.dtype} {cell.shape} {content}"
    return repr(cell)
