"""Segmentation: where in an image the lesion, the organ, the defect lies.

Asked by radiologists and pathologists who would otherwise draw it by hand, and by whoever
measures how much of it there is. A U-Net (Ronneberger, Fischer and Brox 2015,
doi:10.1007/978-3-319-24574-4_28) learns it from some hundreds of images with masks.

Not measured on medical masks: none were at hand. What is known of it comes from photographs of
magnetic tiles with defects, of which a few per mille to a quarter of the pixels are marked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import (
    Split,
    split_by_group,
    split_random,
)
from industry_apps.errors import SchemaError
from industry_apps.evaluation import Report
from industry_apps.evaluation.intervals import BootstrapResult
from industry_apps.evaluation.sections import Section
from industry_apps.features import GraphBuilder
from industry_apps.healthcare.images import OfImages
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.healthcare.patients import PATIENT
from industry_apps.limits import Limit, integer
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.recipes.imaging.mask_baselines import GreyThreshold, empty_mask, otsu_mask
from industry_apps.recipes.imaging.mask_metrics import MASKS, MaskCounts, mask_bootstrap
from industry_apps.recipes.imaging.masks import Level, MaskValues, is_level
from industry_apps.recipes.imaging.segmentation import MaskedImages, MaskOptions, MaskRecipe
from industry_apps.runtime.answers import no_answers
from industry_apps.schema import Column, Schema, Traits
from industry_apps.schema.images import one_by_one
from industry_apps.schema.values import UnfitError
from industry_apps.training import TrainingOptions

_HAS_REGION = "/has_region"
#: Bounds of the sections of the report: share of the image that the true region takes.
_SIZES = (0.0, 0.005, 0.05, 1.0)
_REGION = Limit(
    lambda v: isinstance(v, tuple) and len(v) > 0 and all(map(is_level, v)),
    "a tuple of numbers or of colours (red, green, blue)",
)
_NOTES = ("Not measured on medical masks, of which none were at hand.",)


class ImagingSegmenter(OfImages, Application):
    """Where in an image a region lies, how much of the image it takes, whether there is any.

    Images are of any size, and the mask is of the size of its image. Inside the file they are
    resized to ``options.size`` pixels a side, so that what is smaller than a pixel there is
    not found.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"image": "scan"}``.
    window : (float, float), optional
        Of images of more than 8 bits: the values that are black and white; by default the least
        and the largest of the training images. The file holds it.
    region : tuple of float or (int, int, int), optional
        Values or colours of the masks that are to be found, where there are several besides 0:
        of several classes one, some, or all.
    options : MaskOptions, optional
        Size, network, augmentation and training.
    seed : int
        Of the initial weights and the training.

    Notes
    -----
    The label ``mask`` is an image of the size of its image in which every value but 0 lies in
    the region (uint8 or bool). ``patient``, where it is given, keeps the images of a patient
    together in splits and intervals; a patient on both sides of a split is refused.

    A pixel is marked from the probability on that has the best Dice on validation images, and
    an image is ``found`` to have a region from the share of marked pixels on that best tells
    those with a region from others there.

    For research: it makes no diagnosis.

    Examples
    --------
    >>> from industry_apps.healthcare import ImagingSegmenter
    >>> data = ImagingSegmenter.sample()
    >>> segmenter = ImagingSegmenter.fast().fit(data)
    >>> answer = segmenter.predict(data.test.head(1))
    >>> answer["mask"][0].shape, answer["mask"][0].dtype
    ((24, 24), dtype('uint8'))
    """

    name = "healthcare.image_segmentation"
    question = "Where in this image is the lesion or defect?"
    simulator = "healthcare_mask_simulator"
    schema = Schema(
        (
            Column(
                "image",
                "image",
                "Grey, RGB or of several channels, all of the same",
                nullable=False,
            ),
            Column(
                "mask",
                "image",
                "What is to be found: 0 and one other value, or see region; None for nothing",
                nullable=False,
                role="identifier",
            ),
            PATIENT[0],
        )
    )
    outputs = Schema(
        (
            Column(
                "mask",
                "image",
                "255 in the region and 0 elsewhere, of the size of the image",
                channels=1,
                nullable=False,
            ),
            Column.probability("region_share", "Share of the pixels that lies in the region"),
            Column("found", "boolean", "Whether the image has a region", nullable=False),
        )
    )
    traits = Traits(inputs=("image",))
    problem = MASKS

    region: Annotated[tuple[Level, ...], _REGION] | None = None
    options: MaskOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    @classmethod
    def fast(cls) -> Self:
        """A small network on small images: a fit of seconds."""
        training = TrainingOptions(
            max_epochs=12, batch_size=16, learning_rate=1e-2, precision="float32"
        )
        return cls(options=MaskOptions(size=24, width=6, depth=2, block=1, training=training))

    def split(self, frame: pd.DataFrame) -> Split:
        """Split images of yours at random: by patient where there is one.

        Parameters
        ----------
        frame : DataFrame
            With the label ``mask``.
        """
        patient = self._name("patient")
        if patient in frame:
            return split_by_group(frame, group=patient, seed=self.seed)
        _, masks = self._masks(frame, anew=True)
        has_region = [mask is not None and bool(mask.any()) for mask in masks]
        parts = split_random(
            frame.assign(**{_HAS_REGION: has_region}), target=_HAS_REGION, seed=self.seed
        )
        return Split(*(part.drop(columns=_HAS_REGION) for part in parts))

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        train, validation = self._parts(train, validation)
        self.schema_ = Schema((self._image_column(train),))
        self.values_, _ = self._masks(train, anew=True)
        self.patients_ = self._check_patients(self._patients(train), validation)
        known = {"train": self._masked(train), "validation": self._masked(validation)}
        self.split_ = {name: _described(part) for name, part in known.items()}
        options = self.options or MaskOptions()
        options = replace(options, training=replace(options.training, seed=self.seed))
        self.rows_ = EqualRows(*map(_seen, known.values()))
        self.recipe_ = MaskRecipe(self.schema_, self.outputs, options).fit(**known)
        self.baseline_: GreyThreshold | None = None
        self.check_ = validation

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        known = self._masked(self._parts(train, validation)[1])
        images = known.arrays[self._name("image")]
        self.baseline_ = GreyThreshold.chosen(list(images), list(known.masks))

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        return self.recipe_.answers(arrays) if len(frame) else no_answers(self.outputs)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        self._check_patients(self.patients_, frame)
        known = self._masked(frame)
        groups = self._people(frame)
        answers = self.recipe_.answers(known.arrays)
        ours = MaskCounts.of(
            list(known.masks), [mask > 0 for mask in answers["mask"]], answers["found"]
        )
        images = known.arrays[self._name("image")]
        marks = {"empty_mask": empty_mask, "otsu": otsu_mask}
        notes, rule = list(_NOTES), self.baseline_
        if rule is not None:
            marks["grey_threshold"] = rule.mask
            notes.append(
                f"grey_threshold marks what is {rule.score} by {rule.threshold:.2f} standard "
                "deviations, as was best on validation images."
            )
        found = mask_bootstrap(ours, groups=groups)
        others: dict[str, BootstrapResult] = {
            name: mask_bootstrap(
                MaskCounts.of(list(known.masks), [mark(image) for image in images]), groups=groups
            )
            for name, mark in marks.items()
        }
        return Report.beside(
            "unet",
            found,
            others,
            split={**self.split_, "test": _described(known)},
            sections=(_by_size(ours, known.masks),),
            headline_text=f"Of the regions in {len(images)} images, Dice "
            f"{found.estimates()['dice']} is marked.",
            notes=(*notes, *self.rows_.shared(_seen(known))),
        )

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return self.recipe_.write(builder, inputs)

    def _facts(self) -> dict[str, Any]:
        limits = self.recipe_.threshold_, self.recipe_.least_share_
        return {
            "model": "unet",
            "decision": dict(zip(("threshold", "least_region_share"), limits, strict=True)),
            "intended_use": INTENDED_USE,
            "notes": list(_NOTES),
        }

    def _masked(self, frame: pd.DataFrame) -> MaskedImages:
        """Check images and masks, which have to be of equal size."""
        arrays = self.schema_.to_arrays(frame)
        images, name = arrays[self._name("image")], self._name("mask")
        masks = []
        for row, (image, mask) in enumerate(zip(images, self._masks(frame)[1], strict=True)):
            masks.append(np.zeros(image.shape[:2], dtype=bool) if mask is None else mask)
            if masks[-1].shape != image.shape[:2]:
                raise SchemaError(
                    f"Column {name!r}, row {row}: a mask of {mask.shape[0]} x {mask.shape[1]} "
                    f"pixels for an image of {image.shape[0]} x {image.shape[1]}. Resize it "
                    "without smoothing."
                )
        return MaskedImages(arrays, one_by_one(masks))

    def _masks(
        self, frame: pd.DataFrame, *, anew: bool = False
    ) -> tuple[MaskValues, NDArray[np.object_]]:
        """What the values of masks mean, and true masks (N,), each bool [H, W] or None."""
        column = self._own_schema()[self._name("mask")]
        Schema((column,)).check_names(frame)
        masks = frame[column.name]
        try:
            known = MaskValues.learned(masks, self.region) if anew else self.values_
            return known, known.read(masks)
        except UnfitError as wrong:
            raise column.error(masks, wrong.row, wrong.expected, wrong.remedy) from None


def _seen(part: MaskedImages) -> pd.DataFrame:
    (images,) = part.arrays.values()
    return pd.DataFrame({"image": list(images), "mask": list(part.masks)})


def _described(part: MaskedImages) -> dict[str, Any]:
    return {
        "images": len(part.masks),
        "with_a_region": sum(bool(mask.any()) for mask in part.masks),
    }


def _by_size(counts: MaskCounts, masks: NDArray[np.object_]) -> Section:
    """How well regions of different sizes are marked."""
    shares = counts.true / np.array([mask.size for mask in masks])
    rows: list[tuple[object, ...]] = [("share_of_the_image", "images", "flagged", "dice")]
    for low, high in pairwise(_SIZES):
        part = (shares > low) & (shares <= high)
        total = (counts.true + counts.marked)[part].sum()
        dice = 2 * counts.both[part].sum() / total if total else None
        flagged = float(counts.flagged[part].mean()) if part.any() else None
        rows.append((f"up to {high:.1%}", int(part.sum()), flagged, dice))
    return Section("Regions by size", "Of the images with a region, by its size.", rows)
