"""Load forecasting: how much power each area of the grid will draw, with the uncertainty of it.

Asked by whoever buys energy or commits power plants, usually once a day for each hour of the
next. Load repeats by day and week, is lower on holidays, and follows the weather; what of it is
known in advance, as a forecast, is given as such. That simple models of the last values with the
calendar are hard to beat is what the GEFCom competitions found (Hong et al. 2016, "Probabilistic
energy forecasting: Global Energy Forecasting Competition 2014 and beyond",
doi:10.1016/j.ijforecast.2016.02.001).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Self

import pandas as pd

from industry_apps.application import Application
from industry_apps.energy.load.checks import (
    check_flat_runs,
    check_one_unit,
    warn_of_moved_covariates,
    warn_of_moved_days,
    warn_of_other_unit,
)
from industry_apps.evaluation.variants import Question
from industry_apps.limits import integer, wrong_parameter
from industry_apps.recipes import LearningOptions, TreeOptions
from industry_apps.recipes.forecasting.evaluation.metrics import FORECAST
from industry_apps.recipes.forecasting.parameters import ForecastParameters
from industry_apps.recipes.forecasting.recipe import MEMBERS, ForecastModel, ForecastOptions
from industry_apps.recipes.forecasting.table import FLAT, quantiles_of
from industry_apps.runtime import Panel
from industry_apps.runtime.series.zones import ZONE
from industry_apps.schema import Column, Schema, Traits

_LOAD = Column("load", "number", role="history", unit="MW")
#: Days that are learned from; those of the last year weigh and calibrate, as errors have seasons.
_LEARNED = LearningOptions(origins=1461, held_out=364)
#: Chosen on the year before the last of PJM, as is what is learned from.
_TREES = TreeOptions(
    rounds=200,
    learning_rate=0.07,
    num_leaves=31,
    min_child_samples=50,
    feature_fraction=0.4,
    bagging_fraction=0.7,
)


class LoadForecaster(ForecastParameters, Application):
    """Quantiles of the load of each area over the next hours.

    It is asked with a long table: a row for each area and hour. What is known in advance
    (``known``: the forecast of the temperature, holidays) goes on in rows behind the history,
    with the load and the ``past`` columns left empty. Times name the hour by its start.

    A weather forecast is less exact than the weather. With ``forecasts``, a table has two kinds of
    rows: those of what was measured or is certain, in which the column ``issued`` is empty, and
    those of forecasts, with the moment at which each was issued and nothing but forecasts. Of
    each hour that is learned from or asked about, the model is told the latest forecast that was
    issued by the beginning of the first hour ahead, however far ahead it lies, and never what was
    measured later; so it learns what a forecast of that lead time is worth. An origin for which a
    forecast is missing is refused.

    Loads may be negative, where more is fed in than drawn. Hours without a row are gaps, and
    answered all the same. Of hourly loads, one that jumps by a thousand from one day to the next,
    as kW among MW, is refused; where a table as a whole is a thousand times what was learned
    from, or the shape of the day lies at other hours, as in another zone, a warning names the
    area, and so it does of covariates whose days ahead lie at other hours than those before.

    Parameters
    ----------
    columns : mapping of str to str, optional
        Names of this class -> your names, as in ``{"area": "zone", "load": "mw"}``.
    model : {"ensemble", "trees", "ridge", "periodic", "dlinear", "tft", "nhits", "patch", "tcn"}
        Several models, weighed on the latest days; or one: ridge regression of the last values,
        the same drawn to weights that all hours of the day share, gradient-boosted trees of lags,
        linear layers of trend and remainder, a temporal fusion transformer, N-HiTS, a patch
        transformer, a temporal convolutional network.
    step : {"minute", "hour", "day"}, optional
        How far apart the times lie; by default as most rows do.
    horizon : int, optional
        Steps ahead, in [1, 1000]; by default 48 hours.
    history : int, optional
        Steps that an answer looks back, in [2, 10000]; by default four weeks of hours.
    known, past, static : tuple of str
        Further columns: numbers and booleans whose future is known, those of which only the
        past is, and attributes of an area that do not change.
    quantiles : tuple of float
        Rising, in (0, 1), 0.5 among them.
    learning : LearningOptions, optional
        Which windows it learns from; by default a day apart, of the last four years, which is
        right where it is asked at one hour of the day.
    baselines : tuple of {"auto_ets", "auto_theta", "auto_arima", "mstl"}
        Statistical models to compare with, beside the simple rules.
    rivals : tuple of str
        Further models of this class to compare with, untuned.
    trees : TreeOptions, optional
    training : TrainingOptions, optional
    seed : int
    members : tuple of str
        Models of the ensemble, two or more.
    zone : str
        Of the IANA data base, as in "America/New_York": hours are those of its clock, and so are
        the answers. A day of 23 hours is answered by 23 rows. The hour that comes twice in autumn
        is the mean of both of its rows, and its answer stands for each of both. Times may be
        given in UTC, or without a zone as the clock shows them. By default times are of UTC, or
        of a clock that is never changed.
    forecasts : tuple of str
        Those of ``known`` that are told by forecasts, each with its moment of issue.
    issued : str
        Name of the column of the moment of issue, at or before the hour that is forecast.
    flat_steps : int
        So many equal loads after each other, or more, are those of a stuck meter, also where some
        between them are missing: they are left out as gaps, answered from what else is known, and
        ``flat_history`` says so. An area that is flat again and again, or always, is refused by
        ``fit``. 0: all loads count.

    Examples
    --------
    >>> import pandas as pd
    >>> from industry_apps.energy import LoadForecaster
    >>> data = LoadForecaster.sample()
    >>> forecaster = LoadForecaster.fast().fit(data)
    >>> day = data.test["time"] < data.test["time"].min() + pd.Timedelta(days=1)
    >>> ahead = data.test[day].drop(columns="load")
    >>> list(forecaster.predict(pd.concat([data.train, data.validation, ahead])).columns)
    ['load_p10', 'load_p50', 'load_p90', 'flat_history']
    """

    name = "energy.load_forecasting"
    question = "How much power will each area draw?"
    simulator = "energy_load_simulator"
    schema = Schema(
        (
            Column("area", "category", role="identifier", nullable=False),
            Column("time", "datetime", role="known", nullable=False),
            _LOAD,
        )
    )
    outputs = quantiles_of(_LOAD).extended((FLAT,))
    traits = Traits(inputs=("number", "boolean", "category", "datetime"), windows=True)
    problem = FORECAST
    target = _LOAD

    model: ForecastModel = "ensemble"
    members: Annotated[tuple[ForecastModel, ...], MEMBERS] = ("ridge", "trees")
    zone: Annotated[str, ZONE] = ""
    forecasts: tuple[str, ...] = ()
    issued: str = "issued"
    flat_steps: Annotated[int, integer(0)] = 8

    @classmethod
    def fast(cls) -> Self:
        """Ridge regression, a day ahead: a fit of seconds on the sample."""
        return cls(
            model="ridge",
            horizon=24,
            history=336,
            known=("temperature", "holiday"),
            static=("region",),
            learning=LearningOptions(origins=60),
            trees=TreeOptions(rounds=30, num_leaves=15, learning_rate=0.15),
        )

    def studies(self) -> Mapping[str, Question]:
        """Errors over 96 to 720 hours, as in the literature on ETTh1; in full, of more models."""
        from industry_apps.energy.load.long_horizons import long_horizons

        return {
            "long_horizons": partial(long_horizons, self),
            "long_horizons_full": partial(long_horizons, self, full=True),
        }

    def _zone(self) -> str:
        return self.zone

    def _issued(self) -> Mapping[str, Any]:
        unknown = [name for name in self.forecasts if name not in self.known]
        if unknown:
            words = f"a tuple of columns of 'known', which are {tuple(self.known)}"
            raise wrong_parameter("LoadForecaster", "forecasts", words, self.forecasts)
        return {"issued": self.issued, "forecasts": self.forecasts} if self.forecasts else {}

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        super()._fit(train, validation)
        if self.flat_steps > 1:
            check_flat_runs(self.series_.history_, self.series_.column, self.flat_steps)
        if self.series_.windows.step == "hour":
            check_one_unit(self.series_.history_, self.series_.column, self.series_.windows)

    def _look_at(self, panel: Panel, stop: int) -> None:
        held = self.series_
        if held.windows.step != "hour":
            return
        check_one_unit(panel, held.column, held.windows)
        warn_of_other_unit(panel, held.history_, held.column)
        warn_of_moved_days(panel, held.history_, held.column)
        numbers = [name for name in self.known if held.schema[name].kind == "number"]
        warn_of_moved_covariates(panel, stop, held.windows.horizon, numbers)

    def _options(self) -> ForecastOptions:
        found = super()._options()
        return replace(
            found,
            members=self.members,
            trees=replace(self.trees or _TREES, seed=self.seed),
            learning=self.learning or _LEARNED,
            flat_steps=self.flat_steps,
        )
