"""Solar and wind forecasts: what is particular to them, and the input that they refuse."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from industry_apps.data import data_folders
from industry_apps.data.power_records import solar_records, wind_records
from industry_apps.data.time_shifts import find_time_shifts, without_time_shifts
from industry_apps.energy import SolarForecaster, WindForecaster
from industry_apps.energy.renewable.losses import causes_of
from industry_apps.energy.renewable.power_curve import PowerCurve
from industry_apps.errors import ParameterError, SchemaError
from industry_apps.recipes.power.table import rated_power
