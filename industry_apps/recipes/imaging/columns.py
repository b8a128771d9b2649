"""What applications of images have in common: bits and channels, and whose images they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Annotated, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import Split
from industry_apps.data.leakage import check_leakage
from industry_apps.limits import Limit, is_number
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.records import people_of
from industry_apps.schema import Column, Schema
from industry_apps.schema.images import ImageForm
from industry_apps.schema.values import UnfitError

_WINDOW = Limit(
    lambda v: isinstance(v, tuple) and len(v) == 2 and all(map(is_number, v)) and v[0] < v[1],
    "a tuple of two rising numbers",
)


class OfSubjects(OwnNames):
    """A mixin of applications several of whose records may be of one subject.

    ``subject`` names the column that says of which: a patient, a part.
    """

    subject: ClassVar[str]
    split: Callable[[pd.DataFrame], Split]

    def _subjects(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Of whom or what the images are; none where there is no such column."""
        return frame.reindex(columns=[self._name(self.subject)]).dropna()

    def _people(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """A number for each row [rows]: one for each subject, its own where that is unknown."""
        return people_of(frame, self._name(self.subject))

    def _parts(
        self, train: pd.DataFrame, validation: pd.DataFrame | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Training data, and validation data of other subjects; by default some of the former."""
        if validation is not None:
            return train, validation
        parts = self.split(train)
        return parts.train, pd.concat([parts.validation, parts.test], ignore_index=True)

    def _check_subjects(self, known: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
        """Refuse subjects of both tables, the first as :meth:`_subjects` gives it -> of either."""
        subjects = self._subjects(frame)
        check_leakage(known, subjects, group=self._name(self.subject))
        return pd.concat([known, subjects], ignore_index=True)


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
