"""Manufacturing: remaining life of machines."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["RemainingLifeEstimator", "remaining_life"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "RemainingLifeEstimator": "predictive_maintenance",
        "remaining_life": "predictive_maintenance",
    },
)
