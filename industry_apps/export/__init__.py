"""Trained models to one ONNX file that is proven to answer as they do."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["Exportable", "assemble", "certify", "export_model", "publish", "write_model_file"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Exportable": "exportable",
        "assemble": "exportable",
        "certify": "parity",
        "export_model": "model_file",
        "publish": "model_card",
        "write_model_file": "model_file",
    },
)
