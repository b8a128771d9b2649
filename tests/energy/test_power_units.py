"""Output in two units is refused; weeks of little output are no other unit."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from industry_apps.energy import SolarForecaster, WindForecaster
from industry_apps.errors import SchemaError
from industry_apps.recipes.power.checks import check_one_unit
from industry_apps.recipes.power.records import PowerRows


@pytest.mark.parametrize("factor", [1000, 0.001])
@pytest.mark.parametrize("kind", [SolarForecaster, WindForecaster])
def test_two_units_in_one_table_are_refused(kind, factor):
    data = kind.sample()
    table = pd.concat([data.train, data.validation], ignore_index=True)
    late = table["time"] > table["time"].quantile(0.6)
    day = table["time"][late].min() - pd.Timedelta(days=7)
    mixed = table.assign(power=table["power"].where(~late, factor * table["power"]))
    words = r"'power': in the week from (\S+) on it reaches \S+, and \S+ before: kW among MW"
    with pytest.raises(SchemaError, match=words) as told:
        kind.fast().fit(mixed)
    found = pd.Timestamp(re.search(words, str(told.value)).group(1))
    assert day <= found <= day + pd.Timedelta(days=14)


def test_a_week_of_little_output_is_no_other_unit():
    sunny = SolarForecaster.sample()
    table = pd.concat([sunny.train, sunny.validation], ignore_index=True)
    snow = table["time"].dt.month == 2
    power = table["power"].where(~snow, 0.02 * table["power"])
    SolarForecaster.fast().fit(table.assign(power=power))


def _year_of_sun(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Days [8736] of hourly output of a plant at 45 degrees north, under clouds."""
    hours = np.arange(364 * 24)
    sun = np.radians(-23.4 * np.cos(2 * np.pi * (hours / 24 + 10) / 365))
    turn = np.cos(np.radians(15 * (hours % 24 - 12)))
    height = np.sin(np.pi / 4) * np.sin(sun) + np.cos(np.pi / 4) * np.cos(sun) * turn
    return hours / 24, 1000 * np.maximum(height, 0) * np.repeat(rng.uniform(0.2, 1, 364), 24)


def _months_of_wind(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Days [12960] of output of a turbine of 2000 kW each 10 minutes, under gusts of some hours."""
    gusts = pd.Series(rng.normal(size=90 * 144)).ewm(alpha=0.01).mean().to_numpy()
    return np.arange(90 * 144) / 144, 2000 * np.clip(0.5 + 4 * gusts, 0, 1)


@pytest.mark.parametrize("plant", [_year_of_sun, _months_of_wind])
def test_snow_and_standstill_are_no_other_unit_and_mixtures_are(plant):
    rng = np.random.default_rng(0)
    days, power = plant(rng)

    def check(changed: np.ndarray) -> None:
        time = (86_400 * days).astype(np.int64)
        check_one_unit(PowerRows({"time": time}, changed), "power")

    for first in (14, 49, 63, 70):
        snow = (days >= first) & (days < first + 7)
        if plant is _year_of_sun:
            check(np.where(snow, 0.004 * power, power))
        still = (days >= first) & (days < first + 16)
        check(np.where(still, np.abs(rng.normal(size=len(days))), power))
    for factor in (1000, 0.001):
        with pytest.raises(SchemaError, match="kW among MW"):
            check(np.where(days > 0.7 * days[-1], factor * power, power))
