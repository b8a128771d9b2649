"""Machinery that several domains share: features, models, training and decision in one."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "DecisionBaselines",
    "DecisionOptions",
    "DecisionRecipe",
    "LearningOptions",
    "NgramOptions",
    "Records",
    "ScorecardOptions",
    "TreeOptions",
    "WindowNetwork",
    "WindowTensors",
    "feature_columns",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "DecisionBaselines": "decision.assessment",
        "DecisionOptions": "decision.recipe",
        "DecisionRecipe": "decision.recipe",
        "LearningOptions": "forecasting.recipe",
        "NgramOptions": "text_linear",
        "Records": "records",
        "ScorecardOptions": "decision.scorecard",
        "TreeOptions": "trees",
        "WindowNetwork": "forecasting.models.networks",
        "WindowTensors": "forecasting.models.networks",
        "feature_columns": "protected",
    },
)
