"""Survival of what has reached an age already: S(a + t) / S(a), as graph nodes.

Each step has two forms beside each other, on arrays and as nodes. Curves are logarithms of survival
at the edges of a grid, [rows, K], as :mod:`industry_apps.recipes.survival.curve` has them; ages are
[rows]. Letters: K edges of the grid, H times ahead.

References
----------
Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, section 1.2,
doi:10.1002/9781118032985.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.recipes.survival.curve import LEAST

_Floats = NDArray[np.float64]

_HALF = float(np.log(0.5))


def _steps(logs: _Floats) -> tuple[_Floats, _Floats]:
    """Logarithm before each interval, and its change within, [rows, K] each."""
    before = np.column_stack([np.zeros(len(logs)), logs[:, :-1]])
    return before, logs - before


def log_survival_at(logs: _Floats, edges: _Floats, times: _Floats) -> _Floats:
    """Logarithm of survival at a time of each row's own [rows], constant behind the last edge."""
    starts = np.append(0.0, edges[:-1])
    lived = np.clip((times[:, None] - starts) / (edges - starts), 0, 1)
    found: _Floats = (lived * _steps(logs)[1]).sum(axis=1)
    return found


def failure_within(logs: _Floats, edges: _Floats, ages: _Floats, ahead: Sequence[float]) -> _Floats:
    """Probability of the event within some times, of what has reached its age, [rows, H]."""
    reached = log_survival_at(logs, edges, ages)
    later = [log_survival_at(logs, edges, ages + time) for time in ahead]
    found: _Floats = 1 - np.exp(np.column_stack(later) - reached[:, None])
    return found


def median_remaining(logs: _Floats, edges: _Floats, ages: _Floats) -> _Floats:
    """Time after which half of those that have reached the age have had the event, [rows].

    What is left until the last edge, where more than half live to see it.
    """
    starts = np.append(0.0, edges[:-1])
    before, step = _steps(logs)
    target = log_survival_at(logs, edges, ages) + _HALF
    share = np.clip((target[:, None] - before) / np.minimum(step, -LEAST), 0, 1)
    found: _Floats = np.maximum(share @ (edges - starts) - ages, 0)
    return found


class AgeNodes:
    """The same as nodes of a graph, behind a curve [batch, K] and ages [batch, 1].

    Parameters
    ----------
    builder : GraphBuilder
    logs, ages : str
    edges : ndarray of shape [K]
    """

    def __init__(self, builder: GraphBuilder, logs: str, ages: str, edges: _Floats) -> None:
        self.builder, self.ages = builder, ages
        self._starts = np.append(0.0, edges[:-1]).astype(np.float32)
        self._widths = np.diff(edges, prepend=0.0).astype(np.float32)
        shift = np.eye(len(edges), k=1, dtype=np.float32)
        self._before = builder.node("MatMul", logs, builder.constant(shift))  # [batch, K], 0 first
        self._step = builder.node("Sub", logs, self._before)
        self._reached = self._log_at(ages)

    def failure_within(self, ahead: Sequence[float]) -> str:
        """Probability of the event within some times -> tensor [batch, H]."""
        node, one = self.builder.node, self.builder.constant(np.float32(1))
        later = [
            self._log_at(node("Add", self.ages, self.builder.constant(np.float32(time))))
            for time in ahead
        ]
        apart = node("Sub", self.builder.concat(later), self._reached)
        return node("Sub", one, node("Exp", apart))

    def median_remaining(self) -> str:
        """Time after which half have had the event -> tensor [batch, 1]."""
        node, constant = self.builder.node, self.builder.constant
        zero, one, least, half = (constant(np.float32(x)) for x in (0, 1, -LEAST, _HALF))
        target = node("Add", self._reached, half)
        share = node("Div", node("Sub", target, self._before), node("Min", self._step, least))
        lived = node("MatMul", node("Clip", share, zero, one), constant(self._widths[:, None]))
        return node("Max", node("Sub", lived, self.ages), zero)

    def _log_at(self, times: str) -> str:
        """Logarithm of survival at times [batch, 1] -> tensor [batch, 1]."""
        node, constant = self.builder.node, self.builder.constant
        zero, one = constant(np.float32(0)), constant(np.float32(1))
        lived = node("Sub", times, constant(self._starts))
        lived = node("Clip", node("Div", lived, constant(self._widths)), zero, one)
        return node("ReduceSum", node("Mul", lived, self._step), constant(np.array([1])))
