"""Manufacturing: defects of parts."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["DefectDetector"]

__getattr__, __dir__ = lazy_names(__name__, {"DefectDetector": "defect_detection"})
