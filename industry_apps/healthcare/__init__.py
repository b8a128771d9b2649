"""Healthcare: drug discovery."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["PropertyPredictor"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "PropertyPredictor": "drug_discovery",
    },
)
