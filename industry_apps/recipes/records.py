"""Records with a target and a time: read, described, and kept from leaking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import check_leakage
from industry_apps.errors import ParameterError, unknown_name
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
    """

    schema: Schema
    target: str
    time: str = ""

    def labelled(self, frame: pd.DataFrame) -> Labelled:
        """Check a table and read its columns and labels.

        Raises
        ------
        SchemaError
        """
        return Labelled(self.schema.to_arrays(frame), self.labels(frame))

    def labels(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Labels of the records, of shape [rows]."""
        label = Column(name=self.target, kind="boolean", nullable=False)
        return Schema((label,)).to_arrays(frame)[self.target] > 0

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

    def without_unstable(
        self, train: pd.DataFrame, validation: pd.DataFrame
    ) -> tuple[Records, list[Unstable]]:
        """Leave out the columns whose relation to the target changed; say which."""
        known = joined(self.labelled(train), self.labelled(validation))
        seconds = np.concatenate([self.seconds(train), self.seconds(validation)])
        found = unstable_columns(self.schema, known.arrays, known.target, seconds)
        kept = self.schema.without([unstable.column for unstable in found])
        return replace(self, schema=kept), found


def under_names(schema: Schema, names: Mapping[str, str] | None, owner: str) -> Schema:
    """A schema whose columns have somebody's names.

    Parameters
    ----------
    schema : Schema
    names : mapping of str to str, optional
        Name in the schema -> theirs.
    owner : str
        Whose parameter 'columns' it is, for the error.

    Raises
    ------
    ParameterError
        The schema has no such column; names the nearest.
    """
    for key in names or {}:
        if key not in schema:
            raise ParameterError(
                f"The 'columns' parameter of {owner} maps names of this class to yours. "
                f"{unknown_name('column', key, schema.names)}"
            )
    mine = names or {}
    return Schema(tuple(replace(c, name=mine.get(c.name, c.name)) for c in schema))


def without_clock(moments: pd.Series) -> bool:
    """Tell whether moments of shape [rows] are dates only: all at midnight."""
    seconds = Column(name="time", kind="datetime").to_array(moments)
    return not (seconds % _SECONDS_A_DAY).any()


def with_moments(frame: pd.DataFrame, time: str) -> pd.DataFrame:
    """Return a table whose times, of whatever form, are datetimes in UTC."""
    moment = Column(name=time, kind="datetime", nullable=False)
    seconds = Schema((moment,)).to_arrays(frame)[time]
    return frame.assign(**{time: seconds.astype("datetime64[s]").astype("datetime64[ns]")})
