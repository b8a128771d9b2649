"""Series of a plant -> records of a forecast: what is known at its issue, and the weather then.

Moments are found by time, never by place: a gap in a series stays a gap in the records.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from industry_apps.errors import ParameterError, SchemaError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["solar_records", "wind_records"]


def solar_records(series: pd.DataFrame, *, lead_hours: Sequence[int] = (24,)) -> pd.DataFrame:
    """Records of a photovoltaic plant, one for each hour and lead time.

    Parameters
    ----------
    series : DataFrame
        A row for each hour: ``time`` (UTC where it says no zone), ``power``, ``irradiance``
        (global horizontal, W/m2), ``temperature`` (degrees Celsius) and, if known,
        ``wind_speed`` (m/s).
    lead_hours : sequence of int
        From the issue of a forecast to its target, > 0.

    Returns
    -------
    DataFrame
        As :class:`industry_apps.energy.SolarForecaster` takes them. Weather at the target, the
        hours beside it and its day is that of the series: as measured it stands for a perfect
        forecast.

    Raises
    ------
    SchemaError
        Moments come twice, or lie off the hours of the first.
    ParameterError

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.date_range("2024-06-01", periods=72, freq="h")
    >>> series = pd.DataFrame({"time": hours, "power": range(72), "irradiance": 0})
    >>> solar_records(series.assign(temperature=9))[["same_hour_power", "power"]].values[30]
    array([ 6., 30.])
    """
    import pandas as pd

    table = _regular(series, 3_600, ("power", "irradiance", "temperature"))
    power, light = table["power"], table["irradiance"]
    parts = []
    for lead in _checked(lead_hours):
        day = -(-lead // 24) * 24
        parts.append(
            table.assign(
                lead_hours=float(lead),
                irradiance_before=light.shift(1),
                irradiance_after=light.shift(-1),
                irradiance_day=light.rolling(24, min_periods=12).mean().shift(-12),
                temperature_days=table["temperature"].rolling(48, min_periods=24).mean(),
                recent_power=power.rolling(24, min_periods=12).mean().shift(lead),
                recent_irradiance=light.rolling(24, min_periods=12).mean().shift(lead),
                same_hour_power=power.shift(day),
            )
        )
    return _records(pd.concat(parts))


def wind_records(
    series: pd.DataFrame, *, lead_minutes: Sequence[int] = (10, 60, 240, 1440), step: int = 10
) -> pd.DataFrame:
    """Records of a wind turbine or farm, one for each moment and lead time.

    Parameters
    ----------
    series : DataFrame
        A row for each step: ``time`` (UTC where it says no zone), ``power``, ``wind_speed`` (m/s,
        at the height of the hub) and, if known, ``wind_direction`` (degrees).
    lead_minutes : sequence of int
        From the issue of a forecast to its target, > 0, multiples of the step.
    step : int
        Minutes.

    Returns
    -------
    DataFrame
        As :class:`industry_apps.energy.WindForecaster` takes them. The wind at the target is that
        of the series: as measured it stands for a perfect forecast.

    Raises
    ------
    SchemaError
        Moments come twice, or lie off the steps of the first.
    ParameterError
    """
    import pandas as pd

    table = _regular(series, 60 * step, ("power", "wind_speed"))
    hour = max(1, 60 // step)
    parts = []
    for lead in _checked(lead_minutes):
        if lead % step:
            raise ParameterError(
                f"lead_minutes must be multiples of the step of {step}, got {lead}."
            )
        then = table.shift(lead // step)
        parts.append(
            table.assign(
                lead_minutes=float(lead),
                recent_power=then["power"],
                hour_power=table["power"].rolling(hour, min_periods=1).mean().shift(lead // step),
                day_power=table["power"]
                .rolling(24 * hour, min_periods=12 * hour)
                .mean()
                .shift(lead // step),
                recent_wind_speed=then["wind_speed"],
                **(
                    {"recent_wind_direction": then["wind_direction"]}
                    if "wind_direction" in then
                    else {}
                ),
            )
        )
    return _records(pd.concat(parts))


def _records(table: pd.DataFrame) -> pd.DataFrame:
    """Of moments whose output is known, in order of time."""
    ordered = table[table["power"].notna()].sort_index(kind="stable")
    return ordered.reset_index(names="time")


def _regular(series: pd.DataFrame, step: int, names: Sequence[str]) -> pd.DataFrame:
    """The columns on all steps from the first moment to the last, indexed by time in UTC."""
    import pandas as pd

    for name in ("time", *names):
        if name not in series:
            raise SchemaError(
                f"Column {name!r} is missing from the series. It has: "
                f"{', '.join(map(str, series.columns))}. Add it, or name it so."
            )
    time = pd.to_datetime(series["time"])
    if time.dt.tz is not None:
        time = time.dt.tz_convert("UTC").dt.tz_localize(None)
    if time.isna().any():
        row = int(time.isna().argmax())
        raise SchemaError(
            f"Column 'time', row {row}: got no time, expected one in every row. Fill it, or drop "
            "the row."
        )
    if time.duplicated().any():
        rows = [int(r) for r in (time == time[time.duplicated()].iloc[0]).to_numpy().nonzero()[0]]
        raise SchemaError(
            f"Column 'time', rows {rows[0]} and {rows[1]}: got {time.iloc[rows[0]]} twice, "
            "expected each moment once. Keep the row that is right; where a clock was "
            "put back, give times in UTC."
        )
    table = series.drop(columns="time").set_axis(pd.DatetimeIndex(time).as_unit("s")).sort_index()
    off = (table.index - table.index[0]) % pd.Timedelta(seconds=step) != pd.Timedelta(0)
    if off.any():
        raise SchemaError(
            f"Column 'time': got {table.index[off][0]}, expected steps of {step // 60} minutes "
            f"from {table.index[0]} on. Take means of regular intervals."
        )
    every = pd.date_range(table.index[0], table.index[-1], freq=pd.Timedelta(seconds=step))
    return table.reindex(every)


def _checked(leads: Sequence[int]) -> Sequence[int]:
    if not leads or any(int(lead) != lead or lead <= 0 for lead in leads):
        raise ParameterError(f"Lead times must be whole numbers > 0, got {tuple(leads)!r}.")
    return leads
