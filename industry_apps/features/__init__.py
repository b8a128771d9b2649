"""Raw columns to tensors, written once as ONNX and run by onnxruntime in training too."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "Category",
    "Cyclic",
    "FeatureGraph",
    "GraphBuilder",
    "Missing",
    "QuantileNormal",
    "Ratio",
    "RatioToRest",
    "Raw",
    "Source",
    "Standard",
    "TimePart",
    "Tokens",
    "Value",
    "WordCounts",
    "dense_encoders",
    "network_encoders",
    "plain_encoders",
    "tree_encoders",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Category": "tabular",
        "Cyclic": "tabular",
        "FeatureGraph": "graph",
        "GraphBuilder": "builder",
        "Missing": "tabular",
        "QuantileNormal": "tabular",
        "Ratio": "sources",
        "RatioToRest": "sources",
        "Source": "sources",
        "Raw": "tabular",
        "Standard": "tabular",
        "TimePart": "sources",
        "Tokens": "text",
        "Value": "sources",
        "WordCounts": "text",
        "dense_encoders": "plans",
        "network_encoders": "plans",
        "plain_encoders": "plans",
        "tree_encoders": "plans",
    },
)
