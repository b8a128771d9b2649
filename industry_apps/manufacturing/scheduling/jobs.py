"""What is to be made: jobs of operations, machines with their calendars, and tables of them.

All times are whole numbers of one unit, minutes for instance, from the moment 0 of the plan.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, TypeAlias

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.limits import (
    NAMES,
    NOT_NEGATIVE,
    TEXT,
    Limit,
    check_limits,
    check_parameters,
    integer,
    plain,
)
from industry_apps.manufacturing.scheduling.calendars import Calendar
from industry_apps.manufacturing.scheduling.given import all_of, check_names

#: (job, position of the operation in it)
Key: TypeAlias = tuple[str, int]
_LONGEST = 10**9
_TIME = integer(0, _LONGEST)
_MACHINES = Limit(
    lambda v: (
        isinstance(v, Mapping)
        and len(v) > 0
        and all(isinstance(name, str) and _TIME.holds(time) for name, time in v.items())
    ),
    "a mapping of machines to whole durations >= 0, one machine at least",
)
_OPERATIONS = Limit(
    lambda v: isinstance(v, tuple | list) and all(isinstance(each, Operation) for each in v),
    "a tuple of Operation",
)
_SETUPS = Limit(
    lambda v: (
        isinstance(v, Mapping)
        and all(isinstance(pair, tuple) and len(pair) == 2 and NAMES.holds(pair) for pair in v)
        and all(_TIME.holds(time) for time in v.values())
    ),
    "a mapping of pairs of families to whole times >= 0",
)


@dataclass(frozen=True, kw_only=True)
class Operation:
    """A step of a job, on one of some machines, without interruption but for breaks.

    Parameters
    ----------
    machines : mapping of str to int
        Machine that can do it -> duration on it, >= 0; several are parallel machines.
    family : str
        What the machine is set up for, where set-up times depend on it.

    Raises
    ------
    ParameterError
    """

    machines: Annotated[Mapping[str, int], _MACHINES]
    family: str = ""

    def __post_init__(self) -> None:
        check_parameters(self)


@dataclass(frozen=True, kw_only=True)
class Job:
    """Operations that follow one another.

    Parameters
    ----------
    name : str
    operations : sequence of Operation
        One at least; how many there are has nothing to do with the number of machines.
    release : int
        Before which nothing of it starts.
    due : int, optional
        When it is wanted; later costs ``weight`` for each unit of time where the scheduler
        minimises tardiness.
    deadline : int, optional
        After which it must not end.
    weight : float
        >= 0; only how the weights of jobs compare counts.

    Raises
    ------
    ParameterError
        Also of a job without an operation.
    """

    name: str
    operations: Annotated[Sequence[Operation], _OPERATIONS]
    release: Annotated[int, _TIME] = 0
    due: Annotated[int, _TIME] | None = None
    deadline: Annotated[int, _TIME] | None = None
    weight: Annotated[float, NOT_NEGATIVE] = 1.0

    def __post_init__(self) -> None:
        check_parameters(self)
        if not self.operations:
            raise ParameterError(
                f"Job {self.name!r} has no operation: there is nothing to plan. Leave it out, or "
                "give it the operations it lacks."
            )

    @property
    def shortest(self) -> int:
        """Time from start to end, where nothing has to wait."""
        return sum(min(operation.machines.values()) for operation in self.operations)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine, which does one operation at a time.

    Parameters
    ----------
    name : str
    closed : sequence of (int, int)
        Times, the first and that behind the last, in which nothing runs: an operation ends before
        or starts after.
    breaks : sequence of (int, int)
        Times in which an operation pauses, and then goes on; none starts in one.
    setups : mapping of (str, str) to int
        Family of an operation and of the next one -> time between them; 0 where it is not named.
        It may pass while the machine is closed. The family before the first one is ``""``.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> Machine(name="press", closed=[(480, 960)], breaks=[(240, 270)]).calendar.opens_after(500)
    960
    """

    name: str
    closed: Sequence[tuple[int, int]] = ()
    breaks: Sequence[tuple[int, int]] = ()
    setups: Annotated[Mapping[tuple[str, str], int], _SETUPS] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def __post_init__(self) -> None:
        check_limits(self, {"name": TEXT})
        if not _SETUPS.holds(self.setups):
            raise ParameterError(
                f"Machine {self.name!r}: 'setups' must be {_SETUPS.words}. Got {self.setups!r}."
            )
        self.calendar  # noqa: B018 - which is checked

    @property
    def calendar(self) -> Calendar:
        """When it works."""
        return Calendar.of(f"Machine {self.name!r}", self.closed, self.breaks)


