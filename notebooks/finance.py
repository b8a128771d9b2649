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
# # Finance: fraud, credit, trading
#
# Three applications, one contract: data that cannot leak, a model, a report with baselines and
# intervals, and **one ONNX file from the raw record to the decision**, proven equal to the
# model that was trained. The figures measured in full, with their splits and seeds, stand in
# [results](results/README.md); this notebook shows how they come about.
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
from industry_apps.finance import CreditScorer, FraudDetector, TradingStrategy
from industry_apps.runtime import Model

warnings.filterwarnings("ignore", message="IProgress")  # no widgets are needed
QUICK = os.environ.get("INDUSTRY_APPS_QUICK") == "1"
folder = Path(mkdtemp())


def data_for(application, name):
    return application.sample() if QUICK else load(name)


# %% [markdown]
# ## 1. Fraud detection
#
# Insurance claims of 1994 and 1995 to learn from, those of 1996 to be judged on. (Card
# transactions, whose stream tells most, are the subject of the
# [first notebook](00_quickstart.ipynb).)

# %%
claims = data_for(FraudDetector, "finance_vehicle_insurance_fraud")
detector = (FraudDetector.fast() if QUICK else FraudDetector()).fit(claims)
report = detector.evaluate(claims)
report

# %% [markdown]
# The columns whose relation to fraud changed within the training period are found and left out;
# the notes name them. The file is written once all answers on the test part are equal.

# %%
path = detector.export(folder / "fraud.onnx", check=claims)
detector.parity_

# %% [markdown]
# ## 2. Credit scoring: the scorecard
#
# 1 000 loans of a German bank. A scorecard cuts each attribute into bins in which the risk only
# rises or only falls, and gives each bin its points. Sex, age and whoever is a foreign worker
# are protected: they are kept from the model, and used to judge it.

# %%
loans = data_for(CreditScorer, "finance_german_credit")
scorecard = CreditScorer(model="scorecard").fit(loans)
points = scorecard.points()
points.to_csv(folder / "points.csv", index=False)
points.set_index(["attribute", "bin"])[["rows", "bad_rate", "points"]]

# %% [markdown]
# Twenty points double the odds. The report holds metrics beside those of baselines, the same
# figures by group of each protected column, and, at the end, those figures again from the
# answers of the exported file.

# %%
scorecard.evaluate(loans)

# %% [markdown]
# The file returns the probability, the score, the decision and the attributes that cost the
# most points, which an applicant who is refused has a right to know.

# %%
path = scorecard.export(folder / "scorecard.onnx", check=loans)
applicants = loans.test.drop(columns=[loans.target]).head(4)
Model(path).predict(applicants).T

# %% [markdown]
# ## 3. Credit scoring: the model
#
# 30 000 credit card clients of a bank in Taiwan. The decision follows the costs, here 5 to 1,
# or the share of applicants that is to be approved.

# %%
clients = data_for(CreditScorer, "finance_taiwan_default")
scorer = (CreditScorer.fast() if QUICK else CreditScorer()).fit(clients)
report = scorer.evaluate(clients)
report

# %%
path = scorer.export(folder / "credit.onnx", check=clients)
model = Model(path)
client = clients.test.drop(columns=[clients.target]).iloc[0].to_dict()
model.predict(client)

# %% [markdown]
# Why? Each column in turn is replaced by its usual value, and the probability is compared.

# %%
effects = pd.Series(model.explain(client)).head(8)
ax = effects[::-1].plot.barh(figsize=(7, 3), color="#0072b2")
ax.set_xlabel("contribution to the probability of default")
ax.figure.tight_layout()

# %% [markdown]
# Who is treated how? The weights of `mitigate` make the label independent of the group in
# training; the report shows the figures before and after. It changes little where the groups
# hardly differ, and costs a little accuracy where they do.

# %%
fair = CreditScorer.fast().set_params(mitigate="sex").fit(clients)
pd.concat(
    {
        system: answers.report().summary()
        for system, answers in fair.evaluate(clients).groups.items()
    }
)

# %% [markdown]
# ## 4. Algorithmic trading
#
# Daily prices of 88 US stocks. The forecast is which of them will do better than the others over
# the next five days; it is learned again every quarter from what was known by then, and traded at
# the next open, at 5 basis points a side. The last two years are out of sample.
#
# 366 strategies were tried on the years before when the defaults were chosen, so that luck alone
# would show a good one: the deflated Sharpe ratio takes that into account, and the report says
# in words what is left.

# %%
prices = data_for(TradingStrategy, "finance_stocknet_prices")
strategy = (TradingStrategy.fast() if QUICK else TradingStrategy()).fit(prices)
report = strategy.evaluate(prices)
report

# %% [markdown]
# Whatever the report says of the returns, the file keeps its promise: raw prices and volumes of a
# year in, positions out, equal to those of the model that was trained.

# %%
path = strategy.export(folder / "strategy.onnx", check=prices)
print(strategy.parity_)
recent = prices.test[prices.test["date"] > prices.test["date"].max() - pd.Timedelta(days=400)]
Model(path).predict(recent).sort_values("position").head()

# %% [markdown]
# A signal of yours that was made of later prices is refused.

# %%
from industry_apps.errors import LeakageError

tipped = prices.train.sort_values(["ticker", "date"])
opens = tipped.groupby("ticker")["open"]
tipped = tipped.assign(tip=opens.shift(-3) / opens.shift(-1) - 1)
try:
    TradingStrategy(signals=("tip",)).fit(tipped)
except LeakageError as error:
    print(error)

# %% [markdown]
# ## 5. Speed
#
# One record through the file against the path it replaces, and a bare session; measured in turn on
# this machine. `industry-apps benchmark APPLICATION --speed` measures more.

# %%
from industry_apps.benchmark.speed import one_record

pd.DataFrame(
    [
        {"measure": measure.name, "found": measure.found()}
        for measure in one_record(scorer, folder / "credit.onnx", clients.test, repetitions=500)
    ]
)
