"""Files of one data set that have a form of their own; cards name these functions as ``reader``."""

from __future__ import annotations

from calendar import day_name, month_abbr
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from industry_apps.data.rules import Reading
from industry_apps.data.tables import read_table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

Reader = Callable[[Mapping[str, Path], Reading], "pd.DataFrame"]

_LAST_HOUR = "2000-02-29T23:00"
_GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime"),
    *("Documentary", "Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance"),
    *("Sci-Fi", "Thriller", "War", "Western"),
)
_FILM = ("item", "title", "release", "video_release", "address", *_GENRES)
_DAYS_A_MONTH = 30.4


def m4_hourly(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Rows of whole series as long tables; the files go on where the one before ends.

    All series are given the same last hour, since the competition names none.
    """
    import numpy as np
    import pandas as pd

    del reading
    found: dict[str, list[np.ndarray]] = {}
    for path in paths.values():
        table = read_table(path)
        values = table.drop(columns="V1").to_numpy(dtype=np.float64)
        for name, row in zip(table["V1"].astype(str), values, strict=True):
            found.setdefault(name, []).append(row[~np.isnan(row)])
    series = {name: np.concatenate(rows) for name, rows in found.items()}
    longest = max(map(len, series.values()))
    times = pd.date_range(end=_LAST_HOUR, periods=longest, freq="h", unit="s")
    parts = [
        pd.DataFrame({"series": name, "time": times[longest - len(v) :], "quantity": v})
        for name, v in series.items()
    ]
    return pd.concat(parts, ignore_index=True)


def movielens_100k(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Ratings beside title, release and genres of their films, the genres joined by "|"."""
    ratings = read_table(paths["u.data"], header=reading.header, separator=reading.separator)
    films = read_table(
        paths["u.item"], header=_FILM, separator="|", quoted=False, encoding="latin-1"
    )
    films["genres"] = [
        "|".join(name for name, flag in zip(_GENRES, row, strict=True) if flag == 1)
        for row in films[list(_GENRES)].to_numpy()
    ]
    films = films.drop(columns=list(_GENRES))
    return ratings.merge(films, on="item", how="left", validate="many_to_one")


def vehicle_claims(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Claims with the days from accident to claim.

    Of both only month, week of the month and weekday are known; the parts are too coarse to tell
    a claim before the accident, which counts as 0 days.
    """
    (path,) = paths.values()
    frame = read_table(path, separator=reading.separator)
    months = {name: number for number, name in enumerate(month_abbr)}
    weekdays = {name: number for number, name in enumerate(day_name)}
    month = (frame["MonthClaimed"].map(months) - frame["Month"].map(months)) % 12
    week = frame["WeekOfMonthClaimed"] - frame["WeekOfMonth"]
    day = frame["DayOfWeekClaimed"].map(weekdays) - frame["DayOfWeek"].map(weekdays)
    days = month * _DAYS_A_MONTH + week * 7 + day
    return frame.assign(days_to_claim=days.astype(float).clip(lower=0))


def ett_hourly(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """The columns of one transformer as series of a long table."""
    import pandas as pd

    (path,) = paths.values()
    table = read_table(path, separator=reading.separator)
    long = table.melt(id_vars="date", var_name="area", value_name="load")
    return long.assign(time=pd.to_datetime(long["date"]))[["area", "time", "load"]]


def pjm_hourly(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Loads of several areas as one long table, by the start of the hour, with federal holidays.

    The hour that comes twice in autumn is the mean of both.
    """
    import pandas as pd
    from pandas.tseries.holiday import USFederalHolidayCalendar

    parts = []
    for name, path in paths.items():
        table = read_table(path, separator=reading.separator)
        ends = pd.to_datetime(table["Datetime"])
        table = pd.DataFrame({"time": ends - pd.Timedelta(hours=1), "load": table.iloc[:, 1]})
        table = table.groupby("time", as_index=False)["load"].mean()
        parts.append(table.assign(area=name.split("_")[0]))
    long = pd.concat(parts, ignore_index=True)[["area", "time", "load"]]
    days = USFederalHolidayCalendar().holidays(long["time"].min(), long["time"].max())
    return long.assign(holiday=long["time"].dt.normalize().isin(days))


#: Name on a card -> function.
READERS: Mapping[str, Reader] = MappingProxyType(
    {
        each.__name__: each
        for each in (ett_hourly, m4_hourly, movielens_100k, pjm_hourly, vehicle_claims)
    }
)