@dataclass(frozen=True, eq=False, kw_only=True)
class Shop:
    """Jobs and machines that belong together.

    Parameters
    ----------
    jobs : sequence of Job
        With names of their own, one at least.
    machines : mapping of str to Machine
        All that operations name, in the order of their names; those that are not given are always
        open.

    Raises
    ------
    ParameterError
    """

    jobs: Sequence[Job]
    machines: Mapping[str, Machine]

    @classmethod
    def of(cls, jobs: Any, machines: Sequence[Machine] = ()) -> Shop:
        """Check what is given: jobs or a table of them, and machines.

        Parameters
        ----------
        jobs : sequence of Job, or DataFrame
            As :func:`jobs_of` reads it.
        machines : sequence of Machine
            Those that have a calendar or set-up times.

        Raises
        ------
        ParameterError, SchemaError
            Also of a machine or a family that may be misspelt: no operation names it, and one that
            operations name is not given.
        """
        words = "a sequence of Job, or a DataFrame with a row for each operation"
        found = jobs_of(jobs) if isinstance(jobs, pd.DataFrame) else all_of(Job, jobs, words)
        machines = all_of(Machine, machines, "a sequence of Machine")
        if not found:
            raise ParameterError("There is no job. Give one at least.")
        for kind, names in (
            ("jobs", [job.name for job in found]),
            ("machines", [machine.name for machine in machines]),
        ):
            twice = {name for name in names if names.count(name) > 1}
            if twice:
                raise ParameterError(f"Two {kind} are called {min(twice)!r}. Rename one.")
        on: dict[str, set[str]] = {}
        for job in found:
            for operation in job.operations:
                for name in operation.machines:
                    on.setdefault(name, set()).add(operation.family)
        check_names(on, {machine.name: _families(machine) for machine in machines})
        known = {name: Machine(name=name) for name in on}
        known |= {machine.name: machine for machine in machines}
        return cls(
            jobs=found, machines={name: known[name] for name in sorted(known, key=_in_order)}
        )

    @property
    def operations(self) -> dict[Key, Operation]:
        """Every operation by its job and position."""
        return {(job.name, n): each for job in self.jobs for n, each in enumerate(job.operations)}

    def horizon(self, *times: int) -> int:
        """A time by which all can be done, however badly it is planned.

        Parameters
        ----------
        *times : int
            Further moments that must lie within.
        """
        longest = sum(max(each.machines.values()) for each in self.operations.values())
        setups = [max(machine.setups.values(), default=0) for machine in self.machines.values()]
        pauses = sum(machine.calendar.pauses for machine in self.machines.values())
        last = max(machine.calendar.last for machine in self.machines.values())
        first = max(job.release for job in self.jobs)
        waits = max(setups) * len(self.operations)
        return max(first, last, *times, 0) + longest + waits + pauses + 1


def _families(machine: Machine) -> set[str] | None:
    """Families that its set-up times name; None of a machine that is always open and set up."""
    if not machine.setups and not machine.calendar.last:
        return None
    return {family for pair in machine.setups for family in pair}


