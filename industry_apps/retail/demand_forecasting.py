"""Demand forecasting: how much of each product will be sold, with the uncertainty of it.

Asked by whoever orders, staffs or produces: each day, week or month, for every product and
store. One model learns from all series; each answer is a set of quantiles, since what to
order depends on the costs of too much and too little, not on the mean alone. That one model
of many series with lags, prices and calendar does better than a model for each is what the
M5 competition found (Makridakis, Spiliotis and Assimakopoulos 2022,
doi:10.1016/j.ijforecast.2021.11.013).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.application import Application
from industry_apps.data import Dataset, Split, sample
from industry_apps.evaluation import Report
from industry_apps.export import Exportable
from industry_apps.features import GraphBuilder
from industry_apps.limits import NAME_MAP, NAMES, Limit, check_limits, instance, integer, one_of
from industry_apps.recipes import LearningOptions, TreeOptions
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.forecasting import records as tables
from industry_apps.recipes.forecasting.assessment import Asked, Forecaster, assess_forecasts
from industry_apps.recipes.forecasting.assessment import rolling_origins as last_origins
from industry_apps.recipes.forecasting.baselines import STATISTICAL
from industry_apps.recipes.forecasting.graph import SERIES_A_RUN
from industry_apps.recipes.forecasting.hierarchy import forecast_of_totals
from industry_apps.recipes.forecasting.newsvendor import Money, order_quantities, quantile_name
from industry_apps.recipes.forecasting.plans import STEP_PLANS
from industry_apps.recipes.forecasting.recipe import ForecastModel, ForecastOptions, ForecastRecipe
from industry_apps.recipes.forecasting.reconciliation import Method
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.forecasts import answer_keys, asked_at
from industry_apps.schema import Column, Schema, Traits
from industry_apps.training import TrainingOptions

_STEPS = tuple(STEP_PLANS)
_quantity = partial(Column, kind="number", unit="units", low=0, nullable=False)


class DemandForecaster(OwnNames, Application):
    """Quantiles of the demand of each series over the next steps.

    It is asked with a long table: a row for each series and time. What is known in advance
    (``known``: prices, promotions, holidays) goes on in rows behind the history, with the
    quantity and the ``past`` columns left empty; the forecast begins behind the last time at
    which any of these is known. It answers a row for each series and time ahead.

    Times without a row are gaps, and answered all the same; a series of zeros is forecast as
    zero, one without any history by what its attributes and tables.covariates tell. A negative
    quantity (a return) is refused: add it to the day of the sale, or leave it out.

    Parameters
    ----------
    model : {"trees", "tft", "nhits", "patch", "tcn", "ensemble"}
        Gradient-boosted trees of lags; a temporal fusion transformer, N-HiTS, a patch
        transformer and a temporal convolutional network; or several of them, weighed on the
        latest origins.
    step : {"minute", "hour", "day", "week", "month", "quarter", "year"}, optional
        How far apart the times lie; by default as most rows do.
    horizon : int, optional
        Steps ahead, in [1, 1000]; by default as suits the step, 28 days for instance.
    history : int, optional
        Steps that an answer looks back, in [2, 10000]; by default as suits the step.
    known, past, static : tuple of str
        Further columns: numbers and booleans whose future is known, those of which only the
        past is, and attributes of a series that do not change.
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"series": "sku", "quantity": "sold"}``.
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
    schema = Schema(
        (
            Column(name="series", kind="category", role="identifier", nullable=False),
            Column(name="time", kind="datetime", role="known", nullable=False),
            Column(name="quantity", kind="number", role="history", unit="units", low=0),
        )
    )
    outputs = Schema(tuple(_quantity(name=quantile_name("quantity", q)) for q in tables.LEVELS))
    traits = Traits(
        task="forecast",
        inputs=("number", "boolean", "category", "datetime"),
        intervals=True,
        windows=True,
    )
    limits: ClassVar[Mapping[str, Limit]] = {
        "model": one_of(get_args(ForecastModel)),
        "step": one_of(_STEPS).or_none(),
        "horizon": integer(1, 1000).or_none(),
        "history": integer(2, 10_000).or_none(),
        "known": NAMES,
        "past": NAMES,
        "static": NAMES,
        "columns": NAME_MAP.or_none(),
        "quantiles": tables.QUANTILES,
        "learning": instance(LearningOptions).or_none(),
        "baselines": tables.some_of(tuple(STATISTICAL)),
        "rivals": tables.some_of(get_args(ForecastModel)),
        "trees": instance(TreeOptions).or_none(),
        "training": instance(TrainingOptions).or_none(),
        "seed": integer(0),
    }

    def __init__(  # noqa: PLR0913 - each says one thing about the table or the decision
        self,
        *,
        model: ForecastModel = "trees",
        step: str | None = None,
        horizon: int | None = None,
        history: int | None = None,
        known: tuple[str, ...] = (),
        past: tuple[str, ...] = (),
        static: tuple[str, ...] = (),
        columns: Mapping[str, str] | None = None,
        quantiles: tuple[float, ...] = tables.LEVELS,
        learning: LearningOptions | None = None,
        baselines: tuple[str, ...] = ("auto_ets",),
        rivals: tuple[ForecastModel, ...] = (),
        trees: TreeOptions | None = None,
        training: TrainingOptions | None = None,
        seed: int = 0,
    ) -> None:
        self.model = model
        self.step = step
        self.horizon = horizon
        self.history = history
        self.known = known
        self.past = past
        self.static = static
        self.columns = columns
        self.quantiles = quantiles
        self.learning = learning
        self.baselines = baselines
        self.rivals = rivals
        self.trees = trees
        self.training = training
        self.seed = seed

    @classmethod
    def sample(cls) -> Dataset:
        """Simulated daily sales of a few stores, with no network."""
        return sample("retail_sales_simulator")

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

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        self._prepare(train)
        self.history_ = self._read(train)
        if validation is not None:
            self.history_ = self.history_.joined(self._read(validation))
        self.recipe_ = self._recipe(self._options()).fit(self.history_)
        self.rivals_ = {
            name: self._recipe(self._untuned(name)).fit(self.history_) for name in self.rivals
        }
        self.split_ = {"train": tables.described(self.history_)}
        self.check_ = train if validation is None else pd.concat([train, validation])

    def _prepare(self, frame: pd.DataFrame) -> None:
        """Learn from a table what its columns and its steps are."""
        named = self._own_schema()
        roles = {"known": self.known, "history": self.past, "feature": self.static}
        self.schema_ = named.extended(tables.covariates(frame, roles))
        self.outputs_ = Schema(
            tuple(_quantity(name=quantile_name("quantity", level)) for level in self.quantiles)
        )
        self.windows_ = self._rule(frame)

    def _recipe(self, options: ForecastOptions) -> ForecastRecipe:
        return ForecastRecipe(self.schema_, self.windows_, self._name("quantity"), options)

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
        return tables.rule_of(
            self._seconds(frame),
            (self._name("series"), self._name("time")),
            step=self.step,
            horizon=self.horizon,
            history=self.history,
        )

    def _index(self, frame: pd.DataFrame) -> pd.Index:
        panel = self._read(frame)
        stop = asked_at(panel, self.schema_, self.windows_)
        keys = answer_keys(panel, stop, self.windows_)
        return pd.DataFrame(keys).set_index(self.windows_.keys).index

    def _answers(self, frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
        panel = self._read(frame)
        stop = asked_at(panel, self.schema_, self.windows_)
        answers = self._decided(panel.feeds(stop, self.schema_, self.windows_))
        return {name: values.reshape(-1) for name, values in answers.items()}

    def _decided(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The answers at one moment, [series, horizon]."""
        found = self.recipe_.forecast(feeds)
        return {name: found[:, :, k] for k, name in enumerate(self.outputs_.names)}

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        test = self._read(frame)
        panel, first = self.history_.joined(test), len(self.history_.times)
        asked = self._asked(panel, range(first, len(panel.times), self.windows_.horizon))
        split = {**self.split_, "test": tables.described(test)}
        rivals: dict[str, Forecaster] = {
            name: self._forecast_of(each, panel) for name, each in self.rivals_.items()
        }
        ours = self._forecast_of(self.recipe_, panel)
        return assess_forecasts(asked, ours, rivals, model=self.model, split=split)

    def _forecast_of(self, recipe: ForecastRecipe, panel: Panel) -> Forecaster:
        return lambda stop: recipe.forecast(panel.feeds(stop, self.schema_, self.windows_))

    def _asked(self, panel: Panel, stops: range) -> Asked:
        return Asked(
            panel=panel,
            target=self._name("quantity"),
            stops=list(stops),
            horizon=self.windows_.horizon,
            season=STEP_PLANS[self.windows_.step].seasons[0],
            levels=tuple(self.quantiles),
            statistical=tuple(self.baselines),
        )

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
        check_limits(self, self.limits)
        fresh = type(self)(**self.get_params(deep=False))
        fresh._prepare(frame)
        panel, horizon = fresh._read(frame), fresh.windows_.horizon
        stops = last_origins(panel, horizon, origins)

        def forecast(stop: int) -> NDArray[Any]:
            known = fresh._recipe(fresh._options()).fit(panel.upto(stop))
            return known.forecast(panel.feeds(stop, fresh.schema_, fresh.windows_))

        asked = replace(fresh._asked(panel, stops), drawn=tuple(series))
        split = {"back-test": tables.described(panel)}
        report = assess_forecasts(asked, forecast, {}, model=self.model, split=split)
        return replace(report, application=self.name, data="own data")

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
        keys = (self.windows_.series, self.windows_.time, self._name("quantity"))
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

    def _exportable(self) -> Exportable:
        builder, rule = GraphBuilder(), self.windows_
        inputs = builder.inputs(self.schema_.inputs(), rule.length, rule.horizon)
        tensors = self.recipe_.write(builder, inputs)
        for name, tensor in zip(self.outputs_.names, tensors, strict=True):
            builder.output(tensor, name, np.float32, rule.horizon)
        weights = {name: share for name, share in self.recipe_.weights_.items() if share}
        return Exportable(
            graph=builder.model(self.name),
            native=self._decided,
            schema=self.schema_,
            outputs=self.outputs_,
            check=self.check_,
            thresholds={},
            facts={"model": self.model, "weights": weights, "split": self.split_},
            windows=rule,
            history=self.history_,
            moments=12,
            rows_a_run=SERIES_A_RUN,
        )

    def _read(self, frame: pd.DataFrame) -> Panel:
        return Panel.read(frame, self.schema_, self.windows_)

    def _seconds(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        named = self._own_schema()
        time = named[self._name("time")]
        return Schema((time,)).to_arrays(frame)[time.name]
