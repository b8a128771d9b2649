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
#: Every so-many-th training engine is set aside for validation.
_VALIDATION_ENGINE = 5


def cmapss(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Engines of C-MAPSS: the training file runs to failure, the others are a test that is cut off.

    Engines are named by file and number. The cycles that are left follow from the last cycle of
    an engine of training, and from the third file for one of the test. Where there is a test, the
    column ``part`` says where an engine belongs: every fifth one of training is for validation.
    """
    import numpy as np
    import pandas as pd

    train, *official = list(paths.values())
    tables = {"train": _engines(train, reading, np.zeros(1))}
    if official:
        test, left = official
        tables["test"] = _engines(test, reading, np.loadtxt(left, ndmin=1))
    frame = pd.concat(tables.values(), ignore_index=True)
    names = [np.repeat(name, len(table)) for name, table in tables.items()]
    part = np.concatenate(names).astype(object)
    number = frame["machine"].to_numpy(dtype=np.int64)
    frame["machine"] = [f"{p} {n:03d}" for p, n in zip(part, number, strict=True)]
    if official:
        part[(part == "train") & (number % _VALIDATION_ENGINE == 0)] = "validation"
        frame["part"] = part
    return frame


def _engines(path: Path, reading: Reading, left: np.ndarray) -> pd.DataFrame:
    """A file of engines, with the cycles that are left: so many behind the last, by engine."""
    import pandas as pd

    frame = pd.read_csv(path, sep=r"\s+", header=None, names=list(reading.header))
    last = frame.groupby("machine")["cycle"].transform("max")
    behind = left[frame["machine"].to_numpy() - 1] if len(left) > 1 else left[0]
    return frame.assign(remaining_life=(last - frame["cycle"] + behind).astype(float))


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


#: Name on a card -> function.
READERS: Mapping[str, Reader] = MappingProxyType(
    {each.__name__: each for each in (cmapss, m4_hourly, movielens_100k, vehicle_claims)}
)
