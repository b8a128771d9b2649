"""Model files in front of people and programs: a server that answers, is swapped and rolls back."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["Limits", "Served", "Settings", "create_app"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Limits": "settings",
        "Served": "served",
        "Settings": "settings",
        "create_app": "app",
    },
    extra="serve",
)
