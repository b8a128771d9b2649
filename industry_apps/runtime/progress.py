"""Progress on standard error, of work that takes more than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")

_WAIT_SECONDS = 2.0
_WIDTH = 30


class Steps:
    """Shows how far some work is, once it takes more than two seconds.

    In a terminal it is a bar; where the output is a log, a line for each tenth.

    Parameters
    ----------
    label : str
    """

    def __init__(self, label: str) -> None:
        self._label, self._started = label, time.monotonic()
        self._bar, self._tenth = False, 0

    def at(self, done: float) -> None:
        """Take note that a share in [0, 1] is done."""
        if time.monotonic() - self._started <= _WAIT_SECONDS:
            return
        if sys.stderr.isatty():
            filled = "#" * round(done * _WIDTH)
            sys.stderr.write(f"\r{self._label} [{filled:<{_WIDTH}}] {done:4.0%}")
            self._bar = True
        elif int(10 * done) > self._tenth:
            self._tenth = int(10 * done)
            sys.stderr.write(f"{self._label}: {done:.0%}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """End the line of a bar."""
        if self._bar:
            sys.stderr.write("\n")


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
    shown = Steps(label)
    for item, done in items:
        yield item
        shown.at(done)
    shown.end()


def tracked(items: Sequence[T], label: str) -> Iterator[T]:
    """Pass items through, each of which takes about as long, and show how far they are.

    Of a single one nothing is shown: it is all or nothing.

    Parameters
    ----------
    items : sequence
    label : str

    Examples
    --------
    >>> list(tracked("ab", "example"))
    ['a', 'b']
    """
    if len(items) == 1:
        return iter(items)
    done = ((item, number / len(items)) for number, item in enumerate(items, start=1))
    return progress(done, label)
