"""Windows of series to calibrated quantiles of the steps ahead, and all of it as one graph.

Models learn scaled windows, so one model answers series of any size, and answers stay within
the limits of the column that is forecast. On the latest origins, which a first fit has not
seen, models are weighted and quantiles calibrated (conformalised
quantile regression); then the models learn again from everything.

Letters in shapes: S series, L steps of history, H steps of the horizon, Q quantiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.recipes.forecasting.calibration import (
    bounds_of,
    conformal_offsets,
    sorted_nodes,
)
from industry_apps.recipes.forecasting.models.linear import RidgeQuantiles
from industry_apps.recipes.forecasting.models.scaled import (
    QuantileModel,
    ScaledWindows,
    TreeQuantiles,
    pinball_of,
    weights_of,
)
from industry_apps.recipes.forecasting.options import (
    MEMBERS,
    USUAL_TRAINING,
    ForecastModel,
    ForecastOptions,
    LearningOptions,
)
from industry_apps.recipes.forecasting.plans import plan_of, usual_plan
from industry_apps.recipes.forecasting.windows import nodes
from industry_apps.recipes.forecasting.windows.graph import SERIES_A_RUN, ForecastGraph
from industry_apps.runtime import Panel, WindowRule
from industry_apps.runtime.progress import progress
from industry_apps.runtime.series.forecasts import check_issued
from industry_apps.schema import Schema
from industry_apps.schema.offsets import less_offset, plus_offset

__all__ = ["MEMBERS", "ForecastModel", "ForecastOptions", "ForecastRecipe", "LearningOptions"]

#: What an ensemble is made of, by what did best on validation data: of short windows (Stallion)
#: and of long ones (M4-Hourly), through which a fusion transformer would go for hours.
_OF_SHORT: tuple[ForecastModel, ...] = ("trees", "tft")
_OF_LONG: tuple[ForecastModel, ...] = ("trees", "patch")
_LONGEST_OF_TFT = 200

#: Scaled outcomes are cut here: a series that comes to life is one observation among many.
_WIDEST = 20.0
#: A scale up to so many times the smallest is that of a series of zeros.
_OF_ZEROS = 2.0

_Floats = NDArray[np.float32]


class ForecastRecipe:
    """Learns quantiles of the steps ahead of many series.

    Parameters
    ----------
    schema : Schema
        The raw columns.
    rule : WindowRule
        With a horizon and a step.
    target : str
        The history column that is forecast.
    options : ForecastOptions

    Attributes
    ----------
    weights_ : dict of str to float
        Model -> its weight.
    losses_ : dict of str to float
        Model -> scaled pinball loss on the origins held out.
    offsets_ : ndarray of float32 of shape [H, Q]
        What calibration adds to scaled quantiles.
    """

    def __init__(
        self, schema: Schema, rule: WindowRule, target: str, options: ForecastOptions
    ) -> None:
        self.schema = schema
        self.rule = rule
        self.target = target
        self.options = options

    def fit(self, panel: Panel) -> ForecastRecipe:
        """Learn from a panel, whose last origins weigh and calibrate.

        Parameters
        ----------
        panel : Panel

        Raises
        ------
        TrainingError
            The history is too short, or hardly any outcome is known.
        """
        horizon, options = self.rule.horizon, self.options.learning
        stops = self._stops(panel, len(panel.times))
        apart = options.apart or horizon
        many = min(options.held_out, max(len(panel.times) // apart // 4, 2))
        last = len(panel.times) - horizon
        held_out = [last - apart * k for k in reversed(range(many))]
        held_out = [stop for stop in held_out if self._stops(panel, stop)]
        if not held_out or not stops:
            raise TrainingError(
                f"{len(panel.times)} steps are too short a history for a forecast of {horizon}: "
                f"{self._least() + 2 * horizon + 1} or more are needed. Give a longer history, or "
                "a shorter horizon."
            )
        plan = plan_of(
            self.schema,
            self.rule,
            target=self.target,
            horizon=horizon,
            history=len(panel.times),
        )
        wanted, flat = self._wanted(self._names()), self.options.flat_steps
        self.graph_ = ForecastGraph(self.schema, plan, wanted, flat)
        self.graph_.learn(panel.feeds(held_out[0], self.schema, self.rule))
        self.models_ = {name: self._model(name) for name in self._names()}
        self._calibrate(panel, held_out)
        self.models_ = {name: m for name, m in self.models_.items() if self.weights_[name]}
        self.graph_ = self.graph_.only(self._wanted(tuple(self.models_)))
        self.flat_graph_ = self.graph_.only(("flat",))
        if self.options.learning.refit:
            every = self._windows(panel, stops)
            for model in self.models_.values():
                model.refit(every)
        return self

    def _least(self) -> int:
        """Steps of history before the first origin."""
        return max(min(usual_plan(self.rule).seasons[0], self.rule.length // 2), 1)

    def _stops(self, panel: Panel, end: int) -> list[int]:
        """Origins whose horizon ends by a step, the latest ones, in order."""
        usual = usual_plan(self.rule)
        learning = self.options.learning
        every, most = learning.every or usual.every, learning.origins or usual.origins
        stops = range(end - self.rule.horizon, self._least() - 1, -every)
        return list(stops)[:most][::-1]

    def _names(self) -> tuple[ForecastModel, ...]:
        if self.options.model != "ensemble":
            return (self.options.model,)
        if self.options.members:
            return self.options.members
        return _OF_SHORT if self.rule.length <= _LONGEST_OF_TFT else _OF_LONG

    def _wanted(self, names: Sequence[str]) -> tuple[str, ...]:
        """Inputs that the models take."""
        rows = ("rows",) if "trees" in names else ()
        return rows if tuple(names) == ("trees",) else (*rows, "past", "known", "codes")

    def _model(self, name: ForecastModel) -> QuantileModel:
        options = self.options
        if name == "trees":
            return TreeQuantiles(self.rule.horizon, options.quantiles, options.trees)
        if name in ("ridge", "periodic"):
            seasons, periodic = self.graph_.plan.seasons, name == "periodic"
            return RidgeQuantiles(options.quantiles, seasons, periodic=periodic)
        from industry_apps.recipes.forecasting.models.network import NetworkQuantiles

        kind, codes = cast(Any, name), self.graph_.cardinalities
        training = options.training
        if options.model == "ensemble" and name == "tft" and training == USUAL_TRAINING:
            training = None  # beside trees the tutorial's small network helps more
        return NetworkQuantiles(kind, options.quantiles, codes, training, options.seed)

    def _calibrate(self, panel: Panel, held_out: Sequence[int]) -> None:
        """Fit on what came before the origins held out; weigh and calibrate on these."""
        before = self._windows(panel, self._stops(panel, held_out[0]))
        asked = self._windows(panel, held_out)
        forecasts = []
        for model in self.models_.values():
            model.fit(before, asked)
            forecasts.append(model.forecast(asked.inputs))
        names, levels = list(self.models_), self.options.quantiles
        self.losses_ = {
            name: pinball_of(each, asked, levels)
            for name, each in zip(names, forecasts, strict=True)
        }
        shares = weights_of(forecasts, asked, levels) if len(names) > 1 else np.ones(1)
        self.weights_ = dict(zip(names, map(float, shares), strict=True))
        mean = np.tensordot(shares.astype(np.float32), np.array(forecasts), axes=1)
        self.offsets_ = conformal_offsets(np.sort(mean, axis=2), asked.target, levels)

    def _windows(self, panel: Panel, stops: Sequence[int]) -> ScaledWindows:
        """Scaled windows of some origins, of all series that have any history then."""
        parts = []
        at_once = max(SERIES_A_RUN // max(len(panel.series), 1), 1)
        starts = range(0, len(stops), at_once)
        done = ((start, min(start + at_once, len(stops)) / len(stops)) for start in starts)
        for start in progress(done, f"windows of {len(stops)} moments"):
            some = [self._known_at(panel, stop) for stop in stops[start : start + at_once]]
            came = np.concatenate([each for _, each in some])
            if len(came):
                feeds = {n: np.concatenate([each[n] for each, _ in some]) for n in some[0][0]}
                parts.append(self._scaled(feeds, came))
        if not parts:
            raise TrainingError(
                f"Of no series is {self.target!r} known before and after any moment. Give a longer "
                "history, with its quantities."
            )
        inputs = {
            name: np.concatenate([part.inputs[name] for part in parts]) for name in parts[0].inputs
        }
        target = np.concatenate([part.target for part in parts])
        weight = np.concatenate([part.weight for part in parts])
        return ScaledWindows(inputs=inputs, target=target, weight=weight / weight.mean())

    def _known_at(self, panel: Panel, stop: int) -> tuple[dict[str, NDArray[Any]], _Floats]:
        """Windows of an origin and what came, of the series of which both are known."""
        feeds = panel.feeds(stop, self.schema, self.rule)
        end, horizon = stop + self.rule.horizon, self.rule.horizon
        ahead = panel.window(end, horizon, [self.target])[self.target]
        came = less_offset(ahead, self.schema[self.target].offset)
        told = ~np.isnan(feeds[self.target]).all(axis=1) & ~np.isnan(came).all(axis=1)
        check_issued(panel, stop, self.rule, told)
        return {name: values[told] for name, values in feeds.items()}, came[told]

    def _scaled(self, feeds: Mapping[str, NDArray[Any]], came: _Floats) -> ScaledWindows:
        tensors = self.graph_.run(feeds)
        base, scale = tensors.pop("base"), tensors.pop("scale")
        target = np.clip((came - base) / scale, -_WIDEST, _WIDEST)
        of_zeros = scale[:, 0] <= _OF_ZEROS * self.graph_.smallest_
        if not of_zeros.all():
            target[of_zeros] = np.nan  # what comes after zeros has no size
        weight = scale[:, 0].astype(np.float64) ** self.options.learning.size_weight
        return ScaledWindows(inputs=tensors, target=target, weight=weight)

    def forecast(self, feeds: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
        """Quantiles in units of series at one moment -> [S, H, Q], rising along the last axis.

        They are float32; of a target with an offset float64, as it is added at the end.

        Parameters
        ----------
        feeds : mapping of str to ndarray
            As a panel makes them.
        """
        tensors = self.graph_.run(feeds)
        shares = [np.float32(self.weights_[name]) for name in self.models_]
        scaled = [
            share * model.forecast(tensors)
            for share, model in zip(shares, self.models_.values(), strict=True)
        ]
        total: _Floats = np.sum(scaled, axis=0, dtype=np.float32) + self.offsets_
        smallest = np.float32(_OF_ZEROS * self.graph_.smallest_)
        scale = np.where(tensors["scale"] <= smallest, np.float32(0), tensors["scale"])
        units = tensors["base"][:, :, None] + np.sort(total, axis=2) * scale[:, :, None]
        target = self.schema[self.target]
        units = plus_offset(units, target.offset)
        low, high = bounds_of(target)
        return np.clip(units, units.dtype.type(low), units.dtype.type(high))

    def alone(self, name: ForecastModel) -> ForecastRecipe:
        """One of several models by itself, calibrated as they are together."""
        other = copy(self)
        other.models_, other.weights_ = {name: self.models_[name]}, {name: 1.0}
        other.graph_ = self.graph_.only(self._wanted((name,)))
        return other

    def has_flat(self, feeds: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
        """Whether a part of the history of each series was left out as flat, [S]."""
        found: NDArray[np.bool_] = self.flat_graph_.run(feeds)["flat"][:, 0] > 0
        return found

    def write(
        self, builder: GraphBuilder, inputs: Mapping[str, str]
    ) -> tuple[list[str], str | None]:
        """Append features, models, calibration and the way back to units to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Raw column -> tensor.

        Returns
        -------
        quantiles : list of str
            Of each quantile, tensor [batch, H].
        flat : str or None
            Whether a part of the history was left out, boolean tensor [batch, H].
        """
        graph, flat = self.graph_, None
        if graph.flat_steps:
            graph = graph.only((*graph.wanted, "flat"))
        where, tensors = graph.write(builder, inputs)
        if graph.flat_steps:
            flat = nodes.wide(
                builder, nodes.reshaped(builder, tensors["flat"], 0, 1, 1), self.rule.horizon
            )
            flat = builder.cast(nodes.reshaped(builder, flat, 0, -1), np.bool_)
        parts = []
        for name, model in self.models_.items():
            share = builder.constant(np.float32(self.weights_[name]))
            parts.append(builder.node("Mul", share, model.write(builder, tensors)))
        total = builder.node("Sum", *parts) if len(parts) > 1 else parts[0]
        total = builder.node("Add", total, builder.constant(self.offsets_[None]))
        smallest = builder.constant(np.float32(_OF_ZEROS * self.graph_.smallest_))
        of_zeros = builder.node("LessOrEqual", where.scale, smallest)
        scale = builder.node("Where", of_zeros, nodes.zero(builder), where.scale)
        spread = builder.node(
            "Mul",
            sorted_nodes(builder, total, len(self.options.quantiles)),
            nodes.reshaped(builder, scale, 0, 1, 1),
        )
        units = builder.node("Add", nodes.reshaped(builder, where.base, 0, -1, 1), spread)
        target = self.schema[self.target]
        if target.offset is not None:
            offset = builder.constant(np.float64(target.offset))
            units = builder.node("Add", builder.cast(units, np.float64), offset)
        for op, bound in zip(("Max", "Min"), bounds_of(target), strict=True):
            if np.isfinite(bound):
                units = builder.node(op, units, builder.constant(target.dtype(bound)))
        return [
            builder.node("Gather", units, builder.constant(np.int64(place)), attributes={"axis": 2})
            for place in range(len(self.options.quantiles))
        ], flat
