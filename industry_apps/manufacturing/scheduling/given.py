"""Checks of what a plan is made of: jobs and machines, and the names that join them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from industry_apps.errors import ParameterError, nearest

if TYPE_CHECKING:
    from industry_apps.manufacturing.scheduling.jobs import Job, Machine

_Given = TypeVar("_Given")


def all_of(kind: type[_Given], given: Any, words: str) -> list[_Given]:
    """List what is given, or refuse what is not all of a kind.

    Parameters
    ----------
    kind : type
    given : object
    words : str
        What is expected.

    Raises
    ------
    ParameterError
    """
    listed = list(given) if isinstance(given, Iterable) and not isinstance(given, Mapping) else None
    if listed is None or not all(isinstance(each, kind) for each in listed):
        raise ParameterError(f"A plan is made of {words}. Got {given!r} instead.")
    return listed


def check_names(jobs: Sequence[Job], machines: Sequence[Machine]) -> None:
    """Refuse machines and families that no operation names, where they may be misspelt.

    They are not, where each name that operations have is given, too: then they are idle.

    Parameters
    ----------
    jobs : sequence of Job
    machines : sequence of Machine

    Raises
    ------
    ParameterError
        Names the nearest name of those that operations have, and that are not given.
    """
    on: dict[str, set[str]] = {}
    for job in jobs:
        for operation in job.operations:
            for name in operation.machines:
                on.setdefault(name, {""}).add(operation.family)
    named = {"", *(family for families in on.values() for family in families)}
    without = sorted(set(on) - {machine.name for machine in machines})
    for machine in machines:
        if machine.name not in on and without and (machine.calendar.last or machine.setups):
            raise ParameterError(
                f"Machine {machine.name!r} has closed times, breaks or set-up times, and no "
                f"operation names it; operations name {_likely(machine.name, without)} Correct the "
                "name, or leave the machine out. If it is only idle in this plan, give the others "
                "as Machine(name=...), too."
            )
        families = {family for pair in machine.setups for family in pair}
        lacking = sorted(on.get(machine.name, set()) - families - {""})
        for family in sorted(families - named):
            if lacking:
                raise ParameterError(
                    f"Machine {machine.name!r} has set-up times of the family {family!r}, of which "
                    f"is no operation; operations are of {_likely(family, lacking)} Correct the "
                    "name, or leave these times out. If it is only not made in this plan, give "
                    "set-up times of the others, too, 0 where there are none."
                )


def _likely(name: str, lacking: Sequence[str]) -> str:
    near = (nearest(name, lacking) or lacking)[0]
    return f"{', '.join(map(repr, lacking))}, which are not given. Did you mean {near!r}?"
