"""Healthcare: predictive analytics and survival."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["OutcomePredictor", "SurvivalPredictor"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "OutcomePredictor": "predictive_analytics",
        "SurvivalPredictor": "survival",
    },
)
