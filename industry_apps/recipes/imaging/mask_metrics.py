"""Metrics of masks: how far the pixels that were marked are those that should be.

Letters: N images, H height, W width of an image, T thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np
import numpy.typing as npt

from industry_apps.errors import SchemaError
from industry_apps.evaluation.intervals import BootstrapResult, bootstrap
from industry_apps.evaluation.problems import Metric, Problem

#: Regions to be marked in images.
MASKS = Problem(
    name="masks",
    metrics=(
        Metric(
            "dice",
            "marked pixels that are right, doubled, over those marked and those that should be",
            best=1,
        ),
        Metric("iou", "marked pixels that are right, over those marked or that should be"),
        Metric("dice_by_image", "the same as dice, as a mean over the images with a region"),
        Metric("detection_rate", "share of the images with a region that are flagged"),
        Metric("false_alarm_rate", "share of the images without a region that are flagged", "low"),
        Metric("dice_of_*", "the same as dice, of one class"),
        Metric("iou_of_*", "the same as iou, of one class"),
    ),
    trivial=("empty_mask",),
)


__all__ = ["MaskCounts", "dice_optimal_threshold", "mask_bootstrap"]

_Floats = npt.NDArray[np.float64]
_Masks = Sequence[npt.NDArray[np.bool_]]
_Metric = Callable[[_Floats], float]
_OF_ALL = ("dice", "iou", "dice_by_image", "detection_rate", "false_alarm_rate")
_THRESHOLDS = np.linspace(0, 1, 101)[1:]


@dataclass(frozen=True, eq=False, slots=True)
class MaskCounts:
    """Pixels of each image: all that metrics of masks need, whatever the sizes of the images.

    Parameters
    ----------
    true, marked, both : ndarray of float, shape (N,)
        Pixels that belong to a region, that were marked as such, and that are both.
    flagged : ndarray of bool, shape (N,)
        Whether the image was said to have a region.
    """

    true: _Floats
    marked: _Floats
    both: _Floats
    flagged: npt.NDArray[np.bool_]

    @classmethod
    def of(
        cls, truth: _Masks, marked: _Masks, flagged: npt.NDArray[np.bool_] | None = None
    ) -> Self:
        """Count the pixels of masks.

        Parameters
        ----------
        truth, marked : sequence of ndarray of bool, shape (H, W)
            N masks; those of one image of the same size.
        flagged : ndarray of bool, shape (N,), optional
            By default an image is flagged when any of its pixels is marked.

        Raises
        ------
        SchemaError
            When the numbers of masks or their sizes differ.
        """
        if len(truth) != len(marked):
            raise SchemaError(
                f"There are {len(truth)} true masks and {len(marked)} others. Give one of each "
                "for every image."
            )
        counts = np.zeros((3, len(truth)))
        for row, (ours, theirs) in enumerate(zip(truth, marked, strict=True)):
            if ours.shape != theirs.shape:
                raise SchemaError(
                    f"Image {row}: the true mask has {ours.shape} pixels, the other "
                    f"{theirs.shape}. Both must have the size of the image."
                )
            counts[:, row] = ours.sum(), theirs.sum(), (ours & theirs).sum()
        return cls(counts[0], counts[1], counts[2], counts[1] > 0 if flagged is None else flagged)


def mask_bootstrap(
    counts: MaskCounts | Mapping[str, MaskCounts],
    *,
    groups: npt.ArrayLike | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> BootstrapResult:
    """Compute metrics of masks, resampled by image: the pixels of one depend on each other.

    Parameters
    ----------
    counts : MaskCounts, or mapping of str to MaskCounts
        Of several classes, those of each, of the same images.
    groups : array-like, shape (N,), optional
        Images of one group (a patient, a part) are resampled together.
    resamples, seed : int, default 400 and 0
        Of the bootstrap; same seed, same intervals.

    Returns
    -------
    BootstrapResult
        ``dice`` and ``iou`` of the pixels of all images together, so that what is marked in an
        image without a region counts against them; ``dice_by_image``, the mean over the images
        with a region; ``detection_rate`` and ``false_alarm_rate``, the shares of images with
        and without a region that are flagged. Of several classes the mean of each, in which a
        class counts where it has the metric, and ``dice`` and ``iou`` by class, as in
        ``dice_of_short``.

    References
    ----------
    Maier-Hein et al. (2024), Metrics reloaded: recommendations for image analysis validation,
    doi:10.1038/s41592-023-02151-z.

    Examples
    --------
    >>> truth = [np.array([[1, 1, 0, 0]], bool), np.zeros((1, 4), bool)]
    >>> marked = [np.array([[0, 1, 1, 0]], bool), np.array([[0, 0, 0, 1]], bool)]
    >>> found = mask_bootstrap(MaskCounts.of(truth, marked)).values
    >>> {name: round(value, 2) for name, value in found.items()}
    {'dice': 0.4, 'iou': 0.25, 'dice_by_image': 0.5, 'detection_rate': 1.0,
     'false_alarm_rate': 1.0}
    """
    by_class = {"": counts} if isinstance(counts, MaskCounts) else counts
    each = {name: _metrics_of(those) for name, those in by_class.items()}
    metrics: dict[str, _Metric] = {
        metric: partial(_mean_of, [found[metric] for found in each.values()]) for metric in _OF_ALL
    }
    if len(each) > 1:
        metrics |= {f"{m}_of_{name}": each[name][m] for m in ("dice", "iou") for name in each}
    images = len(next(iter(by_class.values())).true)
    return bootstrap(metrics, groups, images, resamples=resamples, seed=seed)


def _metrics_of(counts: MaskCounts) -> dict[str, _Metric]:
    """Metrics of one class, each a function of the weights of images."""
    total, union = counts.true + counts.marked, counts.true + counts.marked - counts.both
    has_region = counts.true > 0
    by_image = np.divide(2 * counts.both, total, out=np.zeros(len(total)), where=total > 0)
    flagged = counts.flagged.astype(np.float64)
    return {
        "dice": lambda weight: _ratio(float(weight @ (2 * counts.both)), float(weight @ total)),
        "iou": lambda weight: _ratio(float(weight @ counts.both), float(weight @ union)),
        "dice_by_image": lambda weight: _mean(by_image, weight * has_region),
        "detection_rate": lambda weight: _mean(flagged, weight * has_region),
        "false_alarm_rate": lambda weight: _mean(flagged, weight * ~has_region),
    }


def _mean_of(metrics: Sequence[_Metric], weight: _Floats) -> float:
    """Mean over the classes in which a metric is defined; NaN where it is in none."""
    known = [value for metric in metrics if not math.isnan(value := metric(weight))]
    return _ratio(sum(known), len(known))


def dice_optimal_threshold(
    scores: Iterable[npt.NDArray[np.floating]],
    truth: _Masks,
    thresholds: _Floats = _THRESHOLDS,
) -> tuple[float, float]:
    """Choose the score from which on a pixel is marked, by the Dice of all pixels together.

    Parameters
    ----------
    scores : iterable of ndarray of float, shape (H, W)
        N maps, of images kept for choosing.
    truth : sequence of ndarray of bool, shape (H, W)
    thresholds : ndarray of float, shape (T,)
        Those to choose from, rising.

    Returns
    -------
    threshold, dice : float

    Raises
    ------
    SchemaError
        When no pixel is in a region: there is nothing to choose by.

    Examples
    --------
    >>> dice_optimal_threshold([np.array([[0.1, 0.3, 0.8]])], [np.array([[False, True, True]])])
    (0.11, 1.0)
    """
    edges = np.append(thresholds, np.inf)
    marked, both = np.zeros(len(thresholds)), np.zeros(len(thresholds))
    for score, mask in zip(scores, truth, strict=True):
        marked += _reaching(score, edges)
        both += _reaching(score[mask], edges)
    true = float(sum(mask.sum() for mask in truth))
    if not true:
        raise SchemaError(
            "No pixel of the validation masks is marked, so no threshold can be chosen. Give "
            "some images with a region."
        )
    dice = 2 * both / (marked + true)
    best = int(dice.argmax())
    return float(thresholds[best]), float(dice[best])


def _reaching(score: npt.NDArray[np.floating], edges: _Floats) -> npt.NDArray[np.intp]:
    """Count the pixels that reach each threshold: the tails of a histogram."""
    return np.histogram(score, edges)[0][::-1].cumsum()[::-1]


def _ratio(above: float, below: float) -> float:
    """NaN where nothing is true and nothing marked."""
    return above / below if below else math.nan


def _mean(values: _Floats, weight: _Floats) -> float:
    return _ratio(float(values @ weight), float(weight.sum()))
