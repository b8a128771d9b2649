"""Serve exported models with numpy and onnxruntime, and keep stream state for them."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "AllowList",
    "ExecutableFeatures",
    "FlowState",
    "FollowedThreshold",
    "Model",
    "Panel",
    "RegionBoxes",
    "SensorState",
    "SequenceWriter",
    "TransactionState",
    "WindowRule",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AllowList": "addresses.allowed",
        "ExecutableFeatures": "executables.features",
        "FlowState": "stream.flows",
        "FollowedThreshold": "stream.threshold",
        "Model": "model",
        "Panel": "series.windows",
        "RegionBoxes": "boxes",
        "SensorState": "stream.sensors",
        "SequenceWriter": "writer",
        "TransactionState": "stream.state",
        "WindowRule": "series.long_tables",
    },
)
