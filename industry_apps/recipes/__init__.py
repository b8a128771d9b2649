"""Machinery that several domains share: features, models, training and decision in one."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "Assessed",
    "DecisionBaselines",
    "DecisionOptions",
    "DecisionRecipe",
    "Labelled",
    "LearningOptions",
    "NgramOptions",
    "PositionRule",
    "ProtectedColumns",
    "Records",
    "ScorecardOptions",
    "TreeOptions",
    "WindowNetwork",
    "WindowTensors",
    "assess",
    "feature_columns",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Assessed": "assessment",
        "DecisionBaselines": "assessment",
        "DecisionOptions": "decision",
        "DecisionRecipe": "decision",
        "Labelled": "scorers",
        "LearningOptions": "forecasting",
        "ProtectedColumns": "protected",
        "NgramOptions": "texts",
        "PositionRule": "positions",
        "Records": "records",
        "ScorecardOptions": "scorecard",
        "TreeOptions": "trees",
        "WindowNetwork": "forecast_networks",
        "WindowTensors": "forecast_networks",
        "assess": "assessment",
        "feature_columns": "protected",
    },
)
