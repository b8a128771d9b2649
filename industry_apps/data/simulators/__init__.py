"""Data sets that are computed instead of downloaded: documented, seeded, called simulated."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "card_transactions",
    "daily_prices",
    "designed_molecules",
    "grey_scans",
    "loan_applications",
    "patient_follow_up",
    "patient_stays",
    "product_reviews",
    "shop_purchases",
    "store_sales",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "card_transactions": "transactions",
        "daily_prices": "prices",
        "designed_molecules": "molecules",
        "loan_applications": "loans",
        "patient_follow_up": "patients",
        "patient_stays": "patients",
        "product_reviews": "reviews",
        "grey_scans": "scans",
        "shop_purchases": "baskets",
        "store_sales": "sales",
    },
)
