"""Data sets that are computed instead of downloaded: documented, seeded, called simulated."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "card_transactions",
    "daily_prices",
    "designed_molecules",
    "domain_names",
    "executable_files",
    "grey_scans",
    "grid_loads",
    "hourly_load",
    "hourly_sun",
    "line_faults",
    "loan_applications",
    "maintenance_records",
    "network_flows",
    "part_photographs",
    "patient_follow_up",
    "patient_stays",
    "person_patterns",
    "product_orders",
    "product_reviews",
    "reactor_runs",
    "shop_purchases",
    "store_sales",
    "web_addresses",
    "wind_turbine",
    "worn_machines",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "card_transactions": "finance.transactions",
        "daily_prices": "finance.prices",
        "designed_molecules": "healthcare.molecules",
        "domain_names": "cybersecurity.names",
        "executable_files": "cybersecurity.executables",
        "grid_loads": "energy.grid_loads",
        "line_faults": "energy.line_faults",
        "loan_applications": "finance.loans",
        "maintenance_records": "manufacturing.maintenance",
        "network_flows": "cybersecurity.flows",
        "part_photographs": "manufacturing.parts",
        "patient_follow_up": "healthcare.patients",
        "patient_stays": "healthcare.patients",
        "person_patterns": "cybersecurity.patterns",
        "product_orders": "manufacturing.orders",
        "product_reviews": "retail.reviews",
        "hourly_load": "energy.load",
        "reactor_runs": "energy.reactor",
        "hourly_sun": "energy.sun",
        "grey_scans": "healthcare.scans",
        "shop_purchases": "retail.baskets",
        "store_sales": "retail.sales",
        "wind_turbine": "energy.wind",
        "web_addresses": "cybersecurity.urls",
        "worn_machines": "manufacturing.wear",
    },
)
