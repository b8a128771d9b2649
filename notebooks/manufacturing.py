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
# # Manufacturing: maintenance, defects, orders and schedules
#
# One contract: data that cannot leak, a model, a report with baselines and intervals, and **one
# ONNX file from the raw record to the decision**, proven equal to the model that was trained. The
# figures measured in full, with their splits and seeds, stand in [results](results/README.md);
# this notebook shows how they come about.
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
from industry_apps.manufacturing import (
    DefectDetector,
    FailureAlarm,
    InventoryPlanner,
    MachineLifePredictor,
    ProductionScheduler,
    RemainingLifeEstimator,
)
from industry_apps.runtime import Model, SensorState

warnings.filterwarnings("ignore", message="IProgress")  # no widgets are needed
QUICK = os.environ.get("INDUSTRY_APPS_QUICK") == "1"
folder = Path(mkdtemp())


def data_for(application, name):
    return application.sample() if QUICK else load(name)


# %% [markdown]
# ## 1. Remaining life
#
# Turbofan engines, each run to failure, of which 21 sensors were read at every cycle; the test
# engines stop some time before. Young engines look alike, and are answered by the cap.

# %%
engines = data_for(RemainingLifeEstimator, "manufacturing_cmapss_fd001")
if QUICK:
    estimator = RemainingLifeEstimator.fast()
else:
    estimator = RemainingLifeEstimator(
        columns={"time": "cycle"},
        settings=("setting_1", "setting_2", "setting_3"),
        model="trees",
        cap=125.0,
    )
estimator.fit(engines).evaluate(engines)

# %%
machine = str(engines.test["machine"].iloc[0])
estimator.plot_trajectory(engines.test, machine)

# %% [markdown]
# The file takes the readings as they are. On a machine beside the engine the same file answers one
# reading at a time, in constant memory, and says so where a sensor is missing or stuck.

# %%
path = estimator.export(folder / "life.onnx", check=engines)
print(estimator.parity_)
state = SensorState(Model(path))
readings = engines.test[engines.test["machine"] == machine].drop(columns="remaining_life")
for reading in readings.head(40).to_dict("records"):
    answer = state.update(reading)
answer

# %% [markdown]
# ## 2. When to replace
#
# A failure costs five times what a replacement does, and a replacement takes some cycles to come.
# The threshold is chosen so that the life of a machine costs least.

# %%
alarm = FailureAlarm.fast().fit(FailureAlarm.sample())
alarm.evaluate(FailureAlarm.sample())

# %% [markdown]
# Maintenance is mostly kept as one row for each machine: its age, and whether it failed. That is
# survival under another name, and the answer is what is left at the age reached.

# %%
records = MachineLifePredictor.sample()
predictor = MachineLifePredictor.fast().fit(records)
predictor.predict(records.test.head(3))

# %% [markdown]
# ## 3. Defects
#
# Photographs of parts; the answer says whether the part is good, what the defect is, and where.

# %%
parts = DefectDetector.sample()
detector = DefectDetector.fast().fit(parts)
detector.evaluate(parts)

# %%
path = detector.export(folder / "defects.onnx", check=parts)
print(detector.parity_)
model = Model(path)
stopped = model.predict(parts.test)
stopped.drop(columns=["mask", *[c for c in stopped if c.endswith("_map")]]).head(4)

# %% [markdown]
# ## 4. Orders
#
# How much to order today, when it arrives days later: forecast and decision in one file.

# %%
orders = data_for(InventoryPlanner, "manufacturing_supplygraph")
planner = InventoryPlanner.fast() if QUICK else InventoryPlanner()
planner.fit(orders).evaluate(orders)

# %%
path = planner.export(folder / "orders.onnx", check=orders)
print(planner.parity_)
Model(path).predict(orders.test.assign(on_hand=20.0)).head(4)

# %% [markdown]
# ## 5. Schedules
#
# Which job runs when on which machine. The answer says how much better a schedule may be at most.

# %%
jobs = pd.DataFrame(
    {
        "job": ["A", "A", "A", "B", "B", "B", "C", "C", "C"],
        "position": [0, 1, 2] * 3,
        "machine": ["saw", "drill", "paint", "drill", "saw", "paint", "saw", "paint", "drill"],
        "duration": [3, 2, 2, 2, 4, 1, 4, 3, 2],
    }
)
schedule = ProductionScheduler(workers=1).plan(jobs)
print(schedule)
schedule.gantt()
