"""What decides on parts, pixels and boxes, chosen on validation parts.

Letters: N parts, H height, W width, T types, K = T + 1 classes.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation.costs import Costs
from industry_apps.manufacturing.defects.answering import KnownDefects, MapDefects
from industry_apps.manufacturing.defects.matching import matches
from industry_apps.manufacturing.defects.parts import Parts
from industry_apps.recipes.anomaly.threshold import AlarmThreshold
from industry_apps.recipes.imaging.mask_metrics import dice_optimal_threshold
from industry_apps.runtime.boxes import RegionBoxes

__all__ = ["chosen_boxes", "known_decision", "map_decision"]

_WHITE = 255
_EVEN = 0.5
_PIXEL_LEVELS = (0.3, 0.5, 0.7, 0.85, 0.95)
_SCORE_LEVELS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0)
_SIZES = (1, 16, 64, 128, 256)

#: What the errors cost, which share of false alarms is wanted, and the user's own threshold.
_Rule = tuple[Costs, float, float | None]


def known_decision(
    classes: tuple[str, ...],
    places: NDArray[np.object_],
    odds: NDArray[np.floating],
    validation: Parts,
    rule: _Rule,
) -> KnownDefects:
    """Calibrate, and choose from which probability on a pixel is marked.

    Parameters
    ----------
    classes : tuple of str
    places : ndarray of object, shape (N,)
        Log-odds of pixels, each [K, H, W].
    odds : ndarray of shape (N, K)
    validation : Parts
    rule : (Costs, float, float or None)
    """
    exact = odds.astype(np.float64)
    scale, shift = KnownDefects.calibration(exact, validation.types)
    found = KnownDefects(
        classes=classes,
        scale=scale,
        shift=shift,
        threshold=AlarmThreshold.given(_EVEN),
        pixel=_pixel_threshold(places, validation),
    )
    scores = 1 - found.probabilities(exact)[:, 0]
    return replace(found, threshold=_threshold(scores, validation, rule))


def map_decision(
    classes: tuple[str, ...],
    places: NDArray[np.object_],
    validation: Parts,
    pixel: float,
    rule: _Rule,
) -> MapDefects:
    """Choose from which score of its surest place on a pair is defective.

    Parameters
    ----------
    classes, places, validation
        As for :func:`known_decision`.
    pixel : float
        From which probability on a pixel is marked.
    rule : (Costs, float, float or None)
    """
    scores = np.array([float(_likely(each).max()) for each in places])
    threshold = _threshold(scores, validation, rule)
    return MapDefects(classes=classes, threshold=threshold, pixel=pixel)


def chosen_boxes(
    classes: tuple[str, ...], places: NDArray[np.object_], validation: Parts
) -> tuple[RegionBoxes, float]:
    """Choose which regions get a box, by the F1 of boxes whose type is right.

    Parameters
    ----------
    classes, places, validation
        As for :func:`known_decision`.

    Returns
    -------
    boxes : RegionBoxes
    pixel : float
        From which probability on a pixel is marked.
    """
    every = RegionBoxes(types=classes[1:])
    best = (-1.0, every, _EVEN)
    truth = list(validation.boxes)
    for pixel in _PIXEL_LEVELS:
        drawn = [
            every.sized(_mask(each, pixel), np.rint(_likely(each) * _WHITE)) for each in places
        ]
        for size, score in product(_SIZES, _SCORE_LEVELS):
            rule = replace(every, least_pixels=size, least_score=score)
            found = [
                [box for pixels, box in cell if rule.keeps(pixels, box.score)] for cell in drawn
            ]
            f1 = matches(truth, found).f1()
            if f1 > best[0]:
                best = (f1, rule, pixel)
    return best[1], best[2]


def _threshold(scores: NDArray[np.float64], validation: Parts, rule: _Rule) -> AlarmThreshold:
    """The user's own; by costs; or, where no validation part has a defect, by false alarms."""
    costs, rate, own = rule
    usual = validation.types == 0
    good, groups = scores[usual], validation.groups[usual]
    if own is not None:
        return AlarmThreshold.given(own, good, groups)
    if (validation.types > 0).any():
        return AlarmThreshold.at_least_cost(costs, good, groups)
    return AlarmThreshold.at_rate(good, rate, groups)


def _pixel_threshold(places: NDArray[np.object_], validation: Parts) -> float:
    """From which probability on pixels are marked, by their Dice; even odds without masks."""
    known = [row for row, mask in enumerate(validation.masks) if mask is not None]
    truth = [validation.masks[row] > 0 for row in known]
    if not any(mask.any() for mask in truth):
        return _EVEN
    return dice_optimal_threshold([_likely(places[row]) for row in known], truth)[0]


def _likely(place: NDArray[np.floating]) -> NDArray[np.float64]:
    """Log-odds [K, H, W] -> probability of a defect [H, W]."""
    from scipy.special import expit

    found: NDArray[np.float64] = expit(place[0].astype(np.float64))
    return found


def _mask(place: NDArray[np.floating], pixel: float) -> NDArray[np.uint8]:
    """Log-odds [K, H, W] -> number of the type of each pixel [H, W]."""
    number = place[1:].argmax(axis=0) + 1
    return np.where(_likely(place) >= pixel, number, 0).astype(np.uint8)
