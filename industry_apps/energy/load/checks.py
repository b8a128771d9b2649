"""Loads and covariates that are not what they are taken for: another unit, another clock.

Letters in shapes: T steps, S series, D days.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, UnlikeTrainingWarning
from industry_apps.recipes.power.checks import by_a_thousand
from industry_apps.runtime import Panel, WindowRule

_Floats = NDArray[np.float64]

_HOURS = 24
_SECONDS = 3_600
#: Of a series, what may be flat in so many runs, or more: its nights, as those of a closed plant.
_MOST_FLAT, _FEWEST_RUNS = 0.2, 10
#: Days from which the shape of the day is known.
_DAYS = 7
#: A shape of the day is moved where it fits so well elsewhere, and so much worse in its place.
_FITS, _BETTER = 0.9, 0.2
#: The shape of the day moves by so many hours with the season.
_STILL = 1


def check_one_unit(panel: Panel, column: str, rule: WindowRule) -> None:
    """Refuse a series whose level jumps by a thousand from one day to the next.

    Parameters
    ----------
    panel : Panel
        Of hours.
    column : str
    rule : WindowRule

    Raises
    ------
    SchemaError
    """
    levels = _levels(panel.columns[column])
    for place, name in enumerate(panel.series.tolist()):
        (days,) = np.nonzero(levels[:, place] > 0)
        apart = levels[days[1:], place] / levels[days[:-1], place]
        jumps = by_a_thousand(apart)
        if jumps.any():
            k = int(jumps.argmax())
            when = rule.written(panel.times[days[k + 1] * _HOURS])
            raise SchemaError(
                f"Column {column!r}, series {name!r}: from {when} on values are {apart[k]:.4g} "
                "times those of the day before, expected one unit throughout, as MW. Convert kW "
                "to MW by dividing by 1000, or leave the values out."
            )


def check_flat_runs(panel: Panel, column: str, steps: int) -> None:
    """Refuse a series that is flat again and again, or all of it: no stuck meter does that.

    Parameters
    ----------
    panel : Panel
    column : str
    steps : int
        So many equal values after each other, or more, are left out; at least 2.

    Raises
    ------
    SchemaError
    """
    for name in panel.series.tolist():
        values = _values(panel, column, name)
        values = values[~np.isnan(values)]
        begins = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
        lengths = np.diff(begins, append=len(values))
        flat = lengths >= steps
        share = lengths[flat].sum() / max(len(values), 1)
        if share == 1 or (share > _MOST_FLAT and flat.sum() >= _FEWEST_RUNS):
            longest = int(lengths.max())
            raise SchemaError(
                f"Column {column!r}, series {name!r}: {share:.0%} of the values lie in runs of "
                f"{steps} equal ones or more, the longest of {longest} times "
                f"{values[begins[lengths.argmax()]]:g}. They would be left out as those of a stuck "
                "meter, expected few of them. Set flat_steps=0, or above the longest run, where "
                "they are right; else leave the series out."
            )


def warn_of_other_unit(asked: Panel, learned: Panel, column: str) -> None:
    """Name the series whose level is a thousand times, or a thousandth of, that of training.

    Parameters
    ----------
    asked, learned : Panel
        Of hours: what is asked about, and what was learned from.
    column : str

    Warns
    -----
    UnlikeTrainingWarning
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = _level_by_name(asked, column, learned) / _level_by_name(learned, column, learned)
    for name, each in zip(learned.series, ratio, strict=True):
        if by_a_thousand(each):
            _warn(
                f"Column {column!r}, series {name!r}: values are {each:.4g} times those of "
                "training. Are they in kW instead of MW, or the other way round? Answers are in "
                "the unit of the values given."
            )


