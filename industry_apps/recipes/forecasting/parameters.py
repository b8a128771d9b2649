"""The parameters of a forecast of a long table, and the model that follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from industry_apps.data import Split
from industry_apps.evaluation import Problem, Report
from industry_apps.export import Exportable
from industry_apps.limits import check_parameters, integer, one_of, some_of
from industry_apps.recipes.column_mapping import OwnNames
from industry_apps.recipes.forecasting import records
from industry_apps.recipes.forecasting.evaluation.baselines import STATISTICAL
from industry_apps.recipes.forecasting.plans import STEP_PLANS, is_index
from industry_apps.recipes.forecasting.recipe import (
    ForecastModel,
    ForecastOptions,
    LearningOptions,
)
from industry_apps.recipes.forecasting.table import ForecastTable, HoldsForecast, seconds_of
from industry_apps.recipes.forecasting.windows.graph import SERIES_A_RUN
from industry_apps.recipes.trees import TreeOptions
from industry_apps.runtime import WindowRule
from industry_apps.runtime.series.row_keys import check_zone, to_local
from industry_apps.schema import Column, Schema
from industry_apps.training import TrainingOptions

_STEPS = tuple(STEP_PLANS)


@dataclass(kw_only=True, eq=False, repr=False)
class ForecastParameters(HoldsForecast, OwnNames):
    """A mixin of applications that forecast a column of a long table, with all that one can set.

    The application says which column is forecast, by ``target``, of the roles ``series`` and
    ``time`` that its schema declares first and second.
    """

    name: ClassVar[str]
    problem: ClassVar[Problem]
    #: What is forecast, under its name in the schema of the class.
    target: ClassVar[Column]

    model: ForecastModel = "trees"
    step: Annotated[str, one_of(_STEPS)] | None = None
    horizon: Annotated[int, integer(1, 1000)] | None = None
    history: Annotated[int, integer(2, 10_000)] | None = None
    known: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()
    quantiles: Annotated[tuple[float, ...], records.QUANTILES] = records.LEVELS
    learning: LearningOptions | None = None
    baselines: Annotated[tuple[str, ...], some_of(tuple(STATISTICAL))] = ("auto_ets",)
    rivals: tuple[ForecastModel, ...] = ()
    trees: TreeOptions | None = None
    training: TrainingOptions | None = None
    seed: Annotated[int, integer(0)] = 0

    def split(self, frame: pd.DataFrame) -> Split:
        """Split a table by time: the last horizon is the test, the one before for validation.

        Parameters
        ----------
        frame : DataFrame
            Long: a row for each series and time.
        """
        return records.split_by_horizon(frame, self._seconds(frame), self._rule(frame))

    @property
    def outputs_(self) -> Schema:
        """With the quantiles that are asked for."""
        return self.series_.outputs

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

    def _keys(self) -> tuple[str, str]:
        """The columns that say whose a row is, and of when."""
        return self._name(self.schema.names[0]), self._name(self.schema.names[1])

    def _series(self, frame: pd.DataFrame) -> ForecastTable:
        roles = {"known": self.known, "history": self.past, "feature": self.static}
        return ForecastTable(
            schema=self._own_schema().extended(records.covariates(frame, roles)),
            windows=self._rule(frame),
            target=self.target,
            column=self._name(self.target.name),
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
        seconds, keys = self._seconds(frame), self._keys()
        rule = records.rule_of(
            seconds,
            keys,
            step=self.step or ("index" if is_index(frame[keys[1]]) else None),
            horizon=self.horizon,
            history=self.history,
            closed=self._closed(),
            zone=self._zone(),
        )
        rule = replace(rule, **self._issued())
        check_zone(frame[keys[1]], rule)
        return rule

    def _closed(self) -> Sequence[str]:
        """Dates that are no steps."""
        return ()

    def _zone(self) -> str:
        """The zone by whose clock steps are counted; "" where times are counted as they stand."""
        return ""

    def _issued(self) -> Mapping[str, Any]:
        """``issued`` and ``forecasts`` of a :class:`WindowRule`, where covariates are forecast."""
        return {}

    def _seconds(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        time = self._keys()[1]
        seconds = seconds_of(frame, self._own_schema()[time])
        return to_local(frame[time], seconds, self._zone(), time)

    def _exportable(self, precision: str = "float32") -> Exportable:
        found: Any = super()._exportable(precision)  # type: ignore[misc]
        exported: Exportable = replace(found, moments=12, rows_a_run=SERIES_A_RUN)
        return exported
