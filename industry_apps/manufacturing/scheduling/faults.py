"""What a schedule breaks of what it was made for, checked apart from the model that plans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from industry_apps.manufacturing.scheduling.jobs import Job, Key, Shop


class Placed(NamedTuple):
    """Where and when an operation runs."""

    job: str
    position: int
    machine: str
    start: int
    end: int
    family: str


def rows_of(table: pd.DataFrame) -> list[Placed]:
    """The rows of a schedule's table in plain types.

    Parameters
    ----------
    table : DataFrame
        With the columns of :class:`Placed`.
    """
    columns = [table[name].tolist() for name in Placed._fields]
    return [
        Placed(str(job), int(position), str(machine), int(start), int(end), str(family))
        for job, position, machine, start, end, family in zip(*columns, strict=True)
    ]


def faults_of(shop: Shop, table: pd.DataFrame) -> list[str]:
    """What a table of starts and ends breaks, in words; empty where it keeps all.

    It is written apart from the model that plans, so that one finds the mistakes of the other.

    Parameters
    ----------
    shop : Shop
    table : DataFrame
        With the columns of :class:`Placed`.

    Returns
    -------
    list of str
    """
    every = rows_of(table)
    rows = {(row.job, row.position): row for row in every}
    found = [f"{key} is not planned" for key in shop.operations if key not in rows]
    if len(rows) < len(every):
        found.append("an operation is planned twice")
    if found:
        return found
    for job in shop.jobs:
        found += _of_job(shop, job, rows)
    return [*found, *_overlaps(shop, every)]


def _of_job(shop: Shop, job: Job, rows: Mapping[Key, Placed]) -> Iterator[str]:
    ready = job.release
    for position, operation in enumerate(job.operations):
        row = rows[job.name, position]
        where = f"operation {position} of job {job.name!r}"
        if row.machine not in operation.machines:
            yield f"{where} is on {row.machine!r}, which cannot do it"
            continue
        calendar = shop.machines[row.machine].calendar
        if row.end != calendar.end_of(row.start, operation.machines[row.machine]):
            yield f"{where} takes from {row.start} to {row.end}"
        if row.start < ready:
            yield f"{where} starts at {row.start}, before {ready}"
        if touched := calendar.conflict(row.start, row.end):
            yield f"{where} runs while {row.machine!r} is closed, {touched}"
        ready = row.end
    if job.deadline is not None and ready > job.deadline:
        yield f"job {job.name!r} ends at {ready}, after {job.deadline}"


def _overlaps(shop: Shop, rows: Sequence[Placed]) -> Iterator[str]:
    last: dict[str, tuple[int, str]] = {}
    for row in sorted(rows, key=lambda row: (row.start, row.end)):
        before, family = last.get(row.machine, (0, ""))
        ready = before + shop.machines[row.machine].setups.get((family, row.family), 0)
        if row.start < ready:
            yield f"{row.machine!r} starts job {row.job!r} at {row.start}, before {ready}"
        last[row.machine] = row.end, row.family
