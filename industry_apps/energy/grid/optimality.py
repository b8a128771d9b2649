"""Is an answer optimal? The conditions of Karush, Kuhn and Tucker, measured.

Prices of the rows give a lower bound of the cost that holds whatever solver found them (the
Lagrangian dual; Boyd and Vandenberghe 2004, Convex Optimization, section 5.1.3): where it meets
the cost of an answer that keeps all limits, nothing is cheaper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from industry_apps.energy.grid.cases import Floats
from industry_apps.energy.grid.programs import Program

#: What an answer may be off: of MW, and of the cost as a share.
MOST_VIOLATION_MW = 1e-5
MOST_GAP = 1e-7
#: A column without limits has a cost that its rows repay, but for this share of the largest price.
MOST_IMBALANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimality:
    """How far an answer is from the conditions of optimality.

    Parameters
    ----------
    violation : float
        Largest violation of a limit or balance in MW (angles in rad): primal feasibility.
    imbalance : float
        Largest reduced cost of a column without limits, as a share of the largest price:
        stationarity.
    gap : float
        Cost less the lower bound that the prices prove, as a share of the cost:
        complementary slackness and dual feasibility in one figure.

    Examples
    --------
    >>> Optimality(violation=0.0, imbalance=0.0, gap=2e-9).holds
    True
    """

    violation: float
    imbalance: float
    gap: float

    @property
    def holds(self) -> bool:
        """Whether nothing is off by more than rounding."""
        return (
            self.violation <= MOST_VIOLATION_MW
            and self.imbalance <= MOST_IMBALANCE
            and abs(self.gap) <= MOST_GAP
        )

    def worst(self, other: Optimality) -> Optimality:
        """The larger of each figure."""
        return Optimality(
            violation=max(self.violation, other.violation),
            imbalance=max(self.imbalance, other.imbalance),
            gap=max(self.gap, other.gap, key=abs),
        )

    def __str__(self) -> str:
        return (
            f"largest violation {self.violation:.1e} MW, stationarity {self.imbalance:.1e} of the "
            f"largest price, gap to the proven bound {self.gap:.1e} of the cost"
        )


def check_optimality(program: Program, x: Floats, prices: Floats) -> Optimality:
    """Measure an answer and the prices of its rows against the conditions of optimality.

    Parameters
    ----------
    program : Program
        Convex; what has to be whole is taken as it is.
    x : ndarray of shape [columns]
    prices : ndarray of shape [rows]
        What a unit more of the limit of a row adds to the cost.
    """
    value = program.rows @ x
    over = [program.low - value, value - program.high, program.least - x, x - program.most]
    violation = max(float(each.max(initial=0.0)) for each in over)
    # A price whose limit is infinite proves nothing.
    up = np.where(np.isfinite(program.low), np.maximum(prices, 0), 0.0)
    down = np.where(np.isfinite(program.high), np.minimum(prices, 0), 0.0)
    limits = [np.where(np.isfinite(v), v, 0.0) for v in (program.low, program.high)]
    bound = float(up @ limits[0] + down @ limits[1])
    slope = program.cost - program.rows.T @ (up + down)
    bound += float(_cheapest(program, slope).sum())
    free = ~(np.isfinite(program.least) & np.isfinite(program.most))
    largest = max(1.0, float(np.abs(prices).max(initial=0.0)))
    reduced = slope + 2 * program.square * x
    away = np.where(reduced > 0, np.isfinite(program.least), np.isfinite(program.most))
    imbalance = float(np.abs(np.where(free & ~away, reduced, 0.0)).max(initial=0.0)) / largest
    cost = program.objective(x)
    return Optimality(
        violation=violation, imbalance=imbalance, gap=(cost - bound) / max(1.0, abs(cost))
    )


def _cheapest(program: Program, slope: Floats) -> Floats:
    """Least value of ``square * x**2 + slope * x`` of each column within its limits.

    Where that is minus infinity, which a reduced cost of rounding size makes of a column without
    limits, 0 stands; the imbalance tells of it.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = np.where(program.square > 0, -slope / (2 * program.square), np.nan)
    edge = np.where(slope > 0, program.least, program.most)
    best = np.where(program.square > 0, np.clip(inner, program.least, program.most), edge)
    best = np.where(np.isfinite(best), best, 0.0)
    found: Floats = program.square * best**2 + slope * best
    return found
