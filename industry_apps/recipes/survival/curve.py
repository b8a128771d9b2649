"""A survival curve on a grid of times: at horizons, its interval, its median, as graph nodes.

Each step has two forms beside each other, on arrays and as nodes; the parity certificate
compares them. Letters: K edges of the grid, H horizons, T times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from industry_apps.features import GraphBuilder
from industry_apps.recipes.survival.metrics import FollowUp, calibration_groups, greenwood

#: Intervals of the grid, and events in each of them at least.
_INTERVALS, FEWEST_EVENTS = 24, 5
#: Survival is kept from 0, where its logarithm has no value.
LEAST = 1e-6
_HALF = float(np.log(0.5))


@dataclass(frozen=True, eq=False)
class Band:
    """Where the observed survival of patients with the same prediction lies, at 95 %.

    At each horizon validation rows are put into groups of equal size by their predicted
    survival; Kaplan and Meier's estimate of each group has Greenwood's interval on the scale of
    log(-log), and between the means of the groups the ends of these are joined.

    Parameters
    ----------
    knots, low, high : ndarray of shape [H, groups]
        Predicted survival, rising in each row, and the ends of the interval there.

    References
    ----------
    Kalbfleisch and Prentice 2002, The Statistical Analysis of Failure Time Data, section 1.4,
    doi:10.1002/9781118032985.
    """

    knots: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]

    @classmethod
    def of(
        cls, survival: NDArray[np.float64], horizons: Sequence[float], follow_up: FollowUp
    ) -> Band:
        """Learn from survival [rows, H] predicted for rows that the model has not seen."""
        found = [
            [
                (float(survival[rows, place].mean()), *greenwood(follow_up.part(rows), horizon))
                for rows in calibration_groups(survival[:, place])
            ]
            for place, horizon in enumerate(horizons)
        ]
        most = max(map(len, found))  # where predictions are equal, there are fewer groups
        table = np.array([[*each, *each[-1:] * (most - len(each))] for each in found])
        steps = np.arange(table.shape[1]) * 1e-4  # so that equal predictions make a rising row
        knots = np.maximum.accumulate(table[:, :, 0], axis=1) + steps
        if knots.shape[1] == 1:
            table, knots = np.repeat(table, 2, axis=1), np.hstack([knots, knots + 1e-4])
        return cls(knots, table[:, :, 1], table[:, :, 2])

    def apply(
        self, survival: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Survival [rows, H] -> both ends [rows, H], which fall with time as survival does."""
        ends = [
            np.column_stack(
                [
                    np.interp(survival[:, k], self.knots[k], values[k])
                    for k in range(len(self.knots))
                ]
            )
            for values in (self.low, self.high)
        ]
        low, high = np.minimum(ends[0], survival), np.maximum(ends[1], survival)
        return np.minimum.accumulate(low, axis=1), np.minimum.accumulate(high, axis=1)

    def write(self, builder: GraphBuilder, survival: str) -> tuple[str, str]:
        """Survival [batch, H] -> both ends [batch, H]."""
        low = builder.node("Min", builder.interpolate(survival, self.knots, self.low), survival)
        high = builder.node("Max", builder.interpolate(survival, self.knots, self.high), survival)
        return _falling(builder, low, len(self.knots)), _falling(builder, high, len(self.knots))


def _falling(builder: GraphBuilder, tensor: str, count: int) -> str:
    columns = [builder.part(tensor, place, place + 1) for place in range(count)]
    for place in range(1, count):
        columns[place] = builder.node("Min", columns[place], columns[place - 1])
    return builder.concat(columns)


def grid(follow_up: FollowUp) -> NDArray[np.float64]:
    """Quantiles of the event times, so that each interval holds events; the last event ends it.

    Some event must come after time 0.
    """
    times = follow_up.time[follow_up.event]
    intervals = max(2, min(_INTERVALS, len(times) // FEWEST_EVENTS))
    edges = np.unique(np.quantile(times, np.linspace(0, 1, intervals + 1)[1:]))
    rising: NDArray[np.float64] = edges[edges > 0].astype(np.float32).astype(np.float64)
    return rising


def lived_and_ended(
    follow_up: FollowUp, edges: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Share of each interval that was survived, and in which the event came: [rows, K] each.

    Who is censored within an interval counts for the part of it that was followed.
    """
    time = follow_up.time[:, None]
    starts = np.append(0.0, edges[:-1])
    lived = np.clip((time - starts) / (edges - starts), 0, 1)
    ended = (time > starts) & (time <= edges) & follow_up.event[:, None]
    ended[:, 0] |= (follow_up.time <= 0) & follow_up.event
    return np.where(ended, 0, lived).astype(np.float32), ended.astype(np.float32)


def between(edges: NDArray[np.float64], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights [K, T] that interpolate a curve from (0, 0) through the edges; constant behind."""
    starts = np.append(0.0, edges[:-1])
    lived = np.clip((times - starts[:, None]) / (edges - starts)[:, None], 0, 1)  # [K, T]
    later = np.vstack([lived[1:], np.zeros(len(times))])
    found: NDArray[np.float64] = lived - later
    return found


def risk_score(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 less the mean of curves at the edges, of which logarithms [rows, K] are given -> [rows].

    About as many events lie between any two edges, so that it ranks over the whole follow-up.
    """
    found: NDArray[np.float64] = 1 - np.exp(logs).mean(axis=1)
    return found


def write_risk_score(builder: GraphBuilder, logs: str) -> str:
    """Logarithm of survival [batch, K] -> risk score [batch, 1]."""
    axis, one = builder.constant(np.array([1])), builder.constant(np.float32(1))
    return builder.node("Sub", one, builder.node("ReduceMean", builder.node("Exp", logs), axis))


def median(logs: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Time by which half would have had the event [rows]; the last edge where it is later."""
    starts = np.append(0.0, edges[:-1])
    before = np.column_stack([np.zeros(len(logs)), logs[:, :-1]])
    share = np.clip((_HALF - before) / np.minimum(logs - before, -LEAST), 0, 1)
    found: NDArray[np.float64] = share @ (edges - starts)
    return found


def write_median(builder: GraphBuilder, logs: str, edges: NDArray[np.float64]) -> str:
    """Logarithm of survival [batch, K] -> median [batch, 1]."""
    shift = np.eye(len(edges), k=1, dtype=np.float32)
    before = builder.node("MatMul", logs, builder.constant(shift))  # [batch, K], 0 first
    step = builder.node("Sub", logs, before)
    zero, one, least, half = (builder.constant(np.float32(x)) for x in (0, 1, -LEAST, _HALF))
    share = builder.node("Div", builder.node("Sub", half, before), builder.node("Min", step, least))
    widths = np.diff(edges, prepend=0.0)[:, None].astype(np.float32)
    inside = builder.node("Clip", share, zero, one)
    return builder.node("MatMul", inside, builder.constant(widths))
