"""Verification: enrolment, sealed templates, one against one and one against all."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["Consent", "TemplateStore", "Verification", "Verifier"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Consent": "templates",
        "TemplateStore": "store",
        "Verification": "verifier",
        "Verifier": "verifier",
    },
)
