"""Records on both sides of a split that are equal: the same one twice, or alike by chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.recipes.records import Records


class EqualRows:
    """The records that a model learned from, to count those to judge on that equal one.

    Parameters
    ----------
    records : Records
        What a model may see, and the label.
    *parts : DataFrame
        What is learned from.
    """

    def __init__(self, records: Records, *parts: pd.DataFrame) -> None:
        self.records = records
        self._known = np.unique(np.concatenate([self._prints(part) for part in parts]))

    def shared(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """A note that counts them, where there are any.

        Parameters
        ----------
        frame : DataFrame
            What is judged on.
        """
        count = int(np.isin(self._prints(frame), self._known).sum())
        if not count:
            return ()
        return (
            f"{count} of {len(frame)} records to judge on ({count / len(frame):.1%}) equal a "
            "record that was learned from in every column and in the label. If they are the same "
            "record twice, drop duplicates before the split.",
        )

    def _prints(self, frame: pd.DataFrame) -> NDArray[np.uint64]:
        """A number for each record, equal where all that a model may see is equal."""
        rows = self.records.labelled(frame)
        seen = pd.DataFrame({str(n): values for n, values in enumerate(rows.arrays.values())})
        prints = pd.util.hash_pandas_object(seen.assign(target=rows.target), index=False)
        found: NDArray[np.uint64] = np.asarray(prints, dtype=np.uint64)
        return found
