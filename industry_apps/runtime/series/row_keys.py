"""Whose the rows of a long table are, and of when: checked, and their places among the steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import SchemaError
from industry_apps.runtime.series.long_tables import WindowRule, moment_of, weekday_of
from industry_apps.runtime.series.zones import shown_twice, skipped, to_wall
from industry_apps.runtime.steps import Calendar, phase_of
from industry_apps.schema.values import MISSING_TIME, time_zones

#: More cells than this are not laid out: one wrong date makes a grid of centuries.
_MOST_CELLS = 500_000_000
#: So many moments, all of them several steps apart, are of another frequency.
_MANY_MOMENTS = 10
#: What is no time zone, and what is the one that moments are counted in.
_NO_ZONES = {"no time zone", "UTC", "Etc/UTC", "GMT", "Z", "+00:00"}


def to_local(values: Any, seconds: NDArray[np.int64], zone: str, time: str) -> NDArray[np.int64]:
    """The moments of a column by the clock on the wall of a zone.

    Parameters
    ----------
    values : sequence of shape [rows]
        The column as it stands; times without a zone are those of the clock already.
    seconds : ndarray of int64, shape [rows]
        The same since 1970, UTC where it says no zone.
    zone : str
        "" leaves them as they stand.
    time : str
        Name of the column.

    Raises
    ------
    SchemaError
        The clock never shows such a time.
    """
    if not zone:
        return seconds
    if any(given != "no time zone" for given in time_zones(values)):
        return to_wall(seconds, zone)
    never = skipped(seconds, zone)
    if never.any():
        row = int(never.argmax())
        raise SchemaError(
            f"Column {time!r}, row {row}: got {moment_of(seconds[row])}, which the clock in {zone} "
            "never shows, as it is put forward then. Give the times in UTC, or drop the row."
        )
    return seconds


class Keys(NamedTuple):
    """Where the rows of a long table belong among T times and S series.

    Parameters
    ----------
    times : ndarray of int64, shape [T]
        Increasing, seconds since 1970 UTC; of series with clocks of their own the number of the
        row, counted so that all series end with the last.
    series : ndarray of str, shape [S]
        Sorted names.
    cells : ndarray of int64, shape [rows]
        Step x S + position of the series, each at most once, but for the hours that the clock
        shows twice.
    """

    times: NDArray[np.int64]
    series: NDArray[np.object_]
    cells: NDArray[np.int64]

    def of(self, rows: NDArray[np.bool_]) -> Keys:
        """The places of some rows, among the moments from the first of them to the last."""
        steps, owners = np.divmod(self.cells[rows], len(self.series))
        first, last = int(steps.min()), int(steps.max())
        cells = (steps - first) * len(self.series) + owners
        return Keys(self.times[first : last + 1], self.series, cells)


def read_keys(table: Any, arrays: Mapping[str, NDArray[Any]], rule: WindowRule) -> Keys:
    """Check whose each row of a long table is, and of when.

    Parameters
    ----------
    table : DataFrame or mapping of str to sequence of shape [rows]
    arrays : mapping of str to ndarray of shape [rows]
        Its columns of the rule, as :func:`long_schema` converts them.
    rule : WindowRule

    Raises
    ------
    SchemaError
        There is no row, a row has no series or no time, a series has two rows of one
        moment, or the times are of several time zones.
    """
    owners, moments = arrays[rule.series].tolist(), arrays[rule.time]
    _check_keys(table, rule, owners, moments)
    moments = to_local(table[rule.time], moments, rule.zone, rule.time)
    names = sorted(set(owners))
    code_of = {name: code for code, name in enumerate(names)}
    codes = np.fromiter(map(code_of.__getitem__, owners), np.int64, len(owners))
    if rule.own_clocks:
        times, steps = _own_steps(moments, codes, rule, owners)
    elif rule.step:
        times, steps = _regular(moments, rule, len(names))
    else:
        times, steps = np.unique(moments, return_inverse=True)
    cells = steps * len(names) + codes
    once = measured_of(arrays, rule)
    _check_once(cells, len(times) * len(names), rule, (owners, moments), once)
    return Keys(times, np.array(names, dtype=object), cells)


def measured_of(arrays: Mapping[str, NDArray[Any]], rule: WindowRule) -> NDArray[np.bool_]:
    """Which rows of a long table hold no forecast, but what is known for sure, [rows].

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [rows]
        Its columns, converted.
    rule : WindowRule
    """
    if not rule.issued:
        return np.ones(len(arrays[rule.time]), dtype=np.bool_)
    there: NDArray[np.bool_] = arrays[rule.issued] == MISSING_TIME
    if not there.any():
        raise SchemaError(
            f"Column {rule.issued!r}: every row has a moment of issue, so there is no history. "
            "Give rows of what was measured, with none."
        )
    return there


def _own_steps(
    moments: NDArray[np.int64], codes: NDArray[np.int64], rule: WindowRule, owners: list[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of each series in order of time, so that all series end with the last step."""
    order = np.lexsort((moments, codes))
    whose, when = codes[order], moments[order]
    twice = np.flatnonzero((whose[1:] == whose[:-1]) & (when[1:] == when[:-1]))
    if len(twice):
        rows = sorted(order[twice[0] : twice[0] + 2].tolist())
        raise _twice(rule, (owners, moments), rows)
    counts = np.bincount(codes)
    ends = np.cumsum(counts)
    length = int(counts.max())
    if length * len(counts) > _MOST_CELLS:
        raise SchemaError(
            f"{len(counts)} series of up to {length} rows are too many for one table. Ask about "
            "some series at a time, or with fewer rows of each."
        )
    steps = np.empty(len(codes), dtype=np.int64)
    steps[order] = length - (ends[whose] - np.arange(len(codes)))
    return np.arange(length), steps


