"""A progress line on standard error, for work of more than two seconds, in a terminal only."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_WAIT_SECONDS = 2.0
_WIDTH = 30


def progress(items: Iterable[tuple[T, float]], label: str) -> Iterator[T]:
    """Pass items through and show how far they are.

    Parameters
    ----------
    items : iterable of (item, share done)
    label : str

    Examples
    --------
    >>> list(progress([("a", 0.5), ("b", 1.0)], "example"))
    ['a', 'b']
    """
    started = time.monotonic()
    shown = False
    for item, done in items:
        yield item
        if sys.stderr.isatty() and time.monotonic() - started > _WAIT_SECONDS:
            filled = "#" * round(done * _WIDTH)
            sys.stderr.write(f"\r{label} [{filled:<{_WIDTH}}] {done:4.0%}")
            sys.stderr.flush()
            shown = True
    if shown:
        sys.stderr.write("\n")


def tracked(items: Sequence[T], label: str) -> Iterator[T]:
    """Pass items through, each of which takes about as long, and show how far they are.

    Parameters
    ----------
    items : sequence
    label : str

    Examples
    --------
    >>> list(tracked("ab", "example"))
    ['a', 'b']
    """
    done = ((item, number / len(items)) for number, item in enumerate(items, start=1))
    return progress(done, label)
