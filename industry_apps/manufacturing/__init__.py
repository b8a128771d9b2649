"""Manufacturing: remaining life of machines, and when to replace them."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["FailureAlarm", "MachineLifePredictor", "RemainingLifeEstimator", "remaining_life"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "FailureAlarm": "failure_alarm",
        "MachineLifePredictor": "machine_life",
        "RemainingLifeEstimator": "predictive_maintenance",
        "remaining_life": "predictive_maintenance",
    },
)
