"""Where a forecast begins in a long table, and whose its answers are."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError, UnlikeTrainingWarning
from industry_apps.runtime.inputs import Feeds
from industry_apps.runtime.series.grids import is_missing_in
from industry_apps.runtime.series.long_tables import WindowRule
from industry_apps.runtime.series.windows import Panel, history_of
from industry_apps.runtime.series.zones import skipped
from industry_apps.schema import Schema
from industry_apps.schema.names import is_slip

#: Steps in which a series that has not ended has a row.
_LATELY = 10


def asked_at(panel: Panel, schema: Schema, rule: WindowRule) -> int:
    """The step at which a model is asked, as the ``stop`` of its windows.

    It is the end of the panel; of a forecast the end of the history, behind which what is
    known in advance may go on.

    Parameters
    ----------
    panel : Panel
        Of the whole long table.
    schema : Schema
        The one that the panel was read with.
    rule : WindowRule

    Raises
    ------
    SchemaError
        No history column has any value, a series ahead is another one misspelt, or a column known
        in advance lacks a value of a series at a step of the horizon.
    """
    if not rule.horizon:
        return len(panel.times)
    history = history_of(schema)
    told = np.any([~is_missing_in(panel.columns[name]) for name in history], axis=(0, 2))
    if not told.any():
        raise SchemaError(
            f"No row has a value of {', '.join(map(repr, history))}: there is no history to "
            "forecast from. Give a longer one."
        )
    stop = int(np.flatnonzero(told)[-1]) + 1
    _check_series(panel, history, stop, rule)
    for name in rule.forecasts:
        _check_forecast(panel, name, stop, rule)
    for column in schema.inputs():
        if column.role == "known" and column.name != rule.time:
            _check_future(panel, column.name, stop, rule)
    return stop


class Question(NamedTuple):
    """What a long table asks of a model of windows.

    Parameters
    ----------
    feeds : dict of str to ndarray
        As of :meth:`Panel.feeds`, of the moment that is asked about.
    keys : dict of str to ndarray
        As of :func:`answer_keys`: whose the answers are.
    rows : callable
        Answers of a session -> in the rows of the keys.
    """

    feeds: Feeds
    keys: dict[str, NDArray[Any]]
    rows: Callable[[NDArray[Any]], NDArray[Any]]


def question_of(table: Any, schema: Schema, rule: WindowRule, *, warn: bool = True) -> Question:
    """Read a long table once, for the answers and for whose they are.

    Parameters
    ----------
    table : DataFrame or mapping of str to sequence of shape [rows]
    schema : Schema
        Of the model.
    rule : WindowRule
    warn : bool
        Of series without a row, or without a usual value, at the last moment.

    Raises
    ------
    SchemaError
        As of :meth:`Panel.read` and :func:`asked_at`.

    Examples
    --------
    >>> from industry_apps.schema import Column
    >>> schema = Schema((Column(name="close", kind="number", role="history"),))
    >>> rule = WindowRule(series="ticker", time="date", length=2)
    >>> table = {"ticker": ["A", "A"], "date": ["2024-01-02", "2024-01-03"], "close": [1.0, 2.0]}
    >>> question = question_of(table, schema, rule)
    >>> question.feeds["close"].tolist(), question.keys["ticker"].tolist()
    ([[1.0, 2.0]], ['A'])
    """
    panel = Panel.read(table, schema, rule)
    stop = asked_at(panel, schema, rule)
    if warn and not rule.horizon and not rule.own_clocks:  # where no series lacks the last moment
        warn_of_absent(panel, schema, rule)
    rows = partial(in_rows, panel=panel, stop=stop, rule=rule)
    return Question(panel.feeds(stop, schema, rule), answer_keys(panel, stop, rule), rows)


def warn_of_absent(panel: Panel, schema: Schema, rule: WindowRule, calls: int = 4) -> None:
    """Name the series that lack at the last moment, of which all are asked, what they have of late.

    That is a row, or in it the value of a column that each of their other rows of late has.

    Parameters
    ----------
    panel : Panel
    schema : Schema
        The one that the panel was read with.
    rule : WindowRule
    calls : int
        From here to whoever asked, whose line the warning names.

    Warns
    -----
    UnlikeTrainingWarning
    """
    here = panel.present[-_LATELY:]
    before = here[:-1].any(axis=0)
    lacking = {"row": before & ~here[-1]}
    for name in history_of(schema):
        told = ~is_missing_in(panel.columns[name][-_LATELY:])
        usual = before & (told | ~here)[:-1].all(axis=0)
        lacking[repr(name)] = usual & here[-1] & ~told[-1]
    for what, which in lacking.items():
        absent = panel.series[which].tolist()
        if absent:
            shown = ", ".join(map(repr, absent[:5])) + (", ..." if len(absent) > 5 else "")
            when = rule.written(panel.times[-1])
            message = (
                f"{len(absent)} of {len(panel.series)} {rule.series!r} have no {what} at {when}, "
                f"the last moment of the table, and are answered without it: {shown}. Add it, or "
                "leave them out."
            )
            warnings.warn(message, UnlikeTrainingWarning, stacklevel=calls)


def told_ahead(panel: Panel, schema: Schema, rule: WindowRule) -> NDArray[np.bool_]:
    """Which series have a value of all that is known in advance at each of the last steps.

    Parameters
    ----------
    panel : Panel
        That ends with a horizon.
    schema : Schema
    rule : WindowRule
    """
    told = np.ones(len(panel.series), dtype=np.bool_)
    for column in schema.inputs():
        if column.role == "known" and column.name != rule.time and rule.horizon:
            stop = len(panel.times) - rule.horizon
            told &= ~np.isnan(panel.told(column.name, stop, 0, rule.horizon)).any(axis=1)
    return told


def last_window(panel: Panel, schema: Schema, rule: WindowRule) -> Panel:
    """The last window of a panel; of a forecast, with a horizon whose history is not known.

    Parameters
    ----------
    panel : Panel
    schema : Schema
        The one that the panel was read with.
    rule : WindowRule
    """
    last = panel.part(slice(-rule.length - rule.horizon, None))
    columns = dict(last.columns)
    for name in history_of(schema) if rule.horizon else []:
        columns[name] = columns[name].copy()
        columns[name][-rule.horizon :] = np.nan
    if last.issues is None:
        return replace(last, columns=columns)
    for name in rule.forecasts:  # what was measured ahead is not known, and forecasts made later
        columns[name] = columns[name].copy()
        columns[name][-rule.horizon :] = np.nan
    origin, end = last.times[-rule.horizon], last.times[-1]
    issues = last.issues.within(int(origin), int(end), int(origin), last.series)
    return replace(last, columns=columns, issues=issues)


def answer_keys(panel: Panel, stop: int, rule: WindowRule) -> dict[str, NDArray[Any]]:
    """Whose the answers at a moment are: series by series, of a forecast step by step.

    Parameters
    ----------
    panel : Panel
    stop : int
        From 0 to the number of its moments.
    rule : WindowRule

    Returns
    -------
    dict of str to ndarray
        The series, shape [series]; of a forecast series and time, shape [series x horizon],
        without the hours that the clock of the zone skips.
    """
    if not rule.horizon:
        return {rule.series: panel.series}
    times = panel.moments(stop, stop + rule.horizon)
    keys = {
        rule.series: np.repeat(panel.series, rule.horizon),
        rule.time: np.tile(rule.calendar.shown(times), len(panel.series)),
    }
    return {name: in_rows(values, panel, stop, rule) for name, values in keys.items()}


def in_rows(values: NDArray[Any], panel: Panel, stop: int, rule: WindowRule) -> NDArray[Any]:
    """Answers at a moment as the rows that :func:`answer_keys` names.

    Parameters
    ----------
    values : ndarray of shape [series], of a forecast [series, horizon]
    panel : Panel
    stop : int
        From 0 to the number of its moments.
    rule : WindowRule
    """
    flat = values.reshape(-1)
    if not (rule.horizon and rule.zone):
        return flat
    never = skipped(panel.moments(stop, stop + rule.horizon), rule.zone)
    return flat[np.tile(~never, len(panel.series))]


def _check_series(panel: Panel, history: list[str], stop: int, rule: WindowRule) -> None:
    """A series with rows ahead alone is a new one, unless it is another one misspelt."""
    told = np.any([~is_missing_in(panel.columns[name][:stop]) for name in history], axis=(0, 1))
    ahead = panel.present[stop:].any(axis=0)
    ended = panel.series[told & ~ahead].tolist()
    for name in panel.series[ahead & ~told].tolist():
        near = next((each for each in ended if is_slip(str(name), str(each))), None)
        if near is not None:
            raise SchemaError(
                f"Column {rule.series!r}: {name!r} has rows ahead and no history, and {near!r} has "
                f"a history and no rows ahead. Did you mean {near!r}? Correct the name; or drop "
                f"the rows of {near!r}, where {name!r} is a new one."
            )


def check_issued(panel: Panel, stop: int, rule: WindowRule, series: NDArray[np.bool_]) -> None:
    """Refuse an origin at which some series lack a forecast of a step ahead.

    Parameters
    ----------
    panel : Panel
    stop : int
    rule : WindowRule
    series : ndarray of bool, shape [S]
        Those that are learned from or judged there.

    Raises
    ------
    SchemaError
    """
    never = np.zeros(rule.horizon, dtype=np.bool_)
    if rule.zone and rule.forecasts:
        never = skipped(panel.moments(stop, stop + rule.horizon), rule.zone)
    for name in rule.forecasts:
        lacking = np.isnan(panel.told(name, stop, 0, rule.horizon)) & ~never & series[:, None]
        if lacking.any():
            place, step = np.argwhere(lacking)[0]
            origin, when = (
                rule.written(panel.moments(each, each + 1)[0]) for each in (stop, stop + step)
            )
            raise SchemaError(
                f"Column {name!r}: at the origin {origin} no forecast was out for "
                f"{panel.series[place]!r} at {when}, step {step + 1} of {rule.horizon}. Add the "
                f"forecasts of that time, with {rule.issued!r}; or learn from origins that have "
                "them, by learning=LearningOptions(origins=...), or from a shorter history."
            )


def _check_forecast(panel: Panel, name: str, stop: int, rule: WindowRule) -> None:
    """Behind the history nothing is measured: a value there is a forecast, or not known yet."""
    there = ~is_missing_in(panel.columns[name][stop:])
    if there.any():
        step, place = np.argwhere(there)[0]
        when = rule.written(panel.times[stop + step])
        raise SchemaError(
            f"Column {name!r} is known in advance by forecasts, and {panel.series[place]!r} has a "
            f"value of it at {when}, behind the history, without a moment of issue. Say in "
            f"{rule.issued!r} when it was issued, or leave it out."
        )


def _check_future(panel: Panel, name: str, stop: int, rule: WindowRule) -> None:
    """What is known in advance of a series has a value at each step of the horizon.

    But for a series that has ended, or has not yet begun: of these nothing was known of late.
    """
    there = ~np.isnan(panel.told(name, stop, rule.horizon, rule.horizon)).T  # [steps, series]
    future, lately = there[rule.horizon :], there[: rule.horizon].any(axis=0)
    if rule.zone:
        future |= skipped(panel.moments(stop, stop + rule.horizon), rule.zone)[:, None]
    lacking = lately & ~future.all(axis=0)
    if not lacking.any():
        return
    place = int(lacking.argmax())
    step = int(future[:, place].argmin())
    origin, when = (rule.written(panel.moments(each, each + 1)[0]) for each in (stop, stop + step))
    by, more = ("", "") if name not in rule.forecasts else (f" issued by {origin}", rule.issued)
    keys = ", ".join(map(repr, filter(None, (rule.series, rule.time, more))))
    raise SchemaError(
        f"Column {name!r} is known in advance, and {panel.series[place]!r} has no value of it{by} "
        f"at {when}, step {step + 1} of the forecast of {rule.horizon}. Add rows of the future, "
        f"with {keys} and {name!r}, or leave the series out."
        + _strangers(panel, stop, stop + step, place)
    )


def _strangers(panel: Panel, stop: int, step: int, place: int) -> str:
    """The series of rows at a step that may be of another series, whose own it lacks."""
    if step >= len(panel.times) or panel.present[step, place]:
        return ""
    found = panel.series[panel.present[step] & ~panel.present[:stop].any(axis=0)].tolist()
    if not found:
        return ""
    shown = ", ".join(map(repr, found[:5])) + (", ..." if len(found) > 5 else "")
    return (
        f" Only ahead there are rows of {shown}: where these are rows of {panel.series[place]!r}, "
        "correct the name."
    )
