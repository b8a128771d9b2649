"""Healthcare: medical imaging, classified and segmented."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["ImagingClassifier", "ImagingSegmenter"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ImagingClassifier": "medical_imaging",
        "ImagingSegmenter": "image_segmentation",
    },
)