def _in_order(name: str) -> list[tuple[bool, int, str]]:
    """M2 stands before M10."""
    parts = re.split(r"(\d+)", name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


_NEEDED = ("job", "position", "machine", "duration")
_OF_JOBS = ("release", "due", "deadline", "weight")


def jobs_of(table: pd.DataFrame) -> list[Job]:
    """Read a table of operations.

    Parameters
    ----------
    table : DataFrame
        A row for each operation, and of one that several machines can do for each of them:
        ``job``, ``position`` (whole, rising along the job), ``machine``, ``duration`` (whole, >=
        0), and where there are such ``family``, ``release``, ``due``, ``deadline``, ``weight``,
        which are those of the whole job.

    Raises
    ------
    SchemaError
        Names the column, the row and the value.

    Examples
    --------
    >>> table = pd.DataFrame({"job": ["A", "A"], "position": [0, 1], "machine": ["saw", "drill"],
    ...     "duration": [3, 5]})
    >>> [dict(each.machines) for each in jobs_of(table)[0].operations]
    [{'saw': 3}, {'drill': 5}]
    """
    for name in _NEEDED:
        if name not in table:
            raise SchemaError(
                f"Column {name!r} is missing. A table of operations has {', '.join(_NEEDED)}; this "
                f"one has {', '.join(map(str, table.columns))}."
            )
    if table.empty:
        raise SchemaError("The table has no rows. Give one with a row for each operation.")
    table = table.reset_index(drop=True)
    whole = {name: _whole(table[name]) for name in ("position", "duration")}
    names = {name: _named(table[name]) for name in ("job", "machine")}
    read = table.assign(**whole, **names)
    read["family"] = _named(table["family"]) if "family" in table else ""
    jobs = []
    for _, rows in read.groupby("job", sort=False):
        operations = [
            _operation(str(rows["job"].iloc[0]), part)
            for _, part in rows.groupby("position", sort=True)
        ]
        facts = {each: _of_job(rows, each) for each in _OF_JOBS if each in rows}
        given = {each: value for each, value in facts.items() if value is not None}
        jobs.append(Job(name=str(rows["job"].iloc[0]), operations=operations, **given))
    return jobs


def _operation(job: str, rows: pd.DataFrame) -> Operation:
    twice = rows["machine"].duplicated()
    if twice.any():
        row = int(rows.index[twice][0])
        raise SchemaError(
            f"Column 'machine', row {row}: {rows['machine'][row]!r} stands twice at position "
            f"{rows['position'][row]} of job {job!r}. Number the positions of a job, or "
            "leave a row out."
        )
    durations = dict(zip(rows["machine"].tolist(), rows["duration"].tolist(), strict=True))
    return Operation(machines=durations, family=str(rows["family"].iloc[0]))


def _of_job(rows: pd.DataFrame, name: str) -> Any:
    """What all rows of a job say, or None where they say nothing."""
    told = rows[name].dropna().unique()
    if len(told) > 1:
        row = int(rows.index[rows[name] != told[0]][0])
        raise SchemaError(
            f"Column {name!r}, row {row}: job {rows['job'].iloc[0]!r} has {plain(told[0])!r} in "
            f"another row, and {plain(rows[name][row])!r} here. Give one value for the whole job."
        )
    if not len(told):
        return None
    given = rows[name].dropna()
    return float(_weights(given).iloc[0]) if name == "weight" else int(_whole(given).iloc[0])


def _whole(values: pd.Series) -> pd.Series:
    return _numbers(
        values,
        lambda number: (number <= _LONGEST) & (number == np.floor(number)),
        f"whole number in [0, {_LONGEST}]. Count in a smaller unit of time, seconds for instance, "
        "or fill it in.",
    ).astype(int)


def _weights(values: pd.Series) -> pd.Series:
    words = "finite number >= 0. Correct it, or leave it out for the weight 1."
    return _numbers(values, lambda number: number < np.inf, words)


def _numbers(values: pd.Series, holds: Callable[[pd.Series], pd.Series], words: str) -> pd.Series:
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    wrong = ~((numbers >= 0) & holds(numbers))
    wrong |= values.map(lambda value: isinstance(value, bool | str))
    if wrong.any():
        row = int(wrong.index[wrong][0])
        raise SchemaError(
            f"Column {values.name!r}, row {row}: {plain(values[row])!r} is no {words}"
        )
    return numbers


def _named(values: pd.Series) -> pd.Series:
    wrong = values.isna() | (values.astype(str).str.strip() == "")
    if wrong.any() and values.name != "family":
        row = int(wrong.index[wrong][0])
        raise SchemaError(
            f"Column {values.name!r}, row {row}: there is no name. Fill it in, or leave the row "
            "out."
        )
    return values.where(~wrong, "").astype(str)
