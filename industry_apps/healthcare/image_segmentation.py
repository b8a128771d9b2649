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
from industry_apps.features import GraphBuilder
from industry_apps.healthcare.intended_use import INTENDED_USE
from industry_apps.healthcare.patients import PATIENT
from industry_apps.limits import Limit, integer
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.recipes.imaging.columns import OfImages
from industry_apps.recipes.imaging.mask_assessment import MaskAssessment
from industry_apps.recipes.imaging.mask_decision import mask_codes, mask_outputs
from industry_apps.recipes.imaging.mask_metrics import MASKS
from industry_apps.recipes.imaging.masks import MaskValues, Region, is_region
from industry_apps.recipes.imaging.segmentation import MaskedImages, MaskOptions, MaskRecipe
from industry_apps.runtime.answers import no_answers
from industry_apps.schema import Column, Schema, Traits
from industry_apps.schema.images import one_by_one
from industry_apps.schema.values import UnfitError
from industry_apps.training import TrainingOptions

_HAS_REGION = "/has_region"
_REGION = Limit(
    is_region,
    "a tuple of numbers or of colours (red, green, blue), or a mapping of up to 127 names to such "
    "a number or tuple, no value of two names",
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
    region : tuple of float or (int, int, int), or mapping of str to these, optional
        Values or colours of the masks that are to be found, where there are several besides 0:
        of several classes one, some, or all. A mapping tells classes apart, as in
        ``{"open": 1, "short": (2, 3)}``; every value has to be of one of them, or of the name
        ``background``, which is 0 unless said otherwise.
    maps : bool
        The probability of each class is answered for each pixel, too, as an image of which 255
        is certain: ``probability_open``, of one class without a name ``probability_region``.
    options : MaskOptions, optional
        Size, network, augmentation and training.
    seed : int
        Of the initial weights and the training.

    Notes
    -----
    The label ``mask`` is an image of the size of its image in which every value but 0 lies in
    the region, or of which ``region`` says what its values mean; truth values are 0 and 255.
    ``patient``, where it is given, keeps the images of a patient together in splits and
    intervals; a patient on both sides of a split is refused.

    A pixel is marked from the probability on that has the best Dice on validation images, and
    an image is ``found`` to have a region from the share of marked pixels on that best tells
    those with a region from others there. Of several classes each has both thresholds, a pixel
    is of the class whose probability is the most times its threshold, and the answered mask has
    a grey for each class, which is in the file as ``classes``: of six classes 42, 84, ..., 252.
    Share and found then hold a value for each class, in their order; metrics are means over the
    classes, with Dice and IoU of each beside them.

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
    question = "Where in this image is the lesion?"
    simulator = "healthcare_mask_simulator"
    subject = "patient"
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

    region: Annotated[Region, _REGION] | None = None
    maps: bool = False
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
        self.patients_ = self._check_subjects(self._subjects(train), validation)
        known = {"train": self._masked(train), "validation": self._masked(validation)}
        self.split_ = {name: self._described(part) for name, part in known.items()}
        options = self.options or MaskOptions()
        options = replace(options, training=replace(options.training, seed=self.seed))
        self.rows_ = EqualRows(*map(_seen, known.values()))
        self.classes_ = tuple(self.values_.classes)
        answered = mask_outputs(self.outputs, self.classes_, maps=self.maps)
        self.recipe_ = MaskRecipe(self.schema_, answered, options, self.classes_).fit(**known)
        self.assessment_ = MaskAssessment(self.classes_, {})
        self.check_ = validation

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        known = self._masked(self._parts(train, validation)[1])
        images = known.arrays[self._name("image")]
        self.assessment_ = MaskAssessment.chosen(self.classes_, list(images), known)

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        arrays = self.schema_.to_arrays(frame)
        return self.recipe_.answers(arrays) if len(frame) else no_answers(self.outputs_)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        self._check_subjects(self.patients_, frame)
        known = self._masked(frame)
        self._check_judged(known)
        answers = self.recipe_.answers(known.arrays)
        return self.assessment_.report(
            "unet",
            list(known.arrays[self._name("image")]),
            known,
            (answers["mask"], answers["found"]),
            groups=self._people(frame),
            notes=(*_NOTES, *self.rows_.shared(_seen(known))),
            split={**self.split_, "test": self._described(known)},
        )

    def _check_judged(self, known: MaskedImages) -> None:
        """Of several classes each needs images to be judged on, or their mean says nothing."""
        for number, name in enumerate(self.classes_, 1):
            if len(self.classes_) > 1 and not any(mask.any() for mask in known.of(number)):
                raise SchemaError(
                    f"Column {self._name('mask')!r}: none of the {len(known.masks)} images to "
                    f"judge on has a pixel of {name!r}, so nothing can be said of it. Add images "
                    "of it."
                )

    @property
    def outputs_(self) -> Schema:
        """Of several classes a value for each, and maps where they are asked for."""
        return self.recipe_.outputs if hasattr(self, "recipe_") else self.outputs

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return self.recipe_.write(builder, inputs)

    def _facts(self) -> dict[str, Any]:
        several = {"classes": mask_codes(self.classes_)} if len(self.classes_) > 1 else {}
        return {
            "model": "unet",
            "decision": self.recipe_.decision_.facts(),
            **several,
            "intended_use": INTENDED_USE,
            "notes": list(_NOTES),
        }

    def _described(self, part: MaskedImages) -> dict[str, Any]:
        """How many images there are, and how many with each class."""
        names = ("a_region",) if len(self.values_.classes) == 1 else tuple(self.values_.classes)
        counts = {
            f"with_{name}": sum(bool(mask.any()) for mask in part.of(number))
            for number, name in enumerate(names, 1)
        }
        return {"images": len(part.masks), **counts}

    def _masked(self, frame: pd.DataFrame) -> MaskedImages:
        """Check images and masks, which have to be of equal size."""
        arrays = self.schema_.to_arrays(frame)
        images, name = arrays[self._name("image")], self._name("mask")
        masks = []
        for row, (image, mask) in enumerate(zip(images, self._masks(frame)[1], strict=True)):
            nothing = np.zeros(image.shape[:2], dtype=self.values_.dtype)
            masks.append(nothing if mask is None else mask)
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
        """What the values of masks mean, and true masks (N,), each [H, W] or None."""
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
