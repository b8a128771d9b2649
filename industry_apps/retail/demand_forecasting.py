"""Demand forecasting: how much of each product will be sold, with the uncertainty of it.

Asked by whoever orders, staffs or produces: each day, week or month, for every product and
store. One model learns from all series; each answer is a set of quantiles, since what to
order depends on the costs of too much and too little, not on the mean alone. That one model
of many series with lags, prices and calendar does better than a model for each is what the
M5 competition found (Makridakis, Spiliotis and Assimakopoulos 2022,
doi:10.1016/j.ijforecast.2021.11.013).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

import pandas as pd

from industry_apps.application import Application
from industry_apps.recipes import LearningOptions, TreeOptions
from industry_apps.recipes.forecasting.evaluation.metrics import FORECAST
from industry_apps.recipes.forecasting.newsvendor import Money, order_quantities
from industry_apps.recipes.forecasting.parameters import ForecastParameters
from industry_apps.recipes.forecasting.table import quantiles_of
from industry_apps.recipes.forecasting.totals.hierarchy import forecast_of_totals
from industry_apps.recipes.forecasting.totals.reconciliation import Method
from industry_apps.runtime.series.long_tables import DATES
from industry_apps.schema import Column, Schema, Traits

_SOLD = Column("quantity", "number", role="history", unit="units", low=0)


class DemandForecaster(ForecastParameters, Application):
    """Quantiles of the demand of each series over the next steps.

    It is asked with a long table: a row for each series and time. What is known in advance
    (``known``: prices, promotions, holidays) goes on in rows behind the history, with the
    quantity and the ``past`` columns left empty; the forecast begins behind the last time at
    which any of these is known. It answers a row for each series and time ahead.

    Times without a row are gaps, and answered all the same, but for days of the week that
    never have one, and for ``closed`` days. Times are without a zone, or in UTC. A series of
    zeros is forecast as zero, one without any history by what its attributes and covariates
    tell. A negative quantity (a return) is refused: add it to the day of the sale, or leave it
    out.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"series": "sku", "quantity": "sold"}``.
    model : {"trees", "ridge", "periodic", "dlinear", "tft", "nhits", "patch", "tcn", "ensemble"}
        Gradient-boosted trees of lags; ridge regression; the same drawn to weights that all
        phases of a season share; linear layers of trend and remainder, a temporal fusion
        transformer, N-HiTS, a patch transformer and a temporal convolutional network; or several
        of them, weighed on the latest origins.
    step : {"index", "minute", "hour", "day", "week", "half-month", "month", "quarter", \
"year"}, optional
        How far apart the times lie; by default as most rows do. Where in the week or month
        they lie, and on which days of the week never, is learned; other rows are refused.
        Whole numbers that rise by one are an index.
    horizon : int, optional
        Steps ahead, in [1, 1000]; by default as suits the step, 28 days for instance.
    history : int, optional
        Steps that an answer looks back, in [2, 10000]; by default as suits the step.
    known, past, static : tuple of str
        Further columns: numbers and booleans whose future is known, those of which only the
        past is, and attributes of a series that do not change.
    quantiles : tuple of float
        Rising, in (0, 1), 0.5 among them.
    learning : LearningOptions, optional
        Which windows it learns from, and whether large series count more.
    baselines : tuple of {"auto_ets", "auto_theta", "auto_arima", "mstl"}
        Statistical models to compare with, beside the simple rules.
    rivals : tuple of str
        Further models of this class to compare with, untuned.
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int
    closed : tuple of str
        Dates on which nothing is open, of past and future, which are no gaps.

    Examples
    --------
    >>> from industry_apps.retail import DemandForecaster
    >>> data = DemandForecaster.sample()
    >>> forecaster = DemandForecaster.fast().fit(data)
    >>> week = data.test["time"] < data.test["time"].min() + pd.Timedelta(days=7)
    >>> ahead = data.test[week].drop(columns=["quantity", "visitors"])
    >>> list(forecaster.predict(pd.concat([data.train, data.validation, ahead])).columns)
    ['quantity_p10', 'quantity_p50', 'quantity_p90']
    """

    name = "retail.demand_forecasting"
    question = "How much of each product will we sell?"
    simulator = "retail_sales_simulator"
    schema = Schema(
        (
            Column("series", "category", role="identifier", nullable=False),
            Column("time", "datetime", role="known", nullable=False),
            _SOLD,
        )
    )
    outputs = quantiles_of(_SOLD)
    traits = Traits(inputs=("number", "boolean", "category", "datetime"), windows=True)
    problem = FORECAST

    target = _SOLD

    closed: Annotated[tuple[str, ...], DATES] = ()

    @classmethod
    def fast(cls) -> Self:
        """Few trees, a week ahead: a fit of seconds on the sample."""
        return cls(
            horizon=7,
            known=("price", "promotion", "holiday"),
            past=("visitors",),
            static=("category",),
            learning=LearningOptions(origins=12),
            trees=TreeOptions(rounds=30, num_leaves=15, learning_rate=0.15),
        )

    def _closed(self) -> Sequence[str]:
        return self.closed

    def reconcile(
        self, frame: pd.DataFrame, by: tuple[str, ...], *, method: Method = "wls"
    ) -> pd.DataFrame:
        """Forecast series, groups of them and their total, so that parts add up to totals.

        Totals are forecast from their own added history where the method needs it; prices and
        the like are averaged for it.

        Parameters
        ----------
        frame : DataFrame
            As for ``predict``.
        by : tuple of str
            Columns that say which group a series belongs to.
        method : {"bottom_up", "ols", "wls"}
            See :func:`industry_apps.recipes.forecasting.totals.reconciliation.reconcile`.

        Returns
        -------
        DataFrame
            As ``predict`` gives it, with a series for each group, named as ``"store=S01"``, and
            one named ``"total"``.

        Raises
        ------
        SchemaError, ParameterError, NotFittedError
        """
        self._check_fitted()
        keys = (*self._keys(), self._name("quantity"))
        return forecast_of_totals(self.predict, frame, by, method, schema=self.schema_, keys=keys)

    @staticmethod
    def order_quantities(
        forecast: pd.DataFrame, *, unit_cost: Money, price: Money, salvage: Money = 0.0
    ) -> pd.DataFrame:
        """How much to have in stock, so that expected profit is largest.

        Parameters, what is returned and what is raised: see
        :func:`industry_apps.recipes.forecasting.newsvendor.order_quantities`.
        """
        return order_quantities(forecast, unit_cost=unit_cost, price=price, salvage=salvage)
