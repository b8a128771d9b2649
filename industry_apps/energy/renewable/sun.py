"""The sun over a site, light through the air, and light on a plane: formulas as nodes.

Position: Astronomical Almanac, low precision (Michalsky 1988, doi:10.1016/0038-092X(88)90045-X),
within 0.02 degrees of the solar position algorithm. Clear sky: Ineichen and Perez 2002,
doi:10.1016/S0038-092X(02)00045-2. Diffuse light: Erbs, Klein and Duffie 1982,
doi:10.1016/0038-092X(82)90302-4. On a plane: Hay and Davies 1980. Temperature of a cell: Faiman
2008, doi:10.1002/pip.813. All as in pvlib, which a test compares with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from industry_apps.features import GraphBuilder
from industry_apps.features.formulas import Formula

_NOON_2000 = 946_728_000  # seconds since 1970
_SOLAR_CONSTANT = 1366.1  # W/m2
_ALBEDO = 0.25
_RADIAN = float(np.pi / 180)
#: Lower, the beam of the measured irradiance is told from the diffuse light by too little.
_LOWEST = float(np.cos(np.deg2rad(87.0)))
#: Middle of the months, as degrees of the mean longitude of the sun.
_MONTHS = (np.arange(12) * 30.0 + 295.0) % 360.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a plant stands.

    Parameters
    ----------
    latitude, longitude : float
        Degrees; north and east positive.
    altitude : float
        Metres.
    turbidity : tuple of float
        Linke turbidity of the twelve months.
    """

    latitude: float
    longitude: float
    altitude: float
    turbidity: tuple[float, ...]


class Sun(NamedTuple):
    """A unit vector to the sun, the year, and light above the air; each [batch, 1]."""

    east: Formula
    north: Formula
    up: Formula
    season: Formula  # mean longitude, degrees in [0, 360)
    extraterrestrial: Formula  # W/m2, on a plane that faces the sun


class Light(NamedTuple):
    """Global horizontal, direct normal and diffuse horizontal irradiance, W/m2."""

    ghi: Formula
    dni: Formula
    dhi: Formula


def sun(builder: GraphBuilder, time: str, site: Site, later: int) -> Sun:
    """Where the sun stands.

    Parameters
    ----------
    builder : GraphBuilder
    time : str
        Seconds since 1970 UTC, int64 [batch, 1].
    site : Site
    later : int
        Seconds from there to the middle of the interval.
    """
    seconds = Formula(builder, builder.cast(time, np.float64), np.float64)
    days = (seconds + (later - _NOON_2000)) / 86_400
    longitude = 280.460 + 0.9856474 * days
    anomaly = _RADIAN * (357.528 + 0.9856003 * days)
    ecliptic = _RADIAN * (longitude + 1.915 * anomaly.sin() + 0.020 * (2 * anomaly).sin())
    oblique = _RADIAN * (23.439 - 4e-7 * days)
    x, y, z = (
        ecliptic.cos(),
        oblique.cos() * ecliptic.sin(),
        oblique.sin() * ecliptic.sin(),
    )
    sidereal = _RADIAN * (280.46062 + 360.98564737 * days + site.longitude)
    south = x * sidereal.cos() + y * sidereal.sin()
    west = x * sidereal.sin() - y * sidereal.cos()
    sine, cosine = (f(np.deg2rad(site.latitude)) for f in (np.sin, np.cos))
    distance = 1.00014 - 0.01671 * anomaly.cos() - 0.00014 * (2 * anomaly).cos()
    found = (
        -west,
        float(cosine) * z - float(sine) * south,
        float(sine) * z + float(cosine) * south,
        longitude - 360 * (longitude / 360).floor(),
        _SOLAR_CONSTANT / (distance * distance),
    )
    return Sun(*(each.as_type(np.float32) for each in found))


