"""The schedule as a constraint programme of intervals, for the solver CP-SAT.

References
----------
Perron, L. and Furnon, V. OR-Tools, Google, https://developers.google.com/optimization/. Laborie,
P., Rogerie, J., Shaw, P. and Vilim, P. (2018). IBM ILOG CP optimizer for scheduling. Constraints
23, 210-250, doi:10.1007/s10601-018-9281-x (intervals, alternatives, calendars).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from industry_apps.errors import ParameterError, require
from industry_apps.manufacturing.scheduling.jobs import Key, Operation, Shop
from industry_apps.manufacturing.scheduling.schedule import Objective

#: What can be left out of a model, to find what stands in the way of a plan.
Group = Literal["deadlines", "closed times", "breaks", "set-up times", "release dates"]
GROUPS: tuple[Group, ...] = (
    "deadlines",
    "closed times",
    "breaks",
    "set-up times",
    "release dates",
)

#: (machine, start) of operations that stay where they are.
Fixed = Mapping[Key, tuple[str, int]]
#: The objective is a whole number of units below this, which the solver and floats count exactly.
_MOST = 2**50
#: Units that make up a weight at least, where the weights have no common unit.
_FINEST = 1000


@dataclass(frozen=True, eq=False)
class Choice:
    """An operation on one of its machines: whether it runs there, from when to when."""

    machine: str
    present: Any
    start: Any
    end: Any
    interval: Any
    family: str


class ShopModel:
    """Variables and constraints of one shop.

    Parameters
    ----------
    shop : Shop
    fixed : mapping of (job, position) to (machine, start)
    objective : {"makespan", "tardiness", "lateness"}
        The last: the time behind deadlines, all together, which then may be missed.
    relaxed : collection of Group
        Constraints that are left out.
    """

    def __init__(
        self,
        shop: Shop,
        fixed: Fixed,
        objective: Objective | Literal["lateness"],
        relaxed: Collection[Group] = (),
    ) -> None:
        cp_model = require(
            "ortools.sat.python.cp_model", extra="manufacturing", needed_by="A schedule"
        )
        self.shop, self.relaxed = shop, frozenset(relaxed)
        self.model = cp_model.CpModel()
        deadlines = [job.deadline or 0 for job in shop.jobs]
        starts = [start for _, start in fixed.values()]
        self.horizon = shop.horizon(*deadlines, *starts)
        self.starts: dict[Key, Any] = {}
        self.ends: dict[Key, Any] = {}
        self.choices: dict[Key, list[Choice]] = {}
        self._on: dict[str, list[Choice]] = {name: [] for name in shop.machines}
        self._add_jobs(fixed)
        self._add_machines()
        self.missed: dict[str, Any] = {}
        self._add_objective(objective)

    def _add_jobs(self, fixed: Fixed) -> None:
        for job in self.shop.jobs:
            ahead = 0 if "release dates" in self.relaxed else job.release
            left = job.shortest
            before: Any = None
            for position, operation in enumerate(job.operations):
                key, shortest = (job.name, position), min(operation.machines.values())
                low, high = ahead, self.horizon - left
                if key in fixed:  # where somebody else has put it, as it may be
                    low, high = 0, self.horizon
                start = self.model.new_int_var(low, high, f"start {key}")
                end = self.model.new_int_var(low, self.horizon, f"end {key}")
                if before is not None:
                    self.model.add(start >= before)
                self.starts[key], self.ends[key] = start, end
                self._add_choices(key, operation, fixed.get(key))
                before = end
                ahead, left = ahead + shortest, left - shortest

    def _add_choices(self, key: Key, operation: Operation, place: tuple[str, int] | None) -> None:
        start, end = self.starts[key], self.ends[key]
        found = []
        several = len(operation.machines) > 1
        for name, duration in operation.machines.items():
            present = self.model.new_bool_var(f"{key} on {name}") if several else True
            if place is not None and several:
                self.model.add(present == (name == place[0]))
            size: Any = duration
            if pauses := self._pauses(name, start, duration, present, key):
                size = self.model.new_int_var(duration, self.horizon, f"size {key} {name}")
                extra = sum(length * paused for paused, length in pauses)
                self.model.add(size == duration + extra).only_enforce_if(present)
            interval = self.model.new_optional_interval_var(
                start, size, end, present, f"interval {key} {name}"
            )
            choice = Choice(name, present, start, end, interval, operation.family)
            found.append(choice)
            self._on[name].append(choice)
        if several:
            self.model.add_exactly_one(choice.present for choice in found)
        if place is not None:
            self.model.add(start == place[1])
        self.choices[key] = found

    def _pauses(
        self, machine: str, start: Any, duration: int, present: Any, key: Key
    ) -> list[tuple[Any, int]]:
        """For each break whether the operation pauses in it, and how long the break is."""
        if "breaks" in self.relaxed:
            return []
        model, found = self.model, []
        elapsed: Any = start + duration
        for begin, stop in self.shop.machines[machine].calendar.breaks:
            before = model.new_bool_var(f"{key} {machine} starts before {begin}")
            model.add(start < begin).only_enforce_if(before, present)
            model.add(start >= stop).only_enforce_if(~before, present)
            reaches = model.new_bool_var(f"{key} {machine} reaches {begin}")
            model.add(elapsed > begin).only_enforce_if(reaches, present)
            model.add(elapsed <= begin).only_enforce_if(~reaches, before, present)
            paused = model.new_bool_var(f"{key} {machine} pauses at {begin}")
            model.add_bool_and(before, reaches).only_enforce_if(paused)
            model.add_bool_or(~before, ~reaches, paused)
            found.append((paused, stop - begin))
            elapsed = elapsed + (stop - begin) * paused
        return found

    def _add_machines(self) -> None:
        for name, choices in self._on.items():
            machine = self.shop.machines[name]
            blocked = []
            if "closed times" not in self.relaxed:
                blocked = [
                    self.model.new_fixed_size_interval_var(start, end - start, f"{name} closed")
                    for start, end in machine.calendar.closed
                ]
            self.model.add_no_overlap([*(each.interval for each in choices), *blocked])
            if machine.setups and "set-up times" not in self.relaxed:
                self._add_setups(choices, machine.setups)

    def _add_setups(self, choices: list[Choice], setups: Mapping[tuple[str, str], int]) -> None:
        """A tour through all operations of a machine, from and to a node 0 that stands for none."""
        model, arcs = self.model, []
        idle = model.new_bool_var("no operation at all")
        arcs.append((0, 0, idle))
        for i, one in enumerate(choices, start=1):
            model.add_implication(idle, ~one.present) if one.present is not True else model.add(
                idle == 0
            )
            first, last = model.new_bool_var(f"first {i}"), model.new_bool_var(f"last {i}")
            arcs += [(0, i, first), (i, 0, last)]
            model.add(one.start >= setups.get(("", one.family), 0)).only_enforce_if(first)
            if one.present is not True:
                arcs.append((i, i, ~one.present))
            for j, other in enumerate(choices, start=1):
                if i != j:
                    follows = model.new_bool_var(f"{j} after {i}")
                    arcs.append((i, j, follows))
                    wait = setups.get((one.family, other.family), 0)
                    model.add(other.start >= one.end + wait).only_enforce_if(follows)
        model.add_circuit(arcs)

    def _add_objective(self, objective: str) -> None:
        model = self.model
        self.goal: Any
        #: What one of the objective of the model is worth in that of the schedule.
        self.unit = 1.0
        last = {job.name: self.ends[job.name, len(job.operations) - 1] for job in self.shop.jobs}
        for job in self.shop.jobs:
            if job.deadline is None or "deadlines" in self.relaxed:
                continue
            if objective == "lateness":
                missed = model.new_int_var(0, self.horizon, f"missed {job.name}")
                model.add(missed >= last[job.name] - job.deadline)
                self.missed[job.name] = missed
            else:
                model.add(last[job.name] <= job.deadline)
        if objective == "lateness":
            self.goal = sum(self.missed.values())
        elif objective == "makespan":
            makespan = model.new_int_var(0, self.horizon, "makespan")
            model.add_max_equality(makespan, list(last.values()))
            self.goal = makespan
        else:
            wanted = {job.name: job for job in self.shop.jobs if job.due is not None and job.weight}
            weights = {name: job.weight for name, job in wanted.items()}
            units, self.unit = whole_weights(weights, _MOST // self.horizon)
            late = []
            for name, job in wanted.items():
                behind = model.new_int_var(0, self.horizon, f"late {name}")
                model.add(behind >= last[name] - job.due)
                late.append(units[name] * behind)
            self.goal = sum(late)
        model.minimize(self.goal)

    def hint(self, rows: Mapping[Key, tuple[str, int]]) -> None:
        """Begin the search at a schedule, as far as its operations are those of the shop.

        Parameters
        ----------
        rows : mapping of (job, position) to (machine, start)
        """
        for key, (machine, start) in rows.items():
            if key not in self.starts:
                continue
            self.model.add_hint(self.starts[key], min(max(start, 0), self.horizon))
            for choice in self.choices[key]:
                if choice.present is not True:
                    self.model.add_hint(choice.present, choice.machine == machine)

    def go_on(self, placed: Fixed, bound: float) -> None:
        """Begin the next search at a schedule, and end it at a bound that is proven.

        Parameters
        ----------
        placed : mapping of (job, position) to (machine, start)
            Of all operations.
        bound : float
            Of the objective of the model.
        """
        self.model.clear_hints()
        self.hint(placed)
        operations = self.shop.operations
        for key, (machine, start) in placed.items():
            duration = operations[key].machines[machine]
            end = self.shop.machines[machine].calendar.end_of(start, duration)
            self.model.add_hint(self.ends[key], end)
        self.model.add(self.goal >= math.ceil(bound - 1e-6))

    def placed(self, solver: Any) -> dict[Key, tuple[str, int]]:
        """Machine and start of each operation in the schedule that a solver has found.

        Parameters
        ----------
        solver : ortools.sat.python.cp_model.CpSolver
        """
        found = {}
        for key, choices in self.choices.items():
            chosen = next(
                each
                for each in choices
                if each.present is True or solver.boolean_value(each.present)
            )
            found[key] = chosen.machine, int(solver.value(self.starts[key]))
        return found


def whole_weights(weights: Mapping[str, float], most: int) -> tuple[dict[str, int], float]:
    """Weights as whole numbers of a unit, which is the largest that all of them are made of.

    Where they would sum to more than ``most``, it is the smallest that keeps the sum below it, and
    weights are rounded down, so that a bound stays one.

    Parameters
    ----------
    weights : mapping of str to float
        Of jobs by their names, > 0.
    most : int

    Returns
    -------
    units : dict of str to int
    unit : float

    Raises
    ------
    ParameterError
        They lie too far apart to be rounded.

    Examples
    --------
    >>> whole_weights({"A": 0.0001, "B": 0.0004}, 1000)
    ({'A': 1, 'B': 4}, 0.0001)
    """
    exact = {name: Fraction(str(float(weight))) for name, weight in weights.items()}
    total = sum(exact.values(), Fraction(0))
    parts = math.lcm(*(each.denominator for each in exact.values()))
    unit = Fraction(math.gcd(*(int(each * parts) for each in exact.values())) or 1, parts)
    rounded = total > most * unit
    if rounded:
        unit = total / most
    units = {name: int(each / unit) for name, each in exact.items()}
    if rounded and min(units.values()) < _FINEST:
        low, high = min(exact, key=lambda name: exact[name]), max(exact, key=lambda n: exact[n])
        raise ParameterError(
            f"The weights {weights[low]:g} of job {low!r} and {weights[high]:g} of job {high!r} "
            "lie too far apart to be weighed against each other over the time that all jobs may "
            f"take. Give {low!r} the weight 0, for a due date that does not count, or one of at "
            f"least {2 * _FINEST * float(total / most):.1g}."
        )
    return units, float(unit)
