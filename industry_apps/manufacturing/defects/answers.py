"""What a detector of defects answers."""

from __future__ import annotations

from dataclasses import replace

from industry_apps.schema import Column, Schema

__all__ = ["KNOWN", "SCORED"]

_MASK = Column(
    "mask",
    "image",
    "0 where the part is good, else the number of the type, of the size of the image",
    channels=1,
    nullable=False,
)
_HEAT = Column(
    "heat_map",
    "image",
    "How likely each pixel is defective, 0 to 255, of the size of the image",
    channels=1,
    nullable=False,
)
_STOPPED = Column("is_defect", "boolean", "Whether the part is to be stopped", nullable=False)

#: Where defects are known.
KNOWN = Schema(
    (
        Column.probability("defect_probability", "Calibrated probability of a defect"),
        _STOPPED,
        Column(
            "defect_type",
            "category",
            "The likeliest type of what is stopped, and good of what is not",
            nullable=False,
        ),
        Column.probability(
            "probabilities", "Good, and each type in the order of `classes`", size=None
        ),
        _MASK,
        _HEAT,
    )
)

#: Where no defect was ever seen.
SCORED = Schema(
    (
        Column(
            "anomaly_score",
            "number",
            "How unlike good parts it is, in standard deviations of theirs; not clipped",
            nullable=False,
        ),
        _STOPPED,
        replace(_MASK, description="1 where the score of the place is above the threshold"),
        replace(_HEAT, description="Score of each pixel, 0 to 255; half of it at the threshold"),
    )
)
