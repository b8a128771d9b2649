"""Machinery that several domains share: features, models, training and decision in one."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "Assessed",
    "DecisionBaselines",
    "DecisionOptions",
    "DecisionRecipe",
    "Labelled",
    "Records",
    "TreeOptions",
    "assess",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Assessed": "assessment",
        "DecisionBaselines": "assessment",
        "DecisionOptions": "decision",
        "DecisionRecipe": "decision",
        "Labelled": "scorers",
        "Records": "records",
        "TreeOptions": "trees",
        "assess": "assessment",
    },
)
