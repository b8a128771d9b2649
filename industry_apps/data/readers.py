"""Files of one data set that have a form of their own; cards name these functions as ``reader``."""

from __future__ import annotations

import json
from calendar import day_name, month_abbr
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

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


def jsplib(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Job shops as a row for each operation, with the best makespans known; all of them a test.

    Those of which no makespan is known are left out.
    """
    import pandas as pd

    del reading
    facts = json.loads(paths["instances.json"].read_text(encoding="utf-8"))
    rows = []
    with ZipFile(paths["instances.zip"]) as archive:
        for each in facts:
            bounds = each.get("bounds") or {}
            best = each["optimum"] or bounds.get("upper")
            if best:
                bound = each["optimum"] or bounds.get("lower")
                text = archive.read(each["path"]).decode()
                known = {"best_known": best, "known_bound": bound, "part": "test"}
                rows += [{"instance": each["name"], **row, **known} for row in _operations(text)]
    return pd.DataFrame(rows)


def _operations(text: str) -> Iterator[dict[str, Any]]:
    """Operations of one job shop: after jobs and machines a line for each job, in pairs."""
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    jobs = int(lines[0][0])
    for job, line in enumerate(lines[1 : jobs + 1]):
        for position, (machine, duration) in enumerate(zip(line[::2], line[1::2], strict=True)):
            yield {
                "job": f"J{job}",
                "position": position,
                "machine": f"M{machine}",
                "duration": int(duration),
            }


def stockpyl_instances(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Inventory problems, a row for each, with their inputs as JSON; all of them a test."""
    import pandas as pd

    del reading
    (path,) = paths.values()
    found = json.loads(path.read_text(encoding="utf-8"))["instances"]
    rows = [
        {
            "name": each["name"],
            "description": each["description"],
            "inputs": json.dumps(each["data"]),
            "part": "test",
        }
        for each in found
    ]
    return pd.DataFrame(rows)


def supplygraph_orders(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Daily sales orders in units, a row for each product and day."""
    import pandas as pd

    (path,) = paths.values()
    with ZipFile(path) as archive, archive.open(reading.entry) as file:
        wide = pd.read_csv(file)
    long = wide.melt(id_vars="Date", var_name="item", value_name="quantity")
    time = pd.to_datetime(long["Date"]).astype("datetime64[s]")
    # Orders are whole units, a few of them with the rounding errors of a sum.
    return long.assign(time=time, quantity=long["quantity"].round(6))[["item", "time", "quantity"]]


#: Name on a card -> function.
READERS: Mapping[str, Reader] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            jsplib,
            m4_hourly,
            movielens_100k,
            stockpyl_instances,
            supplygraph_orders,
            vehicle_claims,
        )
    }
)
