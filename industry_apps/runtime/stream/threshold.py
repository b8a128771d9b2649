"""A threshold that follows the scores of a stream within a bound, and says where it went."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from industry_apps.errors import ParameterError, SchemaError

__all__ = ["FollowedThreshold", "Move"]

#: Moves that are kept.
_KEPT = 1_000


class Move(NamedTuple):
    """A move of the threshold that was worth a line.

    Parameters
    ----------
    scores : int
        Seen until then.
    value : float
        Where the threshold lies now, above where it began.
    at_bound : bool
        Whether the bound keeps it from going on.
    """

    scores: int
    value: float
    at_bound: bool


class FollowedThreshold:
    """Raises alerts from a threshold on that keeps to a rate while traffic drifts.

    Off by default: with a bound of 0 it is what the file says, an alert from a score of 0 on. With
    a bound, whoever sends many odd flows slowly can move it that far, and no further: an attacker
    can teach it. Each move of a tenth of the bound is written down in ``moves``, which keep the
    latest thousand.

    Parameters
    ----------
    rate : float
        Wanted share of alerts, in (0, 1).
    bound : float
        Furthest that it may move either way, in units of the score; >= 0.
    memory : float
        Scores over which it moves by about one unit of the score, > 1.

    Notes
    -----
    Memory is constant: the threshold, a count, and the latest moves.

    References
    ----------
    Robbins and Monro (1951), A stochastic approximation method, doi:10.1214/aoms/1177729586: after
    each score the threshold rises by a step where there was an alert, and falls by the share of
    the rate where there was none.

    Examples
    --------
    >>> fixed = FollowedThreshold(rate=0.01)
    >>> fixed.update(-0.1), fixed.update(0.1), fixed.value
    (False, True, 0.0)
    >>> followed = FollowedThreshold(rate=0.01, bound=0.5, memory=10)
    >>> raised = [followed.update(2.0) for _ in range(100)]
    >>> followed.value, followed.moves[-1].at_bound
    (0.5, True)
    """

    def __init__(self, *, rate: float, bound: float = 0.0, memory: float = 10_000.0) -> None:
        limits = (
            ("rate", rate, 0 < rate < 1, "in (0, 1)"),
            ("bound", bound, 0 <= bound < float("inf"), "finite and >= 0"),
            ("memory", memory, 1 < memory < float("inf"), "finite and > 1"),
        )
        for name, value, fits, words in limits:
            if not fits:
                raise ParameterError(
                    f"The {name!r} parameter of FollowedThreshold must be {words}. Got {value!r}."
                )
        self.rate, self.bound, self.memory = rate, bound, memory
        self.value, self.count = 0.0, 0
        self.moves: deque[Move] = deque(maxlen=_KEPT)

    def update(self, score: float) -> bool:
        """Whether a score raises an alert, by the threshold before it; then follow it.

        Parameters
        ----------
        score : float
            Of the file: how far above its threshold.

        Raises
        ------
        SchemaError
            It is not finite; the threshold is then as it was.
        """
        if not abs(score) < float("inf"):
            raise SchemaError(f"A score must be a finite number, got {score!r}. Check the model.")
        alert = score >= self.value
        self.count += 1
        if self.bound:
            moved = self.value + (float(alert) - self.rate) / self.memory
            self.value = min(max(moved, -self.bound), self.bound)
            last = self.moves[-1].value if self.moves else 0.0
            at_bound = abs(self.value) == self.bound
            if abs(self.value - last) >= self.bound / 10 or (at_bound and abs(last) < self.bound):
                self.moves.append(Move(self.count, self.value, at_bound))
        return alert
