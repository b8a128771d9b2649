"""Tables of photographs, labels, masks and boxes, read as one thing.

Which regime a table is for follows from its columns. Letters: N parts, H height, W width.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, TrainingError
from industry_apps.manufacturing.defects.parts import (
    DEFECT,
    Parts,
    boxes_of,
    labels_of,
    masks_of,
    painted,
)
from industry_apps.recipes.imaging.masks import MaskValues, Region
from industry_apps.recipes.records import people_of
from industry_apps.runtime.boxes import RegionBoxes
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import one_by_one
from industry_apps.schema.values import UnfitError

__all__ = ["PartReader", "Regime", "regime_of"]

Regime = Literal["supervised", "one_class", "comparison"]


def regime_of(
    asked: str,
    frame: pd.DataFrame,
    names: Mapping[str, str],
    good: str,
    region: Region | None = None,
) -> Regime:
    """Which regime a training table is for.

    Parameters
    ----------
    asked : str
        "auto", or the regime that somebody chose.
    frame : DataFrame
    names : mapping of str to str
        Names of the class -> names in the table.
    good : str
        What is said of a good part.
    region : tuple or mapping, optional
        Which values of masks are defects.

    Raises
    ------
    SchemaError
        Nothing says which parts are good.
    """
    reader = PartReader(Schema(()), names, good, region)
    if asked == "one_class" and not reader.is_told(frame):
        return "one_class"  # all of them are good, as whoever chose it says
    reader.check_told(frame)
    if asked == "comparison" and names["reference"] not in frame:
        raise SchemaError(
            f"There is no column {names['reference']!r}, with which images are compared. Add it, "
            "or choose another regime."
        )
    if asked != "auto":
        return asked  # type: ignore[return-value]
    if names["reference"] in frame:
        return "comparison"
    return "supervised" if reader.are_defective(frame).any() else "one_class"


class PartReader:
    """Reads tables of parts.

    Parameters
    ----------
    schema : Schema
        The columns of images that the model reads.
    names : mapping of str to str
        Names of the class -> names in the table.
    good : str
        What the label says of a good part.
    region : tuple or mapping, optional
        Which values of masks are defects, or which are which type.
    """

    def __init__(
        self,
        schema: Schema,
        names: Mapping[str, str],
        good: str,
        region: Region | None = None,
    ) -> None:
        self.schema, self.names, self.good, self.region = schema, names, good, region
        self.types: tuple[str, ...] = ()
        self.values: MaskValues | None = None
        self.regime: Regime = "supervised"

    def learned(self, train: pd.DataFrame, regime: Regime) -> PartReader:
        """Learn which types there are, and what the values of masks mean.

        Parameters
        ----------
        train : DataFrame
        regime : {"supervised", "one_class", "comparison"}

        Raises
        ------
        SchemaError
        TrainingError
            No part has a defect, where known ones are to be learned; or none is good.
        """
        self.regime = regime
        if regime != "comparison" and self._has("defect", train):
            self._check_good(train)
        if self._has("mask", train):
            self.values, _ = self._masks(train)
        if regime == "one_class":
            self.types = (DEFECT,)
        elif self.values is not None and self.values.named:
            self.types = tuple(self.values.classes)
        elif self._has("defect", train):
            self.types = tuple(sorted(set(self._labels(train)) - {self.good})) or (DEFECT,)
        elif self._has("boxes", train):
            self.types = tuple(sorted({b.type for cell in self._boxes(train) for b in cell}))
        else:
            self.types = (DEFECT,)
        if regime != "one_class" and not self.are_defective(train).any():
            raise TrainingError(
                "No training part has a defect, so there is none to learn. Add some, or learn from "
                "good parts alone by regime='one_class'."
            )
        return self

    def _check_good(self, train: pd.DataFrame) -> None:
        """Refuse labels of which none is that of a good part."""
        counts = Counter(self._labels(train)).most_common()
        if self.good not in dict(counts):
            found = ", ".join(f"{name!r} ({rows} rows)" for name, rows in counts[:5])
            raise TrainingError(
                f"Column {self.names['defect']!r}: no training part is good ({self.good!r}), and "
                "what a good one looks like has to be learned. The labels are "
                f"{found}{', ...' if len(counts) > 5 else ''}. Where one of them means good, say "
                f"which, as in good={counts[0][0]!r}; else add good parts."
            )

    def is_told(self, frame: pd.DataFrame) -> bool:
        """Whether a column says which parts are good: a mask alone does where its types have names.

        Parameters
        ----------
        frame : DataFrame
        """
        named = isinstance(self.region, Mapping) and self._has("mask", frame)
        return named or self._has("defect", frame) or self._has("boxes", frame)

    def check_told(self, frame: pd.DataFrame) -> None:
        """Refuse a table that does not say which parts are good.

        Parameters
        ----------
        frame : DataFrame

        Raises
        ------
        SchemaError
        """
        if not self.is_told(frame):
            names = self.names
            raise SchemaError(
                f"There is no column {names['defect']!r} or {names['boxes']!r} that says which "
                "parts are good. Add one (of masks: whether a pixel is marked), name the types of "
                "the masks by `region`, or say regime='one_class' where all parts are good."
            )

    def are_defective(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether each part has a defect, by what says so first (N,)."""
        if self._has("defect", frame):
            return np.array([name != self.good for name in self._labels(frame)], dtype=bool)
        if self._has("boxes", frame):
            return np.array([bool(cell) for cell in self._boxes(frame)], dtype=bool)
        _, masks = self._masks(frame)
        return np.array([mask is not None and bool(mask.any()) for mask in masks], dtype=bool)

    def kinds(self, frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
        """Which parts have a defect of each name that the labels give, learned or not -> (N,)."""
        if not self._has("defect", frame):
            return {}
        labels = self._labels(frame)
        return {name: labels == name for name in sorted(set(labels) - {self.good})}

    def read(self, frame: pd.DataFrame, *, training: bool = False) -> Parts:
        """Read a table with what is known of the defects.

        Parameters
        ----------
        frame : DataFrame
        training : bool
            An image of a single shade is then refused: nothing can be learned of it.

        Raises
        ------
        SchemaError
        """
        if frame.empty:
            raise SchemaError("The table has no rows. Give some parts.")
        arrays = self.schema.to_arrays(frame)
        images = arrays[self.schema.names[0]]
        if training:
            self._refuse_flat(images)
        groups = people_of(frame, self.names["part"])
        if self.regime != "one_class":
            self.check_told(frame)
        if not self.is_told(frame):
            clean = one_by_one(np.zeros(image.shape[:2], dtype=np.uint8) for image in images)
            none = one_by_one([None] * len(frame))
            return Parts(arrays, np.zeros(len(frame), dtype=np.intp), clean, none, groups)
        types = self._types(frame)
        boxes = self._boxes(frame) if self._has("boxes", frame) else one_by_one([None] * len(frame))
        masks = self._painted(frame, images, types, boxes)
        if self.regime == "comparison":
            boxes = self._with_boxes(boxes, masks)
        return Parts(arrays, types, masks, boxes, groups)

    def _types(self, frame: pd.DataFrame) -> NDArray[np.intp]:
        """Number of the type of each part, of several that of the first; 0 of good ones."""
        if self.regime == "one_class":
            return self.are_defective(frame).astype(np.intp)
        if not (self._has("defect", frame) or self._has("boxes", frame)):
            return np.array([_commonest(mask) for mask in self._masks(frame)[1]], dtype=np.intp)
        if self._has("defect", frame):
            names = [None if name == self.good else name for name in self._labels(frame)]
            column = self.names["defect"]
        else:
            names = [cell[0].type if cell else None for cell in self._boxes(frame)]
            column = self.names["boxes"]
        strange = [row for row, name in enumerate(names) if name and name not in self.types]
        if strange:
            raise SchemaError(
                f"Column {column!r}, row {strange[0]}: got {names[strange[0]]!r}, expected one of "
                f"{[self.good, *self.types]}, which the training data have. Correct it, or add "
                "training data of it."
            )
        return np.array([self.types.index(n) + 1 if n else 0 for n in names], dtype=np.intp)

    def _painted(
        self,
        frame: pd.DataFrame,
        images: NDArray[np.object_],
        types: NDArray[np.intp],
        boxes: NDArray[np.object_],
    ) -> NDArray[np.object_]:
        """Number of the type of each pixel (N,), each [H, W], None where it is not known."""
        masks = self._masks(frame)[1] if self._has("mask", frame) else [None] * len(frame)
        found: list[NDArray[np.uint8] | None] = []
        for row, (image, kind, mask, cell) in enumerate(
            zip(images, types, masks, boxes, strict=True)
        ):
            shape = image.shape[:2]
            if mask is not None:
                self._check_size(row, mask, image)
            if cell is not None:
                self._check_inside(row, cell, shape)
                found.append(painted(cell, self.types, shape))
            elif kind == 0:
                if mask is not None and mask.any():
                    raise SchemaError(
                        f"Column {self.names['mask']!r}, row {row}: {int(mask.sum())} pixels of a "
                        f"part that is {self.good!r} are marked. Correct the mask or the label."
                    )
                found.append(np.zeros(shape, dtype=np.uint8))
            elif mask is None or not mask.any():
                found.append(None)  # defective, and nobody says where
            elif mask.dtype == np.bool_:
                found.append(np.where(mask, kind, 0).astype(np.uint8))
            else:  # which says itself of which type each pixel is
                found.append(mask)
        return one_by_one(found)

    def _with_boxes(
        self, boxes: NDArray[np.object_], masks: NDArray[np.object_]
    ) -> NDArray[np.object_]:
        """Boxes of each part; where none are given, those around the regions of its mask."""
        draw = RegionBoxes(types=self.types)
        made = []
        for row, (cell, mask) in enumerate(zip(boxes, masks, strict=True)):
            if cell is None and mask is None:
                raise SchemaError(
                    f"Column {self.names['mask']!r}, row {row}: a defect that no mask and no box "
                    "shows. To compare images, places have to be known: add them, or leave the "
                    "record out."
                )
            made.append(draw.of(mask, (mask > 0) * np.uint8(255)) if cell is None else cell)
        return one_by_one(made)

    def _check_inside(self, row: int, cell: Sequence[Any], shape: tuple[int, ...]) -> None:
        for box in cell:
            if box.type not in self.types:
                raise SchemaError(
                    f"Column {self.names['boxes']!r}, row {row}: got a box of {box.type!r}, "
                    f"expected one of {list(self.types)}, which the training data have. Correct it."
                )
            if box.right > shape[1] or box.bottom > shape[0]:
                raise SchemaError(
                    f"Column {self.names['boxes']!r}, row {row}: the box {tuple(box[:4])} reaches "
                    f"beyond an image of {shape[1]} x {shape[0]} pixels. Correct it."
                )

    def _check_size(self, row: int, mask: Any, image: Any) -> None:
        if mask.shape != image.shape[:2]:
            raise SchemaError(
                f"Column {self.names['mask']!r}, row {row}: a mask of {mask.shape[0]} x "
                f"{mask.shape[1]} pixels for an image of {image.shape[0]} x {image.shape[1]}. "
                "Resize it without smoothing."
            )

    def _refuse_flat(self, images: NDArray[np.object_]) -> None:
        name = self.schema.names[0]
        for row, image in enumerate(images):
            if image.min() == image.max():
                raise SchemaError(
                    f"Column {name!r}, row {row}: an image of a single shade, {image.flat[0]}, "
                    "expected a photograph of a part: nothing can be learned of this one. Check "
                    "the camera, and leave the record out."
                )

    def _has(self, ours: str, frame: pd.DataFrame) -> bool:
        return self.names[ours] in frame

    def _labels(self, frame: pd.DataFrame) -> NDArray[np.object_]:
        return self._read("defect", frame, lambda cells: labels_of(cells, self.good))

    def _boxes(self, frame: pd.DataFrame) -> NDArray[np.object_]:
        return self._read("boxes", frame, boxes_of)

    def _masks(self, frame: pd.DataFrame) -> tuple[MaskValues, NDArray[np.object_]]:
        return self._read("mask", frame, lambda cells: masks_of(cells, self.values, self.region))

    def _read(self, ours: str, frame: pd.DataFrame, read: Any) -> Any:
        """Read a column, and name it in errors."""
        name = self.names[ours]
        try:
            return read(frame[name])
        except UnfitError as wrong:
            column = replace(Column(name, "text"), nullable=False)
            raise column.error(frame[name], wrong.row, wrong.expected, wrong.remedy) from None


def _commonest(mask: NDArray[Any] | None) -> int:
    """The number of the type that most of the marked pixels have; 0 where none is marked."""
    counts = (
        np.zeros(1) if mask is None else np.bincount(mask[mask > 0].astype(np.intp), minlength=1)
    )
    return int(counts.argmax()) if counts.any() else 0