def clear_sky(above: Sun, site: Site) -> Light:
    """Irradiance under a sky without clouds; zero at night.

    Parameters
    ----------
    above : Sun
    site : Site
    """
    order = np.argsort(_MONTHS)
    knots = np.concatenate([_MONTHS[order] - 360, _MONTHS[order], _MONTHS[order] + 360])
    turbidity = above.season.read_off(knots, np.tile(np.array(site.turbidity)[order], 3))
    fh1, fh2 = np.exp(-site.altitude / 8000), np.exp(-site.altitude / 1250)
    high = above.up.at_least(0.0)
    air = _air_mass(above.up, site)
    haze = (air * (fh1 + fh2 * (turbidity - 1)) * -(3.92e-5 * site.altitude + 0.0387)).exp()
    ghi = (5.09e-5 * site.altitude + 0.868) * above.extraterrestrial * high * haze
    beam = (0.664 + 0.163 / fh1) * (-0.09 * air * (turbidity - 1)).exp()
    share = 1 - (0.1 - 0.2 * (-turbidity).exp()) / (0.1 + 0.882 / fh1)
    dni = (beam * above.extraterrestrial).at_most(ghi * share / high.at_least(1e-6))
    dni = dni.where(above.up > 0, 0.0)
    return Light(ghi, dni, ghi - dni * high)


def _air_mass(up: Formula, site: Site) -> Formula:
    """Mass of air on the way, of that above sea level (Kasten and Young 1989)."""
    pressure = ((44331.514 - site.altitude) / 11880.516) ** (1 / 0.1902632) / 1013.25
    up = up.at_least(0.0)
    height = 90 - up.at_most(1.0).arccos() / _RADIAN
    return float(pressure) / (up + 0.50572 * (6.07995 + height) ** -1.6364)


def split_light(above: Sun, ghi: Formula) -> Light:
    """Measured global irradiance -> its beam and its diffuse part.

    Parameters
    ----------
    above : Sun
    ghi : Formula
        W/m2.
    """
    clearness = ghi / (above.extraterrestrial * above.up.at_least(0.065))
    k = clearness.at_least(0.0).at_most(1.0)
    middle = 0.9511 + k * (-0.1604 + k * (4.388 + k * (-16.638 + k * 12.336)))
    share = middle.where(k > 0.22, 1 - 0.09 * k)
    share = share.where(k <= 0.8, 0.165)
    dhi = share * ghi
    high = above.up > _LOWEST
    return Light(
        ghi, ((ghi - dhi) / above.up.at_least(_LOWEST)).where(high, 0.0), dhi.where(high, ghi)
    )


def on_plane(above: Sun, light: Light, tilt: float, azimuth: float) -> Formula:
    """Irradiance on a plane, W/m2.

    Parameters
    ----------
    above : Sun
    light : Light
    tilt, azimuth : float
        Degrees from the horizontal, and from north to the east.
    """
    slope, turn = np.deg2rad(tilt), np.deg2rad(azimuth)
    facing = (
        above.east * float(np.sin(slope) * np.sin(turn))
        + above.north * float(np.sin(slope) * np.cos(turn))
        + above.up * float(np.cos(slope))
    ).at_least(0.0)
    seen = float(1 + np.cos(slope)) / 2
    around = light.dni / above.extraterrestrial  # of the diffuse light, about the sun
    diffuse = light.dhi * (around * facing / above.up.at_least(0.01745) + seen * (1 - around))
    return light.dni * facing + diffuse.at_least(0.0) + light.ghi * (_ALBEDO * (1 - seen))


def module_output(plane: Formula, temperature: Formula, wind: Formula) -> Formula:
    """Output of modules as a share of that under standard conditions (PVWatts).

    Parameters
    ----------
    plane : Formula
        Irradiance on it, W/m2.
    temperature : Formula
        Of the air, degrees Celsius.
    wind : Formula
        m/s.
    """
    cell = temperature + plane / (25.0 + 6.84 * wind)
    return plane / 1000 * (1 - 0.004 * (cell - 25))
