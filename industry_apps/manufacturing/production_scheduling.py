"""Production scheduling: which operation runs when, and on which machine.

Asked by whoever plans a shop floor each shift, and again when a machine has failed. A schedule is
searched for anew each time, so there is nothing to learn and no model file: the scheduler is a
solver with the errors of this package, not an application of its registry. Its figures on the
public instances stand beside those of the inventory planner.

The job shop is the textbook's hard problem of this kind (Fisher and Thompson 1963); what is solved
here also has calendars, set-up times, parallel machines, release dates, due dates and deadlines.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, TypeAlias

import pandas as pd

from industry_apps.errors import ParameterError, SchemaError, TrainingError, require
from industry_apps.limits import POSITIVE, check_parameters, integer, is_number, plain
from industry_apps.manufacturing.scheduling import diagnosis
from industry_apps.manufacturing.scheduling.faults import faults_of
from industry_apps.manufacturing.scheduling.jobs import Job, Key, Machine, Shop
from industry_apps.manufacturing.scheduling.model import Fixed, ShopModel
from industry_apps.manufacturing.scheduling.schedule import (
    Objective,
    Schedule,
    table_of,
    value_of,
)
from industry_apps.manufacturing.scheduling.tabu import improved, is_plain

#: A schedule, a table of its columns, or {(job, position): (machine, start)}.
Placed: TypeAlias = Schedule | pd.DataFrame | Mapping[Key, tuple[str, int]]
_PLACED = ("job", "position", "machine", "start")
#: Share of the time in which the search is for proofs, too.
_PROVING = 0.25
#: Share of the time of the tabu search in plain job shops.
_TABU = 0.75
#: Seconds that finding out why there is no schedule may take for each question.
_EXPLAINING = 20.0


class _Found(NamedTuple):
    """What a search has found: nothing is placed where it found no schedule."""

    status: str
    placed: Fixed
    value: float
    bound: float
    missed: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class ProductionScheduler:
    """Searches for the best schedule of jobs on machines, and says how good it is at least.

    Parameters
    ----------
    objective : {"makespan", "tardiness"}
        The end of the last operation, or the time behind due dates, weighted by job.
    seconds : float
        After which the best schedule up to then is returned, > 0.
    workers : int
        Searches side by side, in [1, 64]; those of one processor core each are usual.
    gap : float, optional
        Stop once the schedule is proven to be within this share of the best, > 0.
    seed : int
        Two runs with one worker and equal seeds search alike; the time limit still ends them at
        different places.

    Raises
    ------
    ParameterError

    Examples
    --------
    >>> from industry_apps.manufacturing import ProductionScheduler
    >>> table = pd.DataFrame({"job": ["A", "A", "B", "B"], "position": [0, 1, 0, 1],
    ...     "machine": ["saw", "drill", "drill", "saw"], "duration": [3, 2, 2, 4]})
    >>> schedule = ProductionScheduler(workers=1).plan(table)
    >>> schedule.makespan, schedule.bound, schedule.status
    (7, 7.0, 'optimal')
    """

    objective: Objective = "makespan"
    seconds: Annotated[float, POSITIVE] = 30.0
    workers: Annotated[int, integer(1, 64)] = 2
    gap: Annotated[float, POSITIVE] | None = None
    seed: Annotated[int, integer(0, 2**31 - 1)] = 0

    def __post_init__(self) -> None:
        check_parameters(self)

    def plan(
        self,
        jobs: Sequence[Job] | pd.DataFrame,
        machines: Sequence[Machine] = (),
        *,
        fixed: Placed | None = None,
        warm_start: Placed | None = None,
    ) -> Schedule:
        """Search for a schedule.

        Parameters
        ----------
        jobs : sequence of Job, or DataFrame
            A table has a row for each operation: ``job``, ``position``, ``machine``, ``duration``,
            and more: see :func:`industry_apps.manufacturing.scheduling.jobs.jobs_of`.
        machines : sequence of Machine
            Those with a calendar, breaks or set-up times; all others are always open.
        fixed : Schedule, DataFrame or mapping, optional
            Operations that stay where they are, as those that run when a plan is made anew.
        warm_start : Schedule, DataFrame or mapping, optional
            Where the search begins, as yesterday's schedule; it may be incomplete or impossible.

        Returns
        -------
        Schedule

        Raises
        ------
        InfeasiblePlanError
            There is no schedule; names the job, operation or machine that stands in the way.
        ParameterError, SchemaError
            Jobs or machines are not what they should be.
        TrainingError
            No schedule was found in time, nor proven that there is none.
        MissingExtraError
            OR-Tools is not installed.
        """
        shop = Shop.of(jobs, machines)
        kept = _placed("fixed", fixed)
        diagnosis.check_fixed(shop, kept)
        diagnosis.check_deadlines(shop)
        if self.objective == "tardiness" and all(job.due is None for job in shop.jobs):
            raise ParameterError(
                "No job has a due date, so that every schedule has the tardiness 0. Give 'due', or "
                "plan with objective='makespan'."
            )
        started = time.perf_counter()
        model = ShopModel(shop, kept, self.objective)
        model.hint(_placed("warm_start", warm_start))
        simple = self.workers > 1 and not kept and self.objective == "makespan" and is_plain(shop)
        found = self._search_plain(model) if simple else self._search_any(model)
        if found.status == "INFEASIBLE":
            raise diagnosis.reason(shop, kept, self._found)
        if not found.placed:
            raise TrainingError(
                f"No schedule was found in {self.seconds:g} seconds, nor proven that there is "
                "none. Give more seconds, or a warm_start."
            )
        table = table_of(shop, found.placed)
        if faults := faults_of(shop, table):
            raise TrainingError(
                f"The schedule breaks what it was asked to keep: {faults[0]} ({len(faults)} "
                "faults). Please report it."
            )
        value = value_of(shop, table, self.objective)
        bound = min(found.bound * model.unit, value)
        # Of rounded weights the model's own value and bound tell.
        gap = min((value - bound) / model.unit, found.value - found.bound)
        return Schedule(
            shop=shop,
            table=table,
            objective=self.objective,
            value=value,
            bound=bound,
            status="optimal" if gap < 0.5 else "feasible",
            seconds=time.perf_counter() - started,
        )

    def _search_any(self, model: ShopModel) -> _Found:
        """Search everywhere, then near the best schedule only.

        Proofs come early or never: on job shops of 200 to 400 operations that are not solved in
        the first part, large neighbourhoods alone found far better schedules in the same time. One
        worker searches everywhere, all of the time.
        """
        first = _PROVING if self.workers > 1 else 1.0
        found = self._search(model, self.seconds * first, self.workers)
        if found.status == "UNKNOWN" and first < 1:
            return self._search(model, self.seconds * (1 - first), self.workers)
        if found.status != "FEASIBLE" or first == 1 or self._is_near(found.value, found.bound):
            return found
        return self._search_near(model, found, self.seconds * (1 - first))

    def _search_plain(self, model: ShopModel) -> _Found:
        """Search a plain job shop: one worker by tabu search, and beside it the others for proofs.

        On the public job shops it finds in seconds what the solver alone does not in a minute.
        """
        seconds = self.seconds * _TABU
        with ThreadPoolExecutor(1) as pool:
            proof = pool.submit(self._search, model, seconds, self.workers - 1)
            until = time.perf_counter() + seconds
            near = improved(
                model.shop, self.seed, lambda: proof.done() or time.perf_counter() > until
            )
            found = proof.result()
        if found.status not in ("FEASIBLE", "UNKNOWN"):
            return found
        value = value_of(model.shop, table_of(model.shop, near), "makespan")
        if value < found.value:
            found = _Found("FEASIBLE", near, value, found.bound)
        if self._is_near(found.value, found.bound):
            return found
        return self._search_near(model, found, self.seconds - seconds)

    def _search_near(self, model: ShopModel, found: _Found, seconds: float) -> _Found:
        """Search in large neighbourhoods of a schedule."""
        model.go_on(found.placed, found.bound)
        later = self._search(model, seconds, self.workers, nearby=True)
        if later.placed and later.value <= found.value:
            return later._replace(bound=max(found.bound, later.bound))
        return found

    def _is_near(self, value: float, bound: float) -> bool:
        """Whether a schedule is as near to the bound as is asked for."""
        return self.gap is not None and value - bound <= self.gap * abs(value)

    def _search(
        self, model: ShopModel, seconds: float, workers: int, *, nearby: bool = False
    ) -> _Found:
        """Run the solver."""
        cp_model = require(
            "ortools.sat.python.cp_model", extra="manufacturing", needed_by="A schedule"
        )
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = float(seconds)
        solver.parameters.num_workers = workers
        solver.parameters.random_seed = self.seed
        solver.parameters.use_lns_only = nearby
        if self.gap is not None:
            solver.parameters.relative_gap_limit = float(self.gap)
        status = solver.status_name(solver.solve(model.model))
        bound = solver.best_objective_bound
        if status not in ("OPTIMAL", "FEASIBLE"):
            return _Found(status, {}, math.inf, bound)
        missed = {name: int(solver.value(each)) for name, each in model.missed.items()}
        return _Found(status, model.placed(solver), solver.objective_value, bound, missed)

    def _found(self, model: ShopModel) -> Mapping[str, int] | None:
        """By how much deadlines are missed in a schedule of a model; None where there is none."""
        found = self._search(model, min(self.seconds, _EXPLAINING), self.workers)
        return found.missed if found.placed else None


def _placed(name: str, given: Placed | None) -> Fixed:
    """Machine and start of operations by their keys."""
    if given is None:
        return {}
    found: dict[Key, tuple[str, int]] = {}
    for job, position, machine, start in _rows(name, given):
        for word, value in (("position", position), ("start", start)):
            if not _is_whole(value):
                raise ParameterError(
                    f"{name!r}: operation {position!r} of job {job!r} on {machine!r} has the "
                    f"{word} {value!r}; expected a whole number. Correct it, or leave it out."
                )
        key = str(job), int(position)
        if key in found:
            raise ParameterError(
                f"{name!r}: operation {position} of job {job!r} is there twice. Leave one out."
            )
        found[key] = str(machine), int(start)
    return found


def _rows(name: str, given: Placed) -> Iterator[tuple[Any, ...]]:
    """Job, position, machine and start of each operation."""
    if isinstance(given, Mapping):
        for key, place in given.items():
            if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in (key, place)):
                raise ParameterError(
                    f"{name!r} has {key!r}: {place!r}; expected (job, position): (machine, start), "
                    "as in ('A', 0): ('saw', 30). Correct it, or leave it out."
                )
            yield *key, *place
        return
    table = given.table if isinstance(given, Schedule) else given
    if not isinstance(table, pd.DataFrame):
        raise ParameterError(
            f"The {name!r} parameter of plan must be a Schedule, a DataFrame or a mapping. Got "
            f"{given!r} instead."
        )
    for column in _PLACED:
        if column not in table:
            raise SchemaError(
                f"The table {name!r} has no column {column!r}. Give rows of a schedule, with job, "
                "position, machine and start."
            )
    yield from zip(*(table[column].tolist() for column in _PLACED), strict=True)


def _is_whole(value: Any) -> bool:
    number = plain(value)
    return is_number(number) and math.isfinite(number) and number == int(number)
