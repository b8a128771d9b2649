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
# # Retail: recommendation, demand, sentiment
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
from industry_apps.retail import DemandForecaster, Recommender, SentimentAnalyzer
from industry_apps.runtime import Model

warnings.filterwarnings("ignore", message="IProgress")  # no widgets are needed
QUICK = os.environ.get("INDUSTRY_APPS_QUICK") == "1"
folder = Path(mkdtemp())


def data_for(application, name):
    return application.sample() if QUICK else load(name)


# %% [markdown]
# ## 1. Recommendation
#
# 100 000 ratings of films; of each film three quarters are learned from, and the others have to
# be found among all films that the user has not rated there. The model is chosen on ratings
# that are held out inside the training part.

# %%
ratings = data_for(Recommender, "retail_movielens_100k")
if QUICK:
    recommender = Recommender.fast()
else:
    recommender = Recommender(ordered=False, columns={"weight": "rating"})
report = recommender.fit(ratings).evaluate(ratings)
report

# %% [markdown]
# The file holds what each user took. It answers a user by name, somebody unknown by a history,
# and somebody without either with what is popular. It takes the rules of the shop, too: only
# these items, so many of one category.

# %%
path = recommender.export(folder / "recommendation.onnx", check=ratings)
print(recommender.parity_)
model = Model(path)
user = ratings.test["user"].iloc[0]
basket = ratings.train["item"].value_counts().index[:2].tolist()
pd.DataFrame(
    {
        "a known user": model.predict({"user": user})["items"],
        "a basket": model.predict({"history": basket})["items"],
        "nothing known": model.predict({"user": "nobody"})["items"],
    }
)

# %%
recommender.similar_items(basket[0], k=5)

# %% [markdown]
# Items with a category can be limited to so many of each; here in a simulated shop.

# %%
shop = Recommender.sample()
path = Recommender.fast().fit(shop).export(folder / "shop.onnx", check=shop)
taken = shop.train["item"].value_counts().index[:2].tolist()
Model(path).predict({"history": taken, "category_cap": 2})["items"]

# %% [markdown]
# ## 2. Demand forecasting
#
# Monthly volumes of beverages, by agency and product, with prices and holidays that are known in
# advance. The answer is a set of quantiles for each month ahead; whatever is done with a
# forecast depends on its uncertainty.

# %%
sales = data_for(DemandForecaster, "retail_stallion_demand")
if QUICK:
    forecaster = DemandForecaster.fast()
else:
    forecaster = DemandForecaster(
        known=("price_regular", "price_actual", "discount_in_percent", "easter_day", "christmas"),
        past=("industry_volume", "soda_volume", "avg_max_temp"),
        static=("agency", "sku", "avg_population_2017"),
    )
report = forecaster.fit(sales).evaluate(sales)
report

# %% [markdown]
# One file: raw history and what is known of the future in, quantiles in units out. Scaling, lags
# and calibration are in the graph.

# %%
path = forecaster.export(folder / "demand.onnx", check=sales)
print(forecaster.parity_)
history = pd.concat([sales.train, sales.validation])
horizon = sorted(sales.test["time"].unique())[: forecaster.windows_.horizon]
ahead = sales.test[sales.test["time"].isin(horizon)]
ahead = ahead.drop(columns=["quantity", *forecaster.past])  # what nobody knows by then
forecast = Model(path).predict(pd.concat([history, ahead], ignore_index=True))
forecast.head(6)

# %% [markdown]
# From the forecast to the order: with a unit that costs 6, sells for 10 and brings 2 when it is
# left over, half of the demand's distribution has to be covered; with a higher margin more.

# %%
order = forecaster.order_quantities(forecast, unit_cost=6.0, price=10.0, salvage=2.0)
order.head(6)

# %% [markdown]
# ## 3. Sentiment
#
# Sentences from film reviews. Log-count ratios of words and their pairs are hard to beat on so
# few and short texts; networks trained from scratch stand beside them in the stack.

# %%
texts = data_for(SentimentAnalyzer, "retail_sst2")
analyzer = (SentimentAnalyzer.fast() if QUICK else SentimentAnalyzer()).fit(texts)
report = analyzer.evaluate(texts)
report

# %% [markdown]
# The file takes the raw text: words are found, counted and weighed inside the graph, and it says
# which of them decided.

# %%
path = analyzer.export(folder / "sentiment.onnx", check=texts)
print(analyzer.parity_)
model = Model(path)
said = ["a wonderful and moving film", "a dull , boring mess", "it has an end", "😀"]
model.predict(pd.DataFrame({"text": said})).assign(text=said)

# %% [markdown]
# Texts with a product and a time show how the share of positive ones changes; here simulated
# reviews of a shop.

# %%
reviews = SentimentAnalyzer.sample()
SentimentAnalyzer.fast().fit(reviews).trend(reviews.test).head(6)
