"""Metrics with intervals, baselines, and the report that sets them side by side."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "Costs",
    "EntityDays",
    "Estimate",
    "Metric",
    "Problem",
    "Published",
    "Report",
    "Section",
    "auroc",
    "average_precision",
    "bootstrap",
    "brier",
    "compare_variants",
    "merged",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Costs": "costs",
        "EntityDays": "decisions",
        "Metric": "problems",
        "Problem": "problems",
        "Estimate": "intervals",
        "Published": "report",
        "Report": "report",
        "Section": "sections",
        "auroc": "metrics",
        "average_precision": "metrics",
        "bootstrap": "intervals",
        "brier": "metrics",
        "compare_variants": "variants",
        "merged": "repeats",
    },
)
