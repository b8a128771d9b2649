"""Data sets that are computed instead of downloaded: documented, seeded, called simulated."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "card_transactions",
    "daily_prices",
    "designed_molecules",
    "grey_scans",
    "loan_applications",
    "part_photographs",
    "patient_follow_up",
    "patient_stays",
    "product_reviews",
    "shop_purchases",
    "store_sales",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "card_transactions": "finance.transactions",
        "daily_prices": "finance.prices",
        "designed_molecules": "healthcare.molecules",
        "loan_applications": "finance.loans",
        "part_photographs": "manufacturing.parts",
        "patient_follow_up": "healthcare.patients",
        "patient_stays": "healthcare.patients",
        "product_reviews": "retail.reviews",
        "grey_scans": "healthcare.scans",
        "shop_purchases": "retail.baskets",
        "store_sales": "retail.sales",
    },
)
