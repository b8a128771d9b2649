"""Machines whose life is known: their readings, and the life that was left at each.

Letters in shapes: R readings of all machines, M machines, N windows, L readings of a window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.recipes.sensors.readings import Readings
from industry_apps.runtime import WindowRule
from industry_apps.schema import Column, Schema

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]
_SECONDS = {"D": 86_400, "h": 3_600, "min": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class LifeColumns:
    """What the columns of a table of machines are called.

    Parameters
    ----------
    machine, time : str
        Whose reading it is, and of when.
    life : str
        The life that is left, >= 0; missing where it is not known.
    failed : str
        Whether the machine had failed by the end of its record.
    """

    machine: str
    time: str
    life: str
    failed: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Lives(Readings):
    """Readings of machines, and the life that was left at each.

    Parameters
    ----------
    machines, starts, times, columns
        As of :class:`Readings`.
    life : ndarray of float64, shape [R]
        The life that was left; NaN where it is not known.
    """

    life: _Floats

    @classmethod
    def read(
        cls, frame: pd.DataFrame, schema: Schema, rule: WindowRule, names: LifeColumns
    ) -> Lives:
        """Check a long table and put its readings in order.

        Parameters
        ----------
        frame : DataFrame
            A row for each machine and moment, in any order.
        schema : Schema
            Its inputs are read.
        rule : WindowRule
            With clocks of the series' own.
        names : LifeColumns
            Without a column of the life that is left, none is known.

        Raises
        ------
        SchemaError
            A value does not fit its column, a machine has two readings of one moment, its life
            rises with time, or it has readings after its end.
        """
        life = life_of(frame, names) if names.life in frame else np.full(len(frame), np.nan)
        found = cls.ordered(frame, schema, rule, life=life)
        found._check_life(rule, names)
        return found

    def part(self, chosen: Sequence[int] | _Ints) -> Lives:
        """Some of the machines, by their places.

        Parameters
        ----------
        chosen : sequence of int
        """
        places = np.sort(np.asarray(chosen, dtype=np.int64))
        rows = np.concatenate([np.arange(*self.starts[p : p + 2]) for p in places])
        return Lives(
            machines=self.machines[places],
            starts=np.append(0, np.cumsum(self.counts[places])),
            times=self.times[rows],
            columns={name: values[rows] for name, values in self.columns.items()},
            life=self.life[rows],
        )

    def joined(self, other: Lives) -> Lives:
        """The machines of both.

        Parameters
        ----------
        other : Lives
            Of other machines.
        """
        both = Lives(
            machines=np.concatenate([self.machines, other.machines]),
            starts=np.append(self.starts, self.starts[-1] + other.starts[1:]),
            times=np.concatenate([self.times, other.times]),
            columns={
                name: np.concatenate([values, other.columns[name]])
                for name, values in self.columns.items()
            },
            life=np.concatenate([self.life, other.life]),
        )
        order = np.argsort(both.machines.astype(str), kind="stable")
        rows = np.concatenate([np.arange(*both.starts[p : p + 2]) for p in order])
        return Lives(
            machines=both.machines[order],
            starts=np.append(0, np.cumsum(both.counts[order])),
            times=both.times[rows],
            columns={name: values[rows] for name, values in both.columns.items()},
            life=both.life[rows],
        )

    def _check_life(self, rule: WindowRule, names: LifeColumns) -> None:
        """Life never rises, and ends once."""
        known = np.flatnonzero(~np.isnan(self.life))
        ended = np.flatnonzero(self.life == 0)
        late = ended[ended != self.last[self.owner[ended]]] + 1
        same = self.owner[known][1:] == self.owner[known][:-1]
        before, after = self.life[known][:-1], self.life[known][1:]
        rises = np.flatnonzero(same & (after > before))
        if len(rises):
            place = int(rises[0])
            row = int(known[place + 1])
            words = f"rises from {before[place]:g} to {after[place]:g}"
            remedy = (
                "Correct the times or the lives; a machine that was repaired goes on under a name "
                "of its own"
            )
        elif len(late):
            row, words = int(late[0]), "follows a reading at which it is 0"
            remedy = "Leave out the readings after the end of life"
        else:
            return
        raise SchemaError(
            f"Column {names.life!r} of machine {self.machines[self.owner[row]]!r} at "
            f"{rule.written(self.times[row])} {words}; expected lives that fall as time goes on, "
            f"and end once. {remedy}."
        )


def spans(owner: _Ints) -> tuple[_Ints, _Ints]:
    """The first and the last place of each machine among readings in order, [M] each.

    Parameters
    ----------
    owner : ndarray of int64, shape [N]
        Whose each is; those of one stand together.
    """
    if not len(owner):
        return owner, owner
    changes = np.flatnonzero(owner[1:] != owner[:-1])
    return np.append(0, changes + 1), np.append(changes, len(owner) - 1)


def life_of(frame: pd.DataFrame, names: LifeColumns) -> _Floats:
    """The life that is left at each row of a table, in its order; NaN where it is not known.

    Parameters
    ----------
    frame : DataFrame
    names : LifeColumns

    Raises
    ------
    SchemaError
        A value is no number >= 0.
    """
    column = Column(names.life, "number", low=0, offset=0.0)  # in double precision
    return np.asarray(column.to_array(frame[names.life]), dtype=np.float64)


def remaining_life(
    frame: pd.DataFrame,
    *,
    failed: bool | str,
    machine: str = "machine",
    time: str = "time",
    unit: Literal["D", "h", "min", "s"] = "D",
) -> pd.Series:
    """How much longer each machine still ran: its last time less the time of the row.

    Parameters
    ----------
    frame : DataFrame
        Whole records of machines, up to the last reading of each.
    failed : bool or str
        True: every record ends with a failure. Else the column that says of which machines it
        does (equal in all rows of one): of the others the life that is left is not known.
    machine, time : str
        Columns that say whose row it is, and of when: numbers (cycles, hours) or moments.
    unit : {"D", "h", "min", "s"}
        Of the answer where times are moments.

    Returns
    -------
    Series of float64
        On the index of the table; missing for machines that have not failed.

    Raises
    ------
    SchemaError
        A column is missing, a time is missing or none, a machine is said both to have failed and
        not, or none has failed.

    Examples
    --------
    >>> table = pd.DataFrame({"machine": ["A", "A", "B"], "time": [1, 2, 1]})
    >>> remaining_life(table, failed=True).tolist()
    [1.0, 0.0, 0.0]
    """
    needed = [machine, time, *([failed] if isinstance(failed, str) else [])]
    for name in needed:
        if name not in frame:
            raise SchemaError(f"Column {name!r} is missing. The table has {list(frame)}; name it.")
    if failed is False:
        raise SchemaError(
            "failed=False says that no machine has failed: no life is known. Name the column "
            "that tells which have, or give failed=True for records that end with failure."
        )
    column, one = Column(time, "datetime", nullable=False), _SECONDS[unit]
    if pd.api.types.is_numeric_dtype(frame[time]):
        column, one = Column(time, "number", nullable=False, offset=0.0), 1
    moments = pd.Series(column.to_array(frame[time]), index=frame.index).astype(np.float64)
    left = (moments.groupby(frame[machine]).transform("max") - moments) / one
    if not isinstance(failed, str):
        return left
    ended = failures(frame, machine, failed)
    if not ended.any():
        raise SchemaError(
            f"Column {failed!r}: no machine has failed, so no life is known. Give records of some "
            "that have."
        )
    return left.where(frame[machine].map(ended).astype(bool))


def failures(frame: pd.DataFrame, machine: str, failed: str) -> pd.Series:
    """Which machines have failed -> bool by name of the machine.

    Parameters
    ----------
    frame : DataFrame
    machine, failed : str
        Columns; the second is equal in all rows of a machine.

    Raises
    ------
    SchemaError
        It is not, or a value is no yes or no.
    """
    told = Column(failed, "boolean", nullable=False).to_array(frame[failed]) == 1
    by_machine = pd.Series(told).groupby(frame[machine].to_numpy())
    mixed = by_machine.max() & ~by_machine.min()
    if mixed.any():
        raise SchemaError(
            f"Column {failed!r} says of machine {mixed.idxmax()!r} both that it has failed and "
            "that it has not; expected one of them in all of its rows. Say of a machine whose "
            "record ends with failure that it has failed."
        )
    return by_machine.first()
