"""Healthcare: medical imaging, classified and segmented."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = ["ImageGenerator", "ImagingClassifier", "ImagingSegmenter", "generative_report"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ImageGenerator": "generated_images",
        "ImagingClassifier": "medical_imaging",
        "ImagingSegmenter": "image_segmentation",
        "generative_report": "generated_images",
    },
)
