"""Files of one data set that have a form of their own; cards name these functions as ``reader``."""

from __future__ import annotations

from calendar import day_name, month_abbr
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from zipfile import ZipFile

from industry_apps.data.arrays import read_arrays
from industry_apps.data.rules import Reading
from industry_apps.data.tables import read_table
from industry_apps.errors import SchemaError

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
#: Of magnetic tiles: a number that is further from the one before is of another tile.
_SAME_TILE = 200
_PCB_TYPES = ("open", "short", "mousebite", "spur", "copper", "pin-hole")


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


def magnetic_tiles(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Photographs beside the tile that each is of, which their names tell.

    A name is expE_num_N: exposure E, and N, which rises with time. Sorted by N, a new tile begins
    where E does not rise or N jumps by more than 200.
    """
    import numpy as np

    (path,) = paths.values()
    if reading.arrays is None:
        raise SchemaError("The card of magnetic tiles names no arrays. Name those of its columns.")
    frame = read_arrays(path, reading.arrays)
    found = frame["name"].astype(str).str.extract(r"exp(\d+)_num_(\d+)").astype(np.int64)
    found.columns = ["exposure", "number"]
    taken = found.sort_values(["number", "exposure"])
    begins = ~(taken["exposure"].diff() > 0) | (taken["number"].diff() > _SAME_TILE)
    return frame.assign(part=begins.cumsum().reindex(frame.index)).drop(columns="name")


def deeppcb(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Boards, each with its template and the boxes of its defects, from a zip of PNG images."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    rows = []
    with ZipFile(path) as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith("_test.png")):
            stem = name.removesuffix("_test.png")
            told = archive.read(f"{stem}.txt").decode("ascii").split("\n")
            numbers = [list(map(int, line.split())) for line in told if line.strip()]
            rows.append(
                {
                    "image": archive.read(name),
                    "reference": archive.read(f"{stem}_temp.png"),
                    "boxes": [(*box[:4], _PCB_TYPES[box[4] - 1]) for box in numbers],
                    "is_test": stem.partition("/")[0],
                }
            )
    return pd.DataFrame(rows)


#: Name on a card -> function.
READERS: Mapping[str, Reader] = MappingProxyType(
    {
        each.__name__: each
        for each in (deeppcb, m4_hourly, magnetic_tiles, movielens_100k, vehicle_claims)
    }
)
