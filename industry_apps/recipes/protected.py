"""Protected columns: kept from a model, and there to judge it by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.errors import LeakageError, ParameterError, unknown_name
from industry_apps.evaluation.fairness.answers import GroupedAnswers, set_apart
from industry_apps.evaluation.fairness.report import bands
from industry_apps.recipes.declared import CODES, Codes, as_declared
from industry_apps.recipes.labels import OwnLabels
from industry_apps.recipes.mitigation import reweighing
from industry_apps.recipes.scorers import Labelled
from industry_apps.schema import Column, Schema, infer_columns
from industry_apps.schema.codes import without_codes

#: Ages in years at which a group begins.
_AGES = (25, 35, 50, 65)

#: A number with no more values than this has a group for each.
_FEW_VALUES = 4

_UNITS_OF_AGE = "years"


class ProtectedColumns:
    """The protected columns of a table.

    Parameters
    ----------
    columns : sequence of Column
        Each with the flag ``protected``.
    frame : DataFrame
        Training data: where numbers are cut into groups is learned from it, so that the
        groups of other tables are the same.
    """

    def __init__(self, columns: Sequence[Column], frame: pd.DataFrame) -> None:
        self.schema = Schema(tuple(replace(column, required=False) for column in columns))
        self._edges = {
            column.name: _edges(_numbers(column, frame[column.name]))
            for column in self.schema
            if column.kind in ("number", "datetime") and column.unit != _UNITS_OF_AGE
        }

    def groups(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Label of the group of each row, by column; of those that the table has.

        Ages are cut into bands, other numbers at the quartiles of the training data, or
        between their values where these are few; of a time, the year counts.
        """
        return {
            column.name: self._labels(column, frame[column.name])
            for column in self.schema
            if column.name in frame
        }

    def _labels(self, column: Column, values: pd.Series) -> Any:
        if column.name in self._edges:
            return _cut(_numbers(column, values), self._edges[column.name])
        array = without_codes(column, column.to_array(values))
        if column.kind == "number":
            return bands(array, _AGES)
        if column.kind == "boolean":
            return np.where(np.isnan(array), "", np.where(array > 0, "yes", "no"))
        return array

    def answered(
        self,
        frame: pd.DataFrame,
        target: NDArray[np.bool_],
        systems: Mapping[str, tuple[NDArray[np.float64], NDArray[np.bool_]]],
        *,
        favourable: bool,
    ) -> dict[str, GroupedAnswers]:
        """What systems answered to the people of a table, beside the groups of these.

        Parameters
        ----------
        frame : DataFrame
        target : ndarray of bool of shape [rows]
        systems : mapping of str to pair of ndarray of shape [rows]
            System -> probability of a True target, and decision.
        favourable : bool
            The decision and the outcome that are good for the person.

        Returns
        -------
        dict of str to GroupedAnswers
            Empty where no protected column of the table sets people apart.
        """
        groups = self.groups(frame)
        if not set_apart(groups):
            return {}
        return {
            system: GroupedAnswers(
                target=target,
                probability=probability,
                decision=decision,
                groups=groups,
                favourable=favourable,
            )
            for system, (probability, decision) in systems.items()
        }

    def reweighed(self, rows: Labelled, frame: pd.DataFrame, column: str) -> Labelled:
        """Weigh rows so that the answer does not depend on the group in a column.

        Raises
        ------
        ParameterError
            The column is not protected, or not there.
        """
        groups = self.groups(frame)
        if column not in groups:
            raise ParameterError(
                "The 'mitigate' parameter names a protected column of the data. "
                f"{unknown_name('column', column, list(groups))}"
            )
        return replace(rows, weight=reweighing(groups[column], rows.target))


@dataclass(kw_only=True, eq=False, repr=False)
class ChosenColumns(OwnLabels):
    """A mixin of applications that learn from all columns of a table but those left out.

    Their parameters say which: ``features`` and ``ignore``; which are ``protected``, and
    whether, or which of these, the model may use.
    """

    categories: tuple[str, ...] = ()
    missing: Annotated[Codes | Mapping[str, Codes], CODES] = ()
    features: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    use_protected: bool | tuple[str, ...]
    protected: tuple[str, ...] = ()

    def _feature_columns(self, train: pd.DataFrame) -> tuple[Schema, ProtectedColumns]:
        consent = self.use_protected
        return feature_columns(
            self._known_columns(train),
            train,
            only=self.features,
            ignore=self.ignore,
            protected=self.protected,
            mapped=tuple((self.columns or {}).values()),
            consent=consent if isinstance(consent, bool) else tuple(map(self._name, consent)),
            leaks=train.attrs.get("data", {}).get("leaks", {}),
        )

    def _known_columns(self, train: pd.DataFrame) -> Schema:
        """The columns that the application knows, and those that something is said of."""
        named = self._own_schema()
        if not (self.categories or self.missing):
            return named
        further = infer_columns(train, skip=[*named.names, *self.ignore])
        told = as_declared(
            [*named, *further], train, categories=self.categories, missing=self.missing
        )
        return Schema(tuple(told))


