"""Records that are not what they are taken for: given twice, in another unit, on another clock.

Letters in shapes: N records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data.time_shifts import TimeShift, moment_off_steps, without_time_shifts
from industry_apps.errors import SchemaError
from industry_apps.recipes.power.records import Arrays, PowerRows

#: Of moments, those that reach the rated power: so many outliers cannot raise it.
_REACHED, _FEWEST_REACHED = 0.002, 5
#: Weeks of one unit differ by less than the first factor from the next lower one; kW are a
#: thousand times MW, or that times or by the second factor, as weeks of both differ by themselves.
#: Of a smaller share of weeks the third factor holds: snow takes much of a few weeks, too.
_APART, _MIXED, _FEW_MIXED, _FEW = 20.0, 10.0, 2.5, 0.1
#: Output that follows the weather is like that of the record before; noise of a plant at rest is
#: less so than its other weeks, in autocorrelation.
_NOISE = 0.4
#: Weeks before and behind a change that are compared: others are of another season.
_SEASON = 4
#: Of a week, what the output exceeds in so large a share.
_WEEK, _REACHED_IN_A_WEEK = 7, 0.95
#: Kilowatts among megawatts: a thousand, and what output or load changes by itself.
_THOUSAND = 500.0, 2_000.0
#: Records that tell the unit of a table as a whole.
_FEWEST = 48
_DAY = 86_400

_Floats = NDArray[np.float64]


def rated_power(power: NDArray[np.float64]) -> float:
    """What a plant reaches again and again: no outlier, and no average.

    Parameters
    ----------
    power : ndarray of shape [N]
        Output, each moment once; NaN where not known.

    Examples
    --------
    >>> power = np.minimum(np.arange(5000.0) / 2, 2000)
    >>> power[7] = 9999.0
    >>> rated_power(power)
    2000.0
    """
    known = np.sort(power[~np.isnan(power)])[::-1]
    place = max(_FEWEST_REACHED, int(_REACHED * len(known)))
    return float(known[min(place, len(known) - 1)]) if len(known) else 0.0


def check_once(arrays: Arrays, lead: str, time: str) -> None:
    """Refuse a time that comes twice for one lead time.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [N]
    lead : str
        The column of the lead time.
    time : str
        What the user calls the column of the time.

    Raises
    ------
    SchemaError
    """
    leads = np.nan_to_num(arrays[lead], nan=-1.0)
    order = np.lexsort((leads, arrays["time"]))
    times, leads = arrays["time"][order], leads[order]
    twice = np.flatnonzero((np.diff(times) == 0) & (np.diff(leads) == 0))
    if len(twice):
        rows = sorted(order[twice[0] : twice[0] + 2].tolist())
        moment = np.datetime64(int(times[twice[0]]), "s")
        raise SchemaError(
            f"Column {time!r}, rows {rows[0]} and {rows[1]}: got {moment} UTC "
            f"twice for one {lead}, expected each once. Keep the row that is right; where "
            "a clock was put back, give times in UTC."
        )


def with_output(rows: PowerRows, power: str) -> PowerRows:
    """Records of known output, without those to come.

    Parameters
    ----------
    rows : PowerRows
    power : str
        What the user calls the column of the output.

    Raises
    ------
    SchemaError
        There are none.
    """
    known = ~np.isnan(rows.share)
    if not known.any():
        raise SchemaError(
            f"Column {power!r}: got no value in {len(known)} rows, expected the output of a plant. "
            "Give records whose output is known."
        )
    return PowerRows({name: x[known] for name, x in rows.arrays.items()}, rows.share[known])


def check_one_unit(rows: PowerRows, power: str) -> None:
    """Refuse output of which some weeks are a thousand times others.

    Parameters
    ----------
    rows : PowerRows
        Of known output.
    power : str
        What the user calls its column.

    Raises
    ------
    SchemaError
    """
    time, first = np.unique(rows.arrays["time"], return_index=True)
    days, output = np.unique(time // _DAY), rows.share[first]
    for offset in {0, len(days) % _WEEK}:  # weeks from the first day on, and up to the last
        weeks = days[offset : offset + (len(days) - offset) // _WEEK * _WEEK].reshape(-1, _WEEK)
        places = np.searchsorted(time, _DAY * (weeks[:, [0, -1]] + [0, 1]))
        parts = [output[a:b] for a, b in places]
        levels = np.array([np.quantile(part, _REACHED_IN_A_WEEK) for part in parts])
        alike = np.array([_alike(part) for part in parts])
        ran = levels > 0
        _check_levels(levels[ran], alike[ran], weeks[ran, 0], power)


def _alike(output: _Floats) -> float:
    """The autocorrelation of a record with the next; 0 where output does not change."""
    around = output - output.mean()
    return float(around[1:] @ around[:-1] / max(around @ around, np.finfo(float).tiny))


def _check_levels(levels: _Floats, alike: _Floats, begins: NDArray[np.int64], power: str) -> None:
    """Refuse levels of weeks of which some are a thousand times others, and no noise."""
    ordered = np.sort(levels)
    apart = ordered[1:] / ordered[:-1]
    if not len(apart) or apart.max() < _APART:
        return
    high = levels > ordered[apart.argmax()]
    changes = np.flatnonzero(np.diff(high))
    near = np.abs(np.arange(len(high))[:, None] - changes - 0.5).min(axis=1) < _SEASON
    factor = float(np.median(levels[high & near]) / np.median(levels[~high & near]))
    noise = np.median(alike[high]) - np.median(alike[~high]) > _NOISE
    few = min(high.mean(), 1 - high.mean()) < _FEW
    if abs(np.log(factor / 1000)) <= np.log(_FEW_MIXED if few else _MIXED) and not noise:
        week = int((high != high[0]).argmax())
        raise SchemaError(
            f"Column {power!r}: in the week from {np.datetime64(int(begins[week]), 'D')} on it "
            f"reaches {levels[week]:.4g}, and {levels[week - 1]:.4g} before: kW among MW, or W "
            "among kW? Expected one unit. Convert the values of the other unit, or leave their "
            "rows out."
        )


def by_a_thousand(ratio: Any) -> Any:
    """Whether values differ as those of two units do: by about a thousand, up or down.

    Parameters
    ----------
    ratio : float or ndarray of float

    Examples
    --------
    >>> by_a_thousand(np.array([0.001, 1.0, 900.0])).tolist()
    [True, False, True]
    """
    low, high = _THOUSAND
    return ((ratio >= low) & (ratio <= high)) | ((ratio >= 1 / high) & (ratio <= 1 / low))


def levels_of(arrays: Arrays, names: Sequence[str]) -> dict[str, float]:
    """Mean size of columns, of those of which enough is known over a day or more.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [N]
    names : sequence of str
        Numbers.
    """
    if len(arrays["time"]) < _FEWEST or np.ptp(arrays["time"]) < _DAY:
        return {}
    sizes = {name: np.abs(arrays[name][~np.isnan(arrays[name])]) for name in names}
    return {name: float(x.mean()) for name, x in sizes.items() if len(x) >= _FEWEST}


def of_other_unit(
    asked: Mapping[str, float], learned: Mapping[str, float], own: Mapping[str, str]
) -> list[str]:
    """Name columns whose values are a thousand times, or a thousandth of, those of training.

    Parameters
    ----------
    asked, learned : mapping of str to float
        As of :func:`levels_of`.
    own : mapping of str to str
        What the user calls them.
    """
    found = []
    for name, level in asked.items():
        ratio = level / learned[name] if learned.get(name) else 0.0
        if by_a_thousand(ratio):
            found.append(
                f"Column {own[name]!r}: values are {ratio:.3g} times those of training. Are they "
                "in another unit, as kW instead of MW? Convert them to that of training."
            )
    return found


def of_one_lead(arrays: Arrays, lead: str) -> NDArray[np.int64]:
    """Rows [N] of the lead time that has most of them, each moment once, in order of time.

    Parameters
    ----------
    arrays : mapping of str to ndarray of shape [N]
    lead : str
        The column of the lead time.
    """
    leads = np.nan_to_num(arrays[lead], nan=-1.0)
    values, counts = np.unique(leads, return_counts=True)
    rows = np.flatnonzero(leads == values[counts.argmax()])
    _, first = np.unique(arrays["time"][rows], return_index=True)
    found: NDArray[np.int64] = rows[first]
    return found


def check_steps(time: NDArray[np.int64], rows: NDArray[np.int64], name: str) -> None:
    """Refuse a moment off the steps on which clocks are compared.

    Parameters
    ----------
    time : ndarray of shape [N]
    rows : ndarray of int
        Those that are compared.
    name : str
        What the user calls the column.

    Raises
    ------
    SchemaError
    """
    if len(rows) < 2:
        return
    _, usual, off = moment_off_steps(time[rows])
    if off is not None:
        moment = np.datetime64(int(time[rows][off]), "s")
        raise SchemaError(
            f"Column {name!r}, row {rows[off]}: got {moment} UTC, expected steps of {usual} s, on "
            "which the clocks of output and weather are compared. Take means of regular "
            'intervals, leave the row out, or set time_shifts="accept".'
        )


def corrected(rows: PowerRows, lead: str, shifts: Sequence[TimeShift]) -> PowerRows:
    """Output at the times that it belongs to, for each lead time by itself.

    Parameters
    ----------
    rows : PowerRows
    lead : str
        The column of the lead time.
    shifts : sequence of TimeShift
    """
    values, share = np.nan_to_num(rows.arrays[lead], nan=-1.0), rows.share.copy()
    for each in np.unique(values):
        chosen = values == each
        time = pd.Series(rows.arrays["time"][chosen].astype("datetime64[s]"), name="time")
        share[chosen] = without_time_shifts(time, share[chosen], shifts)
    return PowerRows(rows.arrays, share)
