"""Finance: fraud detection, credit scoring and algorithmic trading."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["CreditScorer", "FraudDetector", "TradingStrategy"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CreditScorer": "credit_scoring",
        "FraudDetector": "fraud_detection",
        "TradingStrategy": "algorithmic_trading",
    },
)
