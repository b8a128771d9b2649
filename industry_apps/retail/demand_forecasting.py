"""Demand forecasting: how much of each product will be sold, with the uncertainty of it.

Asked by whoever orders, staffs or produces: each day, week or month, for every product and
store. One model learns from all series; each answer is a set of quantiles, since what to
order depends on the costs of too much and too little, not on the mean alone. That one model
of many series with lags, prices and calendar does better than a model for each is what the
M5 competition found (Makridakis, Spiliotis and Assimakopoulos 2022,
doi:10.1016/j.ijforecast.2021.11.013).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Split
from industry_apps.evaluation import Report
from industry_apps.export import Exportable
from industry_apps.limits import check_parameters, integer, one_of, some_of
from industry_apps.recipes import LearningOptions, TreeOptions
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.forecasting import records as tables
from industry_apps.recipes.forecasting.baselines import STATISTICAL
from industry_apps.recipes.forecasting.graph import SERIES_A_RUN
from industry_apps.recipes.forecasting.hierarchy import forecast_of_totals
from industry_apps.recipes.forecasting.metrics import FORECAST
from industry_apps.recipes.forecasting.newsvendor import Money, order_quantities, quantile_name
from industry_apps.recipes.forecasting.plans import STEP_PLANS, is_index
from industry_apps.recipes.forecasting.recipe import ForecastModel, ForecastOptions
from industry_apps.recipes.forecasting.reconciliation import Method
from industry_apps.recipes.forecasting.table import ForecastTable, HoldsForecast, seconds_of
from industry_apps.runtime import WindowRule
from industry_apps.runtime.series.long_tables import DATES, check_zone
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_STEPS = tuple(STEP_PLANS)
_SOLD = Column("quantity", "number", unit="units", low=0, nullable=False)


class DemandForecaster(HoldsForecast, OwnNames, Application):
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
    model : {"trees", "tft", "nhits", "patch", "tcn", "ensemble"}
        Gradient-boosted trees of lags; a temporal fusion transformer, N-HiTS, a patch
        transformer and a temporal convolutional network; or several of them, weighed on the
        latest origins.
    step : {"index", "minute", "hour", "day", "week", "half-month", "month", "quarter", \
"year"}, optional
        How far apart the times lie; by default as most rows do. Where in the week or month
        they lie, and on which days of the week never, is learned; other rows are refused.
        Whole numbers that rise by one are an index.
    closed : tuple of str
        Dates on which nothing is open, of past and future, which are no gaps.
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
            Column("quantity", "number", role="history", unit="units", low=0),
        )
    )
    outputs = Schema(
        tuple(replace(_SOLD, name=quantile_name("quantity", q)) for q in tables.LEVELS)
    )
    traits = Traits(inputs=("number", "boolean", "category", "datetime"), windows=True)
    problem = FORECAST

    model: ForecastModel = "trees"
    step: Annotated[str, one_of(_STEPS)] | None = None
    closed: Annotated[tuple[str, ...], DATES] = ()
    horizon: Annotated[int, integer(1, 1000)] | None = None
    history: Annotated[int, integer(2, 10_000)] | None = None
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    quantiles: Annotated[tuple[float, ...], tables.QUANTILES] = tables.LEVELS
    learning: LearningOptions | None = None
    baselines: Annotated[tuple[str, ...], some_of(tuple(STATISTICAL))] = ("auto_ets",)
    rivals: tuple[ForecastModel, ...] = ()
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

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

    def split(self, frame: pd.DataFrame) -> Split:
        """Split a table by time: the last horizon is the test, the one before for validation.

        Parameters
        ----------
        frame : DataFrame
            Long: a row for each series and time.
        """
        return tables.split_by_horizon(frame, self._seconds(frame), self._rule(frame))

    @property
    def outputs_(self) -> Schema:
        """With the quantiles that are asked for."""
        return self.series_.outputs

    def _series(self, frame: pd.DataFrame) -> ForecastTable:
        roles = {"known": self.known, "history": self.past, "feature": self.static}
        return ForecastTable(
            schema=self._own_schema().extended(tables.covariates(frame, roles)),
            windows=self._rule(frame),
            target=_SOLD,
            column=self._name("quantity"),
            options=self._options(),
            rivals={name: self._untuned(name) for name in self.rivals},
            statistical=tuple(self.baselines),
        )

    def _options(self) -> ForecastOptions:
        usual = ForecastOptions()
        return replace(
            usual,
            model=self.model,
            quantiles=tuple(self.quantiles),
            learning=self.learning or usual.learning,
            trees=replace(self.trees or usual.trees, seed=self.seed),
            training=self.training or usual.training,
            seed=self.seed,
        )

    def _untuned(self, model: ForecastModel) -> ForecastOptions:
        levels = tuple(self.quantiles)
        return ForecastOptions(model=model, quantiles=levels, training=None, seed=self.seed)

    def _rule(self, frame: pd.DataFrame) -> WindowRule:
        seconds, time = self._seconds(frame), self._name("time")
        rule = tables.rule_of(
            seconds,
            (self._name("series"), time),
            step=self.step or ("index" if is_index(frame[time]) else None),
            horizon=self.horizon,
            history=self.history,
            closed=self.closed,
        )
        check_zone(frame[time], rule)
        return rule

    def _seconds(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        return seconds_of(frame, self._own_schema()[self._name("time")])

    def _exportable(self, precision: str = "float32") -> Exportable:
        return replace(super()._exportable(precision), moments=12, rows_a_run=SERIES_A_RUN)

    def backtest(
        self, frame: pd.DataFrame, *, origins: int = 3, series: tuple[str, ...] = ()
    ) -> Report:
        """Forecast the past again: at each of some origins by a model that knows only what was.

        Parameters
        ----------
        frame : DataFrame
            History and outcomes; the last origins, a horizon apart, are forecast.
        origins : int
            At least 1; the model learns anew for each.
        series : tuple of str
            Those that the report draws; by default some.

        Returns
        -------
        Report

        Raises
        ------
        SchemaError, TrainingError, ParameterError
        """
        check_parameters(self)
        report = self._series(frame).backtest(frame, origins, tuple(series))
        return replace(report, application=self.name, data="own data", problem=self.problem)

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
            See :func:`industry_apps.recipes.forecasting.reconciliation.reconcile`.

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
        rule = self.series_.windows
        keys = (rule.series, rule.time, self._name("quantity"))
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
