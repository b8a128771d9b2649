"""Columns that are not as they were in training: named by a warning, since answers rest on them.

A file whose column of codes was coded anew, or read with its values lost, is answered row by row
as if each value were unknown. One such row is nothing unusual; half of a table is.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import UnlikeTrainingWarning
from industry_apps.schema import Column, Schema
from industry_apps.schema.spellings import aliases

#: Rows of a table from which on shares say something.
FEWEST_ROWS = 100
#: Share that was unseen or missing in training, and that a table may have.
RARE_SHARE, MOST_SHARE = 0.05, 0.5

#: Values in fewer rows of training are unseen to a model, and stay out of its file.
_FEWEST = 10
_MOST_LEVELS = 1_000
#: Rows that are looked at: more do not change a share.
_LOOKED_AT = 10_000

_PLAIN = ("number", "boolean", "category", "datetime", "text")


def seen_in(table: Any, schema: Schema) -> dict[str, list[str]]:
    """The columns of which training had nearly all values, and the levels of categories.

    Parameters
    ----------
    table : DataFrame
        What is learned from.
    schema : Schema
        The columns that the model reads.

    Returns
    -------
    dict of str to list of str
        Column -> levels, none where it is no category.
    """
    found = {}
    for column in schema.inputs():
        if column.name not in table or column.is_list or column.kind not in _PLAIN:
            continue
        levels = _levels_of(column, column.to_array(table[column.name]))
        if levels is not None:
            found[column.name] = levels
    return found


def _levels_of(column: Column, values: NDArray[Any]) -> list[str] | None:
    """Levels that cover nearly all of a column, or None."""
    if column.kind != "category":
        return [] if column.is_missing(values).mean() < RARE_SHARE else None
    counts = Counter(values.tolist())
    del counts[""]
    kept = [(level, n) for level, n in counts.most_common(_MOST_LEVELS) if n >= _FEWEST]
    covered = sum(count for _, count in kept)
    return sorted(level for level, _ in kept) if covered > (1 - RARE_SHARE) * len(values) else None


class Seen:
    """What training had, as a file tells it.

    Parameters
    ----------
    schema : Schema
        The columns that the model reads.
    seen : mapping of str to list of str
        As made by :func:`seen_in`.
    """

    def __init__(self, schema: Schema, seen: Mapping[str, list[str]]) -> None:
        self._seen = seen
        self.columns = [column for column in schema if column.name in seen]

    @cached_property
    def levels(self) -> dict[str, frozenset[str]]:
        """Column -> its levels in all their spellings, none where it is no category."""
        return {
            name: frozenset((*levels, *aliases(tuple(levels))))
            for name, levels in self._seen.items()
        }


class Watch:
    """Counts what is unseen or missing in one table, chunk by chunk.

    Parameters
    ----------
    seen : Seen
    """

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._counted = dict.fromkeys((column.name for column in seen.columns), 0.0)
        self._rows = 0

    def count(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Count in the checked columns [rows] of a table, or of a chunk of it."""
        rows = len(next(iter(arrays.values())))
        self._rows += rows
        for column in self._seen.columns:
            array = arrays[column.name][:: rows // _LOOKED_AT + 1]
            known = self._seen.levels[column.name]
            strange = (
                [text not in known for text in array.tolist()]
                if known
                else column.is_missing(array)
            )
            self._counted[column.name] += rows * float(np.mean(strange)) if rows else 0.0

    def warn(self) -> None:
        """Name the columns of which half or more is unseen or missing."""
        if self._rows < FEWEST_ROWS:
            return
        shares = {name: count / self._rows for name, count in self._counted.items()}
        for name, share in shares.items():
            if share >= MOST_SHARE:
                what = "missing or unseen" if self._seen.levels[name] else "missing"
                warnings.warn(
                    f"Column {name!r}: {share:.0%} of {self._rows} rows are {what}, of training "
                    f"less than {RARE_SHARE:.0%} were. The answers are those for values that are "
                    "not known: check how the column is named, read and coded.",
                    UnlikeTrainingWarning,
                    stacklevel=3,
                )
