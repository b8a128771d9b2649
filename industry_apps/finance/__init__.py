"""Finance: fraud detection."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["FraudDetector"]

__getattr__, __dir__ = lazy_names(__name__, {"FraudDetector": "fraud_detection"})
