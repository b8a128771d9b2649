"""What applications of images have in common: bits and channels, and whose images they are."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated

import pandas as pd

from industry_apps.limits import Limit, is_number
from industry_apps.recipes.subjects import OfSubjects
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import ImageForm
from industry_apps.schema.values import UnfitError

_WINDOW = Limit(
    lambda v: isinstance(v, tuple) and len(v) == 2 and all(map(is_number, v)) and v[0] < v[1],
    "a tuple of two rising numbers",
)


@dataclass(kw_only=True, eq=False, repr=False)
class OfImages(OfSubjects):
    """A mixin of applications whose records hold images, several of which may be of one subject."""

    window: Annotated[tuple[float, float], _WINDOW] | None = None

    def _image_column(self, train: pd.DataFrame, ours: str = "image") -> Column:
        """The column of images under its name, with the form that those of training have.

        Raises
        ------
        SchemaError
            There is none, or images differ in channels or bits.
        """
        column = self._own_schema()[self._name(ours)]
        Schema((column,)).check_names(train)
        images = train[column.name]
        try:
            form = ImageForm.learned(images, self.window)
        except UnfitError as wrong:
            raise column.error(images, wrong.row, wrong.expected, wrong.remedy) from None
        return replace(column, **asdict(form))
