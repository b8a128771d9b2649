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
# # From transactions to one file that decides
#
# This notebook takes you the whole way in about a minute: data that cannot leak, a model,
# an honest report, **one ONNX file that takes the raw record and returns the decision**,
# and that file at work without the training libraries. The transactions are simulated, after the
# public description in the
# [Fraud Detection Handbook](https://fraud-detection-handbook.github.io/fraud-detection-handbook/).

# %%
from pathlib import Path
from tempfile import mkdtemp

import pandas as pd

from industry_apps.finance import FraudDetector

folder = Path(mkdtemp())
data = FraudDetector.sample()
data

# %% [markdown]
# ## 1. Look at the data
#
# A raw transaction is a time, a customer, a terminal and an amount. The other columns say
# what the stream of earlier transactions tells about the customer and the terminal. They use
# labels only once these are known, seven days later; the parts are split in time with the
# same delay.

# %%
data.summary()

# %%
data.train.head(3).T

# %% [markdown]
# ## 2. Train
#
# Nothing has to be set. The threshold is the one that costs least on the validation part,
# with a false alarm at 1 and a missed fraud at 20, in whatever money you count.

# %%
detector = FraudDetector(false_alarm_cost=1.0, missed_fraud_cost=20.0, alerts_per_day=25)
detector.fit(data)

# %% [markdown]
# ## 3. Measure
#
# The test part has not been seen. Each metric has a 95 % interval, resampled by customer;
# beside it stand a trivial baseline, a logistic regression and LightGBM as it comes. Below
# the table are the curves: precision and recall, calibration, cost against threshold, drift.

# %%
report = detector.evaluate(data)
report

# %%
report.to_html(folder / "report.html").name  # one page, to send around

# %% [markdown]
# ## 4. Export
#
# The file holds everything from the raw columns to the decision. Before it is written, its
# answers are compared with the trained model's: on every row of the test part, and on edge
# rows made to be difficult. Had one decision changed, there would be no file.

# %%
path = detector.export(folder / "fraud.onnx", check=data)
detector.parity_

# %% [markdown]
# ## 5. Serve
#
# On the serving machine neither torch nor LightGBM nor scikit-learn is needed. The state is
# kept up to date one transaction at a time, and gives the same numbers as in training.

# %%
from industry_apps.runtime import Model, TransactionState

model = Model(path)
state = TransactionState(**model.metadata["state"])

usual = {"customer": "C00012", "terminal": "T00345", "amount": 12.0}
for day in range(1, 8):
    record = state.update({**usual, "time": f"2018-07-0{day} 12:00"})
model.predict(record)

# %%
record = state.update({**usual, "time": "2018-07-08 03:12", "amount": 480.0})
model.predict(record)

# %% [markdown]
# Why? Each column in turn is replaced by its usual value, and the answer is compared.

# %%
effects = pd.Series(model.explain(record)).head(8)
effects

# %%
ax = effects[::-1].plot.barh(figsize=(7, 3), color="#0072b2")
ax.set_xlabel("contribution to the probability of fraud")
ax.figure.tight_layout()

# %% [markdown]
# A whole file goes through in chunks, in bounded memory.

# %%
data.test.to_parquet(folder / "today.parquet")
model.predict(folder / "today.parquet").head()

# %% [markdown]
# ## 6. Your own data
#
# Your columns have other names, and more of them: map the names, and every further column,
# of any type, becomes a feature. `split` computes the state and splits in time.

# %%
from industry_apps.data import card_transactions

yours = card_transactions(customers=400, terminals=1000, days=90, radius=12.0, seed=1)
yours = yours.drop(columns=["scenario", "transaction_id"])
yours = yours.rename(columns={"time": "booked_at", "customer": "card", "amount": "eur"})
yours["channel"] = yours["eur"].gt(60).map({True: "web", False: "shop"})

mine = FraudDetector(columns={"time": "booked_at", "customer": "card", "amount": "eur"})
parts = mine.split(yours)
mine.fit(parts.train, parts.validation)
print(mine.evaluate(parts.test))

# %% [markdown]
# Further: `industry-apps list` names the applications, `industry-apps models list` the
# models that come with the package, and `industry-apps benchmark finance.fraud_detection
# --data finance_card_simulator` repeats the published figures.
