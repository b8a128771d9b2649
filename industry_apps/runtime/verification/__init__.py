"""Verification: enrolment, sealed templates, one against one and one against all."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["Consent", "Key", "TemplateStore", "TextFolder", "Verification", "Verifier"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Consent": "templates",
        "Key": "sealing",
        "TemplateStore": "store",
        "TextFolder": "templates",
        "Verification": "verifier",
        "Verifier": "verifier",
    },
)
