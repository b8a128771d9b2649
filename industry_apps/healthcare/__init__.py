"""Healthcare: images, molecules, outcomes and survival of patients. For research."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "ImageGenerator",
    "ImagingClassifier",
    "ImagingSegmenter",
    "MoleculeGenerator",
    "MoleculeSpace",
    "OutcomePredictor",
    "PropertyPredictor",
    "SurvivalPredictor",
    "drug_likeness",
    "generative_report",
    "likeness",
    "log_p_window",
    "predicted_window",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ImageGenerator": "image_studies",
        "ImagingClassifier": "medical_imaging",
        "ImagingSegmenter": "image_segmentation",
        "MoleculeGenerator": "molecule_generation",
        "MoleculeSpace": "molecules.space",
        "OutcomePredictor": "predictive_analytics",
        "PropertyPredictor": "drug_discovery",
        "SurvivalPredictor": "survival",
        "drug_likeness": "molecules.scores",
        "generative_report": "image_studies",
        "likeness": "molecules.scores",
        "log_p_window": "molecules.scores",
        "predicted_window": "molecules.scores",
    },
)
