"""Long tables of a forecast: their covariates, described, and their split by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import Split
from industry_apps.errors import ParameterError, SchemaError, nearest
from industry_apps.limits import Limit
from industry_apps.recipes.forecasting.plans import step_of, usual_plan
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.steps import Calendar
from industry_apps.schema import Column, Schema, infer_columns

#: So few moments may lie several steps apart by chance.
_MANY_MOMENTS = 5
#: Levels of the quantiles that are forecast by default.
LEVELS = (0.1, 0.5, 0.9)
#: What quantiles may be asked for.
QUANTILES = Limit(
    lambda v: (
        isinstance(v, tuple | list)
        and all(isinstance(each, float) and 0 < each < 1 for each in v)
        and sorted(set(v)) == list(v)
        and 0.5 in v
    ),
    "a tuple of rising numbers in (0, 1), 0.5 among them",
)


def covariates(frame: pd.DataFrame, roles: Mapping[str, Sequence[str]]) -> tuple[Column, ...]:
    """Describe the further columns of a forecast, by what the table holds.

    Parameters
    ----------
    frame : DataFrame
    roles : mapping of str to sequence of str
        Role of columns ("known", "history", "feature") -> their names.

    Raises
    ------
    SchemaError
        The table has no such column, or one of texts is to be known in advance.
    ParameterError
        A column is named twice.
    """
    names = [name for group in roles.values() for name in group]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(
                f"The column {name!r} is named twice among 'known', 'past' and 'static'. Name it "
                "once: as known, if its future is known too."
            )
        if name not in frame:
            near = nearest(name, [str(each) for each in frame])
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SchemaError(
                f"Column {name!r} is named as a covariate, and the table has none of that name."
                f"{hint} It has: {', '.join(map(str, frame))}."
            )
    return tuple(
        _described(frame, name, role, static=role == "feature")
        for role, group in roles.items()
        for name in group
    )


def _described(frame: pd.DataFrame, name: str, role: str, *, static: bool) -> Column:
    (found,) = infer_columns(frame[[name]])
    kind = "category" if found.kind == "text" else found.kind
    if not static and kind == "category":
        value = frame[name].dropna().iloc[0] if frame[name].notna().any() else None
        raise SchemaError(
            f"Column {name!r}, first value: got {value!r}, expected numbers or truth values in a "
            f"column of the role {role!r}. Make a column of 0 and 1 of each of its values, or "
            "name it as static, if it never changes."
        )
    # The edge of a file that is read by others: they may leave it out, and it is missing then.
    return Column(name=name, kind=kind, role=cast(Any, role), required=role == "known")


def rule_of(
    moments: NDArray[np.int64],
    names: tuple[str, str],
    *,
    step: str | None,
    horizon: int | None,
    history: int | None,
    closed: Sequence[str] = (),
    zone: str = "",
) -> WindowRule:
    """How a long table becomes windows; what is not given follows from the step.

    Parameters
    ----------
    moments : ndarray of int64, shape [rows]
        Of its rows.
    names : tuple of str
        Of the columns of series and time.
    step, horizon, history, closed, zone
        As in the application.

    Raises
    ------
    SchemaError
        The moments lie apart by what is no step, or by several.
    """
    step = step or step_of(moments, names[1])
    calendar = Calendar.learned(step, moments)
    _check_frequency(calendar, moments, names[1])
    rule = WindowRule(
        series=names[0],
        time=names[1],
        length=history or 1,
        horizon=horizon or 1,
        step=step,
        anchor=calendar.anchor,
        weekdays=calendar.weekdays,
        closed=tuple(closed),
        zone=zone,
    )
    usual = usual_plan(rule)
    return replace(rule, length=history or usual.length, horizon=horizon or usual.horizon)


def _check_frequency(calendar: Calendar, moments: NDArray[np.int64], time: str) -> None:
    """A table of every second week is not one of weeks."""
    if (apart := replace(calendar, weekdays=()).apart(moments, _MANY_MOMENTS)) > 1:
        raise SchemaError(
            f"The moments of column {time!r} lie {apart} steps of a {calendar.step} apart, or "
            "more, which is no step of time. Name a step that suits, add the rows between them "
            "with nothing known, or sum up to longer steps."
        )


def check_digits(frame: pd.DataFrame, schema: Schema, series: str) -> None:
    """Refuse series of which float32 keeps too few digits beside those of other sizes.

    One offset serves a column whose values lie close together. Where each series lies close about
    a large level of its own, it does not.

    Parameters
    ----------
    frame : DataFrame
        Long.
    schema : Schema
        With the offsets that were learned.
    series : str
        The column that names the series.

    Raises
    ------
    SchemaError
        A series has fewer than a hundred steps of float32 between its extremes, and lies between
        two of them.
    """
    for column in schema:
        if column.kind != "number" or column.role not in ("history", "known"):
            continue
        exact = replace(column, offset=column.offset or 0.0).to_array(frame[column.name])
        near = exact - (column.offset or 0.0)
        values = pd.DataFrame({"value": exact, "lost": np.abs(near - near.astype(np.float32))})
        each = values.groupby(frame[series].to_numpy())
        low, high, lost = each["value"].min(), each["value"].max(), each["lost"].max()
        wrong = lost[(high > low) & (100 * lost > high - low)]
        if len(wrong):
            name = wrong.idxmax()
            raise SchemaError(
                f"Column {column.name!r}, series {name!r}: the values lie between "
                f"{low[name]:.17g} and {high[name]:.17g}, and float32 loses up to {wrong[name]:g} "
                "of them beside the other series. Subtract from each series a level of its own, "
                "such as its lowest value, here and in service, and add it to the answers."
            )


def described(panel: Panel) -> dict[str, Any]:
    """Series, steps and period of a panel, as JSON values."""
    first, last = panel.calendar.shown(panel.times[[0, -1]]).astype(str)
    return {"series": len(panel.series), "steps": len(panel.times), "first": first, "last": last}


def split_by_horizon(frame: pd.DataFrame, seconds: NDArray[np.int64], rule: WindowRule) -> Split:
    """Split a long table by time: the last horizon is the test, the one before for validation.

    Parameters
    ----------
    frame : DataFrame
    seconds : ndarray of int64, shape [rows]
        Moments of its rows; forecasts of covariates are in the part of what they are of.
    rule : WindowRule

    Raises
    ------
    SchemaError
        The table is not longer than four horizons.
    """
    horizon, step = rule.horizon, rule.step
    periods = rule.calendar.period_of(seconds)
    measured = frame[rule.issued].isna() if rule.issued else np.ones(len(frame), dtype=bool)
    end = int(periods[measured].max(initial=periods.min())) + 1
    if end - int(periods.min()) < 4 * horizon:
        raise SchemaError(
            f"The table goes from {rule.written(seconds.min())} to {rule.written(seconds.max())}, "
            f"less than four times the horizon of {horizon} steps of a {step}. Give a longer "
            "history, or choose a shorter horizon."
        )
    parts = (
        periods < end - 2 * horizon,
        (periods >= end - 2 * horizon) & (periods < end - horizon),
        periods >= end - horizon,
    )
    return Split(*(frame[part].reset_index(drop=True) for part in parts))
