"""Serve exported models with numpy and onnxruntime, and keep stream state for them."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "ExecutableFeatures",
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
        "ExecutableFeatures": "executables.features",
        "Model": "model",
        "Panel": "series.windows",
        "RegionBoxes": "boxes",
        "SensorState": "stream.sensors",
        "SequenceWriter": "writer",
        "TransactionState": "stream.state",
        "WindowRule": "series.long_tables",
    },
)
