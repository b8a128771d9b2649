"""The split of sequences that keeps the order of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from industry_apps.data.splits import Split

if TYPE_CHECKING:
    import pandas as pd

_FEWEST_IN_ORDER = 3


def split_last_out(frame: pd.DataFrame, *, entity: str, time: str) -> Split:
    """The last row of each entity is the test, the one before it the validation.

    Rows of one moment stay in the order of the table. The usual split of sequences: it keeps
    the order of each entity, and lets other entities tell of later days.

    Parameters
    ----------
    frame : pandas.DataFrame
    entity, time : str
        Columns; entities with fewer than three rows are in training only.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"user": list("aaaab"), "time": [4, 3, 1, 2, 1]})
    >>> [part["time"].tolist() for part in split_last_out(rows, entity="user", time="time")]
    [[1, 1, 2], [3], [4]]
    """
    ordered = frame.sort_values(time, kind="stable")
    from_last = ordered.groupby(entity).cumcount(ascending=False)
    enough = ordered[entity].map(ordered[entity].value_counts()) >= _FEWEST_IN_ORDER
    parts = (~enough | (from_last > 1), enough & (from_last == 1), enough & (from_last == 0))
    return Split(*(ordered[part].reset_index(drop=True) for part in parts))
