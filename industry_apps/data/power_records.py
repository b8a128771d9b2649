"""Series of a plant -> records of a forecast: what is known at its issue, and the weather then.

Moments are found by time, never by place: a gap in a series stays a gap in the records. What is
known at the issue of a forecast are the intervals that have ended by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import ParameterError, SchemaError
from industry_apps.limits import is_number, plain
from industry_apps.schema import Column, Schema

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["solar_records", "wind_records"]

Label = Literal["left", "mid", "right"]

_HOUR = 60  # minutes
#: Numbers of a series that need not be there.
_FURTHER = ("wind_speed", "wind_direction")


def solar_records(
    series: pd.DataFrame,
    *,
    lead_hours: Sequence[int] = (24,),
    label: Label = "left",
    minutes: int = 60,
) -> pd.DataFrame:
    """Records of a photovoltaic plant, one for each interval and lead time.

    Parameters
    ----------
    series : DataFrame
        A row for each interval: ``time`` (UTC where it says no zone), ``power``, ``irradiance``
        (global horizontal, W/m2), ``temperature`` (degrees Celsius) and, if known,
        ``wind_speed`` (m/s). Behind the last known power, rows with the weather alone are those
        that a forecast is asked for.
    lead_hours : sequence of int
        From the issue of a forecast to the time of its target, > 0.
    label : {"left", "mid", "right"}
        Whether ``time`` is the beginning, the middle or the end of the interval. One that has not
        ended at the issue is not known by then.
    minutes : int
        Of an interval; divides an hour. Give the same to the forecaster.

    Returns
    -------
    DataFrame
        As :class:`industry_apps.energy.SolarForecaster` takes them. Weather at the target, the
        intervals beside it and its day is that of the series: as measured it stands for a perfect
        forecast. Without power are the records of targets to come, as far as the lead time goes
        beyond the last known power: ``predict`` answers them, ``fit`` leaves them out.

    Raises
    ------
    SchemaError
        Moments come twice, or lie off the steps of the first; a value is not what it should be.
    ParameterError

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.date_range("2024-06-01", periods=96, freq="h")
    >>> series = pd.DataFrame({"time": hours, "power": range(96), "irradiance": 0})
    >>> solar_records(series.assign(temperature=9))[["same_hour_power", "power"]].values[60]
    array([12., 60.])
    """
    names = ("power", "irradiance", "temperature")
    table, minutes = _regular(series, names, "minutes", minutes)
    power, light, hour = table["power"], table["irradiance"], _HOUR // minutes
    day = 24 * hour
    parts = []
    for lead in _checked("lead_hours", lead_hours):
        back = lead * hour + _unfinished(label)
        records = table.assign(
            lead_hours=float(lead),
            irradiance_before=light.shift(1),
            irradiance_after=light.shift(-1),
            irradiance_day=_mean(light, day).shift(-day // 2),
            temperature_days=_mean(table["temperature"], 2 * day),
            recent_power=_mean(power, day).shift(back),
            recent_irradiance=_mean(light, day).shift(back),
            same_hour_power=power.shift(-(-back // day) * day),
        )
        parts.append(_asked(records, back))
    return _in_order(parts)


def wind_records(
    series: pd.DataFrame,
    *,
    lead_minutes: Sequence[int] = (10, 60, 240, 1440),
    step: int | None = None,
    label: Label = "left",
) -> pd.DataFrame:
    """Records of a wind turbine or farm, one for each interval and lead time.

    Parameters
    ----------
    series : DataFrame
        A row for each step: ``time`` (UTC where it says no zone), ``power``, ``wind_speed`` (m/s,
        at the height of the hub) and, if known, ``wind_direction`` (degrees). Behind the last
        known power, rows with the wind alone are those that a forecast is asked for.
    lead_minutes : sequence of int
        From the issue of a forecast to the time of its target, > 0, multiples of the step.
    step : int, optional
        Minutes, which divide an hour; by default as most rows lie apart.
    label : {"left", "mid", "right"}
        Whether ``time`` is the beginning, the middle or the end of the step. One that has not
        ended at the issue is not known by then.

    Returns
    -------
    DataFrame
        As :class:`industry_apps.energy.WindForecaster` takes them. The wind at the target is that
        of the series: as measured it stands for a perfect forecast. Without power are the records
        of targets to come, as far as the lead time goes beyond the last known power: ``predict``
        answers them, ``fit`` leaves them out.

    Raises
    ------
    SchemaError
        Moments come twice, or lie off the steps of the first; a value is not what it should be.
    ParameterError
    """
    table, minutes = _regular(series, ("power", "wind_speed"), "step", step)
    hour = _HOUR // minutes
    parts = []
    for lead in _checked("lead_minutes", lead_minutes, minutes):
        back = lead // minutes + _unfinished(label)
        then = table.shift(back)
        records = table.assign(
            lead_minutes=float(lead),
            recent_power=then["power"],
            hour_power=table["power"].rolling(hour, min_periods=1).mean().shift(back),
            day_power=_mean(table["power"], 24 * hour).shift(back),
            recent_wind_speed=then["wind_speed"],
        )
        if "wind_direction" in then:
            records["recent_wind_direction"] = then["wind_direction"]
        parts.append(_asked(records, back))
    return _in_order(parts)


def _unfinished(label: str) -> int:
    """Steps that have begun by the time of a row, and not ended."""
    if label not in ("left", "mid", "right"):
        raise ParameterError(f"label must be 'left', 'mid' or 'right', got {label!r}.")
    return 0 if label == "right" else 1


def _mean(values: pd.Series, steps: int) -> pd.Series:
    """Mean of so many steps, of which at least half are known."""
    return values.rolling(steps, min_periods=steps // 2).mean()


def _asked(records: pd.DataFrame, back: int) -> pd.DataFrame:
    """Of moments whose output is known, or will be forecast from what is known."""
    known = records["power"].notna()
    last = int(np.flatnonzero(known)[-1])
    place = np.arange(len(records))
    return records[known | ((place > last) & (place <= last + back))]


def _in_order(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(parts).sort_index(kind="stable").reset_index(names="time")


def _regular(
    series: pd.DataFrame, names: Sequence[str], parameter: str, step: int | None
) -> tuple[pd.DataFrame, int]:
    """The columns on all steps from the first moment to the last, by time in UTC; their minutes."""
    import pandas as pd

    numbers = list(dict.fromkeys((*names, *(name for name in _FURTHER if name in series))))
    # An offset makes a column one of double precision.
    columns = (Column(name, "number", offset=0.0) for name in numbers)
    read = Schema((Column("time", "datetime", nullable=False), *columns)).to_arrays(series)
    if np.isnan(read["power"]).all():
        raise SchemaError(
            f"Column 'power': got no value in {len(series)} rows, expected the output of the past. "
            "Give a series that begins before the forecast."
        )
    time = pd.DatetimeIndex(read["time"].astype("datetime64[s]"))
    if time.has_duplicates:
        moment = time[time.duplicated()][0]
        rows = np.flatnonzero(time == moment)
        raise SchemaError(
            f"Column 'time', rows {rows[0]} and {rows[1]}: got {moment} twice, "
            "expected each moment once. Keep the row that is right; where a clock was "
            "put back, give times in UTC."
        )
    minutes = _step_of(read["time"], parameter, step)
    table = series.drop(columns="time").set_axis(time).assign(**{n: read[n] for n in numbers})
    every = pd.date_range(time.min(), time.max(), freq=pd.Timedelta(minutes=minutes))
    return table.reindex(every), minutes


def _step_of(seconds: NDArray[np.int64], parameter: str, step: int | None) -> int:
    """Minutes between the rows: those that are given, or else those of most rows."""
    whole = [minutes for minutes in range(1, _HOUR + 1) if _HOUR % minutes == 0]
    step = plain(step)
    if step is not None and (not is_number(step) or step not in whole):
        raise ParameterError(
            f"{parameter} must be minutes that divide an hour, one of {whole}, got {step!r}."
        )
    apart, counts = np.unique(np.diff(np.sort(seconds)), return_counts=True)
    usual = int(apart[counts.argmax()]) / 60 if len(apart) else 0
    if usual > _HOUR or (step is None and usual not in whole):
        raise SchemaError(
            f"Column 'time': most rows lie {usual:g} minutes apart, expected steps that divide an "
            "hour, as 10, 15 or 60 minutes. Give means of such steps."
        )
    minutes = int(usual if step is None else step)
    since = seconds - seconds.min()
    wrong = since % (60 * minutes) != 0
    if wrong.any():
        row = int(wrong.argmax())
        moment, first = np.array([seconds[row], seconds.min()]).astype("datetime64[s]")
        remedy = "Take means of regular intervals, or leave the row out."
        if usual in whole and not (since % (60 * usual)).any():
            remedy = f"Most rows lie {usual:g} minutes apart: set {parameter} to it, or take means."
        raise SchemaError(
            f"Column 'time', row {row}: got {moment} UTC, expected steps of {minutes} minutes from "
            f"{first} on. {remedy}"
        )
    return minutes


def _checked(name: str, leads: Sequence[int], step: int = 1) -> Sequence[int]:
    words = f"a sequence of whole numbers > 0, multiples of the step of {step}"
    words = words if step > 1 else "a sequence of whole numbers > 0"
    if isinstance(leads, str) or not isinstance(leads, Iterable):
        raise ParameterError(f"{name} must be {words}, as ({leads},), got {leads!r}.")
    leads = list(map(plain, leads))
    fine = [lead for lead in leads if is_number(lead) and lead > 0 and lead % step == 0]
    if not leads or len(fine) < len(leads):
        example = f", as {tuple(fine)}" if fine else ""
        raise ParameterError(f"{name} must be {words}{example}, got {tuple(leads)}.")
    return [int(lead) for lead in fine]