def warn_of_moved_days(asked: Panel, learned: Panel, column: str) -> None:
    """Name the series whose shape of the day is that of training at other hours.

    Parameters
    ----------
    asked, learned : Panel
        Of hours.
    column : str

    Warns
    -----
    UnlikeTrainingWarning
    """
    months = np.unique(_months(asked))
    same = np.isin(_months(learned), months)
    same = same if same.sum() >= _DAYS * _HOURS else np.ones_like(same)
    for name in sorted({*asked.series} & {*learned.series}):
        ours, theirs = (
            _shape(panel.times[rows], _values(panel, column, name)[rows])
            for panel, rows in ((asked, slice(None)), (learned, same))
        )
        if hours := _moved(ours, theirs):
            _warn(
                f"Column {column!r}, series {name!r}: the shape of the day is that of training "
                f"{abs(hours)} hours {'later' if hours > 0 else 'earlier'}. Are the times in "
                "another zone than those of training? Convert them, or name the zone."
            )


def warn_of_moved_covariates(panel: Panel, stop: int, horizon: int, columns: Sequence[str]) -> None:
    """Name what is known in advance whose shape of the day ahead is that of before, moved.

    Parameters
    ----------
    panel : Panel
        Of hours.
    stop, horizon : int
        The first step ahead, and how many there are.
    columns : sequence of str
        Numbers known in advance.

    Warns
    -----
    UnlikeTrainingWarning
    """
    if stop < _DAYS * _HOURS or horizon < _HOURS:
        return
    back = min(stop, 4 * _DAYS * _HOURS)
    moments = panel.moments(stop - back, stop + horizon)
    for column in columns:
        told = panel.told(column, stop, back, horizon).astype(np.float64)  # [S, back + horizon]
        for name, values in zip(panel.series, told, strict=True):
            before = _shape(moments[:back], values[:back])
            ahead = _shape(moments[back:], values[back:], days=1)
            if hours := _moved(ahead, before):
                _warn(
                    f"Column {column!r}, series {name!r}: the shape of the day ahead is that of "
                    f"the days before {abs(hours)} hours {'later' if hours > 0 else 'earlier'}. "
                    "Are the rows of the future shifted against their times? Correct them."
                )


def _levels(values: NDArray[Any]) -> _Floats:
    """Median size of each whole day of 24 steps, [D, S]; NaN where nothing is known."""
    days = len(values) // _HOURS
    sizes = np.abs(values[: days * _HOURS].astype(np.float64)).reshape(days, _HOURS, -1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of days without a value
        found: _Floats = np.nanmedian(sizes, axis=1)
    return found


def _level_by_name(panel: Panel, column: str, named: Panel) -> _Floats:
    """Median over its days of the level of each series that another panel names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        each = np.nanmedian(_levels(panel.columns[column]), axis=0)
    levels = dict(zip(panel.series.tolist(), each.tolist(), strict=True))
    return np.array([levels.get(name, np.nan) for name in named.series.tolist()])


def _values(panel: Panel, column: str, name: str) -> _Floats:
    values: _Floats = panel.columns[column][:, panel.series == name][:, 0].astype(np.float64)
    return values


def _months(panel: Panel) -> NDArray[np.int64]:
    months = panel.times.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    found: NDArray[np.int64] = months % 12
    return found


def _shape(moments: NDArray[np.int64], values: _Floats, days: int = _DAYS) -> _Floats | None:
    """Mean of each hour of the day, [24]; None where too little is known or nothing changes."""
    hours, known = moments // _SECONDS % _HOURS, ~np.isnan(values)
    counts = np.bincount(hours[known], minlength=_HOURS)
    if counts.min() < days:
        return None
    shape: _Floats = np.bincount(hours[known], values[known], _HOURS) / counts
    return shape if np.ptp(shape) > 0 else None


def _moved(ours: _Floats | None, theirs: _Floats | None) -> int:
    """Hours by which one shape of the day lies behind another; 0 where it does not surely."""
    if ours is None or theirs is None:
        return 0
    fits = [float(np.corrcoef(ours, np.roll(theirs, hours))[0, 1]) for hours in range(_HOURS)]
    best = int(np.argmax(fits))
    hours = best if best <= _HOURS // 2 else best - _HOURS
    near = max(fits[hours] for hours in range(-_STILL, _STILL + 1))
    return hours if fits[best] > _FITS and fits[best] - near > _BETTER else 0


def _warn(message: str) -> None:
    warnings.warn(message, UnlikeTrainingWarning, stacklevel=4)
