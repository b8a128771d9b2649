"""Cybersecurity: addresses that lead to a fraud, and names that a program has written."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["DomainThreatDetector", "FalseAlarms", "UrlThreatDetector"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DomainThreatDetector": "domain_threats",
        "FalseAlarms": "threats",
        "UrlThreatDetector": "url_threats",
    },
)
