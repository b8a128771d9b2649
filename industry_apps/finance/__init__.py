"""Finance: fraud detection and credit scoring."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["CreditScorer", "FraudDetector"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CreditScorer": "credit_scoring",
        "FraudDetector": "fraud_detection",
    },
)
