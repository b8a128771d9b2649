"""Records with a target and a time: read, described, and kept from leaking."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import check_leakage
from industry_apps.recipes.labels import Labels
from industry_apps.recipes.scorers import Labelled, joined
from industry_apps.recipes.stability import Unstable, unstable_columns
from industry_apps.schema import Column, Schema

_SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """How the records of a table are read.

    Parameters
    ----------
    schema : Schema
        What a model may see.
    target : str
        Name of the label.
    time : str, optional
        Name of the moment of a record, where it has one.
    subject : str, optional
        Name of the column that says whose record it is.
    told : Labels, optional
        How labels are read that are not true or false.
    """

    schema: Schema
    target: str
    time: str = ""
    subject: str = ""
    told: Labels | None = None

    def labelled(self, frame: pd.DataFrame) -> Labelled:
        """Check a table and read its columns and labels.

        Raises
        ------
        SchemaError
        """
        return Labelled(self.schema.to_arrays(frame), self.labels(frame))

    def seen(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What a model may see of each record, and its label."""
        rows = self.labelled(frame)
        return pd.DataFrame({**rows.arrays, "": rows.target})

    def labels(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Labels of the records, of shape [rows]."""
        return (self.told or Labels(self.target)).read(frame)

    def seconds(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Moments of the records, in seconds since 1970 UTC, of shape [rows]."""
        moment = Column(name=self.time, kind="datetime", nullable=False)
        return Schema((moment,)).to_arrays(frame)[self.time]

    def days(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """Day numbers of the records, of shape [rows]."""
        return self.seconds(frame) // _SECONDS_A_DAY

    def describe(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Rows, positives and, with a time, the period of a table, as JSON values."""
        found: dict[str, Any] = {"rows": len(frame), "positives": int(self.labels(frame).sum())}
        if self.time:
            moments = self.seconds(frame).astype("datetime64[s]")
            found |= {"first": str(moments.min()), "last": str(moments.max())}
        return found

    def check_later(
        self, frame: pd.DataFrame, learned: Mapping[str, Mapping[str, Any]], delay: int
    ) -> None:
        """Check that a table lies after what a model learned from, and after the delay.

        Parameters
        ----------
        frame : DataFrame
        learned : mapping of str to mapping
            Parts as :meth:`describe` gave them.
        delay : int
            Days until a label is known.

        Raises
        ------
        LeakageError
        """
        test = pd.DataFrame({self.time: self.seconds(frame).astype("datetime64[s]")})
        for part in learned.values():
            known = pd.DataFrame({self.time: [pd.Timestamp(part["last"])]})
            check_leakage(known, test, time=self.time, delay=delay)

    def subjects(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Whose record each is, as text of shape [rows]; of nobody where it is not known."""
        return _named(frame, self.subject)

    def people(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        """A number for each row, the same for all records of a subject."""
        return people_of(frame, self.subject)

    def check_apart(self, learned: Collection[str], frame: pd.DataFrame) -> None:
        """Check that nobody of a table is among those that a model learned from.

        Parameters
        ----------
        learned : collection of str
            As :meth:`subjects` names them.
        frame : DataFrame

        Raises
        ------
        LeakageError
        """
        if self.subject in frame:
            asked = pd.DataFrame({self.subject: self.subjects(frame)})
            known = pd.DataFrame({self.subject: [each for each in learned if each]})
            check_leakage(known, asked[asked[self.subject] != ""], group=self.subject)

    def subjects_apart(self, *parts: pd.DataFrame) -> set[str]:
        """Whose records the parts are, of which nobody is in two; none without subjects.

        Parameters
        ----------
        *parts : DataFrame

        Raises
        ------
        LeakageError
        """
        learned: set[str] = set()
        for part in parts:
            self.check_apart(learned, part)
            learned |= set(self.subjects(part)) if self.subject in part else set()
        return learned

    def split_off_subjects(
        self, frame: pd.DataFrame, *, share: float = 0.2, seed: int = 0
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Split a share of the subjects off, at random, with all their records."""
        people = self.people(frame)
        known = pd.unique(people)
        drawn = np.random.default_rng(seed).permutation(known)[: max(1, round(share * len(known)))]
        chosen = np.isin(people, drawn)
        return frame[~chosen].reset_index(drop=True), frame[chosen].reset_index(drop=True)

    def without_unstable(
        self, train: pd.DataFrame, validation: pd.DataFrame
    ) -> tuple[Records, list[Unstable]]:
        """Leave out the columns whose relation to the target changed; say which."""
        known = joined(self.labelled(train), self.labelled(validation))
        seconds = np.concatenate([self.seconds(train), self.seconds(validation)])
        found = unstable_columns(self.schema, known.arrays, known.target, seconds)
        kept = self.schema.without([unstable.column for unstable in found])
        return replace(self, schema=kept), found


def people_of(frame: pd.DataFrame, subject: str) -> NDArray[np.int64]:
    """A number for each row of a table, the same for all records of a subject.

    Parameters
    ----------
    frame : DataFrame
    subject : str
        A column; where there is none, each record counts as one subject.
    """
    return numbered(_named(frame, subject) if subject in frame else None, len(frame))


def _named(frame: pd.DataFrame, subject: str) -> NDArray[Any]:
    return Column(name=subject, kind="category").to_array(frame[subject])


def numbered(subjects: NDArray[Any] | None, rows: int) -> NDArray[np.int64]:
    """A number for each row: the same for rows of a subject, its own where it is not known.

    Parameters
    ----------
    subjects : ndarray of object of shape [rows], optional
        As :meth:`Records.subjects` names them; nobody is known by default.
    rows : int

    Examples
    --------
    >>> numbered(np.array(["b", "", "b", ""], dtype=object), 4).tolist()
    [1, 5, 1, 7]
    """
    own = np.arange(rows, dtype=np.int64)
    if subjects is None:
        return own
    _, number = np.unique(subjects.astype(str), return_inverse=True)
    return np.where(subjects == "", rows + own, number)


def without_clock(moments: pd.Series) -> bool:
    """Tell whether moments of shape [rows] are dates only: all at midnight."""
    seconds = Column(name="time", kind="datetime").to_array(moments)
    return not (seconds % _SECONDS_A_DAY).any()


def with_moments(frame: pd.DataFrame, time: str) -> pd.DataFrame:
    """Return a table whose times, of whatever form, are datetimes in UTC."""
    moment = Column(name=time, kind="datetime", nullable=False)
    seconds = Schema((moment,)).to_arrays(frame)[time]
    return frame.assign(**{time: seconds.astype("datetime64[s]").astype("datetime64[ns]")})
