"""Records several of which may be of one subject, all of whose are in one part of a split."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import Split
from industry_apps.data.leakage import check_leakage
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.records import people_of


class OfSubjects(OwnNames):
    """A mixin of applications several of whose records may be of one subject.

    ``subject`` names the column that says of which: a patient, a part.
    """

    subject: ClassVar[str]
    split: Callable[[pd.DataFrame], Split]

    def _subjects(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Of whom or what the records are; none where there is no such column."""
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
