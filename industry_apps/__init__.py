"""Models for industry: one ONNX file takes the raw business record and returns the decision.

Sub-packages load on first use, so ``import industry_apps`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_SUBPACKAGES = (
    "backbones",
    "benchmark",
    "cybersecurity",
    "data",
    "energy",
    "evaluation",
    "export",
    "features",
    "finance",
    "healthcare",
    "manufacturing",
    "recipes",
    "retail",
    "runtime",
    "schema",
    "serving",
    "testing",
    "training",
    "versions",
    "workflow",
)

__all__ = ["__version__", *_SUBPACKAGES]


def __getattr__(name: str) -> Any:
    if name in _SUBPACKAGES:
        return import_module(f"industry_apps.{name}")
    raise AttributeError(f"module 'industry_apps' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