def feature_columns(
    named: Schema,
    frame: pd.DataFrame,
    *,
    only: Sequence[str] = (),
    ignore: Sequence[str] = (),
    protected: Sequence[str] = (),
    mapped: Sequence[str] = (),
    consent: bool | Collection[str] = False,
    leaks: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Schema, ProtectedColumns]:
    """Tell the features of a table from its protected columns.

    Parameters
    ----------
    named : Schema
        The columns that the application knows, under the user's names.
    frame : DataFrame
        Training data; further columns are inferred from it.
    only, ignore, protected : sequence of str
        Columns: nothing but these, none of these, and these protected too.
    mapped : sequence of str
        Names in `named` that the user has given, so that they must be there.
    consent : bool or collection of str
        May protected columns be features, or which of them?
    leaks : mapping of str to str
        Columns that tell the outcome, and why.

    Returns
    -------
    features : Schema
    protected : ProtectedColumns

    Raises
    ------
    ParameterError
        A name is not there, or is protected and asked for without consent, or no column is
        left.
    LeakageError
        The table has a column that tells the outcome, and it is not ignored.
    """
    _refuse_leaks(leaks, [name for name in only or map(str, frame) if name not in ignore])
    for name in () if isinstance(consent, bool) else consent:
        if name not in frame and name not in named:
            raise ParameterError(
                "The 'use_protected' parameter names protected columns. "
                f"{unknown_name('column', name, [*named.names, *map(str, frame)])}"
            )
    for name in (*mapped, *ignore):
        if name not in frame:
            # Misspelt, what was to be kept from the model would be one of its features.
            raise ParameterError(str(unknown_name("column", name, map(str, frame.columns))))
    ours = [replace(column, required=True) for column in named if column.name in frame]
    further = infer_columns(frame, skip=[*(c.name for c in named), *ignore])
    allowed = {c.name for c in (*ours, *further)} if consent is True else set(consent or ())
    columns = [
        replace(c, protected=c.protected or c.name in protected)
        for c in (*ours, *further)
        if c.role == "feature"
    ]
    known = {column.name: column for column in columns}
    for name in (*only, *protected):
        if name not in known:
            raise ParameterError(str(unknown_name("column", name, list(known))))
        if name in only and known[name].protected and name not in allowed:
            raise ParameterError(
                f"Column {name!r} is protected, and asked for as a feature. Leave it out of "
                "'features', or consent with use_protected=True, where the law allows it."
            )
    chosen = [
        replace(c, protected=False)
        for c in columns
        if (not only or c.name in only)
        and c.name not in ignore
        and (c.name in allowed or not c.protected)
    ]
    if not chosen:
        raise ParameterError(
            f"There is no column to learn from. The table has {', '.join(map(str, frame.columns))}"
            "; labels, times, identifiers, and columns that are protected or ignored are no "
            "features. Give further columns."
        )
    return Schema(tuple(chosen)), ProtectedColumns([c for c in columns if c.protected], frame)


def _refuse_leaks(leaks: Mapping[str, str], names: Iterable[str]) -> None:
    for name in names:
        if name in leaks:
            raise LeakageError(
                f"Column {name!r} tells the outcome ({leaks[name]}), and a model that reads it "
                "knows nothing where it matters. Leave the column out of the table, or name it "
                "in 'ignore'."
            )


def _numbers(column: Column, values: pd.Series) -> NDArray[np.float64]:
    """Numbers of shape [rows], of times the years; NaN where there is none."""
    array = without_codes(column, column.to_array(values))
    if column.kind == "datetime":
        years = array.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64) + 1970
        return np.where(column.is_missing(array), np.nan, years)
    return array.astype(np.float64)


def _edges(numbers: NDArray[np.float64]) -> list[float]:
    """Where groups begin, the first left out: at few values or at the quartiles."""
    known = np.unique(numbers[~np.isnan(numbers)])
    if len(known) > _FEW_VALUES:
        # Quartiles that are values themselves keep whole numbers whole.
        cut = np.nanquantile(numbers, (0.25, 0.5, 0.75), method="higher")
        known = np.unique([known[0], *cut])
    return [float(edge) for edge in known[1:]]


def _cut(numbers: NDArray[np.float64], edges: Sequence[float]) -> Any:
    """Label of the group of each number, in the order of the groups."""
    if not edges:
        return np.where(np.isnan(numbers), "", "any number")
    named = [str(np.float32(edge)).removesuffix(".0") for edge in edges]
    between = [f"{low} to less than {high}" for low, high in pairwise(named)]
    labels = [f"less than {named[0]}", *between, f"{named[-1]} or more"]
    return pd.cut(numbers, [-np.inf, *edges, np.inf], right=False, labels=labels)
