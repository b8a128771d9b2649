"""Retail: recommendation, demand forecasting and sentiment."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["DemandForecaster", "Recommender"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DemandForecaster": "demand_forecasting",
        "Recommender": "recommendation",
    },
)
