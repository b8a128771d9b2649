"""Manufacturing: defects of parts, the remaining life of machines, orders and schedules."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "DefectDetector",
    "FailureAlarm",
    "InventoryPlanner",
    "MachineLifePredictor",
    "ProductionScheduler",
    "RemainingLifeEstimator",
    "plan_stock",
    "remaining_life",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DefectDetector": "defect_detection",
        "FailureAlarm": "failure_alarm",
        "InventoryPlanner": "supply_chain",
        "MachineLifePredictor": "machine_life",
        "ProductionScheduler": "production_scheduling",
        "RemainingLifeEstimator": "predictive_maintenance",
        "plan_stock": "inventory.stock_table",
        "remaining_life": "predictive_maintenance",
    },
)
