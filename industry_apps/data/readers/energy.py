"""Files of energy that have a form of their own; cards name these as ``reader``."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from industry_apps.data.rules import Reading
from industry_apps.data.tables import read_table

if TYPE_CHECKING:
    import pandas as pd


class _Draws(NamedTuple):
    """Loads drawn around those of a grid: how many, common levels, and how far each is off."""

    records: int
    levels: tuple[float, float]
    spread: float


#: The first row with the fault in test runs of the Tennessee Eastman process.
_TEP_ONSET = 160
#: Case in the zip -> what is drawn.
_LOADS = {
    "case30.m": _Draws(3_000, (0.8, 1.3), 0.1),
    "case1354pegase.m": _Draws(1_000, (1.0, 1.0), 0.15),
}


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
        hours = pd.DataFrame({"time": ends - pd.Timedelta(hours=1), "load": table.iloc[:, 1]})
        loads = hours.groupby("time")["load"].mean().reset_index()
        parts.append(loads.assign(area=name.split("_")[0]))
    long = pd.concat(parts, ignore_index=True)[["area", "time", "load"]]
    days = USFederalHolidayCalendar().holidays(long["time"].min(), long["time"].max())
    return long.assign(holiday=long["time"].dt.normalize().isin(days))


def pvdaq_solar(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Hourly records of a photovoltaic plant, day ahead, with the weather of satellites.

    Output is stamped by the clock on the wall of Denver, whatever its offset says; weather in
    standard time.
    """
    from industry_apps.data.power_records import solar_records

    power, weather = (read_table(path) for path in paths.values())
    wall = power["measured_on"].dt.tz_localize(None)
    moment = wall.dt.tz_localize("America/Denver", ambiguous="NaT", nonexistent="NaT")
    quarters = power.assign(time=moment.dt.tz_convert("UTC").dt.tz_localize(None))
    hours = quarters.dropna(subset=["time"]).set_index("time")["ac_power_2"].resample("h")
    output = hours.mean().where(hours.count() == 4)
    moment = weather["index"].dt.tz_convert("UTC").dt.tz_localize(None)
    halves = weather.set_index(moment)[["ghi", "temp_air"]].astype("float64")
    # Values are those of a moment: the hour is what lies between three of them.
    mean = (halves + 2 * halves.shift(-1) + halves.shift(-2)) / 4
    known = mean.iloc[::2].rename(columns={"ghi": "irradiance", "temp_air": "temperature"})
    series = known.assign(power=output.reindex(known.index)).loc[output.index.min() :]
    return solar_records(series.reset_index(names="time"))


def scada_wind(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """Records of a wind turbine, 10 minutes to a day ahead, with the wind as measured."""
    import pandas as pd

    from industry_apps.data.power_records import wind_records

    (path,) = paths.values()
    table = read_table(path, separator=reading.separator)
    series = pd.DataFrame(
        {
            "time": pd.to_datetime(table.iloc[:, 0], format="%d %m %Y %H:%M"),
            "power": table.iloc[:, 1],
            "wind_speed": table.iloc[:, 2],
            "wind_direction": table.iloc[:, 4],
        }
    )
    return wind_records(series, label="right")  # not known: what the card says of it


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


def tennessee_eastman(paths: Mapping[str, Path], reading: Reading) -> pd.DataFrame:
    """The runs of Russell, Chiang and Braatz, one below the other, a row for each three minutes.

    ``d00`` and the runs of faults of training are to learn from, the first half of the normal test
    run sets thresholds, and all else is a test, in which faults begin behind row 160. Both halves
    of the normal test run are runs of their own.
    """
    import numpy as np
    import pandas as pd

    (path,) = paths.values()
    parts = []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            with archive.open(name) as file:
                values = np.loadtxt(file)
            if values.shape[0] == len(reading.header):  # the normal run is stored lying down
                values = values.T
            run = Path(name).stem
            table = pd.DataFrame(values, columns=list(reading.header))
            fault = "normal" if run.startswith("d00") else f"fault {run[1:3]}"
            test = run.endswith("_te")
            begins = np.arange(len(table)) >= (_TEP_ONSET if test else 0)
            table["run"], table["time"] = run, np.arange(len(table))
            table["fault"] = np.where(begins, fault, "normal")
            table["part"] = "test" if test else "train"
            if run == "d00_te":
                first = table["time"] < len(table) // 2
                table.loc[first, ["run", "part"]] = ["d00_te first half", "validation"]
            parts.append(table)
    return pd.concat(parts, ignore_index=True)
