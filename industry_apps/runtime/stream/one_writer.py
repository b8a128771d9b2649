"""A state that one thread writes at a time, and a second one is told so."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from industry_apps.errors import StateInUseError


class Written(Protocol):
    """What has a lock for its writers."""

    _writing: Lock


S = TypeVar("S", bound=Written)
P = ParamSpec("P")
T = TypeVar("T")


def one_writer(write: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Refuse a second writer: events of two threads at once would be lost, or there twice.

    Parameters
    ----------
    write : callable
        A method that writes, of an object with a lock ``_writing``.
    """

    @wraps(write)
    def alone(state: S, /, *arguments: P.args, **named: P.kwargs) -> T:
        if not state._writing.acquire(blocking=False):
            raise StateInUseError(
                f"{type(state).__name__}.{write.__name__} was called while another thread writes. "
                "Put one lock around update, confirm, enrich and snapshot."
            )
        try:
            return write(state, *arguments, **named)
        finally:
            state._writing.release()

    return alone
