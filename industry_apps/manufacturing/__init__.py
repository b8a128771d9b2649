"""Manufacturing: orders and stock, and schedules of jobs on machines."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["InventoryPlanner", "ProductionScheduler", "plan_stock"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "InventoryPlanner": "supply_chain",
        "ProductionScheduler": "production_scheduling",
        "plan_stock": "inventory.stock_table",
    },
)
