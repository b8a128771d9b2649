"""How well masks are marked, class by class, beside baselines: the report of it.

Letters: N images, K classes, H and W sides of an image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from industry_apps.evaluation import Report
from industry_apps.evaluation.sections import Section
from industry_apps.recipes.imaging.mask_baselines import GreyThreshold, empty_mask, otsu_mask
from industry_apps.recipes.imaging.mask_decision import mask_codes
from industry_apps.recipes.imaging.mask_metrics import MaskCounts, mask_bootstrap
from industry_apps.recipes.imaging.segmentation import MaskedImages

#: Bounds of the sections of the report: share of the image that the true region takes.
_SIZES = (0.0, 0.005, 0.05, 1.0)

_Masks = Sequence[NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class MaskAssessment:
    """Baselines of masks, and the comparison with them.

    Parameters
    ----------
    classes : tuple of str
        K names.
    rules : mapping of str to GreyThreshold
        Class -> the threshold of grey that marks it best; empty for none.
    """

    classes: tuple[str, ...]
    rules: Mapping[str, GreyThreshold]

    @classmethod
    def chosen(
        cls, classes: tuple[str, ...], images: Sequence[NDArray[np.uint8]], known: MaskedImages
    ) -> Self:
        """Choose a threshold of grey for each class, on images kept for choosing.

        Parameters
        ----------
        classes : tuple of str
        images : sequence of ndarray of uint8, shape (H, W, C)
        known : MaskedImages
            Their masks.
        """
        numbered = enumerate(classes, 1)
        rules = {name: GreyThreshold.chosen(images, known.of(number)) for number, name in numbered}
        return cls(classes, rules)

    def report(
        self,
        model: str,
        images: Sequence[NDArray[np.uint8]],
        known: MaskedImages,
        answers: tuple[NDArray[np.object_], NDArray[np.bool_]],
        *,
        groups: NDArray[np.int64],
        notes: Sequence[str],
        **further: Any,
    ) -> Report:
        """Judge the masks of a model.

        Parameters
        ----------
        model : str
            What marks them.
        images : sequence of ndarray of uint8, shape (H, W, C)
        known : MaskedImages
            Their true masks.
        answers : (ndarray of object, shape (N,), ndarray of bool, shape (N,) or (N, K))
            The masks of the model, each uint8 [H, W] of the greys of
            :func:`industry_apps.recipes.imaging.mask_decision.mask_codes`, and whether it has
            found each class in each image.
        groups : ndarray of int, shape (N,)
            Images of one group are resampled together.
        notes : sequence of str
        **further
            Other fields of the report.
        """
        truth = {name: known.of(number) for number, name in enumerate(self.classes, 1)}
        masks, flagged = answers[0], answers[1].reshape(len(images), -1)
        ours = {
            name: MaskCounts.of(truth[name], [mask == code for mask in masks], flagged[:, place])
            for place, (name, code) in enumerate(mask_codes(self.classes).items())
        }
        found = mask_bootstrap(ours, groups=groups)
        others = {
            system: mask_bootstrap(
                {name: MaskCounts.of(truth[name], marked[name]) for name in truth}, groups=groups
            )
            for system, marked in self._baselines(images).items()
        }
        dice = found.estimates()["dice"]
        of_all = f"Of the regions in {len(images)} images, Dice {dice} is marked"
        several = len(self.classes) > 1
        return Report.beside(
            model,
            found,
            others,
            sections=(_by_size(ours, truth),),
            headline_text=f"{of_all}, a mean over the classes." if several else f"{of_all}.",
            notes=(*notes, *self._notes()),
            **further,
        )

    def _baselines(self, images: Sequence[NDArray[np.uint8]]) -> dict[str, Mapping[str, _Masks]]:
        """Baseline -> what it marks as each class; but for the last, all classes alike."""
        alike = {
            system: [mark(image) for image in images]
            for system, mark in (("empty_mask", empty_mask), ("otsu", otsu_mask))
        }
        found: dict[str, Mapping[str, _Masks]] = {
            system: {name: marked for name in self.classes} for system, marked in alike.items()
        }
        if self.rules:
            found["grey_threshold"] = {
                name: [rule.mask(image) for image in images] for name, rule in self.rules.items()
            }
        return found

    def _notes(self) -> list[str]:
        return [
            f"grey_threshold marks {f'as {name} ' if len(self.rules) > 1 else ''}what is "
            f"{rule.score} by {rule.threshold:.2f} standard deviations, as was best on validation "
            "images."
            for name, rule in self.rules.items()
        ]


def _by_size(counts: Mapping[str, MaskCounts], truth: Mapping[str, _Masks]) -> Section:
    """How well regions of different sizes are marked."""
    header: tuple[object, ...] = ("share_of_the_image", "images", "flagged", "dice")
    rows = {name: list(_of_sizes(counts[name], truth[name])) for name in counts}
    if len(rows) == 1:
        table = [header, *next(iter(rows.values()))]
    else:
        table = [("class", *header), *((name, *row) for name in rows for row in rows[name])]
    return Section("Regions by size", "Of the images with a region, by its size.", table)


def _of_sizes(counts: MaskCounts, truth: _Masks) -> list[tuple[object, ...]]:
    shares = counts.true / np.array([mask.size for mask in truth])
    rows: list[tuple[object, ...]] = []
    for low, high in pairwise(_SIZES):
        part = (shares > low) & (shares <= high)
        total = (counts.true + counts.marked)[part].sum()
        dice = 2 * counts.both[part].sum() / total if total else None
        flagged = float(counts.flagged[part].mean()) if part.any() else None
        rows.append((f"up to {high:.1%}", int(part.sum()), flagged, dice))
    return rows
