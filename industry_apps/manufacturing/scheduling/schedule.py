"""A schedule: what starts when and where, checked against what it was made for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pandas as pd

from industry_apps.manufacturing.scheduling.jobs import Shop

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Objective = Literal["makespan", "tardiness"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Schedule:
    """When each operation runs, and on which machine.

    Parameters
    ----------
    shop : Shop
        What it was made for.
    table : DataFrame
        A row for each operation, sorted by machine and start: ``job``, ``position``, ``machine``,
        ``start``, ``end``, ``duration`` (without breaks), ``family``.
    objective : {"makespan", "tardiness"}
    value : float
        Of the objective: the end of the last operation, or weighted time behind due dates.
    bound : float
        No schedule is better than this, as far as is proven.
    status : {"optimal", "feasible"}
        Whether it is proven that none is better.
    seconds : float
        That the search took.
    """

    shop: Shop
    table: pd.DataFrame
    objective: Objective
    value: float
    bound: float
    status: Literal["optimal", "feasible"]
    seconds: float

    @property
    def makespan(self) -> int:
        """The end of the last operation."""
        return int(self.table["end"].max())

    @property
    def gap(self) -> float:
        """How much better a schedule may be at most, as a share of this one's value."""
        return (self.value - self.bound) / self.value if self.value else 0.0

    def to_frame(self) -> pd.DataFrame:
        """A copy of the table."""
        return self.table.copy()

    def jobs(self) -> pd.DataFrame:
        """Start, end, due date and tardiness of each job, by its name."""
        ends = self.table.groupby("job").agg(start=("start", "min"), end=("end", "max"))
        ends = ends.loc[[job.name for job in self.shop.jobs]]
        due = pd.Series({job.name: job.due for job in self.shop.jobs}, dtype="Int64")
        late = (ends["end"] - due).clip(lower=0)
        return ends.assign(due=due, tardiness=late.astype("Int64"))

    def gantt(self, path: str | Path | None = None, *, title: str = "") -> Figure:
        """Draw machines from above to below and time from left to right, a colour for each job.

        Parameters
        ----------
        path : str or Path, optional
            File to write, .png, .svg or .pdf.
        title : str

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from industry_apps.manufacturing.scheduling.gantt import draw

        return draw(self, path, title)

    def __str__(self) -> str:
        proven = "proven best" if self.status == "optimal" else f"at best {self.bound:g}"
        return (
            f"{len(self.table)} operations of {len(self.shop.jobs)} jobs on "
            f"{self.table['machine'].nunique()} machines: {self.objective} {self.value:g} ({proven})"
        )


def faults_of(shop: Shop, table: pd.DataFrame) -> list[str]:
    """What a table of starts and ends breaks, in words; empty where it keeps all.

    It is written apart from the model that plans, so that one finds the mistakes of the other.

    Parameters
    ----------
    shop : Shop
    table : DataFrame
        As in :class:`Schedule`.

    Returns
    -------
    list of str
    """
    rows = {(str(row.job), int(row.position)): row for row in table.itertuples()}
    found = [f"{key} is not planned" for key in shop.operations if key not in rows]
    found += [f"{key} is planned twice" for key in rows if (table_count(table, key)) > 1]
    if found:
        return found
    for job in shop.jobs:
        ready = job.release
        for position, operation in enumerate(job.operations):
            row = rows[job.name, position]
            where = f"operation {position} of job {job.name!r}"
            if row.machine not in operation.machines:
                found.append(f"{where} is on {row.machine!r}, which cannot do it")
                continue
            calendar = shop.machines[row.machine].calendar
            if row.end != calendar.end_of(row.start, operation.machines[row.machine]):
                found.append(f"{where} takes from {row.start} to {row.end}")
            if row.start < ready:
                found.append(f"{where} starts at {row.start}, before {ready}")
            if touched := calendar.conflict(row.start, row.end):
                found.append(f"{where} runs while {row.machine!r} is closed, {touched}")
            ready = row.end
        if job.deadline is not None and ready > job.deadline:
            found.append(f"job {job.name!r} ends at {ready}, after {job.deadline}")
    return found + _overlaps(shop, table)


def table_count(table: pd.DataFrame, key: tuple[str, int]) -> int:
    """Rows of one operation."""
    return int(((table["job"] == key[0]) & (table["position"] == key[1])).sum())


def _overlaps(shop: Shop, table: pd.DataFrame) -> list[str]:
    found = []
    for name, rows in table.groupby("machine"):
        setups = shop.machines[str(name)].setups
        before, family = 0, ""
        for row in rows.sort_values(["start", "end"]).itertuples():
            ready = before + setups.get((family, row.family), 0)
            if row.start < ready:
                found.append(f"{name!r} starts job {row.job!r} at {row.start}, before {ready}")
            before, family = row.end, row.family
    return found
