"""The conformance suite: what every application has to do, checked on yours."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["CheckResult", "check_application", "yield_checks"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "CheckResult": "suite",
        "check_application": "suite",
        "yield_checks": "suite",
    },
)
