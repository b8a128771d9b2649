"""What is known of a photovoltaic plant before its errors are: sun, sky, modules, and its slope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from industry_apps.energy.renewable.sun import (
    Light,
    Site,
    Sun,
    clear_sky,
    module_output,
    on_plane,
    split_light,
    sun,
)
from industry_apps.features import GraphBuilder
from industry_apps.features.formulas import Formula
from industry_apps.features.running import WrittenGraph
from industry_apps.recipes.power.recipe import Terms, View
from industry_apps.recipes.power.records import Arrays
from industry_apps.schema import Column, Schema

#: Cosines of the zenith of sunset, with the width of an hour, and of where forecasts are judged.
_NIGHT, _JUDGED = float(np.cos(np.deg2rad(97.0))), float(np.cos(np.deg2rad(85.0)))
_WIND = 1.5  # m/s, on modules, where it is not known
_MOST_LIGHT = 1.5  # of that above the air on a horizontal plane: clouds may focus it, no more
_LEAST_LIGHT = 0.01  # of the same, which the thickest clouds let through
_TWILIGHT, _SHADE = 60.0, 2.0  # W/m2, where the sun is low
#: Records by which the slope is searched for.
_MOST_RECORDS = 3_000
WEATHER, RECENT = "weather", "recent output"


class _Slope(NamedTuple):
    """Mean absolute error of a slope, and what the output is a share of with it."""

    error: float
    tilt: float
    turn: float
    scale: float


@dataclass(eq=False, kw_only=True)
class SolarPhysics:
    """Expected output of a plant with modules in one plane.

    Parameters
    ----------
    schema : Schema
    site : Site
    later : int
        Seconds from the time of a record to the middle of its interval.
    tilt, azimuth : float or None
        Degrees; None: as fits the output best.
    """

    schema: Schema
    site: Site
    later: int
    tilt: float | None
    azimuth: float | None
    scale: float = 1.0
    clear: tuple[float, ...] = (1.0,) * 12
    temperature: float = 15.0

    views = (WEATHER, RECENT)
    groups = 1

    def learn(self, arrays: Arrays, share: NDArray[np.float64]) -> None:
        """Learn slope and losses, and how clear the sky is in each month."""
        warm = arrays["temperature"][~np.isnan(arrays["temperature"])]
        self.temperature = float(warm.mean()) if len(warm) else self.temperature
        told = np.flatnonzero(~np.isnan(share) & ~np.isnan(arrays["irradiance"]))
        told = told[:: max(1, len(told) // _MOST_RECORDS)]
        few = {name: values[told] for name, values in arrays.items()}
        self._search(few, share[told])
        self._learn_months(arrays, share)

    def _search(self, arrays: Arrays, share: NDArray[np.float64]) -> None:
        """The slope of least absolute error, by ever finer grids."""
        tilts = [self.tilt] if self.tilt is not None else [0.0, 15.0, 30.0, 45.0, 60.0]
        turns = [self.azimuth] if self.azimuth is not None else [90.0, 135.0, 180.0, 225.0, 270.0]
        if self.site.latitude < 0 and self.azimuth is None:
            turns = [(turn + 180) % 360 for turn in turns]
        found = [self._tried(arrays, share, tilt, turn) for tilt in tilts for turn in turns]
        for step in (7.5, 2.5):
            best = min(found)
            near = np.array([-step, 0.0, step])
            tilts = [best.tilt] if self.tilt is not None else list(np.maximum(best.tilt + near, 0))
            turns = [best.turn] if self.azimuth is not None else list(best.turn + 2 * near)
            found += [self._tried(arrays, share, tilt, turn) for tilt in tilts for turn in turns]
        best = min(found)
        self.tilt, self.azimuth, self.scale = float(best.tilt), float(best.turn) % 360, best.scale

    def _tried(
        self, arrays: Arrays, share: NDArray[np.float64], tilt: float, turn: float
    ) -> _Slope:
        tried = replace(self, tilt=tilt, azimuth=turn, scale=1.0)
        graph = WrittenGraph(
            self.schema,
            lambda builder, inputs: {"/e": tried._raw(builder, inputs)[2].tensor},
            Schema((Column("/e", "number"),)),
        )
        expected = graph.run(arrays)[0][:, 0].astype(np.float64)
        fine = ~np.isnan(expected)
        expected, share = expected[fine], share[fine]
        squares = float(expected @ expected)
        scale = float(expected @ share) / max(squares, 1e-9)
        error = float(np.abs(np.minimum(scale * expected, 1) - share).mean())
        return _Slope(error, tilt, turn, scale)

    def _raw(
        self, builder: GraphBuilder, inputs: Mapping[str, str]
    ) -> tuple[Sun, Light, Formula, Formula]:
        """Sun, light, expected output by the weather, and irradiance on the plane."""
        above = sun(builder, inputs["time"], self.site, self.later)
        light = split_light(above, Formula(builder, inputs["irradiance"]))
        plane = on_plane(above, light, self.tilt or 0.0, self.azimuth or 0.0)
        wind = Formula(builder, inputs["wind_speed"]).filled(_WIND)
        output = module_output(plane, Formula(builder, inputs["temperature"]), wind)
        return above, light, (output * self.scale).at_least(0.0), plane

    def _cloudless(self, builder: GraphBuilder, above: Sun) -> tuple[Light, Formula]:
        """Light under a clear sky, and the output of it."""
        light = clear_sky(above, self.site)
        plane = on_plane(above, light, self.tilt or 0.0, self.azimuth or 0.0)
        ones = above.up * 0 + 1
        output = module_output(plane, ones * self.temperature, ones * _WIND)
        return light, (output * self.scale).at_least(0.0)

    def _learn_months(self, arrays: Arrays, share: NDArray[np.float64]) -> None:
        """What comes of a clear sky, month by month of the sun's year."""
        names = ("/season", "/clear")

        def write(builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
            above = sun(builder, inputs["time"], self.site, self.later)
            clear = self._cloudless(builder, above)[1]
            return dict(zip(names, (above.season.tensor, clear.tensor), strict=True))

        graph = WrittenGraph(self.schema, write, Schema(tuple(Column(n, "number") for n in names)))
        season, clear = (x[:, 0].astype(np.float64) for x in graph.run(arrays))
        told = ~np.isnan(share)
        month = (season[told] // 30).astype(int) % 12
        came, could = (np.bincount(month, x[told], 12) for x in (share, clear))
        usual = came.sum() / max(could.sum(), 1e-9)
        self.clear = tuple(np.where(could > 1, came / np.maximum(could, 1e-9), usual).tolist())

    def height(self, time: NDArray[np.int64]) -> NDArray[np.float64]:
        """Sine of the height of the sun at moments [N], 0 at night."""
        moment = Column("time", "datetime", nullable=False)

        def write(builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
            return {"/up": sun(builder, inputs["time"], self.site, self.later).up.tensor}

        graph = WrittenGraph(Schema((moment,)), write, Schema((Column("/up", "number"),)))
        found: NDArray[np.float64] = graph.run({"time": time})[0][:, 0].astype(np.float64)
        return np.maximum(found, 0.0)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> Terms:
        """Append to a graph."""
        above, light, expected, plane = self._raw(builder, inputs)
        cloudless, clear = self._cloudless(builder, above)
        middles = np.arange(-1, 13) * 30.0 + 15
        usual = above.season.read_off(middles, np.take(self.clear, np.arange(-1, 13), mode="wrap"))
        day = {
            "height": above.up,
            "east": above.east,
            "north": above.north,
            "season": above.season,
            "clear": clear,
        }
        recent = self._recent(builder, inputs)
        weather = self._weather(builder, inputs, light, cloudless)
        above_air = above.extraterrestrial * above.up.at_least(0.0)
        bright = light.ghi <= above_air * _MOST_LIGHT + _TWILIGHT
        dark = light.ghi < above_air * _LEAST_LIGHT - _SHADE
        believed = builder.node("And", bright, builder.node("Not", dark))
        usable = builder.node("And", believed, builder.node("Not", expected.is_missing()))
        ones = above.up * 0 + 1
        group = builder.cast((ones * 0).tensor, np.int64)
        known = {"plane": plane, "expected": expected}
        return Terms(
            ceiling=ones.where(above.up > _NIGHT, 0.0),
            group=group,
            judged=ones.where(above.up > _JUDGED, 0.0),
            views={
                WEATHER: View(usable, expected.at_most(1.0), {**day, **known, **weather, **recent}),
                RECENT: View(ones > 0, (clear * usual).at_most(1.0), {**day, **recent}),
            },
        )

    @staticmethod
    def _weather(
        builder: GraphBuilder, inputs: Mapping[str, str], light: Light, cloudless: Light
    ) -> dict[str, Formula]:
        names = ("temperature", "irradiance_before", "irradiance_after", "irradiance_day")
        found = {name: Formula(builder, inputs[name]) for name in (*names, "temperature_days")}
        beside = cloudless.ghi.at_least(20.0)
        return {
            **found,
            "irradiance": light.ghi,
            "clearness": light.ghi / beside,
            "diffuse": light.dhi / beside,
        }

    @staticmethod
    def _recent(builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, Formula]:
        recent, light, same, lead = (
            Formula(builder, inputs[name])
            for name in ("recent_power", "recent_irradiance", "same_hour_power", "lead_hours")
        )
        return {
            "recent": recent,
            "same_hour": same,
            "lead": lead,
            "recent_irradiance": light,
            "performance": recent / (light + 10.0),
        }
