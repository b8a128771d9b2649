"""Schedules by a rule of priority: what a shop floor does without a plan.

References
----------
Giffler, B. and Thompson, G. L. (1960). Algorithms for solving production-scheduling problems.
Operations Research 8, 487-503, doi:10.1287/opre.8.4.487. Panwalkar, S. S. and Iskander, W. (1977).
A survey of scheduling rules. Operations Research 25, 45-61, doi:10.1287/opre.25.1.45.
"""

from __future__ import annotations

from typing import Literal

from industry_apps.manufacturing.scheduling.jobs import Key, Shop

Rule = Literal["shortest_operation", "most_work_remaining"]


def dispatched(shop: Shop, rule: Rule) -> dict[Key, tuple[str, int]]:
    """Let the rule choose each time that several jobs wait for a machine.

    It is for shops whose machines are always open and need no set-up: schedules are active, no
    operation could start earlier without another starting later.

    Parameters
    ----------
    shop : Shop
        Of operations that have the first of their machines to themselves.
    rule : {"shortest_operation", "most_work_remaining"}

    Returns
    -------
    dict of (job, position) to (machine, start)

    Examples
    --------
    >>> from industry_apps.manufacturing.scheduling.jobs import Job, Operation
    >>> jobs = [Job(name=name, operations=[Operation(machines={"saw": time})])
    ...     for name, time in (("A", 5), ("B", 2))]
    >>> dispatched(Shop.of(jobs), "shortest_operation")
    {('B', 0): ('saw', 0), ('A', 0): ('saw', 2)}
    """
    left = {job.name: list(enumerate(job.operations)) for job in shop.jobs}
    work = {job.name: job.shortest for job in shop.jobs}
    ready = {job.name: job.release for job in shop.jobs}
    free = dict.fromkeys(shop.machines, 0)
    found: dict[Key, tuple[str, int]] = {}
    while left:
        waiting = {}
        for name, operations in left.items():
            machine, duration = next(iter(operations[0][1].machines.items()))
            waiting[name] = machine, max(ready[name], free[machine]), duration
        # The operation that would end first says on which machine there is a choice to make.
        first = min(waiting, key=lambda name: waiting[name][1] + waiting[name][2])
        machine, end = waiting[first][0], waiting[first][1] + waiting[first][2]
        rivals = [
            name
            for name, (where, start, duration) in waiting.items()
            if where == machine and (start < end or duration == 0)
        ]
        chosen = (
            min(rivals, key=lambda name: waiting[name][2])
            if rule == "shortest_operation"
            else max(rivals, key=lambda name: work[name])
        )
        _, start, duration = waiting[chosen]
        position, _ = left[chosen].pop(0)
        found[chosen, position] = machine, start
        ready[chosen] = free[machine] = start + duration
        work[chosen] -= duration
        if not left[chosen]:
            del left[chosen]
    return found
