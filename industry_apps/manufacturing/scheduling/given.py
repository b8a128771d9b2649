"""Checks of what a plan is made of: jobs and machines, and the names that join them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from industry_apps.errors import ParameterError, nearest

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


def check_names(
    on: Mapping[str, Collection[str]], told: Mapping[str, Collection[str] | None]
) -> None:
    """Refuse machines and families that no operation names, where they may be misspelt.

    They are not, where each name that operations have is given, too: then they are idle.

    Parameters
    ----------
    on : mapping of str to collection of str
        Machine that operations name -> their families.
    told : mapping of str to collection of str
        Machine that is given -> families that its set-up times name; None where it has neither a
        calendar nor set-up times.

    Raises
    ------
    ParameterError
        Names the nearest name of those that operations have, and that are not given.
    """
    without = sorted(set(on) - set(told))
    made = {"", *(family for families in on.values() for family in families)}
    for machine, families in told.items():
        if machine not in on and without and families is not None:
            raise ParameterError(
                f"Machine {machine!r} has closed times, breaks or set-up times, and no operation "
                f"names it; operations name {_likely(machine, without)} Correct the name, or leave "
                "the machine out. If it is only idle in this plan, give the others as "
                "Machine(name=...), too."
            )
        lacking = sorted(set(on.get(machine, ())) - {"", *(families or ())})
        for family in sorted(set(families or ()) - made):
            if lacking:
                raise ParameterError(
                    f"Machine {machine!r} has set-up times of the family {family!r}, of which is "
                    f"no operation; operations are of {_likely(family, lacking)} Correct the name, "
                    "or leave these times out. If it is only not made in this plan, give set-up "
                    "times of the others, too, 0 where there are none."
                )


def _likely(name: str, lacking: Sequence[str]) -> str:
    near = (nearest(name, lacking) or lacking)[0]
    return f"{', '.join(map(repr, lacking))}, which are not given. Did you mean {near!r}?"
