"""Records on both sides of a split that are equal: the same one twice, or alike by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data.hashing import hashable


class EqualRows:
    """The records that a model learned from, to count those to judge on that equal one.

    Parameters
    ----------
    *parts : DataFrame
        What is learned from: what a model may see, and the label.
    """

    def __init__(self, *parts: pd.DataFrame) -> None:
        self._known = np.unique(np.concatenate([_prints(part) for part in parts]))

    def shared(self, seen: pd.DataFrame) -> tuple[str, ...]:
        """A note that counts them, where there are any.

        Parameters
        ----------
        seen : DataFrame
            What is judged on, with the same columns.
        """
        count = int(np.isin(_prints(seen), self._known).sum())
        if not count:
            return ()
        return (
            f"{count} of {len(seen)} records to judge on ({count / len(seen):.1%}) equal a "
            "record that was learned from in every column and in the label. If they are the same "
            "record twice, drop duplicates before the split.",
        )


def _prints(seen: pd.DataFrame) -> NDArray[np.uint64]:
    """A number for each record, equal where all of it is equal."""
    prints = pd.util.hash_pandas_object(hashable(seen), index=False)
    return np.asarray(prints, dtype=np.uint64)
