"""Groups of series and their added history, for forecasts of totals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.recipes.forecasting.totals.reconciliation import (
    TOTAL,
    Method,
    groups_of,
    reconcile,
)
from industry_apps.schema import Column, Schema


def forecast_of_totals(
    predict: Callable[[pd.DataFrame], pd.DataFrame],
    frame: pd.DataFrame,
    by: tuple[str, ...],
    method: Method,
    *,
    schema: Schema,
    keys: tuple[str, str, str],
) -> pd.DataFrame:
    """Forecast series, groups of them and their total, so that parts add up to totals.

    Parameters
    ----------
    predict : callable
        Long table -> forecast, indexed by series and time.
    frame : DataFrame
        Long.
    by : tuple of str
        Columns that say which group a series belongs to; one value a series.
    method : {"bottom_up", "ols", "wls"}
        See :func:`industry_apps.recipes.forecasting.totals.reconciliation.reconcile`.
    schema : Schema
        Of the columns that are read.
    keys : tuple of str
        Names of the columns of series, time and quantity.

    Raises
    ------
    SchemaError, ParameterError
    """
    sums = with_totals(frame, keys[0], by)
    upper = None
    if method != "bottom_up":
        upper = predict(aggregated(frame, sums, schema, keys))
    return reconcile(predict(frame), sums, upper, method=method)


def with_totals(frame: pd.DataFrame, series: str, by: tuple[str, ...]) -> pd.DataFrame:
    """The sums of a table: a group for each value of some columns, and the total.

    Parameters
    ----------
    frame : DataFrame
        Long.
    series : str
        Column that names the series.
    by : tuple of str
        Columns that say which group a series belongs to; one value a series.

    Returns
    -------
    DataFrame of bool
        Groups, named as ``"store=S01"``, and the total, by series.

    Raises
    ------
    ParameterError
        The table has no such column, or a series is named as a total.
    SchemaError
        A series has several values of a column, or none.
    """
    members: dict[str, list[str]] = {}
    for name in by:
        if name not in frame:
            raise ParameterError(
                f"The 'by' parameter names {name!r}, and the table has no such column. It has: "
                f"{', '.join(map(str, frame))}."
            )
        values = frame.groupby(series, observed=True)[name].nunique()
        if (values != 1).any():
            wrong = values.index[values != 1][0]
            raise SchemaError(
                f"Series {wrong!r} has {int(values[wrong])} values of {name!r}; expected one, "
                "since a series belongs to one group. Correct the table, or name another column."
            )
        first = frame.groupby(series, observed=True)[name].first()
        for value, group in first.groupby(first, observed=True):
            members[f"{name}={value}"] = sorted(map(str, group.index))
    every = sorted({str(each) for each in frame[series].dropna().unique()})
    sums = groups_of(members or {TOTAL: every})
    if clash := set(sums.index) & set(every):
        raise ParameterError(
            f"A series is named {sorted(clash)[0]!r}, as a total will be. Rename the series."
        )
    return sums


def aggregated(
    frame: pd.DataFrame, sums: pd.DataFrame, schema: Schema, keys: tuple[str, str, str]
) -> pd.DataFrame:
    """The long table of the totals: quantities added, all else as it mostly is.

    Where some parts have a row without a quantity, the sum of the others is raised by their
    share; where most have none, the total has none either.

    Parameters
    ----------
    frame : DataFrame
    sums : DataFrame of bool
        From :func:`with_totals`.
    schema : Schema
        Of the columns that are read.
    keys : tuple of str
        Names of the columns of series, time and quantity.
    """
    series, time, quantity = keys
    others = [c for c in schema.inputs() if c.name in frame and c.name not in keys]
    parts = []
    named = Column(name=series, kind="category").to_array(frame[series])
    for name, members in sums.iterrows():
        chosen = frame[np.isin(named, sums.columns[members])]
        moments = chosen.groupby(time, sort=True)
        added = moments[quantity].sum(min_count=1)
        shares = moments[quantity].count() / moments[quantity].size()
        # A few unreported parts are made up for; where most are missing, nothing is known.
        table: dict[str, Any] = {quantity: (added / shares.where(shares > 0.5))}
        for column in others:
            if column.kind == "category":
                values = chosen[column.name].dropna().unique()
                table[column.name] = pd.Series(
                    values[0] if len(values) == 1 else None, index=added.index, dtype=object
                )
            else:
                mean = moments[column.name].mean()
                table[column.name] = np.round(mean) if column.kind == "boolean" else mean
        parts.append(pd.DataFrame(table).assign(**{str(series): str(name)}).reset_index())
    return pd.concat(parts, ignore_index=True)
