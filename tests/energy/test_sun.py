"""Sun, sky and modules as nodes are those of pvlib."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.energy.renewable.sun import (
    Site,
    clear_sky,
    module_output,
    on_plane,
    split_light,
    sun,
)
from industry_apps.features import GraphBuilder
from industry_apps.features.formulas import Formula

pvlib = pytest.importorskip("pvlib")
LATITUDE, LONGITUDE, ALTITUDE, HAZE = 39.7406, -105.1775, 1829.0, 2.6
TILT, AZIMUTH = 45.0, 160.0


@pytest.fixture(scope="module")
def moments() -> pd.DatetimeIndex:
    return pd.date_range("2005-01-01", "2031-01-01", freq="9h37min", tz="UTC")


@pytest.fixture(scope="module")
def position(moments: pd.DatetimeIndex) -> pd.DataFrame:
    return pvlib.solarposition.get_solarposition(moments, LATITUDE, LONGITUDE, altitude=ALTITUDE)


@pytest.fixture(scope="module")
def light(position: pd.DataFrame) -> np.ndarray:
    up = np.cos(np.radians(position["zenith"].to_numpy())).clip(0)
    return (1000 * up * np.random.default_rng(0).uniform(0.05, 1, len(up))).astype(np.float32)


@pytest.fixture(scope="module")
def found(moments: pd.DatetimeIndex, light: np.ndarray) -> dict[str, np.ndarray]:
    builder = GraphBuilder()
    time, ghi = builder.input("time", np.int64), Formula(builder, builder.input("ghi", np.float32))
    site = Site(latitude=LATITUDE, longitude=LONGITUDE, altitude=ALTITUDE, turbidity=(HAZE,) * 12)
    above = sun(builder, time, site, 0)
    cloudless, split = clear_sky(above, site), split_light(above, ghi)
    plane = on_plane(above, split, TILT, AZIMUTH)
    output = module_output(plane, ghi * 0 + 20, ghi * 0 + 1.5)
    tensors = {
        "east": above.east,
        "north": above.north,
        "up": above.up,
        "extraterrestrial": above.extraterrestrial,
        "clear_ghi": cloudless.ghi,
        "clear_dni": cloudless.dni,
        "dni": split.dni,
        "dhi": split.dhi,
        "plane": plane,
        "output": output,
    }
    for name, tensor in tensors.items():
        builder.output(tensor.tensor, name, np.float32)
    seconds = moments.as_unit("s").asi8[:, None]
    answers = builder.session().run(list(tensors), {"time": seconds, "ghi": light[:, None]})
    return {name: x[:, 0].astype(float) for name, x in zip(tensors, answers, strict=True)}


def test_position_within_a_fiftieth_of_a_degree(found, position):
    zenith = np.degrees(np.arccos(found["up"]))
    assert np.abs(zenith - position["zenith"]).max() < 0.02
    azimuth = np.degrees(np.arctan2(found["east"], found["north"]))
    off = (azimuth - position["azimuth"] + 180) % 360 - 180
    assert np.abs(off * np.sin(np.radians(zenith))).max() < 0.02


def test_light_above_the_air_within_two_thousandths(found, moments):
    theirs = pvlib.irradiance.get_extra_radiation(moments)
    assert np.abs(found["extraterrestrial"] / theirs - 1).max() < 2e-3


def test_clear_sky_is_that_of_ineichen(found):
    zenith = np.degrees(np.arccos(found["up"]))
    mass = pvlib.atmosphere.get_relative_airmass(zenith)
    pressure = pvlib.atmosphere.alt2pres(ALTITUDE)
    mass = pvlib.atmosphere.get_absolute_airmass(mass, pressure)
    with np.errstate(divide="ignore", invalid="ignore"):  # at night
        theirs = pvlib.clearsky.ineichen(zenith, mass, HAZE, ALTITUDE, found["extraterrestrial"])
    day = zenith < 89.9
    assert np.abs(found["clear_ghi"] - theirs["ghi"])[day].max() < 0.1
    assert np.abs(found["clear_dni"] - theirs["dni"])[day & (zenith < 89)].max() < 1.0


def test_parts_of_light_are_those_of_erbs(found, light, moments):
    zenith = pd.Series(np.degrees(np.arccos(found["up"])), moments)
    theirs = pvlib.irradiance.erbs(pd.Series(light.astype(float), moments), zenith, moments)
    high = zenith.to_numpy() < 86.9
    # Both know the distance of the sun to two thousandths.
    assert np.abs(found["dni"] - theirs["dni"].to_numpy())[high].max() < 3.0
    assert np.abs(found["dhi"] - theirs["dhi"].to_numpy())[high].max() < 2.0


def test_plane_and_modules_are_those_of_hay_davies_and_pvwatts(found, light, moments):
    high = np.degrees(np.arccos(found["up"])) < 86.9
    theirs = pvlib.irradiance.get_total_irradiance(
        TILT,
        AZIMUTH,
        pd.Series(np.degrees(np.arccos(found["up"])), moments),
        pd.Series(np.degrees(np.arctan2(found["east"], found["north"])) % 360, moments),
        pd.Series(found["dni"], moments),
        pd.Series(light.astype(float), moments),
        pd.Series(found["dhi"], moments),
        dni_extra=pd.Series(found["extraterrestrial"], moments),
        model="haydavies",
    )["poa_global"].to_numpy()
    assert np.abs(found["plane"] - theirs)[high].max() < 0.01
    cell = pvlib.temperature.faiman(theirs, 20, 1.5)
    output = pvlib.pvsystem.pvwatts_dc(theirs, cell, 1, -0.004)
    assert np.abs(found["output"] - output)[high].max() < 1e-4
