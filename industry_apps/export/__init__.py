"""Trained models to one ONNX file that is proven to answer as they do."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "Certificate",
    "Exportable",
    "Isotonic",
    "Platt",
    "Threshold",
    "answering",
    "capacity_threshold",
    "certify",
    "certify_windows",
    "edge_rows",
    "edge_windows",
    "export_model",
    "frame_sha256",
    "network_to_onnx",
    "publish",
    "trees_to_onnx",
    "with_float32_thresholds",
    "write_model_file",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Certificate": "parity",
        "Exportable": "model_file",
        "Isotonic": "decision",
        "Platt": "decision",
        "Threshold": "decision",
        "capacity_threshold": "decision",
        "certify": "parity",
        "certify_windows": "parity",
        "edge_rows": "edges",
        "edge_windows": "edges",
        "answering": "model_file",
        "export_model": "model_file",
        "frame_sha256": "model_file",
        "network_to_onnx": "convert",
        "publish": "model_card",
        "trees_to_onnx": "convert",
        "with_float32_thresholds": "convert",
        "write_model_file": "model_file",
    },
)
