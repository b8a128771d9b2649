# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Energy: load, dispatch, sun and wind, and faults of lines and plants
#
# One contract: data that cannot leak, a model, a report with baselines and intervals, and **one
# ONNX file from the raw record to the answer**, proven equal to the model that was trained. The
# figures measured in full stand in [results](results/README.md); this notebook shows how they
# come about.
#
# It takes some minutes. With `INDUSTRY_APPS_QUICK=1` it runs on small simulated data, without
# a network.

# %%
import os
import warnings
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from industry_apps.data import load
from industry_apps.energy import (
    DispatchProxy,
    GridDispatcher,
    LineFaultLocator,
    LoadForecaster,
    PlantFaultDetector,
    SolarForecaster,
    WindForecaster,
)
from industry_apps.energy.grid.example import example_case
from industry_apps.runtime import Model

warnings.filterwarnings("ignore", message="IProgress")  # no widgets are needed
QUICK = os.environ.get("INDUSTRY_APPS_QUICK") == "1"
folder = Path(mkdtemp())

# %% [markdown]
# ## 1. Load forecasting
#
# The hourly loads of three areas of PJM, without weather; each day is forecast at midnight for
# its 24 hours. Ridge regression of the last four weeks and the calendar is hard to beat here;
# trees of lags beside it help a little.

# %%
loads = LoadForecaster.sample() if QUICK else load("energy_pjm_hourly")
if QUICK:
    forecaster = LoadForecaster.fast()
else:
    forecaster = LoadForecaster(horizon=24, known=("holiday",), baselines=())
report = forecaster.fit(loads).evaluate(loads)
report

# %% [markdown]
# The file takes the raw history and what is known of the next day. A meter that is stuck is found,
# left out, and said.

# %%
path = forecaster.export(folder / "load.onnx", check=loads)
print(forecaster.parity_)
history = pd.concat([loads.train, loads.validation])
history = history[history["time"] >= history["time"].max() - pd.Timedelta(weeks=5)]
day = loads.test["time"] < loads.test["time"].min() + pd.Timedelta(days=1)
ahead = loads.test[day].drop(columns="load")
stuck = history.copy()
late = stuck["time"] >= stuck["time"].max() - pd.Timedelta(hours=12)
stuck.loc[late, "load"] = 1_000.0
model = Model(path)
model.predict(pd.concat([stuck, ahead], ignore_index=True)).head(3)

# %% [markdown]
# ## 2. Dispatch
#
# Which power plants feed in how much, so that the load is met at least cost and no line carries too
# much. Where the load cannot be met, it is shed at a price, bus by bus: that is the report of what
# stands in the way.

# %%
dispatcher = GridDispatcher(case=example_case())
plan = dispatcher.plan()
plan.to_frame()

# %%
case = example_case()
dispatcher.plan(2.2 * case.load).shedding()

# %% [markdown]
# ## 3. A stand-in for the solver
#
# Where the same grid is dispatched thousands of times, a network answers near the optimum in a
# fraction of the time, and the file says of each answer whether all limits are kept.

# %%
grid = DispatchProxy.sample()
proxy = DispatchProxy.fast().fit(grid)
proxy.evaluate(grid)

# %%
path = proxy.export(folder / "dispatch.onnx", check=grid)
print(proxy.parity_)
Model(path).predict(grid.test.head(3))

# %% [markdown]
# ## 4. Sun and wind
#
# The physics stand inside of the file: where the sun is, what a clear sky sends, what modules make
# of it; and the power curve of a turbine, learned so that more wind is never less power below
# cut-out. Trees learn what these miss. Night is exactly zero, and nothing exceeds the capacity.

# %%
sun = SolarForecaster.sample()
solar = SolarForecaster.fast().fit(sun)
solar.evaluate(sun)

# %%
path = solar.export(folder / "solar.onnx", check=sun)
print(solar.parity_)
Model(path).predict(sun.test.head(4))

# %% [markdown]
# Without a forecast of the wind, what a turbine will do in four hours is hardly known, and the
# answer says what it is based on.

# %%
wind = WindForecaster.sample()
turbine = WindForecaster.fast().fit(wind)
turbine.evaluate(wind)

# %%
blind = wind.test.head(4).assign(wind_speed=float("nan"))
turbine.predict(blind)

# %% [markdown]
# ## 5. Faults of lines
#
# From the voltages and currents of three phases at one end of a line: which fault, and how far
# away. The impedance methods of the field are nodes of the file; trees learn what they miss.

# %%
lines = LineFaultLocator.sample() if QUICK else load("energy_line_fault_simulator")
locator = LineFaultLocator.fast() if QUICK else LineFaultLocator()
locator.fit(lines).evaluate(lines)

# %%
path = locator.export(folder / "lines.onnx", check=lines)
print(locator.parity_)
Model(path).predict(lines.test.head(4))

# %% [markdown]
# ## 6. Faults of plants
#
# Learned from normal operation alone: canonical variates of a few readings, what they leave over,
# and which tags raise an alarm. Of faults that were seen before, which one it is.

# %%
runs = PlantFaultDetector.sample()
detector = PlantFaultDetector.fast().fit(runs)
detector.evaluate(runs)

# %%
detector.plot_contributions(runs.test, runs.test["run"].iloc[-1])
