"""A forecast of a long table: what it learns from, is judged on, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.evaluation import Report
from industry_apps.features import GraphBuilder
from industry_apps.recipes.forecasting import records
from industry_apps.recipes.forecasting.evaluation.assessment import (
    Forecaster,
    Origins,
    assess_forecasts,
    rolling_origins,
)
from industry_apps.recipes.forecasting.newsvendor import quantile_name
from industry_apps.recipes.forecasting.plans import usual_plan
from industry_apps.recipes.forecasting.recipe import (
    ForecastOptions,
    ForecastRecipe,
    bounds_of,
)
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.series.forecasts import (
    answer_keys,
    asked_at,
    check_issued,
    in_rows,
)
from industry_apps.schema import Column, Schema

Feeds = Mapping[str, NDArray[Any]]

#: Said of the forecast of a series whose history holds a flat line.
FLAT = Column(
    "flat_history",
    "boolean",
    "A part of the history is one and the same value, as of a stuck meter, and is left out",
    nullable=False,
)


@dataclass(kw_only=True)
class ForecastTable:
    """Quantiles of a column of a long table over the next steps of each series.

    Parameters
    ----------
    schema : Schema
        The columns that are read.
    windows : WindowRule
        With a horizon and a step.
    target : Column
        What is forecast, under the name of the answers: ``quantity`` is answered by
        ``quantity_p10`` and so on.
    column : str
        The column of the table that holds it.
    options : ForecastOptions
    rivals : mapping of str to ForecastOptions
        Further models to compare with.
    statistical : tuple of str
        Statistical models to compare with.
    """

    schema: Schema
    windows: WindowRule
    target: Column
    column: str
    options: ForecastOptions
    rivals: Mapping[str, ForecastOptions] = field(default_factory=dict)
    statistical: tuple[str, ...] = ()

    def fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> ForecastTable:
        """Learn the model from both tables; its rivals are learned by :meth:`fit_baselines`."""
        self.schema = self.schema.with_offsets(train)
        self.history_ = self.read(train)
        records.check_digits(train, self.schema, self.windows.series)
        if validation is not None:
            self.history_ = self.history_.joined(self.read(validation))
        self.recipe_ = self._recipe(self.options).fit(self.history_)
        self.rivals_: dict[str, ForecastRecipe] = {}
        self.check_ = train if validation is None else pd.concat([train, validation])
        return self

    def fit_baselines(self) -> None:
        """Learn the further models that it is compared with."""
        for name, options in self.rivals.items():
            self.rivals_[name] = self._recipe(options).fit(self.history_)

    def read(self, frame: pd.DataFrame) -> Panel:
        """A long table as series and steps."""
        return Panel.read(frame, self.schema, self.windows)

    @property
    def outputs(self) -> Schema:
        """One column for each quantile."""
        target = replace(self.target, offset=self.schema[self.column].offset)
        told = quantiles_of(target, self.options.quantiles)
        return told.extended((FLAT,)) if self.options.flat_steps else told

    @property
    def split_(self) -> dict[str, dict[str, Any]]:
        """What was learned from, in words."""
        return {"train": records.described(self.history_)}

    def answer(self, feeds: Feeds) -> dict[str, NDArray[Any]]:
        """The windows of one moment -> the quantiles, each [series, horizon]."""
        found = self.recipe_.forecast(feeds)  # [series, horizon, quantiles]
        levels = self.options.quantiles
        answers = {self.outputs.names[k]: found[:, :, k] for k in range(len(levels))}
        if self.options.flat_steps:
            flat = self.recipe_.has_flat(feeds)
            answers[FLAT.name] = np.repeat(flat[:, None], self.windows.horizon, axis=1)
        return answers

    def asked(self, frame: pd.DataFrame) -> tuple[Panel, int]:
        """A table as series and steps, and the step at which its history ends."""
        panel = self.read(frame)
        return panel, asked_at(panel, self.schema, self.windows)

    def answer_at(self, panel: Panel, stop: int) -> tuple[dict[str, NDArray[Any]], pd.Index]:
        """The quantiles behind the history of a panel, and the series and time of each."""
        keys = pd.DataFrame(answer_keys(panel, stop, self.windows)).set_index(self.windows.keys)
        answers = self.answer(panel.feeds(stop, self.schema, self.windows))
        rows = {n: in_rows(values, panel, stop, self.windows) for n, values in answers.items()}
        return rows, keys.index

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        """Append the model to a graph -> {output: tensor [batch, horizon]}."""
        quantiles, flat = self.recipe_.write(builder, inputs)
        told = quantiles if flat is None else [*quantiles, flat]
        return dict(zip(self.outputs.names, told, strict=True))

    def facts(self) -> dict[str, Any]:
        """What answers, as JSON values for the file."""
        weights = {name: share for name, share in self.recipe_.weights_.items() if share}
        return {"model": self.options.model, "weights": weights}

    def evaluate(self, frame: pd.DataFrame) -> Report:
        """Judge forecasts, a horizon apart, of a table that goes on behind the history."""
        test = self.read(frame)
        panel, first = self.history_.joined(test), len(self.history_.times)
        origins = self._origins(panel, range(first, len(panel.times), self.windows.horizon))
        for stop in origins.stops:
            check_issued(panel, stop, self.windows, np.isin(panel.series, test.series))
        models = self.recipe_.models_
        members = {name: self.recipe_.alone(name) for name in models if len(models) > 1}
        rivals = {
            name: self._forecaster(each, panel) for name, each in (members | self.rivals_).items()
        }
        return assess_forecasts(
            origins,
            self._forecaster(self.recipe_, panel),
            rivals,
            model=self.options.model,
            split={**self.split_, "test": records.described(test)},
        )

    def backtest(self, frame: pd.DataFrame, origins: int, drawn: tuple[str, ...]) -> Report:
        """Learn anew at each of the last origins, and judge what was forecast from there."""
        self.schema = self.schema.with_offsets(frame)
        panel = self.read(frame)

        def forecast(stop: int) -> NDArray[Any]:
            known = self._recipe(self.options).fit(panel.upto(stop))
            return known.forecast(panel.feeds(stop, self.schema, self.windows))

        asked = self._origins(panel, rolling_origins(panel, self.windows.horizon, origins), drawn)
        split = {"back-test": records.described(panel)}
        return assess_forecasts(asked, forecast, {}, model=self.options.model, split=split)

    def _recipe(self, options: ForecastOptions) -> ForecastRecipe:
        return ForecastRecipe(self.schema, self.windows, self.column, options)

    def _forecaster(self, recipe: ForecastRecipe, panel: Panel) -> Forecaster:
        return lambda stop: recipe.forecast(panel.feeds(stop, self.schema, self.windows))

    def _origins(self, panel: Panel, stops: range, drawn: tuple[str, ...] = ()) -> Origins:
        return Origins(
            panel=panel,
            target=self.column,
            stops=list(stops),
            horizon=self.windows.horizon,
            seasons=usual_plan(self.windows).seasons,
            levels=self.options.quantiles,
            bounds=bounds_of(self.schema[self.column]),
            statistical=self.statistical,
            drawn=drawn,
        )


class HoldsForecast:
    """A mixin of applications whose model is a forecast of a long table."""

    series_: ForecastTable
    schema_: Schema
    check_: pd.DataFrame
    split_: Mapping[str, Mapping[str, Any]]
    windows_: WindowRule | None
    history_: Panel | None
    _series: Callable[[pd.DataFrame], ForecastTable]

    def _fit(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        held = self.series_ = self._series(train).fit(train, validation)
        self.schema_, self.windows_, self.history_ = held.schema, held.windows, held.history_
        self.check_, self.split_ = held.check_, held.split_

    def _fit_baselines(self, train: pd.DataFrame, validation: pd.DataFrame | None) -> None:
        del train, validation  # the history holds them
        self.series_.fit_baselines()

    def _indexed(self, frame: pd.DataFrame) -> tuple[dict[str, NDArray[Any]], pd.Index]:
        panel, stop = self.series_.asked(frame)
        self._look_at(panel, stop)
        return self.series_.answer_at(panel, stop)

    def _look_at(self, panel: Panel, stop: int) -> None:
        """Refuse or name what one problem alone can tell to be wrong in what is asked."""

    def _answers(self, frame: Feeds) -> dict[str, NDArray[Any]]:
        return self.series_.answer(frame)

    def _write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> dict[str, str]:
        return self.series_.write(builder, inputs)

    def _evaluate(self, frame: pd.DataFrame) -> Report:
        return self.series_.evaluate(frame)

    def _facts(self) -> dict[str, Any]:
        return self.series_.facts()


def quantiles_of(target: Column, levels: Sequence[float] = records.LEVELS) -> Schema:
    """The answers of a forecast: a column for each quantile.

    Parameters
    ----------
    target : Column
        What is forecast, under the name of the answers.
    levels : sequence of float
    """
    told = replace(target, role="feature", nullable=False)
    names = (quantile_name(target.name, level) for level in levels)
    return Schema(tuple(replace(told, name=name) for name in names))


def seconds_of(frame: pd.DataFrame, time: Column) -> NDArray[np.int64]:
    """Moments of the rows of a long table, [rows]."""
    return Schema((time,)).to_arrays(frame)[time.name]
