"""Why there is no schedule: which operations, jobs and machines stand in the way of each other.

Solvers can name assumptions that contradict each other, but those of CP-SAT are neither few nor
always returned. So constraints are left out one group after the other, and deadlines are missed by
as little as possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from industry_apps.manufacturing.infeasible import InfeasiblePlanError
from industry_apps.manufacturing.scheduling.jobs import Key, Shop
from industry_apps.manufacturing.scheduling.model import GROUPS, Fixed, Group, ShopModel

#: Model -> by how much the schedule that was found misses deadlines; None where there is none.
Solve = Callable[[ShopModel], Mapping[str, int] | None]
#: What is named of many.
_FEW = 3


def check_fixed(shop: Shop, fixed: Fixed) -> None:
    """Refuse operations that are fixed where they cannot be.

    Parameters
    ----------
    shop : Shop
    fixed : mapping of (job, position) to (machine, start)

    Raises
    ------
    InfeasiblePlanError
        Names the operation and what is in its way.
    """
    wrong = next(_wrongly_fixed(shop, fixed), None)
    if wrong:
        raise InfeasiblePlanError(f"{wrong} Leave it free, or fix it elsewhere.")


def _wrongly_fixed(shop: Shop, fixed: Fixed) -> Iterator[str]:
    operations, release = shop.operations, {job.name: job.release for job in shop.jobs}
    spans: dict[Key, tuple[str, int, int]] = {}
    for key, (machine, start) in fixed.items():
        what = _named(key)
        if key not in operations:
            yield f"The fixed {what} is not among the jobs."
            continue
        durations = operations[key].machines
        if machine not in durations:
            names = ", ".join(map(repr, durations))
            yield f"The fixed {what} is on {machine!r}; it can be done on {names}."
            continue
        if start < release[key[0]]:
            yield f"The fixed {what} starts at {start}, before its release at {release[key[0]]}."
        calendar = shop.machines[machine].calendar
        end = calendar.end_of(start, durations[machine])
        if touched := calendar.conflict(start, end):
            yield (
                f"The fixed {what} runs on {machine!r} from {start} to {end}, which does not work "
                f"from {touched[0]} to {touched[1]}."
            )
        spans[key] = machine, start, end
    for key, (machine, start, end) in spans.items():
        for other, (place, begin, stop) in spans.items():
            if machine == place and key != other and start <= begin < end and stop > begin:
                yield (
                    f"The fixed {_named(key)} runs on {machine!r} from {start} to {end}, and the "
                    f"fixed {_named(other)} from {begin} to {stop}."
                )
            if key[0] == other[0] and key[1] < other[1] and end > begin:
                yield (
                    f"The fixed {_named(other)} starts at {begin}, before the fixed {_named(key)}, "
                    f"which it follows, ends at {end}."
                )


def check_deadlines(shop: Shop) -> None:
    """Refuse deadlines that are too early even if nothing had to wait.

    Parameters
    ----------
    shop : Shop

    Raises
    ------
    InfeasiblePlanError
    """
    for job in shop.jobs:
        soonest = job.release + job.shortest
        if job.deadline is not None and soonest > job.deadline:
            raise InfeasiblePlanError(
                f"The deadline of job {job.name!r} binds: released at {job.release}, it takes "
                f"{job.shortest} and ends at {soonest} at the earliest, and must end by "
                f"{job.deadline}. Set the deadline to {soonest} or later, or make it a due date."
            )


def reason(shop: Shop, fixed: Fixed, solve: Solve) -> InfeasiblePlanError:
    """Find what makes a plan infeasible that no check alone has found.

    Parameters
    ----------
    shop : Shop
    fixed : mapping of (job, position) to (machine, start)
    solve : callable
        Model -> by how much its schedule misses deadlines, or None where there is none.

    Returns
    -------
    InfeasiblePlanError
    """
    late = ShopModel(shop, fixed, "lateness")
    missed = solve(late) if late.missed else None
    if missed is not None:
        words = [f"{name!r} by {time}" for name, time in missed.items() if time]
        more = f" and {len(words) - _FEW} more" if len(words) > _FEW else ""
        return InfeasiblePlanError(
            "Not all deadlines can be met together: at best the deadline is missed by job "
            f"{', '.join(words[:_FEW])}{more}. {_helps(shop, fixed, solve)}Move these deadlines, "
            "or make them due dates."
        )
    for key in fixed:
        rest = {other: place for other, place in fixed.items() if other != key}
        if solve(ShopModel(shop, rest, "makespan")) is not None:
            machine, start = fixed[key]
            return InfeasiblePlanError(
                f"The fixed {_named(key)} binds: with it on {machine!r} at {start} there is no "
                "room for operations that come before, between or set up beside fixed ones. "
                "Leave it free, or fix it elsewhere."
            )
    names = ", ".join(_named(key) for key in list(fixed)[:_FEW])
    return InfeasiblePlanError(
        f"Several of {len(fixed)} fixed operations, {names} among the first, leave no room for "
        "what has to come before or between them. Leave those free that have not begun."
    )


def _helps(shop: Shop, fixed: Fixed, solve: Solve) -> str:
    """Other constraints, each of which would make all deadlines possible if it were left out."""
    used: dict[Group, bool] = {
        "deadlines": False,
        "closed times": any(each.closed for each in shop.machines.values()),
        "breaks": any(each.breaks for each in shop.machines.values()),
        "set-up times": any(each.setups for each in shop.machines.values()),
        "release dates": any(job.release for job in shop.jobs),
    }
    found = [
        group
        for group in GROUPS
        if used[group] and solve(ShopModel(shop, fixed, "makespan", [group])) is not None
    ]
    if not found:
        return ""
    return f"All could be met without the {' or the '.join(found)}. "


def _named(key: Key) -> str:
    return f"operation {key[1]} of job {key[0]!r}"
