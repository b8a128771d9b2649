"""The rows of a table that a model learns from, and that no other part shows."""

from __future__ import annotations

from typing import Any

import pandas as pd

from industry_apps.data import split_off_latest
from industry_apps.data.leakage import refuse_subjects
from industry_apps.recipes.equal_rows import EqualRows
from industry_apps.recipes.records import Records, with_moments

Described = dict[str, dict[str, Any]]


class TableParts:
    """Training and, where there are some, validation data, of which neither tells of the other.

    Parameters
    ----------
    records : Records
        How the table is read: with a time the validation data are the latest, with a subject
        they are of other subjects.
    train : DataFrame
    validation : DataFrame, optional
        By default some of ``train``, where a time or a subject says which; else none.
    delay : int
        Days until a label is known.
    seed : int
        Of the subjects that are drawn.

    Raises
    ------
    LeakageError
        Nothing says which rows to choose on, and a feature names subjects with several rows.
    """

    def __init__(
        self,
        records: Records,
        train: pd.DataFrame,
        validation: pd.DataFrame | None,
        *,
        delay: int = 0,
        seed: int = 0,
    ) -> None:
        self.records, self.delay = records, delay
        if validation is None and records.time:
            dated = with_moments(train, records.time)
            train, validation = split_off_latest(dated, time=records.time, delay=delay)
        elif validation is None and records.subject:
            train, validation = records.split_off_subjects(train, seed=seed)
        elif validation is None:  # folds are cut at random
            for column in records.schema:
                refuse_subjects(train[column.name], column.name)
        self.train, self.validation = train, validation

    @property
    def frames(self) -> dict[str, pd.DataFrame]:
        """Name of each part -> its rows."""
        known = {"train": self.train}
        return known if self.validation is None else {**known, "validation": self.validation}

    @property
    def last(self) -> pd.DataFrame:
        """The validation data, or the training data where there are none."""
        return self.train if self.validation is None else self.validation

    def describe(self) -> Described:
        """Rows, positives and periods of each part, as JSON values."""
        return {name: self.records.describe(part) for name, part in self.frames.items()}


class Learned:
    """What a model has learned from, so that data to judge it on are not among it.

    Parameters
    ----------
    parts : TableParts

    Raises
    ------
    LeakageError
        A subject is in two parts.
    """

    def __init__(self, parts: TableParts) -> None:
        self.records, self._delay = parts.records, parts.delay
        self.described = parts.describe()
        self._rows: EqualRows | None = None
        if not (self.records.time or self.records.subject):  # nothing else keeps them apart
            self._rows = EqualRows(*map(self.records.seen, parts.frames.values()))
        self._subjects: set[str] = set()
        if self.records.subject:
            self._subjects = self.records.subjects_apart(*parts.frames.values())

    def check(self, frame: pd.DataFrame) -> None:
        """Refuse a table with a subject that was learned from, or of the same time.

        Raises
        ------
        LeakageError
        """
        if self.records.time:
            self.records.check_later(frame, self.described, self._delay)
        if self.records.subject:
            self.records.check_apart(self._subjects, frame)

    def shared(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """A note where records to judge on are equal to records that were learned from."""
        return () if self._rows is None else self._rows.shared(self.records.seen(frame))

    def beside(self, frame: pd.DataFrame) -> Described:
        """The parts and the table to judge on, in words."""
        return {**self.described, "test": self.records.describe(frame)}
