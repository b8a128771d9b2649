"""What will be asked for until the next order but one arrives: quantiles of demand over steps.

A stock that is ordered at each step and arrives after some more has to cover all steps up to the
next arrival. What counts is their sum: its quantile is not the sum of their quantiles, so it is
learned directly, from sums of the past.

Letters in shapes: S items, L steps of history, P steps that are covered, Q quantiles, N windows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from industry_apps.errors import TrainingError
from industry_apps.features import GraphBuilder
from industry_apps.features.running import RunsItsGraph
from industry_apps.features.window_nodes import fill
from industry_apps.recipes.forecasting.models.scaled import ScaledWindows, TreeQuantiles
from industry_apps.recipes.forecasting.plans import plan_of
from industry_apps.recipes.forecasting.recipe import conformal_offsets
from industry_apps.recipes.forecasting.windows import nodes
from industry_apps.recipes.forecasting.windows.graph import ForecastGraph
from industry_apps.recipes.trees import TreeOptions
from industry_apps.runtime import Panel, WindowRule
from industry_apps.schema import Schema

DemandModel = Literal["blend", "trees", "normal"]

_Floats = NDArray[np.float32]
#: Scaled sums are cut here: an item that comes to life is one observation among many.
_WIDEST = 20.0
#: A scale up to so many times the smallest is that of a window of zeros.
_OF_ZEROS = 2.0
#: Share of the moments, the latest, on which the quantiles are calibrated.
_HELD_OUT = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandOptions:
    """What quantiles of the demand over some steps are made by.

    Parameters
    ----------
    model : {"blend", "trees", "normal"}
        Gradient-boosted trees of the window; its mean and standard deviation, as of a normal
        distribution that stays as it was; or the mean of both.
    levels : tuple of float
        Of the quantiles, rising, in (0, 1).
    periods : int
        P, > 0.
    trees : TreeOptions
    """

    model: DemandModel
    levels: tuple[float, ...]
    periods: int
    trees: TreeOptions = field(default_factory=TreeOptions)


class LeadTimeDemand:
    """Learns quantiles of what is asked for in the next steps together.

    Parameters
    ----------
    schema : Schema
        The columns that tell demand; other columns play no part.
    rule : WindowRule
        Without a horizon, with a step.
    target : str
        The column of demand.
    options : DemandOptions
    """

    def __init__(
        self, schema: Schema, rule: WindowRule, target: str, options: DemandOptions
    ) -> None:
        self.schema, self.rule, self.target, self.options = schema, rule, target, options

    def fit(self, panel: Panel) -> LeadTimeDemand:
        """Learn from all moments whose next steps are known, and calibrate on the latest.

        Parameters
        ----------
        panel : Panel

        Raises
        ------
        TrainingError
            The history is too short.
        """
        self.window_ = _NormalWindow(self.schema, self.rule, self.target, self.options)
        if self.options.model != "normal":
            self._learn(panel)
        return self

    def _learn(self, panel: Panel) -> None:
        """Grow the trees on early windows, calibrate on late ones, and grow them on all."""
        periods, steps, levels = self.options.periods, len(panel.times), self.options.levels
        first = max(self.rule.length // 2, 1)
        stops = list(range(first, steps - periods + 1))
        cut = steps - round(_HELD_OUT * len(stops)) - periods
        early = [stop for stop in stops if stop + periods <= cut]
        if not early:
            raise TrainingError(
                f"{steps} steps are too short a history to learn the demand of {periods} steps: "
                f"{first + 4 * periods} or more are needed. Give a longer history, a shorter "
                "history of each answer, or a shorter lead time."
            )
        plan = plan_of(self.schema, self.rule, target=self.target, horizon=1, history=steps)
        # The calendar of one step says little about several.
        self.graph_ = ForecastGraph(self.schema, replace(plan, calendar=()), ("rows",))
        self.graph_.learn(self._feeds(panel, cut))
        self.trees_ = TreeQuantiles(1, levels, self.options.trees)
        before, asked = self._windows(panel, early), self._windows(panel, range(cut, stops[-1] + 1))
        self.trees_.fit(before, asked)
        parts = [self.trees_.forecast(asked.inputs), asked.inputs["normal"][:, None]]
        both = self._mixed(*parts)
        self.offsets_ = conformal_offsets(np.sort(both, axis=2), asked.target, levels)
        self.trees_.refit(self._windows(panel, stops))

    def _mixed(self, trees: _Floats, normal: _Floats) -> _Floats:
        trees_share, normal_share = self._shares
        return trees_share * trees + normal_share * normal

    @property
    def _shares(self) -> tuple[np.float32, np.float32]:
        """Of the trees, and of the window's own distribution.

        Equal ones: those that did best on the latest windows did worse on the windows after.
        """
        share = np.float32(0.5 if self.options.model == "blend" else 1.0)
        return share, np.float32(1) - share

    @property
    def _of_zeros(self) -> np.float32:
        """The largest scale of a window of zeros."""
        return np.float32(_OF_ZEROS * self.graph_.smallest_)

    def _feeds(self, panel: Panel, stop: int) -> dict[str, NDArray[Any]]:
        return panel.feeds(stop, self.schema, self.rule)

    def _windows(self, panel: Panel, stops: Sequence[int]) -> ScaledWindows:
        """Windows of some moments, and the mean of the steps behind each, scaled."""
        rows, normal, targets = [], [], []
        for stop in stops:
            feeds = self._feeds(panel, stop)
            tensors = self.graph_.run(feeds)
            end = stop + self.options.periods
            came = panel.window(end, self.options.periods, [self.target])[self.target]
            scaled = (came.mean(axis=1, keepdims=True) - tensors["base"]) / tensors["scale"]
            # What comes after zeros has no size.
            scaled[tensors["scale"] <= self._of_zeros] = np.nan
            rows.append(tensors["rows"])
            normal.append(self._normal(self.window_.run(feeds), tensors))
            targets.append(np.clip(scaled, -_WIDEST, _WIDEST))
        target = np.concatenate(targets)
        inputs = {"rows": np.concatenate(rows), "normal": np.concatenate(normal)}
        return ScaledWindows(inputs=inputs, target=target, weight=np.ones(len(target)))

    def _normal(self, window: _Floats, tensors: Mapping[str, NDArray[Any]]) -> _Floats:
        """Quantiles of the window's own distribution, scaled; those of no window are the base."""
        found = (window - tensors["base"]) / tensors["scale"]
        return np.where(np.isnan(found), np.float32(0), found)

    def quantiles(self, feeds: Mapping[str, NDArray[Any]]) -> _Floats:
        """Units over the steps that are covered -> [S, Q], rising along the last axis.

        They are missing where no value of the window is known: what is usual among all series
        says nothing about one of them. Of a window of zeros they are 0.

        Parameters
        ----------
        feeds : mapping of str to ndarray
            As a panel makes them.
        """
        found = window = self.window_.run(feeds)
        if self.options.model != "normal":
            tensors = self.graph_.run(feeds)
            parts = self.trees_.forecast(tensors)[:, 0], self._normal(window, tensors)
            scaled = np.sort(self._mixed(*parts) + self.offsets_, axis=1)
            scale = np.where(tensors["scale"] <= self._of_zeros, np.float32(0), tensors["scale"])
            found = np.where(np.isnan(window), window, tensors["base"] + scaled * scale)
        units = found * np.float32(self.options.periods)
        return np.maximum(units, np.float32(0))

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> list[str]:
        """Append the model to a graph.

        Parameters
        ----------
        builder : GraphBuilder
        inputs : mapping of str to str
            Raw column -> tensor.

        Returns
        -------
        list of str
            Of each quantile, tensor [batch, 1].
        """
        count = len(self.options.levels)
        found = window = self.window_.write(builder, inputs)
        if self.options.model != "normal":
            where, tensors = self.graph_.write(builder, inputs)
            trees = nodes.reshaped(builder, self.trees_.write(builder, tensors), -1, count)
            normal = builder.node("Div", builder.node("Sub", window, where.base), where.scale)
            parts = (
                builder.node("Mul", builder.constant(share), part)
                for share, part in zip(
                    self._shares, (trees, fill(builder, normal, 0.0)), strict=True
                )
            )
            scaled = builder.node(
                "Add", builder.node("Add", *parts), builder.constant(self.offsets_)
            )
            if count > 1:
                scaled, _ = builder.smallest(scaled, builder.constant(np.array([count])))
            of_zeros = builder.node("LessOrEqual", where.scale, builder.constant(self._of_zeros))
            scale = builder.node("Where", of_zeros, nodes.zero(builder), where.scale)
            learned = builder.node("Add", where.base, builder.node("Mul", scaled, scale))
            found = builder.node("Where", builder.node("IsNaN", window), window, learned)
        periods = builder.constant(np.float32(self.options.periods))
        units = builder.node("Max", builder.node("Mul", found, periods), nodes.zero(builder))
        return [builder.part(units, place, place + 1) for place in range(count)]


class _NormalWindow(RunsItsGraph):
    """Quantiles of the mean over the steps, of independent steps as in the window -> [S, Q]."""

    def __init__(
        self, schema: Schema, rule: WindowRule, target: str, options: DemandOptions
    ) -> None:
        self.schema, self.target, self.length = schema, target, rule.length
        levels = np.asarray(options.levels)
        self._z = (stats.norm.ppf(levels) / np.sqrt(options.periods)).astype(np.float32)

    def write(self, builder: GraphBuilder, inputs: Mapping[str, str]) -> str:
        history = inputs[self.target]
        mean, spread = (
            each(builder, history, 1) for each in (nodes.known_mean, nodes.known_spread)
        )
        return builder.node("Add", mean, builder.node("Mul", spread, builder.constant(self._z)))

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> _Floats:
        found: _Floats = self._session.run(None, {self.target: feeds[self.target]})[0]
        return found

    def _declare(self, builder: GraphBuilder) -> None:
        tensor = self.write(builder, builder.inputs(self.schema, self.length))
        builder.output(tensor, "/quantiles", np.float32, len(self._z))
