"""One training loop for every network: precision, early stopping, resume, clear errors."""

from __future__ import annotations

from industry_apps._lazy import lazy_names

__all__ = [
    "Augmentation",
    "AveragedNetwork",
    "ReinforceOptions",
    "TrainingHistory",
    "TrainingOptions",
    "choose_device",
    "choose_precision",
    "fit_network",
    "multiplies_bfloat16",
    "seeded",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Augmentation": "augmentation",
        "AveragedNetwork": "averaging",
        "ReinforceOptions": "reinforcement",
        "TrainingHistory": "loop",
        "TrainingOptions": "options",
        "choose_device": "options",
        "choose_precision": "options",
        "fit_network": "loop",
        "multiplies_bfloat16": "options",
        "seeded": "options",
    },
)
