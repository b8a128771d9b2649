"""Long tables of machines or runs: the readings of each in order of time, and windows of them.

Letters in shapes: R readings of all machines, M machines, N windows, L readings of a window.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.runtime import WindowRule
from industry_apps.runtime.series.long_tables import long_schema
from industry_apps.runtime.series.row_keys import read_keys
from industry_apps.schema import Schema

_Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Readings:
    """The readings of machines, one machine after the other, each in order of time.

    Parameters
    ----------
    machines : ndarray of str, shape [M]
        Sorted names.
    starts : ndarray of int64, shape [M + 1]
        Where the readings of each begin, and the end of the last.
    times : ndarray of int64, shape [R]
        Numbers of an index, or seconds since 1970.
    columns : mapping of str to ndarray of shape [R]
        Numbers as the file takes them, NaN where missing.
    """

    machines: NDArray[np.object_]
    starts: _Ints
    times: _Ints
    columns: Mapping[str, NDArray[Any]]

    @classmethod
    def ordered(
        cls, frame: pd.DataFrame, schema: Schema, rule: WindowRule, **further: NDArray[Any]
    ) -> Self:
        """Check a long table and put its readings in order.

        Parameters
        ----------
        frame : DataFrame
            A row for each machine and moment, in any order.
        schema : Schema
            Its inputs are read.
        rule : WindowRule
            With clocks of the series' own.
        **further : ndarray of shape [R]
            What is known of each row beside its columns: fields of the class.

        Raises
        ------
        SchemaError
            A value does not fit its column, or a machine has two readings of one moment.
        """
        arrays = long_schema(schema, rule).to_arrays(frame)
        _, machines, cells = read_keys(frame, arrays, rule)
        whose = cells % len(machines)
        order = np.lexsort((cells // len(machines), whose))
        starts = np.append(0, np.cumsum(np.bincount(whose, minlength=len(machines))))
        return cls(
            machines=machines,
            starts=starts.astype(np.int64),
            times=arrays[rule.time][order],
            columns={name: arrays[name][order] for name in schema.inputs().names},
            **{name: values[order] for name, values in further.items()},
        )

    def __len__(self) -> int:
        return len(self.times)

    @property
    def owner(self) -> _Ints:
        """Whose each reading is, a place among the machines, [R]."""
        return np.repeat(np.arange(len(self.machines)), self.counts)

    @property
    def counts(self) -> _Ints:
        """Readings of each machine, [M]."""
        return np.diff(self.starts)

    @property
    def last(self) -> _Ints:
        """The last reading of each machine, [M]."""
        return self.starts[1:] - 1

    @property
    def ages(self) -> _Ints:
        """How many readings of its machine there are up to each, itself among them, [R]."""
        return np.arange(len(self)) - self.starts[self.owner] + 1

    def windows(
        self, ends: _Ints, length: int, begins: _Ints | None = None
    ) -> dict[str, NDArray[Any]]:
        """The readings up to some, as the file is given them.

        Parameters
        ----------
        ends : ndarray of int64, shape [N]
            The last reading of each window.
        length : int
            Readings of a window; NaN stands in front where the machine has fewer.
        begins : ndarray of int64, shape [N], optional
            What lies before this reading is not looked at.

        Returns
        -------
        dict of str to ndarray of shape [N, length]
        """
        first = self.starts[self.owner[ends]]
        if begins is not None:
            first = np.maximum(first, begins)
        places = ends[:, None] + np.arange(1 - length, 1)
        absent = places < first[:, None]
        places = np.maximum(places, 0)
        found = {}
        for name, values in self.columns.items():
            window = values[places]
            window[absent] = np.nan
            found[name] = window
        return found

    def longest_runs(self, names: Sequence[str]) -> dict[str, int]:
        """How often in a row one machine has read the same at most, by column.

        Parameters
        ----------
        names : sequence of str
        """
        first = np.zeros(len(self), dtype=bool)
        first[self.starts[:-1]] = True
        found = {}
        for name in names:
            values = self.columns[name]
            begins = np.flatnonzero(first | (np.append(np.nan, values[:-1]) != values))
            found[name] = int(np.diff(np.append(begins, len(values))).max())
        return found

    def extremes(self, names: Sequence[str]) -> dict[str, list[float]]:
        """The least and the most that was read, by column; none of a column without a value.

        Parameters
        ----------
        names : sequence of str
        """
        known = {name: self.columns[name][~np.isnan(self.columns[name])] for name in names}
        return {n: [float(v.min()), float(v.max())] for n, v in known.items() if len(v)}

    def shown_times(self, rule: WindowRule) -> NDArray[Any]:
        """The moments as they stand in a table, [R]."""
        return self.times if rule.step == "index" else self.times.astype("datetime64[s]")
