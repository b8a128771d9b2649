"""Runs of a plant as a long table: its tags in order of time, and which fault was active when.

Letters in shapes: R readings of all runs, N windows, L readings of a window.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, nearest
from industry_apps.recipes.sensors.readings import Readings
from industry_apps.runtime import WindowRule
from industry_apps.schema import Column, Schema, infer_columns

__all__ = ["RunColumns", "Runs", "watched_tags"]

_Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RunColumns:
    """What the columns of a table of runs are called.

    Parameters
    ----------
    run, time : str
        Whose reading it is, and of when.
    fault : str
        Which fault was active.
    normal : str
        What stands there in normal operation.
    """

    run: str
    time: str
    fault: str
    normal: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Runs(Readings):
    """Readings of runs, and which fault was active at each.

    Parameters
    ----------
    machines, starts, times, columns
        As of :class:`industry_apps.recipes.sensors.readings.Readings`; a machine is a run.
    fault : ndarray of str, shape [R]
    """

    fault: NDArray[np.object_]

    @classmethod
    def read(cls, frame: pd.DataFrame, schema: Schema, rule: WindowRule, names: RunColumns) -> Runs:
        """Check a long table and put its readings in order.

        Parameters
        ----------
        frame : DataFrame
            A row for each run and moment, in any order.
        schema : Schema
        rule : WindowRule
        names : RunColumns

        Raises
        ------
        SchemaError
            A value does not fit its column, a run has two readings of one moment, or a row does
            not say which fault was active.
        """
        fault = np.full(len(frame), names.normal, dtype=object)
        if names.fault in frame:
            column = Column(names.fault, "category")
            fault = column.to_array(frame[names.fault])
            unsaid = np.flatnonzero(fault == "")
            if len(unsaid):
                raise SchemaError(
                    f"Column {names.fault!r}, row {unsaid[0]}: no value. Expected the name of the "
                    f"fault, or {names.normal!r} where there was none. Fill it in, or leave the "
                    "row out."
                )
        return cls.ordered(frame, schema, rule, fault=fault)

    def normal_parts(self, normal: str) -> Iterator[dict[str, NDArray[Any]]]:
        """The stretches of each run that were normal, column by column.

        Parameters
        ----------
        normal : str
        """
        for begin, end in self.stretches(self.fault == normal):
            yield {name: values[begin:end] for name, values in self.columns.items()}

    def stretches(self, chosen: NDArray[np.bool_]) -> list[tuple[int, int]]:
        """Where readings of one run that are chosen follow each other: [begin, end).

        Parameters
        ----------
        chosen : ndarray of bool, shape [R]
        """
        label = np.where(chosen, self.owner, -1)
        edges = np.flatnonzero(np.diff(label, prepend=-2, append=-2))
        parts = list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
        return [(begin, end) for begin, end in parts if chosen[begin]]

    def fingerprints(self) -> NDArray[np.uint64]:
        """A number for the values of each reading that lacks none; 0 of the others, [R]."""
        values = pd.DataFrame(dict(self.columns))
        told = pd.util.hash_pandas_object(values, index=False).to_numpy()
        return np.where(values.isna().any(axis=1), np.uint64(0), told)

    def seen_before(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of some readings are those of an earlier run, value by value, [R].

        Parameters
        ----------
        chosen : ndarray of bool, shape [R]
        """
        rows = np.column_stack([values.astype(np.float64) for values in self.columns.values()])
        first: dict[bytes, int] = {}
        found = np.zeros(len(self), dtype=bool)
        owner = self.owner
        for place in np.flatnonzero(chosen):
            found[place] = first.setdefault(rows[place].tobytes(), owner[place]) != owner[place]
        return found

    def described(self, normal: str) -> dict[str, Any]:
        """The runs of a part, in numbers.

        Parameters
        ----------
        normal : str
        """
        return {
            "runs": len(self.machines),
            "readings": len(self),
            "normal": int((self.fault == normal).sum()),
            "faults": len(set(self.fault.tolist()) - {normal}),
        }


def watched_tags(frame: pd.DataFrame, tags: Sequence[str], names: RunColumns) -> list[Column]:
    """The columns of the tags: those that are named, or all further columns of numbers.

    Parameters
    ----------
    frame : DataFrame
    tags : sequence of str
    names : RunColumns

    Raises
    ------
    SchemaError
        A column is not there, or there is none.
    """
    keys = [names.run, names.time, names.fault]
    for name in tags:
        if name in keys:
            raise SchemaError(
                f"Column {name!r} is named as a tag, and says whose a reading is, of when, or "
                "which fault was active. Leave it out of 'tags', or map another column to it by "
                "'columns'."
            )
        if name not in frame:
            near = nearest(name, [str(each) for each in frame if each not in keys])
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SchemaError(
                f"Column {name!r} is named as a tag, and the table has none of that name.{hint}"
            )
    found = [c.name for c in infer_columns(frame, skip=keys) if c.kind == "number"]
    if not (tags or found):
        raise SchemaError(
            f"The table has no column of numbers beside {', '.join(map(repr, keys))}: there is no "
            "tag to learn from. Add some, or name them in 'tags'."
        )
    return [Column(name, "number", role="history") for name in tags or found]
