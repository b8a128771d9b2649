"""Protected columns: kept from a model, and there to judge it by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError, unknown_name
from industry_apps.evaluation.groups import bands
from industry_apps.recipes.mitigation import reweighing
from industry_apps.recipes.scorers import Labelled
from industry_apps.schema import Column, Schema, infer_columns

#: Ages in years at which a group begins.
_AGES = (25, 35, 50, 65)


class ProtectedColumns:
    """The protected columns of a table.

    Parameters
    ----------
    columns : sequence of Column
        Each with the flag ``protected``.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self.schema = Schema(tuple(replace(column, required=False) for column in columns))

    def groups(self, frame: pd.DataFrame) -> dict[str, Any]:
        """Label of the group of each row, by column; of those that the table has.

        Years are cut into bands, other numbers at their quartiles.
        """
        return {
            column.name: _labels(column, frame[column.name])
            for column in self.schema
            if column.name in frame
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


def feature_columns(
    named: Schema,
    frame: pd.DataFrame,
    *,
    only: Sequence[str] = (),
    ignore: Sequence[str] = (),
    protected: Sequence[str] = (),
    consent: bool = False,
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
    consent : bool
        May protected columns be features?

    Returns
    -------
    features : Schema
    protected : ProtectedColumns

    Raises
    ------
    ParameterError
        A name in `only` or `protected` is not there, or is protected and asked for without
        consent.
    """
    ours = [replace(column, required=True) for column in named if column.name in frame]
    further = infer_columns(frame, skip=[*(c.name for c in named), *ignore])
    columns = [
        replace(c, protected=c.protected or c.name in protected)
        for c in (*ours, *further)
        if c.role == "feature"
    ]
    known = {column.name: column for column in columns}
    for name in (*only, *protected):
        if name not in known:
            raise ParameterError(str(unknown_name("column", name, list(known))))
        if name in only and known[name].protected and not consent:
            raise ParameterError(
                f"Column {name!r} is protected, and asked for as a feature. Leave it out of "
                "'features', or consent with use_protected=True, where the law allows it."
            )
    chosen = [
        replace(c, protected=False) if consent else c
        for c in columns
        if (not only or c.name in only) and c.name not in ignore and (consent or not c.protected)
    ]
    return Schema(tuple(chosen)), ProtectedColumns([c for c in columns if c.protected])


def _labels(column: Column, values: pd.Series) -> Any:
    array = column.to_array(values)
    if column.kind == "category":
        return array
    if column.kind == "boolean":
        return np.where(np.isnan(array), "", np.where(array > 0, "yes", "no"))
    edges: Sequence[int] = _AGES
    if column.unit != "years":
        edges = sorted({round(float(q)) for q in np.nanquantile(array, (0.25, 0.5, 0.75))})
    return bands(array, edges)
