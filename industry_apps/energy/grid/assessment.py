"""How a stand-in for DC optimal power flow is judged: what it costs more, and what it overloads."""

from __future__ import annotations

import numpy as np

from industry_apps.energy.grid.cases import Floats
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem

#: MW up to which a line, or the balance, counts as kept.
KEPT_MW = 0.01

#: Outputs for loads, beside the optimal ones.
DISPATCH = Problem(
    name="dispatch",
    metrics=(
        Metric(
            "mean_gap",
            "extra cost as a share of the optimum; 1 where a line or the balance is not kept",
            "low",
        ),
        Metric("feasible", "share of records in which lines and balance are kept"),
        Metric("gap_where_feasible", "extra cost as a share of the optimum, of these", "low"),
        Metric("largest_overload_mw", "of any line in any record, in MW", "low"),
    ),
    trivial=("base dispatch, scaled",),
)


def dispatch_bootstrap(
    optimal: Floats, cost: Floats, overload: Floats, unserved: Floats
) -> BootstrapResult:
    """Compare the costs of answers with the least possible ones.

    Parameters
    ----------
    optimal, cost : ndarray of shape [records]
        In $/h.
    overload : ndarray of shape [records]
        Of the line that is overloaded most, in MW.
    unserved : ndarray of shape [records]
        Load less output, in MW.

    Examples
    --------
    >>> found = dispatch_bootstrap(
    ...     np.array([100.0, 100.0]), np.array([101.0, 90.0]), np.array([0.0, 5.0]), np.zeros(2)
    ... )
    >>> round(found.values["mean_gap"], 3), found.values["feasible"]
    (0.505, 0.5)
    """
    kept = (overload <= KEPT_MW) & (np.abs(unserved) <= KEPT_MW)
    gap = (cost - optimal) / np.maximum(np.abs(optimal), 1e-9)
    punished = np.where(kept, gap, 1.0)

    def where_feasible(weight: Floats) -> float:
        share = weight * kept
        return float(share @ gap / share.sum()) if share.any() else float("nan")

    return bootstrap(
        {
            "mean_gap": lambda weight: float(weight @ punished / weight.sum()),
            "feasible": lambda weight: float(weight @ kept / weight.sum()),
            "gap_where_feasible": where_feasible,
            "largest_overload_mw": lambda weight: float(overload[weight > 0].max()),
        },
        None,
        len(optimal),
    )
