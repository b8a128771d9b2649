"""From maps of probability to masks, shares of the image, and what is found, written as nodes.

Letters: B rows, K classes, H and W sides of an image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from industry_apps.features import GraphBuilder
from industry_apps.schema import Schema

_WHITE = 255
#: Answers beside the maps of probability: mask, shares, and whether anything was found.
_ANSWERS = 3


def mask_outputs(outputs: Schema, classes: tuple[str, ...], *, maps: bool = False) -> Schema:
    """What a model of masks answers.

    Parameters
    ----------
    outputs : Schema
        Of one class: mask, share of marked pixels, and whether anything was found.
    classes : tuple of str
        K names.
    maps : bool
        The probability of each class is answered for each pixel, too.

    Returns
    -------
    Schema
        Of several classes the mask has a grey for each (:func:`mask_codes`), share and found
        have a value for each, in their order. Maps are images, of which 255 is certain.

    Examples
    --------
    >>> from industry_apps.schema import Column
    >>> one = Schema((Column("mask", "image", nullable=False), Column.probability("share"),
    ...               Column("found", "boolean", nullable=False)))
    >>> [column.name for column in mask_outputs(one, ("open", "short"), maps=True)]
    ['mask', 'share', 'found', 'probability_open', 'probability_short']
    """
    mask, *others = outputs
    if len(classes) > 1:
        told = ", ".join(f"{code} {name}" for name, code in mask_codes(classes).items())
        mask = replace(mask, description=f"0 where nothing is, {told}, of the size of the image")
        each = f", of each class: {', '.join(classes)}"
        others = [
            replace(column.in_lists(len(classes)), description=column.description + each)
            for column in others
        ]
    drawn = [
        replace(mask, name=f"probability_{name}", description=f"Of {name}, 255 where it is sure")
        for name in classes
    ]
    return Schema((mask, *others, *(drawn if maps else ())))


def mask_codes(classes: tuple[str, ...]) -> dict[str, int]:
    """The grey of each class in the masks that are answered: one of one class is white.

    They lie as far apart as can be, so that masks can be looked at, and no comparison that
    allows for the rounding of a grey takes one class for another.

    Parameters
    ----------
    classes : tuple of str
        At most 127.

    Examples
    --------
    >>> mask_codes(("crack",)), mask_codes(("open", "short", "spur"))
    ({'crack': 255}, {'open': 85, 'short': 170, 'spur': 255})
    """
    return {name: number * (_WHITE // len(classes)) for number, name in enumerate(classes, 1)}


@dataclass(frozen=True, slots=True)
class MaskDecision:
    """Which pixels are of which class, and which classes an image has.

    Parameters
    ----------
    thresholds : mapping of str to float
        Class -> probability in (0, 1] from which on a pixel may be of it. A pixel that reaches
        several is of the class whose probability is the most times its threshold.
    least_shares : mapping of str to float
        Class -> share of the marked pixels from which on an image has it.
    """

    thresholds: Mapping[str, float]
    least_shares: Mapping[str, float] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """As JSON values, a number each of one class."""
        both = {"threshold": self.thresholds, "least_region_share": self.least_shares}
        if len(self.thresholds) > 1:
            return {name: dict(each) for name, each in both.items()}
        return {name: value for name, each in both.items() for value in each.values()}

    def write_marks(self, builder: GraphBuilder, maps: str) -> str:
        """Whether each pixel is marked as of each class, of one at most: [B, K, H, W] as maps."""
        limits = np.array(list(self.thresholds.values()), dtype=np.float32)
        threshold = builder.constant(limits.reshape(-1, 1, 1))
        inside = builder.node("GreaterOrEqual", maps, threshold)
        if len(limits) == 1:
            return inside
        # The largest is at least 1 where any is, so it has reached its threshold.
        times = builder.node("Div", maps, threshold)
        largest = builder.node("ArgMax", times, attributes={"axis": 1})  # [B, 1, H, W]
        places = builder.constant(np.arange(len(limits)).reshape(-1, 1, 1))
        return builder.node("And", inside, builder.node("Equal", largest, places))

    def write_shares(self, builder: GraphBuilder, marks: str) -> str:
        """Share of the pixels that is marked as of each class -> [B, K]."""
        rows = builder.constant(np.array([0, len(self.thresholds), -1]))
        pixels = builder.node("Reshape", builder.cast(marks, np.float32), rows)
        last = builder.constant(np.array([2]))
        return builder.node("ReduceMean", pixels, last, attributes={"keepdims": 0})

    def write(self, builder: GraphBuilder, maps: str, outputs: Schema) -> dict[str, str]:
        """Write all answers.

        Parameters
        ----------
        builder : GraphBuilder
        maps : str
            Tensor float32 [B, K, H, W] of probabilities.
        outputs : Schema
            As :func:`mask_outputs` makes them.
        """
        marks = self.write_marks(builder, maps)
        greys = np.array(list(mask_codes(tuple(self.thresholds)).values()), dtype=np.uint8)
        painted = builder.node(
            "Mul", builder.cast(marks, np.uint8), builder.constant(greys.reshape(-1, 1, 1))
        )
        over_classes = builder.constant(np.array([1]))
        mask = builder.node("ReduceMax", painted, over_classes, attributes={"keepdims": 0})
        shares = self.write_shares(builder, marks)
        least = np.array(list(self.least_shares.values()), dtype=np.float32)
        found = builder.node("GreaterOrEqual", shares, builder.constant(least))
        drawn = _write_drawn(builder, maps, len(outputs) - _ANSWERS)
        return dict(zip(outputs.names, (mask, shares, found, *drawn), strict=True))


def _write_drawn(builder: GraphBuilder, maps: str, classes: int) -> list[str]:
    """Maps of probability as images, uint8 [B, H, W] for each class."""
    if not classes:
        return []
    scaled = builder.node("Mul", maps, builder.constant(np.float32(_WHITE)))
    greys = builder.cast(builder.node("Round", scaled), np.uint8)
    only = builder.constant(np.array([1]))
    return [
        builder.node("Squeeze", builder.part(greys, place, place + 1), only)
        for place in range(classes)
    ]
