"""Healthcare: medical imaging, classified and segmented."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["ImagingSegmenter"]

__getattr__, __dir__ = lazy_names(__name__, {"ImagingSegmenter": "image_segmentation"})
