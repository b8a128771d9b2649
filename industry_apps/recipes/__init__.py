"""Machinery that several domains share: features, models, training and decision in one."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["DecisionBaselines", "DecisionOptions", "DecisionRecipe", "Labelled", "TreeOptions"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DecisionBaselines": "assessment",
        "DecisionOptions": "decision",
        "DecisionRecipe": "decision",
        "Labelled": "scorers",
        "TreeOptions": "scorers",
    },
)