def _regular(
    moments: NDArray[np.int64], rule: WindowRule, series: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All steps from the first moment to the last, and the step of each row."""
    calendar = rule.calendar
    _check_steps(moments, rule, calendar)
    periods = calendar.period_of(moments)
    first, last = int(periods.min()), int(periods.max())
    if (last - first + 1) * series > _MOST_CELLS:
        raise SchemaError(
            f"Column {rule.time!r} goes from {rule.written(moments.min())} to "
            f"{rule.written(moments.max())}: {last - first + 1} steps of a {rule.step} for "
            f"{series} series. Correct the dates that are wrong, or choose longer steps."
        )
    grid = calendar.start_of(np.arange(first, last + 1))
    return grid if calendar.anchor else grid + phase_of(moments, rule.step), periods - first


def _check_steps(moments: NDArray[np.int64], rule: WindowRule, calendar: Calendar) -> None:
    """All moments are steps of the calendar, and not of a longer one."""
    off = calendar.off(moments)
    if off.any():
        row = int(off.argmax())
        raise SchemaError(
            f"Column {rule.time!r}, row {row}: got {rule.written(moments[row])}, a "
            f"{weekday_of(moments[row])}, expected {calendar.words}, as in training. Correct the "
            "time, or drop the row."
        )
    if calendar.anchor and (apart := calendar.apart(moments, _MANY_MOMENTS)) > 1:
        raise SchemaError(
            f"Column {rule.time!r}: all rows lie {apart} steps or more apart, expected steps of a "
            f"{rule.step}. Give a row for each {rule.step}, with nothing in it where nothing is "
            "known, or ask a model of that frequency."
        )


def _check_keys(
    table: Any, rule: WindowRule, owners: list[str], moments: NDArray[np.int64]
) -> None:
    """Every row belongs to a series and a moment, and all moments to one time zone."""
    if not owners:
        raise SchemaError(
            f"Column {rule.series!r}: the table has no rows, so there is no history to answer "
            "from. Give some."
        )
    timeless = moments == MISSING_TIME
    if "" in owners or timeless.any():
        name = rule.series if "" in owners else rule.time
        row = owners.index("") if "" in owners else int(timeless.argmax())
        raise SchemaError(
            f"Column {name!r}, row {row} (series {owners[row]!r}, time {moment_of(moments[row])}): "
            "got no value, expected one in every row. Fill it or drop the row."
        )
    zones = time_zones(table[rule.time])
    if len(zones) > 1:
        (first, _), (second, row) = list(zones.items())[:2]
        raise SchemaError(
            f"Column {rule.time!r}, row {row} (series {owners[row]!r}, {moment_of(moments[row])} "
            f"UTC): got a time in {second}, expected {first} as in the rows before it. "
            "Convert all to one time zone, or to the exchange's local date."
        )
    _check_zone(zones, rule)


def check_zone(values: Any, rule: WindowRule) -> None:
    """Refuse times in a zone, whose days begin elsewhere than those of UTC.

    Parameters
    ----------
    values : sequence of shape [rows]
        The column of the time.
    rule : WindowRule
        One without an anchor, as in files of old, counts in UTC.

    Raises
    ------
    SchemaError
    """
    _check_zone(time_zones(values), rule)


def _check_zone(zones: Mapping[str, int], rule: WindowRule) -> None:
    zone, row = next(iter(zones.items()), ("UTC", 0))
    if rule.anchor is not None and not rule.zone and zone not in _NO_ZONES:
        is_short = rule.step in ("minute", "hour")
        remedy = "tz_convert('UTC')" if is_short else "tz_localize(None), for local dates"
        raise SchemaError(
            f"Column {rule.time!r}, row {row}: got a time in {zone}, expected none or UTC, in "
            f"which steps of a {rule.step} are counted. Convert it, in pandas by .dt.{remedy}."
        )


def _check_once(
    cells: NDArray[np.int64],
    size: int,
    rule: WindowRule,
    keys: tuple[list[str], Any],
    measured: NDArray[np.bool_],
) -> None:
    """No series has two rows of one moment, but for forecasts of several moments of issue."""
    counts = np.bincount(cells[measured], minlength=size)
    if counts.max() > 1:
        several = (counts[cells] > 1) & measured
        if rule.zone:
            several &= (counts[cells] > 2) | ~shown_twice(keys[1], rule.zone)
        if not several.any():
            return
        row = int(several.argmax())
        raise _twice(rule, keys, np.flatnonzero((cells == cells[row]) & measured).tolist())


def _twice(rule: WindowRule, keys: tuple[list[str], Any], rows: list[int]) -> SchemaError:
    owners, moments = keys
    return SchemaError(
        f"Series {owners[rows[0]]!r} has {len(rows)} rows of {rule.written(moments[rows[0]])} "
        f"(rows {', '.join(map(str, rows[:5]))}), expected one in the column {rule.time!r}. Keep "
        "the one that is right."
    )
