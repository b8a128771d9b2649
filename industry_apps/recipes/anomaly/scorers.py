"""Scorers that learn normal operation alone: how unlike it a window is, and which columns say so.

Each takes standardised windows in double precision, of as many rows as it asks for (one, where
rows have nothing to do with each other), and answers a score, higher where a window is less like
the normal ones, and a change of each column: what it does to the score, below 0 where the column
reads too low.

Letters in shapes: N windows, L rows of a window, C columns, T rows of a run, D = L C.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder

__all__ = ["Blend", "NearestRows", "Quadratic", "Scorer"]

_Floats = NDArray[np.float64]

#: Normal windows that are kept to compare with, at most, and those that are looked at.
_KEPT, _NEIGHBOURS = 2_000, 5
#: Windows that are compared with them at a time.
_WINDOWS_A_PASS = 1_024


class Scorer(Protocol):
    """What tells a window from normal operation, once it has learned."""

    @property
    def lags(self) -> int:
        """Rows of a window."""

    def score(self, windows: _Floats) -> tuple[_Floats, _Floats]:
        """Windows [N, L, C] -> scores [N], and changes [N, C]."""

    def write(self, builder: GraphBuilder, windows: str) -> tuple[str, str]:
        """Append the same to a graph: tensors of float64 [batch, 1] and [batch, C]."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The squared length of a linear image of the window.

    A change is the contribution of the column by reconstruction: how much of the score a bias of
    this column alone, equal in all rows of the window, would explain, with the sign of the bias.

    Parameters
    ----------
    lags : int
    image : ndarray of float64, shape [K, D]

    References
    ----------
    Alcala and Qin (2009), Reconstruction-based contribution for process monitoring, Automatica
    45(7), 1593-1600, doi:10.1016/j.automatica.2009.02.027.
    """

    lags: int
    image: _Floats

    @property
    def _biases(self) -> _Floats:
        """The images of a bias of each column, each of length 1: [K, C]."""
        images = self.image.reshape(len(self.image), self.lags, -1).sum(axis=1)
        length = np.sqrt((images**2).sum(axis=0))
        return images / np.where(length > 0, length, 1.0)

    def score(self, windows: _Floats) -> tuple[_Floats, _Floats]:
        """Windows [N, L, C] -> scores [N], and changes [N, C]."""
        seen = windows.reshape(len(windows), -1) @ self.image.T
        along = seen @ self._biases
        return (seen**2).sum(axis=1), along * np.abs(along)

    def write(self, builder: GraphBuilder, windows: str) -> tuple[str, str]:
        """Append the same to a graph."""
        flat = _flat(builder, windows)
        seen = builder.node("MatMul", flat, builder.constant(np.ascontiguousarray(self.image.T)))
        along = builder.node("MatMul", seen, builder.constant(self._biases))
        return _length(builder, seen), _signed_square(builder, along)


@dataclass(frozen=True, eq=False)
class NearestRows:
    """The squared distance to the mean of the nearest normal windows.

    A change is the squared difference of the column from this mean, with its sign.

    Parameters
    ----------
    lags : int
    kept : ndarray of float64, shape [M, D]
        Normal windows.
    most : int
        Of them the nearest that a window is compared with.

    References
    ----------
    He and Wang (2007), Fault detection using the k-nearest neighbor rule for semiconductor
    manufacturing processes, doi:10.1109/TSM.2007.907607. There the distances to the neighbours
    are added up; here that to their mean is taken, which columns add up to.
    """

    lags: int
    kept: _Floats
    most: int = _NEIGHBOURS

    @classmethod
    def learn(cls, windows: _Floats, *, kept: int = _KEPT, most: int = _NEIGHBOURS) -> NearestRows:
        """Keep normal windows [N, L, C], evenly spaced ones where there are too many."""
        chosen = np.unique(np.linspace(0, len(windows) - 1, kept).round().astype(int))
        return cls(windows.shape[1], windows[chosen].reshape(len(chosen), -1), most)

    @property
    def neighbours(self) -> int:
        """Normal windows that a window is compared with."""
        return min(self.most, len(self.kept))

    def nearest(self, windows: _Floats) -> NDArray[np.int64]:
        """Windows [N, L, C] -> places of the nearest among the kept ones, [N, neighbours]."""
        flat = windows.reshape(len(windows), -1)
        found = [
            self._order(self._apart(flat[start : start + _WINDOWS_A_PASS]))
            for start in range(0, max(len(flat), 1), _WINDOWS_A_PASS)
        ]
        return np.concatenate(found)

    def _order(self, apart: _Floats) -> NDArray[np.int64]:
        """Places of the smallest distances [N, M] -> [N, neighbours], the first of equal ones."""
        if self.neighbours == 1:
            return apart.argmin(axis=1)[:, None]
        return np.argsort(apart, axis=1, kind="stable")[:, : self.neighbours]

    def score(self, windows: _Floats) -> tuple[_Floats, _Floats]:
        """Windows [N, L, C] -> scores [N], and changes [N, C]."""
        usual = self.kept[self.nearest(windows)].mean(axis=1).reshape(windows.shape)
        apart = windows - usual
        squares = apart * np.abs(apart)
        return (apart**2).sum(axis=(1, 2)), squares.sum(axis=1)

    def write(self, builder: GraphBuilder, windows: str) -> tuple[str, str]:
        """Append the same to a graph."""
        node, constant = builder.node, builder.constant
        flat = _flat(builder, windows)
        twice = node("MatMul", flat, constant(np.ascontiguousarray(-2 * self.kept.T)))
        apart = node("Add", twice, constant((self.kept**2).sum(axis=1)))
        _, places = builder.smallest(apart, constant(np.array([self.neighbours])))
        near = node("Gather", constant(self.kept), places)  # [batch, neighbours, D]
        usual = node("ReduceMean", near, constant(np.array([1])), attributes={"keepdims": 0})
        change = node("Sub", flat, usual)
        shape = constant(np.array([0, self.lags, self.kept.shape[1] // self.lags]))
        squares = node("Reshape", _signed_square(builder, change), shape)
        axis = constant(np.array([1]))
        changes = node("ReduceSum", squares, axis, attributes={"keepdims": 0})
        return _length(builder, change), changes

    def _apart(self, flat: _Floats) -> _Floats:
        """Squared distances, less what is equal for all kept ones, [N, M]."""
        found: _Floats = (self.kept**2).sum(axis=1) - 2 * flat @ self.kept.T
        return found


@dataclass(frozen=True, eq=False)
class Blend:
    """The mean of several scorers, each in units of its own threshold.

    Parameters
    ----------
    members : sequence of Scorer
        Each looks at the last rows of the window.
    units : sequence of float
        A score of each that is as unusual as one of the others.
    """

    members: Sequence[Scorer]
    units: Sequence[float]

    @property
    def lags(self) -> int:
        """Rows of the longest window among the members."""
        return max(member.lags for member in self.members)

    def score(self, windows: _Floats) -> tuple[_Floats, _Floats]:
        """Windows [N, L, C] -> scores [N], and changes [N, C]."""
        found = [member.score(windows[:, self.lags - member.lags :]) for member in self.members]
        scores = [score / unit for (score, _), unit in zip(found, self.units, strict=True)]
        changes = [change / unit for (_, change), unit in zip(found, self.units, strict=True)]
        return np.mean(scores, axis=0), np.mean(changes, axis=0)

    def write(self, builder: GraphBuilder, windows: str) -> tuple[str, str]:
        """Append the same to a graph."""
        parts: tuple[list[str], list[str]] = ([], [])
        for member, unit in zip(self.members, self.units, strict=True):
            own = builder.part(windows, self.lags - member.lags, self.lags)
            share = builder.constant(np.float64(1 / (unit * len(self.members))))
            for kept, tensor in zip(parts, member.write(builder, own), strict=True):
                kept.append(builder.node("Mul", tensor, share))
        score, changes = (_total(builder, each) for each in parts)
        return score, changes


def _total(builder: GraphBuilder, tensors: Sequence[str]) -> str:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = builder.node("Add", total, tensor)
    return total


def _flat(builder: GraphBuilder, windows: str) -> str:
    """[batch, L, C] -> [batch, D]."""
    return builder.node("Reshape", windows, builder.constant(np.array([0, -1])))


def _length(builder: GraphBuilder, rows: str) -> str:
    """[batch, K] -> its squared length [batch, 1]."""
    return builder.node(
        "ReduceSum", builder.node("Mul", rows, rows), builder.constant(np.array([1]))
    )


def _signed_square(builder: GraphBuilder, x: str) -> str:
    return builder.node("Mul", x, builder.node("Abs", x))
