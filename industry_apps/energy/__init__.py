"""Energy: the load of the grid."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["LoadForecaster"]

__getattr__, __dir__ = lazy_names(__name__, {"LoadForecaster": "load_forecasting"})
