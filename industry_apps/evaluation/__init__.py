"""Metrics with intervals, baselines, and the report that sets them side by side."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "LOWER_IS_BETTER",
    "Baseline",
    "BootstrapResult",
    "Costs",
    "DecisionCurves",
    "EntityDays",
    "Estimate",
    "Published",
    "Report",
    "auroc",
    "average_precision",
    "bootstrap",
    "brier",
    "calibration_error",
    "cost_optimal_threshold",
    "decision_bootstrap",
    "decision_metrics",
    "digits_of",
    "entity_precision_at",
    "expected_cost",
    "fit_decision_baselines",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "LOWER_IS_BETTER": "metrics",
        "Baseline": "baselines",
        "BootstrapResult": "intervals",
        "Costs": "metrics",
        "DecisionCurves": "decisions",
        "EntityDays": "decisions",
        "Estimate": "intervals",
        "Published": "report",
        "Report": "report",
        "auroc": "metrics",
        "average_precision": "metrics",
        "bootstrap": "intervals",
        "brier": "metrics",
        "calibration_error": "metrics",
        "cost_optimal_threshold": "metrics",
        "decision_bootstrap": "decisions",
        "decision_metrics": "decisions",
        "digits_of": "intervals",
        "entity_precision_at": "decisions",
        "expected_cost": "metrics",
        "fit_decision_baselines": "baselines",
    },
)
