"""Serve exported models with numpy and onnxruntime, and keep stream state for them."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["Model", "Panel", "RegionBoxes", "SequenceWriter", "TransactionState", "WindowRule"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Model": "model",
        "Panel": "series.windows",
        "RegionBoxes": "boxes",
        "SequenceWriter": "writer",
        "TransactionState": "stream.state",
        "WindowRule": "series.long_tables",
    },
)
