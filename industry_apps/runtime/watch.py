"""Columns that are not as they were in training: named by a warning, since answers rest on them.

A file whose column of codes was coded anew, read with its values lost, or given in another unit
is answered row by row as if each value were unusual. One such row is nothing unusual; half of a
table is. What looks like training is not told: a flag turned round, a text, two columns of one
range that have changed their names.
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

#: Share of the numbers of training beyond either end of what is usual.
_TAIL = 0.005
#: Values in fewer rows of training are unseen to a model, and stay out of its file.
_FEWEST = 10
_MOST_LEVELS = 1_000
#: Rows that are looked at: more do not change a share.
_LOOKED_AT = 10_000

_PLAIN = ("number", "boolean", "category", "datetime", "text")


def seen_in(
    table: Any, schema: Schema, *, complete: bool = True, ranges: bool = True
) -> dict[str, dict[str, Any]]:
    """What training had: whether nearly all values, which levels, and which numbers.

    Numbers that a stream of records tells have no range: a stream begins with small ones. Times
    have none either, since they pass.

    Parameters
    ----------
    table : DataFrame
        What is learned from.
    schema : Schema
        The columns that the model reads; of a list column each value counts.
    complete : bool
        Whether a row of it is what the model will be asked, so that it tells what is missing.
    ranges : bool
        Whether a number says something by itself, as it does not in a series that grows.

    Returns
    -------
    dict of str to dict
        Column -> ``complete`` (bool), and of nearly all values ``levels`` (list of str) or
        ``range`` (two numbers); none of a column of which nothing is known.
    """
    found = {}
    for column in schema.inputs():
        if column.name not in table or column.kind not in _PLAIN:
            continue
        values = column.to_array(table[column.name]).ravel()
        missing = column.of_each.is_missing(values)
        there = complete and not column.is_list and bool(missing.mean() < RARE_SHARE)
        told: dict[str, Any] = {"complete": there}
        values = values[~missing]
        if column.kind == "category" and (levels := _levels_of(values)):
            told["levels"] = levels
        elif ranges and column.kind == "number" and column.role != "state" and len(values):
            ordered = np.sort(values)
            tail = int(_TAIL * (len(ordered) - 1))
            told["range"] = [float(ordered[tail]), float(ordered[-1 - tail])]
        if told["complete"] or len(told) > 1:
            found[column.name] = told
    return found


def _levels_of(values: NDArray[Any]) -> list[str]:
    """Levels that cover nearly all values, or none."""
    counts = Counter(values.tolist())
    kept = [(level, n) for level, n in counts.most_common(_MOST_LEVELS) if n >= _FEWEST]
    covered = sum(count for _, count in kept)
    return sorted(level for level, _ in kept) if covered > (1 - RARE_SHARE) * len(values) else []


class Seen:
    """What training had, as a file tells it.

    Parameters
    ----------
    schema : Schema
        The columns that the model reads.
    seen : mapping of str to dict
        As made by :func:`seen_in`.
    """

    def __init__(self, schema: Schema, seen: Mapping[str, Mapping[str, Any]]) -> None:
        self.told = seen
        self.columns = Schema(tuple(column for column in schema if column.name in seen))

    @cached_property
    def levels(self) -> dict[str, frozenset[str]]:
        """Column -> its levels in all their spellings, where it is a category."""
        return {
            name: frozenset((*told["levels"], *aliases(tuple(told["levels"]))))
            for name, told in self.told.items()
            if "levels" in told
        }

    def strange(self, column: Column, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Which values, none of them missing, are unseen or beyond what is usual."""
        told = self.told[column.name]
        if "levels" in told:
            levels = self.levels[column.name]
            return np.array([text not in levels for text in values.tolist()], dtype=np.bool_)
        if "range" in told:
            low, high = told["range"]
            return (values < np.float32(low)) | (values > np.float32(high))
        return np.zeros(len(values), dtype=np.bool_)


class Watch:
    """Counts what is unlike training in one table, chunk by chunk.

    Parameters
    ----------
    seen : Seen
    """

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        #: Column -> rows that are looked at, and those of them that are unlike training.
        self._counted = {column.name: np.zeros(2) for column in seen.columns}

    def count(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Count in the checked columns [rows] or [rows, values] of a table, or of a chunk of it."""
        for column in self._seen.columns:
            array = arrays[column.name]
            step = len(array) // _LOOKED_AT + 1
            values = array[::step].reshape(-1, array.shape[1] if array.ndim > 1 else 1)
            missing = column.of_each.is_missing(values.ravel()).reshape(values.shape)
            unlike = missing.copy()
            unlike[~missing] = self._seen.strange(column, values[~missing])
            rows: NDArray[np.bool_] = np.asarray(unlike.all(axis=1))  # of a list all its values
            if not self._seen.told[column.name]["complete"]:
                rows = rows[~np.asarray(missing.all(axis=1))]
            self._counted[column.name] += [step * len(rows), step * int(rows.sum())]

    def warn(self) -> None:
        """Name the columns of which half or more is unlike training."""
        for name, (counted, unlike) in self._counted.items():
            if counted < FEWEST_ROWS or unlike < MOST_SHARE * counted:
                continue
            told = self._seen.told[name]
            words = ["missing"] if told["complete"] else []
            words += ["unseen"] if "levels" in told else []
            words += (
                [f"not from {told['range'][0]:g} to {told['range'][1]:g}"]
                if "range" in told
                else []
            )
            warnings.warn(
                f"Column {name!r}: {unlike / counted:.0%} of {counted:.0f} rows are "
                f"{' or '.join(words)}, of training less than {RARE_SHARE:.0%} were. The answers "
                "rest on what is not known: check how the column is named, read and coded, and "
                "the unit of its numbers.",
                UnlikeTrainingWarning,
                stacklevel=3,
            )
