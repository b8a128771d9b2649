"""Production scheduling: which operation runs when, and on which machine.

Asked by whoever plans a shop floor each shift, and again when a machine has failed. A schedule is
searched for anew each time, so there is nothing to learn and no model file: the scheduler is a
solver with the errors of this package, not an application of its registry. Its figures on the
public instances stand beside those of the inventory planner.

The job shop is the textbook's hard problem of this kind (Fisher and Thompson 1963); what is solved
here also has calendars, set-up times, parallel machines, release dates, due dates and deadlines.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import pandas as pd

from industry_apps.errors import ParameterError, SchemaError, TrainingError, require
from industry_apps.limits import POSITIVE, check_parameters, integer
from industry_apps.manufacturing.scheduling import diagnosis
from industry_apps.manufacturing.scheduling.jobs import Job, Key, Machine, Shop
from industry_apps.manufacturing.scheduling.model import Fixed, ShopModel
from industry_apps.manufacturing.scheduling.schedule import Objective, Schedule, faults_of

#: A schedule, a table with job, position, machine and start, or {(job, position): (machine, start)}.
Placed: TypeAlias = Schedule | pd.DataFrame | Mapping[Key, tuple[str, int]]
#: Share of the time in which the search is for proofs, too.
_PROVING = 0.25
#: Values are whole: less than this is no difference.
_EQUAL = 0.5
#: Seconds that finding out why there is no schedule may take for each question.
_EXPLAINING = 20.0


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
        solver, status, bound = self._in_two_parts(model)
        if status == "INFEASIBLE":
            raise diagnosis.reason(shop, kept, self._found)
        if status not in ("OPTIMAL", "FEASIBLE"):
            raise TrainingError(
                f"No schedule was found in {self.seconds:g} seconds, nor proven that there is none. "
                "Give more seconds, or a warm_start."
            )
        table = model.table(solver)
        if faults := faults_of(shop, table):
            raise TrainingError(
                f"The solver's schedule breaks what it was asked to keep: {faults[0]} "
                f"({len(faults)} faults). Please report it."
            )
        unit = model.unit(self.objective)
        return Schedule(
            shop=shop,
            table=table,
            objective=self.objective,
            value=float(solver.objective_value * unit),
            bound=float(bound * unit),
            status="optimal" if solver.objective_value - bound < _EQUAL else "feasible",
            seconds=time.perf_counter() - started,
        )

    def _in_two_parts(self, model: ShopModel) -> tuple[Any, str, float]:
        """Search everywhere, then near the best schedule only -> solver, how it ended, bound.

        Proofs come early or never: on job shops of 200 to 400 operations that are not solved in
        the first part, large neighbourhoods alone found far better schedules in the same time. One
        worker searches everywhere, all of the time.
        """
        if self.workers == 1:
            solver, status = self._search(model, self.seconds)
            return solver, status, solver.best_objective_bound
        solver, status = self._search(model, self.seconds * _PROVING)
        bound = solver.best_objective_bound
        if status == "UNKNOWN":
            solver, status = self._search(model, self.seconds * (1 - _PROVING))
            return solver, status, solver.best_objective_bound
        if status != "FEASIBLE" or self._is_near(solver.objective_value, bound):
            return solver, status, bound
        model.go_on(solver)
        later, status = self._search(model, self.seconds * (1 - _PROVING), nearby=True)
        if status in ("OPTIMAL", "FEASIBLE") and later.objective_value <= solver.objective_value:
            return later, status, max(bound, later.best_objective_bound)
        return solver, "FEASIBLE", bound

    def _is_near(self, value: float, bound: float) -> bool:
        """Whether a schedule is as near to the bound as is asked for."""
        return self.gap is not None and value - bound <= self.gap * abs(value)

    def _search(
        self, model: ShopModel, seconds: float, *, nearby: bool = False
    ) -> tuple[Any, str]:
        """Run the solver -> it, and how it ended."""
        cp_model = require(
            "ortools.sat.python.cp_model", extra="manufacturing", needed_by="A schedule"
        )
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = float(seconds)
        solver.parameters.num_workers = self.workers
        solver.parameters.random_seed = self.seed
        solver.parameters.use_lns_only = nearby
        if self.gap is not None:
            solver.parameters.relative_gap_limit = float(self.gap)
        status = solver.solve(model.model)
        return solver, solver.status_name(status)

    def _found(self, model: ShopModel) -> Any:
        """A solver that has found a schedule for a model, or None."""
        solver, status = self._search(model, min(self.seconds, _EXPLAINING))
        return solver if status in ("OPTIMAL", "FEASIBLE") else None


def _placed(name: str, given: Placed | None) -> Fixed:
    """Machine and start of operations by their keys."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return {
            (str(job), int(position)): (str(machine), int(start))
            for (job, position), (machine, start) in given.items()
        }
    table = given.table if isinstance(given, Schedule) else given
    for column in ("job", "position", "machine", "start"):
        if column not in table:
            raise SchemaError(
                f"The table {name!r} has no column {column!r}. Give rows of a schedule, with job, "
                "position, machine and start."
            )
    return {
        (str(row.job), int(row.position)): (str(row.machine), int(row.start))
        for row in table.itertuples()
    }
