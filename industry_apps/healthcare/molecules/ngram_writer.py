"""Sequences of codes by how often what followed what: the baseline of networks that write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]


class NgramWriter:
    """Probability of the next code by the codes before it, shorter ones where longer are rare.

    Parameters
    ----------
    order : int
        Codes before that count; 0 counts none.
    cardinality : int
        Number of codes; 0 is padding.

    References
    ----------
    Witten and Bell 1991, doi:10.1109/18.87000, for the weights of shorter contexts.

    Examples
    --------
    >>> writer = NgramWriter(1, 5).fit(np.array([[2, 4, 4, 3, 0], [2, 4, 3, 0, 0]]))
    >>> likely, unlikely = writer.likelihood(np.array([[2, 4, 3], [2, 3, 4]]))
    >>> bool(likely > unlikely)
    True
    """

    def __init__(self, order: int, cardinality: int) -> None:
        self.order, self.cardinality = order, cardinality

    def fit(self, codes: Codes) -> NgramWriter:
        """Count what follows what.

        Parameters
        ----------
        codes : ndarray of int, shape [rows, length]
            0 behind the end.
        """
        self.counts_: dict[tuple[int, ...], Counter[int]] = {}
        for context, code in self._places(codes):
            for start in range(len(context) + 1):
                self.counts_.setdefault(context[start:], Counter())[code] += 1
        self._told: dict[tuple[int, ...], NDArray[np.float64]] = {}
        return self

    def likelihood(self, codes: Codes) -> NDArray[np.float64]:
        """Log-likelihood of sequences -> [rows].

        Parameters
        ----------
        codes : ndarray of int, shape [rows, length]
        """
        return np.array(
            [
                sum(np.log(self._next(context)[code]) for context, code in self._places(row[None]))
                for row in codes
            ]
        )

    def sample(
        self, count: int, begin: int, end: int, length: int, seed: int = 0
    ) -> list[list[int]]:
        """Write sequences at random, without begin and end.

        Parameters
        ----------
        count, begin, end, length, seed : int
        """
        draw = np.random.default_rng(seed)
        found = []
        for _ in range(count):
            row = [begin]
            while len(row) < length:
                context = tuple(row[-self.order :]) if self.order else ()
                code = int(draw.choice(self.cardinality, p=self._next(context)))
                if code == end:
                    break
                row.append(code)
            found.append(row[1:])
        return found

    def _places(self, codes: Codes) -> Iterator[tuple[tuple[int, ...], int]]:
        for row in codes.tolist():
            for place in range(1, len(row)):
                if not row[place]:
                    break
                yield tuple(row[max(place - self.order, 0) : place]), row[place]

    def _next(self, context: tuple[int, ...]) -> NDArray[np.float64]:
        """Probability of every code behind a context, which is shortened until it is known."""
        while context and context not in self.counts_:
            context = context[1:]
        if context not in self._told:
            shorter = self._next(context[1:]) if context else self._uniform()
            counts = self.counts_.get(context, Counter())
            seen = np.zeros(self.cardinality)
            seen[list(counts)] = list(counts.values())
            kinds = max(len(counts), 1)
            self._told[context] = (seen + kinds * shorter) / (seen.sum() + kinds)
        return self._told[context]

    def _uniform(self) -> NDArray[np.float64]:
        return np.full(self.cardinality, 1 / self.cardinality)
