"""Solar forecasting: how much a photovoltaic plant feeds in, at each hour that is asked about.

Asked by plant operators, traders and grid operators, day ahead and within the day. Physics first:
where the sun stands, what a clear sky lets through, how the modules lie (learned where it is not
given) and how warm they get, by the models of pvlib (Anderson et al. 2023,
doi:10.21105/joss.05994), written into the exported file. Trees learn what is left: snow, shade,
dirt, clouds within the hour. Night is exactly 0, and nothing exceeds the capacity.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data.power_records import Label, solar_records
from industry_apps.data.time_shifts import TimeShift, find_time_shifts
from industry_apps.energy.renewable.solar import RECENT, WEATHER, SolarPhysics
from industry_apps.energy.renewable.sun import Site
from industry_apps.energy.renewable.turbidity import linke_turbidity
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.evaluation.sections import Section
from industry_apps.limits import Limit, integer, is_number, one_of
from industry_apps.recipes import TreeOptions
from industry_apps.recipes.power.metrics import POWER
from industry_apps.recipes.power.outputs import outputs_of
from industry_apps.recipes.power.records import Arrays
from industry_apps.recipes.power.table import HoldsPower
from industry_apps.schema import Column, Schema, Traits

_POWER = Column("power", "number", "Mean of the interval", unit="that of the capacity")
_AC = Column("power", "number", unit="that of the capacity", low=0)
_LATITUDE = Limit(lambda v: is_number(v) and -90 <= v <= 90, "degrees in [-90, 90]")
_LONGITUDE = Limit(lambda v: is_number(v) and -180 <= v <= 180, "degrees in [-180, 180]")
_TILT = Limit(lambda v: is_number(v) and 0 <= v <= 90, "degrees in [0, 90]")
_TURN = Limit(lambda v: is_number(v) and 0 <= v < 360, "degrees in [0, 360)")
_HAZE = Limit(lambda v: is_number(v) and 1 <= v <= 10, "a number in [1, 10]")
_HEIGHT = Limit(lambda v: is_number(v) and -500 <= v <= 9_000, "metres in [-500, 9000]")
#: Modules may have their noon so many hours off that of the sun; weather may not.
_FREE_HOURS, _LEAST_MINUTES = 2.0, 45


#: Weather of another zone is as far off as the zones are.
_MOST_HOURS = 12.0
#: Of records with so high a sun (sine), W/m2 that at least half of them exceed.
_HIGH, _DARK, _FEWEST_HIGH = 0.3, 10.0, 48


def _moments(arrays: Arrays) -> pd.Series:
    return pd.Series(arrays["time"].astype("datetime64[s]"), name="time")


def _light(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(name, "number", meaning, unit="W/m2", low=0, high=1500, required=required)


class SolarForecaster(HoldsPower, Application):
    """Expected output of a photovoltaic plant and its quantiles, for each hour that is asked about.

    A record is an hour to come: the weather forecast for it, and what was known of the plant when
    the forecast is issued. :meth:`records` makes records of a series. Where irradiance or
    temperature is not known, or irradiance is more or less than can be at that time of that day,
    the answer is based on recent output, and says so. Where the rows of the weather are shifted
    against the sun over some days, as in another zone, ``predict`` warns, and so it does of values
    in another unit.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"power": "ac_kw"}``.
    model : {"trees", "physics"}
        Physics with what trees learn of their errors, or with their usual errors alone.
    capacity : float, optional
        The most that the plant feeds in, > 0, in the unit of ``power``; by default learned, as what
        it reaches again and again.
    time_shifts : {"refuse", "correct", "accept"}
        What ``fit`` does where the clock of the output is not that of the weather, as in summer:
        an error; learn from the output at the times it belongs to, with a note in the report; or
        nothing. Recent output has to be corrected by whoever makes the records.
    trees : TreeOptions, optional
    latitude, longitude : float
        Of the plant, in degrees, north and east positive; ``fit`` needs both.
    altitude : float
        Metres.
    tilt, azimuth : float, optional
        Of the modules: degrees from the horizontal in [0, 90], and from north over east in
        [0, 360). By default as fits the output best.
    turbidity : float, optional
        Linke turbidity, in [1, 10]; by default that of the site, month by month, of pvlib's table.
    label : {"left", "mid", "right"}
        Whether ``time`` is the beginning, the middle or the end of the interval.
    minutes : int
        Of an interval, in [1, 1440].

    Examples
    --------
    >>> from industry_apps.energy import SolarForecaster
    >>> data = SolarForecaster.sample()
    >>> forecaster = SolarForecaster.fast().fit(data)
    >>> forecaster.predict(data.test.head(2)).columns.tolist()
    ['power', 'power_p10', 'power_p50', 'power_p90', 'basis']
    """

    name = "energy.solar_forecasting"
    question = "How much will a solar plant feed in?"
    simulator = "energy_solar_simulator"
    schema = Schema(
        (
            Column("time", "datetime", "Of the interval that is asked about", nullable=False),
            Column("lead_hours", "number", "From the issue", unit="h", low=0, required=False),
            _light("irradiance", "Global horizontal", required=True),
            Column("temperature", "number", "Of the air", unit="degrees Celsius", low=-90, high=70),
            Column("wind_speed", "number", unit="m/s", low=0, high=100, required=False),
            _light("irradiance_before", "Of the interval before"),
            _light("irradiance_after", "Of the interval after"),
            _light("irradiance_day", "Mean of the 24 hours around"),
            Column(
                "temperature_days",
                "number",
                "Mean of the 48 hours before",
                unit="degrees Celsius",
                low=-90,
                high=70,
                required=False,
            ),
            Column("recent_power", "number", "Mean of the last 24 hours known", required=False),
            _light("recent_irradiance", "Mean of the same hours"),
            Column("same_hour_power", "number", "At this hour, last known", required=False),
            _POWER,
        )
    )
    outputs = outputs_of(_AC, (WEATHER, RECENT))
    traits = Traits(inputs=("number", "datetime"))
    problem = POWER
    lead, lead_unit = "lead_hours", "h"
    weather = (
        "irradiance",
        "temperature",
        "wind_speed",
        "irradiance_before",
        "irradiance_after",
        "irradiance_day",
        "temperature_days",
    )
    persists = "same_hour_power"
    recent = ("recent_power", "same_hour_power")

    latitude: Annotated[float, _LATITUDE] | None = None
    longitude: Annotated[float, _LONGITUDE] | None = None
    altitude: Annotated[float, _HEIGHT] = 0.0
    tilt: Annotated[float, _TILT] | None = None
    azimuth: Annotated[float, _TURN] | None = None
    turbidity: Annotated[float, _HAZE] | None = None
    label: Annotated[str, one_of(("left", "mid", "right"))] = "left"
    minutes: Annotated[int, integer(1, 1440)] = 60

    @classmethod
    def fast(cls) -> Self:
        """Few trees: a fit of seconds; the place of the sample."""
        return cls(
            latitude=47.0,
            longitude=8.0,
            altitude=400.0,
            turbidity=3.0,
            trees=TreeOptions(rounds=30, learning_rate=0.15),
        )

    @staticmethod
    def records(
        series: pd.DataFrame,
        *,
        lead_hours: Sequence[int] = (24,),
        label: Label = "left",
        minutes: int = 60,
    ) -> pd.DataFrame:
        """Make records of a series; see :func:`industry_apps.data.power_records.solar_records`."""
        return solar_records(series, lead_hours=lead_hours, label=label, minutes=minutes)

    def _physics(self, arrays: Arrays, power: NDArray[np.float64]) -> SolarPhysics:
        del power
        found = self._place()
        light = arrays["irradiance"][found.height(arrays["time"]) > _HIGH]
        light = light[~np.isnan(light)]
        if len(light) >= _FEWEST_HIGH and np.median(light) < _DARK:
            raise SchemaError(
                f"Column {self._name('irradiance')!r}: the median is {np.median(light):.3g} while "
                "the sun is high, expected W/m2: kW/m2? Multiply by 1000, or check place and times."
            )
        return found

    def _place(self) -> SolarPhysics:
        """What is known of the plant by its parameters."""
        if self.latitude is None or self.longitude is None:
            raise ParameterError(
                "SolarForecaster needs latitude and longitude of the plant, in degrees; got "
                f"{self.latitude!r} and {self.longitude!r}. Give both."
            )
        haze = self.turbidity
        months = linke_turbidity(self.latitude, self.longitude) if haze is None else (haze,) * 12
        return SolarPhysics(
            schema=self._read_schema(),
            site=Site(
                latitude=self.latitude,
                longitude=self.longitude,
                altitude=self.altitude,
                turbidity=months,
            ),
            later=self._later(),
            tilt=self.tilt,
            azimuth=self.azimuth,
        )

    def _read_schema(self) -> Schema:
        return Schema(tuple(c for c in self.schema if c.name != "power"))

    def _later(self) -> int:
        return {"left": 30, "mid": 0, "right": -30}[self.label] * self.minutes

    def _weather_shifts(self, arrays: Arrays) -> list[str]:
        light = arrays["irradiance"].astype(np.float64)
        height = self._place().height(arrays["time"])
        shifts = find_time_shifts(_moments(arrays), light, height, most_hours=_MOST_HOURS)
        return [
            f"irradiance is {shift}, as the sun goes"
            for shift in shifts
            if abs(shift.minutes) >= _LEAST_MINUTES
        ]

    def _clock_shifts(self, arrays: Arrays, power: NDArray[np.float64]) -> list[TimeShift]:
        light = arrays["irradiance"].astype(np.float64)
        return find_time_shifts(_moments(arrays), power, light, free_hours=_FREE_HOURS)

    def _sections(self, arrays: Arrays, power: NDArray[np.float64]) -> tuple[Section, ...]:
        del arrays, power
        found = cast(SolarPhysics, self.recipe_.physics)
        return (
            Section(
                "What was learned of the plant",
                table=[
                    ["tilt", "azimuth", "losses"],
                    [found.tilt, found.azimuth, 1 - found.scale],
                ],
            ),
        )
