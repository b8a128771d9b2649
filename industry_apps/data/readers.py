"""Files of one data set that have a form of their own; cards name these functions as ``reader``."""

from __future__ import annotations

import re
import zipfile
from calendar import day_name, month_abbr
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

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


class _Draws(NamedTuple):
    """Loads drawn around those of a grid: how many, common levels, and how far each is off."""

    records: int
    levels: tuple[float, float]
    spread: float


#: Case in the zip -> what is drawn.
_LOADS = {
    "case30.m": _Draws(3_000, (0.8, 1.3), 0.1),
    "case1354pegase.m": _Draws(1_000, (1.0, 1.0), 0.15),
}


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


def matpower_cases(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Case files of grids as they are, a row each; all of them a test."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    with zipfile.ZipFile(path) as archive:
        texts = {name: archive.read(name).decode() for name in archive.namelist()}
    return pd.DataFrame(
        {"case": [Path(name).stem for name in texts], "text": list(texts.values()), "part": "test"}
    )


def matpower_loads(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Loads drawn around those of a grid, in the order of its buses; the card names its file."""
    import numpy as np

    from industry_apps.data.simulators.energy.grid_loads import drawn_loads

    (path,) = paths.values()
    with zipfile.ZipFile(path) as archive:
        text = archive.read(reading.entry).decode()
    table = text.partition("mpc.bus = [")[2].partition("];")[0]
    rows = [re.sub("%.*", "", line).strip(" ;\t\r").split() for line in table.splitlines()]
    usual = np.array([float(row[2]) for row in rows if row])
    draws = _LOADS[reading.entry]
    return drawn_loads(usual, draws.records, draws.levels, draws.spread, seed=0)


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


#: Name on a card -> function.
READERS: Mapping[str, Reader] = MappingProxyType(
    {
        each.__name__: each
        for each in (m4_hourly, matpower_cases, matpower_loads, movielens_100k, vehicle_claims)
    }
)
