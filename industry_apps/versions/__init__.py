"""Versions of a model file: kept by digest, one of them in production, all in a log."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["Entry", "Store"]

__getattr__, __dir__ = lazy_names(__name__, {"Entry": "log", "Store": "store"})
